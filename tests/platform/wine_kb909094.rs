//! Tests KB909094 on a live registry from beginning to end, with kbfix.exe as an operator runs it, a real x86
//! exprox.dll, and `reg.exe` as the independent reader.
//!
//! The test writes the real keys of Exchange Server, so it runs under Wine only, and only if Exchange is not installed.
#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::start::run;

const SETUP: &str = r"HKLM\SOFTWARE\Microsoft\Exchange\Setup";
const SERVICE: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB";
const DAV: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV";

/// The machine with the folder of Exchange. Everything is removed when the test ends.
struct Server {
    folder: tempfile::TempDir,
    dlls: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        reg(&["delete", r"HKLM\SOFTWARE\Microsoft\Exchange", "/f"]);
        reg(&["delete", r"HKLM\SOFTWARE\Microsoft\Exchange", "/f", "/reg:32"]);
        reg(&["delete", SERVICE, "/f"]);
    }
}

impl Server {
    /// Creates the server; `None`, with the reason printed, if the test cannot run.
    fn new() -> Option<Self> {
        let skip = |why: &str| {
            println!("\nSKIPPED: {why}");
            None
        };
        if !reg(&["query", r"HKLM\Software\Wine"]).status.success()
            && !reg(&["query", r"HKCU\Software\Wine"]).status.success()
        {
            return skip("this is not Wine, and the test writes the keys of Exchange Server");
        }
        let Some(dlls) = env::var_os("KBFIX_TEST_DLLS").map(PathBuf::from) else {
            return skip("KBFIX_TEST_DLLS names no folder (tests/wine/make-dlls)");
        };
        for key in [r"HKLM\SOFTWARE\Microsoft\Exchange", SERVICE] {
            assert!(!reg(&["query", key]).status.success(), "{key} is there");
        }
        Some(Self { folder: tempfile::tempdir().unwrap(), dlls })
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Simulates the installation of Exchange: a folder, and the values that its setup writes.
    fn install(&self, service_pack: &str) {
        fs::create_dir_all(self.path("Exchsrvr/bin")).unwrap();
        let folder = self.path("Exchsrvr").display().to_string();
        add(SETUP, "Services", "REG_SZ", &folder);
        add(SETUP, "Services Version", "REG_DWORD", "65");
        add(SETUP, "ServicePackNumber", "REG_DWORD", service_pack);
        add(&format!(r"{SERVICE}\OWA"), "LogonTimeout", "REG_DWORD", "15");
        // As `reg add` creates a parent key, without a default value.
        self.dll("old");
    }

    fn dll(&self, which: &str) {
        fs::copy(self.dlls.join(which).join("exprox.dll"), self.path("Exchsrvr/bin/exprox.dll")).unwrap();
    }

    fn kbfix(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        command.args(arguments);
        if ["apply", "rollback", "journal"].contains(&arguments[0]) {
            command.arg("--state-dir").arg(self.path("state"));
        }
        let output = run(&mut command);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
    }

    #[track_caller]
    fn expect(&self, arguments: &[&str], code: i32, says: &[&str]) -> String {
        let (found, text) = self.kbfix(arguments);
        assert_eq!(found, code, "{arguments:?}: {text}");
        for part in says {
            assert!(text.contains(part), "{arguments:?} does not say `{part}`: {text}");
        }
        text
    }

    fn journals(&self) -> usize {
        fs::read_dir(self.path("state/journal")).map_or(0, Iterator::count)
    }
}

fn reg(arguments: &[&str]) -> Output {
    run(Command::new("reg").args(arguments))
}

#[track_caller]
fn add(key: &str, name: &str, value_type: &str, data: &str) {
    let output = reg(&["add", key, "/v", name, "/t", value_type, "/d", data, "/f"]);
    assert!(output.status.success(), "{output:?}");
}

/// Returns what `reg query KEY /v DisableRealmHint` prints for the value, with single spaces; `None` if the value is
/// absent.
fn realm_hint(view: &[&str]) -> Option<String> {
    let output = reg(&[&["query", DAV, "/v", "DisableRealmHint"], view].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("DisableRealmHint"))?;
    Some(line.split_whitespace().skip(1).collect::<Vec<_>>().join(" "))
}

/// Returns all keys of the machine's services and of Exchange, as `reg export` writes them.
fn export(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for key in [r"HKLM\SYSTEM\CurrentControlSet\Services", r"HKLM\SOFTWARE\Microsoft\Exchange"] {
        let file = folder.join("export.reg");
        let output = reg(&["export", key, file.to_str().unwrap(), "/y"]);
        assert!(output.status.success(), "{output:?}");
        all.extend(fs::read(&file).unwrap());
    }
    all
}

#[test]
fn kb909094_from_a_machine_without_exchange_to_the_rollback() {
    let Some(server) = Server::new() else { return };
    let diff = ["diff", "KB909094"];
    let apply = ["apply", "KB909094"];
    let rollback = ["rollback", "--last"];

    // Without Exchange there is nothing to do, and nothing is changed.
    server.expect(&diff, 0, &["KB909094: not applicable"]);
    server.expect(&apply, 0, &["not applicable"]);

    // The first release without a service pack is blocked.
    server.install("0");
    server.expect(&diff, 4, &["KB909094: blocked", "found REG_DWORD 0 (0x0), wanted 2 or higher"]);
    server.expect(&apply, 4, &["blocked"]);

    // SP2 with its original DLL is blocked, and both versions are shown.
    add(SETUP, "ServicePackNumber", "REG_DWORD", "2");
    server.expect(&diff, 4, &["blocked", "found 6.5.7638.1 (x86), wanted 6.5.7651.19 or later (x86)"]);
    server.expect(&apply, 4, &["blocked"]);
    assert_eq!(realm_hint(&[]), None);
    assert_eq!(server.journals(), 0);

    // With the hotfix, changes are pending. After the apply there are none.
    server.dll("new");
    let before = export(server.folder.path());
    server.expect(&diff, 1, &["changes pending", "+\"DisableRealmHint\"=dword:00000001", "1 key to create"]);
    assert!(export(server.folder.path()) == before, "diff changed something");
    server.expect(&apply, 0, &["KB909094: changed", "services to restart: IISADMIN"]);
    assert_eq!(realm_hint(&[]).as_deref(), Some("REG_DWORD 0x1"));
    assert_eq!(server.journals(), 1);
    let applied = export(server.folder.path());
    server.expect(&diff, 0, &["in desired state"]);
    server.expect(&apply, 0, &["nothing was changed"]);
    assert_eq!(server.journals(), 1);
    assert!(export(server.folder.path()) == applied);

    // After the rollback, only the value and the key are removed.
    server.expect(&rollback, 0, &["1 key deleted, 1 value deleted"]);
    assert!(!reg(&["query", DAV]).status.success());
    assert!(export(server.folder.path()) == before, "the rollback left something, or took more");
    server.expect(&rollback, 2, &["can be rolled back"]);

    // A value of the wrong type is replaced, and the rollback restores it.
    add(DAV, "DisableRealmHint", "REG_SZ", "1");
    let before = export(server.folder.path());
    server.expect(&apply, 0, &["-\"DisableRealmHint\"=\"1\"", "+\"DisableRealmHint\"=dword:00000001"]);
    assert_eq!(realm_hint(&[]).as_deref(), Some("REG_DWORD 0x1"));
    server.expect(&rollback, 0, &[]);
    assert_eq!(realm_hint(&[]).as_deref(), Some("REG_SZ 1"));
    assert!(export(server.folder.path()) == before);

    // The data 0 is changed to 1. A parameter of 0 is used, and 2 is refused with the permitted numbers.
    add(DAV, "DisableRealmHint", "REG_DWORD", "0");
    server.expect(&apply, 0, &["1 value updated"]);
    assert_eq!(realm_hint(&[]).as_deref(), Some("REG_DWORD 0x1"));
    server.expect(&["apply", "KB909094", "--set", "realm_hint=0"], 0, &["1 value updated"]);
    assert_eq!(realm_hint(&[]).as_deref(), Some("REG_DWORD 0x0"));
    server.expect(&["apply", "KB909094", "--set", "realm_hint=2"], 2, &["allowed are `0` (off), `1` (on)"]);
    assert_eq!(realm_hint(&[]).as_deref(), Some("REG_DWORD 0x0"));

    // Somebody sets another number. The rollback keeps that number and reports it.
    add(DAV, "DisableRealmHint", "REG_DWORD", "9");
    server.expect(&rollback, 6, &["rollback-conflict"]);
    assert_eq!(realm_hint(&[]).as_deref(), Some("REG_DWORD 0x9"));
    server.expect(&["rollback", "--last", "--force"], 0, &[]);
    assert_eq!(realm_hint(&[]).as_deref(), Some("REG_DWORD 0x1"));

    // A plan is made from a snapshot, reviewed, and carried out here. After that, another apply of the plan has nothing
    // to do.
    server.expect(&["rollback", "--last"], 0, &[]);
    assert_eq!(realm_hint(&[]).as_deref(), Some("REG_DWORD 0x0"));
    let (snapshot, plan) = (server.path("s.json"), server.path("plan.json"));
    let (snapshot, plan) = (snapshot.to_str().unwrap(), plan.to_str().unwrap());
    server.expect(&["snapshot", "KB909094", "--out", snapshot], 0, &[]);
    let target = format!("snapshot:{snapshot}");
    server.expect(&["diff", "KB909094", "--target", &target, "--out", plan], 1, &["dword:00000001"]);
    server.expect(&["apply", "--plan", plan], 0, &["KB909094: changed"]);
    assert_eq!(realm_hint(&[]).as_deref(), Some("REG_DWORD 0x1"));
    server.expect(&["apply", "--plan", plan], 0, &["in desired state", "already applied"]);
    add(DAV, "DisableRealmHint", "REG_DWORD", "9");
    server.expect(&["apply", "--plan", plan], 2, &["plan-stale", "DisableRealmHint"]);

    the_32_bit_view(&server);
}

/// Tests a value in the 32-bit view, which `reg.exe` shows in that view and not in the other.
fn the_32_bit_view(server: &Server) {
    let spec = server.path("view.yaml");
    fs::write(
        &spec,
        "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\Microsoft\\Exchange\\kbfix-test\n    view: 32\n    \
         values: { v: { type: REG_DWORD, data: 50 } }\n",
    )
    .unwrap();
    let spec = spec.to_str().unwrap();
    let query = |view: &str| {
        let output = reg(&["query", r"HKLM\SOFTWARE\Microsoft\Exchange\kbfix-test", "/v", "v", view]);
        String::from_utf8_lossy(&output.stdout).contains("0x32")
    };
    server.expect(&["diff", spec], 1, &["32-bit view"]);
    server.expect(&["apply", spec], 0, &[]);
    assert_eq!((query("/reg:32"), query("/reg:64")), (true, false));
    server.expect(&["diff", spec], 0, &[]);
    server.expect(&["rollback", "--last"], 0, &[]);
    assert_eq!((query("/reg:32"), query("/reg:64")), (false, false));
    let left = reg(&["query", r"HKLM\SOFTWARE\Microsoft\Exchange", "/reg:32"]);
    assert!(!left.status.success(), "the parents that the apply created are still there: {left:?}");
}
