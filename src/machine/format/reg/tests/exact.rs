//! The codec is exact: what an edit does not touch stays byte for byte, and what is written is read again.

use proptest::prelude::*;

use super::*;

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

#[test]
fn a_key_is_covered_by_itself_and_by_each_listed_key_above_it() {
    let keys = [r"HKLM\A\B", r"HKLM\A\B\C\D", r"HKLM\A C", r"HKU\X", r"HKLM\Z"];
    for listed in (0..1 << keys.len()).map(|chosen: usize| (0..keys.len()).filter(move |at| chosen >> at & 1 == 1)) {
        let listed: Vec<KeyPath> = listed.map(|at| key(keys[at])).collect();
        let sections: String = listed.iter().rev().map(|key| format!("[{}]\r\n\r\n", key.to_long())).collect();
        let document = parse(&format!("Windows Registry Editor Version 5.00\r\n\r\n{sections}"));
        let mut places = vec!["HKLM", "HKU", "HKCR", r"HKLM\A", r"HKLM\A\B\C", r"HKLM\A\C", r"HKLM\A B", r"HKU\X\Y\Z"];
        places.extend([r"HKLM\A\B\C\D\E\F", r"HKLM\A\B\X\Y", r"HKLM\A C\D", r"HKLM\M\N", r"HKU\W", r"HKU\Y"]);
        places.extend(keys);
        for place in places.into_iter().map(key) {
            assert_eq!(
                document.covers(&place),
                listed.iter().any(|above| place.is_within(above)),
                "{place} {listed:?}"
            );
        }
    }
}
