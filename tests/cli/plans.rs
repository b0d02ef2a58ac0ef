//! Tests saved plans: either exactly the reviewed plan is carried out, or nothing is changed.

use crate::harness::{Machine, Run};

fn plan(machine: &Machine) -> String {
    machine.run("diff KB909094 @target --out @/plan.json").code(1);
    let text = machine.read("plan.json");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["digest"].as_str().unwrap().to_owned()
}

/// Checks that the plan is refused with exit code 2, that nothing is changed, and that no journal is written.
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
    // In the same state as before, the plan is accepted again, also from standard input and with a digest without
    // `sha256:`.
    let text = machine.read("plan.json");
    let bare = digest.trim_start_matches("sha256:").to_uppercase();
    machine.run_with(&format!("apply --plan - --digest {bare} @target @state"), &text).code(0);
    // An error in the plan is reported under the name that `--stdin-name` gives.
    for (name, says) in [("", "standard input: this is not"), (" --stdin-name h.plan.json", "h.plan.json: this is not")]
    {
        machine.run_with(&format!("apply --plan - --digest 00{name} @target @state"), &text).code(2).says(says);
        machine.run_with(&format!("diff --plan - --digest 00{name} @target"), &text).code(2).says(says);
    }
}

#[test]
fn a_wrong_digest_is_refused() {
    let machine = Machine::new();
    plan(&machine);
    let wrong = format!("--digest sha256:{}", "0".repeat(64));
    refused(&machine, &wrong)
        .says("[DIR]/plan.json: this is not the plan")
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
    ] {
        let machine = Machine::new();
        plan(&machine);
        machine.edit(&[(from, to)]);
        refused(&machine, "")
            .says("plan-stale")
            .says("[DIR]/plan.json: the plan is stale: 1 of its facts changed")
            .says(place);
        let report = refused_json(&machine);
        assert_eq!(report["moved"].as_array().unwrap().len(), 1, "{report}");
    }
    let machine = Machine::new();
    plan(&machine);
    machine.set_dll([6, 5, 7651, 20]);
    refused(&machine, "").says("plan-stale").says("was file version 6.5.7651.19").says("is file version 6.5.7651.20");
}

/// It is not an error to carry out a plan again, for example after an interrupted run over many machines.
#[test]
fn a_plan_whose_changes_are_all_in_place_is_carried_out_already() {
    let machine = Machine::new();
    let digest = plan(&machine);
    machine.run("apply --plan @/plan.json @target @state").code(0);
    let (before, journals) = (machine.export(), machine.journals());
    for command in ["apply @state", "apply --check @state", "diff"] {
        let (command, state) = command.split_once(" @state").map_or((command, ""), |(c, _)| (c, "@state"));
        let line = format!("{command} --plan @/plan.json --digest {digest} @target {state}");
        machine.run(&line).code(0).says("KB909094: in desired state").says("the plan was already applied");
        let report = machine.run(&format!("{line} --format json")).code(0).json();
        assert_eq!(report["outcome"], "in_desired_state");
        assert_eq!((&report["changed"], &report["journal"]), (&false.into(), &serde_json::Value::Null));
        // The report as it is printed, because `run` replaces digests.
        let printed = machine.command(&format!("{line} --format json")).output().unwrap().stdout;
        assert!(String::from_utf8(printed).unwrap().contains(&digest), "{line}");
        assert!(report["specs"][0].get("changes").is_none(), "{report}");
        assert_eq!(report["restart"]["services"], serde_json::json!([]));
    }
    assert_eq!((machine.export(), machine.journals()), (before, journals));
}

#[test]
fn a_plan_that_was_carried_out_is_stale_when_anything_else_moved() {
    for (from, to, place) in [
        ("\"DisableRealmHint\"=dword:00000001", "\"DisableRealmHint\"=dword:00000000", r"MSExchangeWEB\DAV"),
        ("\"DisableRealmHint\"=dword:00000001", "\"DisableRealmHint\"=\"1\"", r"MSExchangeWEB\DAV"),
        // Another value in the key that the plan creates: the plan contains the complete content of that key.
        (
            "\"DisableRealmHint\"=dword:00000001",
            "\"DisableRealmHint\"=dword:00000001\r\n\"B\"=\"\"",
            r"MSExchangeWEB\DAV",
        ),
        ("\"ServicePackNumber\"=dword:00000002", "\"ServicePackNumber\"=dword:00000003", "ServicePackNumber"),
    ] {
        let machine = Machine::new();
        plan(&machine);
        machine.run("apply --plan @/plan.json @target @state").code(0);
        machine.edit(&[(from, to)]);
        let before = machine.export();
        machine.run("apply --plan @/plan.json @target @state").code(2).says("plan-stale").says(place);
        machine.run("diff --plan @/plan.json @target").code(2).says("plan-stale");
        assert_eq!(machine.export(), before);
    }
    let machine = Machine::new();
    plan(&machine);
    machine.run("apply --plan @/plan.json @target @state").code(0);
    machine.set_dll([6, 5, 7651, 20]);
    machine.run("apply --plan @/plan.json @target @state").code(2).says("plan-stale").says("6.5.7651.20");
}

/// If only one of two changes is in place, the plan is stale.
#[test]
fn a_plan_of_which_a_part_is_in_place_is_stale() {
    let machine = Machine::new();
    let spec = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\OWA\n    \
                values:\n      A: { type: REG_DWORD, data: 1 }\n      B: { type: REG_DWORD, data: 1 }\n";
    machine.write("t.yaml", spec);
    machine.write("half.yaml", spec.split_inclusive("data: 1 }\n").next().unwrap());
    machine.run("diff @/t.yaml @target --out @/plan.json").code(1);
    machine.run("apply @/half.yaml @target @state").code(0);
    machine.run("apply --plan @/plan.json @target @state").code(2).says("plan-stale");
    machine.run("apply @/t.yaml @target @state").code(0);
    machine.run("apply --plan @/plan.json @target @state").code(0).says("the plan was already applied");
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
    // The number of registry views matters to specs that name a view.
    machine.run("apply --plan @/plan.json @target @state").code(0);
}

/// If an export holds only a part of a key, another query may find out more about the key.
#[test]
fn a_plan_that_rests_on_what_could_not_be_read_is_not_stale_for_that() {
    let machine = Machine::new();
    machine.set_export("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n");
    let spec = |id: &str, key: &str| {
        format!(
            "kbfix: 1\nid: {id}\ntitle: t\nregistry:\n  - {{ key: {key}, values: {{ v: {{ type: REG_SZ, data: x }} }} }}\n"
        )
    };
    machine.write("a.yaml", &spec("A", r"HKLM\SOFTWARE\*"));
    machine.write("b.yaml", &spec("B", r"HKLM\SOFTWARE\T"));
    machine.run("diff @/a.yaml @/b.yaml @target --out @/plan.json").code(4).says("contains only a part of HKLM");
    machine.run("apply --plan @/plan.json @target @state").code(4).says("1 value created");
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

/// A clone has the name, the MachineGuid and the facts of the original machine. Only its address differs.
#[test]
fn a_plan_of_one_clone_for_another_is_warned_of() {
    let machine = Machine::new();
    machine.run("example @/one").code(0);
    machine.run("example @/two").code(0);
    machine.run("diff KB909094 --target image:@/one --out @/plan.json").code(1);
    for (line, code) in
        [("diff", 1), ("apply --check @state", 1), ("apply @state", 0), ("apply @state", 0), ("diff", 0)]
    {
        let (command, state) = line.split_once(' ').unwrap_or((line, ""));
        let run = machine.run(&format!("{command} --plan @/plan.json --target image:@/two {state}")).code(code);
        run.says("plan-other-target")
            .says("the plan was made from image:[DIR]/one, but this target is image:[DIR]/two");
    }
    let own = machine.run("diff --plan @/plan.json --target image:@/one").code(1);
    assert!(!own.stderr.contains("plan-other-target"), "{own:?}");
    machine.run("snapshot KB909094 --target image:@/one --out @/one.json").code(0);
    machine.run("diff KB909094 --target snapshot:@/one.json --out @/plan.json").code(1);
    let run = machine.run("apply --plan @/plan.json --target image:@/one @state").code(0);
    assert!(!run.stderr.contains("plan-other-target"), "{run:?}");
}

/// After a plan that renames the computer, the computer still counts as the same machine.
#[test]
fn a_plan_that_renames_the_computer_is_carried_out_already() {
    let machine = Machine::new();
    machine.write(
        "rename.yaml",
        "kbfix: 1\nid: RENAME\ntitle: t\nregistry:\n- key: HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName\n\
         \x20 values: { ComputerName: { type: REG_SZ, data: OTHER } }\n",
    );
    machine.run("diff @/rename.yaml @target --out @/plan.json").code(1);
    machine.run("apply --plan @/plan.json @target @state").code(0);
    machine.run("apply --plan @/plan.json @target @state").code(0).says("already applied");
    machine.run("rollback --last @state").code(0).says("plan-other-machine");
    machine.run("apply --plan @/plan.json @target @state").code(0).says("RENAME: changed");
}

#[cfg(unix)]
#[test]
fn a_plan_and_a_snapshot_are_for_their_owner_only_and_a_file_that_is_there_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new();
    let mode = |file: &str| std::fs::metadata(machine.path(file)).unwrap().permissions().mode() & 0o777;
    machine.run("diff KB909094 @target --out @/plan.json").code(1);
    machine.run("snapshot KB909094 @target --out @/snapshot.json").code(0);
    assert_eq!((mode("plan.json"), mode("snapshot.json")), (0o600, 0o600));
    std::fs::set_permissions(machine.path("plan.json"), std::fs::Permissions::from_mode(0o644)).unwrap();
    machine.run("diff KB909094 @target --out @/plan.json").code(1);
    assert_eq!(mode("plan.json"), 0o644);
}
