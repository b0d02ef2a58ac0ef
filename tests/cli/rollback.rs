//! Tests `kbfix rollback`: later changes by others are kept and reported.

use crate::harness::Machine;

const SET: &str = "\"DisableRealmHint\"=dword:00000001";

/// Returns a server on which KB909094 was applied. The value was 0 before.
fn applied() -> Machine {
    let machine = Machine::with_dav("\"DisableRealmHint\"=dword:00000000");
    machine.run("apply KB909094 @target @state").code(0);
    machine
}

#[test]
fn check_shows_and_changes_nothing() {
    let machine = applied();
    let before = machine.export();
    let run = machine.run("rollback --last --check @state").code(1).says("nothing was changed");
    assert!(run.stdout.contains("+\"DisableRealmHint\"=dword:00000000"), "{}", run.stdout);
    assert_eq!(machine.export(), before);
    assert_eq!(machine.journals().len(), 1);
}

#[test]
fn a_value_that_somebody_changed_since_is_kept_and_forced_back_only_with_force() {
    let machine = applied();
    machine.edit(&[(SET, "\"DisableRealmHint\"=dword:00000007")]);
    let before = machine.export();
    let run = machine.run("rollback --last @state").code(6).says("rollback-conflict");
    insta::assert_snapshot!(run.stdout, @r#"
    KB909094: blocked
      rollback of journal [JOURNAL], made [TIME]
      because       HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV "DisableRealmHint": someone else has changed it since, so it is kept

    conflict HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV "DisableRealmHint"
      after the apply REG_DWORD dword:00000001, now REG_DWORD dword:00000007; kept
    nothing was changed; 1 key or value is kept
    "#);
    assert_eq!(machine.export(), before);
    let report = machine.run("rollback --last --format json @state").code(6).json();
    assert_eq!(report["changed"], false);
    assert_eq!(report["conflicts"][0]["found"], "REG_DWORD dword:00000007");
    let run = machine.run("rollback --last --format markdown @state").code(6);
    run.says("\"DisableRealmHint\": after the apply REG\\_DWORD dword:00000001, now REG\\_DWORD dword:00000007; kept");

    machine.run("rollback --last --force @state").code(0);
    assert!(machine.export().contains("\"DisableRealmHint\"=dword:00000000"));
    machine.run("rollback --last @state").code(2).says("no journal in [DIR]/state can be rolled back");
    let of_target = "no journal of the target reg:[DIR]/machine.reg in [DIR]/state can be rolled back";
    machine.run("rollback --last @target @state").code(2).says(of_target);
}

#[test]
fn options_of_a_target_need_one() {
    let machine = applied();
    let before = machine.export();
    for option in ["--code-page 1252", "--files @/", "--drive D=@/", "--allow-dirty"] {
        machine.run(&format!("rollback --last {option} @state")).code(2).says("--target <URI>");
    }
    assert_eq!(machine.export(), before);
}

#[test]
fn what_is_already_as_before_is_no_conflict() {
    let machine = applied();
    machine.edit(&[(SET, "\"DisableRealmHint\"=dword:00000000")]);
    let before = machine.export();
    machine.run("rollback --last @state").code(0).says("nothing was changed");
    assert_eq!(machine.export(), before);
}

/// Even with force, no value of such a key is restored, so the hint must not suggest force.
#[test]
fn a_value_whose_key_and_parent_key_are_gone_is_one_conflict_without_force_and_with_it() {
    let root = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n";
    let key =
        "[HKEY_LOCAL_MACHINE\\SOFTWARE\\V]\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\V\\W]\r\n\"a\"=dword:00000001\r\n";
    let machine = Machine::new();
    machine.set_export(&format!("{root}{key}\"b\"=dword:00000001\r\n"));
    let data = "{ type: REG_DWORD, data: 2 }";
    let rule = format!(r"{{ key: HKLM\SOFTWARE\V\W, values: {{ a: {data}, b: {data}, c: {data} }} }}");
    machine.write("s.yaml", &format!("{{ kbfix: 1, id: S, title: t, registry: [{rule}] }}"));
    machine.run("apply @/s.yaml @target @state").code(0);
    machine.set_export(root);
    for force in ["", " --force"] {
        let run = machine.run(&format!("rollback --last @target @state{force}")).code(6);
        let run = run.says("its parent key absent").says("kbfix leaves 1 key or value as it is");
        let run = run.says("force does not restore a key");
        assert!(!run.stderr.contains("roll back with force"), "{}", run.stderr);
        assert_eq!(machine.export().trim_end(), root.trim_end());
    }
}

#[test]
fn a_key_that_holds_more_by_now_is_kept_with_it() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    machine.edit(&[(SET, &format!("{SET}\r\n\"Other\"=dword:00000005"))]);
    let run = machine.run("rollback --last --force @state").code(6).says("\"Other\"");
    assert!(run.stdout.contains("-\"DisableRealmHint\"=dword:00000001"), "{}", run.stdout);
    let export = machine.export();
    assert!(export.contains("\"Other\"=dword:00000005") && !export.contains("DisableRealmHint"), "{export}");
}

#[test]
fn a_journal_of_another_machine_is_refused() {
    let machine = applied();
    machine.edit(&[
        ("6f2a8c54-90d1", "6f2a8c54-0000"),
        ("\"ComputerName\"=\"FRONTEND1\"", "\"ComputerName\"=\"FRONTEND2\""),
    ]);
    let before = machine.export();
    machine.run("rollback --last @state").code(2).says("FRONTEND1").says("FRONTEND2");
    assert_eq!(machine.export(), before);
}

#[test]
fn each_apply_is_rolled_back_by_itself_the_newest_first() {
    let machine = Machine::new();
    let first = machine.export();
    machine.run("apply KB909094 @target @state").code(0);
    let second = machine.export();
    machine.run("apply KB909094 --set realm_hint=0 @target @state").code(0);
    assert_ne!(machine.export(), second);
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export(), second);
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export(), first);
    machine.run("rollback --last @state").code(2);
}

#[test]
fn a_journal_is_named_by_its_file_or_its_name() {
    for by in ["path", "file", "name"] {
        let machine = applied();
        let journal = machine.journals().remove(0);
        let name = match by {
            "path" => format!("@/state/journal/{journal}"),
            "file" => journal,
            _ => journal.trim_end_matches(".jsonl").to_owned(),
        };
        machine.run(&format!("rollback {name} @state")).code(0);
        assert!(machine.export().contains("\"DisableRealmHint\"=dword:00000000"));
    }
    let machine = applied();
    machine.run("rollback nothing @state").code(2);
    machine.run("rollback @/C @state").code(2).says("it is not a file").says("name a file; this is a folder");
    machine.run("rollback @state").code(2);
}

#[test]
fn last_of_a_target_is_the_last_of_that_target() {
    let (one, other) = (applied(), applied());
    // Both journals are in one state folder.
    let journal = other.journals().remove(0);
    std::fs::rename(other.path("state/journal").join(&journal), one.path("state/journal").join(&journal)).unwrap();
    one.run("rollback --last @target @state").code(0);
    assert!(one.export().contains("\"DisableRealmHint\"=dword:00000000"));
    assert!(other.export().contains(SET));
    one.run("rollback --last @target @state").code(2);
}

#[test]
fn a_damaged_journal_is_refused_and_does_not_hide_the_others() {
    let machine = applied();
    machine.write("state/journal/29990101T000000.000Z-1.jsonl", "{ \"kbfix_journal\": 1, \n");
    machine.run("rollback 29990101T000000.000Z-1 @state").code(2).says("journal-malformed");
    machine.run("journal list @state").code(2).says("journal-malformed").says("done");
    let list = machine.run("journal list --format json @state").code(2).json();
    assert_eq!(list["journals"].as_array().unwrap().len(), 1);
    assert_eq!(list["damaged"][0]["path"], "[DIR]/state/journal/[JOURNAL].jsonl");
    assert!(list["damaged"][0]["message"].as_str().unwrap().contains("line 1"), "{list}");
}

#[test]
fn the_last_is_not_taken_for_an_older_one_where_a_newer_is_damaged() {
    let machine = applied();
    let before = machine.export();
    let name = machine.journals().remove(0);
    machine.write("state/journal/29990101T000000.000Z-1.jsonl", "{ \"kbfix_journal\": 1, \n");
    for check in ["", "--check", "@target"] {
        let run = machine.run(&format!("rollback --last {check} @state")).code(2);
        run.says("[DIR]/state/journal/[JOURNAL].jsonl, line 1").says("give the name of the journal");
    }
    assert_eq!(machine.export(), before);
    assert_eq!(machine.journals().len(), 2);
    machine.run(&format!("rollback {} @state", name.trim_end_matches(".jsonl"))).code(0);

    // A damaged journal that is older than that of the last apply is only reported.
    let machine = applied();
    machine.write("state/journal/19990101T000000.000Z-1.jsonl", "");
    let run = machine.run("rollback --last @state --format json").code(0).says("warning[journal-malformed]");
    assert_eq!(run.json()["diagnostics"][0]["code"], "journal-malformed");
    // Files that are older than the next journal are not read.
    let machine = applied();
    let key = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\OWA\T";
    machine.write("t.yaml", &format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: {key}\n"));
    machine.run("apply @/t.yaml @target @state").code(0);
    machine.write("state/journal/19990101T000000.000Z-1.jsonl", "");
    let run = machine.run("rollback --last @state").code(0);
    assert!(!run.stderr.contains("journal-malformed"), "{}", run.stderr);
    machine.run("rollback --last @state").code(0).says("warning[journal-malformed]");
    // It is not known which target the journal is about, so kbfix does not report that there is nothing to do.
    machine.run("rollback --last @state").code(2).says("journal-malformed");
}

#[test]
fn what_a_rollback_kept_is_told_and_does_not_hide_older_applies() {
    let machine = Machine::new();
    let first = machine.export();
    machine.write("t.yaml", "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\OWA\n    values: { T: { type: REG_DWORD, data: 1 } }\n");
    machine.run("apply @/t.yaml @target @state").code(0);
    machine.run("apply KB909094 @target @state").code(0);
    let older = machine.journals().remove(0);
    let older = older.trim_end_matches(".jsonl");
    // Somebody creates a subkey in the key that the apply created.
    let key = r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV]";
    machine.edit(&[(key, &format!("{}\r\n\r\n{key}", key.replace("DAV]", "DAV\\Other]")))]);

    for format in ["markdown", "json"] {
        let run = machine.run(&format!("rollback --last --check @state --format {format}")).code(4);
        run.says("subkeys Other").says("rollback-conflict");
    }
    let look =
        machine.run("rollback --last --check @state").code(4).says("nothing was changed; 1 key or value is kept");
    look.says("changes pending").says("force does not restore");
    let run = machine
        .run("rollback --last @state")
        .code(6)
        .says("1 value deleted; 1 key or value is kept")
        .says("force does not restore");
    assert!(!run.stderr.contains("name its journal"), "{}", run.stderr);
    assert!(machine.run("journal list @state").stdout.contains("rolled back in part"));
    for force in ["", "--force"] {
        let journals = machine.journals().len();
        let run = machine.run(&format!("rollback --last {force} @state")).code(6).says("KB909094: blocked");
        run.says("force does not restore").says("give its journal: [JOURNAL]");
        assert_eq!(machine.journals().len(), journals);
    }
    machine.run("rollback --last --check @state").code(4);
    // The older apply is rolled back by its name. That removes what was in the way, and then the rest can be rolled
    // back.
    machine.run(&format!("rollback {older} @state")).code(0);
    let text = machine.export();
    let start = text.find(&key.replace("DAV]", "DAV\\Other]")).unwrap();
    machine.set_export(&text.replace(&text[start..start + key.len() + 6], "").replace("\r\n\r\n\r\n", "\r\n\r\n"));
    machine.run("rollback --last @state").code(0);
    machine.run("rollback --last @state").code(2).says("journal-missing");
    let run = machine.run("rollback nope @state").code(2).says("journal-missing").says("there is no journal `nope`");
    assert!(run.stderr.contains("state/journal"), "{}", run.stderr);
    machine.run("journal show nope @state").code(2).says("there is no journal `nope`");
    let keys = |text: &str| text.lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(keys(&machine.export()), keys(&first));
}

#[test]
fn a_computer_that_was_renamed_since_is_rolled_back_with_a_warning() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    machine.edit(&[("\"ComputerName\"=\"FRONTEND1\"", "\"ComputerName\"=\"RENAMED\"")]);
    let report = machine.run("rollback --last @state --format json").code(0).json();
    assert_eq!(report["diagnostics"][0]["code"], "plan-other-machine");
    assert_eq!(report["diagnostics"][0]["severity"], "warning");
    assert!(!machine.export().contains("DAV]"));
}

#[test]
fn a_rollback_that_undoes_nothing_elsewhere_does_not_end_the_journal() {
    let machine = Machine::new();
    machine.write("copy.reg", &machine.export());
    machine.run("apply KB909094 @target @state").code(0);
    let line = format!("rollback {} @state --target reg:@/copy.reg", machine.journals().remove(0));
    let rolled_back = || machine.run("journal list @state").stdout.contains("rolled back");
    machine.run(&line).code(0).says("nothing was changed");
    // Someone else has changed the value in the copy, so it is kept.
    machine.write("copy.reg", &machine.export().replace(SET, "\"DisableRealmHint\"=dword:00000007"));
    machine.run(&line).code(6).says("rollback-conflict");
    assert!(!rolled_back());
    machine.run("rollback --last @state").code(0);
    assert!(rolled_back() && !machine.export().contains("DAV]"));
}

/// A MachineGuid is copied with a disk. If the name and the address differ, the operator must confirm that it is the
/// same machine.
#[test]
fn another_name_at_another_address_needs_a_word_of_the_operator() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    machine.edit(&[("\"ComputerName\"=\"FRONTEND1\"", "\"ComputerName\"=\"CLONE\"")]);
    machine.write("clone.reg", &machine.export());
    let line = "rollback --last @state --target reg:@/clone.reg";
    let journal = machine.journals().remove(0);
    let line = line.replace("--last", &journal);
    machine.run(&line).code(2).says("plan-other-machine").says("--force-machine");
    machine.run(&format!("{line} --check --force-machine")).code(1).says("this target is CLONE");
    machine.run(&format!("{line} --force-machine")).code(0).says("this target is CLONE");
    assert!(!machine.read("clone.reg").contains("DAV]") && machine.export().contains("DAV]"));
}
