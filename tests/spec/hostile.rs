//! Tests hostile and damaged specs: YAML bombs, invalid bytes, cut and mangled files. kbfix must answer each soon and
//! must not panic.

#![allow(clippy::print_stderr, reason = "times, where they are asked for")]

use std::time::{Duration, Instant};

use kbfix::spec::{self, Loaded, Settings};
use numbers::Numbers;

#[path = "../support/numbers.rs"]
mod numbers;

/// The first limit is the one of the design, for the optimised build. A debug build on a busy machine must only not
/// hang.
const SOON: Duration = if cfg!(debug_assertions) { Duration::from_secs(60) } else { Duration::from_secs(1) };

fn load(bytes: &[u8]) -> Loaded {
    let started = Instant::now();
    let loaded = spec::load("hostile.yaml", bytes, &Settings::for_validation());
    let took = started.elapsed();
    if std::env::var_os("SHOW_TIMES").is_some() {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]);
        let first = loaded.diagnostics.first().map(|d| d.code.as_str());
        eprintln!("{took:?} {} {text:?} {first:?}", bytes.len());
    }
    assert!(took < SOON, "{took:?} for {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(40)]));
    assert!(loaded.diagnostics.len() <= 101);
    let size: usize =
        loaded.diagnostics.iter().map(|d| d.message.len() + d.place.as_ref().map_or(0, |p| p.source.len())).sum();
    assert!(size < 2 << 20, "{size} bytes of findings");
    loaded
}

/// Returns the code of the first finding for a text that is not a valid spec.
fn code(text: impl AsRef<[u8]>) -> &'static str {
    let loaded = load(text.as_ref());
    assert!(loaded.spec.is_none());
    loaded.diagnostics.first().map_or("", |d| d.code.as_str())
}

/// The size of the text: the maximum file size in the optimised build, and less in a debug build.
const MUCH: usize = if cfg!(debug_assertions) { 1 << 16 } else { 1 << 20 };

fn filled(head: &str, part: &str) -> String {
    head.to_owned() + &part.repeat((MUCH - head.len()) / part.len())
}

#[test]
fn bombs_are_refused() {
    let mut laughs = String::from("kbfix: 1\nnotes:\n  - &a0 [lol]\n");
    for level in 1..40 {
        let below = format!("*a{},", level - 1).repeat(9);
        laughs += &format!("  - &a{level} [{below}]\n");
    }
    assert_eq!(code(laughs), "yaml-too-large");
    let long = "x".repeat(500_000);
    let quadratic = format!("kbfix: 1\nnotes:\n  - &a {long}\n") + &"  - *a\n".repeat(50_000);
    assert_eq!(code(quadratic), "yaml-too-large");
    let wide = format!("kbfix: 1\nnotes:\n  - &a [{}]\n", "1,".repeat(2_000)) + &"  - *a\n".repeat(2_000);
    assert_eq!(code(wide), "yaml-too-large");
}

#[test]
fn much_of_anything_is_answered_soon() {
    for part in ["[", "{", "- ", "? ", "[a,", "{a: ", "{a: [", "!", "[[", "[{"] {
        let code = code(filled("", part));
        assert!(["yaml-too-deep", "yaml-syntax", "yaml-key", "yaml-tag"].contains(&code), "{part}: {code}");
    }
    for part in [
        "a", "-\n", "\n", "#", "*a ", "%", "|", "'", "\"", ": ", ",", "é", " ", "&a ", "a: ", "a:\n", "- - a\n",
        "---\n", "a ", "\\", "`", "@", "]", "}", "0",
    ] {
        for head in ["", "kbfix: 1\n", "[", "\"", "a: |\n ", "? "] {
            let text = filled(head, part);
            assert!(!code(text).is_empty(), "{head}{part}");
        }
    }
    let mut deep = String::new();
    for level in 0..1_400 {
        deep += &format!("{}k:\n", " ".repeat(level));
    }
    assert_eq!(code(deep), "yaml-too-deep");
    assert_eq!(code("x".repeat(spec::MAX_BYTES + 1)), "file-too-large");
    assert_eq!(code(filled("kbfix: 1\nid: x\ntitle: ", "x")), "nothing-desired");
}

#[test]
fn many_faults_are_counted_not_listed() {
    let mut unknown = String::from("kbfix: 1\n");
    let mut twice = String::from("kbfix: 1\n");
    let mut values = String::from("kbfix: 1\nid: x\ntitle: x\nregistry:\n- key: HKLM\\SOFTWARE\\X\n  values:\n");
    let mut one_line = String::from("{kbfix: 1, registry: [");
    let mut parameters = String::from("kbfix: 1\nid: x\ntitle: x\nparameters:\n");
    let mut empty = String::from("kbfix: 1\nid: x\ntitle: x\nregistry:\n- key: HKLM\\SOFTWARE\\X\n  values:\n");
    let mut uses = String::new();
    for number in 0..if cfg!(debug_assertions) { 2_000 } else { 20_000 } {
        unknown += &format!("field{number}: on\n");
        twice += "a: 1\n";
        values += &format!("    v{number}: {{ type: REG_DWORD, data: x }}\n");
        one_line += "{kye: x}, ";
        empty += &format!("    v{number}: {{ type: , data: 1 }}\n");
        parameters += &format!("  param{number}: {{ default: x, description: d }}\n");
        uses +=
            &format!("- key: HKLM\\SOFTWARE\\X\\{{parmm{number}}}\n  values: {{ v: {{ type: REG_SZ, data: x }} }}\n");
    }
    one_line += "]}";
    // A name that is like many of the declared names.
    parameters += &format!("registry:\n{uses}");
    parameters.truncate(spec::MAX_BYTES);
    for text in [unknown, twice, values, one_line, empty, parameters] {
        let loaded = load(text.as_bytes());
        assert_eq!(loaded.diagnostics.len(), 101, "{:?}", loaded.diagnostics.first());
        assert_eq!(loaded.diagnostics.last().unwrap().code.as_str(), "more-findings");
    }
}

#[test]
fn ten_thousand_values_are_loaded_soon() {
    let mut values = String::from("kbfix: 1\nid: x\ntitle: x\nregistry:\n- key: HKLM\\SOFTWARE\\X\n  values:\n");
    for number in 0..10_000 {
        values += &format!("    v{number}: {{ type: REG_DWORD, data: {number}, note: A value with a note. }}\n");
    }
    assert!(load(values.as_bytes()).spec.is_some());
}

#[test]
fn long_lists_of_a_value_and_its_parameter_are_compared_soon() {
    let numbers: Vec<String> = (100_000..220_000).map(|n: u32| n.to_string()).collect();
    let numbers = numbers.join(",");
    for limits in ["allowed: *n, keep: none", "keep: { one_of: *n }", "keep: { not: [1] }"] {
        let text = format!(
            "kbfix: 1\nid: x\ntitle: x\nparameters: {{ p: {{ description: d, default: 100000, allowed: &n [{numbers}] }} }}\n\
            registry: [{{ key: HKLM\\SOFTWARE\\X, values: {{ V: {{ type: REG_DWORD, data: {{ parameter: p }}, {limits} }} }} }}]\n"
        );
        let loaded = load(text.as_bytes());
        assert!(loaded.spec.is_some(), "{:?}", loaded.diagnostics);
    }
}

#[test]
fn a_parameter_that_allows_much_is_used_in_many_values_soon() {
    let mut spec = String::from("kbfix: 1\nid: T\ntitle: t\nparameters:\n  p:\n    description: d\n    allowed:\n");
    for data in 0..20_000 {
        spec += &format!("      a{data}: x\n");
    }
    spec += "registry:\n  - key: HKLM\\SOFTWARE\\T\n    values:\n";
    for value in 0..2_000 {
        spec += &format!("      v{value}: {{ type: REG_SZ, data: {{ parameter: p }} }}\n");
    }
    assert!(load(spec.as_bytes()).spec.is_some());
    // Data that is not valid for the type is reported at each value.
    let loaded = load(spec.replace("REG_SZ", "REG_BINARY").as_bytes());
    let mut names: Vec<String> = (0..2_000).map(|value| format!("v{value}")).collect();
    names.sort();
    for one in loaded.diagnostics.iter().take(100) {
        assert!(one.message.contains("the parameter `p` can be `a10`"), "{}", one.message);
        let line = &one.place.as_ref().unwrap().source;
        assert!(names.iter().take(100).any(|name| line.contains(&format!(" {name}: "))), "{line}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    assert_eq!(code(""), "empty-file");
    assert_eq!(code("\u{feff}"), "empty-file");
    assert_eq!(code("# only a comment\n"), "empty-file");
    assert_eq!(code("---\n...\n"), "empty-file");
    assert_eq!(code("~\n"), "empty-file");
    assert_eq!(code(b"kbfix: 1\nid: \xC3\x28\n"), "not-utf8");
    assert_eq!(code(b"\xFF\xFEk\0b\0"), "not-utf8");
    assert_eq!(code(b"kbfix: 1\0"), "control-character");
    assert_eq!(code("kbfix: 1\nid: a\u{85}b\n"), "control-character");
    assert_eq!(code("kbfix: 1\nid: \u{feff}b\n"), "control-character");
}

const KB909094: &str = include_str!("../../specs/KB909094.yaml");

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let plain = load(KB909094.as_bytes()).spec.unwrap();
    for text in [KB909094.replace('\n', "\r\n"), format!("\u{feff}{KB909094}"), KB909094.replace('\n', "\r")] {
        let loaded = load(text.as_bytes());
        assert_eq!(loaded.diagnostics, []);
        let spec = loaded.spec.unwrap();
        assert_eq!((spec.rules, spec.title), (plain.rules.clone(), plain.title.clone()));
    }
    let broken = KB909094.replace("allowed: [0, 1]", "allowed: [0]");
    let place = |text: &str| {
        let loaded = load(text.as_bytes());
        let place = loaded.diagnostics[0].place.clone().unwrap();
        (place.line, place.column, place.source)
    };
    assert_eq!(place(&broken), place(&format!("\u{feff}{}", broken.replace('\n', "\r\n"))));
}

/// `FUZZ_ROUNDS` sets the number of rounds.
#[test]
fn mangled_specs_never_panic() {
    const PARTS: &[&str] = &[
        "&a ",
        "*a",
        "!!str ",
        "\"",
        "'",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "\n",
        "\t",
        "|\n",
        ">-\n",
        "? ",
        "<<: ",
        "---\n",
        "...\n",
        "0x",
        "~",
        "on",
        "-1",
        "1.5",
        "18446744073709551616",
        "{p}",
        "%X%",
        "\\",
        "\u{feff}",
        "\0",
        "é",
        "\u{2028}",
        "#",
        ",",
        "%",
        "HKLM\\",
        "*",
        "REG_SZ",
        "null",
        "when: { not: { not: {} } }",
        "&x [*x]",
        "=",
        "@",
        "`",
        "\r",
    ];
    let rounds = std::env::var("FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_500);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/specs/valid");
    let mut specs: Vec<Vec<u8>> = vec![KB909094.into()];
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    specs.extend(files.iter().map(|f| std::fs::read(f).unwrap()));
    let mut numbers = Numbers(0x9090_9409_0909_4001);
    for round in 0..rounds {
        let mut text = specs[round % specs.len()].clone();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(text.len());
            let to = (at + numbers.below(30)).min(text.len());
            match numbers.below(5) {
                0 => drop(text.drain(at..to)),
                1 => drop(text.splice(at..at, PARTS[numbers.below(PARTS.len())].bytes())),
                2 => drop(text.splice(at..to, PARTS[numbers.below(PARTS.len())].bytes())),
                3 => {
                    let part = text[at..to].to_vec();
                    let into = numbers.below(text.len());
                    drop(text.splice(into..into, part));
                }
                _ => text[at] = numbers.below(256) as u8,
            }
            if text.is_empty() {
                break;
            }
        }
        let shown = text.clone();
        let caught = std::panic::catch_unwind(move || {
            let loaded = load(&text);
            for diagnostic in &loaded.diagnostics {
                let _ = kbfix::render::diagnostics::human(diagnostic, kbfix::render::Paint { colour: false });
                let place = diagnostic.place.as_ref().expect("each finding in a file has its place");
                assert!(place.line > 0 && place.column > 0 && place.length > 0);
                assert!(place.source.is_empty() || place.column <= place.source.chars().count() + 1, "{diagnostic:?}");
            }
            assert!(
                loaded.spec.is_some() != loaded.diagnostics.iter().any(|d| d.severity == kbfix::diag::Severity::Error)
            );
            assert!(loaded.diagnostics.iter().all(|d| d.code.as_str() != "internal"), "{:?}", loaded.diagnostics);
        });
        if caught.is_err() {
            panic!("round {round}:\n{}", String::from_utf8_lossy(&shown));
        }
    }
}
