//! Tests the hives of users who are not logged on. They are files until Windows loads them.

use std::{fs, os::windows::fs::OpenOptionsExt, path::PathBuf};

use kbfix::{
    format::regf::{Filetime, Hive},
    registry::{Data, Key},
    targets::{Answer, ChangeAction, Reason, Target, ValueSelection, WriteError, local::LocalTarget},
};

use crate::local::{
    library::{ends, kbfix},
    scratch::{alone, change, key, name, query, read, value},
};

const PROFILES: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";

/// A user with a profile, who is not logged on. A test with such a user holds the lock `alone`, because other tests
/// read all users.
pub(super) struct User {
    pub(super) sid: String,
    pub(super) folder: tempfile::TempDir,
}

impl User {
    /// Creates a user whose hive has `Software\kbfix-test` with the value `v` = 1.
    pub(super) fn new(number: u32) -> Self {
        let sid = format!("S-1-5-21-909094-2003-65-{number}");
        let folder = tempfile::tempdir().unwrap();
        let profile = windows_registry::LOCAL_MACHINE.create(format!("{PROFILES}\\{sid}")).unwrap();
        profile.set_string("ProfileImagePath", folder.path().to_str().unwrap()).unwrap();
        let user = Self { sid, folder };
        user.log_off();
        fs::write(user.hive(), hive(r"Software\kbfix-test", 1)).unwrap();
        user
    }

    fn hive(&self) -> PathBuf {
        self.folder.path().join("NTUSER.DAT")
    }

    fn key(&self, below: &str) -> Key {
        key(&format!(r"HKU\{}{below}", self.sid))
    }

    /// Logs the user on as Windows does: loads the hive below HKU.
    fn log_on(&self) {
        let key = windows_registry::USERS.create(format!(r"{}\Software\kbfix-test", self.sid)).unwrap();
        key.set_u32("v", 1).unwrap();
    }

    fn log_off(&self) {
        let _ = windows_registry::USERS.remove_tree(&self.sid);
    }

    /// Returns `v` in the file, read with the codec only.
    fn in_file(&self) -> Option<Data> {
        let hive = Hive::open(fs::read(self.hive()).unwrap(), &[]).unwrap();
        let key = hive.find(r"Software\kbfix-test").unwrap().unwrap();
        hive.value(key, "v").unwrap()
    }

    /// Returns the keys in the file.
    fn keys(&self) -> Vec<String> {
        let hive = Hive::open(fs::read(self.hive()).unwrap(), &[]).unwrap();
        hive.walk(hive.root()).map(|(depth, key)| format!("{depth} {}", key.unwrap().name_text().unwrap())).collect()
    }

    /// Returns the change of `v` from `before` to `after`.
    fn changed(&self, before: u32, after: u32) -> kbfix::targets::KeyChange {
        let value = value("v", Some(Data::dword(before)), Some(Data::dword(after)));
        change(&self.key(r"\Software\kbfix-test"), ChangeAction::Update, [value])
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.log_off();
        let _ = windows_registry::LOCAL_MACHINE.remove_tree(format!("{PROFILES}\\{}", self.sid));
    }
}

fn hive(path: &str, number: u32) -> Vec<u8> {
    let now = Filetime::now();
    let mut hive = Hive::create(now).unwrap();
    let mut editor = hive.edit(now).unwrap();
    editor.create_key(path).unwrap();
    editor.set_value(path, "v", &Data::dword(number)).unwrap();
    drop(editor);
    hive.to_bytes(now).unwrap()
}

fn reason<T: std::fmt::Debug>(answer: &Answer<T>) -> (Reason, String) {
    match answer {
        Answer::Unread(why) => (why.reason, why.detail.to_string()),
        other => panic!("{other:?}"),
    }
}

fn ask(key: &Key) -> Answer<()> {
    query(key, ValueSelection::Names(Default::default()), false).map(drop)
}

#[test]
fn the_hive_of_a_user_who_is_not_logged_on_is_read_from_its_file() {
    let _alone = alone();
    let user = User::new(1001);
    assert_eq!(ask(&user.key("")), Answer::Present(()));
    assert_eq!(read(&user.key(r"\software\KBFIX-test"), "V"), Answer::Present(Data::dword(1)));
    assert_eq!(ask(&user.key(r"\Software\none")), Answer::Absent);
    let facts = query(&user.key(r"\Software"), ValueSelection::All, true).known().unwrap().unwrap();
    assert_eq!(
        facts.subkeys.unwrap().known().unwrap().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["kbfix-test"]
    );
    // Keys that are not in the profile's hive are unknown, and so are keys that Windows creates at every logon.
    for below in [r"\Software\Classes\x", r"\Volatile Environment"] {
        assert_eq!(reason(&ask(&user.key(below))).0, Reason::Unknown, "{below}");
    }
    let classes = user.folder.path().join(r"AppData\Local\Microsoft\Windows");
    fs::create_dir_all(&classes).unwrap();
    fs::write(classes.join("UsrClass.dat"), hive("CLSID", 2)).unwrap();
    for path in [user.key(r"\Software\Classes\CLSID"), user.key(r"_Classes\CLSID")] {
        assert_eq!(read(&path, "v"), Answer::Present(Data::dword(2)), "{path}");
    }

    user.log_on();
    windows_registry::USERS.open(format!(r"{}\Software\kbfix-test", user.sid)).unwrap();
    assert_eq!(ask(&user.key(r"\Software\none")), Answer::Absent);
    windows_registry::USERS.create(format!(r"{}\Software\live", user.sid)).unwrap();
    assert_eq!(ask(&user.key(r"\Software\live")), Answer::Present(()));
}

#[test]
fn what_cannot_be_read_is_said_of_this_user_only() {
    let _alone = alone();
    let (user, other) = (User::new(1002), User::new(1003));
    let held = fs::OpenOptions::new().read(true).share_mode(0).open(user.hive()).unwrap();
    let (why, detail) = reason(&ask(&user.key(r"\Software")));
    assert_eq!(why, Reason::Unknown);
    assert!(detail.contains("in use"), "{detail}");
    drop(held);
    fs::write(user.hive(), b"no hive").unwrap();
    assert_eq!(reason(&ask(&user.key(r"\Software"))).0, Reason::Malformed);
    fs::remove_file(user.hive()).unwrap();
    assert_eq!(ask(&user.key("")), Answer::Absent);
    fs::write(user.folder.path().join("NTUSER.MAN"), b"").unwrap();
    let (why, detail) = reason(&ask(&user.key("")));
    assert_eq!(why, Reason::Unknown);
    assert!(detail.contains("NTUSER.DAT"), "{detail}");
    fs::remove_file(user.folder.path().join("NTUSER.MAN")).unwrap();
    assert_eq!(ask(&other.key("")), Answer::Present(()));
    // A user without a profile, and a user with a profile on another machine.
    assert_eq!(reason(&ask(&key(r"HKU\S-1-5-21-909094-2003-65-9\Software"))).0, Reason::Unknown);
    let profile = windows_registry::LOCAL_MACHINE.create(format!("{PROFILES}\\{}", user.sid)).unwrap();
    profile.set_string("ProfileImagePath", r"\\127.0.0.1\profiles\x").unwrap();
    assert_eq!(reason(&ask(&user.key(""))).0, Reason::Unsupported);
}

#[test]
fn its_file_is_replaced_whole_and_only_while_the_user_is_not_logged_on() {
    let _alone = alone();
    let user = User::new(1004);
    LocalTarget::new().write(&[user.changed(1, 2)]).unwrap();
    assert_eq!(user.in_file(), Some(Data::dword(2)));
    assert_eq!(fs::read_dir(user.folder.path()).unwrap().count(), 1, "something of the apply remains");
    let stale = LocalTarget::new().write(&[user.changed(1, 3)]).map_err(|failure| failure.error);
    assert!(matches!(stale, Err(WriteError::Stale { .. })), "{stale:?}");
    LocalTarget::new().write(&[user.changed(2, 1)]).unwrap();

    // A file that another process has open, as Windows has the file of a user who is logging on.
    let bytes = fs::read(user.hive()).unwrap();
    let held = fs::OpenOptions::new().read(true).share_mode(1).open(user.hive()).unwrap();
    let refused = LocalTarget::new().write(&[user.changed(1, 2)]).map_err(|failure| failure.error);
    assert!(matches!(refused, Err(WriteError::Denied { .. } | WriteError::Io { .. })), "{refused:?}");
    drop(held);
    assert_eq!(fs::read(user.hive()).unwrap(), bytes);

    // The user logs on between read and write: the write is refused, in the file and in the live registry. After that,
    // the live registry is used.
    let mut target = LocalTarget::new();
    let wanted = ValueSelection::Names([name("v")].into());
    let asked = kbfix::targets::KeyQuery { key: user.key(r"\Software\kbfix-test"), values: wanted, subkeys: false };
    assert!(matches!(target.read_keys(std::slice::from_ref(&asked)).unwrap()[0], Answer::Present(_)));
    user.log_on();
    match target.write(&[user.changed(1, 2)]).map_err(|failure| (failure.error, failure.begun)) {
        Err((WriteError::Stale { found, .. }, begun)) => {
            assert!(found.contains("logged on"), "{found}");
            assert_eq!(begun, []);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(user.hive()).unwrap(), bytes);
    assert_eq!(read(&user.key(r"\Software\kbfix-test"), "v"), Answer::Present(Data::dword(1)));
    target.write(&[user.changed(1, 2)]).unwrap();
    assert_eq!(read(&user.key(r"\Software\kbfix-test"), "v"), Answer::Present(Data::dword(2)));
    assert_eq!(fs::read(user.hive()).unwrap(), bytes);
}

/// A user whose hive cannot be read is reported, and the other users are changed. A profile without a hive is reported
/// too.
#[test]
fn a_user_who_cannot_be_read_is_unknown_and_the_others_are_changed() {
    let _alone = alone();
    let (user, damaged, gone) = (User::new(1006), User::new(1007), User::new(1008));
    fs::write(damaged.hive(), b"no hive").unwrap();
    fs::remove_file(gone.hive()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    let text = r"{ kbfix: 1, id: X, title: T, registry: [ { key: HKCU\Software\kbfix-test, values: { v: { type: REG_DWORD, data: 2 } } } ] }";
    fs::write(&spec, text).unwrap();
    let spec = spec.to_str().unwrap();
    let said = kbfix(&["apply", spec], folder.path());
    let text = String::from_utf8_lossy(&said.stdout);
    assert_eq!(said.status.code(), Some(4), "{said:?}");
    assert!(text.contains(&format!("user {}: ", damaged.sid)), "{text}");
    assert!(text.contains(&format!("user {} has a profile in ProfileList but no hive", gone.sid)), "{text}");
    assert_eq!(user.in_file(), Some(Data::dword(2)));
    assert_eq!(fs::read(damaged.hive()).unwrap(), b"no hive");
    ends(4, &["diff", spec], folder.path());
    drop(damaged);
    ends(0, &["diff", spec], folder.path());
    ends(0, &["rollback", "--last"], folder.path());
    assert_eq!(user.in_file(), Some(Data::dword(1)));
}

#[test]
fn hkcu_is_also_the_hive_of_a_user_who_is_not_logged_on() {
    let _alone = alone();
    let user = User::new(1005);
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    let text = r"{ kbfix: 1, id: X, title: T, registry: [ { key: HKCU\Software\kbfix-test, values: { v: { type: REG_DWORD, data: 2 } } } ] }";
    fs::write(&spec, text).unwrap();
    let spec = spec.to_str().unwrap();
    let (text_of, diff) = (|bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned(), ["diff", spec]);

    let held = fs::OpenOptions::new().read(true).share_mode(0).open(user.hive()).unwrap();
    let unknown = kbfix(&diff, folder.path());
    assert_eq!(unknown.status.code(), Some(4), "{unknown:?}");
    assert!(text_of(&unknown.stdout).contains("is in use by another program"), "{unknown:?}");
    drop(held);

    let before = user.keys();
    let shown = kbfix(&diff, folder.path());
    assert!(text_of(&shown.stdout).contains(&format!(r"[HKEY_USERS\{}\Software\kbfix-test]", user.sid)), "{shown:?}");
    ends(0, &["apply", spec], folder.path());
    assert_eq!(user.in_file(), Some(Data::dword(2)));
    ends(0, &diff, folder.path());
    ends(0, &["rollback", "--last"], folder.path());
    assert_eq!((user.in_file(), user.keys()), (Some(Data::dword(1)), before));

    // The user has logged on since the apply: the hive is loaded, and the rollback changes the live registry.
    ends(0, &["apply", spec], folder.path());
    user.log_on();
    let key = windows_registry::USERS.create(format!(r"{}\Software\kbfix-test", user.sid)).unwrap();
    key.set_u32("v", 2).unwrap();
    ends(0, &["rollback", "--last"], folder.path());
    assert_eq!(key.get_u32("v").unwrap(), 1);
    assert_eq!(user.in_file(), Some(Data::dword(2)));
}
