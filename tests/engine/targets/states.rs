//! Tests that absent, present and unknown are different answers, and that names are compared as in the registry.

use kbfix::{
    registry::{Data, Key},
    targets::{Answer, ChangeAction, KeyFacts, Reason, ValueSelection},
};

use crate::targets::kinds::{Kind, change, each, name, value};

fn nothing() -> ValueSelection {
    ValueSelection::Names(Default::default())
}

#[test]
fn a_key_that_is_there_without_values_is_present_and_what_is_below_it_absent() {
    each(|machine| {
        let empty = KeyFacts { subkeys: Some(Answer::Present(Vec::new())), ..KeyFacts::default() };
        let found = machine.query(&machine.base, ValueSelection::All, true);
        assert_eq!(found.map(|found| KeyFacts { properties: None, ..found }), Answer::Present(empty));
        assert_eq!(machine.query(&machine.base, nothing(), false), Answer::Present(KeyFacts::default()));
        assert_eq!(machine.query(&machine.below("missing"), nothing(), false), Answer::Absent);
        assert_eq!(machine.query(&machine.below(r"missing\deeper"), ValueSelection::All, true), Answer::Absent);
        assert_eq!(machine.read(&machine.base, "missing"), Answer::Absent);
        // A default value that was never set.
        assert_eq!(machine.read(&machine.base, ""), Answer::Absent);
    });
}

#[test]
fn what_a_file_does_not_cover_is_unknown_and_never_absent() {
    each(|machine| {
        let elsewhere: Key = r"HKLM\SOFTWARE\kbfix-test-elsewhere".parse().unwrap();
        let answer = machine.query(&elsewhere, nothing(), false);
        if machine.kind == Kind::Pol {
            // The key may be changed, so there is an answer. But the answer does not say that the key exists.
            let unsure = answer.known().unwrap().unwrap().unsure.unwrap();
            assert_eq!(unsure.reason, Reason::NotConfigured);
        } else if machine.kind.is_partial() {
            assert_eq!(answer.known().unwrap_err().reason, Reason::Unknown);
            let parent = machine.query(&machine.base.parent().unwrap(), ValueSelection::All, true);
            assert_eq!(parent.known().unwrap_err().reason, Reason::Unknown);
        } else {
            assert_eq!(answer, Answer::Absent);
        }
    });
}

#[test]
fn a_change_of_what_a_file_does_not_cover_is_refused() {
    each(|machine| {
        // A policy can set a value that it did not name before.
        if !machine.kind.is_partial() || machine.kind == Kind::Pol {
            return;
        }
        let before = machine.file();
        let elsewhere: Key = r"HKLM\SOFTWARE\kbfix-test-elsewhere".parse().unwrap();
        for action in [ChangeAction::Create, ChangeAction::Update, ChangeAction::Delete] {
            machine.write(&[change(&elsewhere, action, [])]).unwrap_err();
        }
        assert_eq!(machine.file(), before);
    });
}

#[test]
fn names_compare_without_case_and_print_as_found() {
    each(|machine| {
        machine.set(&[("DisableRealmHint", Data::dword(1)), ("Größe", Data::dword(2))]);
        machine.write(&[change(&machine.below("MSExchangeWEB"), ChangeAction::Create, [])]).unwrap();

        assert_eq!(machine.read(&machine.base, "DISABLEREALMHINT"), Answer::Present(Data::dword(1)));
        assert_eq!(machine.read(&machine.base, "GRÖßE"), Answer::Present(Data::dword(2)));
        assert!(machine.is_there(&machine.below("msexchangeweb")));
        let facts = machine.query(&machine.base, ValueSelection::All, true).known().unwrap().unwrap();
        let names: Vec<_> = facts.values.keys().map(|n| n.as_str()).collect();
        assert_eq!(names, ["DisableRealmHint", "Größe"]);
        assert_eq!(facts.subkeys.unwrap().known().unwrap().unwrap()[0].as_str(), "MSExchangeWEB");
        let asked = ValueSelection::Names([name("disablerealmhint")].into());
        let facts = machine.query(&machine.base, asked, false).known().unwrap().unwrap();
        assert_eq!(facts.values.keys().next().unwrap().as_str(), "DisableRealmHint");

        // The case of a name does not matter: the value is replaced, its name keeps its spelling, and there is no
        // second value.
        let replace = value("DISABLEREALMHINT", Some(Data::dword(1)), Some(Data::dword(0)));
        machine.write(&[change(&machine.base, ChangeAction::Update, [replace])]).unwrap();
        let facts = machine.query(&machine.base, ValueSelection::All, false).known().unwrap().unwrap();
        assert_eq!(facts.values.len(), 2);
        assert_eq!(facts.values.get(&name("DisableRealmHint")), Some(&Answer::Present(Data::dword(0))));
        assert_eq!(facts.values.keys().next().unwrap().as_str(), "DisableRealmHint");
    });
}

#[test]
fn a_batch_is_answered_in_the_order_of_its_questions() {
    each(|machine| {
        machine.write(&[change(&machine.below("b"), ChangeAction::Create, [])]).unwrap();
        let there =
            |path: &str| kbfix::targets::KeyQuery { key: machine.below(path), values: nothing(), subkeys: false };
        let answers = machine.open().read_keys(&[there("c"), there("b"), there("a"), there("b")]).unwrap();
        let present: Vec<_> = answers.into_iter().map(|a| a.known().unwrap().is_some()).collect();
        assert_eq!(present, [false, true, false, true]);
    });
}
