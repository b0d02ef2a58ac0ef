//! Tests parameters without a default in runs of several specs.

use serde_json::Value;

use crate::harness::Machine;

const DATA: &str = r"kbfix: 1
id: DATA
title: t
parameters: { level: { description: how much, range: { at_least: 1, at_most: 9 } } }
registry:
  - key: HKLM\SOFTWARE\T
    values: { v: { type: REG_DWORD, data: { parameter: level }, keep: none } }
";
const KEY: &str = r"kbfix: 1
id: KEY
title: t
parameters: { clsid: { description: a class, type: string } }
registry:
  - key: HKLM\SOFTWARE\T\{clsid}
    values: { v: { type: REG_DWORD, data: 1 } }
";
const PLAIN: &str = r"kbfix: 1
id: PLAIN
title: t
registry:
  - key: HKLM\SOFTWARE\T
    values: { v: { type: REG_DWORD, data: 2 } }
";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.set_export(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n\
         [HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T\\x]\r\n\"v\"=dword:00000001\r\n",
    );
    for (name, text) in [("data", DATA), ("key", KEY), ("plain", PLAIN)] {
        machine.write(&format!("{name}.yaml"), text);
    }
    let not_here = DATA
        .replace("DATA", "ELSEWHERE")
        .replace("registry:", "applicable: { registry: { key: HKLM\\SOFTWARE\\U } }\nregistry:");
    machine.write("elsewhere.yaml", &not_here);
    machine
}

#[test]
fn a_spec_that_needs_a_parameter_says_so_and_the_others_go_on() {
    let machine = machine();
    let all = "@/data.yaml @/key.yaml @/plain.yaml @/elsewhere.yaml @target";
    let run = machine.run(&format!("diff {all} --format json")).code(4);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let outcomes: Vec<_> = report["specs"].as_array().unwrap().iter().map(|s| s["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["needs_parameter", "needs_parameter", "changes_pending", "not_applicable"]);
    assert_eq!(report["specs"][0]["reasons"][0], "the parameter `level` is not set: how much");
    assert_eq!(report["specs"][0]["sentence"], "needs a parameter");
    assert_eq!(report["specs"][0]["options"], serde_json::json!([{ "name": "set", "value": "level=…" }]));
    machine.run(&format!("diff {all}")).code(4).says("set it with   --set level=…");
    assert_eq!(report["specs"][0].get("parameters"), None);
    assert_eq!(report["specs"][0].get("changes"), None);
    let before = machine.export();
    machine.run(&format!("apply {all} @state")).code(4).says("DATA: needs parameter").says("1 value created");
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export().trim_end(), before.trim_end());
    machine.run(&format!("diff {all} --set level=3 --set clsid=x")).code(2).says("conflicting-specs");
    machine.run("diff @/data.yaml @/key.yaml --set level=3 --set clsid=x @target").code(1).says("1 value to create");
    // A format of another tool cannot express a parameter without data.
    machine.run("export @/data.yaml --format reg").code(2).says("parameter-not-set");
}

#[test]
fn a_snapshot_needs_a_parameter_only_where_a_key_depends_on_it() {
    let machine = machine();
    let run = machine.run("snapshot @/data.yaml @/key.yaml @target --out @/snapshot.json").code(0);
    let run = run.says("KEY: the snapshot does not contain the keys whose names come from the parameter `clsid`");
    assert!(!run.stderr.contains("the parameter `level` names"), "{}", run.stderr);
    machine
        .run("diff @/data.yaml --set level=3 --target snapshot:@/snapshot.json")
        .code(1)
        .says("\"v\"=dword:00000003");
    let two = KEY.replace("type: string }", "type: string }, w: { description: a word, type: string }");
    machine.write("two.yaml", &two.replace(r"\{clsid}", r"\{clsid}\{w}"));
    let run = machine.run("snapshot @/two.yaml @target --out @/two.json").code(0);
    run.says("come from the parameter `clsid`").says("come from the parameter `w`");
    machine.run("diff @/key.yaml --set clsid=x --target snapshot:@/snapshot.json").code(4).says("KEY: unknown");
    machine.run("snapshot @/key.yaml --set clsid=x @target --out @/set.json").code(0);
    machine.run("diff @/key.yaml --set clsid=x --target snapshot:@/set.json").code(0);
}
