//! Tests specs of the library on the live registry. Their keys are moved below a scratch key, and the rest of the specs
//! is unchanged.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::{
    local::scratch::{Scratch, alone, reg, reg_ok},
    start::run,
};

/// Runs kbfix on this machine.
pub(crate) fn kbfix(arguments: &[&str], folder: &Path) -> Output {
    let state = folder.join("state");
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
    command.args(arguments).args(["--target", "local"]);
    if arguments[0] != "diff" {
        command.arg("--state-dir").arg(state);
    }
    run(&mut command)
}

/// Runs kbfix, which must end with `code`.
pub(crate) fn ends(code: i32, arguments: &[&str], folder: &Path) {
    let output = kbfix(arguments, folder);
    assert_eq!(output.status.code(), Some(code), "kbfix {arguments:?}: {output:?}");
}

/// Returns what `reg query` shows for a value in a view; `None` if the value is absent.
fn query(key: &str, value: &str, view: &str) -> Option<String> {
    let output = reg(&["query", key, "/v", value, view]);
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn certificate_padding_is_checked_in_both_views() {
    let _alone = alone();
    let scratch = Scratch::machine("padding");
    let config = format!(r"{}\Wintrust\Config", scratch.path());
    let spec = include_str!("../../../specs/CVE-2013-3900.yaml");
    // The condition `applicable` is about a file of Windows. This test is only about the values.
    let (head, rest) = spec.split_once("\napplicable:").unwrap();
    let (_, registry) = rest.split_once("\nregistry:").unwrap();
    let registry = registry.replace(r"HKLM\SOFTWARE\Microsoft\Cryptography\Wintrust\Config", &config);
    assert!(registry.contains(&config));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.yaml");
    fs::write(&file, format!("{head}\nregistry:{registry}")).unwrap();
    let file = file.to_str().unwrap();
    let value = "EnableCertPaddingCheck";

    ends(1, &["diff", file], folder.path());
    ends(0, &["apply", file], folder.path());
    for view in ["/reg:64", "/reg:32"] {
        let found = query(&config, value, view).unwrap_or_else(|| panic!("{view}: nothing there"));
        assert_eq!(found.split_whitespace().skip(1).collect::<Vec<_>>(), [value, "REG_SZ", "1"], "{view}");
    }
    ends(0, &["diff", file], folder.path());

    // The value is also in desired state as a number, in one view or in both.
    reg_ok(&["add", &config, "/v", value, "/t", "REG_DWORD", "/d", "1", "/f", "/reg:32"]);
    ends(0, &["diff", file], folder.path());
    reg_ok(&["add", &config, "/v", value, "/t", "REG_SZ", "/d", "0", "/f", "/reg:64"]);
    ends(1, &["diff", file], folder.path());

    reg_ok(&["add", &config, "/v", value, "/t", "REG_DWORD", "/d", "1", "/f", "/reg:64"]);
    ends(0, &["diff", file], folder.path());

    reg_ok(&["add", &config, "/v", value, "/t", "REG_SZ", "/d", "1", "/f", "/reg:64"]);
    reg_ok(&["add", &config, "/v", value, "/t", "REG_SZ", "/d", "1", "/f", "/reg:32"]);
    ends(0, &["rollback", "--last"], folder.path());
    for view in ["/reg:64", "/reg:32"] {
        assert_eq!(query(&config, value, view), None, "{view}");
    }
}

#[test]
fn hkcu_is_the_hive_of_each_user_with_a_profile() {
    let _alone = alone();
    let scratch = Scratch::user("hkcu");
    let below = scratch.key.path.below_root().split_once('\\').unwrap().1.to_owned();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.yaml");
    let key = format!(r"HKCU\{below}\Word\Security");
    let spec = format!(
        "kbfix: 1\nid: X\ntitle: T\nregistry:\n  - key: '{key}'\n    values: {{ AllowDDE: {{ type: REG_DWORD, data: 0 }} }}\n"
    );
    fs::write(&file, spec).unwrap();
    let file = file.to_str().unwrap();

    let shown = kbfix(&["diff", file], folder.path());
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    let this_user = format!("@@ [{}", scratch.key.path.to_long());
    let is_of_another = |line: &&str| line.starts_with("@@ [HKEY_USERS") && !line.starts_with(&this_user);
    if text.lines().filter(is_of_another).count() > 0 || shown.status.code() == Some(4) {
        println!("\nSKIPPED: this machine has further users");
        return;
    }
    assert_eq!(shown.status.code(), Some(1), "{shown:?}");
    assert!(text.contains(&format!(r"[{}\Word\Security]", scratch.key.path.to_long())), "{text}");
    ends(0, &["apply", file], folder.path());
    assert!(query(&key, "AllowDDE", "/reg:64").unwrap().contains("0x0"));
    ends(0, &["rollback", "--last"], folder.path());
    assert_eq!(query(&key, "AllowDDE", "/reg:64"), None);
}
