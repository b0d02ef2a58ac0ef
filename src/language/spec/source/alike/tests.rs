//! The two YAML parsers agree about every text that is read only once.

use std::{fs, path::Path, sync::LazyLock};

use proptest::prelude::*;

use super::is_certain;
use crate::spec::source::{
    data::Data,
    meaning, parse,
    reading::Reading,
    readings::Readings,
    text::Text,
    tree::{Places, Style, Visited},
};

/// Returns whether the text is read only once; if so, compares what both parsers read.
fn is_read_once(text: &str) -> bool {
    if !is_certain(text) {
        return false;
    }
    let Ok(text) = Text::decode("x", text.as_bytes()) else { return false };
    let read = parse::read(&text);
    let Some(places) = read.places.filter(|places| read.diagnostics.is_empty() && has_clear_names(places)) else {
        return false;
    };
    let Some(tree) = meaning::value(Data::of(&places, places.root())) else { return false };
    match meaning::by_serde(&text) {
        Ok(second) => assert_eq!(tree, second, "{}", text.text),
        Err(error) => panic!("{}: {}", error.message, text.text),
    }
    true
}

/// Returns whether all YAML readers read each field name as the same name. Other documents are refused before their
/// data is read.
fn has_clear_names(places: &Places) -> bool {
    let mut clear = true;
    places.walk(&mut |_, visited| {
        if let Visited::Name(entry) = visited
            && entry.style == Style::Plain
        {
            clear &= match Readings::of(&entry.name).agreed() {
                Some(Reading::Text) => true,
                Some(Reading::Int(Some(number))) => number.to_string() == *entry.name,
                _ => false,
            };
        }
    });
    clear
}

fn texts(folder: &str) -> Vec<String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect()
}

/// The text of each spec of the library.
static LIBRARY: LazyLock<Vec<String>> = LazyLock::new(|| texts("specs"));

#[test]
fn the_library_is_read_once() {
    let once = LIBRARY.iter().filter(|text| is_read_once(text)).count();
    assert!(once * 10 >= LIBRARY.len() * 9, "{once} of {}", LIBRARY.len());
}

#[test]
fn the_corpora_are_read_alike() {
    let texts = ["tests/fuzz/corpus/spec", "tests/fixtures/specs/invalid", "tests/engine/forms"].map(texts).concat();
    assert!(texts.iter().filter(|text| is_read_once(text)).count() > 50);
}

#[test]
fn a_text_of_another_form_is_read_twice() {
    assert!(is_certain(
        "a: 1\nb:\n- c # d\n- - 'e''f': \"\\\\\"\n    g: [h, {i: j}]\nk: |-\n  l\n\n   m\nn: >\n  o\n  p\nq: r\n s\n   t\nu:\n- v\n w\nx:\n  {y: z} # c\n"
    ));
    for text in [
        "a: 1",
        "a:\t1\n",
        "a: 1\rb: 2\n",
        "a: &b-c 1\n",
        "&a b: c\n",
        "- &a b: c\n",
        "*a : b\n",
        "a: !!str 1\n",
        "? a\n: b\n",
        "a: b\n  c: d\n",
        "a: b\n  c # d\n",
        "a: b\n\n  c\n",
        "a: b # c\n  d\n",
        "a: b\nc\n",
        "a: 'b'\n  c\n",
        "a:\n  b\n",
        "a:\n{b: c}\n",
        "a:\n  {b: c}: d\n",
        "a:\n  {b: c}\n  d: e\n",
        "a: \"b\\n\"\n",
        "a: \"b\n  c\"\n",
        "a: [b,\n  c]\n",
        "a: [b, ]\n",
        "a: [b: c]\n",
        "a: {b, c: d}\n",
        "a: {\"b\":c}\n",
        "a: b: c\n",
        "a: |2\n   b\n",
        "a: |\n\n  b\n",
        "a: >\n  b\n   c\n",
        "a: |\nb: c\n",
        "a:\n   b: c\n  d: e\n",
        "a: b\n c: d\n",
        "- a\nb: c\n",
        "---\na: b\n",
        "a: b \n",
        "[a]: b\n",
        "a\n",
    ] {
        assert!(!is_certain(text), "{text}");
    }
}

/// Pieces of lines. Several after each other make one line of a document.
const PIECES: [&str; 65] = [
    "a: ",
    "b:",
    "c: ",
    "d",
    "- ",
    "-",
    "- - ",
    "  ",
    "    ",
    " ",
    "\n",
    "\n\n",
    "\n  ",
    "\n    ",
    "'q'",
    "'q''r'",
    "\"q\"",
    "\"q\\\\r\"",
    "\"q\\\"\"",
    "'k': ",
    "\"k\": ",
    "[",
    "]",
    "{",
    "}",
    "[d, e]",
    "{f: g}",
    "{f: g, h: [i]}",
    ", ",
    ",",
    ": ",
    ":",
    "|\n",
    ">\n",
    "|-\n",
    ">-\n",
    "|+\n",
    "# r",
    " # r",
    "#",
    "0",
    "1",
    "-1",
    "0x10",
    "true",
    "~",
    "null",
    "C:\\d",
    "http://e/f",
    "%",
    "&",
    "*",
    "!",
    "?",
    "? ",
    "--- ",
    "...",
    "é",
    "\r\n",
    "<<",
    "&s ",
    "&s\n",
    "*s",
    "- &s ",
    "{f: &s g, h: *s}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn lines_of_any_form_are_read_alike(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 1..16)) {
        is_read_once(&(pieces.concat() + "\n"));
    }

    #[test]
    fn fields_at_any_column_are_read_alike(
        lines in prop::collection::vec((0..5usize, prop::sample::select(&[
            "a:", "b: c", "d: 'e'", "- f", "- g: h", "- - i", "j: |", "k: >-", "l: [m, n]", "- {o: p}", "# q", "", "- r: >",
            "s: \"t\" # u", "a: &b", "b: *b", "- &b", "- &b c", "d: &b [*b]", "- *b", "e: &b |", "v:: w", "- x:", "- - y: z",
            "a b", "c", "-1", "d:", "e # f", "'g'", "http://h",
        ][..])), 1..9),
    ) {
        is_read_once(&lines.iter().map(|(column, line)| format!("{:column$}{line}\n", "")).collect::<String>());
    }

    #[test]
    fn a_spec_with_another_piece_is_read_alike(
        spec in 0..usize::MAX, at in 0..usize::MAX, removed in 0..4usize, piece in prop::sample::select(&PIECES[..]),
    ) {
        let text = &LIBRARY[spec % LIBRARY.len()];
        let from = (0..=at % text.len()).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let to = (from + removed..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        is_read_once(&format!("{}{piece}{}", &text[..from], &text[to..]));
    }
}
