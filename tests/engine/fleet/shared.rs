//! Tests that machines share the plan of a spec if all queries of the spec have the same answers on them. Each machine
//! still has the results of its own plan, whatever earlier specs of the run change, require or refuse.

use std::sync::Arc;

use kbfix::{
    fleet::{
        Difference, FleetCommand, FleetOutcome, FleetReport, Member, Members, Waivers, drift, survey, survey_with_plans,
    },
    operation::{PlanStatus, check_plan, make_plan},
    plan::{Outcome, Part, Plan, Truth},
    registry::{Data, Key, ValueName},
    render::fleet::json,
    spec::Spec,
    targets::{Address, open},
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::support::{Folder, specs, text};
use crate::{
    properties::generate::{Machine, export, machine},
    scenario::machine::taken,
};

/// Specs about the same few keys, so that they can affect each other.
const POOL: [&str; 11] = [
    // Two specs that contradict each other on machines to which both apply.
    r"registry: [{ key: HKLM\SOFTWARE\Random\a, when: { registry: { key: HKLM\SOFTWARE\Random\a\b } }, values: { v: { type: REG_DWORD, data: 1 } } }]",
    r"registry: [{ key: HKLM\SOFTWARE\Random\a, when: { registry: { key: HKLM\SOFTWARE\Random\Größe } }, values: { v: { type: REG_DWORD, data: 2 } } }]",
    // A spec about every key of this form, and two specs that create such a key.
    r"registry: [{ key: 'HKLM\SOFTWARE\Random\a*', values: { v: { type: REG_DWORD, data: 1 } } }]",
    r"registry: [{ key: HKLM\SOFTWARE\Random\a b, when: { registry: { key: HKLM\SOFTWARE\Random\a } }, values: { W: { type: REG_SZ, data: x } } }]",
    r"registry: [{ key: HKLM\SOFTWARE\Random\a c, values: { v: { type: REG_DWORD, data: 3 } } }]",
    // Specs with conditions about what the others change.
    r"applicable: { registry: { key: HKLM\SOFTWARE\Random\a, name: v, equals: 1 } }
registry: [{ key: 'HKLM\SOFTWARE\Random\[x]', values: { W: { type: REG_DWORD, data: 3 } } }]",
    r"prerequisites: [{ title: c, registry: { key: HKLM\SOFTWARE\Random\a c } }]
registry: [{ key: 'HKLM\SOFTWARE\Random\[x]', values: { v: { type: REG_DWORD, data: 1 } } }]",
    r"registry: [{ key: 'HKLM\SOFTWARE\Random\*', when: { registry: { key: 'HKLM\SOFTWARE\Random\*', name: W } }, values: { '123': { type: REG_DWORD, data: 1 } } }]",
    // Specs that delete.
    r"registry: [{ key: HKLM\SOFTWARE\Random\a\b, ensure: absent, when: { registry: { key: HKLM\SOFTWARE\Random\a\b, name: v } } }]",
    r"registry: [{ key: HKLM\SOFTWARE\Random\a, exclusive: true, when: { registry: { key: HKLM\SOFTWARE\Random\Größe\日本 } }, values: { W: { type: REG_SZ, data: x } } }]",
    r"registry: [{ key: HKLM\SOFTWARE\Random\a, exclusive: tree, when: { registry: { key: 'HKLM\SOFTWARE\Random\[x]' } }, values: { v: { type: REG_DWORD, data: 1 } } }]",
];

fn pool(order: &[usize]) -> Vec<Spec> {
    let text = |at: &usize| format!("kbfix: 1\nid: S{at}\ntitle: Spec {at}\n{}\n", POOL[*at]);
    let texts: Vec<String> = order.iter().map(text).collect();
    specs(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Writes snapshots of machines, taken with these specs.
fn fleet(machines: &[Machine], specs: &[Spec]) -> Folder {
    let folder = Folder::new();
    for (at, machine) in machines.iter().enumerate() {
        let file = folder.path().join("machine.reg");
        std::fs::write(&file, export(machine)).unwrap();
        let address = Address::new(&format!("reg:{}", file.display()), None, None).unwrap();
        folder.write(&format!("M{at:02}.json"), &taken(&address, specs).to_text().unwrap());
    }
    folder
}

/// Checks that each machine has the same results, and in the fleet plan the same plan, as if it were planned alone.
pub(super) fn check(members: &Members, specs: &[Spec]) {
    let (lists, which) = ([specs.to_vec()], vec![0; members.each.len()]);
    let found = survey(members, &lists, &which, &Waivers::default(), &mut ());
    let mut plans: Vec<Option<Plan>> = members.each.iter().map(|_| None).collect();
    let (also, take) = (Plan::clone, |at, plan| plans[at] = Some(plan));
    let planned = survey_with_plans(members, &lists, &which, &Waivers::default(), also, take, &mut ());
    // A case shows the sensitive data of any one of its machines.
    let [report, with_plans] = [found, planned].map(|survey| FleetReport::of(survey, specs, FleetCommand::Diff));
    assert_eq!(text(json, &report), text(json, &with_plans));
    for ((row, member), in_bundle) in report.machines.iter().zip(&members.each).zip(plans) {
        let plan = alone(member, specs);
        let in_bundle = in_bundle.unwrap();
        assert!(
            in_bundle.specs == plan.specs && in_bundle.machine == plan.machine,
            "{}: {in_bundle:?}, {plan:?}",
            row.name
        );
        for (id, alone) in row.cases.iter().zip(&plan.specs) {
            let case = report.cases.iter().find(|case| case.id == *id).unwrap();
            let place = format!("{} of {}", alone.id, row.name);
            assert_eq!((&case.spec, case.outcome), (&alone.id, FleetOutcome::from(alone.outcome)), "{place}");
            let is_sensitive = alone.changes.iter().any(|change| !change.sensitive.is_empty());
            assert!(is_sensitive || case.changes == alone.changes, "{place}: {:?}, {:?}", case.changes, alone.changes);
            assert_eq!(case.unread_users, alone.unread_users, "{place}");
            if case.asks() {
                assert_eq!(case.reasons, alone.reasons, "{place}");
            }
            if matches!(alone.outcome, Outcome::Blocked | Outcome::Unknown) {
                let mut checks = alone.checks.clone();
                checks.retain(|check| check.part != Part::Cause && check.result != Truth::Met);
                assert_eq!(case.checks, checks, "{place}");
            }
        }
        // The plan follows from its facts, and these are the facts of the machine.
        Plan::from_text(&in_bundle.to_text(), None).unwrap();
        let mut target = open(member.address.as_ref().unwrap()).unwrap();
        assert!(matches!(check_plan(&in_bundle, target.as_mut()), Ok(PlanStatus::Current)), "{}", row.name);
    }
}

/// Returns the plan of a machine that is planned alone.
fn alone(member: &Member, specs: &[Spec]) -> Plan {
    make_plan(open(member.address.as_ref().unwrap()).unwrap().as_mut(), specs).unwrap()
}

/// Checks that the differences between two fleets are the differences between their machines planned alone.
fn check_drift(old: &Folder, new: &Folder, specs: &[Spec]) {
    let (old, new) = (old.members(), new.members());
    let comparison = drift(&old, &new, specs, &mut ());
    for (old, new) in old.each.iter().zip(&new.each) {
        let (old, after) = (alone(old, specs), alone(new, specs));
        let name = |names: &[Arc<str>]| names.iter().any(|name| **name == new.name);
        let mut facts: Vec<_> = comparison.facts.iter().filter(|fact| name(&fact.machines)).collect();
        let mut wanted = old.facts.changed(&after.facts);
        facts.sort();
        wanted.sort_by(|a, b| (&a.place, &a.was, &a.is).cmp(&(&b.place, &b.was, &b.is)));
        let facts: Vec<_> = facts.into_iter().map(|one| (&one.place, &one.was, &one.is)).collect();
        let wanted: Vec<_> = wanted.iter().map(|one| (&one.place, &one.was, &one.is)).collect();
        assert_eq!(facts, wanted, "{}", new.name);
        for (old, after) in old.specs.iter().zip(&after.specs).filter(|(old, after)| old.outcome != after.outcome) {
            let is_it = |one: &&Difference| one.spec == old.id && name(&one.machines);
            let found = comparison.differences.iter().find(is_it).unwrap();
            let outcomes = [&found.before, &found.after].map(|case| case.as_ref().unwrap().outcome);
            assert_eq!(outcomes, [old.outcome, after.outcome].map(FleetOutcome::from));
        }
    }
}

proptest! {
    // Each case writes and opens files, which takes long under Wine.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(if cfg!(windows) { 8 } else { 64 })
    })]
    #[test]
    fn machines_that_share_plans_have_the_results_of_their_own(
        kinds in vec(machine(), 1..4),
        which in vec((0_usize..4, select(vec![0_usize, 0, 1, 2])), 2..9),
        order in Just((0..POOL.len()).collect::<Vec<_>>()).prop_shuffle(),
        count in 2..=POOL.len(),
    ) {
        let specs = pool(&order[..count]);
        // Most machines are like another machine; some differ from it in one key.
        let machines: Vec<Machine> = which.iter().map(|(kind, without)| {
            let mut machine = kinds[kind % kinds.len()].clone();
            if *without > 0 && machine.len() > 1 {
                let removed = machine[(without * 7) % (machine.len() - 1) + 1].0.clone();
                machine.retain(|(key, _)| !key.path.is_within(&removed.path));
            }
            machine
        }).collect();
        let folder = fleet(&machines, &specs);
        check(&folder.members(), &specs);
        let mut later = machines;
        later.rotate_left(1);
        check_drift(&folder, &fleet(&later, &specs), &specs);
    }
}

/// Found by the property: the plan of the older machine reads all values of a key, of which the newer snapshot has one.
#[test]
fn a_value_moved_also_if_the_newer_snapshot_covers_less_of_its_key() {
    let machine = |value: Option<Data>| -> Machine {
        let key = |text: &str| -> Key { text.parse().unwrap() };
        let values = value.map(|data| (ValueName::new("v").unwrap(), data)).into_iter().collect();
        vec![
            (key(r"HKLM\SOFTWARE\Random"), vec![]),
            (key(r"HKLM\SOFTWARE\Random\a"), vec![]),
            (key(r"HKLM\SOFTWARE\Random\a\b"), values),
        ]
    };
    let specs = pool(&[8]);
    let [old, new] = [Some(Data::dword(0)), None].map(|value| fleet(&[machine(value)], &specs));
    assert_eq!(drift(&old.members(), &new.members(), &specs, &mut ()).facts.len(), 1);
    check_drift(&old, &new, &specs);
    check_drift(&new, &old, &specs);
}
