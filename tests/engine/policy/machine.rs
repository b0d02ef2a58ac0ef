//! A volume with two users, and policy files that the tests write byte by byte.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use kbfix::{
    format::regf::{Editor, Filetime, Hive},
    registry::{Data, ValueType},
};
use serde_json::Value;

use crate::policy_file;

pub(super) const USERS: [&str; 2] = ["S-1-5-21-12-34-56-1001", "S-1-5-21-12-34-56-1002"];
pub(super) const LOCAL: &str = r"C:\Windows\System32\GroupPolicy\Machine\Registry.pol";
pub(super) const LOCAL_USER: &str = r"C:\Windows\System32\GroupPolicy\User\Registry.pol";
pub(super) const APPLIED: &str = r"C:\ProgramData\ntuser.pol";

/// Returns two paths: the store of the local GPO of one user, and the store of the policies that were applied for the
/// user.
pub(super) fn of_user(user: usize) -> [String; 2] {
    let own = format!(r"C:\Windows\System32\GroupPolicyUsers\{}\User\Registry.pol", USERS[user]);
    [own, format!(r"C:\Users\u{user}\ntuser.pol")]
}

/// One entry of a policy file.
pub(super) type PolEntry = Vec<u8>;

pub(super) fn dword(key: &str, name: &str, number: u32) -> PolEntry {
    policy_file::entry(key, name, &Data::dword(number))
}

/// Returns the comment that names the GPO of the next entries.
pub(super) fn gpo_name(name: &str) -> PolEntry {
    let objects = r"Software\Policies\Microsoft\Windows\Group Policy Objects\{31B2F340-016D-11D2-945F-00C04FB984F9}";
    policy_file::entry(objects, &format!("**Comment:GPO Name: {name}"), &Data::new(ValueType::SZ, []))
}

/// Returns the bytes of a policy file.
pub(super) fn pol(entries: &[PolEntry]) -> Vec<u8> {
    policy_file::file(entries.iter().cloned())
}

pub(super) struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    pub(super) fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        let config = "Windows/System32/config";
        machine.hive(&format!("{config}/SYSTEM"), |hive| {
            hive.create_key("Select").unwrap();
            hive.set_value("Select", "Current", &Data::dword(1)).unwrap();
            hive.create_key(r"ControlSet001\Control").unwrap();
        });
        machine.hive(&format!("{config}/SOFTWARE"), |hive| {
            let windows = r"Microsoft\Windows NT\CurrentVersion";
            let profiles = format!(r"{windows}\ProfileList");
            hive.create_key("Wow6432Node").unwrap();
            hive.create_key(&profiles).unwrap();
            hive.set_value(windows, "SystemRoot", &Data::sz(r"C:\Windows")).unwrap();
            let expand = |text: &str| Data::text(ValueType::EXPAND_SZ, text);
            hive.set_value(&profiles, "ProgramData", &expand(r"%SystemDrive%\ProgramData")).unwrap();
            for (user, sid) in USERS.iter().enumerate() {
                let profile = format!(r"{profiles}\{sid}");
                hive.create_key(&profile).unwrap();
                hive.set_value(&profile, "ProfileImagePath", &expand(&format!(r"%SystemDrive%\Users\u{user}")))
                    .unwrap();
            }
        });
        machine.hive(&format!("{config}/DEFAULT"), |hive| assert!(hive.create_key("Software").unwrap()));
        for user in 0..USERS.len() {
            machine.hive(&format!("Users/u{user}/NTUSER.DAT"), |hive| assert!(hive.create_key("Software").unwrap()));
        }
        machine
    }

    pub(super) fn hive(&self, file: &str, edit: impl FnOnce(&mut Editor<'_>)) {
        let (path, now) = (self.path(file), Filetime::now());
        let mut hive = match fs::read(&path) {
            Ok(bytes) => Hive::open(bytes, &[]).unwrap(),
            Err(_) => Hive::create(now).unwrap(),
        };
        edit(&mut hive.edit(now).unwrap());
        write(&path, &hive.to_bytes(now).unwrap());
    }

    /// Returns the path of a file of the volume.
    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join("volume").join(below)
    }

    /// Returns the path on the volume of a store that has this path on the machine.
    pub(super) fn store(&self, path: &str) -> PathBuf {
        self.path(&path[3..].replace('\\', "/"))
    }

    pub(super) fn write(&self, store: &str, entries: &[PolEntry]) {
        write(&self.store(store), &pol(entries));
    }

    /// Writes a file next to the volume, and returns its path.
    pub(super) fn beside(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn uri(&self) -> String {
        format!("image:{}", self.path("").display())
    }

    pub(super) fn kbfix(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("KBFIX_TARGET");
        Run(command.env("KBFIX_STATE_DIR", self.folder.path().join("state")).output().unwrap())
    }

    /// Runs kbfix in a shell that first runs `before`.
    #[cfg(target_os = "linux")]
    pub(super) fn limited(&self, before: &str, arguments: &[&str]) -> Run {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{before} exec \"$@\""), "sh", env!("CARGO_BIN_EXE_kbfix")]).args(arguments);
        shell.current_dir(self.folder.path()).env_remove("KBFIX_TARGET");
        Run(shell.env("KBFIX_STATE_DIR", self.folder.path().join("state")).output().unwrap())
    }

    /// Returns the JSON report of a diff.
    pub(super) fn report(&self, spec: &str, target: &str) -> Value {
        let run = self.kbfix(&["diff", spec, "--target", target, "--format", "json"]);
        serde_json::from_slice(&run.0.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.text()))
    }

    /// Takes a snapshot of the volume, and returns its URI.
    pub(super) fn snapshot(&self, spec: &str) -> String {
        self.kbfix(&["snapshot", spec, "--target", &self.uri(), "--out", "machine.json"]).exits(0);
        "snapshot:machine.json".to_owned()
    }
}

/// Returns the codes of the report's warnings.
pub(super) fn codes(report: &Value) -> Vec<&str> {
    report["diagnostics"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect()
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The result of a run of kbfix.
pub(super) struct Run(pub(super) Output);

impl Run {
    #[track_caller]
    pub(super) fn exits(self, code: i32) -> Self {
        assert_eq!(self.0.status.code(), Some(code), "{}", self.text());
        self
    }

    pub(super) fn text(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.0.stdout), String::from_utf8_lossy(&self.0.stderr))
    }

    #[track_caller]
    pub(super) fn says(self, text: &str) -> Self {
        assert!(self.text().contains(text), "`{text}` is not in: {}", self.text());
        self
    }
}
