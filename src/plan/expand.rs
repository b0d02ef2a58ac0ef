//! Finds the keys and paths that the patterns of a spec match. The values of `*`, HKCU, `{location}` and `%SystemRoot%`
//! are read from the target.

use super::lookup;
use crate::{
    observe::{MOST_KEYS, Reader},
    registry::{Key, KeyName, KeyPath, RootKey, ValueName, notation, sid},
    spec::{
        Spec,
        model::{Condition, FilePattern, KeyPattern, Like, NamePattern, PathPart, PathVariable},
    },
    targets::{Answer, Reason, Unread},
};

use super::canonical;

pub(super) const WINDOWS_NT: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const PROFILES: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
const WINDOWS: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion";

/// Returns the keys that a pattern matches on the target, sorted, with their canonical names.
///
/// The keys may be absent, unless the last name of the pattern contains a `*`.
///
/// # Errors
///
/// Fails if a key or value could not be read, a parameter in the pattern is not set, or a `*` matches more than
/// [`MOST_KEYS`] keys.
pub(super) fn keys(pattern: &KeyPattern, reader: &Reader<'_>) -> Result<Vec<Key>, Unread> {
    keys_of(pattern, None, reader).complete()
}

/// The keys that a pattern matches on the target, as far as they could be found out.
#[derive(Default)]
pub(super) struct Found {
    /// The keys that were found, sorted, with their canonical names.
    pub keys: Vec<Key>,
    /// The reasons why the pattern may match more keys: a user, a key or a value could not be read, a parameter in the
    /// pattern is not set, or a `*` matches more than [`MOST_KEYS`] keys. Empty if `keys` is complete.
    pub unread: Vec<Unread>,
}

impl Found {
    /// Returns the keys; the first reason if there may be more keys.
    fn complete(self) -> Result<Vec<Key>, Unread> {
        self.unread.into_iter().next().map_or(Ok(self.keys), Err)
    }

    fn unknown(why: Unread) -> Self {
        Self { keys: Vec::new(), unread: vec![why] }
    }
}

/// Returns the keys that a pattern matches. If the pattern is below HKCU, there is a separate result for each user, and
/// one for the Default profile if the pattern includes it. The results of the other users remain if one user cannot be
/// read. Any other pattern has one result.
///
/// Also returns the SIDs of users who have a profile but no hive.
///
/// # Errors
///
/// Fails if the list of users cannot be read.
pub(super) fn keys_by_user(pattern: &KeyPattern, reader: &Reader<'_>) -> Result<(Vec<ByUser>, Vec<String>), Unread> {
    if pattern.root != RootKey::Hkcu {
        return Ok((vec![(None, keys(pattern, reader))], Vec::new()));
    }
    let (users, without_hive) = users(reader)?;
    let each = users.into_iter().map(|(path, found)| {
        let sid = path.names().next().filter(|_| path.root() == RootKey::Hku).map(str::to_ascii_uppercase);
        (sid, found.and_then(|()| below(vec![Key { path, view: pattern.view }], pattern, reader).complete()))
    });
    let default = pattern.default_profile.then(|| {
        let path = default_profile(reader);
        (None, path.and_then(|path| below(vec![Key { path, view: pattern.view }], pattern, reader).complete()))
    });
    Ok((each.chain(default).collect(), without_hive))
}

/// Returns the SIDs of users who have a profile but no hive, if one of the conditions tests a key below HKCU. The
/// result of the condition does not include these users.
pub(super) fn without_hive<'a>(
    conditions: impl IntoIterator<Item = &'a Condition>,
    reader: &Reader<'_>,
) -> Vec<String> {
    let is_of_users = |condition: &Condition| condition.keys().iter().any(|key| key.root == RootKey::Hkcu);
    match conditions.into_iter().any(is_of_users) {
        true => users(reader).map(|(_, without_hive)| without_hive).unwrap_or_default(),
        false => Vec::new(),
    }
}

/// A user's SID, and the keys that a pattern matches for this user. The SID is `None` if the keys do not belong to a
/// user.
pub(super) type ByUser = (Option<String>, Result<Vec<Key>, Unread>);

/// Returns the keys that a pattern matches. The pattern can be relative to `own`, the key to which a rule is applied,
/// or to the user in whose hive `own` is. If a user or a key could not be read, the other keys are still returned.
pub(super) fn keys_of(pattern: &KeyPattern, own: Option<&Key>, reader: &Reader<'_>) -> Found {
    if let Some(parameter) = pattern.unset_parameter() {
        return Found::unknown(not_set(parameter));
    }
    match (own, pattern.own.and_then(|at| pattern.names.get(at..))) {
        (Some(own), Some(names)) => fill(vec![own.clone()], names, reader),
        (Some(own), None) if pattern.same_user => {
            let root = Key { path: root_of_user(&own.path), view: pattern.view };
            below(vec![root], pattern, reader)
        }
        _ => {
            let mut roots = match roots(pattern.root, reader) {
                Ok(roots) => roots,
                Err(why) => return Found::unknown(why),
            };
            if pattern.default_profile {
                roots.push(default_profile(reader));
            }
            let mut unread = Vec::new();
            let roots: Vec<_> =
                roots.into_iter().filter_map(|root| root.map_err(|why| unread.push(why)).ok()).collect();
            let found =
                below(roots.into_iter().map(|path| Key { path, view: pattern.view }).collect(), pattern, reader);
            unread.extend(found.unread);
            Found { unread, ..found }
        }
    }
}

/// Returns the keys below `roots` that the pattern matches.
fn below(roots: Vec<Key>, pattern: &KeyPattern, reader: &Reader<'_>) -> Found {
    match pattern.unset_parameter() {
        Some(parameter) => Found::unknown(not_set(parameter)),
        None => fill(roots, &pattern.names, reader),
    }
}

fn fill(mut found: Vec<Key>, names: &[NamePattern], reader: &Reader<'_>) -> Found {
    let (mut rest, mut unread) = (names, Vec::new());
    while let Some(first) = rest.first() {
        match first {
            NamePattern::Name(_) => {
                // The keys between these names are not needed.
                let fixed = rest.iter().map_while(|name| match name {
                    NamePattern::Name(name) => Some(name),
                    NamePattern::Like(_) => None,
                });
                found.iter_mut().for_each(|key| key.path = key.path.descendant(fixed.clone()));
                rest = &rest[fixed.count()..];
            }
            NamePattern::Like(like) => {
                let fitting = each(&found, |key| fitting(key, like, reader), &mut unread);
                if fitting.iter().map(Vec::len).sum::<usize>() > MOST_KEYS {
                    unread.push(too_many());
                    return Found { keys: Vec::new(), unread };
                }
                found = fitting.concat();
                rest = &rest[1..];
            }
        }
    }
    let mut keys = each(&found, |key| canonical::one_name(key, reader), &mut unread);
    keys.sort();
    keys.dedup();
    Found { keys, unread }
}

fn not_set(parameter: &str) -> Unread {
    Unread::new(Reason::Unknown, format!("the parameter `{parameter}` is not set"))
}

/// Calls `ask` for every key, to request the same fact about each in one batch. Returns the results, and adds the
/// errors to `unread`.
fn each<T>(keys: &[Key], ask: impl Fn(&Key) -> Result<T, Unread>, unread: &mut Vec<Unread>) -> Vec<T> {
    keys.iter().filter_map(|key| ask(key).map_err(|why| unread.push(why)).ok()).collect()
}

/// Returns the subkeys of the key whose names match `like`. A link that Windows creates at startup is not in the list
/// of subkeys, because it is not stored in the hive. Such a link is looked up by its name.
fn fitting(key: &Key, like: &Like, reader: &Reader<'_>) -> Result<Vec<Key>, Unread> {
    let at = canonical::one_name(key, reader)?;
    let fits = |name: &KeyName| like.fits(name.as_str());
    let mut names = reader.subkeys(&at).known()?.unwrap_or_default();
    for link in at.links().into_iter().filter(|link| fits(link) && !names.contains(link)).collect::<Vec<_>>() {
        if reader.key(&at.child(&link)).known()?.is_some() {
            names.push(link);
        }
    }
    // Check the number before any path is built.
    names.retain(fits);
    if names.len() > MOST_KEYS {
        return Err(too_many());
    }
    Ok(names.iter().map(|name| key.child(name)).collect())
}

fn too_many() -> Unread {
    Unread::new(Reason::Unsupported, format!("a `*` matches more than {MOST_KEYS} keys"))
}

/// Returns the root key itself. For HKCU, returns one key for each user who has a hive on the target: a key below HKU,
/// or in an export of one user HKCU itself. A user whose hive cannot be read is an error in the list.
///
/// # Errors
///
/// Fails if the list of users cannot be read.
fn roots(root: RootKey, reader: &Reader<'_>) -> Result<Vec<Result<KeyPath, Unread>>, Unread> {
    if root != RootKey::Hkcu {
        return Ok(vec![Ok(KeyPath::root_key(root))]);
    }
    let named = |path: &KeyPath, why: Unread| Unread::new(why.reason, format!("{path}: {}", why.detail));
    let users = users(reader)?.0.into_iter();
    Ok(users.map(|(path, found)| found.map_err(|why| named(&path, why)).map(|()| path)).collect())
}

/// Returns the key that one user sees as HKCU. This is the user in whose hive the key `own` is; `own` must have its
/// canonical name.
fn root_of_user(own: &KeyPath) -> KeyPath {
    let root = KeyPath::root_key(own.root());
    // In an export of one user's HKCU, HKCU has no other name.
    let Some(name) = own.names().next().filter(|_| own.root() == RootKey::Hku) else { return root };
    let is_classes = sid::is_default_profile(name) || sid::of_classes(name).is_some();
    let user = name
        .len()
        .checked_sub(sid::CLASSES.len())
        .filter(|at| is_classes && name.get(*at..).is_some_and(|end| end.eq_ignore_ascii_case(sid::CLASSES)));
    let user = user.map_or(name, |at| &name[..at]);
    KeyName::new(user).map_or(root.clone(), |user| root.child(&user))
}

/// The root key of a user's hive; an error with the reason if the hive cannot be read.
type User = (KeyPath, Result<(), Unread>);

/// Returns each user who has a hive on the target, readable or not, and the SIDs of users who have a profile but no
/// hive.
fn users(reader: &Reader<'_>) -> Result<(Vec<User>, Vec<String>), Unread> {
    // Every Windows has this list, so its absence does not show that there are no users.
    let absent = || Unread::new(Reason::Unknown, format!("HKLM\\{PROFILES}, which lists the users, is absent"));
    let sids = match reader.subkeys(&lookup::hklm(PROFILES)).known().and_then(|sids| sids.ok_or_else(absent)) {
        Ok(sids) => sids,
        // An export of one user's HKCU has no list of profiles. There, HKCU is that user's hive.
        Err(why) if matches!(why.reason, Reason::Unknown | Reason::NotConfigured) => {
            let own = KeyPath::root_key(RootKey::Hkcu);
            return match reader.key(&Key::new(own.clone())) {
                Answer::Present(()) => Ok((vec![(own, Ok(()))], Vec::new())),
                // A policy file lists no subkeys. More important is that it contains no settings of users.
                Answer::Unread(of_user) if why.reason == Reason::NotConfigured => Err(of_user),
                _ => Err(why),
            };
        }
        Err(why) => return Err(why),
    };
    let (mut users, mut without_hive) = (Vec::new(), Vec::new());
    for sid in sids.iter().filter(|sid| sid::is_person(sid.as_str())) {
        let hive = KeyPath::root_key(RootKey::Hku).child(sid);
        match reader.key(&Key::new(hive.clone())) {
            Answer::Present(()) => users.push((hive, Ok(()))),
            Answer::Absent => without_hive.push(sid.as_str().to_owned()),
            Answer::Unread(why) => users.push((hive, Err(why))),
        }
    }
    Ok((users, without_hive))
}

/// Returns the root key of the hive of the Default profile, which Windows copies for new users. Fails if the target
/// does not contain this hive.
fn default_profile(reader: &Reader<'_>) -> Result<KeyPath, Unread> {
    let path = KeyPath::from_parts(RootKey::Hku, sid::DEFAULT_PROFILE);
    let path = path.map_err(|error| Unread::new(Reason::Unsupported, error.to_string()))?;
    // Every Windows has this profile, so its absence from the target does not show that there is none.
    let absent = || Unread::new(Reason::Unknown, "the hive of the Default profile is absent");
    let there = reader.key(&Key::new(path.clone())).known();
    let there = there.map_err(|why| Unread::new(why.reason, format!("the Default profile: {}", why.detail)));
    there?.map(|()| path).ok_or_else(absent)
}

/// The result of forming the path of a file on the target from the path in a spec, which can contain variables.
pub(super) enum Resolved {
    /// The absolute path on the target.
    Path(String),
    /// The path cannot be resolved, for example because the target's registry does not name the folder of a variable.
    /// The text says why.
    NoFolder(String),
}

/// Resolves a path pattern on the target.
///
/// # Errors
///
/// Fails if a key or value could not be read or does not contain the path of a folder, if a variable in this path
/// cannot be expanded, or if a parameter is not set.
pub(super) fn path(pattern: &FilePattern, spec: &Spec, reader: &Reader<'_>) -> Result<Resolved, Unread> {
    let mut out = String::new();
    for part in &pattern.0 {
        let piece = match part {
            PathPart::Text(text) => text.clone(),
            PathPart::Location(name) => {
                let Some(at) = spec.locations.get(name) else {
                    return Ok(Resolved::NoFolder(format!("location {name} is not declared")));
                };
                if let Some(parameter) = at.key.unset_parameter() {
                    return Err(not_set(parameter));
                }
                let Some(path) = at.key.path() else {
                    return Ok(Resolved::NoFolder(format!("location {name} matches more than one key")));
                };
                let key = canonical::one_name(&Key { path, view: at.key.view }, reader)?;
                match folder(&key, &at.name, reader, &mut Vec::new())? {
                    Some(folder) => folder,
                    None => {
                        return Ok(Resolved::NoFolder(format!(
                            "{key} {:?}, which contains the path of {{{name}}}, is absent",
                            at.name
                        )));
                    }
                }
            }
            PathPart::Variable(variable) => match self::variable(*variable, reader, &mut Vec::new())? {
                Some(folder) => folder,
                None => return Ok(Resolved::NoFolder(format!("%{}% is not set on the target", variable.name()))),
            },
        };
        // A folder from the registry may end with a backslash, and the part after it may begin with one.
        if piece.starts_with('\\') && out.ends_with('\\') {
            out.pop();
        }
        out.push_str(&piece);
    }
    Ok(Resolved::Path(out))
}

/// Returns the folder in a REG_SZ or REG_EXPAND_SZ value, with its variables expanded; `None` if the value is absent.
/// `under` contains the variables that are being expanded, so that a variable that contains itself is noticed.
fn folder(
    key: &Key,
    name: &ValueName,
    reader: &Reader<'_>,
    under: &mut Vec<PathVariable>,
) -> Result<Option<String>, Unread> {
    let Some(data) = reader.value(key, name).known()? else { return Ok(None) };
    let Some(text) = data.as_read_text().filter(|text| !text.is_empty()) else {
        let data = notation::message(Some(&data), reader.is_hidden(key, name));
        let detail = format!("{key} {name:?} is {data}, which is not the path of a folder");
        return Err(Unread::new(Reason::Malformed, detail));
    };
    expanded(&text, reader, under).map(Some)
}

/// Replaces the `%variables%` in `text` with their values on the target. Fails if one of them is unknown or not set.
fn expanded(text: &str, reader: &Reader<'_>, under: &mut Vec<PathVariable>) -> Result<String, Unread> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        let Some((name, tail)) = after.split_once('%') else { break };
        let unknown = || Unread::new(Reason::Unsupported, format!("kbfix cannot expand %{name}% in `{text}`"));
        let folder = variable(PathVariable::parse(name).ok_or_else(unknown)?, reader, under)?.ok_or_else(unknown)?;
        out.push_str(before);
        out.push_str(&folder);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// Returns the folder that is the value of a variable, according to the target's registry; `None` if it is not set.
/// Fails if the variable contains itself.
fn variable(
    variable: PathVariable,
    reader: &Reader<'_>,
    under: &mut Vec<PathVariable>,
) -> Result<Option<String>, Unread> {
    if under.contains(&variable) {
        return Err(Unread::new(Reason::Malformed, format!("%{}% refers to itself", variable.name())));
    }
    under.push(variable);
    let folder = folder_of(variable, reader, under);
    under.pop();
    folder
}

fn folder_of(
    variable: PathVariable,
    reader: &Reader<'_>,
    under: &mut Vec<PathVariable>,
) -> Result<Option<String>, Unread> {
    let (key, name) = match variable {
        PathVariable::SystemRoot | PathVariable::SystemDrive => (WINDOWS_NT, "SystemRoot"),
        PathVariable::ProgramFiles => (WINDOWS, "ProgramFilesDir"),
        PathVariable::ProgramFilesX86 => (WINDOWS, "ProgramFilesDir (x86)"),
        PathVariable::CommonProgramFiles => (WINDOWS, "CommonFilesDir"),
        PathVariable::CommonProgramFilesX86 => (WINDOWS, "CommonFilesDir (x86)"),
        PathVariable::ProgramData => (PROFILES, "ProgramData"),
    };
    let key = lookup::hklm(key);
    let name = ValueName::new(name).map_err(|e| Unread::new(Reason::Unsupported, e.to_string()))?;
    let folder = folder(&key, &name, reader, under)?;
    Ok(match variable {
        PathVariable::SystemDrive => folder.map(|folder| folder.chars().take(2).collect()),
        _ => folder,
    })
}
