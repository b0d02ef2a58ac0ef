//! Tests several specs in one run, and several runs at the same time.

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
    assert!(run.stderr.contains("A and B require different states of `V`"), "{}", run.stderr);
    assert_eq!(machine.export(), before);
}

/// The specs alone do not show that both are about the same key.
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
    let run = machine.run("diff @/a.yaml @/b.yaml @target").code(4);
    let run = run.says(
        r#"HKLM\SOFTWARE\Classes\x "v": A, earlier in this run, requires dword:00000001, but this spec requires dword:00000002"#,
    );
    assert!(run.stderr.contains("conflicting-specs"), "{}", run.stderr);
    machine.run("apply @/a.yaml @/c.yaml @target @state").code(0).says("2 values created");
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export(), before);
}

#[test]
fn a_spec_that_requires_more_after_a_later_one_is_named() {
    let machine = Machine::new();
    let new = &format!(r"{SERVICES}\New");
    let condition = format!("{{ registry: {{ key: '{new}' }} }}");
    let number = |name: &str| format!("{name}: {{ type: REG_DWORD, data: 1 }}");
    let when =
        spec("WHEN", SERVICES, &number("w")).replace("    values", &format!("    when: {condition}\n    values"));
    machine.write("when.yaml", &when);
    machine.write("if.yaml", &format!("{}applicable: {condition}\n", spec("IF", SERVICES, &number("i"))));
    machine.write("other.yaml", &spec("OTHER", SERVICES, &number("o")));
    machine.write("new.yaml", &spec("NEW", new, &number("v")));
    let line = "@/when.yaml @/if.yaml @/other.yaml @/new.yaml @target";
    let names = "after the changes of later specs, WHEN, IF require further changes";
    let is_named = |line: &str, code: i32| {
        let run = machine.run(line).code(code);
        assert!(run.stderr.contains("spec-order") && run.stderr.contains(names), "{run:?}");
    };
    is_named(&format!("diff {line} --out @/plan.json"), 1);
    is_named("apply --plan @/plan.json @target @state", 0);
    let again = machine.run(&format!("apply {line} @state")).code(0).says("2 values created");
    assert!(!again.stderr.contains("spec-order"), "{again:?}");
    // In the right order, one run makes all changes.
    machine.run("rollback --last @state").code(0);
    machine.run("rollback --last @state").code(0);
    let run = machine.run("apply @/new.yaml @/when.yaml @/if.yaml @target @state").code(0);
    assert!(!run.stderr.contains("spec-order"), "{run:?}");
    machine.run(&format!("apply {line} @state")).code(0).says("1 value created");
}

/// A later spec does not undo what an earlier spec found in desired state, nor what it deleted.
#[test]
fn what_an_earlier_spec_wants_holds_after_the_run() {
    let machine = Machine::new();
    let classes = r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes";
    machine.set_export(&format!(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n[{classes}\\x]\r\n\"v\"=dword:00000001\r\n"
    ));
    let before = machine.export();
    let number = |data: u32| format!("v: {{ type: REG_DWORD, data: {data} }}");
    let gone = |id: &str, key: &str| {
        format!(
            "kbfix: 1\nid: {id}\ntitle: t\nregistry:\n  - {{ key: {key}, ensure: absent, when: {{ registry: {{ key: {key} }} }} }}\n"
        )
    };
    machine.write("each.yaml", &spec("EACH", r"HKLM\SOFTWARE\Cl*\x", &number(1)));
    machine.write("two.yaml", &spec("TWO", r"HKCR\x", &number(2)));
    machine.write("gone.yaml", &gone("GONE", r"HKCR\x"));
    machine.write("one.yaml", &spec("ONE", r"HKLM\SOFTWARE\Classes\x", &number(1)));
    machine.write("below.yaml", &spec("BELOW", r"HKLM\SOFTWARE\Classes\x\y", &number(1)));
    let apply = |files: &str| machine.run(&format!("apply {files} @target @state")).code(4);
    apply("@/each.yaml @/two.yaml")
        .says("EACH: in desired state")
        .says("EACH, earlier in this run, requires dword:00000001");
    assert_eq!(machine.export(), before);
    for later in ["one", "below"] {
        machine.set_export(&before);
        apply(&format!("@/gone.yaml @/{later}.yaml")).says("GONE, earlier in this run, requires").says("to be absent");
        assert!(!machine.export().contains(r"Classes\x"), "{}", machine.export());
        machine.run("diff @/gone.yaml @target").code(0);
    }
    // A `*` also matches keys that are created later in the run.
    machine.set_export(&before);
    machine.write("all.yaml", &spec("ALL", r"HKLM\SOFTWARE\T*", &number(1)));
    machine.write("new.yaml", &spec("NEW", r"HKLM\SOFTWARE\T1", &number(2)));
    machine.write("same.yaml", &spec("SAME", r"HKLM\SOFTWARE\T2", &number(1)));
    apply("@/all.yaml @/new.yaml @/same.yaml")
        .says(r"T1: ALL, earlier in this run, would have to change this key after the changes of this spec")
        .says("SAME: changed");
    machine.run("diff @/all.yaml @target").code(0);
    // In the other order, the key that the second spec deletes is wanted by the first.
    machine.set_export(&before);
    apply("@/one.yaml @/gone.yaml").says(
        r#"x "v": ONE, earlier in this run, requires dword:00000001, but this spec requires the value to be absent"#,
    );
    assert_eq!(machine.export(), before);
}

/// A spec has a `*` in its `when`, so several batches of facts are needed to know that it requires nothing. It is
/// evaluated again after a later spec creates keys, although all facts were known before.
#[test]
fn what_an_earlier_spec_requires_may_be_known_after_the_changes_of_a_later_one() {
    let machine = Machine::new();
    machine.set_export(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T\\a]\r\n\"v\"=dword:00000001\r\n",
    );
    let each = spec("EACH", r"HKLM\SOFTWARE\T\*", "w: { type: REG_DWORD, data: 1 }");
    let when = r"when: { registry: { key: 'HKLM\SOFTWARE\T\*', name: n } }";
    machine.write("each.yaml", &each.replace("    values", &format!("    {when}\n    values")));
    machine.write("new.yaml", &spec("NEW", r"HKLM\SOFTWARE\T\x", "n: { type: REG_DWORD, data: 3 }"));
    machine
        .run("diff @/each.yaml @/new.yaml @target")
        .code(4)
        .says(r"x: EACH, earlier in this run, would have to change this key after the changes of this spec");
    machine.run("diff @/new.yaml @/each.yaml @target").code(1).says("EACH: changes pending");
}

/// An earlier spec with a `*` can have further changes for another reason than a key that the `*` matches.
#[test]
fn only_a_key_that_a_star_matches_blocks_the_spec_that_creates_it() {
    let machine = Machine::new();
    let software = r"[HKEY_LOCAL_MACHINE\SOFTWARE";
    machine.set_export(&format!("REGEDIT4\r\n\r\n{software}]\r\n\r\n{software}\\Vendor]\r\n\r\n{software}\\T]\r\n"));
    let number = |name: &str| format!("{name}: {{ type: REG_DWORD, data: 1 }}");
    let when = r"    when: { registry: { key: HKLM\SOFTWARE\T, name: flag } }";
    let if_flag = format!("  - key: HKLM\\SOFTWARE\\Vendor\n{when}\n    values: {{ {} }}\n", number("w"));
    machine.write("each.yaml", &(spec("EACH", r"HKLM\SOFTWARE\Vendor\*", &number("v")) + &if_flag));
    let flag = spec("FLAG", r"HKLM\SOFTWARE\T", &number("flag"));
    for (below, code) in [("Other", 1), (r"Vendor\x", 4)] {
        let create = format!("  - key: HKLM\\SOFTWARE\\{below}\n    values: {{ {} }}\n", number("c"));
        machine.write("flag.yaml", &(flag.clone() + &create));
        let run = machine.run("diff @/each.yaml @/flag.yaml @target").code(code);
        assert!(!run.stdout.contains(r"Vendor: EACH, earlier"), "{}", run.stdout);
        assert_eq!(
            run.stdout.contains(r"Vendor\x: EACH, earlier in this run, would have to change this key"),
            code == 4,
            "{}",
            run.stdout
        );
    }
}

/// A spec that an earlier spec blocks changes nothing, so its plan says nothing about rules, users or a `*`.
#[test]
fn nothing_remains_of_what_was_planned_for_a_blocked_spec() {
    let machine = Machine::new();
    let software = r"[HKEY_LOCAL_MACHINE\SOFTWARE";
    let user = format!("{software}\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\S-1-5-21-1-2-3-1001]\r\n");
    machine.set_export(&format!("REGEDIT4\r\n\r\n{software}]\r\n\r\n{software}\\T]\r\n\r\n{user}"));
    machine.write("a.yaml", &spec("A", r"HKLM\SOFTWARE\T", "v: { type: REG_DWORD, data: 1 }"));
    let of_user = "  - key: HKCU\\Software\\X\n    values: { w: { type: REG_DWORD, data: 1 } }\n";
    machine.write("b.yaml", &(spec("B", r"HKLM\SOFTWARE\T*", "v: { type: REG_DWORD, data: 2 }") + of_user));
    let report = machine.run("diff @/a.yaml @/b.yaml @target --format json").code(4).json();
    let blocked = &report["specs"][1];
    assert_eq!((&report["outcome"], &blocked["outcome"]), (&"blocked".into(), &"blocked".into()), "{report}");
    for member in ["unread_users", "by_star", "rules"] {
        assert!(blocked.get(member).is_none_or(serde_json::Value::is_null), "{member}: {blocked}");
    }
}

/// If an exclusive rule names its key with `*`, the keys are known only on the machine.
#[test]
fn no_later_spec_adds_to_a_key_that_holds_nothing_else() {
    let machine = Machine::new();
    let header = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n\"w\"=dword:00000001\r\n\r\n";
    machine.set_export(header);
    let before = machine.export();
    let number = |name: &str| format!("{name}: {{ type: REG_DWORD, data: 1 }}");
    let only = |id: &str, key: &str, how: &str| {
        spec(id, key, &number("v")).replace("    values", &format!("    exclusive: {how}\n    values"))
    };
    machine.write("only.yaml", &only("ONLY", r"HKLM\SOFTWARE\T*", "true"));
    machine.write("tree.yaml", &only("TREE", r"HKLM\SOFTWARE\T*", "tree"));
    machine.write("w.yaml", &spec("W", r"HKLM\SOFTWARE\T", &number("w")));
    machine.write("v.yaml", &spec("V", r"HKLM\SOFTWARE\T", &number("V")));
    machine.write("below.yaml", &spec("BELOW", r"HKLM\SOFTWARE\T\below", &number("v")));
    let apply = |files: &str| {
        machine.set_export(&before);
        machine.run(&format!("apply {files} @target @state"))
    };
    apply("@/only.yaml @/w.yaml")
        .code(4)
        .says(r#""w": ONLY, earlier in this run, requires HKLM\SOFTWARE\T to contain no other values"#);
    apply("@/w.yaml @/only.yaml")
        .code(4)
        .says(r#""w": W, earlier in this run, requires dword:00000001, but this spec requires the value to be absent"#);
    apply("@/tree.yaml @/below.yaml")
        .code(4)
        .says(r"below: TREE, earlier in this run, requires HKLM\SOFTWARE\T to contain no other keys");
    apply("@/only.yaml @/v.yaml @/below.yaml").code(0).says("1 key created, 2 values created, 1 value deleted");
    machine.run("diff @/tree.yaml @target").code(1).says("1 key to delete, 1 value to delete");
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export(), before);
}

/// A trigger that is written, but that Windows has not yet acted on, is a requirement of its spec.
#[test]
fn no_later_spec_undoes_a_trigger_that_is_written() {
    let machine = Machine::new();
    let number = |name: &str| format!("{name}: {{ type: REG_DWORD, data: 1 }}");
    let trigger = "    trigger: { done_when: { registry: { key: ., name: done } } }\n    values";
    machine.write("trigger.yaml", &spec("TRIGGER", r"HKLM\SOFTWARE\T", &number("go")).replace("    values", trigger));
    let only = spec("ONLY", r"HKLM\SOFTWARE\T", &number("v"));
    machine.write("only.yaml", &only.replace("    values", "    exclusive: true\n    values"));
    let header = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n";
    machine.set_export(&format!("{header}[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n\"go\"=dword:00000001\r\n\r\n"));
    machine.run("diff @/trigger.yaml @/only.yaml @target").code(4).says(
        r#""go": TRIGGER, earlier in this run, requires dword:00000001, but this spec requires the value to be absent"#,
    );
}

/// Two specs that each add strings to one value, or set bits in it, do not contradict each other.
#[test]
fn specs_that_agree_on_a_value_change_it_in_turn() {
    let machine = Machine::new();
    let header = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n";
    machine.set_export(&format!("{header}\"d\"=dword:00000008\r\n"));
    let before = machine.export();
    let values = |item: &str, bit: u32| {
        format!("l: {{ list: {{ add: [{item}] }} }}, d: {{ type: REG_DWORD, bits: {{ set: {bit} }} }}")
    };
    machine.write("a.yaml", &spec("A", r"HKLM\SOFTWARE\T", &values("x", 1)));
    machine.write("b.yaml", &spec("B", r"HKLM\SOFTWARE\T", &values("z", 2)));
    machine.write("c.yaml", &spec("C", r"HKLM\SOFTWARE\T", "d: { type: REG_DWORD, data: 3 }"));
    machine.run("apply @/a.yaml @/b.yaml @target @state").code(0).says("1 value created, 3 values updated");
    let export = machine.export();
    assert!(export.contains("dword:0000000b") && export.contains("78,00,00,00,7a,00,00,00,00,00"), "{export}");
    machine.run("diff @/a.yaml @/b.yaml @target").code(0);
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export(), before);
    machine.run("apply @/a.yaml @/c.yaml @target @state").code(0);
    assert!(machine.export().contains("dword:00000003"), "{}", machine.export());
    // Two rules of one spec, one of them with a condition.
    machine.set_export(&before);
    let rule = |value: &str| {
        format!(
            "  - {{ key: HKLM\\SOFTWARE\\T, when: {{ registry: {{ key: HKLM\\SOFTWARE\\T }} }}, values: {{ {value} }} }}\n"
        )
    };
    let mut both = spec("D", r"HKLM\SOFTWARE\T", &values("x", 1));
    both.push_str(&rule(&values("z", 2)));
    machine.write("d.yaml", &both);
    machine.run("apply @/d.yaml @target @state").code(0).says("1 value created, 1 value updated");
    assert_eq!(machine.export(), export);
}

/// Each apply sets all values to data of its own. Afterwards all values have the data of the same apply.
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
    // In a run of its own, the spec depends only on the present state.
    let report = machine.run("diff @/c2.yaml @target --format json").code(0).json();
    assert_eq!(report["specs"][0]["checks"][0]["evidence"][0]["planned_by"], serde_json::Value::Null);
    machine.run("apply @/c1.yaml @/c2.yaml @/c3.yaml @/c4.yaml @target @state").code(0);
    let human = machine.run(line).code(0);
    assert!(!human.stdout.contains("planned by") && !human.stdout.contains("once the changes"), "{}", human.stdout);
}
