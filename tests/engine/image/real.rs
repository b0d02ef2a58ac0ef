//! Tests a real SYSTEM hive in the example machine.

use std::{collections::BTreeMap, fs};

use kbfix::format::regf::Hive;

use crate::hives::support::{KeyDump, dump, real_file};

use super::support::{Machine, SYSTEM, hivexget};

#[test]
fn apply_and_rollback_leave_every_other_key_as_it_was() {
    let Some(bytes) = real_file("regipy-SYSTEM") else { return };
    let machine = Machine::new();
    fs::write(machine.path(SYSTEM), &bytes).unwrap();
    let hive = || Hive::open(fs::read(machine.path(SYSTEM)).unwrap(), &[]).unwrap();
    let services = r"controlset001\services";
    // By names in one case, and without the one time that changes with a subkey.
    let content = || {
        let lower = dump(&hive()).into_iter().map(|(path, key)| (path.to_lowercase(), key));
        let mut content: BTreeMap<String, KeyDump> = lower.collect();
        content.get_mut(services).unwrap().time = 0;
        content
    };
    let before = content();
    machine.kbfix(&["apply", "KB909094"]).exits(0).says("2 keys created, 1 value created");
    let web = format!(r"{services}\msexchangeweb");
    if let Some(text) = hivexget(&machine.path(SYSTEM), &format!(r"{web}\dav")) {
        assert_eq!(text.trim(), r#""DisableRealmHint"=dword:00000001"#);
    }
    let mut applied = content();
    for new in [format!(r"{web}\dav"), web] {
        assert!(applied.remove(&new).is_some(), "{new}");
    }
    assert!(applied == before);
    let size = fs::metadata(machine.path(SYSTEM)).unwrap().len();
    machine.kbfix(&["rollback", "--last"]).exits(0).says("2 keys deleted, 1 value deleted");
    assert!(content() == before);
    assert!(fs::metadata(machine.path(SYSTEM)).unwrap().len() <= size.max(bytes.len() as u64));
    assert_eq!(kbfix::format::regf::worse(&Hive::open(bytes, &[]).unwrap().check(), &hive().check()), []);
}
