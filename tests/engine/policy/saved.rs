//! Tests that a saved plan is refused if its owners do not follow from its facts.

use std::fs;

use kbfix::plan::{Plan, file::digest};
use serde_json::{Value, json};

use super::{
    machine::{APPLIED, LOCAL, Machine, dword},
    owners::generated,
};

const KEY: &str = r"Software\Policies\Vendor";

type Alter<'a> = &'a dyn Fn(&mut Value);

/// Returns the plan of a spec with three values. Stores have entries for them, and one store cannot be read.
fn plan() -> Value {
    let machine = Machine::new();
    let values = "a: { type: REG_DWORD, data: 1 }\n      b: { type: REG_DWORD, data: 1 }\n      c: { type: REG_DWORD, data: 1 }\n";
    let spec = format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\{KEY}\n    values:\n      {values}");
    machine.beside("spec.yaml", &spec);
    machine.write(LOCAL, &[dword(KEY, "a", 2), dword(KEY, "b", 1)]);
    fs::create_dir_all(machine.store(APPLIED).parent().unwrap()).unwrap();
    fs::write(machine.store(APPLIED), "no policy").unwrap();
    machine.kbfix(&["diff", "spec.yaml", "--target", &machine.uri(), "--out", "plan.json"]).exits(1);
    let text = fs::read_to_string(machine.beside("unused", "").with_file_name("plan.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Reads the plan after `alter`, with the digest of its new content.
fn read(plan: &Value, alter: impl FnOnce(&mut Value)) -> Result<Plan, String> {
    let mut plan = plan.clone();
    plan.as_object_mut().unwrap().remove("digest");
    alter(&mut plan);
    plan["digest"] = digest(&plan).into();
    Plan::from_text(&plan.to_string(), None).map_err(|error| error.to_string())
}

#[test]
fn owners_that_do_not_follow_from_the_facts_are_refused() {
    let plan = plan();
    let read = |alter: &dyn Fn(&mut Value)| read(&plan, |plan| alter(plan)).map(drop);
    assert_eq!(read(&|_| ()), Ok(()));
    let set = |at: usize, member: &'static str, to: Value| {
        move |plan: &mut Value| plan["specs"][0]["policy"][at][member] = to.clone()
    };
    let owner = "the policy setting of HKLM";
    let altered: &[(Alter<'_>, &str)] = &[
        (&|p: &mut Value| drop(p["specs"][0]["policy"].as_array_mut().unwrap().remove(0)), owner),
        (&set(0, "path", json!(r"C:\other.pol")), owner),
        (&set(0, "store", json!("applied")), owner),
        (&set(0, "gpo", json!("Baseline")), owner),
        (&set(0, "data", plan["specs"][0]["policy"][1]["data"].clone()), owner),
        (&set(0, "result", json!("may_undo")), owner),
        (&set(1, "result", json!("undoes")), owner),
        (&set(1, "effect", json!("set_if_absent")), owner),
        (&set(1, "sensitive", json!(true)), owner),
        (&set(1, "name", json!("c")), "the policy setting of HKLM"),
        (
            &|p: &mut Value| {
                let mut more = p["specs"][0]["policy"][0].clone();
                more["name"] = json!("c");
                p["specs"][0]["policy"].as_array_mut().unwrap().push(more);
            },
            "its facts do not show that",
        ),
        (
            &|p: &mut Value| {
                let twice = p["specs"][0]["policy"][0].clone();
                p["specs"][0]["policy"].as_array_mut().unwrap().push(twice);
            },
            "twice",
        ),
        (
            &|p: &mut Value| drop(p["specs"][0].as_object_mut().unwrap().remove("policy_unread")),
            "lists other policy stores",
        ),
        (&|p: &mut Value| p["specs"][0]["policy_unread"][0]["values"] = json!(2), "lists other policy stores"),
        (
            // Facts without one value, so that a later policy for the value would not make the plan stale.
            &|p: &mut Value| {
                let names = p["facts"]["policies"][0]["asked"][0]["names"].as_array_mut().unwrap();
                names.retain(|name| name != "c");
                p["specs"][0]["policy_unread"][0]["values"] = json!(2);
            },
            r"its facts do not contain the settings of policy stores for HKLM\Software\Policies\Vendor",
        ),
    ];
    for (alter, why) in altered {
        let error = read(*alter).unwrap_err();
        assert!(error.to_lowercase().contains(&why.to_lowercase()), "{why}: {error}");
    }
    // A plan of an earlier kbfix, without stores, is read.
    let without = |plan: &mut Value| {
        drop(plan["facts"].as_object_mut().unwrap().remove("policies"));
        for member in ["policy", "policy_unread"] {
            drop(plan["specs"][0].as_object_mut().unwrap().remove(member));
        }
    };
    assert_eq!(read(&without), Ok(()));
}

#[test]
fn the_owners_of_many_values_follow_from_the_facts() {
    let (machine, _) = generated(7 * 0x9E37_79B9);
    for target in [machine.uri(), machine.snapshot("spec.yaml")] {
        machine.kbfix(&["diff", "spec.yaml", "--target", &target, "--out", "plan.json"]).exits(1);
        machine.kbfix(&["diff", "--plan", "plan.json", "--target", &target]).exits(1).says("policy-owned");
    }
}

/// Tests a value in a key that must be absent, and a value of which only bits are wanted.
#[test]
fn owners_of_deleted_keys_and_of_bits_follow_from_the_facts() {
    let machine = Machine::new();
    let keys = r"HKLM\Software\Policies";
    let spec = format!(
        "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: {keys}\\*\\Gone\n    ensure: absent\n  - key: {keys}\\Vendor\\Gone\n    values: {{ a: \
         {{ ensure: absent }}, b: {{ ensure: absent }} }}\n  - key: {keys}\\Bits\n    values: {{ c: {{ type: REG_DWORD, bits: {{ \
         set: 1 }}, if_absent: 0 }} }}\n"
    );
    machine.beside("spec.yaml", &spec);
    let gone = r"Software\Policies\Vendor\Gone";
    machine.write(LOCAL, &[dword(gone, "a", 1), dword(gone, "b", 1), dword(r"Software\Policies\Bits", "c", 5)]);
    for is_there in [false, true] {
        if is_there {
            machine.hive("Windows/System32/config/SOFTWARE", |hive| {
                hive.create_key(r"Policies\Vendor\Gone").unwrap();
                hive.set_value(r"Policies\Vendor\Gone", "a", &kbfix::registry::Data::dword(1)).unwrap();
            });
        }
        let report = machine.report("spec.yaml", &machine.uri());
        let owners = report["specs"][0]["policy"].as_array().unwrap();
        let mut found: Vec<_> = owners.iter().map(|one| [one["name"].as_str(), one["result"].as_str()]).collect();
        found.sort();
        let wanted = [["a", "undoes"], ["b", "undoes"], ["c", "keeps"]].map(|pair| pair.map(Some));
        assert_eq!(found, wanted, "{report:#}");
        machine.kbfix(&["diff", "spec.yaml", "--target", &machine.uri(), "--out", "plan.json"]).exits(1);
        machine.kbfix(&["diff", "--plan", "plan.json", "--target", &machine.uri()]).exits(1);
    }
}
