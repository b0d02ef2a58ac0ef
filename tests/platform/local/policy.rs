//! Tests the policy stores of this machine, and pending restarts. Wine has no Group Policy, so the tests can write the
//! stores there. They run under Wine only.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use kbfix::{format::pe::minimal, registry::Data, version::FileVersion};
use serde_json::Value;

use crate::{
    local::scratch::{Scratch, alone, reg, reg_ok},
    policy_file,
    start::run,
};

/// Files and folders that are removed when the test ends.
pub(super) struct Made(Vec<PathBuf>);

impl Made {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn file(&mut self, path: &str, bytes: &[u8]) {
        let path = PathBuf::from(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        self.0.push(path);
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        self.0.iter().for_each(|path| drop(fs::remove_file(path)));
    }
}

/// Returns whether the tests run under Wine. The policies of a real machine are not changed.
pub(super) fn is_wine() -> bool {
    let is_wine = Path::new(r"C:\windows\system32\winecfg.exe").exists();
    if !is_wine {
        println!("SKIPPED: this is not Wine, and the test writes the policy stores of the machine");
    }
    is_wine
}

/// Returns a policy file with numbers in one key.
pub(super) fn pol(key: &str, values: &[(&str, u32)]) -> Vec<u8> {
    file(&values.iter().map(|(name, number)| (key, *name, *number)).collect::<Vec<_>>())
}

/// Returns a policy file with numbers. Each entry is a key, a name and a number.
pub(super) fn file(entries: &[(&str, &str, u32)]) -> Vec<u8> {
    policy_file::file(entries.iter().map(|(key, name, number)| policy_file::entry(key, name, &Data::dword(*number))))
}

/// Runs kbfix on this machine. Returns its exit code and its output on both streams.
pub(super) fn kbfix(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
    command.args(arguments).env("KBFIX_STATE_DIR", folder.join("state")).env_remove("KBFIX_TARGET");
    let output = run(&mut command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn the_owners_of_values_are_named_and_retire_brings_back_what_was_there() {
    if !is_wine() {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (machine, user) = (Scratch::machine("policy"), Scratch::user("policy"));
    let key = r"Software\kbfix-test-policy";
    let value = "{ type: REG_DWORD, data: 1 }";
    let spec = folder.path().join("spec.yaml");
    let rules = format!(
        "  - key: HKLM\\{key}\n    values: {{ a: {value}, b: {value} }}\n  - key: HKCU\\{key}\n    values: {{ a: {value} }}\n"
    );
    fs::write(&spec, format!("kbfix: 1\nid: P\ntitle: P\nregistry:\n{rules}")).unwrap();
    let spec = spec.to_str().unwrap();
    let stores = r"C:\windows\system32\GroupPolicy";
    let mut made = Made::new();
    made.file(&format!(r"{stores}\Machine\Registry.pol"), &pol(key, &[("a", 2), ("b", 1)]));
    made.file(&format!(r"{stores}\User\Registry.pol"), &pol(key, &[("a", 2)]));

    let run = |arguments: &[&str]| kbfix(folder.path(), arguments);
    let owners = |target: &[&str]| {
        let (code, text) = run(&[&["diff", spec, "--format", "json"], target].concat());
        assert_eq!(code, 1, "{text}");
        let report: Value = serde_json::from_str(&text).unwrap();
        let owner = |one: &Value| {
            let text = |member: &str| one[member].as_str().unwrap().to_owned();
            let path = text("path").to_lowercase().replace(&stores.to_lowercase(), "");
            [text("key"), text("name"), path, text("result")].map(|text| text.to_lowercase())
        };
        let mut found: Vec<_> = report["specs"][0]["policy"].as_array().unwrap().iter().map(owner).collect();
        found.sort();
        (found, report["specs"][0]["policy_unread"].clone())
    };
    let machine_key = format!(r"hklm\{}", key.to_lowercase());
    let user_key = user.path().to_lowercase();
    let row = |key: &str, name: &str, path: &str, result: &str| [key, name, path, result].map(str::to_owned);
    let mut wanted = vec![
        row(&machine_key, "a", r"\machine\registry.pol", "undoes"),
        row(&machine_key, "b", r"\machine\registry.pol", "keeps"),
        row(&user_key, "a", r"\user\registry.pol", "undoes"),
    ];
    wanted.sort();
    assert_eq!(owners(&["--target", "local"]), (wanted.clone(), Value::Null));
    // The same through a snapshot.
    let snapshot = folder.path().join("machine.json").display().to_string();
    assert_eq!(run(&["snapshot", spec, "--target", "local", "--out", &snapshot]).0, 0);
    assert_eq!(owners(&["--target", &format!("snapshot:{snapshot}")]), (wanted, Value::Null));
    let (code, text) = run(&["apply", spec, "--target", "local", "--fail-on", "policy-owned"]);
    assert!(code == 4 && text.contains("policy-owned"), "{text}");

    let (code, text) = run(&["apply", spec, "--target", "local"]);
    assert!(code == 0 && text.contains("policy-owned"), "{text}");
    for path in [machine.path(), user.path()] {
        assert!(reg_ok(&["query", &path, "/v", "a"]).contains("0x1"), "{path}");
    }
    let (code, text) = run(&["retire", "P", "--target", "local"]);
    assert_eq!(code, 0, "{text}");
    for path in [machine.path(), user.path()] {
        assert!(!reg(&["query", &path, "/v", "a"]).status.success(), "{path}");
        assert!(reg(&["query", &path]).status.success(), "{path} was there before");
    }

    made.file(r"C:\windows\system32\GroupPolicy\Machine\Registry.pol", b"no policy");
    let (code, text) = run(&["diff", spec, "--target", "local", "--fail-on", "policy-unknown"]);
    assert!(code == 4 && text.contains("Registry.pol"), "{text}");
}

/// A key or value of Windows that is removed when the test ends.
struct Own(&'static str, Option<&'static str>);

impl Drop for Own {
    fn drop(&mut self) {
        match self.1 {
            Some(value) => reg(&["delete", self.0, "/v", value, "/f"]),
            None => reg(&["delete", self.0, "/f"]),
        };
    }
}

#[test]
fn a_restart_that_windows_waits_for_is_seen() {
    if !is_wine() {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let _machine = Scratch::machine("pending");
    let mut made = Made::new();
    let (there, comes) = (r"C:\windows\kbfix-test.dll", r"C:\windows\kbfix-test.tmp");
    made.file(there, &minimal::dll(FileVersion([1, 0, 0, 0])));
    made.file(comes, &minimal::dll(FileVersion([2, 0, 0, 0])));
    let spec = folder.path().join("spec.yaml");
    let text = "kbfix: 1\nid: P\ntitle: P\nhotfix:\n  files: [{ path: '%SystemRoot%\\kbfix-test.dll', version: 2.0.0.0 }]\nregistry:\n  - \
                key: HKLM\\SOFTWARE\\kbfix-test-pending\n    values: { a: { type: REG_DWORD, data: 1 } }\nrestart: { computer: required }\n";
    fs::write(&spec, text).unwrap();
    let diff = || kbfix(folder.path(), &["diff", spec.to_str().unwrap(), "--target", "local"]);
    let (code, text) = diff();
    assert!(code == 4 && text.contains("P: blocked") && !text.contains("waiting for a restart"), "{text}");

    let manager = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager";
    let _value = Own(manager, Some("PendingFileRenameOperations"));
    let moves = format!(r"\??\{comes}\0!\??\{there}");
    reg_ok(&["add", manager, "/v", "PendingFileRenameOperations", "/t", "REG_MULTI_SZ", "/d", &moves, "/f"]);
    let (code, text) = diff();
    assert!(
        code == 4 && text.contains("P: pending restart") && text.contains("kbfix-test.tmp, which is 2.0.0.0"),
        "{text}"
    );

    // As after the restart: the new file is in place, and Windows has another file to replace.
    fs::rename(comes, there).unwrap();
    for (key, sign) in [
        (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending", "RebootPending"),
        (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired", "RebootRequired"),
    ] {
        let _key = Own(key, None);
        reg_ok(&["add", key, "/f"]);
        let (code, text) = diff();
        assert!(code == 1 && text.contains(&format!("{sign} exists")), "{text}");
        assert!(text.contains("the computer must be restarted; it is already waiting for a restart"), "{text}");
    }
    let (code, text) = diff();
    assert!(code == 1 && !text.contains("waiting"), "{text}");
}
