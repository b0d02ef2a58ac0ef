//! Tests the effect of policy stores on a plan, an apply and a snapshot.

use std::fs;

use serde_json::{Value, json};

use super::machine::{APPLIED, LOCAL, LOCAL_USER, Machine, USERS, codes, dword, gpo_name};

const KEY: &str = r"Software\Policies\Vendor";
const SPEC: &str = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\Policies\\Vendor\n    values:\n      a: \
                    { type: REG_DWORD, data: 1 }\n";
const USER_SPEC: &str = "kbfix: 1\nid: U\ntitle: U\nregistry:\n  - key: HKCU\\Software\\Policies\\Vendor\n    values:\n      \
                         a: { type: REG_DWORD, data: 1 }\n";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.beside("spec.yaml", SPEC);
    machine.beside("user.yaml", USER_SPEC);
    machine
}

fn policy(report: &Value) -> &Value {
    &report["specs"][0]["policy"][0]
}

#[test]
fn an_apply_that_policy_undoes_says_so_and_can_be_refused() {
    let machine = machine();
    let uri = machine.uri();
    machine.write(LOCAL, &[dword(KEY, "a", 2)]);
    let arguments = ["apply", "spec.yaml", "--target", &uri];
    let refused = machine.kbfix(&[&arguments[..], &["--fail-on", "policy-owned"]].concat()).exits(4);
    refused.says("policy-owned").says(LOCAL);
    machine.kbfix(&["diff", "spec.yaml", "--target", &uri]).exits(1).says("the local GPO").says("dword:00000002");
    machine.kbfix(&["diff", "spec.yaml", "--target", &uri, "--fail-on", "policy-owned"]).exits(4);
    machine.kbfix(&arguments).exits(0).says("undoes this spec at a later refresh").says("policy-owned");
    // In desired state, but a policy will change that.
    machine.kbfix(&["diff", "spec.yaml", "--target", &uri]).exits(0).says("policy-owned");
    machine.write(LOCAL, &[dword(KEY, "a", 1)]);
    let kept = machine.kbfix(&["diff", "spec.yaml", "--target", &uri, "--fail-on", "policy-owned"]).exits(0);
    assert!(!kept.text().contains("policy-owned"), "{}", kept.text());
    kept.says("as this spec requires");
}

#[test]
fn a_plan_is_stale_once_a_store_says_otherwise_of_its_values_and_only_then() {
    let machine = machine();
    let uri = machine.uri();
    machine.kbfix(&["diff", "spec.yaml", "--target", &uri, "--out", "plan.json"]).exits(1);
    let check = || machine.kbfix(&["apply", "--plan", "plan.json", "--target", &uri, "--check"]);
    check().exits(1);
    machine.write(LOCAL, &[dword(KEY, "other", 2)]);
    check().exits(1);
    machine.write(LOCAL, &[dword(KEY, "a", 1)]);
    check().exits(2).says("plan-stale").says(LOCAL);
    fs::write(machine.store(LOCAL), "no policy").unwrap();
    check().exits(2).says("plan-stale").says("malformed");
    fs::remove_file(machine.store(LOCAL)).unwrap();
    check().exits(1);
}

#[test]
fn the_gpo_is_named_where_the_store_or_the_history_tells_it() {
    let machine = machine();
    let gpo = || policy(&machine.report("spec.yaml", &machine.uri()))["gpo"].clone();
    machine.write(APPLIED, &[gpo_name("Other"), dword(KEY, "b", 1), gpo_name("Baseline"), dword(KEY, "a", 2)]);
    assert_eq!(gpo(), json!("Baseline"));
    machine.write(APPLIED, &[dword(KEY, "a", 2)]);
    assert_eq!(gpo(), Value::Null);
    let history = r"Microsoft\Windows\CurrentVersion\Group Policy\History\{35378EAC-683F-11D2-A89A-00C04FBBCFA2}";
    let add = |number: &str, name: &str| {
        machine.hive("Windows/System32/config/SOFTWARE", |hive| {
            let key = format!("{history}\\{number}");
            hive.create_key(&key).unwrap();
            hive.set_value(&key, "DisplayName", &kbfix::registry::Data::sz(name)).unwrap();
        });
    };
    add("0", "Only one");
    assert_eq!(gpo(), json!("Only one"));
    // If two GPOs are possible, the history does not tell which one it is.
    add("1", "Another");
    assert_eq!(gpo(), Value::Null);
}

#[test]
fn the_gpo_of_a_group_is_unknown_for_a_user_unless_it_says_the_same() {
    let machine = machine();
    let uri = machine.uri();
    let group = r"C:\Windows\System32\GroupPolicyUsers\S-1-5-32-545\User\Registry.pol";
    machine.write(group, &[dword(KEY, "a", 2)]);
    let report = machine.report("user.yaml", &uri);
    assert_eq!(codes(&report), ["policy-unknown"], "{report:#}");
    assert_eq!(
        (&policy(&report)["store"], &policy(&report)["result"]),
        (&json!("non_administrators"), &json!("may_undo"))
    );
    machine.write(group, &[dword(KEY, "a", 1)]);
    assert!(codes(&machine.report("user.yaml", &uri)).is_empty());
    // This local GPO is for all users.
    machine.write(LOCAL_USER, &[dword(KEY, "a", 3)]);
    let report = machine.report("user.yaml", &uri);
    let of_local = report["specs"][0]["policy"].as_array().unwrap().iter().filter(|one| one["store"] == "local");
    assert_eq!(of_local.count(), USERS.len());
    assert_eq!(codes(&report), ["policy-owned"]);
}

#[test]
fn a_snapshot_without_stores_is_read_and_told_of_once() {
    let machine = machine();
    let taken = machine.snapshot("spec.yaml");
    let path = machine.beside("unused", "").with_file_name("machine.json");
    let mut snapshot: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert!(snapshot["facts"].as_object_mut().unwrap().remove("policies").is_some());
    fs::write(&path, snapshot.to_string()).unwrap();
    let report = machine.report("spec.yaml", &taken);
    assert_eq!(report["specs"][0]["outcome"], "changes_pending");
    assert_eq!(codes(&report), ["policy-unknown"]);
}

#[test]
fn an_export_and_a_hive_have_no_stores_and_no_warning() {
    let machine = machine();
    let export =
        machine.beside("machine.reg", "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n");
    let hive = machine.path("Windows/System32/config/SOFTWARE");
    for target in [format!("reg:{}", export.display()), format!(r"hive:{}=HKLM\SOFTWARE", hive.display())] {
        let report = machine.report("spec.yaml", &target);
        assert!(codes(&report).is_empty(), "{report:#}");
    }
}

#[test]
fn before_vista_the_machine_has_its_store_with_all_users() {
    let machine = machine();
    machine.hive("Windows/System32/config/SOFTWARE", |hive| {
        let profiles = r"Microsoft\Windows NT\CurrentVersion\ProfileList";
        hive.delete_value(profiles, "ProgramData").unwrap();
        let folder = kbfix::registry::Data::sz(r"%SystemDrive%\Documents and Settings");
        hive.set_value(profiles, "ProfilesDirectory", &folder).unwrap();
        hive.set_value(profiles, "AllUsersProfile", &kbfix::registry::Data::sz("All Users")).unwrap();
    });
    let store = r"C:\Documents and Settings\All Users\ntuser.pol";
    machine.write(store, &[dword(KEY, "a", 2)]);
    assert_eq!(policy(&machine.report("spec.yaml", &machine.uri()))["path"], store);
}

#[test]
fn the_data_of_a_sensitive_value_is_not_shown() {
    let machine = machine();
    let sensitive = SPEC.replace("data: 1 }", "data: 4711, sensitive: true }");
    machine.beside("spec.yaml", &sensitive);
    machine.write(LOCAL, &[dword(KEY, "a", 0x0BAD_CAFE)]);
    let uri = machine.uri();
    for format in ["human", "json", "markdown", "html"] {
        let run = machine.kbfix(&["diff", "spec.yaml", "--target", &uri, "--format", format]).exits(1);
        assert!(
            !run.text().to_lowercase().contains("badcafe") && !run.text().to_lowercase().contains("fecaad0b"),
            "{}",
            run.text()
        );
        run.says("local");
    }
    machine.kbfix(&["diff", "spec.yaml", "--target", &uri, "--out", "plan.json"]).exits(1);
    machine.write(LOCAL, &[dword(KEY, "a", 0x0BAD_F00D)]);
    let run = machine.kbfix(&["apply", "--plan", "plan.json", "--target", &uri]).exits(2).says("plan-stale");
    assert!(
        !run.text().to_lowercase().contains("badf00d") && !run.text().to_lowercase().contains("badcafe"),
        "{}",
        run.text()
    );
}

#[cfg(unix)]
#[test]
fn a_store_is_read_through_no_link_out_of_the_volume_and_not_without_the_right() {
    use std::os::unix::fs::symlink;

    use super::machine::pol;
    let machine = machine();
    let other = machine.beside("other.pol", "");
    fs::write(&other, pol(&[dword(KEY, "a", 2)])).unwrap();
    fs::create_dir_all(machine.store(APPLIED).parent().unwrap()).unwrap();
    symlink(&other, machine.store(APPLIED)).unwrap();
    let report = machine.report("spec.yaml", &machine.uri());
    assert_eq!(codes(&report), ["policy-unknown"]);
    assert_eq!(report["specs"][0]["policy_unread"][0]["why"]["reason"], "unsupported");
    // A file that is too large is not read into memory.
    fs::remove_file(machine.store(APPLIED)).unwrap();
    fs::File::create(machine.store(APPLIED)).unwrap().set_len(1 << 40).unwrap();
    let report = machine.report("spec.yaml", &machine.uri());
    assert_eq!(report["specs"][0]["policy_unread"][0]["why"]["reason"], "malformed");
}
