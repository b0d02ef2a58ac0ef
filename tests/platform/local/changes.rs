//! Tests that changes are made exactly as they say, and are refused if the present state is not the one that they
//! expect.

use kbfix::{
    registry::{Data, Key, ValueType},
    targets::{Answer, ChangeAction, KeyChange, Target, WriteError, local::LocalTarget},
};

use crate::local::scratch::{Scratch, change, in_32_bit_view, is_there, key, make_key, read, reg, reg_ok, value};

fn write(changes: &[KeyChange]) -> Result<(), WriteError> {
    LocalTarget::new().write(changes).map_err(|failure| failure.error)
}

/// Returns the message with which one change is refused.
fn stale(change: KeyChange) -> String {
    match write(&[change]) {
        Err(error @ WriteError::Stale { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_created_with_its_values_and_deleted_with_them() {
    let scratch = Scratch::user("create");
    let (outer, inner) =
        (scratch.below("MSExchangeWEB"), scratch.below(r"MSExchangeWEB").child(&"DAV".to_owned().try_into().unwrap()));
    let hint = value("DisableRealmHint", None, Some(Data::dword(1)));
    let changes = [change(&outer, ChangeAction::Create, []), change(&inner, ChangeAction::Create, [hint])];
    write(&changes).unwrap();
    let shown = reg_ok(&["query", &inner.path.to_string(), "/v", "DisableRealmHint"]);
    assert!(shown.contains("0x1"), "{shown}");

    let back: Vec<_> = changes.iter().rev().map(KeyChange::inverse).collect();
    write(&back).unwrap();
    assert!(!reg(&["query", &outer.path.to_string()]).status.success());
    assert!(is_there(&scratch.key));
}

#[test]
fn keys_are_created_below_a_key_that_was_deleted_and_created_again() {
    let scratch = Scratch::machine("again");
    let [a, b] = ["a", "b"].map(|name| scratch.below(name));
    let [below_a, below_b] = [&a, &b].map(|key| key.child(&"below".to_owned().try_into().unwrap()));
    let create = |key: &Key| change(key, ChangeAction::Create, []);
    let delete = |key: &Key| change(key, ChangeAction::Delete, []);
    write(&[create(&a), create(&b), create(&below_a), delete(&below_a), delete(&a)]).unwrap();
    assert!(stale(create(&below_a)).contains("expected present, found absent"));
    write(&[
        create(&a),
        create(&below_a),
        delete(&below_a),
        delete(&a),
        create(&a),
        create(&below_a),
        create(&below_b),
    ])
    .unwrap();
    assert!([&a, &b, &below_a, &below_b].into_iter().all(is_there));
}

#[test]
fn a_missing_parent_is_not_created_on_the_way() {
    let scratch = Scratch::machine("parent");
    let parent = scratch.below("missing");
    let child = parent.child(&"child".to_owned().try_into().unwrap());
    assert!(stale(change(&child, ChangeAction::Create, [])).contains("missing"));
    assert!(!is_there(&parent));
    assert!(stale(change(&child, ChangeAction::Delete, [])).contains("missing"));
}

#[test]
fn a_key_that_is_not_as_the_change_says_is_left_alone() {
    let scratch = Scratch::machine("stale-key");
    let there = change(&scratch.key, ChangeAction::Create, [value("new", None, Some(Data::dword(1)))]);
    assert!(stale(there).contains("expected absent, found present"));
    assert_eq!(read(&scratch.key, "new"), Answer::Absent);
    let missing = change(&scratch.below("missing"), ChangeAction::Update, []);
    assert!(stale(missing).contains("expected present, found absent"));
}

#[test]
fn a_value_that_is_not_as_the_change_says_is_left_alone() {
    let scratch = Scratch::user("stale-value");
    write(&[change(&scratch.key, ChangeAction::Update, [value("v", None, Some(Data::dword(1)))])]).unwrap();
    let update = |before, after| change(&scratch.key, ChangeAction::Update, [value("v", before, after)]);
    for before in [None, Some(Data::dword(2)), Some(Data::sz("1")), Some(Data::new(ValueType::BINARY, [1, 0, 0, 0]))] {
        let told = stale(update(before.clone(), Some(Data::dword(3))));
        assert!(told.ends_with("found REG_DWORD dword:00000001"), "{told}");
        stale(update(before, None));
    }
    assert!(
        stale(change(&scratch.key, ChangeAction::Update, [value("absent", Some(Data::dword(1)), None)]))
            .ends_with("found absent")
    );
    assert_eq!(read(&scratch.key, "v"), Answer::Present(Data::dword(1)));
    write(&[update(Some(Data::dword(1)), None)]).unwrap();
    assert_eq!(read(&scratch.key, "v"), Answer::Absent);
}

#[test]
fn a_key_is_deleted_only_if_it_holds_just_what_the_change_lists() {
    let scratch = Scratch::machine("delete");
    let doomed = scratch.below("doomed");
    let path = doomed.path.to_string();
    make_key(&doomed.child(&"subkey".to_owned().try_into().unwrap()));
    reg_ok(&["add", &path, "/v", "a", "/t", "REG_DWORD", "/d", "1", "/f"]);
    let listed = |data: u32| change(&doomed, ChangeAction::Delete, [value("A", Some(Data::dword(data)), None)]);

    assert!(stale(listed(1)).contains("found 1 subkey"));
    reg_ok(&["delete", &format!(r"{path}\subkey"), "/f"]);
    assert!(stale(listed(2)).contains("found REG_DWORD dword:00000001"));
    assert!(stale(change(&doomed, ChangeAction::Delete, [])).contains("expected absent"));
    reg_ok(&["add", &path, "/v", "b", "/d", "x", "/f"]);
    assert!(stale(listed(1)).contains("\"b\": expected absent"));
    reg_ok(&["delete", &path, "/v", "b", "/f"]);
    assert_eq!(read(&doomed, "a"), Answer::Present(Data::dword(1)));
    write(&[listed(1)]).unwrap();
    assert!(!is_there(&doomed));
}

#[test]
fn a_root_key_is_neither_created_nor_deleted() {
    for action in [ChangeAction::Create, ChangeAction::Delete] {
        assert!(matches!(write(&[change(&key("HKLM"), action, [])]), Err(WriteError::Unsupported { .. })));
    }
}

#[test]
fn what_stands_before_a_refused_change_was_made() {
    let scratch = Scratch::machine("order");
    let set = |name, before| change(&scratch.key, ChangeAction::Update, [value(name, before, Some(Data::dword(1)))]);
    let refused = write(&[set("first", None), set("second", Some(Data::dword(9))), set("third", None)]);
    assert!(matches!(refused, Err(WriteError::Stale { .. })));
    assert_eq!(read(&scratch.key, "first"), Answer::Present(Data::dword(1)));
    assert_eq!(read(&scratch.key, "third"), Answer::Absent);
}

#[test]
fn the_32_bit_view_is_written_read_and_deleted_as_such() {
    let path = r"HKLM\SOFTWARE\kbfix-test-view";
    let (wide, narrow): (Key, Key) = (key(path), in_32_bit_view(path));
    let clean = || {
        reg(&["delete", path, "/f", "/reg:32"]);
        reg(&["delete", path, "/f", "/reg:64"]);
    };
    clean();
    let set = |data| value("v", None, Some(Data::dword(data)));
    write(&[change(&narrow, ChangeAction::Create, [set(32)])]).unwrap();
    assert!(!is_there(&wide));
    assert!(reg_ok(&["query", path, "/v", "v", "/reg:32"]).contains("0x20"));
    assert!(!reg(&["query", path, "/reg:64"]).status.success());
    let stored = narrow.view.stored_at(&narrow.path);
    assert_eq!(read(&Key::new(stored.clone()), "v"), Answer::Present(Data::dword(32)));

    write(&[change(&wide, ChangeAction::Create, [set(64)])]).unwrap();
    assert!(reg_ok(&["query", path, "/v", "v", "/reg:32"]).contains("0x20"));
    assert!(reg_ok(&["query", path, "/v", "v", "/reg:64"]).contains("0x40"));
    assert_eq!(read(&narrow, "v"), Answer::Present(Data::dword(32)));

    let inner = narrow.child(&"inner".to_owned().try_into().unwrap());
    write(&[change(&inner, ChangeAction::Create, [set(3)])]).unwrap();
    assert!(is_there(&Key::new(stored.child(&"inner".to_owned().try_into().unwrap()))));
    write(&[change(&inner, ChangeAction::Delete, [value("v", Some(Data::dword(3)), None)])]).unwrap();
    write(&[change(&narrow, ChangeAction::Delete, [value("v", Some(Data::dword(32)), None)])]).unwrap();
    assert!(!is_there(&narrow));
    assert_eq!(read(&wide, "v"), Answer::Present(Data::dword(64)));
    clean();
}
