//! Tests that only one apply at a time runs on a target, and that it reads the present state after it has the lock.

use std::fs;

use kbfix::{
    registry::Data,
    targets::{Answer, ChangeAction, KeyQuery, Target, TargetError, ValueSelection},
};

use crate::targets::kinds::{change, each, name, value};

#[test]
fn the_lock_excludes_another_process_and_is_free_again_afterwards() {
    // The test holds this for all its machines: `local` has only one lock, which other tests of this program take too.
    each(|machine| {
        let spec = machine.spec("v: { type: REG_DWORD, data: 1 }");
        let mut target = machine.open();
        let held = until_free(target.as_mut());
        assert!(matches!(machine.open().lock(), Err(TargetError::Locked { .. })));

        let refused = machine.kbfix("apply", &spec);
        assert_eq!(refused.status.code(), Some(3), "{refused:?}");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains("locked by another kbfix"), "{said}");
        assert_eq!(machine.read(&machine.base, "v"), Answer::Absent);
        assert!(!machine.state_dir().join("journal").exists(), "a journal of an apply that did not begin");
        // A diff needs no lock.
        assert_eq!(machine.kbfix("diff", &spec).status.code(), Some(1));

        drop(held);
        let applied = machine.kbfix("apply", &spec);
        assert_eq!(applied.status.code(), Some(0), "{applied:?}");
        assert_eq!(machine.read(&machine.base, "v"), Answer::Present(Data::dword(1)));
    });
}

#[test]
fn what_another_wrote_before_the_lock_is_seen_under_it() {
    each(|machine| {
        let mut early = machine.open();
        machine.set(&[("v", Data::dword(1))]);
        let _held = until_free(early.as_mut());
        let update = value("v", Some(Data::dword(1)), Some(Data::dword(2)));
        early.write(&[change(&machine.base, ChangeAction::Update, [update])]).unwrap();
        assert_eq!(machine.read(&machine.base, "v"), Answer::Present(Data::dword(2)));
    });
}

#[test]
fn where_the_file_cannot_be_read_under_the_lock_nothing_older_is_answered() {
    each(|machine| {
        let Some(path) = machine.path() else { return };
        let mut target = machine.open();
        let wanted = ValueSelection::Names([name("v")].into());
        let query = KeyQuery { key: machine.base.clone(), values: wanted, subkeys: false };
        let read =
            |target: &mut dyn Target| target.read_keys(std::slice::from_ref(&query)).map(|mut all| all.remove(0));
        assert!(matches!(read(target.as_mut()), Ok(Answer::Present(_))));
        machine.set(&[("v", Data::dword(1))]);
        let sound = fs::read(&path).unwrap();
        fs::write(&path, b"damaged").unwrap();
        let held = target.lock();
        let found = read(target.as_mut());
        assert!(matches!(found, Err(_) | Ok(Answer::Unread(_))), "{found:?}");
        drop(held);
        // A lock of another process says nothing about the file.
        fs::write(&path, &sound).unwrap();
        let other = machine.open().lock().unwrap();
        assert!(target.lock().is_err());
        drop(other);
        let Ok(Answer::Present(facts)) = read(target.as_mut()) else { panic!("it is sound again") };
        assert_eq!(facts.values.get(&name("v")), Some(&Answer::Present(Data::dword(1))));
    });
}

/// Takes the lock, after no other test of this program holds it.
pub(crate) fn until_free(target: &mut dyn Target) -> kbfix::targets::Lock {
    let start = std::time::Instant::now();
    loop {
        match target.lock() {
            Ok(lock) => return lock,
            Err(TargetError::Locked { .. }) if start.elapsed().as_secs() < 120 => {
                std::thread::sleep(std::time::Duration::from_millis(5))
            }
            Err(why) => panic!("{why}"),
        }
    }
}
