//! Tests keys that have several names: each key is planned once, under one name, and what is known under one name
//! counts for all names.

use crate::harness::Machine;

const SYSTEM: &str = r#"
[HKEY_LOCAL_MACHINE\SYSTEM]
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001]
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services]
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002]
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Services]
[HKEY_LOCAL_MACHINE\SYSTEM\Select]
"Current"=dword:00000001
"#;

const SOFTWARE: &str = r"
[HKEY_LOCAL_MACHINE\SOFTWARE]
[HKEY_LOCAL_MACHINE\SOFTWARE\Classes]
[HKEY_LOCAL_MACHINE\SOFTWARE\Only64]
[HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node]
[HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Only32]
";

const USER: &str = "HKEY_USERS\\S-1-5-21-1-2-3-1001";

/// Returns a machine with this export, and with a spec `s.yaml` of these rules.
fn machine(export: &str, rules: &[&str]) -> Machine {
    let machine = Machine::new();
    let export = export.replace("\n[", "\n\n[").replace('\n', "\r\n");
    machine.set_export(&format!("Windows Registry Editor Version 5.00\r\n{export}"));
    spec(&machine, "s", rules);
    machine
}

fn spec(machine: &Machine, id: &str, rules: &[&str]) {
    let rules: String = rules.iter().map(|rule| format!("  - {{ {rule} }}\n")).collect();
    machine.write(&format!("{id}.yaml"), &format!("kbfix: 1\nid: {id}\ntitle: t\nregistry:\n{rules}"));
}

/// Returns a rule that sets the value `v` of the key to 1.
fn one(key: &str) -> String {
    format!("key: {key}, values: {{ v: {{ type: REG_DWORD, data: 1 }} }}")
}

/// Checks that an apply of the spec makes these changes, that the spec is then in desired state, and that it can be
/// rolled back.
#[track_caller]
fn applies(machine: &Machine, changes: &str) {
    let before = machine.export();
    machine.run("apply @/s.yaml @target @state").code(0).says(changes);
    machine.run("diff @/s.yaml @target").code(0);
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export().trim_end(), before.trim_end());
}

#[test]
fn a_key_that_a_spec_calls_by_two_names_is_created_once() {
    let rules = [one(r"HKCR\foo\a"), one(r"HKLM\SOFTWARE\Classes\foo\b")];
    applies(&machine(SOFTWARE, &rules.each_ref().map(String::as_str)), "3 keys created, 2 values created");
    let again = one(r"HKLM\SOFTWARE\Classes\foo") + r", when: { registry: { key: HKLM\SOFTWARE } }";
    applies(&machine(SOFTWARE, &[&one(r"HKCR\foo"), &again]), "1 key created, 1 value created");
    let node = one(r"HKLM\SOFTWARE\Wow6432Node\foo\a");
    let narrow = one(r"HKLM\SOFTWARE\foo\b") + ", view: 32";
    applies(&machine(SOFTWARE, &[&node, &narrow]), "3 keys created, 2 values created");
}

#[test]
fn a_star_stands_for_each_place_once() {
    let rule = one(r"HKLM\SYSTEM\*\Services");
    // The current control set, the other one, and Select.
    applies(&machine(SYSTEM, &[&rule]), "1 key created, 3 values created");
    applies(&machine(SYSTEM, &[&one(r"HKLM\SYSTEM\Current*\Services")]), "1 value created");
    let users = "\n[HKEY_USERS]\n[HKEY_USERS\\.DEFAULT]\n[HKEY_USERS\\S-1-5-18]\n";
    applies(&machine(users, &[&one(r"HKU\*")]), "1 value created");
    let classes =
        format!("\n[HKEY_USERS]\n[{USER}]\n[{USER}\\Software]\n[{USER}\\Software\\Classes]\n[{USER}_Classes]\n");
    let rules = [one(r"HKU\S-1-5-21*\Software\Classes\x"), one(r"HKU\S-1-5-21-1-2-3-1001_Classes\x")];
    let machine = machine(&classes, &[&rules[1]]);
    machine.run("diff @/s.yaml @target").code(1).says(&format!(r"[{USER}\Software\Classes\x]"));
    spec(&machine, "s", &[&one(r"HKU\S-1-5-21-1-2-3-1001\Software\Cl*\x"), &rules[1]]);
    applies(&machine, "1 key created, 1 value created");
}

#[test]
fn a_list_of_subkeys_that_leaves_a_name_out_does_not_prove_the_key_absent() {
    let foo = one(r"HKLM\SYSTEM\Foo*");
    let rules = [foo, one(r"HKLM\SYSTEM\CurrentControlSet\Services\New\Sub")];
    applies(&machine(SYSTEM, &rules.each_ref().map(String::as_str)), "2 keys created, 1 value created");
}

#[test]
fn both_views_of_a_32_bit_windows_are_one() {
    let export = "\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\n";
    applies(&machine(export, &[&(one(r"HKLM\SOFTWARE\T") + ", view: both")]), "1 value created");
    applies(&machine(SOFTWARE, &[&(one(r"HKLM\SOFTWARE\T") + ", view: both")]), "2 keys created, 2 values created");
}

#[test]
fn the_32_bit_view_of_software_has_its_own_subkeys() {
    let machine = machine(SOFTWARE, &[&(one(r"HKLM\SOFTWARE\Only*") + ", view: 32")]);
    machine.run("diff @/s.yaml @target").code(1).says(r"SOFTWARE\Only32] 32-bit view").says("\n1 value to create\n");
}

#[test]
fn a_snapshot_has_one_record_of_a_key_that_has_two_names() {
    let machine = machine(SOFTWARE, &[&one(r"HKLM\SOFTWARE\Classes\foo")]);
    spec(&machine, "t", &[&one(r"HKCR\foo"), &(one(r"HKLM\SOFTWARE\foo") + ", view: 32")]);
    spec(&machine, "u", &[&one(r"HKLM\SOFTWARE\Wow6432Node\foo")]);
    machine.run("snapshot @/s.yaml @/t.yaml @/u.yaml @target --out @/taken.json").code(0);
    let target = "--target snapshot:@/taken.json";
    machine.run(&format!("apply @/t.yaml {target} @state")).code(0).says("2 keys created");
    for id in ["s", "u"] {
        machine.run(&format!("diff @/{id}.yaml {target}")).code(0).says("in desired state");
    }
}

#[test]
fn an_export_of_one_name_answers_for_the_other() {
    let alias = "\n[HKEY_USERS\\S-1-5-18\\Software]\n[HKEY_CLASSES_ROOT\\CLSID]\n[HKEY_CURRENT_CONFIG\\System]\n";
    let user = format!("{alias}[{USER}_Classes\\CLSID]\n");
    let keys = [
        r"HKU\.DEFAULT\Software",
        r"HKLM\SOFTWARE\Classes\CLSID\x",
        r"HKLM\SYSTEM\CurrentControlSet\Hardware Profiles\Current\System",
        r"HKU\S-1-5-21-1-2-3-1001\Software\Classes\CLSID",
    ];
    let rules = keys.map(one);
    applies(&machine(&user, &rules.each_ref().map(String::as_str)), "1 key created, 4 values created");
}

#[test]
fn what_must_be_absent_below_a_deleted_key_is() {
    let export = "\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T\\D]\n\"v\"=\"x\"\n";
    let gone = r"key: HKLM\SOFTWARE\T\D, ensure: absent, when: { registry: { key: HKLM\SOFTWARE\T } }";
    let rule = |key: &str, value: &str| format!(r"key: HKLM\SOFTWARE\T\{key}, values: {{ v: {{ {value} }} }}");
    applies(&machine(export, &[gone, &rule(r"D\x", "ensure: absent")]), "1 key deleted, 1 value deleted");
    let machine = machine(export, &[gone, &rule("d*", "type: REG_DWORD, data: 1")]);
    machine.run("diff @/s.yaml @target").code(4).says(r"another requires HKLM\SOFTWARE\T\D to be absent");
}

#[test]
fn a_protected_key_is_not_deleted_under_another_name() {
    for key in [
        r"HKLM\SYSTEM\ControlSet00*\Services",
        r"HKLM\SYSTEM\*\*\Lsa",
        r"HKU\*\Software\Microsoft",
        r"HKU\.DEFAULT\Software\Microsoft\Windows",
        r"HKCR\Wow6432Node\CLSID",
        r"HKLM\SOFTWARE\W*Node\Microsoft\Windows",
    ] {
        let machine = machine(SYSTEM, &[&format!("key: {key}, ensure: absent")]);
        machine.run("validate @/s.yaml").code(2).says("protected-key");
    }
}

#[test]
fn hkcu_of_an_export_is_the_user_that_it_covers() {
    let software = "\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\n";
    let desktop =
        "[HKEY_CURRENT_USER]\n[HKEY_CURRENT_USER\\Control Panel]\n[HKEY_CURRENT_USER\\Control Panel\\Desktop]\n";
    let rule = one(r"HKCU\Control Panel\Desktop");
    applies(&machine(&format!("{software}{desktop}"), &[&rule]), "1 value created");
    // An export without the list of users does not prove that there are no users.
    machine(software, &[&rule]).run("diff @/s.yaml @target").code(4).says("the export does not cover HKCU");
}
