//! Tests `kbfix journal`: what was done, in the order in which it was done.

use std::fs;

use kbfix::journal::{Status, Store};

use crate::harness::Machine;

/// The journals of the state folder, oldest first.
fn journals(machine: &Machine) -> Vec<kbfix::journal::Journal> {
    let (journals, damaged) = Store::new(Some(&machine.path("state"))).unwrap().list().unwrap();
    assert!(damaged.is_empty(), "{damaged:?}");
    journals
}

#[test]
fn list_and_show_tell_what_was_done() {
    let machine = Machine::new();
    let none = machine.run("journal list @state").code(0).says("the folder [DIR]/state does not exist");
    assert_eq!(none.stdout, "");
    machine.run("apply KB909094 @target @state").code(0);
    let journal = machine.journals()[0].trim_end_matches(".jsonl").to_owned();
    machine.run("rollback --last @state").code(0);
    insta::assert_snapshot!(machine.run("journal list @state").code(0).stdout, @r"
    [JOURNAL]  rolled back  KB909094  apply  reg:[DIR]/machine.reg
    [JOURNAL]  done         KB909094  rollback of [JOURNAL]  reg:[DIR]/machine.reg
    ");
    let shown = machine.run(&format!("journal show {journal} @state")).code(0);
    insta::assert_snapshot!(shown.stdout, @r#"
    [JOURNAL]  rolled back  KB909094  apply  reg:[DIR]/machine.reg
    plan [DIGEST]
    @@ [HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV] @@
    +[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV]
    +"DisableRealmHint"=dword:00000001
    [TIME] done, and read back
    [TIME] rolled back: [DIR]/state/journal/[JOURNAL].jsonl
    "#);
    let list = machine.run("journal list --format json @state").code(0).json();
    assert_eq!(list["journals"].as_array().unwrap().len(), 2);
    assert_eq!(list["journals"][0]["status"], "rolled_back");
    let shown = machine.run(&format!("journal show {journal} --format json @state")).code(0).json();
    assert_eq!(shown["changes"][0]["action"], "create");
    assert_eq!(shown["machine"]["computer_name"], "FRONTEND1");
}

/// A line that lacks only its line break is complete. A new event must delete neither such an event nor the header.
#[test]
fn a_new_event_keeps_a_complete_last_line_without_line_break() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    let applied = machine.export();
    let path = format!("state/journal/{}", machine.journals().remove(0));
    let whole = machine.read(&path);
    let header = whole.lines().next().unwrap();
    for (cut, kept) in [
        (header.to_owned(), header.to_owned()),
        (whole.trim_end().to_owned(), whole.trim_end().to_owned()),
        (format!("{whole}{{\"time\":\"2026"), whole.trim_end().to_owned()),
    ] {
        machine.write(&path, &cut);
        machine.set_export(&applied);
        machine.run("rollback --last @state").code(0);
        let text = machine.read(&path);
        assert!(text.starts_with(&format!("{kept}\n{{")), "{text}");
        assert_eq!(journals(&machine)[0].status(), Status::RolledBack);
    }
    // A complete line that is not an event is damage, with or without its line break.
    machine.write(&path, &format!("{whole}{{\"time\":1}}"));
    machine.run("rollback --last @state").code(2).says("journal-malformed").says("line 3: ");
}

/// The message contains one line number: that of the line in the journal.
#[test]
fn an_error_in_a_line_names_this_line_only() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    let path = format!("state/journal/{}", machine.journals().remove(0));
    let whole = machine.read(&path);
    let malformed = |text: &str| {
        machine.write(&path, text);
        machine.run("journal list @state").code(2)
    };
    malformed(&format!("{whole}{{\"time\":1}}\n"))
        .says("line 3: expected a string, found the number `1` at column 9\n");
    malformed(&format!("{whole}{{\"time\"\n")).says("line 3: the text ends too early at column 7\n");
    malformed("{\"kbfix_journal\" 1}\n").says("line 1: expected `:` at column 18\n");
}

/// If the clock went back, as when a virtual machine is resumed, the newest journal is still that of the last apply.
#[test]
fn journals_are_named_in_the_order_of_the_applies() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    let first = machine.journals().remove(0);
    let folder = machine.path("state/journal");
    let future = "20991231T235959.999Z-4711.jsonl";
    fs::rename(folder.join(&first), folder.join(future)).unwrap();
    machine.edit(&[("\"DisableRealmHint\"=dword:00000001", "\"DisableRealmHint\"=dword:00000000")]);
    machine.run("apply KB909094 @target @state").code(0);
    let names = machine.journals();
    assert_eq!(names[0], future);
    assert!(names[1].starts_with("21000101T000000.000Z-"), "{names:?}");
    let report = machine.run("rollback --last @state --format json").code(0).json();
    assert_eq!(report["specs"][0]["changes"][0]["values"][0]["after"]["text"], "dword:00000000");
    // This is the latest time that a journal name can have.
    fs::rename(folder.join(future), folder.join("99991231T235959.999Z-1.jsonl")).unwrap();
    machine
        .run("apply KB909094 @target @state")
        .code(3)
        .says("journal-access")
        .says("so no later journal can be created");
}

#[test]
fn two_journals_at_once_are_two_files() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    let header = journals(&machine).remove(0).header;
    let store = Store::new(Some(&machine.path("state"))).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| drop(store.begin(header.clone()).unwrap())));
        }
    });
    assert_eq!(machine.journals().len(), 101);
}

#[test]
fn after_a_redo_the_apply_is_done_again_and_last_finds_it() {
    let machine = Machine::new();
    let before = machine.export();
    machine.run("apply KB909094 @target @state").code(0);
    let applied = machine.export();
    machine.run("rollback --last @state").code(0);
    let rollback = machine.journals().pop().unwrap();
    machine.run(&format!("rollback {rollback} @state")).code(0);
    assert_eq!(machine.export(), applied);
    let status = |machine: &Machine| journals(machine).iter().map(|j| j.status()).collect::<Vec<_>>();
    assert_eq!(status(&machine), [Status::Done, Status::RolledBack, Status::Done]);
    // The redo is undone: the apply is rolled back again.
    let redo = machine.journals().pop().unwrap();
    machine.run(&format!("rollback {redo} @state")).code(0);
    assert_eq!(machine.export(), before);
    assert_eq!(status(&machine), [Status::RolledBack, Status::Done, Status::RolledBack, Status::Done]);
    machine.run("rollback --last @state").code(2).says("journal-missing");
    // Another redo, so that `--last` has something to roll back.
    let undo = machine.journals().pop().unwrap();
    machine.run(&format!("rollback {undo} @state")).code(0);
    machine.run("rollback --last @state").code(0);
    assert_eq!(machine.export(), before);
}

#[cfg(unix)]
#[test]
fn a_journal_that_others_could_have_written_is_not_believed() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    let applied = machine.export();
    let journal = machine.journals().remove(0);
    let set = |below: &str, mode| fs::set_permissions(machine.path(below), fs::Permissions::from_mode(mode)).unwrap();
    let file = format!("state/journal/{journal}");
    for (below, well, bad) in [("state", 0o755, 0o1777), ("state/journal", 0o700, 0o770), (file.as_str(), 0o644, 0o664)]
    {
        set(below, bad);
        for command in
            ["rollback --last", "rollback --check --last", "journal list", &format!("journal show {journal}")]
        {
            machine.run(&format!("{command} @state")).code(2).says("journal-untrusted").says("can write to it");
        }
        machine.run(&format!("rollback {journal} @state")).code(2).says("journal-untrusted");
        if below != file {
            // In this case no journal is written there either, and no target is changed.
            machine.edit(&[("\"DisableRealmHint\"=dword:00000001", "\"DisableRealmHint\"=dword:00000000")]);
            machine.run("apply KB909094 @target @state").code(3).says("journal-untrusted");
            machine.run("apply --check KB909094 @target @state").code(3).says("journal-untrusted");
            machine.set_export(&applied);
        }
        assert_eq!(machine.journals().len(), 1);
        set(below, well);
    }
    // If a journal is named by its file, only that file is read.
    fs::copy(machine.path(&file), machine.path("copy.jsonl")).unwrap();
    set("state", 0o777);
    machine.run("journal show @/copy.jsonl @state").code(0);
    // No journal can be written there, so the dry run is refused like the rollback.
    for command in ["rollback @/copy.jsonl", "rollback --check @/copy.jsonl"] {
        machine.run(&format!("{command} @state")).code(3).says("journal-untrusted");
    }
    assert_eq!(machine.export(), applied);
    set("copy.jsonl", 0o646);
    machine.run("journal show @/copy.jsonl @state").code(2).says("journal-untrusted");
    set("state", 0o755);
    machine.run("rollback --last @state").code(0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_not_unicode_is_shown_in_json() {
    use std::os::unix::ffi::OsStrExt as _;
    let machine = Machine::new();
    let state = machine.path("").join(std::ffi::OsStr::from_bytes(b"st\xff"));
    let run = |line: &str| machine.command(line).arg("--state-dir").arg(&state).output().unwrap().stdout;
    run("apply KB909094 @target");
    let list: serde_json::Value = serde_json::from_slice(&run("journal list --format json")).unwrap();
    let one = &list["journals"][0];
    assert!(one["path"].as_str().unwrap().contains("st\u{fffd}/journal"), "{list:#}");
    let shown = run(&format!("journal show {} --format json", one["id"].as_str().unwrap()));
    let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!(shown["path"], one["path"]);
}

#[test]
fn a_named_state_folder_that_does_not_exist_is_reported() {
    let machine = Machine::new();
    let missing = "state does not exist, so it contains no journals";
    machine.run("journal list @state").code(0).says(missing);
    machine.run("rollback --last @state").code(2).says(missing).says("give the same state folder as for the apply");
    machine.run("retire KB909094 @target @state").code(2).says(missing);
    machine.run("journal show x @state").code(2).says(", which does not exist\n").says("give the same state folder");
    for line in
        ["symptoms KB909094", "diff KB909094 --symptoms", "retire --absent --specs KB909094", "retire A --if-applied"]
    {
        let run = machine.run(&format!("{line} @target @state"));
        assert!(run.stderr.contains(missing), "{run:?}");
    }
    let run = machine.run("diff KB909094 @target @state").code(1);
    assert!(!run.stderr.contains("state"), "{run:?}");
}

#[test]
fn the_hint_for_a_damaged_journal_in_the_list_is_not_to_list_the_journals() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    machine.write_journal("20260101T000000.000Z-1", "{");
    let run = machine.run("journal list @state").code(2).says("or move the file to another folder");
    assert!(!run.stderr.contains("kbfix journal list"), "{run:?}");
}
