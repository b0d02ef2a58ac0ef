//! Tests that absent, denied, unsupported and unknown are different answers.
#![allow(unsafe_code, reason = "the registry can hold what its safe wrappers cannot write")]

use std::{collections::BTreeSet, ptr::null_mut};

use kbfix::{
    registry::Data,
    targets::{Answer, ChangeAction, KeyFacts, Reason, Target, ValueSelection, WriteError, local::LocalTarget},
};
use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        Authorization::{ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1},
        DACL_SECURITY_INFORMATION,
    },
    System::Registry::{KEY_ALL_ACCESS, REG_SZ, RegCloseKey, RegCreateKeyW, RegSetKeySecurity, RegSetValueExW},
};

use crate::local::scratch::{Scratch, change, key, make_key, name, query, read, reg_ok, value};

fn reason<T: std::fmt::Debug>(answer: Answer<T>) -> Reason {
    match answer {
        Answer::Unread(why) => why.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn absent_keys_and_absent_values_are_told_apart() {
    let scratch = Scratch::machine("absent");
    let nothing = || ValueSelection::Names(BTreeSet::new());
    assert_eq!(query(&scratch.below("missing"), nothing(), false), Answer::Absent);
    assert_eq!(query(&key(r"HKLM\kbfix-test-missing\a\b"), nothing(), true), Answer::Absent);
    assert_eq!(query(&scratch.key, nothing(), false), Answer::Present(KeyFacts::default()));
    assert_eq!(read(&scratch.key, "missing"), Answer::Absent);
    // A default value that was never set.
    assert_eq!(read(&scratch.key, ""), Answer::Absent);
}

#[test]
fn subkeys_are_named_as_found_and_only_where_asked_for() {
    let scratch = Scratch::user("subkeys");
    let long = "k".repeat(255);
    for name in ["Ab", "größe", long.as_str()] {
        make_key(&scratch.below(name));
    }
    let facts = query(&scratch.key, ValueSelection::All, true).known().unwrap().unwrap();
    let mut subkeys = facts.subkeys.unwrap().known().unwrap().unwrap();
    subkeys.sort();
    assert_eq!(subkeys.iter().map(|k| k.as_str()).collect::<Vec<_>>(), ["Ab", "größe", &long]);
    assert_eq!(facts.values.len(), 0);
    assert_eq!(query(&scratch.key, ValueSelection::All, false).known().unwrap().unwrap().subkeys, None);
}

#[test]
fn every_root_key_can_be_read() {
    for root in ["HKCR", "HKCU", "HKLM", "HKU", "HKCC"] {
        let facts = query(&key(root), ValueSelection::Names(BTreeSet::new()), true).known().unwrap().unwrap();
        assert!(!facts.subkeys.unwrap().known().unwrap().unwrap().is_empty(), "{root}");
    }
}

#[test]
fn the_hive_of_a_user_who_is_not_logged_on_is_unknown() {
    let answer = query(&key(r"HKU\S-1-5-21-1-2-3-99999\Software\X"), ValueSelection::All, false);
    assert_eq!(reason(answer), Reason::Unknown);
    assert_eq!(query(&key(r"HKU\nobody\Software"), ValueSelection::All, false), Answer::Absent);
}

/// Gives the key a DACL in SDDL, which is used for every later opening of the key.
pub(crate) fn set_dacl(scratch: &Scratch, dacl: &str) {
    let root = windows_registry::LOCAL_MACHINE;
    let handle = root.options().access(0x0004_0000 | 0x0002_0000).open(scratch.key.path.below_root()).unwrap();
    let sddl: Vec<u16> = dacl.encode_utf16().chain([0]).collect();
    let mut descriptor = null_mut();
    // SAFETY: `sddl` ends with a NUL; the descriptor is valid until freed; the handle is open.
    unsafe {
        let converted = ConvertStringSecurityDescriptorToSecurityDescriptorW(
            sddl.as_ptr(),
            SDDL_REVISION_1,
            &mut descriptor,
            null_mut(),
        );
        assert_ne!(converted, 0);
        assert_eq!(RegSetKeySecurity(handle.as_raw(), DACL_SECURITY_INFORMATION, descriptor), 0);
        LocalFree(descriptor);
    }
}

#[test]
fn what_the_system_denies_is_denied_and_not_absent() {
    let scratch = Scratch::machine("denied");
    reg_ok(&["add", &scratch.path(), "/v", "v", "/t", "REG_DWORD", "/d", "1", "/f"]);
    let update = change(&scratch.key, ChangeAction::Update, [value("v", Some(Data::dword(1)), Some(Data::dword(2)))]);
    let child = change(&scratch.below("child"), ChangeAction::Create, []);

    // KEY_READ for everyone: enough to read, not to write.
    set_dacl(&scratch, "D:P(A;;KR;;;WD)");
    assert_eq!(read(&scratch.key, "v"), Answer::Present(Data::dword(1)));
    for refused in [&update, &child] {
        let result = LocalTarget::new().write(std::slice::from_ref(refused)).map_err(|failure| failure.error);
        assert!(matches!(result, Err(WriteError::Denied { .. })), "{result:?}");
    }
    // Only the right to query values. kbfix requests no right that it does not need.
    set_dacl(&scratch, "D:P(A;;0x1;;;WD)");
    assert_eq!(read(&scratch.key, "v"), Answer::Present(Data::dword(1)));
    assert_eq!(reason(query(&scratch.key, ValueSelection::All, true)), Reason::Denied);

    set_dacl(&scratch, "D:P(D;;KA;;;WD)");
    assert_eq!(reason(query(&scratch.key, ValueSelection::All, false)), Reason::Denied);
    set_dacl(&scratch, "D:P(A;;KA;;;WD)");
    assert_eq!(read(&scratch.key, "v"), Answer::Present(Data::dword(1)));
}

#[test]
fn a_name_that_is_not_utf_16_is_unsupported_and_hides_nothing_else() {
    let scratch = Scratch::machine("surrogate");
    reg_ok(&["add", &scratch.path(), "/v", "good", "/t", "REG_DWORD", "/d", "1", "/f"]);
    // Both names have the same similar name.
    let (odd, other) = ([0x61, 0xD800, 0x62, 0], [0x61, 0xDC00, 0x62, 0]);
    let handle =
        windows_registry::LOCAL_MACHINE.options().access(KEY_ALL_ACCESS).open(scratch.key.path.below_root()).unwrap();
    for name in [odd, other] {
        // SAFETY: the handle is open; the name ends with a NUL; the data is two bytes long.
        let code = unsafe { RegSetValueExW(handle.as_raw(), name.as_ptr(), 0, REG_SZ, [0, 0].as_ptr(), 2) };
        assert_eq!(code, 0);
    }

    let all = query(&scratch.key, ValueSelection::All, false).known().unwrap().unwrap().values;
    assert_eq!(all.get(&name("good")), Some(&Answer::Present(Data::dword(1))));
    for similar in ["a\u{FFFD}b", "a\u{FFFD}b (2)"] {
        let unsupported = all.get(&name(similar)).unwrap().clone().known().unwrap_err();
        assert_eq!(unsupported.reason, Reason::Unsupported);
    }
    assert_eq!(read(&scratch.key, "good"), Answer::Present(Data::dword(1)));
    // A key with such a value is not deleted, because the change cannot contain the value.
    let delete = change(&scratch.key, ChangeAction::Delete, [value("good", Some(Data::dword(1)), None)]);
    assert!(LocalTarget::new().write(&[delete]).is_err());

    let mut child = null_mut();
    // SAFETY: the handle is open; the name ends with a NUL; the result goes to a live variable and is closed.
    unsafe {
        assert_eq!(RegCreateKeyW(handle.as_raw(), odd.as_ptr(), &mut child), 0);
        RegCloseKey(child);
    }
    let listed = query(&scratch.key, ValueSelection::All, true).known().unwrap().unwrap();
    assert_eq!(reason(listed.subkeys.unwrap()), Reason::Unsupported);
    assert_eq!(listed.values, query(&scratch.key, ValueSelection::All, false).known().unwrap().unwrap().values);
}

#[test]
fn ten_thousand_values_are_written_and_read() {
    let scratch = Scratch::machine("many");
    let values = (0..10_000).map(|i| value(&format!("value {i}"), None, Some(Data::dword(i))));
    let changes = [change(&scratch.key, ChangeAction::Update, values)];
    let start = std::time::Instant::now();
    LocalTarget::new().write(&changes).unwrap();
    let written = start.elapsed();
    let names = (0..10_000).map(|i| name(&format!("value {i}"))).collect();
    let read = query(&scratch.key, ValueSelection::Names(names), false).known().unwrap().unwrap();
    println!("written in {written:?}, read in {:?}", start.elapsed() - written);
    assert_eq!(read.values.len(), 10_000);
}
