//! Creates scratch keys, and runs `reg.exe` as the independent reader and writer.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Output},
    sync::{Mutex, MutexGuard, PoisonError},
};

use kbfix::{
    registry::{Data, Key, KeyName, RootKey, ValueName, View},
    targets::{
        Answer, ChangeAction, KeyChange, KeyFacts, KeyQuery, Target, ValueChange, ValueSelection, local::LocalTarget,
    },
};

use crate::start::run;

/// Returns a lock for each test that applies to this machine or takes the lock of the machine, because the tests run at
/// the same time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A key below `Software` that is removed, with all below it, when the test ends.
pub(crate) struct Scratch {
    pub(crate) key: Key,
}

impl Scratch {
    /// Creates a key below `HKLM\SOFTWARE`.
    pub(crate) fn machine(test: &str) -> Self {
        Self::new(&format!(r"HKLM\SOFTWARE\kbfix-test-{test}"))
    }

    /// Creates a key below the user's `Software`, named by the SID of the user in HKU.
    pub(crate) fn user(test: &str) -> Self {
        let below = format!(r"Software\kbfix-test-{test}");
        let through_hkcu = Self::new(&format!(r"HKCU\{below}"));
        let users = query(&"HKU".parse().unwrap(), ValueSelection::All, true).known().unwrap().unwrap().subkeys;
        let users = users.unwrap().known().unwrap().unwrap();
        // The key shows which user's hive HKCU is.
        let own: Vec<_> = users.iter().filter(|u| is_there(&key(&format!(r"HKU\{u}\{below}")))).collect();
        assert_eq!(own.len(), 1, "{users:?}");
        let own = key(&format!(r"HKU\{}\{below}", own[0]));
        drop(through_hkcu);
        Self::new(&own.to_string())
    }

    fn new(path: &str) -> Self {
        let key = key(path);
        reg(&["delete", path, "/f"]);
        assert!(!is_there(&key));
        make_key(&key);
        Self { key }
    }

    /// Returns the path of the scratch key for `reg.exe`.
    pub(crate) fn path(&self) -> String {
        self.key.path.to_string()
    }

    /// Returns a key below the scratch key.
    pub(crate) fn below(&self, name: &str) -> Key {
        self.key.child(&KeyName::new(name).unwrap())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        reg(&["delete", &self.path(), "/f"]);
        reg(&["delete", &self.path(), "/f", "/reg:32"]);
    }
}

pub(crate) fn key(path: &str) -> Key {
    path.parse().unwrap()
}

/// Creates a key without any value; `reg add KEY` would set its default value.
pub(crate) fn make_key(key: &Key) {
    let root = match key.path.root() {
        RootKey::Hklm => windows_registry::LOCAL_MACHINE,
        RootKey::Hkcu => windows_registry::CURRENT_USER,
        RootKey::Hku => windows_registry::USERS,
        other => panic!("no scratch keys below {other:?}"),
    };
    root.create(key.path.below_root()).unwrap();
}

pub(crate) fn in_32_bit_view(path: &str) -> Key {
    Key { view: View::Bits32, ..key(path) }
}

pub(crate) fn name(name: &str) -> ValueName {
    ValueName::new(name).unwrap()
}

/// Sends one query to the live registry.
pub(crate) fn query(key: &Key, values: ValueSelection, subkeys: bool) -> Answer<KeyFacts> {
    let query = KeyQuery { key: key.clone(), values, subkeys };
    LocalTarget::new().read_keys(&[query]).unwrap().remove(0)
}

pub(crate) fn is_there(key: &Key) -> bool {
    query(key, ValueSelection::Names(BTreeSet::new()), false).known().unwrap().is_some()
}

/// Reads one value of an existing key.
pub(crate) fn read(key: &Key, value: &str) -> Answer<Data> {
    let wanted = ValueSelection::Names([name(value)].into());
    let facts = query(key, wanted, false).known().unwrap().expect("the key is there");
    assert_eq!(facts.values.len(), 1);
    facts.values.into_iter().next().unwrap().1
}

/// Returns the change of one value from `before` to `after`.
pub(crate) fn value(value: &str, before: Option<Data>, after: Option<Data>) -> ValueChange {
    ValueChange { name: name(value), before, after }
}

pub(crate) fn change(key: &Key, action: ChangeAction, values: impl IntoIterator<Item = ValueChange>) -> KeyChange {
    KeyChange::new(key.clone(), action, values.into_iter().collect())
}

/// Runs `reg.exe`.
pub(crate) fn reg(arguments: &[&str]) -> Output {
    run(Command::new("reg").args(arguments))
}

/// Runs `reg.exe`, which must succeed, and returns its output.
pub(crate) fn reg_ok(arguments: &[&str]) -> String {
    let output = reg(arguments);
    assert!(output.status.success(), "reg {arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns the lines of `reg export KEY`, with continued lines joined.
pub(crate) fn reg_export(key: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export.reg");
    reg_ok(&["export", key, file.to_str().unwrap(), "/y"]);
    let bytes = fs::read(file).unwrap();
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).unwrap().replace("\\\r\n  ", "");
    text.lines().map(str::to_owned).collect()
}

/// Runs `reg import` on a version 5 file with these lines below the key.
pub(crate) fn reg_import(key: &Key, lines: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("import.reg");
    let text = format!(
        "\u{FEFF}Windows Registry Editor Version 5.00\r\n\r\n[{}]\r\n{}\r\n\r\n",
        key.path.to_long(),
        lines.join("\r\n")
    );
    fs::write(&file, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    reg_ok(&["import", file.to_str().unwrap()]);
}
