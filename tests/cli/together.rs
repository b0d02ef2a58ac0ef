//! Several specs in one run, and several runs at once.

use crate::harness::Machine;

fn spec(id: &str, key: &str, value: &str) -> String {
    format!("kbfix: 1\nid: {id}\ntitle: {id}\nregistry:\n  - key: {key}\n    values: {{ {value} }}\n")
}

const SERVICES: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB";

#[test]
fn two_specs_that_share_a_missing_parent_create_it_once() {
    let machine = Machine::new();
    let before = machine.export();
    let key = |below: &str| format!(r"{SERVICES}\new\{below}");
    machine.write("a.yaml", &spec("A", &key("a"), "v: { type: REG_DWORD, data: 1 }"));
    machine.write("b.yaml", &spec("B", &key("b"), "v: { type: REG_DWORD, data: 2 }"));
    machine.write("c.yaml", &spec("C", &key("a"), "w: { type: REG_DWORD, data: 3 }"));
    let line = "@/a.yaml @/b.yaml @/c.yaml @target";
    machine.run(&format!("diff {line}")).code(1).says("3 keys to create, 3 values to create");
    machine.run(&format!("apply {line} @state")).code(0).says("3 keys created, 3 values created");
    machine.run(&format!("apply {line} @state")).code(0).says("nothing was changed");
    assert_eq!(machine.export().matches(r"MSExchangeWEB\new]").count(), 1);
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export(), before);
}

#[test]
fn two_specs_that_want_different_data_for_one_value_are_refused() {
    let machine = Machine::new();
    let before = machine.export();
    machine.write("a.yaml", &spec("A", SERVICES, "v: { type: REG_DWORD, data: 1 }"));
    machine.write("b.yaml", &spec("B", SERVICES, "V: { type: REG_DWORD, data: 2 }"));
    let run = machine.run("apply @/a.yaml @/b.yaml @target @state").code(2).says("conflicting-specs");
    assert!(run.stderr.contains("A and B want different things of `V`"), "{}", run.stderr);
    assert_eq!(machine.export(), before);
}

/// Nobody sees from the specs alone that both count. What is planned under one name does not know what the other changes.
#[test]
fn a_key_that_two_specs_name_differently_is_changed_by_one_of_them_only() {
    let machine = Machine::new();
    let classes = r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes";
    machine.set_export(&format!("Windows Registry Editor Version 5.00\r\n\r\n[{classes}]\r\n\r\n[{classes}\\x]\r\n"));
    let before = machine.export();
    let file = |id: &str, key: &str, value: &str| {
        let when = r"when: { registry: { key: HKLM\SOFTWARE\Classes\x } }";
        spec(id, key, value).replace("    values", &format!("    {when}\n    values"))
    };
    machine.write("a.yaml", &file("A", r"HKCR\x", "v: { type: REG_DWORD, data: 1 }"));
    machine.write("b.yaml", &file("B", r"HKLM\SOFTWARE\Classes\x", "v: { type: REG_DWORD, data: 2 }"));
    machine.write("c.yaml", &file("C", r"HKLM\SOFTWARE\Classes\x", "w: { type: REG_DWORD, data: 3 }"));
    let run = machine.run("diff @/a.yaml @/b.yaml @target").code(4).says("A of the same run changes it as HKCR\\x");
    assert!(run.stderr.contains("conflicting-specs"), "{}", run.stderr);
    machine.run("apply @/a.yaml @/c.yaml @target @state").code(0).says("2 values created");
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export(), before);
}

/// Each apply sets as many values as it can be told by, all to its own data. What is there afterwards is of one of them.
#[test]
fn applies_at_once_are_never_interleaved() {
    let machine = Machine::new();
    let values = |data: u32| {
        (0..100).map(|i| format!("v{i}: {{ type: REG_DWORD, data: {data} }}")).collect::<Vec<_>>().join(", ")
    };
    for data in 0..4 {
        machine.write(&format!("{data}.yaml"), &spec("T", SERVICES, &values(data)));
    }
    for round in 0..5 {
        let children: Vec<_> = (0..4)
            .map(|data| {
                let mut command = machine.command(&format!("apply @/{data}.yaml @target @state"));
                command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let mut done = 0;
        for child in children {
            let output = child.wait_with_output().unwrap();
            match output.status.code() {
                Some(0) => done += 1,
                Some(3) => assert!(String::from_utf8_lossy(&output.stderr).contains("target-locked"), "{output:?}"),
                other => panic!("{other:?}: {output:?}"),
            }
        }
        assert!(done > 0, "round {round}");
        let export = machine.export();
        let held: Vec<usize> = (0..4).map(|data| export.matches(&format!("=dword:{data:08x}")).count()).collect();
        assert!(held.iter().any(|n| *n >= 100), "interleaved: {held:?}");
        let leftovers = std::fs::read_dir(machine.path("")).unwrap().map(|e| e.unwrap().file_name());
        let leftovers: Vec<_> = leftovers.filter(|n| n.to_string_lossy().contains(".kbfix-")).collect();
        assert!(leftovers.is_empty(), "{leftovers:?}");
    }
}

#[test]
fn what_rests_on_an_earlier_spec_says_so() {
    let machine = Machine::new();
    machine.write(
        "c1.yaml",
        &spec("C1", "HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\OWA", "A: { type: REG_DWORD, data: 1 }"),
    );
    let key = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\OWA";
    let test = |wanted: u8| format!("{{ registry: {{ key: {key}, name: A, equals: {wanted} }} }}");
    let second = |id: &str, wanted: u8, value: &str| {
        spec(id, key, value).replace("registry:\n", &format!("applicable: {}\nregistry:\n", test(wanted)))
    };
    machine.write("c2.yaml", &second("C2", 1, "B: { type: REG_DWORD, data: 1 }"));
    machine.write("c3.yaml", &second("C3", 2, "B: { type: REG_DWORD, data: 2 }"));
    machine.write("c4.yaml", &spec("C4", key, "A: { type: REG_DWORD, data: 1 }"));
    let line = "diff @/c1.yaml @/c2.yaml @/c3.yaml @/c4.yaml @target";
    let human = machine.run(line).code(1).says("found REG_DWORD 1 (0x1) (planned by C1), wanted 1");
    human.says("registry      1 of 1 as desired once the changes of C1 are made");
    machine.run(&format!("{line} --format markdown")).code(1).says("REG\\_DWORD 1 (0x1) (planned by C1) |");
    machine.run(&format!("{line} --format html")).code(1).says("REG_DWORD 1 (0x1) (planned by C1)</td>");
    let report = machine.run(&format!("{line} --format json")).code(1).json();
    let [c2, c3, c4] = [1, 2, 3].map(|at| &report["specs"][at]);
    assert_eq!(c2["checks"][0]["evidence"][0]["planned_by"], "C1");
    assert!(c3["reasons"][0].as_str().unwrap().contains("(planned by C1)"), "{c3}");
    assert_eq!(c4["satisfied"][0]["planned_by"], "C1");
    // By itself it rests on what is there.
    let report = machine.run("diff @/c2.yaml @target --format json").code(0).json();
    assert_eq!(report["specs"][0]["checks"][0]["evidence"][0]["planned_by"], serde_json::Value::Null);
    machine.run("apply @/c1.yaml @/c2.yaml @/c3.yaml @/c4.yaml @target @state").code(0);
    let human = machine.run(line).code(0);
    assert!(!human.stdout.contains("planned by") && !human.stdout.contains("once the changes"), "{}", human.stdout);
}
