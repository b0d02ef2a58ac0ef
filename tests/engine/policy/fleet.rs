//! Tests policy owners in the report of a fleet.

use std::fs;

use serde_json::{Value, json};

use super::machine::{LOCAL, Machine, dword};

const KEY: &str = r"Software\Policies\Vendor";
const SPEC: &str = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\Policies\\Vendor\n    values:\n      a: \
                    { type: REG_DWORD, data: 1 }\n";

/// Returns a fleet of four machines. Three are without the value: a policy of the second sets other data, and the
/// policy store of the third is damaged. The fourth is in desired state, but a policy will change that.
fn fleet() -> Machine {
    let machine = Machine::new();
    machine.beside("spec.yaml", SPEC);
    fs::create_dir(machine.beside("unused", "").with_file_name("fleet")).unwrap();
    let snapshot = |name: &str| {
        let out = format!("fleet/{name}.json");
        machine.kbfix(&["snapshot", "spec.yaml", "--target", &machine.uri(), "--out", &out]).exits(0);
    };
    snapshot("M1");
    machine.write(LOCAL, &[dword(KEY, "a", 2)]);
    snapshot("M2");
    fs::write(machine.store(LOCAL), "no policy").unwrap();
    snapshot("M3");
    machine.hive("Windows/System32/config/SOFTWARE", |hive| {
        hive.create_key(r"Policies\Vendor").unwrap();
        hive.set_value(r"Policies\Vendor", "a", &kbfix::registry::Data::dword(1)).unwrap();
    });
    machine.write(LOCAL, &[dword(KEY, "a", 2)]);
    snapshot("M4");
    machine
}

#[test]
fn a_fleet_says_which_values_policy_owns_in_every_format() {
    let machine = fleet();
    let run = |more: &[&str]| machine.kbfix(&[&["fleet", "diff", "spec.yaml", "--snapshots", "fleet"], more].concat());
    let human = run(&[]).exits(1).text();
    assert!(
        human.starts_with("4 machines (changes pending: 3, in desired state: 1; policy-owned: 2; policy-unknown: 1)\n")
    );
    let says =
        format!("note          policy-owned: a later refresh of Group Policy undoes this spec for 1 value: {}", "HKLM");
    assert_eq!(human.matches(&says).count(), 2, "{human}");
    for format in ["csv", "markdown", "html", "junit", "sarif"] {
        let text = run(&["--format", format]).exits(1).text();
        for code in [
            "policy-owned: a later refresh of Group Policy undoes this spec for 1 value",
            "policy-unknown: it is not known whether Group Policy undoes the changes",
        ] {
            let times = text.matches(code).count();
            let wanted = if code.starts_with("policy-owned") { 2 } else { 1 };
            assert_eq!(times, wanted, "{format}: {code}: {text}");
        }
        assert!(!text.contains("\\u{"), "{format}: {text}");
    }
    let report: Value = serde_json::from_str(&run(&["--format", "json"]).exits(1).text()).unwrap();
    assert_eq!(report["counts"]["notes"], json!({ "policy-owned": 2, "policy-unknown": 1 }));
    let noted = |name: &str| {
        let case = report["cases"].as_array().unwrap().iter().find(|case| case["machines"] == json!([name])).unwrap();
        (case["outcome"].clone(), case["notes"][0]["code"].clone())
    };
    assert_eq!(noted("M1"), (json!("changes_pending"), Value::Null));
    assert_eq!(noted("M2"), (json!("changes_pending"), json!("policy-owned")));
    assert_eq!(noted("M3"), (json!("changes_pending"), json!("policy-unknown")));
    assert_eq!(noted("M4"), (json!("in_desired_state"), json!("policy-owned")));
    let lines = run(&["--format", "json", "--lines"]).text();
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(last["specs"][0]["notes"][0]["code"], "policy-owned");
}

#[test]
fn a_fleet_can_fail_on_owned_and_unknown_values() {
    let machine = fleet();
    let run = |more: &[&str]| machine.kbfix(&[&["fleet", "diff", "spec.yaml", "--snapshots", "fleet"], more].concat());
    run(&["--fail-on", "policy-owned"]).exits(4).says("changes pending: 3");
    run(&["--fail-on", "policy-unknown"]).exits(4);
    for name in ["M2", "M3", "M4"] {
        fs::remove_file(machine.beside("unused", "").with_file_name("fleet").join(format!("{name}.json"))).unwrap();
    }
    run(&["--fail-on", "policy-owned", "--fail-on", "policy-unknown"]).exits(1);
}

#[test]
fn a_policy_is_not_compared_where_the_newer_snapshot_does_not_know_it() {
    let machine = Machine::new();
    machine.beside("a.yaml", SPEC);
    machine.beside("b.yaml", &SPEC.replace("a: {", "b: {"));
    machine.write(LOCAL, &[dword(KEY, "a", 2), dword(KEY, "b", 2)]);
    for (folder, spec) in [("old", "a.yaml"), ("new", "b.yaml")] {
        fs::create_dir(machine.beside("unused", "").with_file_name(folder)).unwrap();
        let out = format!("{folder}/M.json");
        machine.kbfix(&["snapshot", spec, "--target", &machine.uri(), "--out", &out]).exits(0);
    }
    for (old, new) in [("old", "new"), ("new", "old")] {
        let text = machine.kbfix(&["fleet", "drift", old, new, "a.yaml", "--format", "json"]).text();
        let comparison: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(comparison["facts"], json!([]), "{text}");
    }
}

#[test]
fn a_policy_that_came_between_two_snapshots_is_a_difference() {
    let machine = fleet();
    let folder = |name: &str, from: &str| {
        let path = machine.beside("unused", "").with_file_name(name);
        fs::create_dir(&path).unwrap();
        fs::copy(path.with_file_name("fleet").join(from), path.join("M.json")).unwrap();
    };
    folder("old", "M1.json");
    folder("new", "M2.json");
    for format in ["human", "markdown"] {
        let run = machine.kbfix(&["fleet", "drift", "old", "new", "spec.yaml", "--format", format]).exits(1);
        run.says("policy-owned: a later refresh of Group Policy undoes this spec for 1 value");
    }
}
