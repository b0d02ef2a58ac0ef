//! Tests `kbfix retire`: the changes of specs are undone, except those that other specs still want.

use std::fs;

use serde_json::json;

use crate::harness::{Machine, Run};

const SOFTWARE: &str = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n";
const VENDOR: &str = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor]\r\n\"Own\"=\"theirs\"\r\n\r\n";

/// A machine with one key of a vendor.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.set_export(&format!("{SOFTWARE}{VENDOR}"));
    machine
}

/// Writes a spec of one key below SOFTWARE.
fn write(machine: &Machine, id: &str, key: &str, rule: &str) {
    let text = format!("kbfix: 1\nid: {id}\ntitle: {id}\nregistry:\n  - key: HKLM\\SOFTWARE\\{key}\n    {rule}\n");
    fs::create_dir_all(machine.path("specs")).unwrap();
    machine.write(&format!("specs/{id}.yaml"), &text);
}

fn number(name: &str, data: u32) -> String {
    format!("values: {{ {name}: {{ type: REG_DWORD, data: {data} }} }}")
}

fn apply(machine: &Machine, id: &str) {
    machine.run(&format!("apply @/specs/{id}.yaml @target @state")).code(0);
}

fn retire(machine: &Machine, line: &str) -> Run {
    machine.run(&format!("retire {line} @target @state"))
}

fn is_as_before(machine: &Machine, before: &str) {
    assert_eq!(machine.export().trim_end(), before.trim_end());
}

#[test]
fn a_spec_that_git_reverted_is_undone_by_one_command() {
    let machine = machine();
    let before = machine.export();
    write(&machine, "A", r"Vendor\New\Sub", &number("Level", 1));
    write(&machine, "B", "Other", &number("Level", 1));
    apply(&machine, "A");
    apply(&machine, "B");
    retire(&machine, "--absent-from @/specs").code(0).says("nothing was changed");
    fs::remove_file(machine.path("specs/A.yaml")).unwrap();
    let applied = machine.export();
    let look = retire(&machine, "--absent-from @/specs --check").code(1);
    insta::assert_snapshot!(look.stdout, @r#"
    A: changes pending
      retire: restore the state before kbfix, except what other specs still require
    --- reg:[DIR]/machine.reg (before)
    +++ reg:[DIR]/machine.reg (after)
    @@ [HKEY_LOCAL_MACHINE\SOFTWARE\Vendor\New\Sub] @@
    -[HKEY_LOCAL_MACHINE\SOFTWARE\Vendor\New\Sub]
    -"Level"=dword:00000001
    @@ [HKEY_LOCAL_MACHINE\SOFTWARE\Vendor\New] @@
    -[HKEY_LOCAL_MACHINE\SOFTWARE\Vendor\New]
      restart       whether the computer must be restarted is not known

    nothing was changed
    plan [DIGEST]
    "#);
    assert_eq!(machine.export(), applied);
    assert_eq!(machine.journals().len(), 2);

    let run = retire(&machine, "--absent-from @/specs").code(0);
    assert!(run.stdout.contains("done, and read back: 2 keys deleted, 1 value deleted"), "{}", run.stdout);
    let after = machine.export();
    assert!(after.contains("SOFTWARE\\Other") && !after.contains("New"), "{after}");
    retire(&machine, "--absent-from @/specs").code(0).says("nothing was changed");
    retire(&machine, "a --specs @/specs").code(0).says("nothing was changed");
    assert_eq!(machine.journals().len(), 3, "what has nothing to record leaves no journal");

    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export(), applied, "a retirement can be rolled back");
    retire(&machine, "A B").code(0);
    is_as_before(&machine, &before);
}

#[test]
fn a_caller_without_files_gives_the_specs_that_stay_on_standard_input() {
    let machine = machine();
    let before = machine.export();
    write(&machine, "A", "Vendor", &number("Level", 1));
    write(&machine, "B", "Other", &number("Level", 1));
    let piped = |ids: &[&str]| {
        let spec =
            |id: &&str| json!({ "name": format!("{id}.yaml"), "text": machine.read(&format!("specs/{id}.yaml")) });
        json!({ "specs": ids.iter().map(spec).collect::<Vec<_>>(), "parameters": {} }).to_string()
    };
    let run = |line: &str, input: &str| machine.run_with(&format!("retire {line} @target @state"), input);
    run("A --if-applied", "").code(0).says("nothing was changed").says("retire-unknown-id");
    let known = run("A KB909094 --if-applied --stdin-specs", &piped(&["A"])).code(0);
    assert!(!known.stderr.contains("retire-unknown-id"), "{}", known.stderr);
    apply(&machine, "A");
    apply(&machine, "B");
    run("--absent --stdin-specs", &piped(&["A", "B"])).code(0).says("nothing was changed");
    run("--absent --stdin-specs", "{}").code(2).says("no spec is named");
    run("--absent", "").code(2).says("without specs to keep");
    run("--absent --stdin-specs", &piped(&["B"])).code(0).says("A: changed");
    assert!(!machine.export().contains("Vendor\\Level") && machine.export().contains("Other"));
    run("A C --stdin-specs", &piped(&["A"])).code(2).says("journal-missing");
    let retired = run("B CUSTUM --if-applied", "").code(0).says("B: changed").says("retire-unknown-id").says("CUSTUM");
    assert_eq!(retired.stderr.matches("retire-unknown-id").count(), 1, "{}", retired.stderr);
    // The journals stay, and journals of another target stay too.
    let again = run("A B --if-applied", "").code(0).says("nothing was changed");
    assert!(!again.stderr.contains("retire-unknown-id"), "{}", again.stderr);
    run("KB90909 --if-applied", "").code(0).says("did you mean KB909094?");
    is_as_before(&machine, &before);
}

/// The restarts are those of the specs whose changes are undone, and not of all specs of the apply.
#[test]
fn only_the_restarts_of_what_is_undone_are_named() {
    let machine = machine();
    let write = |id: &str, key: &str, rule: &str, service: &str| {
        let restart = format!("{rule}\nrestart: {{ computer: never, services: [{service}] }}");
        write(&machine, id, key, &restart);
    };
    write("A", "Vendor", &number("Level", 1), "OfA");
    write("B", "Other", &number("Level", 1), "OfB");
    let services = |line: &str| {
        let report = retire(&machine, &format!("{line} --check --format json")).json();
        (report["restart"]["services"].clone(), report["specs"][0]["restart"]["note"].clone())
    };
    machine.run("apply @/specs/A.yaml @/specs/B.yaml @target @state").code(0);
    assert_eq!(services("A --specs @/specs"), (json!(["OfA"]), json!(null)));
    assert_eq!(services("B --specs @/specs"), (json!(["OfB"]), json!(null)));
    // Another spec requires everything that would be undone.
    write("C", "Vendor", &number("Level", 1), "OfC");
    let kept = retire(&machine, "A --specs @/specs --check --format json").json();
    assert_eq!(kept["specs"][0]["restart"]["services"], json!([]), "{kept:#}");
    fs::remove_file(machine.path("specs/C.yaml")).unwrap();
    // Someone else has changed what the one spec changed.
    let applied = machine.export();
    machine.set_export(&applied.replacen("\"Level\"=dword:00000001", "\"Level\"=dword:00000009", 1));
    let rollback = machine.run("rollback --last --check @state --format json").json();
    assert_eq!(rollback["restart"]["services"], json!(["OfA"]), "{rollback:#}");
    machine.set_export(&applied);
    // A journal of an earlier kbfix does not contain the restarts of each spec.
    let journal = machine.path(&format!("state/journal/{}", machine.journals()[0]));
    let text = fs::read_to_string(&journal).unwrap();
    let (header, events) = text.split_once('\n').unwrap();
    let mut header: serde_json::Value = serde_json::from_str(header).unwrap();
    for member in ["restarts", "digest"] {
        header.as_object_mut().unwrap().remove(member).unwrap();
    }
    header["digest"] = kbfix::plan::file::digest(&header).into();
    fs::write(&journal, format!("{header}\n{events}")).unwrap();
    let (found, note) = services("A --specs @/specs");
    assert_eq!(found, json!(["OfA", "OfB"]));
    assert!(note.as_str().unwrap().contains("the restarts of all specs of that apply"), "{note}");
}

#[test]
fn a_live_spec_keeps_what_it_wants() {
    let machine = machine();
    let before = machine.export();
    write(&machine, "A", "Vendor", &number("Level", 1));
    write(&machine, "B", "Vendor", &number("Level", 2));
    write(&machine, "C", "Vendor", &number("Level", 2));
    apply(&machine, "A");
    apply(&machine, "B");
    // An apply of C finds nothing to do and writes no journal. If C is named as a spec that still applies, it counts.
    machine.run("apply @/specs/C.yaml @target @state").code(0).says("nothing was changed");
    let run = retire(&machine, "A --specs @/specs/B.yaml").code(0).says("B still requires REG_DWORD dword:00000002");
    assert!(run.stdout.contains("nothing was changed"), "{}", run.stdout);
    retire(&machine, "B --specs @/specs/C.yaml").code(0).says("C still requires REG_DWORD dword:00000002");
    assert!(machine.export().contains("\"Level\"=dword:00000002"));
    // For C, a change of B was kept. From then on C is known, and C is the last spec that wants the change.
    retire(&machine, "C").code(0);
    is_as_before(&machine, &before);
}

#[test]
fn a_value_gets_the_data_of_the_spec_that_is_left() {
    let machine = machine();
    write(&machine, "A", "Vendor", &number("Level", 1));
    write(&machine, "B", "Vendor", &number("Level", 2));
    apply(&machine, "A");
    apply(&machine, "B");
    retire(&machine, "B").code(2).says("retire-needs-spec").says("A is applied").says("name its file");
    let run = retire(&machine, "B --specs @/specs/A.yaml").code(0);
    assert!(run.stdout.contains("+\"Level\"=dword:00000001"), "{}", run.stdout);
}

/// The defaults of a built-in spec are not what it was applied with.
#[test]
fn a_built_in_spec_that_was_applied_with_other_parameters_must_be_given() {
    let machine = machine();
    let windows = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\r\n\"CurrentVersion\"=\"5.2\"\r\n\
                   \"CurrentBuildNumber\"=\"3790\"\r\n\r\n";
    let lsa = "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Lsa]\r\n\"LmCompatibilityLevel\"=dword:00000002\r\n\r\n";
    let before = format!("{SOFTWARE}{windows}{lsa}");
    let key = "registry:\n  - key: HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa\n    values: ";
    let spec = |id: &str, value: &str| format!("kbfix: 1\nid: {id}\ntitle: {id}\n{key}{{ {value} }}\n");
    let level = "LmCompatibilityLevel: { type: REG_DWORD, data: DATA, keep: none }";
    fs::create_dir_all(machine.path("specs")).unwrap();
    // 4 is enough for the default of the built-in spec, so that spec is in desired state, although it wrote 5.
    for (set, data, left) in [("--set level=5", "1", None), ("--set level=5", "4", None), ("", "1", Some("00000003"))] {
        machine.set_export(&before);
        let _ = fs::remove_dir_all(machine.path("state"));
        machine.write("specs/A.yaml", &spec("A", &level.replace("DATA", data)));
        machine.write("specs/B.yaml", &spec("B", "Other: { type: REG_DWORD, data: 1 }"));
        machine.run(&format!("apply KB239869 {set} @target @state")).code(0);
        apply(&machine, "A");
        apply(&machine, "B");
        let applied = machine.export();
        // What the spec wrote does not matter for B.
        retire(&machine, "B --specs @/specs/A.yaml").code(0);
        if let Some(left) = left {
            retire(&machine, "A").code(0).says("KB239869 still requires");
            assert!(machine.export().contains(left), "{}", machine.export());
            continue;
        }
        let run =
            retire(&machine, "A --check").code(2).says("retire-needs-spec").says("--specs KB239869 --set NAME=DATA");
        run.says("KB239869 was applied to this target with parameters that differ from the defaults");
        retire(&machine, "A").code(2);
        assert_eq!(machine.export(), applied.replace("\"Other\"=dword:00000001\r\n", ""));
        retire(&machine, "A --specs KB239869 --set level=5 --check").code(1).says("dword:00000005");
        retire(&machine, "A --specs KB239869").code(0);
        assert!(machine.export().contains("dword:00000003"), "{}", machine.export());
    }
}

#[test]
fn an_upgrade_is_retired_with_what_came_before_it() {
    let machine = machine();
    let before = machine.export();
    for (key, level) in [("Vendor", 1), ("Vendor", 2), ("Later", 3)] {
        write(&machine, "A", key, &number("Level", level));
        apply(&machine, "A");
    }
    retire(&machine, "A").code(0);
    is_as_before(&machine, &before);
}

#[test]
fn what_somebody_else_changed_since_is_kept() {
    let machine = machine();
    write(&machine, "A", r"Vendor\New", &number("Level", 1));
    apply(&machine, "A");
    machine.edit(&[("\"Level\"=dword:00000001", "\"Level\"=dword:00000007\r\n\"Theirs\"=\"x\"")]);
    let changed = machine.export();
    let look = retire(&machine, "A --check").code(4).says("rollback-conflict");
    look.says("help: retire with force to restore 1 of them").says("then retire again");
    let run = retire(&machine, "A").code(6);
    assert!(run.stdout.contains("after the apply REG_DWORD dword:00000001, now REG_DWORD dword:00000007; kept"));
    assert_eq!(machine.export(), changed);
    // The spec is retired: the next run of a pipeline does not report it, but `--force` is still possible.
    write(&machine, "B", "Other", &number("Level", 1));
    retire(&machine, "--absent-from @/specs").code(0);
    retire(&machine, "A --force").code(6).says("Theirs");
    let after = machine.export();
    assert!(!after.contains("Level") && after.contains("Theirs"), "{after}");
}

#[test]
fn what_somebody_else_wrote_between_two_applies_was_there_before() {
    let machine = machine();
    write(&machine, "A", "Vendor", &number("Level", 1));
    apply(&machine, "A");
    machine.edit(&[("\"Level\"=dword:00000001", "\"Level\"=dword:00000007")]);
    let theirs = machine.export();
    apply(&machine, "A");
    retire(&machine, "A").code(0);
    assert_eq!(machine.export(), theirs);
}

/// Someone else has replaced what A wrote, and then B has replaced that. So the present data is B's change alone.
#[test]
fn what_somebody_else_replaced_is_no_change_of_the_first_spec() {
    let machine = machine();
    let of = |level: u32| format!("\"Level\"=dword:{level:08x}");
    let retire_a = || retire(&machine, "A --specs @/specs/B.yaml");
    write(&machine, "A", "Vendor", &number("Level", 1));
    write(&machine, "B", "Vendor", &number("Level", 2));
    apply(&machine, "A");
    machine.edit(&[(&of(1), &of(7))]);
    let theirs = machine.export();
    apply(&machine, "B");
    let applied = machine.export();
    // B no longer requires a value here, and its change stays until B is retired.
    write(&machine, "B", "Other", &number("Level", 2));
    retire_a().code(0).says("nothing was changed");
    assert_eq!(machine.export(), applied);
    retire(&machine, "B").code(0);
    assert_eq!(machine.export(), theirs);

    // A later change by others is no conflict with A.
    write(&machine, "B", "Vendor", &number("Level", 2));
    apply(&machine, "A");
    machine.edit(&[(&of(1), &of(7))]);
    apply(&machine, "B");
    machine.edit(&[(&of(2), &of(9))]);
    write(&machine, "B", "Other", &number("Level", 2));
    retire_a().code(0).says("nothing was changed");
    retire(&machine, "B").code(6).says("after the apply REG_DWORD dword:00000002, now REG_DWORD dword:00000009");

    // If A still applies, it gets back its own data, although the data before B was not from A.
    machine.edit(&[(&of(9), &of(7))]);
    write(&machine, "B", "Vendor", &number("Level", 2));
    apply(&machine, "A");
    machine.edit(&[(&of(1), &of(7))]);
    apply(&machine, "B");
    retire(&machine, "B --specs @/specs/A.yaml").code(0).says("A still requires REG_DWORD dword:00000001");
    retire(&machine, "A").code(0);
    assert_eq!(machine.export(), theirs);
}

#[test]
fn a_policy_file_has_the_bytes_that_it_had_before() {
    let machine = machine();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut before = b"PReg\x01\0\0\0".to_vec();
    before.extend(wide("[Software\\Policies\\Theirs\0;n\0;"));
    before.extend(b"\x04\0\0\0;\0\x04\0\0\0;\0\x07\0\0\0]\0");
    let file = machine.path("Registry.pol");
    fs::write(&file, &before).unwrap();
    write(&machine, "A", r"Policies\Vendor", &number("Level", 1));
    let run = |line: &str| machine.run(&format!("{line} --target pol:@/Registry.pol @state"));
    run("apply @/specs/A.yaml").code(0);
    assert_ne!(fs::read(&file).unwrap(), before);
    let shown = run("retire A").code(0).stdout;
    assert_eq!(fs::read(&file).unwrap(), before, "{shown}");
}

#[test]
fn only_the_bits_of_the_retired_spec_go() {
    let machine = machine();
    let bits = |set: u32| format!("values: {{ Flags: {{ type: REG_DWORD, bits: {{ set: {set} }}, if_absent: 0 }} }}");
    machine.edit(&[("\"Own\"=\"theirs\"", "\"Flags\"=dword:00000008")]);
    write(&machine, "A", "Vendor", &bits(1));
    write(&machine, "B", "Vendor", &bits(2));
    apply(&machine, "A");
    apply(&machine, "B");
    assert!(machine.export().contains("dword:0000000b"));
    retire(&machine, "A --specs @/specs/B.yaml").code(0);
    assert!(machine.export().contains("dword:0000000a"), "{}", machine.export());
}

#[test]
fn a_key_that_was_deleted_or_emptied_comes_back() {
    let machine = machine();
    let more = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor\\Sub]\r\n@=\"x\"\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor\\Sub\\Below]\r\n\"n\"=hex:01\r\n\r\n";
    machine.set_export(&format!("{SOFTWARE}{VENDOR}{more}"));
    let before = machine.export();
    write(&machine, "A", r"Vendor\Sub", "ensure: absent");
    apply(&machine, "A");
    retire(&machine, "A").code(0);
    is_as_before(&machine, &before);
    write(&machine, "B", "Vendor", &format!("exclusive: tree\n    {}", number("Level", 1)));
    apply(&machine, "B");
    assert!(!machine.export().contains("Own"));
    retire(&machine, "B").code(0);
    for text in ["\"Own\"=\"theirs\"", "@=\"x\"", "\"n\"=hex:01"] {
        assert!(machine.export().contains(text), "{}", machine.export());
    }
    assert!(!machine.export().contains("Level"));
}

#[test]
fn nothing_is_undone_that_a_live_spec_needs() {
    let machine = machine();
    write(&machine, "A", "Vendor", &number("Level", 1));
    write(&machine, "B", "Other", &number("Level", 1));
    let spec = machine.read("specs/B.yaml");
    let needs = "prerequisites:\n  - title: the level\n    registry: { key: 'HKLM\\SOFTWARE\\Vendor', name: Level, equals: 1 }\n";
    machine.write("specs/B.yaml", &format!("{spec}{needs}"));
    apply(&machine, "A");
    apply(&machine, "B");
    let before = machine.export();
    retire(&machine, "A --specs @/specs/B.yaml")
        .code(4)
        .says("the spec B needs a setting that would be undone; its outcome would then be blocked");
    assert_eq!(machine.export(), before);
    assert_eq!(machine.journals().len(), 2);
    retire(&machine, "A B").code(0);
}

#[test]
fn nothing_is_undone_that_a_given_spec_with_an_unset_parameter_may_need() {
    let machine = machine();
    write(&machine, "A", "Vendor", &number("Level", 1));
    write(&machine, "B", "Vendor", "values: { Level: { type: REG_DWORD, data: { parameter: level } } }");
    let spec = machine.read("specs/B.yaml");
    let level = "parameters:\n  level: { description: the level, type: number, allowed: { 1: one, 2: two } }\n";
    machine.write("specs/B.yaml", &format!("{spec}{level}"));
    apply(&machine, "A");
    let before = machine.export();
    let line = "A --specs @/specs/B.yaml";
    retire(&machine, &format!("{line} --check --set level=1")).code(0).says("the spec B still requires");
    retire(&machine, line)
        .code(4)
        .says("it is not known what the spec B still requires: the parameter `level` is not set");
    assert_eq!(machine.export(), before);
    // The retirement would undo nothing that the spec is about.
    machine.write("specs/B.yaml", &format!("{}{level}", spec.replace("Level", "Other")));
    retire(&machine, &format!("{line} --check")).code(1).says("A: changes pending");
    machine.write("specs/B.yaml", &format!("{spec}{level}"));
    // Nothing is to be retired, so the parameter does not matter.
    retire(&machine, "--absent-from @/specs").code(0).says("nothing was changed");
    // If the spec is not applicable, it requires nothing.
    let not_here = "applicable: { registry: { key: HKLM\\SOFTWARE\\Other } }\n";
    machine.write("specs/B.yaml", &format!("{spec}{level}{not_here}"));
    retire(&machine, line).code(0).says("A: changed");
}

#[test]
fn nothing_is_undone_that_a_given_spec_with_an_unknown_outcome_may_need() {
    let machine = machine();
    write(&machine, "A", "Vendor", &number("Level", 1));
    write(&machine, "B", "Vendor", &number("Level", 1));
    let spec = machine.read("specs/B.yaml");
    // An export does not contain this file, so it is not known whether the spec applies.
    let file = "applicable: { file: { path: 'D:\\x.dll' } }\n";
    machine.write("specs/B.yaml", &format!("{spec}{file}"));
    apply(&machine, "A");
    let before = machine.export();
    let line = "A --specs @/specs/B.yaml";
    let run = retire(&machine, line).code(4).says("A: unknown");
    run.says("it is not known whether the target is in the desired state of the spec B");
    assert_eq!(machine.export(), before);
    // A spec about other values, or about users, cannot lose anything.
    for other in [spec.replace("Level", "Other"), spec.replace("HKLM\\SOFTWARE", "HKCU\\Software")] {
        machine.write("specs/B.yaml", &format!("{other}{file}"));
        retire(&machine, &format!("{line} --check")).code(1).says("A: changes pending");
    }
}

#[test]
fn a_key_called_wow6432node_on_32_bit_windows_stays_for_a_live_spec() {
    let machine = machine();
    let environment = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager\Environment";
    let is_32 = format!("[{environment}]\r\n\"PROCESSOR_ARCHITECTURE\"=\"x86\"\r\n\r\n");
    machine.set_export(&format!("{SOFTWARE}{is_32}"));
    for key in [r"Wow6432Node\New\Sub", r"Wow6432Node\Policies\New\Sub"] {
        write(&machine, "A", key, &number("A", 1));
        write(&machine, "B", key, &number("B", 1));
        apply(&machine, "A");
        apply(&machine, "B");
        retire(&machine, "A --specs @/specs/B.yaml").code(0).says("1 value deleted");
        retire(&machine, "B").code(0);
        is_as_before(&machine, &format!("{SOFTWARE}{is_32}"));
    }
}

#[test]
fn a_saved_plan_is_applied_once_and_goes_stale_with_a_new_journal() {
    let machine = machine();
    let before = machine.export();
    write(&machine, "A", "Vendor", &number("Level", 1));
    apply(&machine, "A");
    let look = retire(&machine, "A --out @/plan.json").code(1);
    assert!(look.stdout.contains("plan [DIGEST]"), "{}", look.stdout);
    machine.run("diff --plan @/plan.json @target @state").code(1);
    let unchecked = machine.run("diff --plan @/plan.json @target --state-dir @/nowhere").code(1);
    unchecked
        .says("could not be checked against the journals")
        .says("nowhere does not exist, so it contains no journals");
    let run = machine.run("apply --plan @/plan.json @target @state").code(0);
    assert!(run.stdout.contains("A: changed"), "{}", run.stdout);
    is_as_before(&machine, &before);
    machine.run("apply --plan @/plan.json @target @state").code(0).says("nothing was changed");
    machine.run("diff --plan @/plan.json @target @state").code(0);
    machine.run("journal list @state").code(0).says("A  retire");

    apply(&machine, "A");
    retire(&machine, "A --out @/plan.json").code(1);
    write(&machine, "B", "Other", &number("Level", 1));
    apply(&machine, "B");
    for command in ["diff", "apply"] {
        machine.run(&format!("{command} --plan @/plan.json @target @state")).code(2).says("plan-stale");
    }
    assert!(machine.export().contains("Level"));
}

/// A journal of the plan shows that the plan was carried out only if its status does. The first value is the status:
/// the events of the journal. The second is whether the target is as before the retirement (`true`) or as after it.
#[test]
fn a_saved_plan_whose_retirement_changed_nothing_is_applied_again() {
    let cases = [
        ("done", false, "nothing was changed"),
        ("done", true, "plan-stale"),
        ("", true, "A: changed"),
        ("", false, "nothing was changed"),
        ("undone", true, "A: changed"),
        ("failed", true, "A: changed"),
        ("done rolled_back", true, "plan-stale"),
        ("done rolled_back_in_part", true, "plan-stale"),
    ];
    for (events, is_before, says) in cases {
        let machine = machine();
        let before = machine.export();
        write(&machine, "A", "Vendor", &number("Level", 1));
        apply(&machine, "A");
        let applied = machine.export();
        retire(&machine, "A --out @/plan.json").code(1);
        machine.run("apply --plan @/plan.json @target @state").code(0);
        set_events(&machine, events);
        if is_before {
            machine.set_export(&applied);
        }
        let run = machine.run("apply --plan @/plan.json @target @state").says(says);
        let is_applied = says == "plan-stale";
        run.code(if is_applied { 2 } else { 0 });
        is_as_before(&machine, if is_applied { &applied } else { &before });
    }
}

/// A plan that only records a retirement has no changes, so the facts never show whether it was carried out.
#[test]
fn a_saved_plan_without_changes_is_recorded_again_unless_its_journal_is_done() {
    for (events, journals) in [("done", 2), ("", 3), ("undone", 3), ("failed", 3), ("done rolled_back", 3)] {
        let machine = machine();
        let before = machine.export();
        write(&machine, "A", "Vendor", &number("Level", 1));
        apply(&machine, "A");
        machine.set_export(&before);
        retire(&machine, "A --out @/plan.json");
        machine.run("apply --plan @/plan.json @target @state").code(0);
        set_events(&machine, events);
        machine.run("apply --plan @/plan.json @target @state").code(0);
        assert_eq!(machine.journals().len(), journals, "{events}");
        retire(&machine, "A").code(0);
        assert_eq!(machine.journals().len(), journals, "{events}: A is retired");
    }
}

/// Replaces the events of the newest journal.
fn set_events(machine: &Machine, events: &str) {
    let newest = machine.path("state/journal").join(machine.journals().pop().unwrap());
    let text = fs::read_to_string(&newest).unwrap();
    let mut lines = vec![text.lines().next().unwrap().to_owned()];
    let event = |event: &str| json!({ "time": "2026-01-01T00:00:00.000Z", "event": event }).to_string();
    lines.extend(events.split_whitespace().map(event));
    fs::write(&newest, format!("{}\n", lines.join("\n"))).unwrap();
}

/// An older plan in the file must not stay there, because the next command of a pipeline would apply it.
#[test]
fn a_retirement_of_nothing_saves_a_plan_that_changes_nothing() {
    for line in ["--absent-from @/specs", "A --if-applied"] {
        let machine = machine();
        write(&machine, "A", "Vendor", &number("Level", 1));
        if line.starts_with("--absent") {
            apply(&machine, "A");
        }
        let before = machine.export();
        machine.write("plan.json", "an older plan");
        let run = retire(&machine, &format!("{line} --out @/plan.json")).code(0).says("nothing was changed");
        assert!(!run.stdout.contains("A: "), "{}", run.stdout);
        machine.run("diff --plan @/plan.json @target @state").code(0).says("contains no spec and changes nothing");
        for check in ["--check", ""] {
            let run = format!("apply --plan @/plan.json @target @state {check}");
            machine.run(&run).code(0).says("nothing was changed");
        }
        assert_eq!(machine.export(), before);
        let mut plan: serde_json::Value = serde_json::from_str(&machine.read("plan.json")).unwrap();
        assert_eq!(plan["specs"], json!([]));
        // Such a plan must not record a retirement.
        plan["retires"] = json!({ "specs": ["A"], "journal": "x" });
        plan.as_object_mut().unwrap().remove("digest");
        plan["digest"] = kbfix::plan::file::digest(&plan).into();
        machine.write("plan.json", &plan.to_string());
        machine.run("apply --plan @/plan.json @target @state").code(2).says("it does not contain a spec");
    }
}

#[test]
fn a_saved_plan_keeps_what_somebody_else_changed_and_says_so_as_retire_does() {
    [true, false].into_iter().for_each(keeps_and_says_so);
}

fn keeps_and_says_so(is_text: bool) {
    let machine = machine();
    write(
        &machine,
        "A",
        "Vendor",
        &format!(
            "{}\n      Other: {{ type: REG_DWORD, data: 5 }}",
            "values:\n      Level: { type: REG_DWORD, data: 1 }"
        ),
    );
    apply(&machine, "A");
    machine.edit(&[("\"Level\"=dword:00000001", "\"Level\"=dword:00000007")]);
    let theirs = machine.export();
    let kept = "after the apply REG_DWORD dword:00000001, now REG_DWORD dword:00000007; kept";
    retire(&machine, "A --out @/plan.json").code(4).says("rollback-conflict").says(kept);
    machine.run("diff --plan @/plan.json @target").code(4).says("rollback-conflict").says(kept);
    let look = machine.run("apply --plan @/plan.json @target @state --check").code(4).says("rollback-conflict");
    look.says("or make the plan again with force");
    assert_eq!(machine.export(), theirs);
    if is_text {
        let done = machine.run("apply --plan @/plan.json @target @state").code(6);
        done.says("done, and read back: 1 value deleted; 1 key or value is kept");
        return;
    }
    let report = machine.run("apply --plan @/plan.json @target @state --format json").code(6).json();
    assert_eq!((&report["changed"], &report["conflicts"][0]["forcible"]), (&true.into(), &true.into()), "{report:#}");
    let after = machine.export();
    assert!(after.contains("dword:00000007") && !after.contains("Other"), "{after}");
    machine.run("apply --plan @/plan.json @target @state").code(0).says("nothing was changed");
}

/// The process was killed before the first write: the journal has no event, and the value is unchanged.
#[test]
fn an_apply_that_was_interrupted_counts_either_way() {
    for is_written in [false, true] {
        let machine = machine();
        let before = machine.export();
        write(&machine, "A", "Vendor", &number("Level", 1));
        apply(&machine, "A");
        let applied = machine.export();
        write(&machine, "A", "Vendor", &number("Level", 2));
        apply(&machine, "A");
        let newest = machine.path("state/journal").join(machine.journals().pop().unwrap());
        let text = fs::read_to_string(&newest).unwrap();
        fs::write(&newest, format!("{}\n", text.lines().next().unwrap())).unwrap();
        if !is_written {
            machine.set_export(&applied);
        }
        retire(&machine, "A").code(0);
        is_as_before(&machine, &before);
    }
}

#[test]
fn what_no_journal_of_the_target_tells_is_refused() {
    let machine = machine();
    retire(&machine, "A").code(2).says("journal-missing");
    write(&machine, "A", "Vendor", &number("Level", 1));
    retire(&machine, "--absent-from @/specs").code(0);
    apply(&machine, "A");
    retire(&machine, "B").code(2).says("the journals of this target contain these specs: A");
    retire(&machine, "A --absent-from @/specs").code(2);
    machine.run("retire @target @state").code(2);
    retire(&machine, "A --set x=1").code(2).says("--specs");
    retire(&machine, "A --out -").code(2).says("standard output");
    // A journal of another machine, although the address is the same.
    let guid = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography]\r\n\"MachineGuid\"=\"1\"\r\n\r\n";
    let applied = machine.export();
    machine.set_export(&format!("{applied}\r\n{guid}"));
    apply(&machine, "A");
    write(&machine, "A", "Vendor", &number("Level", 2));
    apply(&machine, "A");
    machine.edit(&[("\"MachineGuid\"=\"1\"", "\"MachineGuid\"=\"2\"")]);
    // The journal that names no machine counts. It left the data 1.
    retire(&machine, "A --check").code(4).says("after the apply REG_DWORD dword:00000001");
    fs::write(machine.path("state/journal/20000101T000000.000Z-1.jsonl"), "{").unwrap();
    retire(&machine, "A").code(2).says("journal");
}

#[test]
fn a_saved_plan_deletes_a_protected_key_only_if_kbfix_created_it() {
    let machine = machine();
    let before = machine.export();
    write(&machine, "A", r"Policies\Microsoft\Windows\X", &number("Level", 1));
    apply(&machine, "A");
    retire(&machine, "A --out @/plan.json").code(1);

    // Somebody edits the plan for a machine on which the key does not come from kbfix: what kbfix created was undone.
    let other = Machine::new();
    other.set_export(&before);
    write(&other, "A", r"Policies\Microsoft\Windows\X", &number("Level", 1));
    apply(&other, "A");
    other.run("rollback --last @target @state").code(0);
    other.set_export(&machine.export());
    write(&other, "B", "Vendor", &number("Level", 1));
    apply(&other, "B");
    let theirs = other.export();
    let mut plan: serde_json::Value = serde_json::from_str(&machine.read("plan.json")).unwrap();
    plan["target"] = json!(format!("reg:{}", other.path("machine.reg").display()));
    plan["retires"]["journal"] = json!(other.journals().last().unwrap().trim_end_matches(".jsonl"));
    plan.as_object_mut().unwrap().remove("digest");
    plan["digest"] = kbfix::plan::file::digest(&plan).into();
    other.write("plan.json", &plan.to_string());
    for command in ["diff", "apply"] {
        let run = other.run(&format!("{command} --plan @/plan.json @target @state")).code(2).says("plan-inconsistent");
        run.says(r"HKLM\SOFTWARE\Policies\Microsoft\Windows, a key that Windows needs");
    }
    assert_eq!(other.export(), theirs);

    machine.run("apply --plan @/plan.json @target @state").code(0);
    is_as_before(&machine, &before);
}
