//! Tests real hives without edits.

use kbfix::format::regf::{Error, Hive, LogFormat, Severity, State};

use super::{
    readers,
    support::{REAL, counts, on_disk, real_file, real_hive},
};

#[test]
fn all_keys_and_values_are_as_independent_readers_see_them() {
    for (name, logs) in REAL {
        let Some(mut hive) = real_hive(name, logs) else { continue };
        // Readers that do not apply logs get the recovered hive.
        let bytes = hive.to_bytes(kbfix::format::regf::Filetime(0)).unwrap();
        let (_folder, file) = on_disk(&bytes);
        readers::compare(&hive, &file, name);
    }
}

#[test]
fn real_hives_have_oddities_and_no_errors() {
    for (name, logs) in REAL {
        let Some(hive) = real_hive(name, logs) else { continue };
        let errors: Vec<_> = hive.check().into_iter().filter(|f| f.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn a_dirty_hive_is_completed_from_its_logs() {
    let Some(primary) = real_file("regipy-SYSTEM_B") else { return };
    let logs = [real_file("regipy-SYSTEM_B.LOG1").unwrap(), real_file("regipy-SYSTEM_B.LOG2").unwrap()];
    let hive = Hive::open(primary.clone(), &logs).unwrap();
    assert_eq!(counts(&hive), (35_595, 78_901));
    let State::Recovered(recovery) = hive.state() else { panic!("{:?}", hive.state()) };
    assert_eq!((recovery.format, recovery.sequence), (LogFormat::Entries, 2130));
    assert!(!hive.is_changed());

    // The order in which the logs are given does not matter.
    let [first, second] = logs;
    let hive = Hive::open(primary.clone(), &[second, first]).unwrap();
    assert_eq!(counts(&hive), (35_595, 78_901));

    assert!(matches!(Hive::open(primary.clone(), &[]), Err(Error::Dirty { .. })));
    let mut hive = Hive::open_dirty(primary, &[]).unwrap();
    assert_eq!(counts(&hive).0, 33_123);
    assert_eq!(hive.edit(kbfix::format::regf::Filetime(0)).map(drop), Err(Error::ReadOnly));
    assert_eq!(hive.to_bytes(kbfix::format::regf::Filetime(0)), Err(Error::ReadOnly));
}
