//! Tests the security descriptors of keys that are deleted and restored.

use kbfix::{
    registry::{Data, Key, KeyProperties},
    targets::{ChangeAction, KeyChange, KeyFacts, Target, ValueSelection, local::LocalTarget},
};

use crate::local::{
    keys::set_dacl,
    scratch::{Scratch, change, make_key, query, reg_ok, value},
};

fn facts(key: &Key) -> KeyFacts {
    query(key, ValueSelection::All, true).known().unwrap().unwrap()
}

/// If a descriptor forbids new subkeys, it is set after the subkeys were restored.
#[test]
fn a_tree_whose_top_forbids_new_keys_comes_back_with_its_descriptors() {
    let scratch = Scratch::machine("secured");
    let (inner, beside) = (scratch.below("inner"), Scratch::machine("secured-beside"));
    make_key(&inner);
    reg_ok(&["add", &inner.path.to_string(), "/v", "v", "/t", "REG_DWORD", "/d", "1", "/f"]);
    // To read, delete, and set a descriptor; not to create keys (KEY_CREATE_SUB_KEY) or set values.
    set_dacl(&scratch, "D:P(A;;KRSDWDWO;;;WD)");
    let before = (facts(&scratch.key), facts(&inner));
    let properties = |facts: &KeyFacts| -> Option<KeyProperties> { facts.properties.clone()?.known().unwrap() };
    let delete = |key, facts: &KeyFacts, values: Vec<_>| KeyChange {
        properties: properties(facts),
        ..change(key, ChangeAction::Delete, values)
    };
    let changes = [
        delete(&inner, &before.1, vec![value("v", Some(Data::dword(1)), None)]),
        delete(&scratch.key, &before.0, vec![]),
    ];
    LocalTarget::new().write(&changes).unwrap();
    // With another change that follows.
    let mut back: Vec<_> = changes.iter().rev().map(KeyChange::inverse).collect();
    back.push(change(&beside.below("new"), ChangeAction::Create, []));
    LocalTarget::new().write(&back).unwrap();
    let after = (facts(&scratch.key), facts(&inner));
    for (before, after) in [(&before.0, &after.0), (&before.1, &after.1)] {
        assert_eq!((&before.values, &before.subkeys), (&after.values, &after.subkeys));
        assert!(properties(before).unwrap().same(&properties(after).unwrap()), "{before:?} {after:?}");
    }
    let refused = LocalTarget::new().write(&[change(&scratch.below("other"), ChangeAction::Create, [])]);
    assert!(refused.is_err());
    set_dacl(&scratch, "D:P(A;;KA;;;WD)");
}
