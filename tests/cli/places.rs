//! Tests paths: one target under several spellings, files that a killed process left, and who may read the files that
//! kbfix writes.

use std::fs;

use crate::harness::Machine;

#[test]
fn one_target_has_one_name_however_it_is_spelled() {
    let machine = Machine::new();
    machine.run("example @/m").code(0);
    machine.run("apply KB909094 --target image:@/m/ @state").code(0);
    let list = machine.run("journal list --format json @state").json();
    assert_eq!(list["journals"][0]["target"]["uri"], "image:[DIR]/m");
    machine.run("diff KB909094 --target image:@/C/../m/. --out @/p.json").code(0);
    assert!(!machine.read("p.json").contains(".."));
    machine.run("rollback --last --target image:@/C/../m @state").code(0);
    machine.run("rollback --last --target image:@/m @state").code(2).says("journal-missing");
}

#[test]
fn the_hint_about_a_wrong_target_says_which_one_to_give() {
    let machine = Machine::new();
    machine.run("example @/m").code(0);
    machine.write("script.reg", "REGEDIT4\r\n\r\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\r\n");
    for (target, hint) in [
        ("image:@/C", "give the root folder of a mounted Windows volume"),
        ("image:@/m/Windows", "give the folder above it, the root of the volume"),
        ("reg:@/script.reg", "give an export (`reg export KEY FILE`)"),
    ] {
        let run = machine.run(&format!("diff KB909094 --target {target}")).code(3);
        let run = run.says("error[target-malformed]").says(&format!("help: {hint}"));
        assert!(!run.stderr.contains("undamaged"), "{}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_no_journal_can_contain_is_refused() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let machine = Machine::new();
    let folder = machine.path("").join(OsStr::from_bytes(b"C\xff"));
    fs::rename(machine.path("C"), &folder).unwrap();
    let before = machine.export();
    for more in ["--check", ""] {
        let line = format!("apply KB909094 --target reg:@/machine.reg @state {more} --files");
        let run = machine.command(&line).arg(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(3), "{said}");
        assert!(said.contains("error[journal-access]") && said.contains("it is not valid Unicode"), "{said}");
        assert!(said.contains("help: name the folder by another path, such as that of a link to it"), "{said}");
        assert!(!machine.path("state").exists());
    }
    assert_eq!(machine.export(), before);
    std::os::unix::fs::symlink(&folder, machine.path("link")).unwrap();
    machine.run("apply KB909094 --target reg:@/machine.reg @state --files @/link").code(0);
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_unicode_is_used_or_its_option_is_named() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let machine = Machine::new();
    let drive = machine.path("").join(OsStr::from_bytes(b"C\xff"));
    fs::rename(machine.path("C"), &drive).unwrap();
    let run = |line: &str, begin: &str| {
        let argument = [OsStr::new(begin), drive.as_os_str()].map(OsStr::as_bytes).concat();
        let run = machine.command(line).arg(OsStr::from_bytes(&argument)).output().unwrap();
        (run.status.code(), String::from_utf8_lossy(&run.stderr).into_owned())
    };
    let on = "--target reg:@/machine.reg";
    assert_eq!(run(&format!("diff KB909094 {on} --files"), ""), (Some(1), String::new()));
    assert_eq!(run("library KB909094 --for reg:@/machine.reg --files", ""), (Some(0), String::new()));
    let hive = "diff KB909094 --target hive:@/machine.reg=HKLM\\SYSTEM --drive";
    let (code, said) = run(hive, "C=");
    assert!(code == Some(3) && said.contains("error[target-malformed]"), "{said}");
    let (_, said) = run(&format!("apply KB909094 {on} @state --install-hotfix --package"), "KB909094=");
    assert!(!said.contains("Unicode") && !said.contains("UTF-8"), "{said}");
    for (line, begin, name) in [
        ("validate", "", "[SPEC]..."),
        ("diff KB909094 --target", "image:", "--target <URI>"),
        ("diff --plan", "", "--plan <FILE>"),
        ("journal show", "", "<JOURNAL>"),
        ("fleet impact KB909094 --snapshots @/C --base", "", "--base <DIR>"),
        ("import x.reg --code-page", "", "--code-page <NUMBER>"),
    ] {
        let (code, said) = run(line, begin);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(&format!("for '{name}': it is not valid Unicode")), "{said}");
    }
    // What can contain a password is not quoted.
    for (line, begin) in [("diff KB909094 --target", "smb://u:geheim"), ("diff KB909094 --set", "p=geheim")] {
        let (code, said) = run(line, begin);
        assert!(code == Some(2) && said.contains("it is not valid Unicode") && !said.contains("geheim"), "{said}");
    }
}

#[test]
fn a_journal_of_another_machine_is_called_a_journal() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    machine.edit(&[
        ("\"ComputerName\"=\"FRONTEND1\"", "\"ComputerName\"=\"FRONTEND2\""),
        ("6f2a8c54-90d1", "6f2a8c54-0000"),
    ]);
    let run = machine
        .run("rollback --last @state")
        .code(2)
        .says("the journal [JOURNAL] belongs to FRONTEND1")
        .says("give the target");
    assert!(!run.stderr.contains("plan is for") && !run.stderr.contains("make a new plan"), "{}", run.stderr);
}

#[test]
fn what_a_killed_apply_left_beside_a_file_goes_with_the_next_one() {
    let machine = Machine::new();
    machine.run("example @/m").code(0);
    let config = machine.path("m/Windows/System32/config");
    let (own, other) = (".kbfix-SYSTEM-aB3dE6.tmp", ".kbfix-SYSTEM-notes.tmp");
    for name in [own, other] {
        fs::write(config.join(name), "data of a hive").unwrap();
    }
    machine.write(".kbfix-machine.reg-000000.tmp", "");
    let look = machine.run("diff KB909094 --target image:@/m").code(1);
    assert!(config.join(own).exists(), "a look removed something: {look:?}");
    machine.run("apply KB909094 --target image:@/m @state").code(0);
    assert!(!config.join(own).exists() && config.join(other).exists());
    // The same for a rollback that has nothing to do.
    fs::write(config.join(own), "data of a hive").unwrap();
    let journal = machine.journals().remove(0);
    machine.run("rollback --last @state").code(0);
    fs::write(config.join(own), "data of a hive").unwrap();
    machine.run(&format!("rollback {} @state", journal.trim_end_matches(".jsonl"))).code(0).says("nothing was changed");
    assert!(!config.join(own).exists());
    machine.run("apply KB909094 @target @state").code(0);
    assert!(!machine.path(".kbfix-machine.reg-000000.tmp").exists());
}

#[cfg(unix)]
#[test]
fn what_kbfix_makes_for_its_state_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    let journal = format!("state/journal/{}", machine.journals()[0]);
    for (path, mode) in [("state", 0o700), ("state/journal", 0o700), (journal.as_str(), 0o600)] {
        assert_eq!(fs::metadata(machine.path(path)).unwrap().permissions().mode() & 0o777, mode, "{path}");
    }
    machine.run("rollback --last @state").code(0);
    assert_eq!(fs::metadata(machine.path(&journal)).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_lock_that_cannot_be_made_says_what_is_missing() {
    let machine = Machine::new();
    fs::create_dir(machine.path(".kbfix-machine.reg.lock")).unwrap();
    let run = machine.run("apply KB909094 @target @state").code(3).says("target-lock").says("cannot lock ");
    run.says("[DIR]/.kbfix-machine.reg.lock: the lock file is a folder").says("move the file away");
    machine.run("diff KB909094 @target").code(1);
}
