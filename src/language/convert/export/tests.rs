use crate::{
    format::reg::Document,
    registry::Data,
    spec::{self, Settings, Spec},
};

use super::*;

fn spec(registry: &str) -> Spec {
    let yaml = format!("kbfix: 1\nid: T\ntitle: Test\nregistry:\n{registry}");
    let loaded = spec::load("test.yaml", yaml.as_bytes(), &Settings::new());
    loaded.spec.unwrap_or_else(|| panic!("{:#?}\n{yaml}", loaded.diagnostics))
}

/// Rules with seven types, the default value, an absent value, an absent key, and a key without values.
const PLAIN: &str = r#"
  - key: HKLM\SOFTWARE\T
    values:
      "": { type: REG_SZ, data: "it's [x] {{ y }}" }
      d: { type: REG_DWORD, data: 0xFFFFFFFF }
      q: { type: REG_QWORD, data: 0xFFFFFFFFFFFFFFFF }
      m: { type: REG_MULTI_SZ, data: ["[a]", "", "b: c"] }
      e: { type: REG_EXPAND_SZ, data: '%SystemRoot%\x' }
      b: { type: REG_BINARY, data: "01 ff" }
      "n": { type: REG_NONE, data: "" }
      '\\*\SYSVOL': { type: REG_SZ, data: "on" }
      gone: { ensure: absent }
  - { key: HKLM\SOFTWARE\T\Old, ensure: absent }
  - { key: HKLM\SOFTWARE\T\New, ensure: present }
"#;

#[test]
fn a_reg_file_says_every_plain_value() {
    let export = reg(&[spec(PLAIN)]).unwrap();
    assert_eq!(export.losses, []);
    let document = Document::parse(export.bytes, None).unwrap();
    let heads: Vec<_> = document.sections().map(|s| (s.key().unwrap().to_string(), s.deletes())).collect();
    let head = |key: &str, deletes| (format!(r"HKLM\SOFTWARE\T{key}"), deletes);
    assert_eq!(heads, [head(r"\Old", true), head("", false), head(r"\New", false)]);
    let values = document.values(&r"HKLM\SOFTWARE\T".parse().unwrap()).unwrap();
    assert_eq!(values.iter().count(), 8);
    let q = values.get(&crate::registry::ValueName::new("Q").unwrap()).unwrap().unwrap();
    assert_eq!(*q, Data::qword(u64::MAX));
}

#[test]
fn a_dsc_document_says_every_plain_value() {
    let export = dsc(&[spec(PLAIN)]);
    assert_eq!(export.losses, []);
    let text = String::from_utf8(export.bytes).unwrap();
    let value: serde_json::Value = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(value["$schema"], "https://aka.ms/dsc/schemas/v3/bundled/config/document.json");
    let resources = value["resources"].as_array().unwrap();
    assert_eq!(resources.len(), 11);
    let names: std::collections::BTreeSet<_> = resources.iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 11);
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ')));
    let data = |name: &str| {
        let found = resources.iter().find(|r| r["properties"]["valueName"] == name).unwrap();
        found["properties"]["valueData"].clone()
    };
    assert_eq!(data(""), serde_json::json!({ "String": "it's [x] {{ y }}" }));
    assert_eq!(data("d"), serde_json::json!({ "DWord": u32::MAX }));
    assert_eq!(data("q"), serde_json::json!({ "QWord": u64::MAX }));
    assert_eq!(data("m"), serde_json::json!({ "MultiString": ["[[a]", "", "b: c"] }));
    assert_eq!(data("e"), serde_json::json!({ "ExpandString": "%SystemRoot%\\x" }));
    assert_eq!(data("b"), serde_json::json!({ "Binary": [1, 255] }));
    assert_eq!(data("n"), "None");
    assert_eq!(data("\\\\*\\SYSVOL"), serde_json::json!({ "String": "on" }));
    let gone = resources.iter().find(|r| r["properties"]["valueName"] == "gone").unwrap();
    assert_eq!(gone["properties"]["_exist"], false);
    assert_eq!(resources[0]["properties"], serde_json::json!({ "_exist": false, "keyPath": "HKLM\\SOFTWARE\\T\\Old" }));
}

#[test]
fn tasks_say_every_plain_value() {
    let export = win_regedit(&[spec(PLAIN)]);
    assert_eq!(export.losses, []);
    let text = String::from_utf8(export.bytes).unwrap();
    let tasks: Vec<serde_yaml::Value> = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(tasks.len(), 11);
    assert!(text.contains("data: !unsafe \"it's [x] {{ y }}\"\n    type: string"), "{text}");
    assert!(text.contains("data: 4294967295\n    type: dword"), "{text}");
    assert!(text.contains("data: \"18446744073709551615\"\n    type: qword"), "{text}");
    assert!(text.contains("data: \"hex:01,ff\"\n    type: binary"), "{text}");
    assert!(text.contains("name: \"\\\\\\\\*\\\\SYSVOL\"\n"), "{text}");
}

#[test]
fn long_text_is_broken_and_read_back() {
    for text in ["a".repeat(1000), format!("x{}", " ".repeat(400)), "\\\"\n\t é{{".repeat(60)] {
        let registry = format!(
            "  - key: HKLM\\SOFTWARE\\T\n    values:\n      v: {{ type: REG_SZ, data: {} }}\n",
            serde_json::to_string(&text).unwrap()
        );
        let exported = String::from_utf8(win_regedit(&[spec(&registry)]).bytes).unwrap();
        assert!(exported.lines().all(|line| line.chars().count() <= 160), "{exported}");
        let plain = exported.replace("!unsafe ", "");
        let tasks: serde_json::Value = serde_yaml::from_str(&plain).unwrap_or_else(|e| panic!("{e}\n{plain}"));
        assert_eq!(tasks[0]["ansible.windows.win_regedit"]["data"], text);
    }
}

#[test]
fn what_a_format_cannot_say_is_told() {
    let lossy = r#"
  - key: HKLM\SOFTWARE\T
    values:
      bits: { type: REG_DWORD, bits: { set: 4 } }
      list: { type: REG_MULTI_SZ, list: { add: [a] } }
      joined: { type: REG_SZ, list: { add: [a], separator: ";" } }
      part: { type: REG_SZ, replace: { pattern: old|new, with: new }, id: T-1 }
      but: { type: REG_DWORD, data: 1, keep: { not: [0] } }
      set: { type: REG_SZ, data: "a,b", compare: comma_set }
      any: { type: [REG_DWORD, REG_SZ], data: "1" }
      keep: { type: REG_DWORD, data: 3, keep: { at_least: 3, at_most: 5 } }
      if: { type: REG_DWORD, data: 0, if_absent: 0 }
      when: { type: REG_DWORD, data: 0, when: { os: { at_least: "6.1" } } }
      big: { type: REG_DWORD_BIG_ENDIAN, data: 1 }
      none: { type: REG_NONE, data: "01" }
      empty: { type: REG_MULTI_SZ, data: [] }
      "": { type: REG_DWORD, data: 1 }
  - key: HKLM\SOFTWARE\T\*
    values: { x: { type: REG_DWORD, data: 1 } }
  - key: HKCU\Software\T
    values: { x: { type: REG_DWORD, data: 1 } }
  - key: HKLM\SOFTWARE\U
    view: 32
    values: { x: { ensure: absent } }
  - { key: HKLM\SOFTWARE\V, ensure: absent, on_subkeys: refuse }
  - key: HKLM\SOFTWARE\W
    trigger: { done_when: { registry: { key: HKLM\SOFTWARE\W, name: done } } }
    values: { x: { type: REG_DWORD, data: 1 } }
manual_steps: [{ what: Restart the phone. }]
"#;
    let spec = [spec(lossy)];
    let all = |export: Export| export.losses.iter().map(|l| l.what.clone()).collect::<Vec<_>>();
    let kept = "\"keep\": the file replaces data that the spec keeps (from 3 to 5)";
    let common = [
        "32-bit view",
        "\"any\"",
        "\"bits\"",
        "\"if\"",
        kept,
        "\"list\"",
        "\"joined\": left out",
        "\"part\": left out: replacing the one match of \"old|new\" in the existing string with \"new\"",
        "\"but\": the file replaces data that the spec keeps (anything but dword:00000000)",
        "HKLM\\SOFTWARE\\W: left out: the rule is a trigger",
        "a step to do by hand is left out: after the changes: Restart the phone.",
        "ids, severities and controls",
        "\"set\"",
        "\"when\"",
        "`*`",
        "each user",
        "deletes the key with its subkeys",
    ];
    let also = |own: &[&'static str]| [&common[..], own].concat();
    for (losses, words) in [
        (all(reg(&spec).unwrap()), also(&["creates the key if it is missing"])),
        (all(dsc(&spec)), also(&["\"big\"", "\"none\""])),
        (all(win_regedit(&spec)), also(&["@", "\"big\"", "\"empty\""])),
    ] {
        assert_eq!(losses.len(), words.len(), "{losses:#?}");
        for word in words {
            assert!(losses.iter().any(|loss| loss.contains(word)), "{word}: {losses:#?}");
        }
    }
    let text = String::from_utf8(dsc(&spec).bytes).unwrap();
    assert!(text.contains("notExpressed") && text.contains("# - T: "), "{text}");
}

#[test]
fn a_reg_file_of_both_views_is_imported_as_both() {
    let bytes = spec::library::find("CVE-2013-3900").unwrap();
    let spec = spec::load("CVE-2013-3900", bytes, &Settings::new()).spec.unwrap();
    let about = crate::convert::import::About { id: "T", title: "Test", summary: None };
    let imported = crate::convert::import::import(
        "t.reg",
        &reg(std::slice::from_ref(&spec)).unwrap().bytes,
        Default::default(),
        about,
    )
    .unwrap();
    let again = spec::load("t", imported.text.as_bytes(), &Settings::new()).spec.unwrap();
    let keys = |spec: &Spec| spec.rules.iter().map(|rule| rule.key.to_string()).collect::<Vec<_>>();
    assert_eq!(keys(&again), keys(&spec));
    assert_eq!(keys(&spec).iter().filter(|key| key.ends_with("[32-bit view]")).count(), 1, "{:?}", keys(&spec));
}

#[test]
fn a_key_that_holds_nothing_else_is_deleted_first_where_nothing_is_left_out() {
    let of = |below: &str| {
        format!(
            "  - key: HKLM\\SOFTWARE\\T\\b\n    values: {{ {below} }}\n  - {{ key: HKLM\\SOFTWARE\\T, exclusive: tree }}\n"
        )
    };
    let plain = [spec(&of("v: { type: REG_DWORD, data: 1 }"))];
    let export = reg(&plain).unwrap();
    let losses: Vec<_> = export.losses.iter().map(|loss| &*loss.what).collect();
    assert_eq!(
        losses,
        [r"HKLM\SOFTWARE\T: the file deletes the key and creates it again, which changes its permissions"]
    );
    let document = Document::parse(export.bytes, None).unwrap();
    let heads: Vec<_> = document.sections().map(|s| (s.key().unwrap().to_string(), s.deletes())).collect();
    let head = |key: &str, deletes| (format!(r"HKLM\SOFTWARE\T{key}"), deletes);
    assert_eq!(heads, [head("", true), head(r"\b", false), head("", false)]);
    // The strings that the list keeps would be deleted with the key.
    let list = [spec(&of("v: { list: { add: [a] } }"))];
    let stays = r"HKLM\SOFTWARE\T: other values and subkeys in the key stay, although the spec deletes them";
    for losses in [reg(&list).unwrap().losses, dsc(&plain).losses, win_regedit(&plain).losses] {
        assert!(losses.iter().any(|loss| loss.what == stays), "{losses:#?}");
    }
    let values = [spec("  - { key: HKLM\\SOFTWARE\\T, exclusive: true }\n")];
    let stays = r"HKLM\SOFTWARE\T: other values in the key stay, although the spec deletes them";
    for losses in [reg(&values).unwrap().losses, dsc(&values).losses, win_regedit(&values).losses] {
        assert!(losses.iter().any(|loss| loss.what == stays), "{losses:#?}");
    }
}

#[test]
fn an_escaped_name_is_exported_as_it_is() {
    let specs = [spec("  - key: 'HKCR\\[*]\\[{]x}'\n    values: { v: { type: REG_DWORD, data: 1 } }\n")];
    let document = Document::parse(reg(&specs).unwrap().bytes, None).unwrap();
    assert_eq!(document.keys().map(ToString::to_string).collect::<Vec<_>>(), [r"HKCR\*\{x}"]);
    for (export, path) in [(dsc(&specs), r"HKCR\*\{x}"), (win_regedit(&specs), r"HKCR:\*\{x}")] {
        assert_eq!(export.losses, []);
        let text = String::from_utf8(export.bytes).unwrap();
        assert!(text.contains(path) || text.contains(&path.replace('\\', r"\\")), "{text}");
    }
}

const POLICY: &str = r#"
  - key: HKLM\SOFTWARE\Policies\T
    exclusive: true
    values:
      d: { type: REG_DWORD, data: 1 }
      gone: { ensure: absent }
  - { key: HKLM\SOFTWARE\Policies\T\None, values: { none: { type: REG_NONE, data: "" } } }
  - { key: HKLM\SOFTWARE\Policies\T\New, ensure: present }
  - { key: HKLM\SOFTWARE\Policies\T\Old, ensure: absent }
  - { key: HKLM\SOFTWARE\Policies\T\Old;er, ensure: absent }
  - { key: HKCU\Software\Policies\T, values: { u: { type: REG_SZ, data: x } } }
"#;

#[test]
fn a_policy_file_sets_and_deletes_values() {
    use crate::{
        format::pol::{Document, Setting},
        registry::{KeyPath, RootKey, ValueName},
    };
    let export = pol(&[spec(POLICY)]);
    let document = Document::parse(export.bytes, RootKey::Hklm).unwrap();
    let key: KeyPath = r"HKLM\SOFTWARE\Policies\T".parse().unwrap();
    let value = |name: &str| document.value(&key, &ValueName::new(name).unwrap());
    assert_eq!(
        (value("d"), value("gone"), value("other")),
        (Setting::Data(&Data::dword(1)), Setting::Deleted, Setting::Deleted)
    );
    assert!(document.key(&r"HKLM\SOFTWARE\Policies\T\New".parse().unwrap()).present);
    assert!(document.key(&r"HKLM\SOFTWARE\Policies\T\Old".parse().unwrap()).key_deleted);
    let lost = export.losses.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for what in [
        r"T\Old;er: left out: a policy file cannot delete the key",
        r#"None "none": left out: a policy file cannot contain the type REG_NONE"#,
        r"HKCU\Software\Policies\T: left out: a policy file is for one",
    ] {
        assert!(lost.contains(what), "{lost}");
    }
    // A user policy is for each user, like HKCU in a spec.
    let user = pol(&[spec("  - { key: HKCU\\Software\\T, values: { u: { type: REG_SZ, data: x } } }\n")]);
    let path: KeyPath = r"HKCU\Software\T".parse().unwrap();
    assert!(user.losses.is_empty(), "{:?}", user.losses);
    let document = Document::parse(user.bytes, RootKey::Hkcu).unwrap();
    assert_eq!(document.value(&path, &ValueName::new("U").unwrap()), Setting::Data(&Data::sz("x")));
}

#[test]
fn the_text_for_lgpo_has_both_configurations() {
    let export = lgpo(&[spec(POLICY)]);
    let units: Vec<u16> = export.bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).unwrap().replace("\r\n", "\n");
    let entries: Vec<&str> = text.split("\n\n").skip(1).filter(|entry| !entry.is_empty()).collect();
    assert_eq!(
        entries,
        [
            "Computer\nSOFTWARE\\Policies\\T\nOld\nDELETEKEYS",
            "Computer\nSOFTWARE\\Policies\\T\n*\nDELETEALLVALUES",
            "Computer\nSOFTWARE\\Policies\\T\nd\nDWORD:1",
            "Computer\nSOFTWARE\\Policies\\T\ngone\nDELETE",
            "Computer\nSOFTWARE\\Policies\\T\\New\n*\nCREATEKEY",
            "User\nSoftware\\Policies\\T\nu\nSZ:x",
        ]
    );
    assert!(text.starts_with("\u{feff}; T: Test\n") && text.contains("; - T: ") && export.losses.len() >= 2, "{text}");
}

#[test]
fn only_sensitive_data_in_the_file_is_reported_as_readable() {
    let secret = "{ type: REG_SZ, data: hunter2, sensitive: true }";
    let rule = |key: &str, name: &str| format!("  - {{ key: {key}, values: {{ {name}: {secret} }} }}\n");
    let read = |export: Export| {
        let secrets = export.losses.into_iter().filter(|loss| loss.is_secret);
        secrets.map(|loss| loss.what.split_once(':').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    let user = spec(&(rule(r"HKLM\SOFTWARE\A", "a") + &rule(r"HKCU\Software\B", "b") + &rule(r"HKCR\C", "c")));
    let (a, b, c) = (r#"HKLM\SOFTWARE\A "a""#, r#"HKCU\Software\B "b""#, r#"HKCR\C "c""#);
    let specs = [user];
    assert_eq!(read(pol(&specs)), [a]);
    assert_eq!(read(lgpo(&specs)), [a, b]);
    assert_eq!(read(reg(&specs).unwrap()), [a, b, c]);
    assert_eq!(read(dsc(&specs)), [a, b, c]);
    // The tasks cannot write an empty list, and the .reg file no name with a line break.
    let lists = "  - key: HKLM\\SOFTWARE\\A\n    values:\n      e: { type: REG_MULTI_SZ, data: [], sensitive: true }\n      \
                 \"x\\ny\": { type: REG_SZ, data: hunter2, sensitive: true }\n";
    let specs = [spec(lists)];
    assert_eq!(read(win_regedit(&specs)), ["HKLM\\SOFTWARE\\A \"x\ny\""]);
    assert_eq!(read(reg(&specs).unwrap()), [r#"HKLM\SOFTWARE\A "e""#]);
    // DSC cannot write a REG_NONE with bytes.
    let link = "  - key: HKLM\\SOFTWARE\\A\n    values: { n: { type: REG_NONE, data: \"01\", sensitive: true } }\n";
    assert_eq!(read(dsc(&[spec(link)])), Vec::<String>::new());
}

#[test]
fn a_policy_deletes_no_value_that_the_spec_keeps() {
    let bits = "{ type: REG_DWORD, bits: { set: 1 } }";
    let number = "{ type: REG_DWORD, data: 1 }";
    let rule = |key: &str, value: &str| format!("  - {{ key: {key}, exclusive: true, values: {{ A: {value} }} }}\n");
    let text = |export: Export| {
        let units: Vec<u16> = export.bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    let key = r"HKLM\SOFTWARE\T";
    for (registry, keeps) in [
        (rule(key, number), false),
        (rule(key, "{ ensure: absent }"), false),
        (rule(key, bits), true),
        (rule(key, "{ list: { add: [a] } }"), true),
        (rule(key, "{ type: REG_DWORD, data: 1, when: { os: { at_least: '6.1' } } }"), true),
        (rule(key, "{ type: REG_NONE, data: '' }"), true),
        (format!("{}  - {{ key: HKLM\\SOFTWARE\\*, values: {{ A: {number} }} }}\n", rule(key, number)), true),
        // What is below the key stays in any case.
        (format!("{}  - {{ key: {key}\\b, values: {{ A: {bits} }} }}\n", rule(key, number)), false),
        // The same key as that of each user, but a policy cannot write it.
        (
            format!(
                "{}  - {{ key: HKU\\S-1-5-21-1-2-3-1001\\Software\\T, values: {{ A: {number} }} }}\n",
                rule(r"HKCU\Software\T", number)
            ),
            true,
        ),
    ] {
        let specs = [spec(&registry)];
        for (deletes, losses) in [
            (text(lgpo(&specs)).contains("DELETEALLVALUES"), lgpo(&specs).losses),
            (text(Export { bytes: pol(&specs).bytes, losses: Vec::new() }).contains("**DelVals."), pol(&specs).losses),
        ] {
            assert_eq!(deletes, !keeps, "{registry}");
            let stays = losses.iter().filter(|loss| loss.what.contains("other values in the key stay")).count();
            assert_eq!(stays, usize::from(keeps), "{registry}: {losses:#?}");
        }
    }
}

#[test]
fn a_reg_file_deletes_no_value_whose_name_it_cannot_contain() {
    let of =
        "  - key: HKLM\\SOFTWARE\\T\n    exclusive: tree\n    values: { \"x\\ny\": { type: REG_DWORD, data: 1 } }\n";
    let export = reg(&[spec(of)]).unwrap();
    let document = Document::parse(export.bytes, None).unwrap();
    assert!(document.sections().all(|section| !section.deletes()));
}
