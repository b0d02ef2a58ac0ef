//! Properties of the codec as a whole: it is exact, and no input panics.

use proptest::prelude::*;

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

#[test]
fn of_several_entries_the_last_counts_and_is_replaced() {
    let text = "REGEDIT4\n[HKLM\\K]\n\"a\"=dword:1\n\n[HKLM\\L]\n\n[hklm\\k]\n\"A\" = dword:2 ; why\n\"A\"=dword:3";
    let mut document = parse(text);
    assert_eq!(get(&document, "a"), Some(Data::dword(3)));
    document.edit(&key(r"HKLM\K")).unwrap().set(&name("a"), &Data::dword(4)).unwrap();
    assert_eq!(document.to_bytes(), text.replace("dword:3", "dword:00000004").as_bytes());
    document.edit(&key(r"HKLM\K")).unwrap().delete(&name("a"));
    assert_eq!(document.to_bytes(), b"REGEDIT4\n[HKLM\\K]\n\n[HKLM\\L]\n\n[hklm\\k]\n");
}

#[test]
fn edits_keep_comments_blank_lines_and_line_ends() {
    let text = "REGEDIT4\n\n; first\n[HKLM\\B]\n\"x\"=dword:1 ; one\n; two\n\"y\"=hex:01,\\\n  02\n\n; of C\n[HKLM\\C]\n\"z\"=\"\"";
    let mut document = parse(text);
    let mut editor = document.edit(&key(r"HKLM\B")).unwrap();
    editor.set(&name("X"), &Data::dword(2)).unwrap();
    editor.delete(&name("y"));
    editor.set(&name("new"), &Data::sz("1")).unwrap();
    document.edit(&key(r"HKLM\C")).unwrap().set(&name(""), &Data::dword(0)).unwrap();
    for new in [r"HKLM\A", r"HKLM\B\Sub", r"HKLM\D"] {
        document.create_key(&key(new)).unwrap();
    }
    assert_eq!(
        String::from_utf8(document.to_bytes()).unwrap(),
        "REGEDIT4\n\n; first\n\n[HKEY_LOCAL_MACHINE\\A]\n\n[HKLM\\B]\n\"x\"=dword:00000002 ; one\n; two\n\"new\"=\"1\"\n\n; of C\n\n\
         [HKEY_LOCAL_MACHINE\\B\\Sub]\n\n[HKLM\\C]\n\"z\"=\"\"\n@=dword:00000000\n\n[HKEY_LOCAL_MACHINE\\D]\n\n"
    );
    for gone in [r"HKLM\A", r"HKLM\B", r"HKLM\D"] {
        document.delete_key(&key(gone));
    }
    assert_eq!(
        String::from_utf8(document.to_bytes()).unwrap(),
        "REGEDIT4\n\n; first\n; of C\n[HKLM\\C]\n\"z\"=\"\"\n@=dword:00000000\n"
    );
    assert!(!document.lists(&key(r"HKLM\B\Sub")));
}

#[test]
fn a_script_is_laid_out_as_regedit_does() {
    let path = key(r"HKLM\K");
    let data = Data::new(ValueType::EXPAND_SZ, (0..60).collect::<Vec<u8>>());
    let value = |name, data| ScriptValue { name, data, comment: String::new() };
    let (a, b) = (name("PathName"), name("b"));
    let keys = [
        ScriptKey { path: &path, delete: false, values: vec![value(&a, Some(&data)), value(&b, None)] },
        ScriptKey { path: &path, delete: true, values: vec![] },
    ];
    let bytes = script("KB1\ntwo", &keys).unwrap();
    let text = encoding::TextEncoding::Utf16.decode(&bytes).unwrap();
    assert_eq!(
        text,
        "\u{feff}Windows Registry Editor Version 5.00\r\n; KB1\r\n; two\r\n\r\n[HKEY_LOCAL_MACHINE\\K]\r\n\
         \"PathName\"=hex(2):00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,\\\r\n  \
         14,15,16,17,18,19,1a,1b,1c,1d,1e,1f,20,21,22,23,24,25,26,27,28,29,2a,2b,2c,\\\r\n  \
         2d,2e,2f,30,31,32,33,34,35,36,37,38,39,3a,3b\r\n\"b\"=-\r\n\r\n[-HKEY_LOCAL_MACHINE\\K]\r\n\r\n"
    );
    assert!(text.lines().all(|line| line.len() <= 80));
    assert!(Document::parse(bytes, None).unwrap().first_deletion().is_some());
}

/// Data and names that other tools are known to damage.
fn exact() -> Vec<(String, Data)> {
    let multi =
        |text: &str| Data::new(ValueType::MULTI_SZ, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    let data = vec![
        multi("b\0a\0\0"),
        multi("a\0\0b\0\0"),
        multi("a\0"),
        multi("a"),
        multi(""),
        Data::new(ValueType::BINARY, [1, 2, 3]),
        Data::new(ValueType::BINARY, []),
        Data::new(ValueType::DWORD, [1, 0, 0]),
        Data::new(ValueType::SZ, *b"a\0"),
        Data::new(ValueType::SZ, []),
        Data::new(ValueType::SZ, *b"a\0\0\0b\0\0\0"),
        Data::new(ValueType::EXPAND_SZ, *b"%\0"),
        Data::sz("line\r\nbreak"),
        Data::sz(r#"\\server\"share""#),
        Data::sz("ünï → 𝄞"),
        Data::qword(u64::MAX),
        Data::new(ValueType::NONE, [7]),
        Data::new(ValueType::NONE, []),
        Data::new(ValueType(0x99), [1, 2]),
        Data::new(ValueType(u32::MAX), []),
        Data::new(ValueType::BINARY, vec![0xAB; 1 << 20]),
        Data::sz(&"x".repeat(1 << 19)),
    ];
    let names = [
        String::new(),
        "n".repeat(255),
        "ünï→𝄞".into(),
        r#"\\*\SYSVOL"#.into(),
        r#"a"b\"#.into(),
        "=".into(),
        "[x]".into(),
        ";".into(),
    ];
    let mut out: Vec<_> = data.into_iter().enumerate().map(|(i, data)| (format!("v{i}"), data)).collect();
    out.extend(names.into_iter().map(|name| (name, Data::dword(1))));
    out
}

#[test]
fn every_byte_survives_in_a_new_script_and_in_an_edit() {
    let path = key(r"HKLM\K");
    let names: Vec<(ValueName, Data)> = exact().into_iter().map(|(n, data)| (name(&n), data)).collect();
    let values =
        names.iter().map(|(name, data)| ScriptValue { name, data: Some(data), comment: "c\nd".into() }).collect();
    let bytes = script("", &[ScriptKey { path: &path, delete: false, values }]).unwrap();
    let mut edited = v5("");
    let mut utf8 = Document::parse("\u{feff}Windows Registry Editor Version 5.00\n[HKLM\\K]".into(), None).unwrap();
    for (name, data) in &names {
        edited.edit(&path).unwrap().set(name, data).unwrap();
        utf8.edit(&path).unwrap().set(name, data).unwrap();
    }
    for bytes in [bytes, edited.to_bytes(), utf8.to_bytes()] {
        let document = Document::parse(bytes.clone(), None).unwrap();
        let values = document.values(&path).unwrap();
        assert_eq!(values.iter().count(), names.len());
        for (name, data) in &names {
            assert_eq!(values.get(name), Some(Ok(data)), "{name}");
        }
        assert_eq!(document.to_bytes(), bytes);
    }
}

#[test]
fn ten_thousand_values_are_written_and_read() {
    let path = key(r"HKLM\K");
    let mut document = v5("");
    let mut editor = document.edit(&path).unwrap();
    for i in 0..10_000 {
        editor.set(&name(&format!("name {i}")), &Data::sz(&format!("data {i}"))).unwrap();
    }
    for i in 0..10_000 {
        document.create_key(&key(&format!(r"HKLM\K\{i}"))).unwrap();
    }
    let document = Document::parse(document.to_bytes(), None).unwrap();
    assert_eq!(document.values(&path).unwrap().iter().count(), 10_000);
}

#[test]
fn no_mutation_of_a_file_panics() {
    let text = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\K]\r\n\"a\\\\\"=hex(7):61,\\\r\n  00,00\r\n; c\r\n\
                @=\"x\ny\"\r\n\"d\"=dword:01\r\n\r\n[-HKEY_USERS\\K]\r\n";
    let seeds = [utf16(text), text.as_bytes().to_vec(), [b"\xEF\xBB\xBF", text.as_bytes()].concat()];
    let pages = [None, CodePage::new(1252), CodePage::new(932), CodePage::new(936)];
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    for round in 0..6_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            match next(4) {
                0 => bytes[at] = next(256) as u8,
                1 => bytes[at] = b"\"\\[]=,;\r\n\x81-@"[next(12)],
                2 => bytes.truncate(at.max(1)),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                break;
            }
        }
        if let Ok(mut document) = Document::parse(bytes.clone(), pages[next(pages.len())]) {
            assert_eq!(document.to_bytes(), bytes);
            let keys: Vec<KeyPath> = document.keys().cloned().collect();
            for key in keys {
                document.edit(&key).unwrap().set(&name("a\\"), &Data::dword(9)).unwrap();
                document.delete_key(&key);
            }
            document.to_bytes();
        }
    }
}

fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just(String::new()),
        "[ \t]{0,3}",
        "[;#][ -~]{0,20}",
        "[ \t]?\\[HKEY_(LOCAL_MACHINE|USERS)(\\\\[a-zA-Z0-9ü\\] ]{1,3}){0,3}\\]",
        "[ \t]?(@|\"[a-z]{0,2}(\\\\\\\\|ü)?\") ?= ?(dword:[0-9a-f]{1,8}|\"[a-z;\n]{0,5}\"|hex(\\([0-9a-f]{1,4}\\))?:([0-9a-f]{2},(\\\\\n)?){0,3}[0-9a-f]{2}) ?(;[^\r\n]{0,5})?",
    ];
    (proptest::collection::vec(line, 0..30), any::<bool>(), any::<bool>()).prop_map(|(lines, crlf, end)| {
        let text = format!(
            "Windows Registry Editor Version 5.00\n[HKLM\\K]\n{}{}",
            lines.join("\n"),
            if end { "\n" } else { "" }
        );
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

proptest! {
    #[test]
    fn any_file_is_given_back_byte_for_byte(text in lines(), wide in any::<bool>()) {
        let bytes = if wide { utf16(&text) } else { format!("\u{feff}{text}").into_bytes() };
        let document = Document::parse(bytes.clone(), None).unwrap();
        prop_assert_eq!(document.to_bytes(), bytes);
    }

    #[test]
    fn a_value_that_was_set_and_deleted_leaves_the_file_as_it_was(text in lines(), data in proptest::collection::vec(any::<u8>(), 0..80), ty in 0_u32..13) {
        let bytes = utf16(&format!("{text}\n"));
        let mut document = Document::parse(bytes.clone(), None).unwrap();
        let keys: Vec<KeyPath> = document.keys().cloned().collect();
        let data = Data::new(ValueType(ty), data);
        let new = name("not there yet");
        for key in &keys {
            document.edit(key).unwrap().set(&new, &data).unwrap();
        }
        let again = Document::parse(document.to_bytes(), None).unwrap();
        for key in &keys {
            prop_assert_eq!(again.values(key).unwrap().get(&new), Some(Ok(&data)));
            document.edit(key).unwrap().delete(&new);
        }
        prop_assert_eq!(document.to_bytes(), bytes);
    }

    #[test]
    fn any_entry_is_read_as_it_was_written(of in ".{0,40}", text in "(?s).{0,40}", ty in any::<u32>(), data in proptest::collection::vec(any::<u8>(), 0..100)) {
        let path = key(r"HKU\ü");
        prop_assume!(!of.contains(['\r', '\n', '\0']));
        let of = name(&of);
        for data in [Data::sz(&text), Data::new(ValueType(ty), data)] {
            let value = ScriptValue { name: &of, data: Some(&data), comment: String::new() };
            let bytes = script("", &[ScriptKey { path: &path, delete: false, values: vec![value] }]).unwrap();
            let document = Document::parse(bytes, None).unwrap();
            prop_assert_eq!(document.values(&path).unwrap().get(&of), Some(Ok(&data)));
        }
    }
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
