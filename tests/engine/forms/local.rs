//! Creates a described machine in the registry and files of this machine, and removes it again.
//!
//! What the description says about keys of Windows (the version, the list of profiles) is written there while one form
//! is tested.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use kbfix::{
    format::reg::Document,
    registry::{Data, Key, KeyPath, RootKey, ValueName, notation},
    targets::{
        Answer, ChangeAction, KeyChange, KeyFacts, KeyQuery, Target, ValueChange, ValueSelection, local::LocalTarget,
    },
};

use crate::scenario::{Scenario, machine};

/// This text is in the name of everything that the tests create.
const OWN: &str = "kbfix-test-forms";

/// The keys below which the tests can create keys, in addition to those that a form describes.
const ROOTS: [&str; 6] = [
    r"HKLM\SOFTWARE\kbfix-test-forms",
    r"HKLM\SOFTWARE\Wow6432Node\kbfix-test-forms",
    r"HKLM\SOFTWARE\Classes\kbfix-test-forms",
    r"HKLM\SOFTWARE\Classes\kbfix-test-forms2",
    r"HKLM\SYSTEM\CurrentControlSet\Services\kbfix-test-forms",
    r"HKU\.DEFAULT\Software\kbfix-test-forms",
];

/// The values that tell the version of Windows. A value that is not in a description is absent.
const VERSION: [&str; 5] = ["CurrentMajorVersionNumber", "CurrentMinorVersionNumber", "UBR", "CSDVersion", "EditionID"];

const WINDOWS_NT: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion";

/// The first user in a form. On this machine it is the user who is logged on.
const FIRST_USER: &str = "S-1-5-21-1-2-3-1001";

/// The second and the third user. They are not logged on, so their hives are files in their profile folders.
const OTHER_USERS: [(&str, &str); 2] =
    [(r"HKU\S-1-5-21-1-2-3-1002", r"C:\kbfix-test-forms\b"), (r"HKU\S-1-5-21-1-2-3-1003", r"C:\kbfix-test-forms\c")];

/// The Default profile, whose hive is a file too.
const DEFAULT_PROFILE: &str = r"HKU\DefaultProfile";

/// Returns the form for this machine; `None` if the form would change a Windows that is in use.
pub(crate) fn fitted(form: Scenario) -> Option<Scenario> {
    let document = Document::parse(form.export().into_bytes(), None).unwrap();
    let alters = |key: &KeyPath| !is_own(key) && document.values(key).is_some_and(|values| values.iter().count() > 0);
    if document.keys().any(alters) && !Path::new(r"C:\windows\system32\winecfg.exe").exists() {
        println!("SKIPPED: {}: it alters what this Windows says of itself", form.title);
        return None;
    }
    let profiles = key(&format!(r"{WINDOWS_NT}\ProfileList"));
    let users = query(&profiles, true).known().unwrap().unwrap().subkeys.unwrap().known().unwrap().unwrap();
    let users: Vec<_> = users.iter().filter(|sid| sid.as_str().starts_with("S-1-5-21-")).collect();
    let [user] = users.as_slice() else {
        println!("SKIPPED: {}: this machine has {} users", form.title, users.len());
        return None;
    };
    Some(form.with(FIRST_USER, user.as_str()))
}

/// A description that was created on this machine. It is removed on drop.
pub(crate) struct Prepared {
    roots: BTreeSet<KeyPath>,
    made: Vec<KeyChange>,
    files: Vec<PathBuf>,
}

impl Prepared {
    pub(crate) fn new(form: &Scenario, document: &Document) -> Self {
        let mut roots: BTreeSet<KeyPath> = ROOTS.iter().map(|root| root.parse().unwrap()).collect();
        roots.extend(document.keys().filter_map(own_root));
        let mut prepared = Self { roots, made: Vec::new(), files: Vec::new() };
        prepared.remove_own();
        for (path, version) in &form.files {
            prepared.make_file(Path::new(path), &machine::file(version));
        }
        let profiles = OTHER_USERS.map(|(mount, folder)| (mount, Some(folder.to_owned())));
        let profiles = profiles.into_iter().chain([(DEFAULT_PROFILE, machine::default_profile(document))]);
        let in_files: Vec<(KeyPath, _)> = profiles.map(|(mount, folder)| (mount.parse().unwrap(), folder)).collect();
        for (mount, folder) in &in_files {
            if document.keys().any(|path| path.is_within(mount)) {
                let file = PathBuf::from(format!(r"{}\NTUSER.DAT", folder.as_ref().unwrap()));
                prepared.make_file(&file, b"");
                machine::hive(document, mount, &file);
            }
        }
        let is_in_file = |path: &KeyPath| in_files.iter().any(|(mount, _)| path.is_within(mount));
        for path in document.keys().filter(|path| !is_in_file(path)) {
            prepared.make_key(&Key::new(path.clone()));
            let mut values: Vec<(ValueName, Option<Data>)> = Vec::new();
            for (name, data) in document.values(path).iter().flat_map(|values| values.iter()) {
                values.push((name.clone(), Some(data.unwrap().clone())));
            }
            let describes = |name: &str| values.iter().any(|(given, _)| given.as_str() == name);
            let absent: &[&str] = match path.to_string() {
                path if path == WINDOWS_NT && describes("CurrentVersion") => &VERSION,
                path if path == format!(r"{WINDOWS_NT}\ProfileList") && describes("DefaultUserProfile") => &["Default"],
                _ => &[],
            };
            let absent: Vec<_> = absent.iter().filter(|name| !describes(name)).collect();
            values.extend(absent.into_iter().map(|name| (ValueName::new(*name).unwrap(), None)));
            prepared.set(&Key::new(path.clone()), values);
        }
        prepared
    }

    /// Returns the content of the keys of the tests.
    pub(crate) fn content(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut left: Vec<Key> = self.roots.iter().cloned().map(Key::new).collect();
        while let Some(key) = left.pop() {
            let Some(facts) = query(&key, true).known().unwrap() else { continue };
            left.extend(facts.subkeys.unwrap().known().unwrap().unwrap().iter().map(|name| key.child(name)));
            for (name, data) in facts.values {
                let data = data.known().unwrap().unwrap();
                lines.push(format!("{key} {}={}", notation::value_name(&name), notation::data(&data)));
            }
            lines.push(key.to_string());
        }
        lines
    }

    fn make_key(&mut self, key: &Key) {
        if key.path.depth() > 0 && query(key, false) == Answer::Absent {
            self.make_key(&key.parent().unwrap());
            self.make(KeyChange::new(key.clone(), ChangeAction::Create, Vec::new()));
        }
    }

    fn set(&mut self, key: &Key, values: Vec<(ValueName, Option<Data>)>) {
        let found = query(key, false).known().unwrap().unwrap().values;
        let change = |(name, after): (ValueName, Option<Data>)| {
            let before = found.get(&name).cloned().and_then(|answer| answer.known().unwrap());
            (before != after).then_some(ValueChange { name, before, after })
        };
        let values: Vec<_> = values.into_iter().filter_map(change).collect();
        self.make(KeyChange::new(key.clone(), ChangeAction::Update, values));
    }

    fn make(&mut self, change: KeyChange) {
        LocalTarget::new().write(std::slice::from_ref(&change)).unwrap();
        self.made.push(change);
    }

    fn make_file(&mut self, path: &Path, bytes: &[u8]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        let own = path.ancestors().filter(|part| part.file_name().is_some_and(|n| n.to_string_lossy().contains(OWN)));
        self.files.extend(own.last().map(Path::to_owned));
    }

    fn remove_own(&self) {
        for root in &self.roots {
            let hive = match root.root() {
                RootKey::Hklm => windows_registry::LOCAL_MACHINE,
                RootKey::Hku => windows_registry::USERS,
                other => panic!("no keys of the tests below {other:?}"),
            };
            // The key may be absent.
            let _ = hive.remove_tree(root.below_root());
        }
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.remove_own();
        for change in self.made.iter().rev().filter(|change| !is_own(&change.key.path)) {
            if let Err(why) = LocalTarget::new().write(&[change.inverse()]) {
                println!("not put back: {why}");
            }
        }
        for path in &self.files {
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

fn is_own(path: &KeyPath) -> bool {
    path.names().any(|name| name.starts_with(OWN))
}

/// Returns the key of the tests that contains `path`, or is `path`.
fn own_root(path: &KeyPath) -> Option<KeyPath> {
    std::iter::successors(Some(path.clone()), KeyPath::parent).filter(is_own).last()
}

fn key(path: &str) -> Key {
    path.parse().unwrap()
}

fn query(key: &Key, subkeys: bool) -> Answer<KeyFacts> {
    LocalTarget::new()
        .read_keys(&[KeyQuery { key: key.clone(), values: ValueSelection::All, subkeys }])
        .unwrap()
        .remove(0)
}
