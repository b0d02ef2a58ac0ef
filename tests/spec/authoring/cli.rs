//! Tests the commands as a shell runs them.

use std::fs;

use assert_cmd::Command;

fn kbfix(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
    command.args(arguments).env("NO_COLOR", "1");
    command
}

fn stdout(arguments: &[&str]) -> String {
    let output = kbfix(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_spec_is_shown_in_each_format() {
    assert!(stdout(&["show", "KB909094"]).contains("CHANGES IN THE REGISTRY"));
    assert!(stdout(&["show", "KB909094", "--format", "markdown"]).starts_with("# KB909094: Event ID 1000"));
    assert!(stdout(&["show", "KB909094", "--format", "html"]).starts_with("<!DOCTYPE html>"));
    let value: serde_json::Value = serde_json::from_str(&stdout(&["show", "KB909094", "--format", "json"])).unwrap();
    assert_eq!(value["articles"][0]["id"], "KB909094");
    let set = stdout(&["show", "KB909094", "--set", "realm_hint=0"]);
    assert!(set.contains("set to 0") && set.contains("\"DisableRealmHint\"=dword:00000000"), "{set}");
}

#[test]
fn a_parameter_without_default_is_shown_by_its_name_and_not_by_what_takes_its_place() {
    let in_key = stdout(&["show", "KB240797"]);
    assert!(in_key.contains(r"\ActiveX Compatibility\{clsid}]") && !in_key.contains(r"Compatibility\0]"), "{in_key}");
    let in_data = stdout(&["show", "KB2020943", "--set", "http_request_bytes=32600"]);
    let unset = "; \"MaxFieldLength\" REG_DWORD: the value of the parameter http_field_length, which has no default\n";
    assert!(in_data.contains(unset) && !in_data.contains("\"MaxFieldLength\"="), "{in_data}");
    assert!(in_data.contains("\"MaxRequestBytes\"=dword:00007f58"), "{in_data}");
}

#[test]
fn a_diff_is_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let example = folder.path().join("example");
    kbfix(&["example", example.to_str().unwrap()]).assert().success();
    let target = format!("image:{}", example.display());
    let output = kbfix(&["diff", "KB909094", "--format", "html", "--target", &target]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains("<span class=\"add\">+&quot;DisableRealmHint&quot;=dword:00000001</span>"), "{page}");
}

#[test]
fn a_reg_file_becomes_a_spec_that_validates() {
    let folder = tempfile::tempdir().unwrap();
    let (reg, out) = (folder.path().join("a.reg"), folder.path().join("KB1.yaml"));
    fs::write(&reg, "REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\r\n\"x\"=dword:1\r\n\"y\"=-\r\n").unwrap();
    kbfix(&["import", reg.to_str().unwrap(), "--id", "KB1", "--out", out.to_str().unwrap()]).assert().success();
    let text = fs::read_to_string(&out).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema="), "{text}");
    assert!(text.contains("title: Registry settings of a.reg"), "{text}");
    assert_eq!(stdout(&["validate", out.to_str().unwrap()]), "valid: 1 spec, 0 errors, 0 warnings\n");

    fs::write(&reg, "REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\r\n\"x\"=hex(99):01\r\n").unwrap();
    let output = kbfix(&["import", reg.to_str().unwrap(), "--id", "KB1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("import-data") && error.contains("a.reg:4:1") && error.contains("hex(99):01"), "{error}");
    kbfix(&["import", reg.to_str().unwrap(), "--id", "no id"]).assert().code(2);
}

#[test]
fn a_manifest_becomes_a_spec_and_what_is_left_out_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, out) = (folder.path().join("a b.OSC.yaml"), folder.path().join("a.yaml"));
    let rule = |kind: &str, key: &str| {
        format!(
            "- {{ name: n, type: {kind}, properties: {{ keyPath: '{key}', valueName: v, valueType: REG_SZ, value: x }} }}\n"
        )
    };
    let text = |last: &str| format!("resources:\n{}{last}", rule("Microsoft.Windows/Registry", r"HKLM:\SOFTWARE\A"));
    fs::write(&manifest, text(&rule("Microsoft.Windows/Registry", r"HKXX\A"))).unwrap();
    let import = |options: &[&str]| {
        let paths = [manifest.to_str().unwrap(), "--out", out.to_str().unwrap()];
        kbfix(&[&["import", "--from", "osconfig"], paths.as_slice(), options].concat()).output().unwrap()
    };
    let output = import(&[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(error.contains("\"n\" is left out: \"HKXX\" is not a root key"), "{error}");
    assert!(error.contains("1 of 2 registry rules imported, 1 left out\nspec "), "{error}");
    let made = fs::read_to_string(&out).unwrap();
    assert!(made.contains("id: a-b\ntitle: Registry settings of a b.OSC.yaml\n"), "{made}");
    assert!(made.contains("  - 'Left out: \"n\": \"HKXX\" is not a root key'\n"), "{made}");
    assert_eq!(stdout(&["validate", out.to_str().unwrap()]), "valid: 1 spec, 0 errors, 0 warnings\n");

    // If a manifest is refused, or an option is for other kinds of file, the existing output file is not changed.
    for (options, why) in
        [(["--id", "X"].as_slice(), "nothing-desired"), (&["--lenient"], "cannot be used with '--lenient'")]
    {
        fs::write(&manifest, "resources: []\n").unwrap();
        let output = import(options);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(why), "{error}");
        assert_eq!(fs::read_to_string(&out).unwrap(), made);
    }
    fs::write(&manifest, " ".repeat((1 << 20) + 2)).unwrap();
    let output = import(&[]);
    assert!(
        output.status.code() == Some(2) && String::from_utf8_lossy(&output.stderr).contains("reg-too-large"),
        "{output:?}"
    );
}

#[test]
fn a_policy_becomes_a_spec_that_validates() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(place("User")).unwrap();
    let (pol, text, out) = (place("User/Registry.pol"), place("LGPO.txt"), place("P.yaml"));
    kbfix(&["export", "SMB-SIGNING", "--format", "pol", "--out", &pol]).assert().success();
    kbfix(&["export", "SMB-SIGNING", "--format", "lgpo", "--out", &text]).assert().success();

    // Both files have the same content, but only the text names its root key.
    let of_text = stdout(&["import", &text, "--id", "P", "--title", "t"]);
    let of_pol = stdout(&["import", &pol, "--root", "HKLM", "--id", "P", "--title", "t"]);
    assert_eq!(of_text.replace("LGPO.txt", "Registry.pol"), of_pol);
    let refused = |arguments: &[&str], says: &str| {
        let output = kbfix(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(says), "{error}");
    };
    refused(&["import", &pol, "--id", "P"], "--root HKCU");
    refused(&["import", &pol, "--id", "P", "--root", "HKU"], "must be HKLM or HKCU");
    refused(&["import", &text, "--id", "P", "--root", "HKLM"], "remove --root");
    fs::write(&text, "Computer\nSoftware\\A\nn\nREG_DWORD:1\n").unwrap();
    refused(&["import", &text, "--id", "P"], "LGPO.txt:4:1");

    kbfix(&["import", &pol, "--root", "HKCU", "--id", "P", "--out", &out]).assert().success();
    assert!(fs::read_to_string(&out).unwrap().contains("- key: HKCU\\"));
    assert_eq!(stdout(&["validate", &out]), "valid: 1 spec, 0 errors, 0 warnings\n");
}

#[test]
fn an_export_tells_what_it_cannot_say() {
    let lossy = |strict: bool| {
        let mut command = kbfix(&["export", "KB909094", "--format", "reg", "--set", "realm_hint=0"]);
        if strict {
            command.arg("--strict");
        }
        command.output().unwrap()
    };
    let output = lossy(false);
    assert!(output.status.success(), "{output:?}");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.matches("warning[export-lossy]").count(), 4, "{errors}");
    let units: Vec<u16> = output.stdout.chunks_exact(2).map(|p| u16::from_le_bytes([p[0], p[1]])).collect();
    let text = String::from_utf16(&units).unwrap();
    assert!(text.contains("\"DisableRealmHint\"=dword:00000000\r\n"), "{text}");
    assert!(text.contains("; - KB909094: the file does not test whether the hotfix KB909094 is installed"), "{text}");

    let output = lossy(true);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(stdout(&["export", "KB909094", "--format", "dsc"]).contains("DWord: 1"));
}
