//! Tests a `*` that matches very many keys: diff says so, and apply asks for `--max-changes`.

use crate::harness::Machine;

/// Returns a server with this number of instances of AD LDS, for KB4034879.
fn server(instances: usize) -> Machine {
    let system = r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet";
    let mut export = format!(
        "Windows Registry Editor Version 5.00\n\n\
         [HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n\"SystemRoot\"=\"C:\\\\Windows\"\n\
         \"CurrentVersion\"=\"6.3\"\n\"CurrentBuildNumber\"=\"17763\"\n\"CurrentMajorVersionNumber\"=dword:0000000a\n\
         \"CurrentMinorVersionNumber\"=dword:00000000\n\"UBR\"=dword:00000001\n\n\
         {system}\\Control\\ProductOptions]\n\"ProductType\"=\"ServerNT\"\n\n\
         {system}\\Control\\Session Manager\\Environment]\n\"PROCESSOR_ARCHITECTURE\"=\"AMD64\"\n\n\
         {system}\\Services]\n"
    );
    for number in 0..instances {
        export.push_str(&format!("\n{system}\\Services\\ADAM_{number}]\n"));
    }
    let machine = Machine::new();
    machine.set_export(&export);
    machine
}

#[test]
fn a_thousand_changes_through_a_star_are_made() {
    // Each instance is a key and a value.
    let machine = server(500);
    assert_eq!(machine.run("diff KB4034879 @target").code(1).stderr, "");
    machine.run("apply KB4034879 @target @state").code(0);
}

#[test]
fn more_are_made_only_when_the_operator_says_so() {
    let machine = server(501);
    let before = machine.export();
    machine.run("diff KB4034879 @target").code(1).says("warning[too-many-changes]");
    let refused = machine.run("apply KB4034879 @target @state").code(2).says("error[too-many-changes]");
    refused.says("KB4034879: 1002 keys and values").says("raise the limit (--max-changes 1002)");
    let report = machine.run("apply KB4034879 @target @state --format json").code(2).json();
    let allow = serde_json::json!([{ "name": "max-changes", "value": "1002" }]);
    assert_eq!(report["diagnostics"][0]["options"], allow);
    assert!(!report["diagnostics"][0]["hint"].as_str().unwrap().contains("--"), "{report:#}");
    assert_eq!(machine.export(), before);
    assert_eq!(machine.run("diff KB4034879 --max-changes 1002 @target").code(1).stderr, "");
    machine.run("apply KB4034879 --max-changes 1002 @target @state").code(0);
    assert_ne!(machine.export(), before);
}
