//! Saved plans: what was reviewed is carried out, or nothing is.

use crate::harness::{Machine, Run};

fn plan(machine: &Machine) -> String {
    machine.run("diff KB909094 @target --out @/plan.json").code(1);
    let text = machine.read("plan.json");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["digest"].as_str().unwrap().to_owned()
}

/// The plan is refused with exit code 2; nothing is changed, and there is no journal.
fn refused(machine: &Machine, arguments: &str) -> Run {
    let before = machine.export();
    let run = machine.run(&format!("apply --plan @/plan.json {arguments} @target @state")).code(2);
    assert_eq!(run.stdout, "");
    assert_eq!(machine.export(), before);
    assert_eq!(machine.journals(), Vec::<String>::new());
    run
}

#[test]
fn a_reviewed_plan_is_carried_out() {
    let machine = Machine::new();
    let digest = plan(&machine);
    machine.run("diff KB909094 @target").code(1);
    let line = format!("apply --plan @/plan.json --digest {digest} @target @state");
    machine.run(&line).code(0).says("KB909094: changed");
    assert!(machine.export().contains("\"DisableRealmHint\"=dword:00000001"));
    machine.run("rollback --last @state").code(0);
    // The same state again: the plan holds again, also from standard input and without `sha256:`.
    let text = machine.read("plan.json");
    let bare = digest.trim_start_matches("sha256:").to_uppercase();
    machine.run_with(&format!("apply --plan - --digest {bare} @target @state"), &text).code(0);
}

#[test]
fn a_wrong_digest_is_refused() {
    let machine = Machine::new();
    plan(&machine);
    let wrong = format!("--digest sha256:{}", "0".repeat(64));
    refused(&machine, &wrong)
        .says("[DIR]/plan.json: it is not the plan")
        .says("plan-digest")
        .says("not the plan that was approved");
    refused(&machine, "--digest 1234").says("plan-digest");
}

#[test]
fn an_altered_plan_is_refused() {
    let machine = Machine::new();
    plan(&machine);
    let text = machine.read("plan.json");
    for (from, to) in [
        ("\"01000000\"", "\"02000000\""),
        ("DisableRealmHint", "DisableRealmHinT"),
        ("\"kbfix_plan\": 1", "\"kbfix_plan\": 2"),
        ("FRONTEND1", "FRONTEND2"),
        ("\"digest\": \"sha256:", "\"digest\": \"sha256:0"),
    ] {
        assert!(text.contains(from), "{from}: {text}");
        machine.write("plan.json", &text.replace(from, to));
        refused(&machine, "").says("plan-");
    }
    for text in ["", "{}", "[]", "{ \"kbfix_plan\": 1 }", "not json"] {
        machine.write("plan.json", text);
        refused(&machine, "").says("plan-invalid").says("[DIR]/plan.json: ");
    }
}

#[test]
fn how_the_file_is_laid_out_does_not_matter() {
    let machine = Machine::new();
    let digest = plan(&machine);
    let value: serde_json::Value = serde_json::from_str(&machine.read("plan.json")).unwrap();
    machine.write("plan.json", &value.to_string());
    machine.run(&format!("apply --plan @/plan.json --digest {digest} @target @state")).code(0);
}

#[test]
fn a_stale_plan_is_refused_and_what_moved_is_named() {
    for (from, to, place) in [
        ("\"ServicePackNumber\"=dword:00000002", "\"ServicePackNumber\"=dword:00000003", "ServicePackNumber"),
        ("MSExchangeWEB\\OWA]", "MSExchangeWEB\\DAV]", r"MSExchangeWEB\DAV: was absent, is present"),
        ("\"PROCESSOR_ARCHITECTURE\"=\"x86\"", "\"PROCESSOR_ARCHITECTURE\"=\"AMD64\"", "PROCESSOR_ARCHITECTURE"),
    ] {
        let machine = Machine::new();
        plan(&machine);
        machine.edit(&[(from, to)]);
        refused(&machine, "")
            .says("plan-stale")
            .says("[DIR]/plan.json: the plan is stale: 1 fact that it rests on moved")
            .says(place);
        let report = refused_json(&machine);
        assert_eq!(report["moved"].as_array().unwrap().len(), 1, "{report}");
    }
    let machine = Machine::new();
    plan(&machine);
    machine.set_dll([6, 5, 7651, 20]);
    refused(&machine, "").says("plan-stale").says("was file version 6.5.7651.19").says("is file version 6.5.7651.20");
}

fn refused_json(machine: &Machine) -> serde_json::Value {
    let report = machine.run("apply --plan @/plan.json --format json @target @state").code(2).json();
    assert_eq!(report["exit_code"], 2);
    assert_eq!(report["changed"], false);
    report
}

#[test]
fn what_the_plan_does_not_rest_on_may_move() {
    let machine = Machine::new();
    plan(&machine);
    machine.edit(&[("\"LogonTimeout\"=dword:0000000f", "\"LogonTimeout\"=dword:00000010")]);
    machine.run("apply --plan @/plan.json @target @state").code(0);
}

#[test]
fn a_plan_for_another_machine_is_refused() {
    for (from, to) in [
        ("\"ComputerName\"=\"FRONTEND1\"", "\"ComputerName\"=\"FRONTEND2\""),
        ("6f2a8c54-90d1-4a7e-9b35-0909094e2003", "00000000-90d1-4a7e-9b35-0909094e2003"),
        ("\"ComputerName\"=\"FRONTEND1\"\r\n", ""),
    ] {
        let machine = Machine::new();
        plan(&machine);
        machine.edit(&[(from, to)]);
        refused(&machine, "").says("plan-other-machine").says("the plan is for FRONTEND1");
    }
}

#[test]
fn a_blocked_plan_changes_nothing() {
    let machine = Machine::new();
    machine.set_dll([6, 5, 7638, 1]);
    machine.run("diff KB909094 @target --out @/plan.json").code(4);
    machine.run("apply --plan @/plan.json @target @state").code(4).says("blocked");
    assert_eq!(machine.journals(), Vec::<String>::new());
}
