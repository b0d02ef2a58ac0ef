//! Tests the lock of the machine, the folder for administrators, and the program itself.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use kbfix::targets::{
    Target, TargetError,
    local::{FolderError, LocalTarget, create_admin_only_dir},
};

use crate::{
    local::{
        replace::set_dacl,
        scratch::{alone, is_there, key},
    },
    start::{run, start},
};

/// Creates a folder with the permissions in `dacl` (SDDL).
fn make_folder(path: &Path, dacl: &str) {
    fs::create_dir(path).unwrap();
    set_dacl(path, dacl);
}

/// Set for the copy of this program that [`holds_the_lock`] runs in.
const HOLD: &str = "KBFIX_TEST_HOLD_LOCK";

#[test]
fn one_apply_at_a_time_and_none_locked_out_by_a_killed_one() {
    let _alone = alone();
    let held = LocalTarget::new().lock().unwrap();
    assert!(matches!(LocalTarget::new().lock(), Err(TargetError::Locked { .. })));
    drop(held);

    let mut other = Command::new(env::current_exe().unwrap());
    other.args(["--exact", "local::machine::holds_the_lock", "--nocapture"]).env(HOLD, "1");
    let mut other = start(other.stdout(Stdio::piped()));
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("held")));
    assert!(matches!(LocalTarget::new().lock(), Err(TargetError::Locked { .. })));
    other.kill().unwrap();
    other.wait().unwrap();
    drop(LocalTarget::new().lock().unwrap());
}

/// Not a test by itself: the second process of the test above.
#[test]
fn holds_the_lock() {
    if env::var_os(HOLD).is_some() {
        let _held = LocalTarget::new().lock().unwrap();
        println!("\nheld");
        thread::sleep(Duration::from_secs(60));
    }
}

#[test]
fn a_folder_of_administrators_is_made_once_and_trusted_again() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("kbfix");
    create_admin_only_dir(&folder).unwrap();
    create_admin_only_dir(&folder).unwrap();
    fs::write(folder.join("journal"), "x").unwrap();

    let file = parent.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(create_admin_only_dir(&file), Err(FolderError::NotAFolder { .. })));
    let below_missing = parent.path().join("missing").join("kbfix");
    assert!(matches!(create_admin_only_dir(&below_missing), Err(FolderError::Io { .. })));
}

#[test]
fn a_folder_that_others_may_write_is_refused() {
    // A folder that any user can create below ProgramData before the first run of kbfix.
    let planted = env::temp_dir().join(format!("kbfix-test-planted-{}", std::process::id()));
    make_folder(&planted, "D:(A;OICI;FA;;;WD)");
    let result = create_admin_only_dir(&planted);
    fs::remove_dir(&planted).unwrap();
    assert!(matches!(result, Err(FolderError::Untrusted { .. })), "{result:?}");
}

/// An elevated process has the environment of the user. The user could name a folder with a forged journal there.
#[test]
fn the_environment_does_not_name_the_state_folder() {
    let planted = tempfile::tempdir().unwrap();
    let journals = planted.path().join("kbfix").join("journal");
    fs::create_dir_all(&journals).unwrap();
    fs::write(journals.join("20260101T000000.000Z-1.jsonl"), "{}").unwrap();
    let list = |option: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        command.args(["journal", "list"]).env_remove("KBFIX_STATE_DIR");
        match option {
            true => command.arg("--state-dir").arg(planted.path().join("kbfix")),
            false => command.env("ProgramData", planted.path()).env("ALLUSERSPROFILE", planted.path()),
        };
        let output = run(&mut command);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let folder = planted.path().file_name().unwrap().to_str().unwrap();
    assert!(list(true).contains(folder));
    assert!(!list(false).contains(folder), "{}", list(false));
}

/// In Wine, CurrentControlSet is a key and not a link.
#[test]
fn the_current_control_set_is_a_link_to_one_that_is_there() {
    use kbfix::targets::Answer;
    match LocalTarget::new().control_set().unwrap() {
        Answer::Present(number) => assert!(is_there(&key(&format!(r"HKLM\SYSTEM\ControlSet{number:03}\Services")))),
        Answer::Absent => assert!(is_there(&key(r"HKLM\SYSTEM\CurrentControlSet\Services"))),
        Answer::Unread(why) => panic!("{why}"),
    }
}

#[test]
fn the_program_that_cargo_built_starts() {
    let output = run(Command::new(env!("CARGO_BIN_EXE_kbfix")).arg("--version"));
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.starts_with(b"kbfix "), "{output:?}");
}
