//! Tests that a rollback restores a deleted key with its class name and its security descriptor.

use kbfix::{format::regf::Hive, registry::Data};

use crate::hives::support::{KeyDump, dump};

use super::support::{Machine, SOFTWARE};

const SPEC: &str = "kbfix: 1\nid: GONE\ntitle: t\nregistry:\n  - { key: 'HKLM\\SOFTWARE\\Gone', ensure: absent }\n";

/// Returns a security descriptor with a protected empty DACL, whose owner begins with S-1-5-80-0, as on keys that only
/// the installer of Windows may change.
fn descriptor(last: u8) -> Vec<u8> {
    let header = [1, 0, 4, 0x90, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0];
    let owner = [1, 2, 0, 0, 0, 0, 0, 5, 80, 0, 0, 0, last, 0, 0, 0];
    let group = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    [&header[..], &owner, &group, &[2, 0, 8, 0, 0, 0, 0, 0]].concat()
}

/// The example machine with a key of that security, with and without a class, below and beside others.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.edit(SOFTWARE, |editor| {
        for (key, class, last) in [("Gone", None, 1), (r"Gone\JD", Some("67cd88ed"), 2), ("Stays", Some("ключ"), 1)]
        {
            editor.create_key(key).unwrap();
            editor.set_value(key, "v", &Data::dword(1)).unwrap();
            assert_eq!(editor.set_security(key, &descriptor(last)), Ok(true));
            assert_eq!(editor.set_security(key, &descriptor(last)), Ok(false));
            assert_eq!(editor.set_class(key, class), Ok(class.is_some()));
            assert_eq!(editor.set_class(key, class), Ok(false));
        }
    });
    machine
}

/// Returns all content of the hive except times. The hive must have no faults.
fn content(machine: &Machine) -> Vec<(String, KeyDump)> {
    let hive = Hive::open(std::fs::read(machine.path(SOFTWARE)).unwrap(), &[]).unwrap();
    assert_eq!(hive.check(), []);
    dump(&hive).into_iter().map(|(path, key)| (path, KeyDump { time: 0, ..key })).collect()
}

#[test]
fn after_a_rollback_everything_is_as_it_was() {
    let machine = machine();
    let before = content(&machine);
    let jd = before.iter().find(|(path, _)| path == r"Gone\JD").unwrap();
    assert_eq!(jd.1.security, descriptor(2));
    assert_eq!(jd.1.class, Some("67cd88ed".encode_utf16().collect()));
    let spec = machine.beside("gone.yaml", SPEC);
    machine.kbfix(&["apply", spec.to_str().unwrap()]).exits(0).says("2 keys deleted");
    assert!(!content(&machine).iter().any(|(path, _)| path.starts_with("Gone")));
    machine.kbfix(&["rollback", "--last"]).exits(0).says("2 keys created");
    assert_eq!(content(&machine), before);
}

#[test]
fn a_plan_is_stale_once_the_security_or_the_class_is_another() {
    for (class, last) in [(Some("other"), 2), (Some("67cd88ed"), 3), (None, 2)] {
        let machine = machine();
        let spec = machine.beside("gone.yaml", SPEC);
        let plan = machine.beside("plan.json", "");
        machine.kbfix(&["diff", spec.to_str().unwrap(), "--out", plan.to_str().unwrap()]).exits(1);
        machine.edit(SOFTWARE, |editor| {
            editor.set_class(r"Gone\JD", class).unwrap();
            editor.set_security(r"Gone\JD", &descriptor(last)).unwrap();
        });
        let files = machine.files();
        machine
            .kbfix(&["apply", "--plan", plan.to_str().unwrap()])
            .exits(2)
            .says(r"class name and security descriptor of ");
        assert!(machine.files() == files, "something was written");
    }
}

#[test]
fn a_descriptor_that_is_damaged_makes_the_deletion_unknown() {
    let machine = machine();
    let path = machine.path(SOFTWARE);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(descriptor(2).len()).position(|bytes| bytes == descriptor(2)).unwrap();
    bytes[at] = 9;
    std::fs::write(&path, &bytes).unwrap();
    let spec = machine.beside("gone.yaml", SPEC);
    machine.kbfix(&["apply", spec.to_str().unwrap()]).exits(4).says("not of revision 1");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
