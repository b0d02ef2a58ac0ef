//! Tests the import of policies: the spec says what the policy does, and an exported spec comes back.

use std::collections::BTreeMap;

use kbfix::{
    convert::{
        export,
        import::{About, Reading, import},
    },
    format::pol::{Document, Setting},
    registry::{Data, KeyPath, RootKey, ValueName, ValueType, notation},
    spec::{
        self, Spec,
        document::Exclusive,
        model::{Desired, DesiredKey, KeyRule},
    },
};

use super::{KEYS, NAMES, Numbers, file, parse};

fn spec_of(text: &str) -> Spec {
    let loaded = spec::load("t.yaml", text.as_bytes(), &spec::Settings::new());
    loaded.spec.unwrap_or_else(|| panic!("{:#?}\n{text}", loaded.diagnostics))
}

/// Returns the spec that is made from the bytes of a policy; `None` if the policy sets nothing.
fn imported(bytes: &[u8], of_users: bool) -> Option<Spec> {
    let about = About { id: "T", title: "t", summary: None };
    match import("t", bytes, Reading { root: of_users.then_some(RootKey::Hkcu), ..Reading::default() }, about) {
        Ok(imported) => Some(spec_of(&imported.text)),
        Err(findings) if findings.iter().all(|finding| finding.code.as_str() == "nothing-desired") => None,
        Err(findings) => panic!("{findings:#?}"),
    }
}

/// What a spec says about one key, in a form in which equal states are equal.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    /// Whether the key must exist, unless a value with data requires that already.
    must_exist: bool,
    is_absent: bool,
    exclusive: bool,
    /// The data of each value; `None` for one that is absent.
    values: BTreeMap<ValueName, Option<Data>>,
}

fn said(spec: &Spec) -> BTreeMap<String, Said> {
    let each = |rule: &KeyRule| {
        let exclusive = rule.exclusive == Some(Exclusive::Values);
        let mut values: BTreeMap<ValueName, Option<Data>> = BTreeMap::new();
        for value in rule.values() {
            let data = match &value.desired {
                Desired::Absent => None,
                Desired::OneOf(all) if all.len() == 1 && value.when.is_none() => Some(all[0].clone()),
                other => panic!("{other:?}"),
            };
            values.insert(value.name.clone(), data);
        }
        if exclusive {
            values.retain(|_, data| data.is_some());
        }
        let has_data = values.values().any(Option::is_some);
        let must_exist = rule.must_exist && rule.when.is_none() && !has_data;
        let is_absent = matches!(rule.desired, DesiredKey::Absent(_));
        (rule.key.to_string().to_lowercase(), Said { must_exist, is_absent, exclusive, values })
    };
    spec.rules.iter().map(each).collect()
}

/// Returns a random spec that a policy can express, for HKLM or for HKCU. Without `for_text`, the spec may contain what
/// only a policy file can express.
fn spec_text(numbers: &mut Numbers, root: &str, for_text: bool) -> String {
    const TEXTS: [&str; 8] = ["", "text", r"\\server\share", r"C:\0\\", "[a;b]", "é 漢", "**x", "a: #"];
    let quoted = |text: &str| format!("'{text}'");
    let mut out = "kbfix: 1\nid: T\ntitle: t\nregistry:\n".to_owned();
    for key in 0..1 + numbers.below(4) {
        out += &format!("  - key: '{root}\\Software\\Policies\\Key {key}'\n");
        if numbers.below(5) == 0 {
            out += "    ensure: absent\n";
            continue;
        }
        if numbers.below(3) == 0 {
            out += "    exclusive: true\n";
        }
        let count = numbers.below(4);
        if count == 0 || numbers.below(3) == 0 {
            out += "    ensure: present\n";
        }
        if count > 0 {
            out += "    values:\n";
        }
        let names = ["", "Name", "a;b", r"\\*\SYSVOL", "[x]", "é"];
        let first = numbers.below(names.len());
        for name in 0..count {
            let text = |numbers: &mut Numbers| quoted(TEXTS[numbers.below(TEXTS.len())]);
            let rule = match numbers.below(8) {
                0 => "ensure: absent".to_owned(),
                1 => format!("type: REG_DWORD, data: {}", numbers.below(1 << 31)),
                2 => format!("type: REG_QWORD, data: {}", numbers.below(1 << 31) << 20),
                3 => format!("type: REG_SZ, data: {}", text(numbers)),
                4 => format!("type: REG_EXPAND_SZ, data: {}", text(numbers)),
                5 => {
                    let list: Vec<String> =
                        (0..numbers.below(3)).map(|_| quoted(TEXTS[1 + numbers.below(TEXTS.len() - 1)])).collect();
                    format!("type: REG_MULTI_SZ, data: [{}]", list.join(", "))
                }
                6 if !for_text => format!("type: REG_DWORD_BIG_ENDIAN, data: {}", numbers.below(1 << 31)),
                _ => {
                    let bytes: Vec<u8> = (0..numbers.below(5)).map(|_| numbers.below(256) as u8).collect();
                    format!("type: REG_BINARY, data: '{}'", notation::hex_digits(&bytes))
                }
            };
            out += &format!("      {}: {{ {rule} }}\n", quoted(names[(first + name) % names.len()]));
        }
    }
    out
}

#[test]
fn what_export_writes_comes_back_as_the_same_desired_state() {
    let mut numbers = Numbers(0x90_9094);
    for round in 0..2_000 {
        let of_users = numbers.below(4) == 0;
        let root = if of_users { "HKCU" } else { "HKLM" };
        let for_text = round % 2 == 0;
        let text = spec_text(&mut numbers, root, for_text);
        let spec = [spec_of(&text)];
        let export = if for_text { export::lgpo(&spec) } else { export::pol(&spec) };
        assert!(export.losses.is_empty(), "{:?}\n{text}", export.losses);
        let back = imported(&export.bytes, of_users).unwrap();
        assert_eq!(said(&back), said(&spec[0]), "{text}");
    }
}

/// Returns what a spec says about a value as a policy file expresses it: the kind of the setting, and its data.
fn setting(spec: &Spec, key: &KeyPath, name: &ValueName) -> (&'static str, Option<Data>) {
    let is_it = |rule: &&KeyRule| rule.key.path().as_ref() == Some(key);
    let above = |rule: &KeyRule| rule.key.path().is_some_and(|path| key.is_within(&path) && path != *key);
    let gone_above = spec.rules.iter().any(|rule| {
        above(rule) && (matches!(rule.desired, DesiredKey::Absent(_)) || rule.exclusive == Some(Exclusive::Tree))
    });
    let Some(rule) = spec.rules.iter().find(is_it) else {
        return (if gone_above { "deleted" } else { "nothing" }, None);
    };
    let others = gone_above || rule.exclusive.is_some() || matches!(rule.desired, DesiredKey::Absent(_));
    match rule.values().iter().find(|value| value.name == *name) {
        None => (if others { "deleted" } else { "nothing" }, None),
        Some(value) => match &value.desired {
            Desired::Absent => ("deleted", None),
            Desired::OneOf(all) => (if value.when.is_some() { "soft" } else { "data" }, Some(all[0].clone())),
            other => panic!("{other:?}"),
        },
    }
}

/// Returns a file in which one of the entries deletes keys.
fn with_deleted_keys(numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = file(numbers);
    let mut more = file(numbers).split_off(8);
    for _ in 0..numbers.below(2) {
        let text = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let data = Data::sz(["One", "Two Words;One", "Other"][numbers.below(3)]);
        bytes.extend(text("[Software\\Policies\0;**DeleteKeys\0;"));
        bytes.extend(ValueType::SZ.0.to_le_bytes());
        bytes.extend(text(";"));
        bytes.extend((data.bytes.len() as u32).to_le_bytes());
        bytes.extend([text(";"), data.bytes, text("]")].concat());
    }
    bytes.append(&mut more);
    bytes
}

#[test]
fn a_spec_says_of_each_value_what_the_policy_file_does() {
    let mut numbers = Numbers(12);
    let mut seen = BTreeMap::<&str, usize>::new();
    for _ in 0..2_000 {
        let bytes = with_deleted_keys(&mut numbers);
        let document: Document = parse(&bytes);
        let spec = imported(&bytes, false);
        for key in KEYS {
            let key = KeyPath::from_parts(RootKey::Hklm, key).unwrap();
            for name in NAMES {
                let name = ValueName::new(name).unwrap();
                let expected = match document.value(&key, &name) {
                    Setting::Data(data) => ("data", Some(data.clone())),
                    Setting::Soft(data) => ("soft", Some(data.clone())),
                    Setting::Deleted => ("deleted", None),
                    Setting::Nothing => ("nothing", None),
                };
                *seen.entry(expected.0).or_default() += 1;
                let found = spec.as_ref().map_or(("nothing", None), |spec| setting(spec, &key, &name));
                assert_eq!(found, expected, "{key} {name}\n{:#?}", spec.map(|spec| spec.rules));
            }
            let rule =
                spec.as_ref().and_then(|spec| spec.rules.iter().find(|rule| rule.key.path().as_ref() == Some(&key)));
            let must_exist = rule.is_some_and(|rule| {
                let has_data = rule.values().iter().any(|value| value.desired != Desired::Absent);
                rule.when.is_none() && (rule.must_exist || has_data)
            });
            assert_eq!(must_exist, document.key(&key).present, "{key}\n{:#?}", spec.map(|spec| spec.rules));
        }
    }
    assert!(seen.len() == 4 && seen.values().all(|count| *count > 200), "{seen:?}");
}
