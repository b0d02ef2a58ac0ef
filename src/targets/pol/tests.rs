use super::*;
use crate::{
    registry::Key,
    targets::{ChangeAction, ValueChange},
};

/// The path of an open file can be read, and the file cannot be replaced under it.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_after_a_failed_write_is_an_error_and_not_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Registry.pol");
    let key: Key = r"HKLM\Software\Policies\K".parse().unwrap();
    let name = ValueName::new("v").unwrap();
    let mut policy = Document::empty();
    policy.set(&key.path, &name, &Data::dword(1)).unwrap();
    fs::write(&path, policy.to_bytes()).unwrap();

    let mut target = PolTarget::open(&path, RootKey::Hklm).unwrap();
    let file = fs::File::open(&path).unwrap();
    target.path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file)).into();
    let value = ValueChange { name: name.clone(), before: Some(Data::dword(1)), after: Some(Data::dword(2)) };
    let change = KeyChange {
        key: key.clone(),
        action: ChangeAction::Update,
        properties: None,
        values: vec![value],
        sensitive: BTreeSet::new(),
    };
    let failure = target.write(std::slice::from_ref(&change)).unwrap_err();
    assert_eq!(failure.begun, [change]);

    let query = KeyQuery { key, values: ValueSelection::Names([name.clone()].into()), subkeys: false };
    let mut read = || target.read_keys(std::slice::from_ref(&query)).map(|answers| answers[0].clone());
    fs::write(&path, b"PReg").unwrap();
    let error = read().unwrap_err();
    assert!(matches!(&error, TargetError::Malformed { what, .. } if what.starts_with("/proc/self/fd/")), "{error}");
    assert!(read().is_err());
    fs::write(&path, policy.to_bytes()).unwrap();
    let Answer::Present(facts) = read().unwrap() else { panic!("it is not there") };
    assert_eq!(facts.values[&name], Answer::Present(Data::dword(1)));
}
