//! Tests apply and rollback through the library on every kind of target: the planned state reads back, and the rollback
//! restores the target. A file is restored byte for byte.

use kbfix::{
    journal::{self, Journal, Status, Store},
    observe::observe,
    operation::{self, Applied},
    plan::Plan,
    registry::{Data, ValueType},
    spec::{self, Settings, Spec},
    targets::{Answer, ChangeAction, KeyChange, RegTarget, Target},
};

use crate::targets::{
    kinds::{Kind, Machine, change, each, value},
    locks::until_free,
};

fn load(text: &str) -> Vec<Spec> {
    let source = spec::Source { name: "test.yaml", bytes: text.as_bytes() };
    spec::load_all(&[source], &Settings::new()).into_specs().unwrap()
}

/// Returns a spec that creates and updates keys and values below the machine's key. With `deletions` it also deletes
/// some.
fn changes(machine: &Machine, deletions: bool) -> Vec<Spec> {
    let base = &machine.base.path;
    let deleted = match deletions {
        true => format!(
            "  - key: {base}\\old\n    ensure: absent\n  - key: {base}\\other\n    values: {{ doomed: {{ ensure: absent }} }}\n"
        ),
        false => String::new(),
    };
    load(&format!(
        r#"
kbfix: 1
id: T
title: T
registry:
  - key: {base}
    values:
      wrong type: {{ type: REG_DWORD, data: 1 }}
      from 0 to 1: {{ type: REG_DWORD, data: 1 }}
      list: {{ type: REG_MULTI_SZ, list: {{ add: [c], remove: [a] }} }}
      bits: {{ type: REG_QWORD, bits: {{ set: "0x8000000000000000", clear: 1 }} }}
  - key: {base}\new\deeper
    values:
      "": {{ type: REG_SZ, data: "text" }}
{deleted}"#
    ))
}

/// Returns data of a type without a name. A policy supports only some types, so for a policy the type is another one.
fn doomed(machine: &Machine) -> Data {
    let value_type = if machine.kind == Kind::Pol { ValueType::BINARY } else { ValueType(0x99) };
    Data::new(value_type, [1, 2])
}

fn seed(machine: &Machine) {
    machine.set(&[
        ("wrong type", Data::sz("1")),
        ("from 0 to 1", Data::dword(0)),
        ("list", Data::multi_sz(["a", "b"])),
        ("bits", Data::qword(3)),
        ("kept", Data::new(ValueType::DWORD, [1, 0, 0])),
    ]);
    let inside = value("v", None, Some(Data::new(ValueType::SZ, *b"a\0")));
    let changes = [
        change(&machine.below("old"), ChangeAction::Create, [inside]),
        change(&machine.below(r"old\child"), ChangeAction::Create, []),
        change(&machine.below("other"), ChangeAction::Create, [value("doomed", None, Some(doomed(machine)))]),
    ];
    machine.write(&changes).unwrap();
}

fn execute(machine: &Machine, target: &mut dyn Target, plan: &Plan) -> Applied {
    let store = Store::new(Some(machine.state_dir())).unwrap();
    operation::execute(plan, journal::Operation::Apply, machine.address.clone(), target, &store).unwrap()
}

#[track_caller]
fn undone(execution: Applied) -> (Journal, String) {
    match execution {
        Applied::Undone(journal, failure) => (journal, failure.to_string()),
        other => panic!("{other:?}"),
    }
}

/// Rolls back a journal on the target.
fn roll_back(journal: &Journal, target: &mut dyn Target) {
    let mut undo = journal::Rollback::default();
    observe(target, |reader| undo = journal::plan_rollback(&journal.header.changes, false, reader)).unwrap();
    assert_eq!(undo.conflicts, []);
    assert_eq!(undo.unread, Vec::<String>::new());
    target.write(&undo.changes).unwrap();
}

/// Applies the specs, calls `check`, and rolls back.
fn apply_and_roll_back(machine: &Machine, specs: &[Spec], check: impl Fn()) {
    let mut target = machine.open();
    let lock = until_free(target.as_mut());
    let plan = operation::make_plan(target.as_mut(), specs).unwrap();
    Plan::from_text(&plan.to_text(), Some(&plan.digest())).unwrap();
    let Applied::Done(journal) = execute(machine, target.as_mut(), &plan) else { panic!("not done") };
    assert_eq!(journal.status(), Status::Done);
    check();

    // A later process has nothing to do, and writes no journal.
    let again = operation::make_plan(machine.open().as_mut(), specs).unwrap();
    assert_eq!(again.changes().count(), 0);
    assert!(matches!(execute(machine, target.as_mut(), &again), Applied::Nothing));
    let (journals, damaged) = Store::new(Some(machine.state_dir())).unwrap().list().unwrap();
    assert_eq!((journals.len(), damaged.len()), (1, 0));
    assert_eq!(journals[0].header, journal.header);
    roll_back(&journals[0], target.as_mut());
    drop(lock);
}

#[test]
fn apply_then_diff_is_empty_and_rollback_restores_every_byte() {
    each(|machine| {
        seed(machine);
        let (before, file) = (machine.tree(), machine.file());
        apply_and_roll_back(machine, &changes(machine, false), || {
            let read = |name: &str| machine.read(&machine.base, name);
            assert_eq!(read("wrong type"), Answer::Present(Data::dword(1)));
            assert_eq!(read("from 0 to 1"), Answer::Present(Data::dword(1)));
            assert_eq!(read("list"), Answer::Present(Data::multi_sz(["b", "c"])));
            assert_eq!(read("bits"), Answer::Present(Data::qword((1 << 63) | 2)));
            assert_eq!(read("kept"), Answer::Present(Data::new(ValueType::DWORD, [1, 0, 0])));
            assert_eq!(machine.read(&machine.below(r"new\deeper"), ""), Answer::Present(Data::sz("text")));
        });
        assert_eq!(machine.tree(), before);
        if machine.address.uri.starts_with("reg:") {
            assert!(machine.file() == file, "{}", String::from_utf8_lossy(&machine.file().unwrap()));
        }
    });
}

/// Deleted keys and values come back, in a file at another position.
#[test]
fn the_first_class_of_the_32_bit_view_comes_with_the_key_that_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("user.reg");
    std::fs::write(&path, "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER]\r\n").unwrap();
    let specs = load(
        "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKCU\\Software\\Classes\\CLSID\\x\n    view: 32\n    ensure: present\n",
    );
    let mut target = RegTarget::open(&path, None, None).unwrap();
    let plan = operation::make_plan(&mut target, &specs).unwrap();
    let changes: Vec<_> = plan.changes().cloned().collect();
    let created: Vec<_> = changes.iter().map(|change| change.key.to_string()).collect();
    assert_eq!(
        created,
        [
            r"HKCU\Software",
            r"HKCU\Software\Classes",
            r"HKCU\Software\Classes\Wow6432Node",
            r"HKCU\Software\Classes\CLSID [32-bit view]",
            r"HKCU\Software\Classes\CLSID\x [32-bit view]"
        ]
    );
    target.write(&changes).unwrap();
    let back: Vec<_> = changes.iter().rev().map(KeyChange::inverse).collect();
    target.write(&back).unwrap();
    assert_eq!(operation::make_plan(&mut target, &specs).unwrap(), plan);
}

#[test]
fn what_an_apply_deletes_rollback_brings_back() {
    each(|machine| {
        seed(machine);
        let before = machine.tree();
        apply_and_roll_back(machine, &changes(machine, true), || {
            assert!(!machine.is_there(&machine.below("old")));
            assert_eq!(machine.read(&machine.below("other"), "doomed"), Answer::Absent);
        });
        assert_eq!(machine.tree(), before);
    });
}

#[test]
fn a_saved_plan_is_carried_out_only_while_all_it_rests_on_holds() {
    each(|machine| {
        seed(machine);
        let specs = changes(machine, true);
        let plan = operation::make_plan(machine.open().as_mut(), &specs).unwrap();
        operation::check_plan(&plan, machine.open().as_mut()).unwrap();
        let moved = value("from 0 to 1", Some(Data::dword(0)), Some(Data::dword(5)));
        let moved = change(&machine.base, ChangeAction::Update, [moved]);
        machine.write(std::slice::from_ref(&moved)).unwrap();
        match operation::check_plan(&plan, machine.open().as_mut()) {
            Err(operation::PlanRefusal::Stale(moved)) => {
                assert_eq!(moved.len(), 1, "{moved:?}");
                assert!(moved[0].place.contains("from 0 to 1"));
                assert!(moved[0].is.contains("dword:00000005"), "{moved:?}");
            }
            other => panic!("{other:?}"),
        }
        machine.write(&[moved.inverse()]).unwrap();
        operation::check_plan(&plan, machine.open().as_mut()).unwrap();
        // A subkey that was created after the plan, in a key that the plan deletes.
        machine.write(&[change(&machine.below(r"old\another"), ChangeAction::Create, [])]).unwrap();
        assert!(matches!(operation::check_plan(&plan, machine.open().as_mut()), Err(operation::PlanRefusal::Stale(_))));
    });
}

/// If someone else changes something between plan and write, the apply is refused, and the undo keeps that change.
#[test]
fn what_somebody_else_writes_meanwhile_is_kept() {
    each(|machine| {
        seed(machine);
        let specs = changes(machine, true);
        let mut target = machine.open();
        let plan = operation::make_plan(target.as_mut(), &specs).unwrap();
        let other = |name: &str, before: Data, after: Option<Data>| {
            machine.write(&[change(&machine.base, ChangeAction::Update, [value(name, Some(before), after)])]).unwrap();
        };
        // Other data, the data that the plan wants, and no value.
        for (name, before, after) in [
            ("from 0 to 1", Data::dword(0), Some(Data::dword(5))),
            ("from 0 to 1", Data::dword(5), Some(Data::dword(1))),
            ("from 0 to 1", Data::dword(1), None),
        ] {
            other(name, before, after);
            let tree = machine.tree();
            let (journal, failure) = undone(execute(machine, target.as_mut(), &plan));
            assert!(failure.contains("from 0 to 1"), "{failure}");
            assert_eq!((journal.status(), machine.tree()), (Status::Undone, tree));
        }
        machine.set(&[("from 0 to 1", Data::dword(0))]);

        // A value that the plan deletes later is already absent: the changes before it are undone.
        let doomed = value("doomed", Some(doomed(machine)), None);
        machine.write(&[change(&machine.below("other"), ChangeAction::Update, [doomed])]).unwrap();
        let tree = machine.tree();
        let (_, failure) = undone(execute(machine, target.as_mut(), &plan));
        assert!(failure.contains("doomed"), "{failure}");
        assert_eq!(machine.tree(), tree);
    });
}
