//! Compares the editor with a simple model. proptest chooses and shrinks the edits.

use std::collections::BTreeMap;

use kbfix::{
    format::regf::{Filetime, Hive},
    registry::{Data, ValueType, name},
};
use proptest::{collection::vec, prelude::*};

#[derive(Debug, Clone)]
enum Edit {
    Create(Vec<u8>),
    Delete(Vec<u8>),
    DeleteTree(Vec<u8>),
    Set(Vec<u8>, u8, u32, usize),
    DeleteValue(Vec<u8>, u8),
    Save,
}

/// Few names, so that edits are often about the same key.
const NAMES: [&str; 8] = ["a", "B", "Ä", "ä", "ключ", "Ключ", "😀", "a longer name than the others"];

fn path() -> impl Strategy<Value = Vec<u8>> {
    vec(0..NAMES.len() as u8, 0..4)
}

fn edit() -> impl Strategy<Value = Edit> {
    let len = prop_oneof![0..9_usize, 0..300_usize, 16_340..16_350_usize, Just(33_000_usize), Just(70_000_usize)];
    prop_oneof![
        4 => path().prop_map(Edit::Create),
        2 => path().prop_map(Edit::Delete),
        1 => path().prop_map(Edit::DeleteTree),
        6 => (path(), 0..NAMES.len() as u8, 0..4_u32, len).prop_map(|(p, n, t, l)| Edit::Set(p, n, t, l)),
        3 => (path(), 0..NAMES.len() as u8).prop_map(|(p, n)| Edit::DeleteValue(p, n)),
        1 => Just(Edit::Save),
    ]
}

fn upper(text: &str) -> String {
    String::from_utf16(&text.encode_utf16().map(name::upcase).collect::<Vec<_>>()).unwrap()
}

fn joined(path: &[u8]) -> String {
    path.iter().map(|i| NAMES[usize::from(*i)]).collect::<Vec<_>>().join("\\")
}

type Keys = BTreeMap<String, BTreeMap<String, Data>>;

fn read(hive: &Hive) -> Keys {
    let dump = super::support::dump(hive);
    let values = |values: Vec<(String, Data)>| values.into_iter().map(|(name, data)| (upper(&name), data)).collect();
    dump.into_iter().map(|(path, key)| (upper(&path), values(key.values))).collect()
}

fn is_below(path: &str, key: &str) -> bool {
    key.strip_prefix(path).is_some_and(|rest| rest.starts_with('\\'))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn edits_do_what_the_model_does(edits in vec(edit(), 1..60)) {
        let now = Filetime(0x01DB_0000_0000_0000);
        let mut hive = Hive::create(now).unwrap();
        let mut keys = Keys::from([(String::new(), BTreeMap::new())]);
        for edit in edits {
            let mut editor = hive.edit(now).unwrap();
            match edit {
                Edit::Create(path) => {
                    let existed = keys.contains_key(&upper(&joined(&path)));
                    for end in 1..=path.len() {
                        keys.entry(upper(&joined(&path[..end]))).or_default();
                    }
                    prop_assert_eq!(editor.create_key(&joined(&path)), Ok(!existed));
                }
                Edit::Delete(path) | Edit::DeleteTree(path) if path.is_empty() => {
                    prop_assert!(editor.delete_tree("").is_err());
                }
                Edit::Delete(path) => {
                    let key = upper(&joined(&path));
                    if keys.keys().any(|k| is_below(&key, k)) {
                        prop_assert!(editor.delete_key(&joined(&path)).is_err());
                    } else {
                        prop_assert_eq!(editor.delete_key(&joined(&path)), Ok(keys.remove(&key).is_some()));
                    }
                }
                Edit::DeleteTree(path) => {
                    let key = upper(&joined(&path));
                    let existed = keys.remove(&key).is_some();
                    keys.retain(|k, _| !is_below(&key, k));
                    prop_assert_eq!(editor.delete_tree(&joined(&path)), Ok(existed));
                }
                Edit::Set(path, name, kind, len) => {
                    let data = Data::new(ValueType(kind), vec![len as u8; len]);
                    let done = editor.set_value(&joined(&path), NAMES[usize::from(name)], &data);
                    match keys.get_mut(&upper(&joined(&path))) {
                        None => prop_assert!(done.is_err()),
                        Some(values) => {
                            let old = values.insert(upper(NAMES[usize::from(name)]), data.clone());
                            prop_assert_eq!(done, Ok(old != Some(data)));
                        }
                    }
                }
                Edit::DeleteValue(path, name) => {
                    let done = editor.delete_value(&joined(&path), NAMES[usize::from(name)]);
                    match keys.get_mut(&upper(&joined(&path))) {
                        None => prop_assert!(done.is_err()),
                        Some(values) => prop_assert_eq!(done, Ok(values.remove(&upper(NAMES[usize::from(name)])).is_some())),
                    }
                }
                Edit::Save => {
                    drop(editor);
                    let bytes = hive.to_bytes(now).unwrap();
                    hive = Hive::open(bytes, &[]).unwrap();
                }
            }
        }
        prop_assert_eq!(hive.check(), []);
        prop_assert_eq!(read(&hive), keys);
    }
}
