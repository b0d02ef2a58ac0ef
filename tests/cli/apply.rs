//! `kbfix apply`: what it reports, and that a failure is undone.

use crate::harness::Machine;

#[test]
fn it_reports_what_it_did_and_names_the_journal() {
    let machine = Machine::with_dav("\"DisableRealmHint\"=dword:00000000");
    let run = machine.run("apply KB909094 @target @state").code(0);
    assert_eq!(run.stderr, "");
    let tail: Vec<_> = run.stdout.lines().skip_while(|line| !line.starts_with("---")).collect();
    insta::assert_snapshot!(tail.join("\n"), @r#"
    --- FRONTEND1 (before)
    +++ FRONTEND1 (after)
    @@ [HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV] @@
    -"DisableRealmHint"=dword:00000000
    +"DisableRealmHint"=dword:00000001
      restart       the computer need not be restarted; services to restart: IISADMIN
                    The article says that the hotfix needs no restart of the computer, and does not mention a restart for the value. The text of the event says that IIS may have to be restarted on both the front-end and the back-end servers; IISADMIN with the services that depend on it (W3SVC among them), and that no restart of the computer is needed, is inference.

    done, and read back: 1 value updated
    journal [DIR]/state/journal/[JOURNAL].jsonl
    "#);
}

#[test]
fn diff_and_apply_report_the_same_changes() {
    let machine = Machine::with_dav("\"DisableRealmHint\"=\"1\"");
    let diff = machine.run("diff KB909094 --format json @target").code(1).json();
    let apply = machine.run("apply KB909094 --format json @target @state").code(0).json();
    assert_eq!(diff["specs"][0]["changes"], apply["specs"][0]["changes"]);
    assert_eq!(diff["digest"], apply["digest"]);
    assert_eq!((&diff["changed"], &apply["changed"]), (&false.into(), &true.into()));
    assert_eq!((&diff["outcome"], &apply["outcome"]), (&"changes_pending".into(), &"changed".into()));
}

#[test]
fn check_shows_what_would_be_done_and_changes_nothing() {
    let machine = Machine::new();
    let before = machine.export();
    let run = machine.run("apply KB909094 --check @target @state").code(1).says("nothing was changed");
    assert!(run.stdout.contains("+\"DisableRealmHint\"=dword:00000001"), "{}", run.stdout);
    let check = machine.run("apply KB909094 --check --format json @target @state").code(1).json();
    let diff = machine.run("diff KB909094 --format json @target").code(1).json();
    assert_eq!(check["command"], "apply");
    for member in ["specs", "digest", "outcome", "changed", "restart", "machine", "target"] {
        assert_eq!(check[member], diff[member], "{member}");
    }
    assert_eq!(machine.export(), before);
    assert!(!machine.path("state").exists());
}

/// `--check` refuses what the apply itself refuses.
#[test]
fn check_refuses_what_the_run_refuses() {
    let machine = Machine::new();
    let spec = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/specs/KB909094.yaml")).unwrap();
    machine.write("file", "");
    machine.write(
        "install.yaml",
        &spec
            .replace("hotfix:\n", "hotfix:\n  package: { file: x.exe, sha256: \"SHA\" }\n")
            .replace("SHA", &"0".repeat(64)),
    );
    machine.set_dll([6, 5, 7638, 1]);
    for (line, code, says) in [
        ("apply KB909094 --restart-services @target @state", 2, "services can only be restarted on the target `local`"),
        (
            "apply @/install.yaml --package KB909094=x.exe --install-hotfix @target @state",
            2,
            "can only be installed on the target `local`",
        ),
    ] {
        for check in ["", " --check"] {
            machine.run(&format!("{line}{check}")).code(code).says(says);
        }
    }
    machine.set_dll([6, 5, 7651, 19]);
    for folder in ["file", "file/below"] {
        for check in ["", " --check"] {
            machine.run(&format!("apply KB909094 --state-dir @/{folder} @target{check}")).code(3).says("journal");
        }
    }
    // If nothing differs, no journal is written, and no state folder is needed.
    machine.run("apply KB909094 @target @state").code(0);
    for check in ["", " --check"] {
        machine.run(&format!("apply KB909094 --state-dir @/file @target{check}")).code(0);
    }
}

/// A version 4 export cannot hold a character outside its code page, so the second of two changes fails.
#[test]
fn what_cannot_be_written_is_exit_code_5_and_leaves_all_as_it_was() {
    let machine = Machine::new();
    let export = "REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n\"a\"=\"1\"\r\n\r\n";
    machine.set_export(export);
    let spec = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\T\n    values:\n      \
                a: { type: REG_DWORD, data: 1 }\n      b: { type: REG_SZ, data: 日本 }\n";
    machine.write("t.yaml", spec);
    // A diff says so before the apply, and names the code page if kbfix needs it to write the data.
    let diff = "diff @/t.yaml @target";
    let run = machine.run(&format!("{diff} --code-page 1252")).code(1).says("warning[cannot-apply]");
    run.says("version 5 file in UTF-16").says("help: remove the cause first; nothing was changed");
    let run = machine.run(&format!("{diff} --format markdown")).code(1).says("give its code page");
    assert!(run.stdout.contains("cannot-apply"), "{}", run.stdout);
    assert_eq!(machine.export(), export);
    let line = "apply @/t.yaml --code-page 1252 @target @state";
    // A dry run fails as the run does.
    machine.run(&format!("{line} --check")).code(5).says("cannot-apply").says("version 5 file in UTF-16");
    let run = machine.run(line).code(5).says("rolled back");
    // Nothing was written, so nothing was restored either.
    let run = run.says("the changes were refused; nothing was changed").says("help: nothing was changed; correct");
    assert!(!run.stdout.contains("restored"), "{}", run.stdout);
    assert!(run.stderr.contains("write-failed"), "{}", run.stderr);
    assert_eq!(machine.export(), export);
    assert!(
        run.stdout.contains("these changes had been planned:") && !run.stdout.contains("(after)"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("restart  "), "{}", run.stdout);
    let run = machine.run(&format!("{line} --format markdown")).code(5).says("none; refused: ");
    assert!(run.stdout.contains("**the changes were refused, and nothing was changed"), "{}", run.stdout);
    let report = machine.run(&format!("{line} --format json")).code(5).json();
    assert_eq!(report["changes_are"], "not_made");
    assert_eq!(report["specs"][0]["sentence"], "the changes were refused, and nothing was changed");
    assert_eq!(report["changed"], false);
    assert_eq!(report["outcome"], "rolled_back");
    let journal = machine.journals().pop().unwrap();
    machine.run(&format!("journal show {journal} @state")).code(0).says("nothing was written: ");
    // There is nothing to roll back after an apply that was undone.
    machine.run("journal list @state").code(0).says("undone");
    machine.run("rollback --last @state").code(2).says("can be rolled back");
    // The name of a key is checked in the same way as data.
    machine.write("k.yaml", "kbfix: 1\nid: K\ntitle: T\nregistry:\n  - { key: 'HKLM\\SOFTWARE\\T\\鍵' }\n");
    let line = "apply @/k.yaml --code-page 1252 @target @state";
    machine.run(&format!("{line} --check")).code(5).says("cannot-apply");
    machine.run(line).code(5);
    assert_eq!(machine.export(), export);
}

#[test]
fn a_journal_that_cannot_be_written_stops_the_apply_before_it_begins() {
    let machine = Machine::new();
    machine.write("state", "a file where the folder should be");
    let before = machine.export();
    let run = machine.run("apply KB909094 @target @state").code(3);
    assert!(run.stderr.contains("journal"), "{}", run.stderr);
    assert_eq!(machine.export(), before);
}
