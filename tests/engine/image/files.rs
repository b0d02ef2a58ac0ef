//! Tests the volume: the Windows folder, the case of names, links and drives.

use std::fs;

use kbfix::targets::{Address, Answer, Reason, TargetError, open};

use super::support::{Machine, SOFTWARE, SYSTEM, exists, reason};

fn refused(machine: &Machine) -> String {
    match open(&Address::new(&machine.uri(), None, None).unwrap()) {
        Err(TargetError::WrongKind { detail, hint, .. }) => format!("{detail}; {hint}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the image was opened"),
    }
}

#[test]
fn names_are_found_without_regard_to_case() {
    let machine = Machine::new();
    let rename = |from: &str, to: &str| fs::rename(machine.path(from), machine.path(to)).unwrap();
    rename("Windows", "WINDOWS");
    rename("WINDOWS/System32", "WINDOWS/system32");
    rename("WINDOWS/system32/config/SYSTEM", "WINDOWS/system32/config/system");
    rename("WINDOWS/system32/config/SOFTWARE", "WINDOWS/system32/config/software");
    rename("Program Files", "PROGRAM FILES");
    machine.kbfix(&["apply", "KB909094"]).exits(0).says("1 key created");
    assert!(machine.path("WINDOWS/system32/config/system").exists());
    assert!(!machine.path("WINDOWS/system32/config/SYSTEM").exists());

    fs::write(machine.path("WINDOWS/system32/config/System"), b"").unwrap();
    machine.kbfix(&["diff", "KB909094"]).exits(4).says("differ only in letter case");
}

#[test]
fn the_windows_folder_is_the_only_one_or_the_one_that_starts() {
    let machine = Machine::new();
    fs::rename(machine.path("Windows"), machine.path("WINNT")).unwrap();
    machine.kbfix(&["diff", "KB909094"]).exits(1);
    fs::create_dir_all(machine.path("windows/system32/config")).unwrap();
    let why = refused(&machine);
    assert!(why.contains("Windows and WINNT"), "{why}");
    let boot = "[boot loader]\r\ntimeout=30\r\nDefault = multi(0)disk(0)rdisk(0)partition(1)\\WINNT\r\n";
    fs::write(machine.path("boot.ini"), boot).unwrap();
    machine.kbfix(&["diff", "KB909094"]).exits(1);
    fs::rename(machine.path("WINNT"), machine.path("W2K3")).unwrap();
    fs::write(machine.path("BOOT.INI"), boot.replace("WINNT", "W2K3")).unwrap();
    fs::remove_file(machine.path("boot.ini")).unwrap();
    machine.kbfix(&["diff", "KB909094"]).exits(1);
}

#[test]
fn what_is_no_volume_is_refused_with_the_way_on() {
    let machine = Machine::new();
    let open = |below: &str| {
        let uri = format!("image:{}", machine.path(below).display());
        kbfix::targets::open(&Address::new(&uri, None, None).unwrap()).map(drop).unwrap_err().to_string()
    };
    assert!(open("Windows").contains("folder above"), "{}", open("Windows"));
    assert!(open("Program Files").contains("Windows/System32/config"));
    assert!(open("nothing").contains("nothing"));
    fs::write(machine.path(SOFTWARE), b"no hive").unwrap();
    machine.kbfix(&["diff", "KB909094"]).exits(3).says("not a registry hive").says("SOFTWARE");
}

#[cfg(unix)]
#[test]
fn a_link_that_leaves_the_volume_is_not_followed() {
    use std::os::unix::fs::symlink;
    let (machine, other) = (Machine::new(), Machine::new());
    fs::remove_file(machine.path(SYSTEM)).unwrap();
    symlink(other.path(SYSTEM), machine.path(SYSTEM)).unwrap();
    let mut target = machine.target();
    assert_eq!(reason(&exists(target.as_mut(), r"HKLM\SYSTEM\Select")), Some(Reason::Unsupported));
    machine.kbfix(&["apply", "KB909094"]).exits(4).says("leads out of");

    fs::remove_dir_all(machine.path("Windows")).unwrap();
    symlink(other.path("Windows"), machine.path("Windows")).unwrap();
    assert!(refused(&machine).contains("leads out of"));
    other.kbfix(&["diff", "KB909094"]).exits(1);
}

#[test]
fn files_are_those_of_the_drive_that_windows_is_on() {
    let machine = Machine::new();
    let mut target = machine.target();
    let paths = [r"c:\program files\exchsrvr\BIN\exprox.dll", r"C:\no.dll", r"E:\a.dll", r"a.dll"].map(str::to_owned);
    let answers = target.read_files(&paths).unwrap();
    assert!(matches!(&answers[0], Answer::Present(facts) if facts.version != Answer::Absent));
    assert_eq!(answers[1], Answer::Absent);
    assert_eq!(reason(&answers[2]), Some(Reason::Unknown));
    assert_eq!(reason(&answers[3]), Some(Reason::Unsupported));
    // A folder for the drive of the image itself would give wrong answers about the files of the image.
    let drive = format!("C={}", machine.root.display());
    machine.kbfix(&["diff", "KB909094", "--drive", &drive]).exits(3).says("drive C: is the image itself");

    // A Windows on drive D: the image is D, and C is another.
    machine.edit(SOFTWARE, |editor| {
        let root = kbfix::registry::Data::sz(r"D:\WINDOWS");
        editor.set_value(r"Microsoft\Windows NT\CurrentVersion", "SystemRoot", &root).unwrap();
    });
    let paths = paths.map(|path| path.replace("c:", "D:"));
    let answers = machine.target().read_files(&paths).unwrap();
    assert!(matches!(&answers[0], Answer::Present(_)));
    assert_eq!(reason(&answers[1]), Some(Reason::Unknown));
    machine.kbfix(&["diff", "KB909094"]).exits(4).says("--drive C=DIR");
    machine.kbfix(&["diff", "KB909094", "--drive", &drive]).exits(1);
    machine.kbfix(&["diff", "KB909094", "--drive", "CC=x"]).exits(2);
}

#[test]
fn a_file_without_a_drive_is_not_missing_on_a_drive() {
    let machine = Machine::new();
    let uri = format!(r"hive:{}=HKLM\SYSTEM", machine.path(SYSTEM).display());
    let mut hive = open(&Address::new(&uri, None, None).unwrap()).unwrap();
    let mut ask = |path: &str| {
        let Answer::Unread(why) = hive.read_files(&[path.to_owned()]).unwrap().remove(0) else { panic!("{path}") };
        (why, hive.missing_drives())
    };
    let (why, missing) = ask(r"\\server\x\a.dll");
    assert_eq!((why.reason, missing.len()), (Reason::Unsupported, 0));
    assert!(why.detail.contains(r"`\\server\x\a.dll` is not an absolute path with a drive"), "{why}");
    let (why, missing) = ask(r"D:\a.dll");
    assert_eq!((why.reason, missing.into_iter().collect::<String>()), (Reason::Unknown, "D".to_owned()));
}

#[test]
fn two_applies_at_once_are_refused_also_through_another_target() {
    let machine = Machine::new();
    let mut target = machine.target();
    let held = target.lock().unwrap();
    machine.kbfix(&["apply", "KB909094"]).exits(3).says("locked");
    machine.kbfix(&["diff", "KB909094"]).exits(1);
    drop(held);

    let uri = format!(r"hive:{}=HKLM\SYSTEM", machine.path(SYSTEM).display());
    let mut hive = open(&Address::new(&uri, None, None).unwrap()).unwrap();
    let held = hive.lock().unwrap();
    let files = machine.content();
    machine.kbfix(&["apply", "KB909094"]).exits(5).says("locked");
    assert_eq!(machine.content(), files);
    drop(held);
    machine.kbfix(&["apply", "KB909094"]).exits(0);
}

#[cfg(unix)]
#[test]
fn a_folder_that_becomes_a_link_after_it_was_looked_at_is_not_followed() {
    use std::os::unix::fs::symlink;

    use kbfix::targets::{ChangeAction, KeyChange};
    let (machine, victim) = (Machine::new(), Machine::new());
    let files_of_victim = || fs::read_dir(victim.path("Windows/System32/config")).unwrap().count();
    let (before, files_before) = (victim.content(), files_of_victim());
    let key = r"HKLM\SYSTEM\CurrentControlSet\Services\New".parse().unwrap();
    let change = KeyChange::new(key, ChangeAction::Create, Vec::new());
    let mut target = machine.target();
    let _lock = target.lock().unwrap();
    let config = machine.path("Windows/System32/config");
    fs::rename(&config, machine.path("config")).unwrap();
    symlink(victim.path("Windows/System32/config"), &config).unwrap();
    let refused = target.write(std::slice::from_ref(&change)).unwrap_err();
    assert!(refused.error.to_string().ends_with("Windows/System32/config is a link"), "{}", refused.error);
    assert_eq!((victim.content(), files_of_victim()), (before, files_before));
    fs::remove_file(&config).unwrap();
    fs::rename(machine.path("config"), &config).unwrap();
    target.write(&[change]).unwrap();
}
