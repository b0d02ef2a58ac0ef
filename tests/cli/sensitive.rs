//! Tests sensitive data: it is in the plan file and in the journal, and nowhere else.

use serde_json::Value;

use crate::harness::{Machine, Run};

const SPEC: &str = r"kbfix: 1
id: SECRET
title: t
parameters: { password: { description: of the service, type: string, sensitive: true } }
prerequisites:
  - title: a token
    registry: { key: HKLM\SOFTWARE\T, name: Token, equals: hunter1 }
registry:
  - key: HKLM\SOFTWARE\T
    values:
      Password: { type: REG_SZ, data: { parameter: password } }
      Token: { type: [REG_SZ, REG_EXPAND_SZ], data: hunter1, if_absent: hunter5, sensitive: true }
      List: { list: { add: [hunter6] }, sensitive: true }
";

/// The sensitive words: as text, and as the bytes of their first letters in UTF-16.
const SECRETS: [&str; 3] = ["hunter", "680075006e00", "68,00,75,00"];

fn hides(run: Run) -> Run {
    let stdout = &run.stdout;
    for text in SECRETS {
        assert!(!stdout.contains(text) && !run.stderr.contains(text), "{text} is in {run:?}");
    }
    run
}

fn machine() -> Machine {
    let machine = Machine::new();
    machine.set_export(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n\
         \"Password\"=\"hunter0\"\r\n\"Token\"=\"hunter1\"\r\n",
    );
    machine.write("s.yaml", SPEC);
    machine
}

#[test]
fn no_diff_report_journal_or_message_shows_it_and_the_plan_and_the_journal_have_it() {
    let machine = machine();
    let line = "@/s.yaml --set password=hunter2 @target";
    for format in ["human", "json", "markdown", "html"] {
        hides(machine.run(&format!("diff {line} --format {format}")).code(1));
    }
    let script = machine.command(&format!("diff {line} --format reg")).output().unwrap();
    let script = String::from_utf16_lossy(
        &script.stdout.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect::<Vec<_>>(),
    );
    assert!(
        script.contains("\"Password\": left out because its data is sensitive") && !script.contains("hunter"),
        "{script}"
    );
    let run = hides(machine.run(&format!("diff {line} --out @/plan.json")).code(1));
    let run = run.says("-\"Password\"=(REG_SZ, hidden)").says("+\"Password\"=(REG_SZ, hidden; it differs)");
    run.says("found REG_SZ (hidden), wanted (hidden)").says("password = (hidden)");
    let report: Value = serde_json::from_str(&machine.run(&format!("diff {line} --format json")).stdout).unwrap();
    let hidden = serde_json::json!({ "type": "REG_SZ", "text": "(hidden)", "hidden": true });
    let spec = &report["specs"][0];
    assert_eq!(spec["changes"][0]["values"][1]["before"], hidden);
    assert_eq!(spec["changes"][0]["values"][1]["after"], hidden);
    assert_eq!(spec["satisfied"][0]["data"], hidden);
    assert!(machine.read("plan.json").contains("hunter2"));
    // The digest covers sensitive data.
    let digest = |password: &str| {
        let line = format!("diff @/s.yaml --set password={password} @target --format json");
        serde_json::from_slice::<Value>(&machine.command(&line).output().unwrap().stdout).unwrap()["digest"].clone()
    };
    assert_ne!(digest("hunter3"), digest("hunter2"));

    hides(machine.run("apply --plan @/plan.json @target @state").code(0)).says("it differs");
    assert!(machine.export().contains("hunter2"));
    let journal = machine.journals().remove(0);
    assert!(machine.read(&format!("state/journal/{journal}")).contains("hunter0"));
    for format in ["human", "json"] {
        hides(machine.run(&format!("journal show @/state/journal/{journal} @state --format {format}")).code(0));
    }
    // Somebody else has changed the value: the rollback has a conflict, and the plan is stale.
    machine.set_export(&machine.export().replace("hunter2", "hunter4"));
    hides(machine.run("rollback --last --check @state --format json").code(4)).says("REG_SZ (hidden)");
    hides(machine.run("apply --plan @/plan.json @target @state").code(2))
        .says("was REG_SZ (hidden), is REG_SZ (hidden)");
    hides(machine.run("rollback --last --force @state").code(0));
    assert!(machine.export().contains("hunter0"));
}

#[test]
fn no_message_shows_it() {
    let machine = machine();
    // Another spec of the run wants other data.
    let other = r"kbfix: 1
id: OTHER
title: t
registry:
  - key: HKLM\SOFTWARE\T
    when: { registry: { key: HKLM\SOFTWARE\T } }
    values: { Password: { type: REG_SZ, data: plain } }
";
    machine.write("other.yaml", other);
    let run = hides(machine.run("diff @/s.yaml @/other.yaml --set password=hunter2 @target").code(4));
    run.says("SECRET, earlier in this run, requires REG_SZ (hidden), but this spec requires REG_SZ (hidden)");
    hides(machine.run("diff @/other.yaml @/s.yaml --set password=hunter2 @target").code(4));
    // The present data is not a list, so its strings cannot be kept.
    machine.set_export(&machine.export().replace("\"Token\"", "\"List\"=hex:68,00,75,00,6e,00\r\n\"Token\""));
    hides(machine.run("diff @/s.yaml --set password=hunter2 @target").code(4)).says("not shown");
    // Data for a parameter that does not fit its type.
    let typed = SPEC.replace("type: string, sensitive", "type: number, sensitive");
    machine
        .write("typed.yaml", &typed.replace("type: REG_SZ, data: { parameter", "type: REG_DWORD, data: { parameter"));
    hides(machine.run("diff @/typed.yaml --set password=hunter2 @target").code(2)).says("setting-not-allowed");
    machine.write("hex.yaml", &SPEC.replace("type: REG_SZ, data: { parameter", "type: REG_BINARY, data: { parameter"));
    hides(machine.run("diff @/hex.yaml --set password=hunter2 @target").code(2)).says("setting-not-allowed");
}

#[test]
fn the_article_hides_it_and_an_export_warns() {
    let machine = machine();
    let spec = SPEC.replace("sensitive: true } }\nprereq", "sensitive: true, default: hunter7 } }\nprereq");
    machine.write("s.yaml", &spec.replace(", equals: hunter1", ""));
    for format in ["human", "json", "markdown", "html"] {
        hides(machine.run(&format!("show @/s.yaml --format {format}")).code(0));
    }
    for format in ["reg", "dsc", "win_regedit"] {
        let run = machine.run(&format!("export @/s.yaml --format {format} --out @/export")).code(0);
        let run = hides(run).says("the data is sensitive, but everybody who has the file can read it");
        // Each loss of this kind has its own hint.
        let hint = "give the file only to people who may know the data, or let kbfix itself apply the spec";
        assert_eq!(run.stderr.matches(hint).count(), 2, "{}", run.stderr);
        // Ansible logs the arguments of a task, and with --diff also the data before the task.
        if format == "win_regedit" {
            let tasks = machine.read("export");
            assert_eq!(tasks.matches("  no_log: true\n").count(), 2, "{tasks}");
        }
    }
}

/// Every user of a machine can read the scripts.
#[test]
fn intune_scripts_contain_none_of_it() {
    let machine = machine();
    let export = |line: &str| hides(machine.run(&format!("export {line} --format intune --out @/scripts")).code(2));
    export("@/s.yaml --set password=hunter2").says("the parameter `password` is sensitive");
    // Only the data in the spec itself is left.
    let spec =
        SPEC.replace("parameters: { password: { description: of the service, type: string, sensitive: true } }\n", "");
    machine
        .write("literal.yaml", &spec.replace("      Password: { type: REG_SZ, data: { parameter: password } }\n", ""));
    export("@/literal.yaml").says("\\SOFTWARE\\T \"List\" is sensitive");
    let spec = SPEC.replace("sensitive: true } }\nprereq", "sensitive: true, default: hunter7 } }\nprereq");
    // The text contains data in other fields, or in a condition.
    let rule = |fields: &str| {
        format!("registry:\n  - key: HKLM\\SOFTWARE\\T\n    values: {{ V: {{ {fields}, sensitive: true }} }}\n")
    };
    let test = "applicable: { not: { registry: { key: HKLM\\SOFTWARE\\T, name: v, one_of: [hunter2] } } }\n";
    for text in [rule("type: REG_DWORD, bits: { set: 4 }"), format!("{test}{}", rule("ensure: absent"))] {
        machine.write("x.yaml", &format!("kbfix: 1\nid: X\ntitle: t\n{text}"));
        export("@/x.yaml").says("is sensitive");
    }
    machine.write("default.yaml", &spec);
    export("@/default.yaml").says("the parameter `password` is sensitive");
    assert!(!machine.path("scripts").exists());
}

#[test]
fn a_plan_that_lost_a_mark_in_one_part_is_refused() {
    let machine = machine();
    machine.run("diff @/s.yaml --set password=hunter2 @target --out @/plan.json").code(1);
    let plan: Value = serde_json::from_str(&machine.read("plan.json")).unwrap();
    let altered = |alter: &dyn Fn(&mut Value)| {
        let mut plan = plan.clone();
        plan.as_object_mut().unwrap().remove("digest");
        alter(&mut plan);
        plan["digest"] = kbfix::plan::file::digest(&plan).into();
        machine.write("plan.json", &plan.to_string());
        let diff = machine.run("diff --plan @/plan.json @target");
        let apply = machine.run("apply --check --plan @/plan.json @target @state");
        assert_eq!(diff.code, apply.code);
        diff
    };
    let key = |plan: &Value| {
        let keys = plan["facts"]["keys"].as_array().unwrap();
        keys.iter().position(|fact| fact["key"] == r"HKLM\SOFTWARE\T").unwrap()
    };
    let of_facts = |plan: &mut Value| {
        let at = key(plan);
        drop(plan["facts"]["keys"][at]["found"]["present"].as_object_mut().unwrap().remove("sensitive"));
    };
    let of_changes = |plan: &mut Value| {
        drop(plan["specs"][0]["changes"][0].as_object_mut().unwrap().remove("sensitive"));
    };
    let of_satisfied = |plan: &mut Value| {
        drop(plan["specs"][0]["satisfied"][0].as_object_mut().unwrap().remove("sensitive"));
    };
    hides(altered(&of_changes).code(2))
        .says("plan-inconsistent")
        .says("is marked as sensitive in one part of the plan, but not in another");
    hides(altered(&of_satisfied).code(2))
        .says("\"Token\" is marked as sensitive in one part of the plan, but not in another");
    hides(altered(&of_facts).code(2)).says("is marked as sensitive in one part of the plan, but not in another");
    // Only the evidence still hides the data, and contradicts the facts.
    hides(altered(&|plan| {
        of_facts(plan);
        of_changes(plan);
        of_satisfied(plan);
        for evidence in plan["specs"][0]["checks"][0]["evidence"].as_array_mut().unwrap() {
            if evidence["found"].as_str().unwrap().ends_with("(hidden)") {
                evidence["found"] = "REG_BINARY (hidden)".into();
            }
        }
    }))
    .code(2)
    .says("the plan says REG_BINARY (hidden), but its facts say REG_SZ (hidden)");
    // Whoever removes all marks can read the data, which is in the file: see docs/explanation/security.md.
    altered(&|plan| {
        of_facts(plan);
        of_changes(plan);
        of_satisfied(plan);
        plan["specs"][0].as_object_mut().unwrap().remove("checks");
    })
    .code(1);
}

#[test]
fn no_message_about_wrong_parameters_shows_them() {
    let machine = machine();
    hides(machine.run("diff @/s.yaml --set hunter2 @target").code(2)).says("has no `=`");
    for input in [r#"{"parameters":"hunter2"}"#, r#"{"parameters":{"password":["hunter2",1]}}"#] {
        hides(machine.run_with("diff @/s.yaml --stdin-specs @target", input).code(2)).says("`parameters`");
    }
    // The allowed data of a parameter that is not set.
    let allowed = SPEC.replace("sensitive: true } }\nprereq", "sensitive: true, allowed: [hunter7] } }\nprereq");
    machine.write("allowed.yaml", &allowed);
    hides(machine.run("diff @/allowed.yaml @target").code(4)).says("of the service");
    hides(machine.run("export @/allowed.yaml --format reg").code(2)).says("of the service");
    std::fs::create_dir(machine.path("fleet")).unwrap();
    for (mistake, code) in [
        ("password: [hunter2, [hunter3]]", "fleet.yaml:4"),
        ("password: { hunter2: hunter3 }", "fleet.yaml:4"),
        ("password: hunter2, password: hunter3", "duplicate-field"),
        ("password: \"hunter2", "yaml-syntax"),
        ("password: hunter2: 1", "yaml-syntax"),
    ] {
        let text = format!("kbfix_fleet: 1\nmachines:\n  FE1:\n    parameters: {{ {mistake} }}\n");
        machine.write("fleet.yaml", &text);
        hides(machine.run("fleet diff @/s.yaml --fleet @/fleet.yaml --snapshots @/fleet").code(2)).says(code);
    }
}

/// The facts mark only the sensitive value of the two, but the evidence hides both.
#[test]
fn a_plan_that_compares_a_value_with_a_sensitive_one_is_consistent() {
    let machine = machine();
    machine.edit(&[("\"Token\"", "\"Plain\"=\"hunter1\"\r\n\"Token\"")]);
    let equal = r"{ key: HKLM\SOFTWARE\T, name: Plain, equals: { registry: { key: HKLM\SOFTWARE\T, name: Token } } }";
    machine.write("equal.yaml", &SPEC.replace(r"{ key: HKLM\SOFTWARE\T, name: Token, equals: hunter1 }", equal));
    hides(machine.run("diff @/equal.yaml --set password=hunter2 @target --out @/plan.json").code(1));
    hides(machine.run("diff --plan @/plan.json @target").code(1));
}
