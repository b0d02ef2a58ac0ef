//! A model of what regedit does with a `.reg` file: which keys and values exist after the import.
//!
//! The rules come from Wine's conformance tests of `reg import`, which pass on Windows. reg_exe.rs checks them with
//! `reg.exe` itself.

use std::{collections::BTreeMap, fs, path::Path};

use kbfix::{
    format::reg::Document,
    registry::{Data, KeyPath, ValueName, ValueType, notation},
};
use proptest::prelude::*;

/// The whole registry: each key with its values. Names are in lower case, so that case is ignored.
pub(crate) type Registry = BTreeMap<String, BTreeMap<String, Data>>;

/// A section of a file.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) key: String,
    pub(crate) deletes: bool,
    /// The text after the key: backslashes before the `]`, and text after it.
    pub(crate) after: (&'static str, &'static str),
    pub(crate) values: Vec<(String, Option<Data>)>,
}

/// The parent keys of the test keys: both views, the machine's classes under both names, and a user's own keys and
/// classes.
pub(crate) const PLACES: [&str; 10] = [
    r"HKEY_LOCAL_MACHINE\SOFTWARE\kbfix-test-model",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\kbfix-test-model",
    r"HKEY_CLASSES_ROOT\kbfix-test-model",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\kbfix-test-model",
    r"HKEY_CLASSES_ROOT\CLSID\kbfix-test-model",
    r"HKEY_CLASSES_ROOT\Wow6432Node\CLSID\kbfix-test-model",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\Wow6432Node\CLSID\kbfix-test-model",
    r"HKEY_CURRENT_USER\Software\kbfix-test-model",
    r"HKEY_CURRENT_USER\Software\Classes\CLSID\kbfix-test-model-user",
    r"HKEY_CURRENT_USER\Software\Classes\Wow6432Node\CLSID\kbfix-test-model-user",
];

fn key() -> impl Strategy<Value = String> {
    let names = ["a", "A", "b", "on", "0777", "x y", "é", "c.d", "#", "*", "{x}", "[*]", "x]y", "{GUID-1}", "a*"];
    let below = prop::collection::vec(prop::sample::select(names.to_vec()), 0..4);
    let place = prop::sample::select(PLACES.to_vec());
    (place, below)
        .prop_map(|(place, names)| names.iter().fold(format!(r"{place}\0"), |key, name| format!(r"{key}\{name}")))
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
    let units = |text: String| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    prop_oneof![
        any::<u32>().prop_map(Data::dword),
        any::<u64>().prop_map(Data::qword),
        any::<u32>().prop_map(|n| Data::new(ValueType::DWORD_BIG_ENDIAN, n.to_be_bytes())),
        text().prop_map(|t| Data::sz(&t)),
        text().prop_map(|t| Data::text(ValueType::EXPAND_SZ, &t)),
        // A string without a NUL at the end.
        "[a-z%]{1,5}".prop_map(move |t| Data::new(ValueType::EXPAND_SZ, units(t))),
        prop::collection::vec(text(), 0..4).prop_map(Data::multi_sz),
        bytes().prop_map(|b| Data::new(ValueType::BINARY, b)),
        bytes().prop_map(|b| Data::new(ValueType::NONE, b)),
        bytes().prop_map(|b| Data::new(ValueType::RESOURCE_LIST, b)),
    ]
}

/// Generates the sections of a file. `deletions` sections delete a key for every six that do not.
pub(crate) fn sections(deletions: u32, count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Section>> {
    let value = (name(), prop_oneof![4 => data().prop_map(Some), deletions.min(1) => Just(None)]);
    let after =
        prop::sample::select(vec![("", ""), ("", ""), ("", ""), ("\\", ""), ("\\\\", " ; c"), ("", " the key")]);
    let section =
        (key(), prop_oneof![6 => Just(false), deletions => Just(true)], after, prop::collection::vec(value, 0..4));
    let section = section.prop_map(|(key, deletes, after, values)| Section { key, deletes, after, values });
    prop::collection::vec(section, count)
}

/// Returns the sections as a `.reg` file.
pub(crate) fn file(sections: &[Section]) -> Vec<u8> {
    let mut out = String::from("\u{feff}Windows Registry Editor Version 5.00\r\n");
    for Section { key, deletes, after: (slashes, text), values } in sections {
        out.push_str(&format!("\r\n[{}{key}{slashes}]{text}\r\n", if *deletes { "-" } else { "" }));
        for (name, data) in values {
            let name = notation::value_name(&ValueName::new(name.clone()).unwrap());
            let data = data.as_ref().map_or("-".to_owned(), notation::data);
            out.push_str(&format!("{name}={data}\r\n"));
        }
    }
    out.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Changes the registry as regedit does when it imports the sections.
pub(crate) fn carry_out(registry: &mut Registry, sections: &[Section]) {
    for Section { key, deletes, values, .. } in sections {
        let key = key.to_lowercase();
        let key = match key.strip_prefix("hkey_classes_root") {
            Some(below) => format!(r"hkey_local_machine\software\classes{below}"),
            None => key,
        };
        if *deletes {
            // The values below it are ignored.
            registry.retain(|k, _| *k != key && !k.starts_with(&format!("{key}\\")));
            continue;
        }
        for (at, _) in key.match_indices('\\') {
            registry.entry(key[..at].to_owned()).or_default();
        }
        let found = registry.entry(key).or_default();
        for (name, data) in values {
            match data {
                Some(data) => drop(found.insert(name.to_lowercase(), stored(data))),
                None => drop(found.remove(&name.to_lowercase())),
            }
        }
    }
}

/// Returns the data as regedit writes it: with a NUL at the end of a REG_EXPAND_SZ or REG_MULTI_SZ.
fn stored(data: &Data) -> Data {
    let text = [ValueType::EXPAND_SZ, ValueType::MULTI_SZ].contains(&data.value_type);
    let ended = data.bytes.is_empty() || data.bytes.ends_with(&[0, 0]);
    if text && !ended { Data::new(data.value_type, [data.bytes.as_slice(), &[0, 0]].concat()) } else { data.clone() }
}

/// Returns the registry as the sections of an export.
pub(crate) fn export(registry: &Registry) -> Vec<Section> {
    let values = |values: &BTreeMap<String, Data>| values.iter().map(|(n, d)| (n.clone(), Some(d.clone()))).collect();
    let section = |(key, found): (&String, _)| Section {
        key: key.clone(),
        deletes: false,
        after: ("", ""),
        values: values(found),
    };
    registry.iter().map(section).collect()
}

/// Reads the registry from an export.
pub(crate) fn read(path: &Path) -> Registry {
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
