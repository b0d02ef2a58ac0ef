//! Finds the users of a machine, which are the entries of `ProfileList`, and their hive files.
//!
//! The target `image:DIR` uses this module for every user. The target `local` uses it for users who are not logged on,
//! because their hives are only files. Targets of whole machines also use it to find the Windows folder and other
//! folders.
//!
//! Sources: Microsoft, "Registry Hives" (NTUSER.DAT), "User Profiles".

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::registry::{Key, KeyName, KeyPath, RootKey, ValueName, sid};

use super::{
    Answer, KeyChange, KeyFacts, KeyQuery, Reason, TargetError, Unread, ValueSelection, offline::OfflineRegistry,
};

const WINDOWS: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const PROFILES: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
/// The paths, below the folder of a profile, of the hive with the user's classes: since Windows Vista, and before it.
const CLASSES: [&str; 2] = [
    r"AppData\Local\Microsoft\Windows\UsrClass.dat",
    r"Local Settings\Application Data\Microsoft\Windows\UsrClass.dat",
];

/// The name of the hive file in a mandatory profile, whose user's changes are not kept. kbfix does not read this hive.
const MANDATORY: &str = "NTUSER.MAN";

/// The result of a question about the registry. The outer error concerns the target as a whole; the inner error
/// concerns only this question.
pub(super) type Asked<T> = Result<Result<T, Unread>, TargetError>;

/// A function that answers questions about keys below `HKLM`.
pub(super) trait Ask: FnMut(&KeyQuery) -> Result<Answer<KeyFacts>, TargetError> {}
impl<F: FnMut(&KeyQuery) -> Result<Answer<KeyFacts>, TargetError>> Ask for F {}

/// The profile of a user, or the Default profile.
#[derive(Debug)]
pub(super) struct Profile {
    sid: KeyName,
    /// The path of the profile's folder on the machine that is read.
    folder: Result<String, Unread>,
}

impl Profile {
    /// Returns the path of the profile's folder on the machine that is read; `None` if it is not known.
    #[cfg_attr(not(windows), allow(dead_code, reason = "an image has one folder for all of its users"))]
    pub(super) fn folder(&self) -> Option<&str> {
        self.folder.as_deref().ok()
    }
}

/// Returns the path of the Windows folder from the value `SystemRoot`, such as `C:\WINDOWS`; `None` if the value is
/// absent.
///
/// # Errors
/// The outer error means that the target as a whole cannot be read; the inner error, that the value cannot be read.
pub(super) fn system_root(ask: impl Ask) -> Asked<Option<String>> {
    text(ask, WINDOWS, "SystemRoot")
}

/// Returns the folder for the data of all users, such as `C:\ProgramData`, or before Windows Vista `C:\Documents and
/// Settings\All Users`. If the registry does not name this folder, returns the default path since Windows Vista.
///
/// # Errors
/// The outer error means that the target as a whole cannot be read; the inner error, that the path is not known.
pub(super) fn program_data(mut ask: impl Ask, system_root: &Result<String, Unread>) -> Asked<String> {
    let named = match text(&mut ask, PROFILES, "ProgramData")? {
        Ok(None) => below_profiles(&mut ask, "AllUsersProfile")?,
        known => known,
    };
    let folder = named.map(|folder| folder.unwrap_or_else(|| r"%SystemDrive%\ProgramData".to_owned()));
    Ok(folder.and_then(|folder| expanded(&folder, system_root)))
}

/// Returns the path of the folder of a user's profile; `None` if `ProfileList` contains no path for this user.
///
/// # Errors
/// The outer error means that the target as a whole cannot be read; the inner error, that the path is not known.
pub(super) fn folder_of(
    mut ask: impl Ask,
    sid: &KeyName,
    system_root: &Result<String, Unread>,
) -> Asked<Option<String>> {
    let folder = text(&mut ask, &format!("{PROFILES}\\{sid}"), "ProfileImagePath")?;
    Ok(folder.and_then(|folder| folder.map(|folder| expanded(&folder, system_root)).transpose()))
}

/// Returns the path of a folder below the folder of all profiles. The value `name` contains the name of the folder.
/// Variables in the path are not expanded. Returns `None` if this value or the value `ProfilesDirectory` is absent.
fn below_profiles(mut ask: impl Ask, name: &str) -> Asked<Option<String>> {
    let (above, name): (Result<_, Unread>, Result<_, Unread>) =
        (text(&mut ask, PROFILES, "ProfilesDirectory")?, text(&mut ask, PROFILES, name)?);
    Ok(above.and_then(|above| Ok(above.zip(name?).map(|(above, name)| format!("{above}\\{name}")))))
}

/// Returns whether the change can alter which hive belongs to which user. This is so if it changes `ProfileList`, a key
/// below it, or a value `SystemRoot` as in [`moves_windows`], to which the paths of profiles refer.
pub(super) fn names_hives(change: &KeyChange) -> bool {
    let key = change.key.one_name(false).path;
    let is_below = |path: &str| KeyPath::from_parts(RootKey::Hklm, path).is_ok_and(|path| key.is_within(&path));
    is_below(PROFILES) || moves_windows(change)
}

/// Returns whether the change may alter where the Windows folder is: whether it changes the value that [`system_root`]
/// reads.
pub(super) fn moves_windows(change: &KeyChange) -> bool {
    let key = change.key.one_name(false).path;
    KeyPath::from_parts(RootKey::Hklm, WINDOWS).is_ok_and(|path| key == path)
        && change.values.iter().any(|value| value.name.as_str().eq_ignore_ascii_case("SystemRoot"))
}

/// Returns the profiles in `ProfileList`, and the Default profile. The profile of the system's own account and entries
/// whose names end in `.bak` are left out.
///
/// # Errors
/// The outer error says that the target as a whole cannot be read; the inner error says that the list of profiles
/// cannot be read.
pub(super) fn profiles(mut ask: impl Ask, system_root: &Result<String, Unread>) -> Asked<Vec<Profile>> {
    let path = match KeyPath::from_parts(RootKey::Hklm, PROFILES) {
        Ok(path) => path,
        Err(error) => return Ok(Err(Unread::new(Reason::Unsupported, error.to_string()))),
    };
    let query = KeyQuery { key: Key::new(path), values: ValueSelection::Names(Default::default()), subkeys: true };
    let subkeys = |facts: KeyFacts| facts.subkeys.unwrap_or(Answer::Absent);
    let sids = match ask(&query)?.and_then(subkeys).known() {
        Ok(sids) => sids.unwrap_or_default(),
        Err(why) => return Ok(Err(why)),
    };
    // S-1-5-18 is the system's own account, whose hive is DEFAULT; `.bak` marks a profile that Windows gave up.
    let users = sids.into_iter().filter(|sid| {
        !sid.as_str().eq_ignore_ascii_case("S-1-5-18") && !sid.as_str().to_ascii_lowercase().ends_with(".bak")
    });
    let mut profiles = Vec::new();
    for sid in users {
        let folder = text(&mut ask, &format!("{PROFILES}\\{sid}"), "ProfileImagePath")?;
        let folder = folder.and_then(|folder| {
            let absent = || {
                Unread::new(
                    Reason::Malformed,
                    format!(
                        "the entry of {sid} in ProfileList has no value \
                ProfileImagePath"
                    ),
                )
            };
            expanded(&folder.ok_or_else(absent)?, system_root)
        });
        profiles.push(Profile { sid, folder });
    }
    if let Ok(sid) = KeyName::new(sid::DEFAULT_PROFILE) {
        let folder = default_profile(&mut ask)?;
        profiles.push(Profile { sid, folder: folder.and_then(|folder| expanded(&folder, system_root)) });
    }
    Ok(Ok(profiles))
}

/// Returns the path of the folder of the Default profile. Variables in it are not expanded.
///
/// Since Windows Vista, the value `Default` contains the path. Before it, the value `DefaultUserProfile` contains the
/// name of a folder below `ProfilesDirectory`. If the registry names no folder, the inner error is "unknown".
fn default_profile(mut ask: impl Ask) -> Asked<String> {
    let absent = || {
        Unread::new(
            Reason::Unknown,
            format!(
                "HKLM\\{PROFILES} does not name the folder of the Default \
        profile"
            ),
        )
    };
    let whole = match text(&mut ask, PROFILES, "Default")? {
        Ok(None) => None,
        known => return Ok(known.and_then(|folder| folder.ok_or_else(absent))),
    };
    let below = below_profiles(&mut ask, "DefaultUserProfile")?;
    Ok(below.and_then(|below| whole.or(below).ok_or_else(absent)))
}

/// Mounts every user's hives below `HKU`. `find` gets the path of a folder on the machine that is read, and the path of
/// a file below this folder, and looks for the file. `what` is the name of the machine in messages.
///
/// If a profile contains neither NTUSER.DAT nor NTUSER.MAN, its user is absent: Windows keeps the entry in
/// `ProfileList` after the folder of the profile is deleted. Any other missing hive is unknown.
pub(super) fn mount(
    registry: &mut OfflineRegistry,
    profiles: &[Profile],
    what: &str,
    mut find: impl FnMut(&str, &str) -> Answer<PathBuf>,
) {
    let hku = KeyPath::root_key(RootKey::Hku);
    for Profile { sid, folder } in profiles {
        let mut first_of = |files: &[&str]| {
            let folder = folder.as_ref().map_err(Clone::clone)?.trim_end_matches('\\');
            let found = files.iter().map(|file| find(folder, file)).find(|found| *found != Answer::Absent);
            found.unwrap_or(Answer::Absent).known()
        };
        let missing = |file: &str| {
            let folder = folder.as_deref().unwrap_or_default().trim_end_matches('\\');
            Unread::new(Reason::Unknown, format!("{what} has no {folder}\\{file}, a hive of the user {sid}"))
        };
        match (first_of(&["NTUSER.DAT"]), first_of(&[MANDATORY])) {
            (Ok(None), Ok(None)) => registry.no_hive(hku.child(sid)),
            (Ok(None), _) => registry.mount_user(hku.child(sid), Err(missing("NTUSER.DAT"))),
            (Ok(Some(file)), _) => registry.mount_user(hku.child(sid), Ok(file)),
            (Err(why), _) => registry.mount_user(hku.child(sid), Err(why)),
        }
        if let Ok(key) = KeyPath::from_parts(RootKey::Hku, &format!("{sid}_Classes")) {
            let classes = first_of(&CLASSES).and_then(|file| file.ok_or_else(|| missing(&CLASSES.join(" or "))));
            registry.mount_user(key, classes);
        }
    }
}

/// Returns the topmost link or junction on the path from the profile's folder down to the file; `None` if there is no
/// link.
///
/// A profile belongs to its user. With a link in it, the user could make kbfix, which runs as an administrator, open a
/// file of the system.
#[cfg_attr(not(windows), allow(dead_code, reason = "nobody works on the volume of an image"))]
pub(super) fn link_on_the_way(folder: &Path, file: &Path) -> Option<PathBuf> {
    let on_the_way = file.ancestors().take_while(|path| path.starts_with(folder));
    let is_link = |path: &&Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    on_the_way.filter(is_link).last().map(Path::to_owned)
}

/// Returns the string in a value of a key below `HKLM`; `None` if the key or the value is absent. If the data is not a
/// string, the inner error is of the kind "malformed".
pub(super) fn text(mut ask: impl Ask, key: &str, name: &str) -> Asked<Option<String>> {
    let unsupported = |error: &dyn std::fmt::Display| Unread::new(Reason::Unsupported, error.to_string());
    let path = KeyPath::from_parts(RootKey::Hklm, key).map_err(|e| unsupported(&e));
    let (path, name) = match (path, ValueName::new(name).map_err(|e| unsupported(&e))) {
        (Ok(path), Ok(name)) => (path, name),
        (Err(why), _) | (_, Err(why)) => return Ok(Err(why)),
    };
    let query = KeyQuery { key: Key::new(path), values: ValueSelection::Names([name.clone()].into()), subkeys: false };
    let answer = ask(&query)?;
    Ok(answer.known().and_then(|facts| {
        let Some(answer) = facts.and_then(|mut facts| facts.values.remove(&name)) else { return Ok(None) };
        let Some(data) = answer.known()? else { return Ok(None) };
        // The message omits the data, because a spec of the run may declare it sensitive.
        let malformed = || {
            let (what, length) = (data.value_type, data.bytes.len());
            let detail = format!("{} {name:?} is not a string ({what} of {length} bytes)", query.key);
            Unread::new(Reason::Malformed, detail)
        };
        data.as_read_text().map(Some).ok_or_else(malformed)
    }))
}

/// Replaces the variable at the beginning of a path with its value: `%SystemDrive%` with the drive of Windows;
/// `%SystemRoot%` and `%windir%` with the Windows folder. A path that begins with no variable stays as it is.
///
/// # Errors
/// Returns a reason for any other variable, or the error in `system_root`.
pub(super) fn expanded(folder: &str, system_root: &Result<String, Unread>) -> Result<String, Unread> {
    let Some((name, rest)) = folder.strip_prefix('%').and_then(|rest| rest.split_once('%')) else {
        return Ok(folder.to_owned());
    };
    let root = system_root.as_ref().map_err(Clone::clone)?;
    match name.to_ascii_lowercase().as_str() {
        "systemdrive" => Ok(format!("{}{rest}", root.get(..2).unwrap_or_default())),
        "systemroot" | "windir" => Ok(format!("{}{rest}", root.trim_end_matches('\\'))),
        _ => Err(Unread::new(Reason::Unsupported, format!("kbfix cannot expand the variable %{name}% in `{folder}`"))),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use crate::{
        registry::Data,
        targets::{ChangeAction, ValueChange, profiles::*},
    };

    #[test]
    fn only_the_system_root_of_windows_itself_moves_windows() {
        for (key, name, moves) in [
            (r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", "SystemRoot", true),
            (r"HKLM\Software\microsoft\WINDOWS NT\currentversion", "systemroot", true),
            (r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", "ProductName", false),
            (r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon", "SystemRoot", false),
            (r"HKLM\SOFTWARE\Microsoft\Windows NT", "SystemRoot", false),
        ] {
            let value = ValueChange { name: ValueName::new(name).unwrap(), before: None, after: Some(Data::dword(1)) };
            let change = KeyChange::new(key.parse().unwrap(), ChangeAction::Update, vec![value]);
            assert_eq!((moves_windows(&change), names_hives(&change)), (moves, moves), "{key} {name}");
        }
    }

    #[test]
    fn a_link_in_a_profile_is_seen_and_one_above_it_is_not() {
        let root = tempfile::tempdir().unwrap();
        let users = root.path().join("Users");
        fs::create_dir_all(users.join("b/AppData/Local")).unwrap();
        fs::write(users.join("b/NTUSER.DAT"), "").unwrap();
        symlink("Users", root.path().join("Documents and Settings")).unwrap();
        symlink("NTUSER.DAT", users.join("b/link.dat")).unwrap();
        symlink("Local", users.join("b/AppData/Roaming")).unwrap();
        symlink("b", users.join("c")).unwrap();
        let found = |folder: &str, file: &str| {
            let folder = root.path().join(folder);
            let link = link_on_the_way(&folder, &folder.join(file))?;
            link.strip_prefix(root.path()).ok().map(|link| link.display().to_string())
        };
        assert_eq!(found("Users/b", "NTUSER.DAT"), None);
        assert_eq!(found("Users/b", "AppData/Local/none.dat"), None);
        assert_eq!(found("Documents and Settings/b", "NTUSER.DAT"), None);
        assert_eq!(found("Users/b", "link.dat").as_deref(), Some("Users/b/link.dat"));
        assert_eq!(found("Users/b", "AppData/Roaming/x/y.dat").as_deref(), Some("Users/b/AppData/Roaming"));
        assert_eq!(found("Users/c", "NTUSER.DAT").as_deref(), Some("Users/c"));
    }
}
