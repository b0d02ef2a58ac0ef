//! The codec as a whole: what is read, and which faults are reported.

mod exact;

use super::*;
use crate::registry::{Data, KeyPath, ValueName, ValueType};

fn v4(body: &str) -> Document {
    parse(&format!("REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\K]\r\n{body}"))
}

fn parse(text: &str) -> Document {
    Document::parse(text.into(), None).unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn v5(body: &str) -> Document {
    let text = format!("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\K]\r\n{body}");
    Document::parse(utf16(&text), None).unwrap()
}

fn key(text: &str) -> KeyPath {
    text.parse().unwrap()
}

fn name(text: &str) -> ValueName {
    ValueName::new(text).unwrap()
}

fn get(document: &Document, of: &str) -> Option<Data> {
    document.values(&key(r"HKLM\K")).unwrap().get(&name(of)).map(|data| data.unwrap().clone())
}

fn error(text: &str) -> RegError {
    Document::parse(text.into(), None).unwrap_err()
}

#[test]
fn a_file_that_ends_inside_a_character_is_not_complete() {
    let head = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]";
    let ends = ["", " ; a", "\r\n", "\r\n\"a\"=dword:00000001", "\r\n@=- ; a", "\r\n; a", "\r\n# a", "\r\n; a\r\n"];
    for end in ends {
        let mut bytes = utf16(&format!("{head}{end}"));
        assert!(Document::parse(bytes.clone(), None).is_ok(), "{end:?}");
        bytes.push(b'a');
        let line = 3 + end.matches('\n').count();
        let error = Document::parse(bytes.clone(), None).err().map(|error| error.line);
        let skipped = Document::parse_lenient(bytes.clone(), None).unwrap().1;
        assert_eq!((error, skipped.len()), (Some(line), 1), "{end:?}");
        assert_eq!(Document::faults(&bytes, None).len(), 1, "{end:?}");
    }
}

#[test]
fn every_notation_is_read() {
    let document = v5(
        "\"a\"=\"C:\\\\x \\\"y\\\"\"\r\n@ = dword:1 ; one\r\n\"b\"=hex:1,ff\r\n\"c\"=hex(4):01,00,00\r\n\
                       \"d\"=hex(99):\r\n\"e\"=hex(1):61,00\r\n\"f\"=hex(7):61,00,00,00,\\ ; comment\r\n  ; another\r\n\r\n  00,00\r\n\
                       \"g\"=\"two\r\nlines\"\r\n\"gone\"=-\r\n\t\"é\\\\ü\"=hex(B):00,00,00,00,00,00,00,80",
    );
    assert_eq!(get(&document, "A"), Some(Data::sz(r#"C:\x "y""#)));
    assert_eq!(get(&document, ""), Some(Data::dword(1)));
    assert_eq!(get(&document, "b"), Some(Data::new(ValueType::BINARY, [1, 255])));
    assert_eq!(get(&document, "c"), Some(Data::new(ValueType::DWORD, [1, 0, 0])));
    assert_eq!(get(&document, "d"), Some(Data::new(ValueType(0x99), [])));
    assert_eq!(get(&document, "e"), Some(Data::new(ValueType::SZ, *b"a\0")));
    assert_eq!(get(&document, "f"), Some(Data::multi_sz(["a"])));
    assert_eq!(get(&document, "g"), Some(Data::sz("two\r\nlines")));
    assert_eq!(get(&document, "gone"), None);
    assert_eq!(document.first_deletion(), Some(16));
    assert_eq!(get(&document, r"É\Ü"), Some(Data::qword(1 << 63)));
}

#[test]
fn version_4_strings_are_ansi_in_their_code_page() {
    let bytes = b"REGEDIT4\n[HKEY_LOCAL_MACHINE\\\x95\\]\n\"\x95\\\"=\"\x95\\\"\n\"e\"=hex(2):95,5c,00\n\"b\"=hex:95\n";
    let japan = CodePage::new(932);
    let document = Document::parse(bytes.to_vec(), japan).unwrap();
    let values = document.values(&key(r"HKLM\表")).unwrap();
    assert_eq!(values.get(&name("表")), Some(Ok(&Data::sz("表"))));
    assert_eq!(values.get(&name("e")), Some(Ok(&Data::text(ValueType::EXPAND_SZ, "表"))));
    assert_eq!(values.get(&name("b")), Some(Ok(&Data::new(ValueType::BINARY, [0x95]))));
    assert_eq!(document.to_bytes(), bytes);

    let error = Document::parse(bytes.to_vec(), None).unwrap_err();
    assert_eq!((error.code(), error.line, error.column), ("reg-code-page", 2, 21));
    assert!(error.hint().contains("give the ANSI code page"));
    let data = Document::parse(b"REGEDIT4\n[HKLM\\K]\n\"e\"=hex(2):95,5c,00\n".to_vec(), None).unwrap_err();
    assert_eq!((data.code(), data.line, data.column), ("reg-code-page", 3, 5));
    assert!(Document::parse(b"REGEDIT4\n; \x95\n[HKLM\\K]\n".to_vec(), None).is_ok());
    for end in ["\n", "\r\n", "\r"] {
        let text = "REGEDIT4\n\n[HKLM\\K]\n\"a\"=\"x\ny\nz".replace('\n', end);
        let error = Document::parse([text.as_bytes(), b"\xe9\""].concat(), None).unwrap_err();
        assert_eq!((error.line, error.column, &*error.found), (6, 2, "the byte 0xe9"), "{end:?}");
    }
}

#[test]
fn an_edit_in_version_4_is_written_in_ansi() {
    let mut document = v4("\"a\"=\"x\"\r\n");
    let text = Data::text(ValueType::EXPAND_SZ, "%a%");
    let mut editor = document.edit(&key(r"HKLM\K")).unwrap();
    editor.set(&name("e"), &text).unwrap();
    assert!(matches!(editor.set(&name("u"), &Data::sz("ü")), Err(EditError::Encoding(_))));
    assert!(matches!(editor.set(&name("u"), &Data::new(ValueType::MULTI_SZ, [1])), Err(EditError::Encoding(_))));
    let out = document.to_bytes();
    assert!(out.ends_with(b"\"e\"=hex(2):25,61,25,00\r\n"));
    assert_eq!(get(&Document::parse(out, None).unwrap(), "e"), Some(text));
}

#[test]
fn a_column_counts_characters_in_every_encoding() {
    let text = "\u{feff}Windows Registry Editor Version 5.00\n[HKLM\\K]\n\"ä😀ää\"=foo\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [text.as_bytes().to_vec(), utf16] {
        let error = Document::parse(bytes, None).unwrap_err();
        assert_eq!((error.code(), error.line, error.column, &*error.found), ("reg-data", 3, 8, "`foo`"));
    }
}

#[test]
fn errors_name_the_place() {
    let at = |text: &str| {
        let error = error(text);
        (error.code(), error.line, error.column)
    };
    assert_eq!(at("REGEDIT\n"), ("reg-header", 1, 1));
    assert_eq!(at(""), ("reg-header", 1, 1));
    assert_eq!(at("REGEDIT4\n\"a\"=dword:1\n"), ("reg-outside-key", 2, 1));
    assert_eq!(at("REGEDIT4\n[HKLM\\K\n"), ("reg-key", 2, 1));
    assert_eq!(at("REGEDIT4\n[Software\\K]\n"), ("reg-key", 2, 2));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\n\"a\" \"b\"\n"), ("reg-syntax", 3, 5));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\nabc\n"), ("reg-syntax", 3, 1));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\n\"a\"=dword:123456789\n"), ("reg-data", 3, 11));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\n\"a\"=dword:\n"), ("reg-data", 3, 11));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\n\"a\"=hex:123\n"), ("reg-data", 3, 9));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\n\"a\"=hex(g):1\n"), ("reg-data", 3, 5));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\n\"a\"=hex:1,\\\n,2\n"), ("reg-data", 4, 1));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\n\"a\"=hex:1,\\\n"), ("reg-unfinished", 3, 9));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\n\"a\"=\"C:\\x\"\n"), ("reg-escape", 3, 8));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\n\"a\"=\"x\n\n"), ("reg-unfinished", 3, 5));
    assert_eq!(at("REGEDIT4\n[HKLM\\K]\n\"a\"=\"x\"#y\n"), ("reg-syntax", 3, 8));
    assert_eq!(error("REGEDIT4\nabc").to_string().lines().count(), 1);
    // As the file spells it.
    assert_eq!(error("REGEDIT4\n[HKLM\\K]\n\"a\"=\"C:\\temp\"\n").found, r#"`\temp"`"#);
    assert_eq!(error("\u{feff}REGEDIT4\n[HKLM\\K]\n\"a\"=\"x\"#\u{202e}y\n").found, r"`#\u{202e}y`");
}

#[test]
fn error_codes_are_unique() {
    let codes: std::collections::BTreeSet<_> = RegErrorKind::ALL.iter().map(|k| k.code()).collect();
    assert_eq!(codes.len(), RegErrorKind::ALL.len());
}

#[test]
fn what_is_not_valid_in_the_encoding_concerns_its_entry_alone() {
    let mut bytes =
        utf16("Windows Registry Editor Version 5.00\r\n[HKEY_LOCAL_MACHINE\\K]\r\n\"a\"=\"?\"\r\n\"b\"=dword:1\r\n");
    let at = bytes.windows(2).rposition(|w| w == b"?\0").unwrap();
    bytes[at..at + 2].copy_from_slice(&[0, 0xD8]);
    let document = Document::parse(bytes, None).unwrap();
    let values = document.values(&key(r"HKLM\K")).unwrap();
    assert!(values.get(&name("a")).unwrap().unwrap_err().contains("line 3"));
    assert_eq!(values.get(&name("b")), Some(Ok(&Data::dword(1))));
}
/// Rules of Windows' `reg import` that Wine's conformance tests record.
#[test]
fn what_regedit_ignores_of_a_section_is_no_fault() {
    let text = "REGEDIT4\n\n[HKLM\\K\\] the key\n\"a\"=dword:1\n\n[HKLM\\K\\\\] ; comment\n\"b\"=dword:2\n[-HKLM\\X]\n\"c\"=dword:3\n";
    let document = parse(text);
    let found: Vec<_> = document.sections().map(|s| (s.key().unwrap().to_string(), s.has_ignored_text())).collect();
    let found: Vec<_> = found.iter().map(|(key, ignored)| (key.as_str(), *ignored)).collect();
    assert_eq!(found, [(r"HKLM\K", true), (r"HKLM\K", false), (r"HKLM\X", false)]);
    assert_eq!((get(&document, "a"), get(&document, "b")), (Some(Data::dword(1)), Some(Data::dword(2))));
    assert_eq!(document.to_bytes(), text.as_bytes());
    assert_eq!(parse("REGEDIT4\n[HKEY_LOCAL_MACHINE\\]\n").keys().next(), Some(&key("HKLM")));
    assert_eq!(error("REGEDIT4\n[HKLM\\a\\\\b]\n").code(), "reg-key");
}

#[test]
fn a_ctrl_z_ends_the_text_and_stays_at_its_end() {
    for (before, after) in [("\r\n", "\u{1a}"), ("", "\u{1a}\r\n\u{1a} \r\n")] {
        let text = format!("REGEDIT4\r\n[HKLM\\K]\r\n\"a\"=dword:00000001{before}{after}");
        for bytes in [text.clone().into_bytes(), utf16(&text)] {
            let mut document = Document::parse(bytes.clone(), None).unwrap();
            assert_eq!(get(&document, "a"), Some(Data::dword(1)));
            assert_eq!(document.to_bytes(), bytes);
            document.edit(&key(r"HKLM\K")).unwrap().set(&name("b"), &Data::dword(2)).unwrap();
            let out = document.to_bytes();
            let end = if bytes[0] == 0xFF { utf16(after)[2..].to_vec() } else { after.as_bytes().to_vec() };
            assert!(out.ends_with(&end), "{out:?}");
            assert_eq!(get(&Document::parse(out, None).unwrap(), "b"), Some(Data::dword(2)));
        }
    }
    assert_eq!(error("REGEDIT4\n[HKLM\\K]\n\u{1a}\n\"a\"=dword:1\n").code(), "reg-syntax");
}

#[test]
fn a_lenient_reader_skips_what_regedit_skips_and_says_so() {
    // A value whose continuation line is not bytes is dropped together with that line; without the comma, only the line
    // is dropped.
    let text = "REGEDIT4\n[HKLM\\K]\nfoo\n\"a\"=dword:1\n\"b\"=hex:1,\\\n\"c\"=dword:1\n\"d\"=hex:1\\\n\"e\"=dword:2\n\"f\"=-\"x\"\n\
                [HKLN\\K]\n\"a\"=dword:3\n[HKLM\\K]\n\"g\"=\"x\n\"h\"=dword:4\n";
    let (document, skipped) = Document::parse_lenient(text.into(), None).unwrap();
    let skipped: Vec<_> = skipped.iter().map(|s| (s.from, s.error.line, s.error.code())).collect();
    let syntax = "reg-syntax";
    let expected = [
        (3, 3, syntax),
        (5, 6, "reg-data"),
        (7, 7, syntax),
        (9, 9, syntax),
        (10, 10, "reg-key"),
        (11, 11, "reg-outside-key"),
        // A string may continue on the next line.
        (13, 14, syntax),
    ];
    assert_eq!(skipped, expected);
    let values = document.values(&key(r"HKLM\K")).unwrap();
    let values: Vec<_> = values.iter().map(|(name, data)| (name.as_str(), data.unwrap().clone())).collect();
    assert_eq!(values, [("a", Data::dword(1)), ("e", Data::dword(2))]);
    assert_eq!(document.to_bytes(), text.as_bytes());
    assert_eq!(Document::parse_lenient("abc".into(), None).unwrap_err().code(), "reg-header");
    assert_eq!(
        Document::parse_lenient(b"REGEDIT4\n[HKLM\\\xe4]\n".to_vec(), None).unwrap_err().code(),
        "reg-code-page"
    );
    let junk = format!("REGEDIT4\n{}", "x\n".repeat(1001));
    assert_eq!(Document::parse_lenient(junk.into(), None).unwrap_err().line, 1002);
}

#[test]
fn values_are_the_same_before_and_after_an_edit_of_their_key() {
    // The name `x` becomes half of a surrogate pair, which is not valid.
    let mut bytes = utf16(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\K]\r\n\"b\"=dword:1\r\n\"A\"=\"one\"\r\n\
         \"a\"=\"two\"\r\n\"gone\"=-\r\n\"x\"=dword:2\r\n[HKEY_LOCAL_MACHINE\\K\\L]\r\n\"c\"=\"\"\r\n\
         [HKEY_LOCAL_MACHINE\\K]\r\n\"B\"=dword:3\r\n",
    );
    let x = bytes.windows(2).rposition(|unit| unit == *b"x\0").unwrap();
    bytes[x..x + 2].copy_from_slice(&0xD800_u16.to_le_bytes());
    let seen = |document: &Document, of: &str| {
        let values = document.values(&key(of)).unwrap();
        let all = values.iter().map(|(name, data)| (name.as_str().to_owned(), data.ok().cloned())).collect::<Vec<_>>();
        (all, values.get(&name("gone")).is_some(), values.unreadable().is_some())
    };
    let mut document = Document::parse(bytes, None).unwrap();
    let before = seen(&document, r"HKLM\K");
    assert_eq!((before.0.len(), before.1, before.2), (2, false, true), "{before:?}");
    assert!(document.edit(&key(r"HKLM\K")).is_some());
    assert_eq!(seen(&document, r"HKLM\K"), before);
    assert_eq!(seen(&document, r"HKLM\K\L").0.len(), 1);
    for edits in [&[("a", None), ("new", Some(1))][..], &[("NEW", None), ("b", Some(7)), ("gone", Some(2))], &[]] {
        let mut editor = document.edit(&key(r"HKLM\K")).unwrap();
        for (of, number) in edits {
            match number {
                Some(number) => editor.set(&name(of), &Data::dword(*number)).unwrap(),
                None => editor.delete(&name(of)),
            }
        }
        let fresh = Document::parse(document.to_bytes(), None).unwrap();
        assert_eq!(seen(&document, r"HKLM\K"), seen(&fresh, r"HKLM\K"));
    }
    document.delete_key(&key(r"HKLM\K"));
    document.create_key(&key(r"HKLM\K")).unwrap();
    assert_eq!(seen(&document, r"HKLM\K"), (Vec::new(), false, false));
}
