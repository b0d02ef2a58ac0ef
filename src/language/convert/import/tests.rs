use crate::spec::Settings;

use super::*;

fn reg(body: &str) -> Vec<u8> {
    format!("Windows Registry Editor Version 5.00\r\n\r\n{}", body.replace('\n', "\r\n")).into_bytes()
}

fn about() -> About<'static> {
    About { id: "T", title: "Test", summary: None }
}

fn imported(body: &str) -> Imported {
    import("t.reg", &reg(body), Reading::default(), about()).unwrap_or_else(|d| panic!("{d:#?}"))
}

/// Returns the rules, without the fields that every spec begins with.
fn rules(body: &str) -> String {
    let text = imported(body).text;
    text.split_once("registry:\n").unwrap().1.to_owned()
}

fn codes(body: &str) -> Vec<(&'static str, usize)> {
    let findings = import("t.reg", &reg(body), Reading::default(), about()).unwrap_err();
    findings.iter().map(|d| (d.code.as_str(), d.place.as_ref().map_or(0, |p| p.line))).collect()
}

#[test]
fn each_kind_of_data_becomes_what_a_person_would_write() {
    let text = rules(
        r#"[HKEY_LOCAL_MACHINE\SOFTWARE\A]
@="on"
"n"=dword:0000000a
"q"=hex(b):01,00,00,00,00,00,00,00
"m"=hex(7):61,00,00,00,62,00,00,00,00,00
"e"=hex(2):25,00,61,00,25,00,00,00
"b"=hex:0a,ff
"none"=hex(0):
"gone"=-
"N"=dword:0000000b
"#,
    );
    assert_eq!(
        text,
        r#"  - key: HKLM\SOFTWARE\A
    values:
      "": { type: REG_SZ, data: "on" }
      b: { type: REG_BINARY, data: 0aff }
      e: { type: REG_EXPAND_SZ, data: "%a%" }
      gone: { ensure: absent }
      m: { type: REG_MULTI_SZ, data: [a, b] }
      "n": { type: REG_DWORD, data: 11 }
      none: { type: REG_NONE, data: "" }
      q: { type: REG_QWORD, data: 1 }
"#
    );
}

#[test]
fn half_a_character_at_the_end_is_an_error_with_its_place() {
    let text = String::from_utf8(reg("[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n; a")).unwrap();
    let mut bytes: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.push(b'b');
    let findings = import("t.reg", &bytes, Reading::default(), about()).unwrap_err();
    let place = findings[0].place.as_ref().unwrap();
    assert_eq!((findings[0].code, place.line, place.column), (Code::REG_UNFINISHED, 4, 4));
    assert_eq!(place.source, "; a\u{fffd}");
}

#[test]
fn the_end_of_the_script_counts() {
    let text = rules(
        r"[HKEY_LOCAL_MACHINE\SOFTWARE\A\B\C]
[-HKEY_LOCAL_MACHINE\SOFTWARE\A\B]
[HKEY_LOCAL_MACHINE\SOFTWARE\D]
'x'=-
[-HKEY_LOCAL_MACHINE\SOFTWARE\E]
"
        .replace('\'', "\"")
        .as_str(),
    );
    assert_eq!(
        text,
        r"  - key: HKLM\SOFTWARE\A
    ensure: present
  - key: HKLM\SOFTWARE\A\B
    ensure: absent
  - key: HKLM\SOFTWARE\D
    ensure: present
    values:
      x: { ensure: absent }
  - key: HKLM\SOFTWARE\E
    ensure: absent
"
    );
}

#[test]
fn views_control_sets_and_users_are_said_as_specs_say_them() {
    let spec = imported(
        r#"[HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\A]
"x"=dword:1
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\S]
"x"=dword:1
[HKEY_CURRENT_USER\Software\U]
"x"=dword:1
"#,
    );
    assert!(spec.text.contains("- key: HKLM\\SOFTWARE\\A\n    view: 32\n"), "{}", spec.text);
    assert!(spec.text.contains(r"HKLM\SYSTEM\CurrentControlSet\Services\S"), "{}", spec.text);
    let warnings: Vec<_> = spec.warnings.iter().map(|d| (d.code.as_str(), d.place.as_ref().unwrap().line)).collect();
    assert_eq!(warnings, [("import-control-set", 5), ("import-each-user", 7)]);
}

#[test]
fn what_a_spec_cannot_say_is_named_by_its_line() {
    assert_eq!(
        codes(
            r#"[HKEY_LOCAL_MACHINE\SOFTWARE\A]
"cut"=hex(4):01,00,00
"odd"=hex(1):61,00
"type"=hex(99):01
"#
        ),
        [("import-data", 4), ("import-data", 5), ("import-data", 6)]
    );
    assert_eq!(codes("[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft]\n"), [("protected-key", 3)]);
    assert_eq!(codes("[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n\"x\"=what\n"), [("reg-data", 4)]);
    assert_eq!(codes(""), [("nothing-desired", 1)]);
}

#[test]
fn text_of_any_kind_is_read_back() {
    let names = ["on", "<<", "a: b", "@", "é ", "\\\\*\\SYSVOL", "12", "~", "#x", "- a", "{a}", &"n".repeat(3000)];
    let lines: String = names.iter().map(|n| format!("\"{}\"=\"{0}\"\n", n.replace('\\', "\\\\"))).collect();
    let body = format!("\u{feff}Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n{lines}");
    let spec = import("t.reg", body.as_bytes(), Reading::default(), about()).unwrap_or_else(|d| panic!("{d:#?}"));
    let loaded = crate::spec::load("t", spec.text.as_bytes(), &Settings::new());
    let spec = loaded.spec.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    for name in names {
        let Some(crate::spec::document::DataExpression::Literal(data)) = &spec.document.registry[0].values[name].data
        else {
            panic!("{name}")
        };
        assert_eq!(*data, crate::spec::document::Literal::Text(name.to_owned()));
    }
}

#[test]
fn two_control_sets_are_one_where_they_say_the_same() {
    let set = |number: u8, rest: &str| format!("[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet00{number}\\A]\n{rest}\n");
    let text = rules(&(set(1, "\"a\"=dword:1") + &set(2, "\"A\"=dword:1\n\"b\"=dword:2")));
    let one = "  - key: HKLM\\SYSTEM\\CurrentControlSet\\A\n    values:\n      a: { type: REG_DWORD, data: 1 }\n      b: { type: REG_DWORD, data: 2 }\n";
    assert_eq!(text, one);
    let differ = set(1, "\"a\"=dword:1") + &set(2, "\"a\"=dword:2");
    let findings = import("t.reg", &reg(&differ), Reading::default(), about()).unwrap_err();
    let errors: Vec<_> = findings.iter().filter(|d| d.severity == Severity::Error).collect();
    let [error] = errors.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((error.code, error.place.as_ref().unwrap().line), (Code::IMPORT_CONTROL_SET, 6));
    assert_eq!(
        error.message,
        "\"a\" differs between `ControlSet002` and `ControlSet001` (line 4); a spec can only describe the current control set"
    );
    let current = "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\A]\n\"a\"=-\n";
    assert_eq!(codes(&(set(1, "\"a\"=dword:1") + current)).last(), Some(&("import-control-set", 6)));
    let deleted = "[-HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\A]\n";
    assert_eq!(codes(&(set(1, "\"a\"=dword:1") + deleted)).last(), Some(&("import-control-set", 5)));
    // In one set the last line wins.
    assert!(rules(&(set(1, "\"a\"=dword:1") + &set(1, "\"a\"=dword:2"))).contains("data: 2"));
}

#[test]
fn the_two_names_of_the_system_accounts_hive_are_one() {
    let text = rules(
        "[HKEY_USERS\\.DEFAULT\\Software\\A]\n\"a\"=dword:1\n[HKEY_USERS\\S-1-5-18\\Software\\A]\n\"b\"=dword:1\n",
    );
    let one = "  - key: HKU\\.DEFAULT\\Software\\A\n    values:\n      a: { type: REG_DWORD, data: 1 }\n      b: { type: REG_DWORD, data: 1 }\n";
    assert_eq!(text, one);
}

#[test]
fn all_faults_of_a_file_are_said_at_once() {
    let body = "foo\n[HKLM:\\X]\n\"x\"=dword:1\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n\"a\"=xyz\n\"h\"=hex:01,0g,\\\n  02\n\"b\"=dword:zz\n\"c\"=dword:1\n";
    let expected = [("reg-syntax", 3), ("reg-key", 4), ("reg-data", 7), ("reg-syntax", 8), ("reg-data", 10)];
    assert_eq!(codes(body), expected);
}

#[test]
fn a_file_without_keys_asks_for_nothing() {
    assert_eq!(codes("; only a comment\n"), [("nothing-desired", 1)]);
}

#[test]
fn the_two_views_of_a_key_are_two_keys() {
    let both = |wide: &str, narrow: &str, key: &str| {
        let set = rules(&format!("[{wide}]\n\"a\"=\"64\"\n[{narrow}]\n\"a\"=\"32\"\n"));
        let rule = |data: &str| format!("    values:\n      a: {{ type: REG_SZ, data: \"{data}\" }}\n");
        let [first, second] = [rule("64"), rule("32")];
        assert_eq!(set, format!("  - key: {key}\n{first}  - key: {key}\n    view: 32\n{second}"));
        let absent = "    ensure: absent\n";
        let mixed = rules(&format!("[{wide}]\n\"a\"=\"64\"\n[-{narrow}]\n"));
        assert_eq!(mixed, format!("  - key: {key}\n{first}  - key: {key}\n    view: 32\n{absent}"));
        // The 64-bit key is deleted; the other one, which comes later, is not part of it.
        let mixed = rules(&format!("[-{wide}]\n[{narrow}]\n\"a\"=\"32\"\n"));
        assert_eq!(mixed, format!("  - key: {key}\n{absent}  - key: {key}\n    view: 32\n{second}"));
        let gone = rules(&format!("[-{narrow}]\n[-{wide}]\n"));
        assert_eq!(gone, format!("  - key: {key}\n    view: 32\n{absent}  - key: {key}\n{absent}"));
    };
    for (root, below, key) in [
        (r"HKEY_LOCAL_MACHINE\SOFTWARE", "Contoso", r"HKLM\SOFTWARE\Contoso"),
        ("HKEY_CLASSES_ROOT", r"CLSID\{1}", r"'HKCR\CLSID\{1}'"),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes", r"CLSID\x", r"HKLM\SOFTWARE\Classes\CLSID\x"),
        (r"HKEY_CURRENT_USER\Software\Classes", r"Interface\x", r"HKCU\Software\Classes\Interface\x"),
    ] {
        both(&format!(r"{root}\{below}"), &format!(r"{root}\Wow6432Node\{below}"), key);
    }
    // Two names of the 32-bit key are one key. A key that the views share has no 32-bit variant.
    let text = rules(
        "[HKEY_CLASSES_ROOT\\Wow6432Node\\CLSID\\x]\n\"a\"=dword:1\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\Wow6432Node\\CLSID\\x]\n\"b\"=dword:1\n",
    );
    assert_eq!(text.matches("- key:").count(), 1, "{text}");
    assert!(text.starts_with("  - key: HKCR\\CLSID\\x\n    view: 32\n"), "{text}");
}

#[test]
fn a_key_that_is_deleted_and_made_again_holds_nothing_else() {
    let text = rules(
        r#"[HKEY_LOCAL_MACHINE\SOFTWARE\A]
"before"=dword:1
[-HKEY_LOCAL_MACHINE\SOFTWARE\A]
[HKEY_LOCAL_MACHINE\SOFTWARE\A\B\C]
"c"=dword:1
[HKEY_LOCAL_MACHINE\SOFTWARE\A]
"a"=dword:1
"gone"=-
[HKEY_LOCAL_MACHINE\SOFTWARE\A\D]
[-HKEY_LOCAL_MACHINE\SOFTWARE\A\D]
[-HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\A]
"#,
    );
    assert_eq!(
        text,
        r"  - key: HKLM\SOFTWARE
    ensure: present
  - key: HKLM\SOFTWARE\A
    exclusive: tree
    values:
      a: { type: REG_DWORD, data: 1 }
  - key: HKLM\SOFTWARE\A\B
    ensure: present
  - key: HKLM\SOFTWARE\A\B\C
    values:
      c: { type: REG_DWORD, data: 1 }
  - key: HKLM\SOFTWARE\A
    view: 32
    ensure: absent
"
    );
    // Classes has two names.
    let text = rules("[-HKEY_CLASSES_ROOT\\X]\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\X]\n");
    assert_eq!(text, "  - key: HKLM\\SOFTWARE\\Classes\\X\n    ensure: present\n    exclusive: tree\n");
    // A deletion in one control set and a creation in another do not concern one key.
    let sets = "[-HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\A]\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\A]\n";
    assert!(codes(sets).contains(&("import-control-set", 4)) && codes(sets).len() == 3, "{:?}", codes(sets));
}

fn warned(body: &str) -> (String, Vec<(&'static str, usize)>) {
    let imported = imported(body);
    let codes = imported.warnings.iter().map(|d| (d.code.as_str(), d.place.as_ref().map_or(0, |p| p.line))).collect();
    (imported.text.split_once("registry:\n").unwrap().1.to_owned(), codes)
}

#[test]
fn what_regedit_takes_is_taken_with_its_meaning() {
    const A: &str = "  - key: HKLM\\SOFTWARE\\A\n    values:\n      a: { type: REG_DWORD, data: 1 }\n";
    let plain = |body: &str, codes: &[(&'static str, usize)]| {
        assert_eq!(warned(body), (A.to_owned(), codes.to_vec()), "{body}");
    };
    plain("[HKEY_LOCAL_MACHINE\\SOFTWARE\\A\\]\n\"a\"=dword:1\n", &[]);
    plain("[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n\"a\"=dword:1\n\u{1a}", &[]);
    plain("[HKEY_LOCAL_MACHINE\\SOFTWARE\\A] the key\n\"a\"=dword:1\n", &[("import-ignored", 3)]);
    let (text, codes) = warned("[-HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n\n\"a\"=-\n\"b\"=dword:1\n");
    assert_eq!(text, "  - key: HKLM\\SOFTWARE\\A\n    ensure: absent\n");
    assert_eq!(codes, [("import-ignored", 5)]);
    // regedit adds a NUL at the end; a list that lacks the second one is written with it, with a warning.
    let key = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n";
    let (text, codes) = warned(&format!(
        "{key}\"e\"=hex(2):41,00,46,00\n\"l\"=hex(7):61,00,00,00,62,00\n\"m\"=hex(7):61,00,00,00\n\"n\"=hex(7):61,00,00,00,00,00\n"
    ));
    let wanted = "      e: { type: REG_EXPAND_SZ, data: AF }\n      l: { type: REG_MULTI_SZ, data: [a, b] }\n      m: { type: REG_MULTI_SZ, data: [a] }\n      \"n\": { type: REG_MULTI_SZ, data: [a] }\n";
    assert!(text.ends_with(wanted), "{text}");
    assert_eq!(codes, [("import-list-end", 5), ("import-list-end", 6)]);
    assert_eq!(self::codes(&format!("{key}\"e\"=hex(2):41,00,00,00,42,00\n")), [("import-data", 4)]);
    // A backslash before `n` or `r` is an escape.
    let (text, codes) = warned(&format!("{key}\"a\"=\"C:\\new\\rest\"\n\"b\"=\"C:\\\\new\"\n"));
    assert!(text.contains(r#"a: { type: REG_SZ, data: "C:\new\x0dest" }"#), "{text}");
    assert_eq!(codes, [("import-line-break", 4)]);
}

#[test]
fn lenient_skips_what_regedit_skips_line_by_line() {
    let body = "foo\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n\"a\"=dword:1\n\"b\"=hex:1,\\\nx\n\"c\"=\"C:\\temp\"\n";
    let reading = Reading { lenient: true, ..Reading::default() };
    let imported = import("t.reg", &reg(body), reading, about()).unwrap();
    assert!(imported.text.ends_with("    values:\n      a: { type: REG_DWORD, data: 1 }\n"), "{}", imported.text);
    let found: Vec<_> = imported.warnings.iter().map(|d| (d.code.as_str(), d.severity, &*d.message)).collect();
    let warning = Severity::Warning;
    assert_eq!(
        found,
        [
            (
                "reg-syntax",
                warning,
                "skipped this line, as regedit does: expected a [key], a \"name\"=data, a comment or an empty line, found `foo`"
            ),
            (
                "reg-data",
                warning,
                "skipped lines 6 to 7, as regedit does: expected two hex digits on the continued line, found `x`"
            ),
            ("reg-escape", warning, r#"skipped this line, as regedit does: expected \\ or \", found `\temp"`"#),
        ]
    );
    let errors = import("t.reg", &reg(body), Reading::default(), about()).unwrap_err();
    let hints: Vec<_> = errors.iter().filter_map(|d| d.hint.as_deref()).filter(|h| h.contains("--lenient")).collect();
    assert_eq!((errors.len(), hints.len()), (3, 1));
    let errors = import("t.reg", &reg(&"foo\n".repeat(1001)), reading, about()).unwrap_err();
    let [error] = errors.as_slice() else { panic!("{errors:#?}") };
    let hint = error.hint.as_deref().unwrap();
    assert!(hint.ends_with("; kbfix skips at most 1000 errors of a file, and this is one more"), "{hint}");
}

#[test]
fn a_file_that_one_spec_cannot_say_is_refused_by_the_size_of_the_spec() {
    let body: String = (0..11).map(|n| format!("\"{n}\"=\"{}\"\n", "x".repeat(100_000))).collect();
    let errors =
        import("t.reg", &reg(&format!("[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n{body}")), Reading::default(), about());
    let errors = errors.unwrap_err();
    let [error] = errors.as_slice() else { panic!("{errors:#?}") };
    assert_eq!(error.code, Code::REG_TOO_LARGE);
    assert!(error.message.starts_with("the spec made from this file would have "), "{}", error.message);
    // Before the spec is made of that many.
    let body: String = (0..70_000).map(|n| format!("\"{n}\"=-\n")).collect();
    let errors =
        import("t.reg", &reg(&format!("[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n{body}")), Reading::default(), about());
    let errors = errors.unwrap_err();
    assert!(errors[0].message.contains("would have more than 1048576 bytes"), "{}", errors[0].message);
}

#[test]
fn names_with_a_meaning_in_specs_are_escaped() {
    let text = rules(
        r#"[HKEY_CLASSES_ROOT\*\shell\Contoso]
@="Open"
[-HKEY_LOCAL_MACHINE\SOFTWARE\A\{name}]
[-HKEY_LOCAL_MACHINE\SOFTWARE\A\[*]\[x]\{GUID-1}]
[-HKEY_CLASSES_ROOT\*]
"#,
    );
    assert_eq!(
        text,
        r#"  - key: 'HKLM\SOFTWARE\A\[{]name}'
    ensure: absent
  - key: 'HKLM\SOFTWARE\A\[[][*]]\[x]\{GUID-1}'
    ensure: absent
  - key: 'HKCR\[*]'
    ensure: absent
"#
    );
}

#[test]
fn a_reg_file_is_known_by_its_first_line_in_every_encoding() {
    let utf16 = |text: &str| [vec![0xFF, 0xFE], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat();
    let five = "Windows Registry Editor Version 5.00\r\n";
    for bytes in
        [five.into(), format!("\u{feff}{five}").into_bytes(), utf16(five), b"REGEDIT4\n".to_vec(), utf16("REGEDIT4\n")]
    {
        assert!(Kind::of(&bytes) == Kind::Reg, "{bytes:?}");
    }
    for bytes in [&b""[..], b"kbfix: 1\n", b"REGEDIT", b"Windows Registry", b"\xFF\xFE", b"\xFF\xFEk", b"\n\nREGEDIT4"]
    {
        assert!(Kind::of(bytes) != Kind::Reg, "{bytes:?}");
    }
}

#[test]
fn the_hint_about_a_manifest_can_be_used_for_every_file_name() {
    let findings = import("a b.osc.yaml", b"resources:\n", Reading::default(), about()).unwrap_err();
    assert_eq!(findings[0].hint.as_deref(), Some("`kbfix import --from osconfig FILE` makes a spec from it"));
}
