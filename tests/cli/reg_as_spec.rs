//! A `.reg` file, a `Registry.pol` or the text for LGPO.exe in place of a spec.

use crate::harness::Machine;

const REG: &str = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\MSExchangeWEB\\OWA]\r\n\
                   \"Größe\"=dword:00000007\r\n\"Old\"=-\r\n";

fn utf16(text: &str) -> Vec<u8> {
    [vec![0xFF, 0xFE], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
}

#[test]
fn it_is_checked_applied_and_rolled_back_as_a_spec_is() {
    let machine = Machine::new();
    std::fs::write(machine.path("my_fix.reg"), utf16(REG)).unwrap();
    let before = machine.export();
    // The warnings of the import are reported, on standard error and in the document.
    let diff = machine.run("diff @/my_fix.reg @target --format json").code(1).says("import-control-set");
    let report = diff.json();
    assert_eq!(report["specs"][0]["id"], "my_fix", "{report:#}");
    assert_eq!(report["diagnostics"][0]["severity"], "warning", "{report:#}");
    assert!(report["diagnostics"][0]["place"]["file"].as_str().unwrap().ends_with("my_fix.reg"), "{report:#}");
    // They are also in the report of a command that an error stopped.
    let line = "diff @/my_fix.reg --target snapshot:@/none.json --format json";
    let report = machine.run(line).code(3).json();
    let codes: Vec<_> = report["diagnostics"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
    assert_eq!(codes, ["import-control-set", "target-unreadable"], "{report:#}");
    for format in ["dsc", "intune --out @/scripts"] {
        machine.run(&format!("export @/my_fix.reg --format {format}")).code(0).says("import-control-set");
    }
    machine.run("validate @/my_fix.reg").code(0).says("1 warning");
    machine.run("apply @/my_fix.reg @target @state").code(0).says("my_fix: changed");
    assert!(machine.export().contains("\"Größe\"=dword:00000007"), "{}", machine.export());
    machine.run("apply @/my_fix.reg @target @state").code(0).says("in desired state");
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export(), before);
}

/// The spec that is made from the file has a limit, but the file may be larger.
#[test]
fn a_file_may_be_larger_than_a_spec() {
    let machine = Machine::new();
    let comment = format!("; {}\r\n", "x".repeat(1 << 20));
    std::fs::write(machine.path("large.reg"), utf16(&format!("{REG}{comment}"))).unwrap();
    machine.run("diff @/large.reg @target").code(1).says("import-control-set");
    std::fs::write(machine.path("large.yaml"), comment.replace(';', "#")).unwrap();
    machine.run("diff @/large.yaml @target").code(2).says("file-too-large").says("more than 1048576 bytes");
}

#[test]
fn an_article_names_a_file_as_on_a_command_line() {
    let machine = Machine::new();
    for (file, shown) in [("a.reg", "a.reg"), ("my fix.reg", "\"my fix.reg\""), ("$(a).reg", "SPEC")] {
        std::fs::write(machine.path(file), utf16(REG)).unwrap();
        let output = machine.command("show").arg(file).current_dir(machine.path("")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("kbfix diff {shown}  ")), "{text}");
    }
}

#[test]
fn text_on_standard_input_is_in_unicode_and_a_file_may_have_to_be_imported() {
    let machine = Machine::new();
    for (name, id) in [("spec", "spec"), ("a/b c!.reg", "b-c"), ("¡.reg", "registry")] {
        let piped = serde_json::json!([{ "name": name, "text": REG }]).to_string();
        let report = machine.run_with("diff --stdin-specs @target --format json", &piped).code(1).json();
        assert_eq!(report["specs"][0]["id"], id);
        assert_eq!(report["specs"][0]["changes"][0]["values"][0]["name"], "Größe", "{report:#}");
    }
    std::fs::write(machine.path("old.reg"), b"REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n\"a\"=\"\xE9\"\r\n")
        .unwrap();
    machine
        .run("diff @/old.reg @target")
        .code(2)
        .says("reg-code-page")
        .says("old.reg:4")
        .says("with `kbfix import` and --code-page N");
    std::fs::write(machine.path("bad.reg"), "REGEDIT4\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\r\n").unwrap();
    machine.run("apply @/bad.reg @target @state").code(2).says("bad.reg:2").says("with `kbfix import` and --lenient");
}

#[test]
fn the_code_page_of_a_text_for_lgpo_can_be_given_unless_it_has_a_mark() {
    let machine = Machine::new();
    let text = b"Computer\r\nSoftware\\Policies\\T\r\na\r\nSZ:\xE9\r\n";
    std::fs::write(machine.path("p.txt"), text).unwrap();
    machine
        .run("import @/p.txt")
        .code(2)
        .says("reg-code-page")
        .says("or give its code page, such as 1252 (--code-page N)");
    machine.run("import @/p.txt --code-page 1252").code(0).says("data: é");
    std::fs::write(machine.path("p.txt"), [&b"\xEF\xBB\xBF"[..], text].concat()).unwrap();
    let run = machine.run("import @/p.txt").code(2).says("save the file as UTF-8 with a byte order mark");
    assert!(!run.stderr.contains("code-page N"), "{}", run.stderr);
}

/// A `Registry.pol` that sets one number.
fn pol() -> Vec<u8> {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let start = wide("[SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\OWA\0;p\0;");
    let number = |number: u32| number.to_le_bytes().to_vec();
    let parts = [start, number(4), wide(";"), number(4), wide(";"), number(7), wide("]")];
    [b"PReg\x01\0\0\0".to_vec(), parts.concat()].concat()
}

#[test]
fn a_policy_and_the_text_of_one_are_specs_too_and_other_files_say_what_they_are() {
    let machine = Machine::new();
    let before = machine.export();
    std::fs::write(machine.path("Registry.pol"), pol()).unwrap();
    let text = "; a comment\r\nComputer\r\nSYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\OWA\r\np\r\nDWORD:7\r\n";
    std::fs::write(machine.path("policy.txt"), text).unwrap();
    for (file, id) in [("Registry.pol", "Registry"), ("policy.txt", "policy")] {
        machine.run(&format!("validate @/{file}")).code(0);
        let report = machine.run(&format!("diff @/{file} @target --format json")).code(1).json();
        assert_eq!(report["specs"][0]["id"], id, "{report:#}");
        assert_eq!(report["specs"][0]["changes"][0]["values"][0]["name"], "p", "{report:#}");
        machine.run(&format!("apply @/{file} @target @state")).code(0).says("p\"=dword:00000007");
        machine.run("rollback --last @state").code(0);
        assert_eq!(machine.export(), before);
    }
    let piped = serde_json::json!([{ "name": "policy.txt", "text": text }]).to_string();
    machine.run_with("diff --stdin-specs @target", &piped).code(1).says("p\"=dword:00000007");

    // Nothing tells whether the policy is for the machine or for users.
    std::fs::create_dir(machine.path("User")).unwrap();
    std::fs::copy(machine.path("Registry.pol"), machine.path("User/Registry.pol")).unwrap();
    machine.run("import @/User/Registry.pol").code(2).says("may be a policy for users").says("--root");
    machine.run("diff @/User/Registry.pol @target").code(2).says("with `kbfix import` and --root HKCU");
    // The same if the path does not name the folder.
    let mut import = std::process::Command::new(env!("CARGO_BIN_EXE_kbfix"));
    let import = import.args(["import", "Registry.pol"]).current_dir(machine.path("User")).output().unwrap();
    assert!(String::from_utf8_lossy(&import.stderr).contains("may be a policy for users"), "{import:?}");
    assert_eq!(import.status.code(), Some(2));

    std::fs::write(machine.path("SOFTWARE"), b"regf\x01\0\0\0").unwrap();
    std::fs::write(machine.path("a.osc.yaml"), "$schema: x\nresources: []\n").unwrap();
    for command in ["import @/SOFTWARE", "diff @/SOFTWARE @target", "diff KB909094 --target reg:@/SOFTWARE"] {
        let run = machine.run(command).says("reg-hive").says("hive:SOFTWARE=HKLM");
        // The bytes of a hive are not shown as text.
        assert!(!run.stderr.contains("regf"), "{run:#?}");
    }
    for command in ["import @/a.osc.yaml", "diff @/a.osc.yaml @target"] {
        machine.run(command).code(2).says("--from osconfig");
    }
    std::fs::write(machine.path("a.osc.yaml"), "other: []\n").unwrap();
    machine.run("import --from osconfig @/a.osc.yaml").code(2).says("a manifest has a list `resources`");
}
