//! Tests KB909094 on another machine, from diff to rollback. Samba's own client reads what was written.

use std::fs;

use super::{
    machine::{dll, exprox, front_end, listing, run},
    server::{Server, Speaks},
};

const WEB: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB";
const SETUP: &str = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Exchange\\Setup]\r\n";

fn web(server: &Server) -> Vec<String> {
    listing(&server.export(WEB).unwrap())
}

fn it_is_applied_once_and_rolled_back(speaks: Speaks) {
    let Some(server) = front_end(speaks) else { return };
    let before = web(&server);
    let diff = run(&server, "diff KB909094 --target @target").code(1).says("changes pending").says("+++ FRONTEND1");
    diff.says("found 6.5.7651.19 (x86), wanted 6.5.7651.19 or later (x86)")
        .says("+\"DisableRealmHint\"=dword:00000001");
    assert_eq!(web(&server), before, "a look changes nothing");

    run(&server, "apply KB909094 --target @target").code(0).says("1 key created, 1 value created");
    let after = web(&server);
    assert_eq!(after.len(), before.len() + 1);
    assert!(after.contains(&format!(r"{WEB}\DAV: DisableRealmHint=REG_DWORD dword:00000001")), "{after:#?}");

    run(&server, "apply KB909094 --target @target").code(0).says("nothing was changed");
    run(&server, "diff KB909094 --target @target").code(0).says("in desired state");
    assert_eq!(fs::read_dir(server.path("kbfix/kbfix/journal")).unwrap().count(), 1);
    run(&server, "rollback --last").code(0).says("1 key deleted, 1 value deleted");
    assert_eq!(web(&server), before);
}

#[test]
fn on_a_machine_that_speaks_smb_1_alone() {
    it_is_applied_once_and_rolled_back(Speaks::Smb1);
}

#[test]
fn on_a_machine_that_speaks_smb_3() {
    it_is_applied_once_and_rolled_back(Speaks::Smb3);
}

#[test]
fn where_something_is_missing_nothing_is_changed() {
    let Some(server) = front_end(Speaks::Smb1) else { return };
    let before = web(&server);
    let apply = |code: i32| run(&server, "apply KB909094 --target @target").code(code);
    dll(&server, "old");
    apply(4).says("KB909094: blocked").says("found 6.5.7638.1 (x86), wanted 6.5.7651.19 or later (x86)");
    fs::remove_file(exprox(&server)).unwrap();
    apply(4).says("found absent");
    fs::write(exprox(&server), b"MZ no more").unwrap();
    apply(4).says("exprox.dll");
    dll(&server, "new");
    server.import(&format!(
        "Windows Registry Editor Version 5.00\r\n\r\n{SETUP}\"ServicePackNumber\"=dword:00000001\r\n"
    ));
    apply(4).says("KB909094: blocked").says("found REG_DWORD 1 (0x1), wanted 2 or higher");
    server
        .import(&format!("Windows Registry Editor Version 5.00\r\n\r\n{SETUP}\"Services Version\"=dword:0000003c\r\n"));
    apply(0).says("not applicable");
    assert_eq!(web(&server), before);
    assert!(!server.path("kbfix/kbfix/journal").exists(), "a journal of an apply that changed nothing");
}

#[test]
fn a_saved_plan_and_a_snapshot_of_another_machine() {
    let Some(server) = front_end(Speaks::Smb3) else { return };
    run(&server, "snapshot KB909094 --target @target --out @/s.json").code(0);
    run(&server, "diff KB909094 --target snapshot:@/s.json --out @/plan.json").code(1);
    run(&server, "apply --plan @/plan.json --target @target").code(0).says("1 value created");
    run(&server, "apply --plan @/plan.json --target @target").code(0).says("already applied");
    let other = fs::read_to_string(server.path("plan.json")).unwrap();
    assert!(other.contains("FRONTEND1") && other.contains("0909094e2003"), "{other}");
}
