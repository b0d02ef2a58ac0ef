//! Tests HKCU, which means the hive of each user with a profile.

use kbfix::{
    operation::make_plan,
    plan::SpecPlan,
    render,
    spec::{self, Settings},
    targets::{Address, open},
};

use crate::scenario::{
    Scenario,
    machine::{Kind, Machine, taken},
};

const SPEC: &str = r"
kbfix: 1
id: X
title: T
registry:
  - key: HKCU\Software\Example
    values: { V: { type: REG_DWORD, data: 1 } }
";

const PROFILES: &str = r"[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";

/// Returns a machine with these profiles and these loaded hives.
fn machine(profiles: &[&str], loaded: &[&str]) -> Machine {
    let mut registry = format!("{PROFILES}]\n");
    for sid in profiles {
        registry.push_str(&format!("{PROFILES}\\{sid}]\n"));
    }
    registry.push_str("[HKEY_USERS]\n");
    for sid in loaded {
        registry.push_str(&format!("[HKEY_USERS\\{sid}\\Software]\n"));
    }
    Machine::new(Kind::Reg, &Scenario::of_registry(registry))
}

fn plan(address: &Address, spec: &str) -> SpecPlan {
    let specs = [spec::load("X", spec.as_bytes(), &Settings::new()).spec.unwrap()];
    make_plan(open(address).unwrap().as_mut(), &specs).unwrap().specs.remove(0)
}

/// Returns the plan of [`SPEC`] on the export.
fn plan_of(built: &Machine) -> SpecPlan {
    plan_by(built, SPEC)
}

/// Returns the plan of a spec on the export. The plan on a snapshot of the export must be the same.
fn plan_by(built: &Machine, spec: &str) -> SpecPlan {
    let snapshot = built.folder.path().join("machine.json");
    let specs = [spec::load("X", spec.as_bytes(), &Settings::new()).spec.unwrap()];
    std::fs::write(&snapshot, taken(&built.address, &specs).to_text().unwrap()).unwrap();
    let of_snapshot = plan(&Address::new(&format!("snapshot:{}", snapshot.display()), None, None).unwrap(), spec);
    let of_export = plan(&built.address, spec);
    assert_eq!(of_snapshot, of_export);
    of_export
}

#[test]
fn every_person_with_a_profile_is_meant_and_nobody_else() {
    let person = "S-1-5-21-1-2-3-1001";
    let entra = "S-1-12-1-11-12-13-14";
    let profiles = ["S-1-5-18", "S-1-5-19", "S-1-5-20", person, entra, "S-1-5-21-1-2-3-1002.bak"];
    // A loaded hive without a profile belongs to a template or to a running service.
    let loaded = [".DEFAULT", "S-1-5-18", person, "S-1-5-21-1-2-3-1001_Classes", entra, "S-1-5-21-1-2-3-9999"];
    let changes = render::changes(&plan_of(&machine(&profiles, &loaded)).changes);
    let heads: Vec<&str> = changes.lines().filter(|line| line.starts_with("@@")).collect();
    let head = |sid: &str| format!(r"@@ [HKEY_USERS\{sid}\Software\Example] @@");
    assert_eq!(heads, [head(entra), head(person)]);
}

#[test]
fn a_profile_whose_hive_is_not_loaded_is_unknown_and_named_and_the_others_are_planned() {
    let (here, away) = ("S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002");
    let plan = plan_of(&machine(&[here, away], &[here]));
    assert_eq!((plan.outcome.as_str(), plan.whole_outcome().as_str()), ("changes_pending", "unknown"));
    assert_eq!(plan.unread_users, [away]);
    assert!(plan.reasons.iter().any(|r| r.contains(away) && !r.contains(here)), "{:?}", plan.reasons);
    assert!(!plan.changes.is_empty() && plan.changes.iter().all(|c| c.key.path.to_string().contains(here)));
    // If nothing is left to do for the other users, the spec is still not in its desired state.
    let none = plan_of(&machine(&[away], &[here]));
    assert_eq!((none.outcome.as_str(), none.changes.len()), ("unknown", 0));
}

#[test]
fn a_condition_is_unknown_if_only_a_user_whose_hive_is_not_loaded_can_decide_it() {
    let (here, away) = ("S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002");
    let rule = r"registry: [{ key: HKU\S-1-5-21-1-2-3-1001\New }]";
    for (condition, loaded, outcome) in [
        (r"registry: { key: HKCU\Software }", &[here][..], "changes_pending"),
        (r"not: { registry: { key: HKCU\Software } }", &[here], "not_applicable"),
        (r"registry: { key: HKCU\None }", &[here], "unknown"),
        (r"not: { registry: { key: HKCU\None } }", &[here], "unknown"),
        (r"registry: { key: HKCU\Software, exists: false }", &[here], "unknown"),
        (r"registry: { key: HKCU\None }", &[], "unknown"),
        (r"not: { registry: { key: HKCU\None } }", &[], "unknown"),
    ] {
        let text = format!("kbfix: 1\nid: X\ntitle: T\napplicable: {{ {condition} }}\n{rule}\n");
        let plan = plan_by(&machine(&[here, away], loaded), &text);
        assert_eq!(plan.outcome.as_str(), outcome, "{condition}: {:?}", plan.reasons);
        assert_eq!(plan.reasons.iter().any(|why| why.contains(away)), outcome == "unknown", "{:?}", plan.reasons);
    }
}

#[test]
fn nobody_has_a_profile() {
    assert_eq!(plan_of(&machine(&["S-1-5-18"], &["S-1-5-18"])).outcome.as_str(), "in_desired_state");
}

#[test]
fn an_export_of_one_users_hkcu_is_that_user() {
    let registry = "[HKEY_CURRENT_USER\\Software]\n".to_owned();
    let built = Machine::new(Kind::Reg, &Scenario::of_registry(registry));
    let plan = plan_of(&built);
    assert!(render::changes(&plan.changes).starts_with(r"@@ [HKEY_CURRENT_USER\Software\Example] @@"), "{plan:?}");
}

#[test]
fn a_trigger_leaves_out_only_the_user_whose_data_is_not_suitable() {
    let (good, bad) = ("S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002");
    let mut registry = format!("{PROFILES}]\n{PROFILES}\\{good}]\n{PROFILES}\\{bad}]\n");
    registry.push_str(&format!("[HKEY_USERS\\{good}\\Software]\n[HKEY_USERS\\{bad}\\Software]\n\"V\"=\"text\"\n"));
    let machine = Machine::new(Kind::Reg, &Scenario::of_registry(registry));
    for (trigger, is_requested, outcome) in [
        ("", false, "changes_pending"),
        ("    trigger: { done_when: { registry: { key: ., name: done } } }\n", true, "changes_pending"),
        ("    trigger: { done_when: { registry: { key: ., name: done } } }\n", false, "blocked"),
    ] {
        let rule = format!(
            "  - key: HKCU\\Software\n{trigger}    values: {{ V: {{ type: REG_DWORD, bits: {{ set: 1 }} }} }}\n"
        );
        let text = format!("kbfix: 1\nid: X\ntitle: T\nregistry:\n{rule}");
        let mut specs = [spec::load("X", text.as_bytes(), &Settings::new()).spec.unwrap()];
        specs[0].run_triggers = is_requested;
        let plan = make_plan(open(&machine.address).unwrap().as_mut(), &specs).unwrap().specs.remove(0);
        assert_eq!(plan.outcome.as_str(), outcome, "{:?}", plan.reasons);
        if outcome == "changes_pending" {
            let why = format!(
                "user {bad}: HKU\\{bad}\\Software \"V\": malformed: a REG_SZ of 10 bytes is not a REG_DWORD, so kbfix cannot \
                 change only a part of the data"
            );
            assert_eq!(plan.reasons, [why]);
            assert!(plan.changes.iter().all(|change| change.key.path.to_string().contains(good)));
        }
    }
}
