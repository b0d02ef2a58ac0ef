//! A script imported and applied gives the registry that carrying out the script gives, line by line.

use std::{collections::BTreeMap, fs, path::Path};

use kbfix::{
    apply,
    convert::import::{About, Reading, import},
    format::reg::Document,
    plan::Outcome,
    registry::{Data, KeyPath, ValueName, ValueType, notation},
    spec::{self, Settings, Source},
    targets::{RegTarget, Target},
};
use proptest::prelude::*;

/// The whole registry of the model: each key with its values. Names compare without case, as they print in lower case.
type Registry = BTreeMap<String, BTreeMap<String, Data>>;

#[derive(Debug, Clone)]
enum Step {
    DeleteKey(String),
    Key(String, Vec<(String, Option<Data>)>),
}

fn key() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "A", "b", "on", "0777", "x y", "é", "c.d", "#"]);
    prop::collection::vec(name, 1..4).prop_map(|names| format!("HKEY_LOCAL_MACHINE\\SOFTWARE\\{}", names.join("\\")))
}

fn name() -> impl Strategy<Value = String> {
    let tricky =
        ["", "n", "N", "on", "12", "a: b", "\\\\*\\SYSVOL", "\"q\"", "<<", "~", "{x}", "%s%", "- z", "é", " ", "@ "];
    prop_oneof![4 => prop::sample::select(tricky.to_vec()).prop_map(str::to_owned), 1 => "[ -~]{1,12}"]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["", "on", "1:30", "0x10", "4.1", " a ", "C:\\x", "a\r\nb", "null", "2001-01-01"])
            .prop_map(str::to_owned),
        "[^\u{0}]{0,20}",
    ]
}

fn data() -> impl Strategy<Value = Data> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..60);
    prop_oneof![
        any::<u32>().prop_map(Data::dword),
        any::<u64>().prop_map(Data::qword),
        any::<u32>().prop_map(|n| Data::new(ValueType::DWORD_BIG_ENDIAN, n.to_be_bytes())),
        text().prop_map(|t| Data::sz(&t)),
        text().prop_map(|t| Data::text(ValueType::EXPAND_SZ, &t)),
        prop::collection::vec(text(), 0..4).prop_map(Data::multi_sz),
        bytes().prop_map(|b| Data::new(ValueType::BINARY, b)),
        bytes().prop_map(|b| Data::new(ValueType::NONE, b)),
        bytes().prop_map(|b| Data::new(ValueType::RESOURCE_LIST, b)),
    ]
}

fn steps(deletions: u32, sections: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    let value = (name(), prop_oneof![4 => data().prop_map(Some), deletions => Just(None)]);
    let section = (key(), prop::collection::vec(value, 0..5)).prop_map(|(k, v)| Step::Key(k, v));
    let step = prop_oneof![6 => section, deletions => key().prop_map(Step::DeleteKey)];
    prop::collection::vec(step, sections)
}

/// The text of the steps as a `.reg` file.
fn script(steps: &[Step]) -> Vec<u8> {
    let mut out = String::from("\u{feff}Windows Registry Editor Version 5.00\r\n");
    for step in steps {
        match step {
            Step::DeleteKey(key) => out.push_str(&format!("\r\n[-{key}]\r\n")),
            Step::Key(key, values) => {
                out.push_str(&format!("\r\n[{key}]\r\n"));
                for (name, data) in values {
                    let name = notation::value_name(&ValueName::new(name.clone()).unwrap());
                    let data = data.as_ref().map_or("-".to_owned(), notation::data);
                    out.push_str(&format!("{name}={data}\r\n"));
                }
            }
        }
    }
    out.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// What regedit does with the steps.
fn carry_out(registry: &mut Registry, steps: &[Step]) {
    for step in steps {
        match step {
            Step::DeleteKey(key) => {
                let key = key.to_lowercase();
                registry.retain(|k, _| *k != key && !k.starts_with(&format!("{key}\\")));
            }
            Step::Key(key, values) => {
                let key = key.to_lowercase();
                for (at, _) in key.match_indices('\\') {
                    registry.entry(key[..at].to_owned()).or_default();
                }
                let found = registry.entry(key).or_default();
                for (name, data) in values {
                    match data {
                        Some(data) => drop(found.insert(name.to_lowercase(), data.clone())),
                        None => drop(found.remove(&name.to_lowercase())),
                    }
                }
            }
        }
    }
}

/// The registry that a file holds.
fn read(path: &Path) -> Registry {
    let document = Document::parse(fs::read(path).unwrap(), None).unwrap();
    let mut registry = Registry::new();
    for key in document.keys() {
        for above in std::iter::successors(Some(key.clone()), KeyPath::parent) {
            registry.entry(above.to_long().to_lowercase()).or_default();
        }
        let values = document.values(key).unwrap();
        let values = values.iter().map(|(name, data)| (name.as_str().to_lowercase(), data.unwrap().clone()));
        registry.insert(key.to_long().to_lowercase(), values.collect());
    }
    registry
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn applied_it_gives_what_importing_gives(before in steps(0, 0..6), wanted in steps(1, 1..8)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("machine.reg");
        // The export covers HKLM\SOFTWARE of a 64-bit Windows.
        let software = |below: &str| Step::Key(format!("HKEY_LOCAL_MACHINE\\SOFTWARE{below}"), Vec::new());
        let mut start = vec![software(""), software("\\Wow6432Node")];
        start.extend(before);
        fs::write(&path, script(&start)).unwrap();
        let mut expected = Registry::new();
        carry_out(&mut expected, &start);
        prop_assert_eq!(read(&path), expected.clone());

        let about = About { id: "T", title: "Test", summary: None };
        let imported = import("wanted.reg", &script(&wanted), Reading::default(), about);
        let imported = imported.unwrap_or_else(|findings| panic!("{findings:#?}"));
        carry_out(&mut expected, &wanted);
        let source = Source { name: "spec", bytes: imported.text.as_bytes() };
        let specs = spec::load_all(&[source], &Settings::new()).into_specs();
        let specs = specs.unwrap_or_else(|findings| panic!("{findings:#?}\n{}", imported.text));
        let mut target = RegTarget::open(&path, None, None).unwrap();
        let plan = apply::make_plan(&mut target, &specs).unwrap();
        let changes: Vec<_> = plan.changes().cloned().collect();
        target.write(&changes).unwrap();
        prop_assert_eq!(read(&path), expected, "{}", imported.text);

        let again = apply::make_plan(&mut target, &specs).unwrap();
        prop_assert_eq!(again.outcome(), Outcome::InDesiredState);
    }
}
