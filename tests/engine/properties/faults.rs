//! Tests a target that fails at any step: either everything is as before the apply, or there is a journal with which a
//! rollback restores it.

use kbfix::{
    journal::{Status, Store},
    operation::{self, Applied},
    targets::Target,
};
use proptest::prelude::*;

use crate::properties::{
    config, execute,
    generate::{Case, Machine, case},
    load,
    model::{Fault, Model},
    roll_back,
};

/// Applies with the fault after `left` steps, and checks what must be true after every fault.
fn survive(machine: &Machine, spec: &str, fault: Fault, left: usize) -> Result<bool, TestCaseError> {
    let Some(specs) = load(spec) else { return Err(TestCaseError::reject("contradiction")) };
    let folder = tempfile::tempdir().unwrap();
    let state = Store::new(Some(folder.path())).unwrap();
    let mut target = Model::new(machine);
    let before = target.keys.clone();
    let plan = operation::make_plan(&mut target, &specs).unwrap();
    let changes: Vec<_> = plan.changes().cloned().collect();
    (target.fault, target.left) = (fault, left);
    let execution = execute(&plan, &mut target, &state);
    let (journals, damaged) = state.list().unwrap();
    prop_assert!(damaged.is_empty());
    // The fault is over, for example because the disk has space again or the machine is running again.
    let struck = target.fault == Fault::None || target.left == 0;
    target.fault = Fault::None;
    match execution {
        Applied::Nothing => prop_assert!(changes.is_empty() && journals.is_empty()),
        Applied::Done(_) => {
            prop_assert_eq!(journals[0].status(), Status::Done);
            prop_assert_eq!(
                operation::make_plan(&mut target, &specs).unwrap().changes().count(),
                0,
                "done, and is not"
            );
        }
        Applied::Undone(_, why) => {
            prop_assert_eq!(journals[0].status(), Status::Undone);
            prop_assert!(target.keys == before, "undone, and is not: {why}\n{:?}\n{:?}", target.keys, before);
        }
        Applied::Incomplete(_, _, left) => {
            prop_assert_eq!(journals[0].status(), Status::Failed);
            prop_assert!(!left.is_empty(), "what is left is not named");
        }
    }
    if let Some(journal) = journals.first() {
        prop_assert_eq!(&journal.header.changes, &changes);
        roll_back(&journal.header.changes, &mut target);
    }
    prop_assert!(target.keys == before, "the journal does not restore:\n{:?}\n{:?}", target.keys, before);
    Ok(struck)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_fault_at_any_step_leaves_all_as_before_or_a_journal_that_restores(
        Case { machine, spec } in case(),
        left in 0_usize..12,
        fault in prop_oneof![Just(Fault::Once), Just(Fault::Writes), Just(Fault::Dead), Just(Fault::Lie)],
    ) {
        survive(&machine, &spec, fault, left)?;
    }
}

/// Tests every step of one apply with every fault. This includes exit code 6 of an apply, which needs a target that
/// fails twice.
#[test]
fn every_step_of_an_apply_may_fail() {
    let key = |text: &str| text.parse::<kbfix::registry::Key>().unwrap();
    let value = |name: &str, data| (name.to_owned().try_into().unwrap(), data);
    let machine = vec![
        (key(r"HKLM\SOFTWARE\Random"), vec![]),
        (key(r"HKLM\SOFTWARE\Random\a"), vec![value("v", kbfix::registry::Data::dword(0))]),
        (
            key(r"HKLM\SOFTWARE\Random\a\b"),
            vec![value("", kbfix::registry::Data::sz("x")), value("w", kbfix::registry::Data::sz("y"))],
        ),
    ];
    let spec = "kbfix: 1\nid: T\ntitle: T\nregistry:\n\
        \x20 - key: HKLM\\SOFTWARE\\Random\\a\\b\n    ensure: absent\n\
        \x20 - key: HKLM\\SOFTWARE\\Random\\a\n    values: { v: { type: REG_DWORD, data: 1 }, other: { type: REG_SZ, data: other } }\n\
        \x20 - key: HKLM\\SOFTWARE\\Random\\new\\deeper\n    values: { v: { type: REG_DWORD, data: 1 } }\n";
    let specs = load(spec).unwrap();
    let mut counted = Model::new(&machine);
    let plan = operation::make_plan(&mut counted, &specs).unwrap();
    counted.write(&plan.changes().cloned().collect::<Vec<_>>()).unwrap();
    let steps = counted.steps;
    assert_eq!(steps, 8);
    for fault in [Fault::Once, Fault::Writes, Fault::Dead, Fault::Lie] {
        for left in 0..steps {
            assert!(survive(&machine, spec, fault, left).unwrap(), "{fault:?} after {left} steps did not strike");
        }
    }
}
