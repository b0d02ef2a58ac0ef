//! Tests KB909094 on an export: each state of a machine that the article describes, and how kbfix handles it.

use crate::harness::{Machine, Run};

/// Checks that an apply ends with this code, changes no byte and writes no journal.
fn changes_nothing(machine: &Machine, code: i32) -> Run {
    let before = machine.export();
    let run = machine.run("apply KB909094 @target @state").code(code);
    assert_eq!(machine.export(), before);
    assert_eq!(machine.journals(), Vec::<String>::new());
    run
}

#[test]
fn without_exchange_it_is_not_applicable() {
    // Not Exchange 2003 but 2000 …
    let machine = Machine::with(&[("\"Services Version\"=dword:00000041", "\"Services Version\"=dword:0000003c")]);
    machine.run("diff KB909094 @target").code(0).says("KB909094: not applicable").says("found REG_DWORD 60");
    changes_nothing(&machine, 0).says("not applicable");
    // … and none at all: the export covers HKLM\SOFTWARE\Microsoft, and has nothing of Exchange.
    let machine = Machine::new();
    machine.set_export(
        "\u{FEFF}Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft]\r\n\r\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet]\r\n\r\n",
    );
    machine.run("diff KB909094 @target").code(0).says("KB909094: not applicable").says("found absent");
    changes_nothing(&machine, 0);
}

#[test]
fn without_service_pack_2_it_is_blocked() {
    let rtm = Machine::with(&[("\"ServicePackNumber\"=dword:00000002", "\"ServicePackNumber\"=dword:00000000")]);
    rtm.run("diff KB909094 @target")
        .code(4)
        .says("KB909094: blocked")
        .says("found REG_DWORD 0 (0x0), wanted 2 or higher");
    changes_nothing(&rtm, 4);
    let unset = Machine::with(&[("\"ServicePackNumber\"=dword:00000002\r\n", "")]);
    changes_nothing(&unset, 4).says("Exchange Server 2003 Service Pack 2 (KB836993)").says("found absent");
}

#[test]
fn with_the_old_dll_it_is_blocked_and_both_versions_are_shown() {
    let machine = Machine::new();
    machine.set_dll([6, 5, 7638, 1]);
    machine.run("diff KB909094 @target").code(4).says("found 6.5.7638.1 (x86), wanted 6.5.7651.19 or later");
    changes_nothing(&machine, 4).says("blocked").says("6.5.7638.1");
    // A version that is higher only if it is compared as text.
    machine.set_dll([6, 5, 7651, 9]);
    changes_nothing(&machine, 4).says("6.5.7651.9");
    std::fs::remove_file(machine.path("C/Program Files/Exchsrvr/bin/exprox.dll")).unwrap();
    changes_nothing(&machine, 4).says("found absent");
}

#[test]
fn where_the_file_version_cannot_be_known_it_is_unknown() {
    let machine = Machine::new();
    let line = "apply KB909094 --target reg:@/machine.reg @state";
    machine.run(line).code(4).says("KB909094: unknown").says("--files DIR");
    std::fs::write(machine.path("C/Program Files/Exchsrvr/bin/exprox.dll"), b"MZ no more").unwrap();
    changes_nothing(&machine, 4).says("exprox.dll");
}

#[test]
fn it_is_applied_once_and_rolled_back_to_the_byte() {
    let machine = Machine::new();
    let before = machine.export();
    machine.run("diff KB909094 @target").code(1).says("KB909094: changes pending");
    assert_eq!(machine.export(), before);
    machine
        .run("apply KB909094 @target @state")
        .code(0)
        .says("KB909094: changed")
        .says("services to restart: IISADMIN");
    let after = machine.export();
    let added: Vec<_> = after.lines().filter(|line| !before.lines().any(|old| old == *line)).collect();
    let key = r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV]";
    assert_eq!(added, [key, "\"DisableRealmHint\"=dword:00000001"]);
    assert_eq!(after.lines().count(), before.lines().count() + 3, "two lines and a blank one");
    assert_eq!(machine.journals().len(), 1);

    machine.run("diff KB909094 @target").code(0).says("in desired state").says("1 of 1 as desired");
    let applied = machine.export();
    machine.run("apply KB909094 @target @state").code(0).says("nothing was changed");
    assert_eq!(machine.export(), applied);
    assert_eq!(machine.journals().len(), 1, "an apply that changes nothing leaves no journal");

    machine.run("rollback --last @state").code(0).says("1 key deleted, 1 value deleted");
    assert_eq!(machine.export(), before);
}

#[test]
fn a_later_dll_is_as_good() {
    let machine = Machine::new();
    for version in [[6, 5, 7651, 61], [6, 5, 7700, 0], [8, 0, 0, 0]] {
        machine.set_dll(version);
        machine.run("diff KB909094 @target").code(1);
    }
}

#[test]
fn a_value_of_the_wrong_type_or_0_is_replaced_and_comes_back() {
    for (found, shown) in [
        ("\"1\"", "-\"DisableRealmHint\"=\"1\""),
        ("dword:00000000", "-\"DisableRealmHint\"=dword:00000000"),
        ("hex(4):01,00,00", "-\"DisableRealmHint\"=hex(4):01,00,00"),
        ("hex(b):01,00,00,00,00,00,00,00", "-\"DisableRealmHint\"=hex(b):01,00,00,00,00,00,00,00"),
        ("hex:01,00,00,00", "-\"DisableRealmHint\"=hex:01,00,00,00"),
    ] {
        let hint = |data: &str| format!("\"DisableRealmHint\"={data}");
        let machine = Machine::with_dav(&hint(found));
        let before = machine.export();
        let diff = machine.run("diff KB909094 @target").code(1);
        diff.says(shown).says("+\"DisableRealmHint\"=dword:00000001").says("1 value to update");
        machine.run("apply KB909094 @target @state").code(0).says("1 value updated");
        assert_eq!(machine.export(), before.replace(&hint(found), &hint("dword:00000001")));
        machine.run("rollback --last @state").code(0);
        assert_eq!(machine.export(), before);
    }
}

#[test]
fn parameter_0_is_honoured_and_2_is_refused_with_what_is_allowed() {
    let machine = Machine::with_dav("\"DisableRealmHint\"=dword:00000001");
    machine.run("diff KB909094 @target").code(0);
    let line = "apply KB909094 --set realm_hint=0 @target @state";
    machine.run(line).code(0).says("+\"DisableRealmHint\"=dword:00000000");
    machine.run(line).code(0).says("in desired state");

    let before = machine.export();
    for set in ["2", "-1", "on", "4294967297", ""] {
        let refused = machine.run(&format!("apply KB909094 --set realm_hint={set} @target @state")).code(2);
        assert_eq!(refused.stdout, "");
        if set == "2" {
            insta::assert_snapshot!(refused.stderr, @r"
            error[setting-not-allowed]: the parameter `realm_hint` is set to `2`, which is not allowed
              --> built-in KB909094:67:3
               |
            67 |   realm_hint:
               |   ^^^^^^^^^^
               |
               = help: allowed are `0` (off), `1` (on)
            ");
        }
    }
    machine.run("apply KB909094 --set other=1 @target @state").code(2).says("`other`");
    assert_eq!(machine.export(), before);
    assert_eq!(machine.journals().len(), 1);
}

#[test]
fn the_cause_is_shown_and_decides_nothing() {
    let suffix = |data: &str| ("\"NV Domain\"=\"region1.country.example.com\"", format!("\"NV Domain\"=\"{data}\""));
    let cause = |machine: &Machine| {
        let report = machine.run("diff KB909094 @target --format json").code(1).json();
        let checks = report["specs"][0]["checks"].as_array().unwrap();
        checks.iter().find(|check| check["part"] == "cause").unwrap()["result"].as_str().unwrap().to_owned()
    };
    let machine = Machine::new();
    assert_eq!(cause(&machine), "met");
    for (data, wanted) in [("COUNTRY.example.COM", "unmet"), ("example.com", "met"), ("", "met")] {
        let (from, to) = suffix(data);
        assert_eq!(cause(&Machine::with(&[(from, &to)])), wanted, "{data}");
    }
    let without_domain = Machine::with(&[("\"MachineDomain\"=\"country.example.com\"", "")]);
    assert_eq!(cause(&without_domain), "unknown");
    let without_suffix = Machine::with(&[(suffix("").0, "")]);
    assert_eq!(cause(&without_suffix), "unmet");
    machine.run("diff KB909094 @target --format markdown").code(1).says("cause A disjoint DNS namespace");
    machine.run("show KB909094").code(0).says("A disjoint DNS namespace").says("in any letter case");
}
