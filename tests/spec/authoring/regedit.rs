//! What regedit does with a `.reg` file, as a model: which keys and values a text leaves.
//!
//! The rules are those that Wine's conformance tests of `reg import` record, which pass on Windows. Here they are also checked
//! against `reg.exe` itself, where there is one.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::Command,
};

use kbfix::{
    format::reg::Document,
    registry::{Data, KeyPath, ValueName, ValueType, notation},
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

/// The whole registry: each key with its values. Names compare without case, as they print in lower case.
pub(crate) type Registry = BTreeMap<String, BTreeMap<String, Data>>;

/// A section of a file.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) key: String,
    pub(crate) deletes: bool,
    /// What stands after the key: backslashes before its `]`, text after it.
    pub(crate) after: (&'static str, &'static str),
    pub(crate) values: Vec<(String, Option<Data>)>,
}

/// Where the keys are: both views, the machine's classes under both their names, a user's own keys and classes.
const PLACES: [&str; 10] = [
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
        // Without its NUL.
        "[a-z%]{1,5}".prop_map(move |t| Data::new(ValueType::EXPAND_SZ, units(t))),
        prop::collection::vec(text(), 0..4).prop_map(Data::multi_sz),
        bytes().prop_map(|b| Data::new(ValueType::BINARY, b)),
        bytes().prop_map(|b| Data::new(ValueType::NONE, b)),
        bytes().prop_map(|b| Data::new(ValueType::RESOURCE_LIST, b)),
    ]
}

/// Sections of a file, of which so many in ten delete a key.
pub(crate) fn sections(deletions: u32, count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Section>> {
    let value = (name(), prop_oneof![4 => data().prop_map(Some), deletions.min(1) => Just(None)]);
    let after =
        prop::sample::select(vec![("", ""), ("", ""), ("", ""), ("\\", ""), ("\\\\", " ; c"), ("", " the key")]);
    let section =
        (key(), prop_oneof![6 => Just(false), deletions => Just(true)], after, prop::collection::vec(value, 0..4));
    let section = section.prop_map(|(key, deletes, after, values)| Section { key, deletes, after, values });
    prop::collection::vec(section, count)
}

/// The text of the sections as a `.reg` file.
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

/// What regedit does with the sections.
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

/// The data with the NUL that regedit puts at the end of a REG_EXPAND_SZ or REG_MULTI_SZ that has none.
fn stored(data: &Data) -> Data {
    let text = [ValueType::EXPAND_SZ, ValueType::MULTI_SZ].contains(&data.value_type);
    let ended = data.bytes.is_empty() || data.bytes.ends_with(&[0, 0]);
    if text && !ended { Data::new(data.value_type, [data.bytes.as_slice(), &[0, 0]].concat()) } else { data.clone() }
}

/// The registry as the sections of an export.
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

/// The registry that an export holds.
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

/// The model against `reg.exe`: that of this Windows, or Wine's, in the prefix that WINEPREFIX names, since a new one takes half a minute.
#[test]
fn the_model_is_what_reg_exe_does() {
    if cfg!(not(windows))
        && (env::var_os("WINEPREFIX").is_none() || Command::new("wine").arg("--version").output().is_err())
    {
        println!("\nSKIPPED: there is no Wine, or WINEPREFIX names no prefix of it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::deterministic();
    let files = 48;
    let mut registry = Registry::new();
    let mut imports = String::new();
    for number in 0..files {
        let mut sections = sections(3, 1..10).new_tree(&mut runner).unwrap().current();
        for section in &mut sections {
            // Each file has a part of the registry to itself.
            for place in PLACES {
                if let Some(below) = section.key.strip_prefix(&format!(r"{place}\0")) {
                    section.key = format!(r"{place}\{number}{below}");
                }
            }
        }
        // A list of one string without any NUL, with one and with both.
        let key = format!(r"{}\{number}\list", PLACES[0]);
        let list = |nuls: usize| {
            (nuls.to_string(), Some(Data::new(ValueType::MULTI_SZ, [vec![0x61, 0], vec![0; 2 * nuls]].concat())))
        };
        sections.push(Section { key, deletes: false, after: ("", ""), values: (0..3).map(list).collect() });
        let mut bytes = file(&sections);
        if number % 4 == 0 {
            bytes.extend(*b"\x1a\0");
        }
        fs::write(folder.path().join(format!("{number}.reg")), bytes).unwrap();
        imports.push_str(&format!("reg import {number}.reg >nul 2>&1\r\n"));
        carry_out(&mut registry, &sections);
    }
    let own = PLACES.map(|place| place.replace("HKEY_CLASSES_ROOT", r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes"));
    let own: BTreeSet<_> = own.into_iter().collect();
    let delete: String = own.iter().map(|place| format!("reg delete \"{place}\" /f >nul 2>&1\r\n")).collect();
    let mut batch = format!("@echo off\r\n{delete}{imports}");
    for (number, place) in own.iter().enumerate() {
        batch.push_str(&format!("reg export \"{place}\" out{number}.reg /y >nul 2>&1\r\n"));
    }
    batch.push_str(&delete);
    fs::write(folder.path().join("run.bat"), batch).unwrap();
    let mut command = Command::new(if cfg!(windows) { "cmd" } else { "wine" });
    command.args(if cfg!(windows) { [].as_slice() } else { ["cmd"].as_slice() });
    let output = command.args(["/c", "run.bat"]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut found = Registry::new();
    let mut wanted = Registry::new();
    for (number, place) in own.iter().enumerate() {
        let file = folder.path().join(format!("out{number}.reg"));
        let place = place.to_lowercase();
        let within =
            |key: &str| key.strip_prefix(place.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'));
        wanted
            .extend(registry.iter().filter(|(key, _)| within(key)).map(|(key, values)| (key.clone(), values.clone())));
        if file.exists() {
            found.extend(read(&file).into_iter().filter(|(key, _)| within(key)));
        }
    }
    assert!(wanted.len() > 100, "{}", wanted.len());
    for (key, values) in &wanted {
        assert_eq!(found.get(key), Some(values), "{key}");
    }
    let more: Vec<_> = found.keys().filter(|key| !wanted.contains_key(*key)).collect();
    assert!(more.is_empty(), "{more:#?}");
}
