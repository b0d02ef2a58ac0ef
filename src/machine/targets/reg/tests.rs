//! Tests for the coverage of an export, and that it is changed as a whole or not at all.

use std::{collections::BTreeSet, fs};

use crate::{
    registry::View,
    targets::{ChangeAction, ValueChange},
};

use super::*;

const EXPORT: &str = "Windows Registry Editor Version 5.00\r\n\r\n\
    [HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Exchange]\r\n\r\n\
    [HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Exchange\\Setup]\r\n\"Services Version\"=dword:00000041\r\n\r\n\
    [HKEY_LOCAL_MACHINE\\SOFTWARE\\Wow6432Node\\Vendor]\r\n\"a\"=\"32\"\r\n\r\n\
    [HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\.txt]\r\n@=\"txtfile\"\r\n\r\n\
    [HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\Services]\r\n\r\n\
    [HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\Services\\MSExchangeWEB]\r\n\r\n\
    [HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\r\n\"Current\"=dword:00000002\r\n\r\n";

fn export(text: &str) -> (tempfile::TempDir, RegTarget) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.reg");
    let bytes: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&path, bytes).unwrap();
    let target = RegTarget::open(&path, None, None).unwrap();
    (dir, target)
}

fn name(text: &str) -> ValueName {
    ValueName::new(text).unwrap()
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

fn subkeys(target: &mut RegTarget, path: &str) -> Answer<Vec<KeyName>> {
    ask(target, key(path), &[], true).and_then(|facts| facts.subkeys.unwrap())
}

fn ask(target: &mut RegTarget, of: Key, names: &[&str], subkeys: bool) -> Answer<KeyFacts> {
    let values = ValueSelection::Names(names.iter().map(|n| name(n)).collect::<BTreeSet<_>>());
    target.read_keys(&[KeyQuery { key: of, values, subkeys }]).unwrap().remove(0)
}

fn value(target: &mut RegTarget, of: &str, n: &str) -> Answer<Data> {
    match ask(target, key(of), &[n], false) {
        Answer::Present(facts) => facts.values.get(&name(n)).cloned().unwrap(),
        Answer::Absent => Answer::Absent,
        Answer::Unread(why) => Answer::Unread(why),
    }
}

fn reason<T>(answer: &Answer<T>) -> Option<Reason> {
    match answer {
        Answer::Unread(why) => Some(why.reason),
        _ => None,
    }
}

#[test]
fn only_what_is_covered_is_absent() {
    let (_dir, mut target) = export(EXPORT);
    let exchange = r"HKLM\SOFTWARE\Microsoft\Exchange";
    assert_eq!(value(&mut target, &format!(r"{exchange}\setup"), "services version"), Answer::Present(Data::dword(65)));
    assert_eq!(value(&mut target, &format!(r"{exchange}\Setup"), "no"), Answer::Absent);
    assert_eq!(value(&mut target, &format!(r"{exchange}\No\Deeper"), "no"), Answer::Absent);
    assert_eq!(reason(&value(&mut target, r"HKLM\SOFTWARE\Microsoft", "x")), Some(Reason::Unknown));
    assert_eq!(reason(&value(&mut target, r"HKLM\SOFTWARE\Other", "x")), Some(Reason::Unknown));
    assert_eq!(reason(&value(&mut target, r"HKU\S-1-5-18", "x")), Some(Reason::Unknown));

    assert!(matches!(ask(&mut target, key(r"HKLM\SOFTWARE\Microsoft"), &[], false), Answer::Present(_)));
    assert_eq!(reason(&subkeys(&mut target, r"HKLM\SOFTWARE\Microsoft")), Some(Reason::Unknown));
    let Answer::Present(facts) = ask(&mut target, key(exchange), &[], true) else { panic!() };
    assert_eq!(facts.subkeys, Some(Answer::Present(vec![KeyName::new("Setup").unwrap()])));
}

#[test]
fn names_print_as_found() {
    let (_dir, mut target) = export(EXPORT);
    let of = key(r"HKLM\SOFTWARE\Microsoft\Exchange\Setup");
    let Answer::Present(facts) = ask(&mut target, of.clone(), &["SERVICES VERSION"], false) else { panic!() };
    assert_eq!(facts.values.keys().next().unwrap().as_str(), "Services Version");
    let all = KeyQuery { key: of, values: ValueSelection::All, subkeys: false };
    let Answer::Present(facts) = target.read_keys(&[all]).unwrap().remove(0) else { panic!() };
    assert_eq!(facts.values.len(), 1);
}

#[test]
fn views_control_sets_and_classes_are_found_where_they_are_stored() {
    let (_dir, mut target) = export(EXPORT);
    let bits32 = Key { path: r"HKLM\SOFTWARE\Vendor".parse().unwrap(), view: View::Bits32 };
    let Answer::Present(facts) = ask(&mut target, bits32, &["a"], false) else { panic!() };
    assert_eq!(facts.values.get(&name("a")), Some(&Answer::Present(Data::sz("32"))));
    assert_eq!(value(&mut target, r"HKCR\.txt", ""), Answer::Present(Data::sz("txtfile")));
    let services = r"HKLM\SYSTEM\CurrentControlSet\Services";
    assert!(matches!(ask(&mut target, key(&format!(r"{services}\MSExchangeWEB")), &[], false), Answer::Present(_)));
    assert_eq!(ask(&mut target, key(&format!(r"{services}\MSExchangeWEB\DAV")), &[], false), Answer::Absent);

    let (_dir, mut target) = export(&EXPORT.replace("dword:00000002", "\"2\""));
    assert_eq!(reason(&ask(&mut target, key(services), &[], false)), Some(Reason::Malformed));
    let own = format!("{EXPORT}[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services]\r\n\"own\"=\"\"\r\n");
    let (_dir, mut target) = export(&own);
    assert_eq!(value(&mut target, services, "own"), Answer::Present(Data::sz("")));
}

#[test]
fn both_views_of_a_32_bit_windows_are_one() {
    let software = "REGEDIT4\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor]\n\"a\"=\"x\"\n";
    let (_dir, mut target) = export(software);
    let bits32 = Key { path: r"HKLM\SOFTWARE\Vendor".parse().unwrap(), view: View::Bits32 };
    let Answer::Present(facts) = ask(&mut target, bits32.clone(), &["a"], false) else { panic!() };
    assert_eq!(facts.values.get(&name("a")), Some(&Answer::Present(Data::sz("x"))));
    let (_dir, mut target) = export(&format!("{software}[HKEY_LOCAL_MACHINE\\SOFTWARE\\Wow6432Node]\n"));
    assert_eq!(ask(&mut target, bits32, &["a"], false), Answer::Absent);
}

#[test]
fn only_a_missing_drive_is_asked_for() {
    let (_dir, mut target) = export(EXPORT);
    let mut ask = |path: &str| {
        let Answer::Unread(why) = target.read_files(&[path.to_owned()]).unwrap().remove(0) else { panic!("{path}") };
        (why.reason, target.missing_drives().contains(&'C'))
    };
    assert_eq!(ask(r"\\server\x\a.dll"), (Reason::Unsupported, false));
    assert_eq!(ask(r"D:\a.dll"), (Reason::Unknown, false));
    assert_eq!(ask(r"C:\a.dll"), (Reason::Unknown, true));
}

#[test]
fn a_script_or_another_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.reg");
    for (text, wanted) in [
        ("REGEDIT4\n[-HKLM\\K]\n", "line 2 deletes"),
        ("REGEDIT4\n[HKLM\\K]\n\"a\"=-\n", "line 3 deletes"),
        ("kbfix: 1\n", "line 1, column 1"),
        ("REGEDIT4\n[HKLM\\\u{e9}]\n", "because no code page is given"),
    ] {
        fs::write(&path, text).unwrap();
        let error = RegTarget::open(&path, None, None).unwrap_err();
        assert!(matches!(&error, TargetError::Malformed { .. } | TargetError::WrongKind { .. }));
        assert!(error.to_string().contains(wanted), "{error}");
    }
    // The file of the last round is complete, so the hint does not ask for another one.
    let TargetError::Malformed { hint, .. } = RegTarget::open(&path, None, None).unwrap_err() else { panic!() };
    let wanted = "give the ANSI code page of the machine that wrote the file, such as 1252 or 932";
    assert_eq!(hint, Some(Hint::new(wanted).option("code-page", "N")));
    assert!(matches!(RegTarget::open(&dir.path().join("no"), None, None), Err(TargetError::Io { .. })));
}

#[test]
fn files_come_from_the_folder_or_are_unknown() {
    let (dir, mut target) = export(EXPORT);
    let asked = [r"C:\Exchange\exprox.dll".to_owned()];
    assert_eq!(reason(&target.read_files(&asked).unwrap()[0]), Some(Reason::Unknown));
    fs::create_dir_all(dir.path().join("drive/exchange")).unwrap();
    fs::write(dir.path().join("drive/exchange/EXPROX.DLL"), b"").unwrap();
    let mut target =
        RegTarget::open(&dir.path().join("a.reg"), Some(&dir.path().join("drive")), CodePage::new(1252)).unwrap();
    assert!(matches!(target.read_files(&asked).unwrap()[0], Answer::Present(_)));
}

fn change(of: &str, action: ChangeAction, values: &[(&str, Option<Data>, Option<Data>)]) -> KeyChange {
    let value = |(n, before, after): &(&str, Option<Data>, Option<Data>)| ValueChange {
        name: name(n),
        before: before.clone(),
        after: after.clone(),
    };
    KeyChange::new(key(of), action, values.iter().map(value).collect())
}

#[test]
fn changes_and_their_inverse_give_the_same_file_again() {
    let (dir, mut target) = export(EXPORT);
    let path = dir.path().join("a.reg");
    let before = fs::read(&path).unwrap();
    let web = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB";
    let changes = [
        change(&format!(r"{web}\DAV"), ChangeAction::Create, &[("DisableRealmHint", None, Some(Data::dword(1)))]),
        change(&format!(r"{web}\DAV\Sub"), ChangeAction::Create, &[]),
        change(
            r"HKLM\SOFTWARE\Microsoft\Exchange\Setup",
            ChangeAction::Update,
            &[("Services version", Some(Data::dword(65)), Some(Data::sz("x"))), ("n", None, Some(Data::sz("y")))],
        ),
    ];
    let lock = target.lock().unwrap();
    target.write(&changes).unwrap();
    assert_eq!(value(&mut target, &format!(r"{web}\DAV"), "DisableRealmHint"), Answer::Present(Data::dword(1)));
    let text = fs::read(&path).unwrap();
    assert_ne!(text, before);
    let mut other = RegTarget::open(&path, None, None).unwrap();
    assert!(matches!(other.lock(), Err(TargetError::Locked { .. })));
    assert_eq!(
        value(&mut other, r"HKLM\SYSTEM\ControlSet002\Services\MSExchangeWEB\DAV", "disablerealmhint"),
        Answer::Present(Data::dword(1))
    );
    let inverse: Vec<KeyChange> = changes.iter().rev().map(KeyChange::inverse).collect();
    target.write(&inverse).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    drop(lock);
    assert!(other.lock().is_ok());
}

#[test]
fn a_change_whose_before_is_not_there_changes_nothing() {
    let (dir, mut target) = export(EXPORT);
    let path = dir.path().join("a.reg");
    let before = fs::read(&path).unwrap();
    let setup = r"HKLM\SOFTWARE\Microsoft\Exchange\Setup";
    let good = change(setup, ChangeAction::Update, &[("n", None, Some(Data::sz("y")))]);
    let one = Some(Data::dword(1));
    for bad in [
        change(setup, ChangeAction::Update, &[("Services Version", None, one.clone())]),
        change(setup, ChangeAction::Update, &[("Services Version", one.clone(), None)]),
        change(setup, ChangeAction::Create, &[]),
        change(setup, ChangeAction::Delete, &[]),
        change(r"HKLM\SOFTWARE\Microsoft\Exchange", ChangeAction::Delete, &[]),
        change(r"HKLM\SOFTWARE\Microsoft\Exchange\No", ChangeAction::Update, &[]),
        change(r"HKLM\SOFTWARE\Microsoft\Exchange\No\No", ChangeAction::Create, &[]),
    ] {
        let error = target.write(&[good.clone(), bad]).unwrap_err().error;
        assert!(matches!(error, WriteError::Stale { .. }), "{error}");
    }
    for bad in [
        change(r"HKLM\SOFTWARE\Other", ChangeAction::Create, &[]),
        change(r"HKLM\SOFTWARE\Microsoft", ChangeAction::Update, &[("x", None, one.clone())]),
        change(r"HKLM\SOFTWARE\Classes\.txt", ChangeAction::Delete, &[("", Some(Data::sz("txtfile")), None)]),
        change(setup, ChangeAction::Update, &[("two\nlines", None, one)]),
    ] {
        let error = target.write(&[good.clone(), bad]).unwrap_err().error;
        assert!(matches!(error, WriteError::Unsupported { .. }), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(value(&mut target, setup, "n"), Answer::Absent);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_edit_by_somebody_else_is_seen_before_writing() {
    let (dir, mut target) = export(EXPORT);
    let path = dir.path().join("a.reg");
    let setup = r"HKLM\SOFTWARE\Microsoft\Exchange\Setup";
    fs::write(&path, "REGEDIT4\n[HKLM\\SOFTWARE\\Microsoft\\Exchange\\Setup]\n\"n\"=\"theirs\"\n").unwrap();
    let error = target.write(&[change(setup, ChangeAction::Update, &[("n", None, Some(Data::sz("y")))])]).unwrap_err();
    assert!(error.to_string().contains("theirs"), "{error}");
}

#[test]
fn what_cannot_be_read_is_not_absent() {
    let text = "Windows Registry Editor Version 5.00\r\n[HKEY_USERS\\K]\r\n\"a\"=\"?\"\r\n\"!\"=\"\"\r\n\"b\"=dword:1\r\n[HKEY_USERS\\K\\~]\r\n";
    let mut bytes: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for mark in [b'?', b'!', b'~'] {
        let at = bytes.windows(2).position(|w| w == [mark, 0]).unwrap();
        bytes[at..at + 2].copy_from_slice(&[0, 0xDC]);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.reg");
    fs::write(&path, bytes).unwrap();
    let mut target = RegTarget::open(&path, None, None).unwrap();
    assert_eq!(value(&mut target, r"HKU\K", "b"), Answer::Present(Data::dword(1)));
    for unread in ["a", "not listed"] {
        assert_eq!(reason(&value(&mut target, r"HKU\K", unread)), Some(Reason::Malformed));
    }
    assert_eq!(reason(&ask(&mut target, key(r"HKU\K\No"), &[], false)), Some(Reason::Malformed));
    assert_eq!(reason(&subkeys(&mut target, r"HKU\K")), Some(Reason::Malformed));
}

#[test]
fn ten_thousand_values_are_read_and_written() {
    let mut text = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_USERS\\K]\r\n".to_owned();
    (0..10_000).for_each(|i| text.push_str(&format!("\"name {i}\"=dword:{i:08x}\r\n")));
    (0..10_000).for_each(|i| text.push_str(&format!("\r\n[HKEY_USERS\\K\\{i}]\r\n\"n\"=\"\"\r\n")));
    let (_dir, mut target) = export(&text);
    let values: Vec<(String, Option<Data>, Option<Data>)> =
        (0..10_000).map(|i| (format!("name {i}"), Some(Data::dword(i)), Some(Data::dword(i + 1)))).collect();
    let values: Vec<_> = values.iter().map(|(n, before, after)| (n.as_str(), before.clone(), after.clone())).collect();
    let mut changes = vec![change(r"HKU\K", ChangeAction::Update, &values)];
    changes.extend(
        (0..10_000).map(|i| change(&format!(r"HKU\K\{i}"), ChangeAction::Delete, &[("n", Some(Data::sz("")), None)])),
    );
    target.write(&changes).unwrap();
    assert_eq!(value(&mut target, r"HKU\K", "name 9999"), Answer::Present(Data::dword(10_000)));
    assert_eq!(value(&mut target, r"HKU\K\5", "n"), Answer::Absent);
}

#[test]
fn what_regedit_takes_is_read_and_nothing_of_it_is_lost() {
    let text = "Windows Registry Editor Version 5.00\r\n\r\n\
        [HKEY_LOCAL_MACHINE\\SOFTWARE\\A\\] the key\r\n\"e\"=hex(2):41,00\r\n\"m\"=hex(7):61,00\r\n\r\n\
        [HKEY_LOCAL_MACHINE\\SOFTWARE\\A\\*\\\\]\r\n\"b\"=dword:00000001\r\n\u{1a}";
    let (dir, mut target) = export(text);
    let (a, star) = (r"HKLM\SOFTWARE\A", r"HKLM\SOFTWARE\A\*");
    // The export holds the present data: here a string without its NUL.
    assert_eq!(
        value(&mut target, a, "e"),
        Answer::Present(Data::new(crate::registry::ValueType::EXPAND_SZ, [0x41, 0]))
    );
    assert_eq!(value(&mut target, star, "b"), Answer::Present(Data::dword(1)));
    let facts = ask(&mut target, key(a), &[], true).known().unwrap().unwrap();
    assert_eq!(facts.subkeys.unwrap(), Answer::Present(vec![KeyName::new("*").unwrap()]));
    let set = change(star, ChangeAction::Update, &[("c", None, Some(Data::dword(2)))]);
    target.write(&[set]).unwrap();
    let bytes = fs::read(dir.path().join("a.reg")).unwrap();
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let wanted = text.replace("\u{1a}", "\"c\"=dword:00000002\r\n\u{1a}");
    assert_eq!(String::from_utf16(&units).unwrap(), format!("\u{feff}{wanted}"));
}

/// The target gets `/proc/self/fd/…` as its path: the file can be read by this path, but it cannot be replaced.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_after_a_failed_write_is_an_error() {
    let (dir, mut target) = export(EXPORT);
    let path = dir.path().join("a.reg");
    let whole = fs::read(&path).unwrap();
    let file = fs::File::open(&path).unwrap();
    target.file.path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file)).into();
    let change = KeyChange {
        key: key(r"HKLM\SOFTWARE\Microsoft\Exchange\New"),
        action: ChangeAction::Create,
        properties: None,
        values: Vec::new(),
        sensitive: BTreeSet::new(),
    };
    assert_eq!(target.write(std::slice::from_ref(&change)).unwrap_err().begun, [change]);

    let query =
        || KeyQuery { key: key(r"HKLM\SOFTWARE\Microsoft\Exchange\New"), values: ValueSelection::All, subkeys: false };
    fs::write(&path, "REG").unwrap();
    let error = target.read_keys(&[query()]).unwrap_err();
    assert!(matches!(&error, TargetError::Malformed { what, .. } if what.starts_with("/proc/self/fd/")), "{error}");
    assert!(target.control_set().is_err() && target.read_keys(&[query()]).is_err());
    fs::write(&path, whole).unwrap();
    assert_eq!(target.read_keys(&[query()]).unwrap(), [Answer::Absent]);
}

#[test]
fn a_lock_discards_the_names_of_files_that_were_read_before() {
    let (dir, _) = export(EXPORT);
    let files = dir.path().join("C");
    fs::create_dir(&files).unwrap();
    let mut target = RegTarget::open(&dir.path().join("a.reg"), Some(&files), None).unwrap();
    let read = |target: &mut RegTarget| target.read_files(&[r"C:\new.dll".to_owned()]).unwrap().remove(0);
    assert_eq!(read(&mut target), Answer::Absent);
    fs::write(files.join("new.dll"), "").unwrap();
    let _lock = target.lock().unwrap();
    assert!(matches!(read(&mut target), Answer::Present(_)));
}
