//! Tests the scripts of a Microsoft Intune remediation.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

/// A spec with text that PowerShell could interpret.
const HOSTILE: &str = r#"
kbfix: 1
id: KB1
title: "Quotes ' \" ‘so’, $x, `n, @INPUT@ and Größe"
summary: |
  '@
  exit 0
parameters:
  plain: { description: p, type: string, default: why }
registry:
  - key: HKLM\SOFTWARE\kbfix-test
    values:
      plain: { type: REG_SZ, data: { parameter: plain } }
"#;

fn export(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
    command.arg("export").args(arguments).args(["--format", "intune", "--out"]).arg(folder);
    command.output().unwrap()
}

/// Returns the text of the script, and the input that the script gives to kbfix.
fn script(folder: &Path, name: &str) -> (String, String) {
    let bytes = fs::read(folder.join(name)).unwrap();
    assert!(bytes.is_ascii() && bytes.len() < 200_000, "{name}");
    let text = String::from_utf8(bytes).unwrap();
    let (_, input) = text.split_once("$specs = @'\n").unwrap();
    let (input, _) = input.split_once("\n'@\n").unwrap();
    assert!(!input.contains('\n'));
    (text.clone(), input.to_owned())
}

#[test]
fn the_scripts_carry_the_specs_and_the_choices() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("KB1.yaml");
    fs::write(&spec, HOSTILE).unwrap();
    let choices = ["--set", "realm_hint=0", "--set", "plain=Größe"];
    let output = export(folder.path(), &[&["KB909094", spec.to_str().unwrap()][..], &choices].concat());
    assert!(output.status.success(), "{output:?}");
    let machine = folder.path().join("machine.reg");
    fs::write(&machine, "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE]\r\n").unwrap();
    for (name, verb) in [("detect.ps1", "diff"), ("remediate.ps1", "apply")] {
        let (text, input) = script(folder.path(), name);
        assert!(text.contains(&format!("& $kbfix {verb} --stdin-specs --format json 2>$null")), "{text}");
        assert!(text.lines().take(5).all(|line| line.starts_with('#')), "{text}");
        assert_eq!(text.matches("\n'@").count(), 1);
        let mut kbfix = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        kbfix.args(["diff", "--stdin-specs", "--format", "json", "--target"]).arg(format!("reg:{}", machine.display()));
        let mut child = kbfix.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
        assert_eq!(report["specs"][0]["parameters"]["realm_hint"], "0", "{report}");
        assert_eq!(report["specs"][1]["parameters"]["plain"], "Größe");
        assert_eq!(report["specs"][1]["outcome"], "changes_pending");
    }
}

#[test]
fn a_secret_is_not_written_into_a_script() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("KB1.yaml");
    let secret = "parameters:\n  secret: { description: s, type: string, sensitive: true }\n";
    let value = "values:\n      secret: { type: REG_SZ, data: { parameter: secret } }\n";
    fs::write(&spec, HOSTILE.replace("parameters:\n", secret).replace("values:\n", value)).unwrap();
    let output = export(&folder.path().join("out"), &[spec.to_str().unwrap(), "--set", "secret=hunter2"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("must not contain secrets"), "{output:?}");
    assert!(!folder.path().join("out").exists());
    let output = Command::new(env!("CARGO_BIN_EXE_kbfix")).args(["export", "KB909094", "--format", "intune"]).output();
    assert_eq!(output.unwrap().status.code(), Some(2));
}

#[test]
fn the_scripts_parse_as_powershell() {
    let Some(python) = std::env::var_os("KBFIX_PYTHON") else {
        println!("SKIPPED: there is no parser of PowerShell; tests/run installs one");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("KB1.yaml");
    fs::write(&spec, HOSTILE).unwrap();
    assert!(export(folder.path(), &["KB909094", spec.to_str().unwrap()]).status.success());
    let parse = |scripts: &[&str]| {
        let mut command = Command::new(&python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spec/authoring/powershell.py"));
        command.args(scripts.iter().map(|name| folder.path().join(name))).output().unwrap()
    };
    let output = parse(&["detect.ps1", "remediate.ps1"]);
    assert!(output.status.success(), "{output:?}");
    fs::write(folder.path().join("wrong.ps1"), "if ($x { exit 1 }\n").unwrap();
    assert_eq!(parse(&["wrong.ps1"]).status.code(), Some(1));
}
