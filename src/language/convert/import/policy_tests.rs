//! Policies: a `Registry.pol` and the text for LGPO.exe.

use super::*;

const KEY: &str = r"Software\Policies\K";

fn about() -> About<'static> {
    About { id: "T", title: "Test", summary: None }
}

/// Returns a policy file of these entries, each with its key, value name, type and data.
fn pol(entries: &[(&str, &str, u32, &[u8])]) -> Vec<u8> {
    let text = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut bytes = b"PReg\x01\0\0\0".to_vec();
    for (key, name, kind, data) in entries {
        bytes.extend(text(&format!("[{key}\0;{name}\0;")));
        bytes.extend([kind.to_le_bytes().as_slice(), b";\0"].concat());
        bytes.extend([(data.len() as u32).to_le_bytes().as_slice(), b";\0", data, b"]\0"].concat());
    }
    bytes
}

fn rules_of(bytes: &[u8]) -> String {
    let imported = import("p", bytes, Reading::default(), about()).unwrap_or_else(|d| panic!("{d:#?}"));
    assert!(imported.warnings.is_empty(), "{:#?}", imported.warnings);
    imported.text.split_once("registry:\n").unwrap().1.to_owned()
}

/// Returns the code, line and message of each error.
fn refused(bytes: &[u8]) -> Vec<(&'static str, usize, String)> {
    let findings = import("p", bytes, Reading::default(), about()).unwrap_err();
    let line = |d: &Diagnostic| d.place.as_ref().map_or(0, |place| place.line);
    findings.iter().map(|d| (d.code.as_str(), line(d), d.message.clone())).collect()
}

const ONE: &[u8] = &[1, 0, 0, 0];
const NONE: &[u8] = &[b' ', 0, 0, 0];

#[test]
fn each_instruction_means_what_windows_does() {
    let text = rules_of(&pol(&[
        (KEY, "a", 4, ONE),
        (KEY, "**del.b", 1, NONE),
        (KEY, "**soft.c", 4, ONE),
        (r"Software\Policies\Made", "", 0, &[]),
        (r"Software\Policies\Only", "**del.gone", 1, NONE),
        (r"Software\Policies\Names", "**DeleteValues", 1, &[b'x', 0, b';', 0, b'y', 0, 0, 0]),
        (r"Software\Policies", "**DeleteKeys", 1, &[b'D', 0, 0, 0]),
        (KEY, "**Comment:a GPO", 1, NONE),
    ]));
    let expected = r#"  - key: HKLM\Software\Policies\K
    values:
      a: { type: REG_DWORD, data: 1 }
      b: { ensure: absent }
      c:
        type: REG_DWORD
        data: 1
        when:
          registry: { key: ".", name: c, exists: false }
  - key: HKLM\Software\Policies\Made
    ensure: present
  - key: HKLM\Software\Policies\Only
    values:
      gone: { ensure: absent }
  - key: HKLM\Software\Policies\Names
    values:
      x: { ensure: absent }
      "y": { ensure: absent }
  - key: HKLM\Software\Policies\D
    ensure: absent
"#;
    assert_eq!(text, expected);
}

#[test]
fn all_other_values_are_deleted_but_subkeys_stay() {
    let text = rules_of(&pol(&[
        (KEY, "before", 4, ONE),
        (KEY, "**delvals.", 1, NONE),
        (KEY, "after", 4, ONE),
        (KEY, "**soft.soft", 4, ONE),
        (KEY, "**del.void", 1, NONE),
        (r"Software\Policies\K\Below", "x", 4, ONE),
        (r"Software\Policies\Empty", "**delvals.", 1, NONE),
    ]));
    // A key whose values are deleted need not exist.
    let expected = r#"  - key: HKLM\Software\Policies\K
    exclusive: true
    values:
      after: { type: REG_DWORD, data: 1 }
      soft: { type: REG_DWORD, data: 1 }
  - key: HKLM\Software\Policies\K\Below
    values:
      x: { type: REG_DWORD, data: 1 }
  - key: HKLM\Software\Policies\Empty
    exclusive: true
    when:
      registry: { key: "." }
"#;
    assert_eq!(text, expected);
}

#[test]
fn what_was_deleted_decides_about_what_follows() {
    // A key that was deleted and made again has nothing else; a value that was set and deleted leaves its key.
    let text = rules_of(&pol(&[
        ("Software\\Policies", "**DeleteKeys", 1, &[b'K', 0, 0, 0]),
        (KEY, "**delvals.", 1, NONE),
        (KEY, "**del.x", 1, NONE),
        (KEY, "**soft.a", 4, ONE),
        (r"Software\Policies\Left", "v", 4, ONE),
        (r"Software\Policies\Left", "**del.v", 1, NONE),
        (r"Software\Policies\Left", "**soft.v", 4, ONE),
        (r"Software\Policies\Left", "**del.v", 1, NONE),
    ]));
    let expected = r#"  - key: HKLM\Software\Policies\K
    exclusive: tree
    values:
      a: { type: REG_DWORD, data: 1 }
  - key: HKLM\Software\Policies\Left
    ensure: present
    values:
      v: { ensure: absent }
"#;
    assert_eq!(text, expected);
}

#[test]
fn a_policy_of_users_is_below_hkcu() {
    let reading = Reading { root: Some(RootKey::Hkcu), ..Reading::default() };
    let imported = import("p", &pol(&[(KEY, "a", 4, ONE)]), reading, about()).unwrap();
    assert!(imported.text.contains(r"- key: HKCU\Software\Policies\K") && imported.warnings.is_empty());
    let text = b"; c\r\n\r\nuser\r\nSoftware\\Policies\\K\r\n(Default)\r\nSZ:a\\\\b\r\n\r\nComputer\r\nSoftware\\A\r\n*\r\nCREATEKEY";
    let rules = "  - key: HKCU\\Software\\Policies\\K\n    values:\n      \"\": { type: REG_SZ, data: 'a\\b' }\n  \
        - key: HKLM\\Software\\A\n    ensure: present\n";
    assert_eq!(rules_of(text).replace("data: a\\b", "data: 'a\\b'"), rules);
}

#[test]
fn what_a_spec_cannot_say_is_named_by_its_entry() {
    let bytes = pol(&[
        (KEY, "a", 4, &[1, 0]),
        (KEY, "**SecureKey", 4, ONE),
        (r"Software\\Policies", "x", 4, ONE),
        (
            r"Software",
            "**DeleteKeys",
            1,
            &[b'M', 0, b'i', 0, b'c', 0, b'r', 0, b'o', 0, b's', 0, b'o', 0, b'f', 0, b't', 0, 0, 0],
        ),
    ]);
    let codes: Vec<_> = refused(&bytes).into_iter().map(|(code, line, _)| (code, line)).collect();
    assert_eq!(codes, [("policy-secure-key", 2), ("policy-file", 3), ("import-data", 1)]);
    // Nobody can remove an entry from such a file.
    let found = import("p", &pol(&[(KEY, "**SecureKey", 4, ONE)]), Reading::default(), about()).unwrap_err();
    let advice = found[0].advice().unwrap();
    assert!(advice.starts_with("make a copy of the policy") && advice.contains("`manual_steps`"), "{advice}");
    let (code, line, message) = refused(&pol(&[(KEY, "a", 4, ONE), (KEY, "**foo", 4, ONE)])).remove(0);
    assert_eq!((code, line), ("policy-file", 2));
    assert!(message.contains("the instruction `**foo` for HKLM\\Software\\Policies\\K"), "{message}");
    let only = |bytes: Vec<u8>| refused(&bytes).remove(0);
    assert_eq!(only(bytes[..30].to_vec()).0, "policy-file");
    assert_eq!(only(pol(&[])).0, "nothing-desired");
    let (code, line, _) = only(pol(&[(
        r"Software",
        "**DeleteKeys",
        1,
        "Microsoft\0".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice(),
    )]));
    assert_eq!((code, line), ("protected-key", 1));
}

#[test]
fn text_that_cannot_be_read_is_named_by_its_line() {
    let entry = |what: &str| format!("Computer\nSoftware\\A\nn\n{what}\n\n");
    let codes =
        |text: &str| refused(text.as_bytes()).into_iter().map(|(code, line, _)| (code, line)).collect::<Vec<_>>();
    for what in [
        "DWORD:4294967296",
        "DWORD:-1",
        "DWORD:",
        "DWORD:0x",
        "QWORD:+1",
        "dword:1",
        "delete",
        "1",
        "SZ:C:\\0x",
        "BINARY:1,2",
        "BINARY:00ff",
        "MULTISZ:a\\0\\0b",
        "CLEAR",
        "HEX:1",
    ] {
        assert_eq!(codes(&entry(what)), [("policy-file", 4)], "{what}");
    }
    assert_eq!(codes(&entry("CREATEKEY")), [("policy-file", 3)]);
    assert_eq!(
        codes(&(entry("x") + "Computer\n; c\n\n" + &entry("y"))),
        [("policy-file", 4), ("policy-file", 6), ("policy-file", 12)]
    );
    assert_eq!(
        codes(&format!("User:Administrators\nSoftware\\A\nn\nDWORD:1\n{}", entry("z"))),
        [("policy-file", 1), ("policy-file", 8)]
    );
    assert_eq!(codes("Computer\nSoftware\\\\A\nn\nDELETE"), [("policy-file", 2)]);
    let page = |bytes: &[u8]| refused(bytes).into_iter().map(|(code, line, _)| (code, line)).collect::<Vec<_>>();
    assert_eq!(page(b"Computer\nA\nn\nSZ:\xE9"), [("reg-code-page", 4)]);
    assert_eq!(page(b"\xEF\xBB\xBFComputer\nA\nn\nSZ:\xE9"), [("reg-code-page", 4)]);
    let reading = Reading { code_page: CodePage::new(1252), ..Reading::default() };
    let japan = Reading { code_page: CodePage::new(932), ..Reading::default() };
    let text = b"Computer\nA\n\x95\\\nDWORD:1\n\nComputer\nA\nn\nSZ:\x81\n";
    let errors = import("p", text, japan, about()).unwrap_err();
    assert_eq!(errors[0].place.as_ref().unwrap().line, 9, "{errors:#?}");
    let wide = |text: &str, end: &[u8]| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        page(&[b"\xFF\xFE", units.as_slice(), end].concat())
    };
    assert_eq!(wide("Computer\nA\nn\nSZ:", b"\0\xDC\n\0"), [("reg-code-page", 4)]);
    assert_eq!(wide("Computer\nA\nn", b"\n"), [("reg-code-page", 3)]);
    let imported = import("p", b"Computer\nSoftware\\A\nn\nSZ:\xE9", reading, about()).unwrap();
    assert!(imported.text.contains("data: é"), "{}", imported.text);
}

#[test]
fn each_form_of_data_in_the_text_is_read() {
    let of = |what: &str| {
        let text = rules_of(format!("COMPUTER\r\nSoftware\\A\r\nn\r\n{what}\r\n").as_bytes());
        text.split_once("\"n\": ").unwrap().1.trim_end().to_owned()
    };
    assert_eq!(of("DWORD:0x10"), "{ type: REG_DWORD, data: 16 }");
    assert_eq!(of("QWORD:18446744073709551615"), "{ type: REG_QWORD, data: 18446744073709551615 }");
    assert_eq!(of(r"SZ:\\\\s\\x\y"), r"{ type: REG_SZ, data: '\\s\x\y' }");
    assert_eq!(of("EXSZ:%SystemRoot%"), r#"{ type: REG_EXPAND_SZ, data: "%SystemRoot%" }"#);
    assert_eq!(of(r"MULTISZ:One\0Two\\0\0"), r"{ type: REG_MULTI_SZ, data: [One, Two\0] }");
    assert_eq!(of("MULTISZ:"), "{ type: REG_MULTI_SZ, data: [] }");
    assert_eq!(of("BINARY:00,ff,01"), "{ type: REG_BINARY, data: 00ff01 }");
    assert_eq!(of("DELETE"), "{ ensure: absent }");
}
