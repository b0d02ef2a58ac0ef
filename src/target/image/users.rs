//! The users' hives, as `ProfileList` names their folders.
//!
//! Sources: Microsoft, "Registry Hives" (NTUSER.DAT), "User Profiles"; for UsrClass.dat, its places in the profile before
//! and since Windows Vista.

use super::{text, volume::Volume};
use crate::{
    registry::{Key, KeyPath, RootKey},
    target::{Answer, KeyQuery, Reason, TargetError, Unread, Wanted, offline::OfflineRegistry},
};

const PROFILES: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
/// Where a profile has the hive of the user's classes: since Windows Vista, and before.
const CLASSES: [&str; 2] = [
    r"AppData\Local\Microsoft\Windows\UsrClass.dat",
    r"Local Settings\Application Data\Microsoft\Windows\UsrClass.dat",
];

/// Mounts every user's hives below `HKU`, those that are not there as unknown.
///
/// # Errors
/// When the hive that holds `ProfileList` is refused; inside, when the list cannot be read.
pub(super) fn mount(
    registry: &mut OfflineRegistry,
    volume: &mut Volume,
    system_root: Result<String, Unread>,
) -> Result<Result<(), Unread>, TargetError> {
    let path = match KeyPath::from_parts(RootKey::Hklm, PROFILES) {
        Ok(path) => path,
        Err(error) => return Ok(Err(Unread::new(Reason::Unsupported, error.to_string()))),
    };
    let query = KeyQuery { key: Key::new(path), values: Wanted::Names(Default::default()), subkeys: true };
    let sids = match registry.read(&query)?.known() {
        Ok(facts) => facts.and_then(|facts| facts.subkeys).unwrap_or_default(),
        Err(why) => return Ok(Err(why)),
    };
    // S-1-5-18 is the machine itself, whose hive is DEFAULT; `.bak` is what Windows makes of a profile that it gave up.
    let users = sids.iter().filter(|sid| {
        !sid.as_str().eq_ignore_ascii_case("S-1-5-18") && !sid.as_str().to_ascii_lowercase().ends_with(".bak")
    });
    let hku = KeyPath::root_key(RootKey::Hku);
    for sid in users {
        let folder = text(registry, &format!("{PROFILES}\\{sid}"), "ProfileImagePath")?;
        let folder = folder.and_then(|folder| {
            let absent = || Unread::new(Reason::Malformed, format!("the profile of {sid} has no ProfileImagePath"));
            expanded(&folder.ok_or_else(absent)?, &system_root)
        });
        let mut find = |files: &[&str]| {
            let folder = folder.as_ref().map_err(Clone::clone)?;
            let folder = folder.trim_end_matches('\\');
            for file in files {
                match volume.find(&format!("{folder}\\{file}"), &system_root) {
                    Answer::Present(path) => return Ok(path),
                    Answer::Absent => {}
                    Answer::Unread(why) => return Err(why),
                }
            }
            let detail = format!("the image has no {folder}\\{}, a hive of the user {sid}", files.join(" or "));
            Err(Unread::new(Reason::Unknown, detail))
        };
        let (hive, classes) = (find(&["NTUSER.DAT"]), find(&CLASSES));
        registry.mount(hku.child(sid), hive);
        if let Ok(key) = KeyPath::from_parts(RootKey::Hku, &format!("{sid}_Classes")) {
            registry.mount(key, classes);
        }
    }
    registry.complete(RootKey::Hku);
    Ok(Ok(()))
}

/// A profile's folder, with the two variables that Windows writes there.
fn expanded(folder: &str, system_root: &Result<String, Unread>) -> Result<String, Unread> {
    let Some((name, rest)) = folder.strip_prefix('%').and_then(|rest| rest.split_once('%')) else {
        return Ok(folder.to_owned());
    };
    let root = system_root.as_ref().map_err(Clone::clone)?;
    match name.to_ascii_lowercase().as_str() {
        "systemdrive" => Ok(format!("{}{rest}", root.get(..2).unwrap_or_default())),
        "systemroot" => Ok(format!("{}{rest}", root.trim_end_matches('\\'))),
        _ => Err(Unread::new(Reason::Unsupported, format!("%{name}% in `{folder}` is not known to kbfix"))),
    }
}
