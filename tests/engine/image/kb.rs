//! Tests KB909094 on the example machine.

use std::fs;

use kbfix::{example, format::pe::minimal, registry::Data, version::FileVersion};

use super::support::{Machine, SOFTWARE, SYSTEM, hivexget};

const DAV: &str = r"ControlSet001\Services\MSExchangeWEB\DAV";
const SETUP: &str = r"Microsoft\Exchange\Setup";

#[test]
fn it_is_applied_once_and_rolled_back() {
    let machine = Machine::new();
    let before = machine.content();
    machine.kbfix(&["diff", "KB909094"]).exits(1).says("1 key to create, 1 value to create").says("FRONTEND1");
    machine.kbfix(&["apply", "KB909094"]).exits(0).says("1 key created, 1 value created");
    assert_eq!(machine.content()[&format!(r"{SYSTEM}\{DAV}")], [("DisableRealmHint".to_owned(), Data::dword(1))]);
    if let Some(text) = hivexget(&machine.path(SYSTEM), DAV) {
        assert_eq!(text.trim(), r#""DisableRealmHint"=dword:00000001"#);
    }

    let files = machine.files();
    machine.kbfix(&["apply", "KB909094"]).exits(0).says("nothing was changed");
    machine.kbfix(&["diff", "KB909094"]).exits(0);
    assert!(machine.files() == files, "something was written");

    machine.kbfix(&["rollback", "--last"]).exits(0).says("1 key deleted, 1 value deleted");
    assert_eq!(machine.content(), before);
}

#[test]
fn what_its_checks_do_not_allow_is_not_written() {
    let machine = Machine::new();
    let set = |name: &str, number: u32| {
        machine.edit(SOFTWARE, |editor| assert!(editor.set_value(SETUP, name, &Data::dword(number)).unwrap()));
    };
    let unchanged = |code: i32, says: &str| {
        let files = machine.files();
        machine.kbfix(&["diff", "KB909094"]).exits(code).says(says);
        machine.kbfix(&["apply", "KB909094"]).exits(code).says(says);
        assert!(machine.files() == files, "something was written");
    };
    set("ServicePackNumber", 1);
    unchanged(4, "blocked");
    set("ServicePackNumber", 2);
    fs::write(machine.path(example::HOTFIX), minimal::dll(FileVersion([6, 5, 7651, 18]))).unwrap();
    unchanged(4, "found 6.5.7651.18");
    fs::remove_file(machine.path(example::HOTFIX)).unwrap();
    unchanged(4, "blocked");
    set("Services Version", 60);
    unchanged(0, "not applicable");
}

#[test]
fn a_plan_made_of_the_image_is_stale_once_the_image_moved() {
    let machine = Machine::new();
    let plan = machine.beside("plan.json", "");
    let plan = plan.to_str().unwrap();
    machine.kbfix(&["diff", "KB909094", "--out", plan]).exits(1);
    machine.edit(SOFTWARE, |editor| assert!(editor.set_value(SETUP, "ServicePackNumber", &Data::dword(3)).unwrap()));
    machine.kbfix(&["apply", "--plan", plan]).exits(2).says("stale");
}

#[test]
fn the_example_command_makes_the_machine_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = |folder: &std::path::Path| {
        let binary = env!("CARGO_BIN_EXE_kbfix");
        super::support::Run(std::process::Command::new(binary).arg("example").arg(folder).output().unwrap())
    };
    let demo = folder.path().join("demo");
    let target = format!("--target image:{}", demo.display());
    run(&demo).exits(0).says("1 key to create").says(&target);
    // An existing folder may belong to somebody, so it is refused.
    run(&demo).exits(2);
}
