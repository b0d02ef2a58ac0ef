use crate::targets::{PolicyStore, StoreFacts, ValueChange};

use super::*;

fn key(text: &str) -> Key {
    text.parse().unwrap()
}
fn name(text: &str) -> ValueName {
    ValueName::new(text).unwrap()
}

#[test]
fn what_was_not_asked_is_not_known_and_what_is_below_an_absent_key_is_absent() {
    let mut facts = Facts::default();
    let query = KeyQuery { key: key(r"HKLM\A"), values: ValueSelection::Names([name("x")].into()), subkeys: false };
    let values = SmallMap::from_iter([(name("x"), Answer::Present(Data::dword(1)))]);
    facts.record_key(&query, Answer::Present(KeyFacts { values, ..Default::default() }));
    facts.record_key(&KeyQuery { key: key(r"HKLM\B"), ..query.clone() }, Answer::Absent);
    assert_eq!(facts.value(&key(r"hklm\a"), &name("X")), Some(Answer::Present(Data::dword(1))));
    assert_eq!(facts.value(&key(r"HKLM\A"), &name("y")), None);
    assert_eq!(facts.key(&key(r"HKLM\A\C")), None);
    assert_eq!(facts.key(&key(r"HKLM\B\C\D")), Some(Answer::Absent));
    assert_eq!(facts.subkeys(&key(r"HKLM\A")), None);
}

#[test]
fn changes_and_their_inverse_leave_the_facts_as_they_were() {
    let mut facts = Facts::default();
    let query = KeyQuery { key: key(r"HKLM\A"), values: ValueSelection::All, subkeys: true };
    facts
        .record_key(&query, Answer::Present(KeyFacts { subkeys: Some(Answer::Present(vec![])), ..Default::default() }));
    let before = facts.clone();
    let value = ValueChange { name: name("v"), before: None, after: Some(Data::dword(1)) };
    let change = KeyChange::new(key(r"HKLM\A\B"), ChangeAction::Create, vec![value]);
    facts.apply(&change);
    assert_eq!(facts.value(&key(r"HKLM\A\B"), &name("V")), Some(Answer::Present(Data::dword(1))));
    assert_eq!(facts.subkeys(&key(r"HKLM\A\B")), Some(Answer::Present(vec![])));
    facts.apply(&change.inverse());
    assert_eq!(facts.key(&key(r"HKLM\A\B")), Some(Answer::Absent));
    assert_eq!(before.moved(&facts), vec![]);
}

#[test]
fn a_key_that_is_also_elsewhere_is_not_absent_because_a_list_leaves_it_out() {
    let mut facts = Facts::default();
    let list = |path: &str| KeyQuery { key: key(path), values: ValueSelection::Names([].into()), subkeys: true };
    let of = |name: &str| KeyFacts {
        subkeys: Some(Answer::Present(vec![KeyName::new(name).unwrap()])),
        ..Default::default()
    };
    facts.record_key(&list(r"HKLM\SYSTEM"), Answer::Present(of("ControlSet001")));
    facts.record_key(&list("HKU"), Answer::Present(of("S-1-5-18")));
    facts.record_key(&list(r"HKU\S-1-5-21-7\Software"), Answer::Absent);
    assert_eq!(facts.key(&key(r"HKLM\SYSTEM\Foo")), Some(Answer::Absent));
    assert_eq!(facts.key(&key(r"HKLM\SYSTEM\CurrentControlSet\Services")), None);
    assert_eq!(facts.key(&key(r"HKU\.DEFAULT\Software")), None);
    assert_eq!(facts.key(&key(r"HKU\S-1-5-21-7\Software\x")), Some(Answer::Absent));
    assert_eq!(facts.key(&key(r"HKU\S-1-5-21-7\Software\Classes\x")), None);
}

#[test]
fn a_list_without_subkeys_says_so() {
    let query = KeyQuery { key: key(r"HKLM\A"), values: ValueSelection::Names([].into()), subkeys: true };
    let [old, new] = [vec![KeyName::new("s").unwrap()], vec![]].map(|names| {
        let mut facts = Facts::default();
        facts.record_key(
            &query,
            Answer::Present(KeyFacts { subkeys: Some(Answer::Present(names)), ..Default::default() }),
        );
        facts
    });
    for found in [old.moved(&new), old.changed(&new)] {
        let [drift] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((&*drift.was, &*drift.is), ("s", "no subkeys"));
    }
}

#[test]
fn a_key_that_could_not_be_read_is_asked_the_same_question_again() {
    let mut facts = Facts::default();
    let names = ValueSelection::Names([name("x")].into());
    let query = KeyQuery { key: key(r"HKLM\A"), values: names, subkeys: true };
    facts.record_key(&query, Answer::unread(crate::targets::Reason::Unknown, "only part of it"));
    assert_eq!(facts.questions().0, std::slice::from_ref(&query));
    let json = serde_json::to_string(&facts).unwrap();
    let read: Facts = serde_json::from_str(&json).unwrap();
    assert_eq!(read, facts);
    assert_eq!(read.questions().0, [query]);
}

#[test]
fn a_scope_that_is_given_twice_is_named_by_its_key() {
    for (scope, named) in
        [(serde_json::json!("machine"), "HKLM"), (serde_json::json!({ "user": "S-1-5-21-7" }), r"HKU\S-1-5-21-7")]
    {
        let policies = serde_json::json!({ "scope": scope, "asked": [], "stores": [] });
        let facts = serde_json::json!({ "keys": [], "files": [], "policies": [policies, policies] });
        let error = serde_json::from_value::<Facts>(facts).unwrap_err().to_string();
        assert_eq!(error, format!("the policy stores of {named} are given twice"));
    }
}

#[test]
fn json_round_trips() {
    let mut facts = Facts::default();
    let query = KeyQuery { key: key(r"HKLM\A"), values: ValueSelection::All, subkeys: true };
    let values =
        [(name(""), Answer::Present(Data::sz("x"))), (name("é"), Answer::unread(crate::targets::Reason::Denied, "d"))];
    facts.record_key(
        &query,
        Answer::Present(KeyFacts {
            values: values.into_iter().collect(),
            subkeys: Some(Answer::Present(vec![])),
            ..Default::default()
        }),
    );
    facts.record_file(r"C:\a.dll", Answer::Absent);
    let json = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&json).unwrap(), facts);
}

#[test]
fn a_policy_setting_that_was_not_read_again_has_moved() {
    let asked =
        |names: &[&str]| std::collections::BTreeMap::from([(key(r"HKLM\A"), names.iter().map(|n| name(n)).collect())]);
    let store = |settings| StoreFacts {
        store: PolicyStore::Local,
        path: "Registry.pol".to_owned(),
        found: Answer::Present(settings),
    };
    let facts = |names: &[&str], uncovered: &[&str], stores: Vec<StoreFacts>| {
        let mut facts = Facts::default();
        let uncovered = if uncovered.is_empty() { Default::default() } else { asked(uncovered) };
        facts.record_policies(PolicyFacts { scope: PolicyScope::Machine, asked: asked(names), uncovered, stores });
        facts
    };
    let was = facts(&["x", "y"], &[], vec![store(vec![])]);
    let moved = |now: &Facts| -> Vec<String> { was.moved(now).into_iter().map(|one| one.place).collect() };
    assert_eq!(moved(&was), Vec::<String>::new());
    assert_eq!(moved(&facts(&["x"], &["y"], vec![store(vec![])])), [r#"HKLM\A "y" in the policy stores"#]);
    assert_eq!(moved(&facts(&[], &["x", "y"], vec![])), ["Registry.pol"]);
    assert_eq!(moved(&Facts::default()), ["Registry.pol"]);
    // The place names the file, so the states do not.
    let unread = |why: &str| StoreFacts {
        found: Answer::unread(crate::targets::Reason::Malformed, format!("Registry.pol: {why}")),
        ..store(vec![])
    };
    let damaged = facts(&["x", "y"], &[], vec![unread("offset 1")]);
    let states = |was: &Facts, now| -> Vec<_> { was.moved(now).into_iter().map(|one| (one.was, one.is)).collect() };
    assert_eq!(states(&was, &damaged), [("read".to_owned(), "malformed: offset 1".to_owned())]);
    let other = facts(&["x", "y"], &[], vec![unread("offset 2")]);
    assert_eq!(states(&damaged, &other), [("malformed: offset 1".to_owned(), "malformed: offset 2".to_owned())]);
    // A store without an answer in both cannot show that nothing has changed.
    let silent = facts(&["x"], &[], vec![]);
    assert_eq!(silent.moved(&Facts::default()).len(), 1);
    // A plan whose snapshot did not contain the setting can be applied to a machine that has it.
    let unknown = facts(&[], &["x", "y"], vec![]);
    assert_eq!(unknown.moved(&was), vec![]);
}
