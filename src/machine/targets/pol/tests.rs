use super::*;
use crate::targets::{ChangeAction, ValueChange};

/// The target gets `/proc/self/fd/…` as its path: the file can be read by this path, but it cannot be replaced.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_after_a_failed_write_is_an_error_and_not_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Registry.pol");
    let key: crate::registry::Key = r"HKLM\Software\Policies\K".parse().unwrap();
    let name = ValueName::new("v").unwrap();
    let mut policy = Document::empty();
    policy.set(&key.path, &name, &Data::dword(1)).unwrap();
    fs::write(&path, policy.to_bytes()).unwrap();

    let mut target = PolTarget::open(&path, RootKey::Hklm).unwrap();
    let file = fs::File::open(&path).unwrap();
    target.file.path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file)).into();
    let value = ValueChange { name: name.clone(), before: Some(Data::dword(1)), after: Some(Data::dword(2)) };
    let change = KeyChange {
        key: key.clone(),
        action: ChangeAction::Update,
        properties: None,
        values: vec![value],
        sensitive: BTreeSet::new(),
    };
    let failure = target.write(std::slice::from_ref(&change)).unwrap_err();
    // The file has its bytes of before.
    assert_eq!(failure.begun, []);

    let query = KeyQuery { key, values: ValueSelection::Names([name.clone()].into()), subkeys: false };
    let mut read = || target.read_keys(std::slice::from_ref(&query)).map(|answers| answers[0].clone());
    fs::write(&path, b"PReg").unwrap();
    let error = read().unwrap_err();
    assert!(matches!(&error, TargetError::Malformed { what, .. } if what.starts_with("/proc/self/fd/")), "{error}");
    assert!(read().is_err());
    fs::write(&path, policy.to_bytes()).unwrap();
    let Answer::Present(facts) = read().unwrap() else { panic!("it is not there") };
    assert_eq!(facts.values.get(&name), Some(&Answer::Present(Data::dword(1))));
}

#[test]
fn a_write_that_could_not_be_read_or_undone_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Registry.pol");
    let name = |text: &str| ValueName::new(text).unwrap();
    // A REG_NONE, which kbfix does not write, stands in a key that the file makes anew.
    let text = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let entry = |key: &str, name: &str, kind: u8, data: &[u8]| {
        let numbers = [&[kind, 0, 0, 0, b';', 0, data.len() as u8, 0, 0, 0, b';', 0][..], data].concat();
        [text(&format!("[{key}\0;{name}\0;")), numbers, text("]")].concat()
    };
    let entries = [entry("Software", "**DeleteKeys", 1, &text("K\0")), entry(r"Software\K", "v", 0, &[7])].concat();
    let bytes = [&b"PReg\x01\0\0\0"[..], &entries].concat();
    fs::write(&path, &bytes).unwrap();
    let change = |values: Vec<ValueChange>| KeyChange {
        key: r"HKLM\Software\K".parse().unwrap(),
        action: ChangeAction::Update,
        properties: None,
        values,
        sensitive: BTreeSet::new(),
    };
    let mut target = PolTarget::open(&path, RootKey::Hklm).unwrap();
    let before = Some(Data::new(crate::registry::ValueType::NONE, [7]));
    let refused = target.write(&[change(vec![ValueChange { name: name("v"), before, after: None }])]).unwrap_err();
    assert!(refused.begun.is_empty() && refused.to_string().contains("cannot contain the type REG_NONE"), "{refused}");

    let large = Data::new(crate::registry::ValueType::BINARY, vec![0; 65_000]);
    let value = |at| ValueChange { name: name(&format!("v{at}")), before: None, after: Some(large.clone()) };
    let refused = target.write(&[change((0..260).map(value).collect())]).unwrap_err();
    assert!(refused.begun.is_empty() && refused.to_string().contains("kbfix reads no more than"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_folder_that_cannot_be_listed_is_an_error_and_not_a_folder_without_gpt_ini() {
    let folder = tempfile::tempdir().unwrap();
    // Not even root can list a file.
    for object in ["{31B2F340-016D-11D2-945F-00C04FB984F9}", "GroupPolicy"] {
        fs::write(folder.path().join(object), "").unwrap();
        let policy = folder.path().join(object).join("Machine").join("Registry.pol");
        let refused = Disk::named().replacements(&policy, Document::empty().to_bytes()).unwrap_err();
        assert!(refused.to_string().contains(&format!("{object}: ")), "{refused}");
        let unknown = Disk::named().unprocessed(&policy).unwrap_err();
        assert!(unknown.starts_with("it is not known whether Windows processes"), "{unknown}");
    }
    // A folder that does not exist contains no gpt.ini.
    let policy = folder.path().join("none/Machine/Registry.pol");
    assert_eq!(Disk::named().unprocessed(&policy), Ok(None));
}
