//! Checks exports with the tools that read them. Wine's `reg.exe` takes the `.reg` file in tests/local/export.rs.

use std::{fs, path::PathBuf, process::Command};

/// Returns a tool that tests/run names in an environment variable, or a tool in PATH.
fn tool(variable: &str, name: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    named.or_else(|| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()))
}

const LOSSY: &str = r#"
kbfix: 1
id: KB1
title: "All that tasks can say, and some that they cannot: {{ braces }} and a title that is much too long for one line of a file that a linter reads, which allows 160 columns"
applicable: { os: { at_least: "6.1" } }
registry:
  - key: HKLM\SOFTWARE\kbfix-test\a b
    values:
      "": { type: REG_SZ, data: "yes" }
      text: { type: REG_SZ, data: "{{ not jinja }}" }
      long: { type: REG_BINARY, data: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" }
      "1": { type: REG_DWORD, data: 4294967295 }
      list: { type: REG_MULTI_SZ, data: [a, "on", "b: c"] }
      gone: { ensure: absent }
      bits: { type: REG_DWORD, bits: { set: 1 } }
  - { key: HKLM\SOFTWARE\kbfix-test\old, ensure: absent }
  - { key: HKLM\SOFTWARE\kbfix-test\new, ensure: present }
"#;

#[test]
fn tasks_pass_ansible_lint() {
    let Some(lint) = tool("KBFIX_ANSIBLE_LINT", "ansible-lint") else {
        println!("SKIPPED: there is no ansible-lint; tests/run installs one");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let tasks = folder.path().join("tasks");
    fs::create_dir(&tasks).unwrap();
    let spec = folder.path().join("spec.txt");
    fs::write(&spec, LOSSY).unwrap();
    for (name, spec) in [("kb909094.yml", "KB909094"), ("kb1.yml", spec.to_str().unwrap())] {
        let export = Command::new(env!("CARGO_BIN_EXE_kbfix"))
            .args(["export", spec, "--format", "win_regedit", "--out"])
            .arg(tasks.join(name))
            .output()
            .unwrap();
        assert!(export.status.success(), "{export:?}");
        assert!(String::from_utf8_lossy(&export.stderr).contains("export-lossy"), "{export:?}");
    }
    // The folder of the tool comes first in PATH, because ansible-lint starts ansible itself.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = lint.parent().map(PathBuf::from).into_iter().chain(std::env::split_paths(&path));
    let output = Command::new(&lint)
        .args(["--offline", "--profile", "production", "--nocolor", "tasks/kb909094.yml", "tasks/kb1.yml"])
        .current_dir(folder.path())
        .env("PATH", std::env::join_paths(paths).unwrap())
        .env("HOME", folder.path())
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    // A linter that does not recognize the files as tasks would find nothing either.
    assert!(stderr.contains("Passed: 0 failure(s), 0 warning(s)"), "{stdout}\n{stderr}");
    fs::write(tasks.join("kb1.yml"), "---\n- win_regedit: {}\n").unwrap();
    let wrong = Command::new(&lint)
        .args(["--offline", "--profile", "production", "--nocolor", "tasks/kb1.yml"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert!(!wrong.status.success(), "{wrong:?}");
}
