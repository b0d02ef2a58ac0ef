//! Tests that changes are made exactly as they say, and are refused if the present state is not the one that they
//! expect.

use kbfix::{
    registry::{Data, KeyProperties},
    targets::{Answer, ChangeAction, KeyChange, Reason, Unread, ValueSelection, WriteError},
};

use crate::targets::kinds::{Machine, change, each, properties, value};

/// Checks that the change is refused as stale, and that the machine is not changed.
fn refused(machine: &Machine, change: KeyChange) {
    let (before, file) = (machine.tree(), machine.file());
    let result = machine.write(std::slice::from_ref(&change));
    assert!(matches!(result, Err(WriteError::Stale { .. })), "{change:?}: {result:?}");
    assert_eq!(machine.tree(), before);
    assert_eq!(machine.file(), file);
}

fn set(name: &str, data: u32) -> kbfix::targets::ValueChange {
    value(name, None, Some(Data::dword(data)))
}

#[test]
fn values_are_created_updated_and_deleted_in_one_change() {
    each(|machine| {
        machine.set(&[("a", Data::dword(1)), ("b", Data::dword(2)), ("kept", Data::dword(9))]);
        let values = [
            value("a", Some(Data::dword(1)), Some(Data::sz("1"))),
            value("b", Some(Data::dword(2)), None),
            value("", None, Some(Data::dword(3))),
        ];
        machine.write(&[change(&machine.base, ChangeAction::Update, values)]).unwrap();
        assert_eq!(machine.read(&machine.base, "a"), Answer::Present(Data::sz("1")));
        assert_eq!(machine.read(&machine.base, "b"), Answer::Absent);
        assert_eq!(machine.read(&machine.base, ""), Answer::Present(Data::dword(3)));
        assert_eq!(machine.read(&machine.base, "kept"), Answer::Present(Data::dword(9)));
    });
}

#[test]
fn a_key_is_created_with_its_parent_and_both_go_again() {
    each(|machine| {
        let before = machine.tree();
        let changes = [
            change(&machine.below("MSExchangeWEB"), ChangeAction::Create, []),
            change(&machine.below(r"MSExchangeWEB\DAV"), ChangeAction::Create, [set("DisableRealmHint", 1)]),
        ];
        machine.write(&changes).unwrap();
        let read = machine.read(&machine.below(r"MSExchangeWEB\DAV"), "DisableRealmHint");
        assert_eq!(read, Answer::Present(Data::dword(1)));
        assert_eq!(machine.tree().len(), 3);
        let back: Vec<_> = changes.iter().rev().map(KeyChange::inverse).collect();
        machine.write(&back).unwrap();
        assert_eq!(machine.tree(), before);
    });
}

#[test]
fn a_key_stays_when_its_last_value_or_subkey_goes() {
    each(|machine| {
        let (outer, inner) = (machine.below("outer"), machine.below(r"outer\inner"));
        machine
            .write(&[change(&outer, ChangeAction::Create, []), change(&inner, ChangeAction::Create, [set("v", 1)])])
            .unwrap();
        let no_value = value("v", Some(Data::dword(1)), None);
        machine.write(&[change(&inner, ChangeAction::Update, [no_value])]).unwrap();
        assert!(machine.is_there(&inner));
        machine.write(&[change(&inner, ChangeAction::Delete, [])]).unwrap();
        assert!(!machine.is_there(&inner));
        assert!(machine.is_there(&outer));
    });
}

#[test]
fn a_value_that_is_not_as_the_change_says_is_left_alone() {
    each(|machine| {
        machine.set(&[("v", Data::dword(1))]);
        for before in [None, Some(Data::dword(2)), Some(Data::sz("1"))] {
            for after in [Some(Data::dword(3)), None] {
                if before.is_some() || after.is_some() {
                    refused(machine, change(&machine.base, ChangeAction::Update, [value("v", before.clone(), after)]));
                }
            }
        }
        let absent = value("absent", Some(Data::dword(1)), None);
        refused(machine, change(&machine.base, ChangeAction::Update, [absent]));
    });
}

#[test]
fn a_key_that_is_not_as_the_change_says_is_left_alone() {
    each(|machine| {
        machine.write(&[change(&machine.below("there"), ChangeAction::Create, [])]).unwrap();
        refused(machine, change(&machine.below("there"), ChangeAction::Create, [set("v", 1)]));
        refused(machine, change(&machine.below("missing"), ChangeAction::Update, [set("v", 1)]));
        refused(machine, change(&machine.below("missing"), ChangeAction::Delete, []));
        refused(machine, change(&machine.below(r"missing\child"), ChangeAction::Create, [set("v", 1)]));
    });
}

#[test]
fn a_key_is_deleted_only_if_it_holds_just_what_the_change_lists() {
    each(|machine| {
        let doomed = machine.below("doomed");
        let subkey = machine.below(r"doomed\subkey");
        machine
            .write(&[change(&doomed, ChangeAction::Create, [set("a", 1)]), change(&subkey, ChangeAction::Create, [])])
            .unwrap();
        let listed = |data| change(&doomed, ChangeAction::Delete, [value("A", Some(Data::dword(data)), None)]);
        refused(machine, listed(1));
        machine.write(&[change(&subkey, ChangeAction::Delete, [])]).unwrap();
        refused(machine, listed(2));
        refused(machine, change(&doomed, ChangeAction::Delete, []));
        machine.write(&[change(&doomed, ChangeAction::Update, [set("b", 2)])]).unwrap();
        refused(machine, listed(1));
        machine.write(&[change(&doomed, ChangeAction::Update, [value("b", Some(Data::dword(2)), None)])]).unwrap();
        machine.write(&[listed(1)]).unwrap();
        assert!(!machine.is_there(&doomed));
    });
}

#[test]
fn a_file_takes_all_changes_or_none() {
    each(|machine| {
        let changes = [
            change(&machine.base, ChangeAction::Update, [set("first", 1)]),
            change(&machine.base, ChangeAction::Update, [value("second", Some(Data::dword(9)), None)]),
            change(&machine.base, ChangeAction::Update, [set("third", 3)]),
        ];
        let before = machine.file();
        assert!(matches!(machine.write(&changes), Err(WriteError::Stale { .. })));
        assert_eq!(machine.read(&machine.base, "third"), Answer::Absent);
        if machine.kind.is_file() {
            assert_eq!(machine.file(), before);
        }
    });
}

#[test]
fn a_later_change_sees_what_an_earlier_one_of_the_same_write_did() {
    each(|machine| {
        let key = machine.below("k");
        let changes = [
            change(&key, ChangeAction::Create, [set("v", 1)]),
            change(&key, ChangeAction::Update, [value("v", Some(Data::dword(1)), Some(Data::dword(2)))]),
            change(&key, ChangeAction::Delete, [value("v", Some(Data::dword(2)), None)]),
            change(&key, ChangeAction::Create, [set("w", 3)]),
        ];
        machine.write(&changes).unwrap();
        assert_eq!(machine.read(&key, "w"), Answer::Present(Data::dword(3)));
        assert_eq!(machine.read(&key, "v"), Answer::Absent);
    });
}

#[test]
fn root_keys_are_neither_created_nor_deleted() {
    each(|machine| {
        for action in [ChangeAction::Create, ChangeAction::Delete] {
            machine.write(&[change(&"HKLM".parse().unwrap(), action, [])]).unwrap_err();
        }
    });
}

/// An export has neither class names nor security descriptors. Samba's server keeps no class names.
#[test]
fn a_deleted_key_comes_back_with_its_class_and_security() {
    each(|machine| {
        let key = machine.below("own");
        let class = if machine.kind.keeps_classes() { Some("67cd88ed") } else { None };
        let own = |action, properties| KeyChange { properties, ..change(&key, action, []) };
        let found = || machine.query(&key, ValueSelection::All, true).known().unwrap().unwrap().properties.unwrap();
        machine.write(&[own(ChangeAction::Create, Some(properties(class)))]).unwrap();
        if !machine.kind.keeps_security() {
            assert!(matches!(found(), Answer::Unread(Unread { reason: Reason::Unknown, .. })));
            return;
        }
        let created = found().known().unwrap().unwrap();
        assert!(created.same(&properties(class)), "{created}");
        let parent =
            machine.query(&machine.base, ValueSelection::All, false).known().unwrap().unwrap().properties.unwrap();
        let others = KeyProperties { class: class.map(str::to_owned), ..parent.known().unwrap().unwrap() };
        if !others.same(&created) {
            refused(machine, own(ChangeAction::Delete, Some(others)));
        }
        if class.is_some() {
            refused(machine, own(ChangeAction::Delete, Some(properties(Some("another")))));
        }
        let delete = own(ChangeAction::Delete, Some(created.clone()));
        machine.write(std::slice::from_ref(&delete)).unwrap();
        assert!(!machine.is_there(&key));
        machine.write(&[delete.inverse()]).unwrap();
        let back = found().known().unwrap().unwrap();
        assert!(back.same(&created), "{back}");
    });
}
