//! The target `reg:FILE`: a registry export, with the files of a drive beside it.
//!
//! An export says nothing about what it does not hold. It covers the keys that it lists and, since exports are
//! recursive, all that is below a listed key: there, what is not listed is absent. The keys above a listed key exist, with
//! values and further subkeys that are not known. About any other key it answers unknown.
//!
//! - The 32-bit view is where the 64-bit view stores it: below `Wow6432Node`. An export that covers `HKLM\SOFTWARE` and
//!   shows that there is no `Wow6432Node` in it is of a 32-bit Windows, where both views are one.
//! - `HKLM\SYSTEM\CurrentControlSet` is the `ControlSet00N` that `HKLM\SYSTEM\Select` names as `Current`, where the file
//!   has nothing of CurrentControlSet itself.
//! - A key that has several names (`HKCR` and `HKLM\SOFTWARE\Classes`, `HKU\S-1-5-18` and `HKU\.DEFAULT`, a user's classes)
//!   is found under the one that the file covers.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    files::{
        read::read_file,
        replace::{remove_leftovers, replace_file},
    },
    format::reg::{CodePage, Document, MAX_FILE},
    registry::{Data, Decoded, Key, KeyName, KeyPath, RootKey, ValueName, View},
};

use super::{
    Answer, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, Reason, Target, TargetError, Unread, Wanted, WriteError,
    WriteFailure, drives::DriveFolder, hku, lock::lock_beside,
};

mod write;

/// A registry export as a target.
#[derive(Debug)]
pub struct RegTarget {
    /// As the user named it.
    named: PathBuf,
    /// Where it is, links followed, so that all names of one file share a lock and an edit keeps the link.
    path: PathBuf,
    code_page: Option<CodePage>,
    files: Option<DriveFolder>,
    document: Document,
}

impl RegTarget {
    /// Reads the export at `path`. `files` is a folder that stands for the drive `C:` of the machine that was exported;
    /// `code_page` is needed for bytes outside ASCII in a file without a byte order mark.
    ///
    /// # Errors
    /// [`TargetError::Malformed`] for a file that is no export: damaged, or a script that deletes keys or values.
    pub fn open(path: &Path, files: Option<&Path>, code_page: Option<CodePage>) -> Result<Self, TargetError> {
        let io = |path: &Path| {
            let what = path.display().to_string();
            move |source| TargetError::Io { what, source }
        };
        let real = fs::canonicalize(path).map_err(io(path))?;
        let files = files.map(|dir| DriveFolder::open(dir).map_err(io(dir))).transpose()?;
        let document = load(&real, code_page)?;
        Ok(Self { named: path.to_owned(), path: real, code_page, files, document })
    }

    /// The file as it is now: it may have changed since it was read.
    fn reload(&mut self) -> Result<(), TargetError> {
        self.document = load(&self.path, self.code_page)?;
        Ok(())
    }

    fn lists_any(&self, key: &KeyPath) -> bool {
        self.document.keys_from(key).next().is_some_and(|first| first.is_within(key))
    }

    /// Whether the export is of a 32-bit Windows, which has one view: every 64-bit Windows has this key.
    fn is_32_bit_windows(&self) -> bool {
        KeyPath::from_parts(RootKey::Hklm, r"SOFTWARE\Wow6432Node")
            .is_ok_and(|key| matches!(self.existence(&key), Existence::Absent))
    }

    /// Where the file has a key, if it has it.
    fn resolve(&self, key: &Key) -> Result<KeyPath, Unread> {
        let one_name = key.one_name(key.view == View::Bits32 && self.is_32_bit_windows());
        let path = one_name.stored();
        let covers = |path: &KeyPath| !matches!(self.existence(path), Existence::Unread(_));
        // Views stand behind names: HKCR has its own Wow6432Node.
        let mut others = path.other_names().into_iter().filter(|(place, name)| self.lists_any(place) && covers(name));
        if let Some((_, name)) = others.next().filter(|_| !covers(&path)) {
            return Ok(name);
        }
        let Ok(current) = KeyPath::from_parts(RootKey::Hklm, r"SYSTEM\CurrentControlSet") else { return Ok(path) };
        let Some(below) = path.relative_to(&current).filter(|_| !self.lists_any(&current)) else { return Ok(path) };
        let Some(set) = self.current_control_set()? else { return Ok(path) };
        let joined = if below.is_empty() { set } else { format!(r"{set}\{below}") };
        Ok(KeyPath::from_parts(RootKey::Hklm, &format!(r"SYSTEM\{joined}")).unwrap_or(path))
    }

    /// `ControlSet001` and its like; `None` where the file does not list `Select`.
    fn current_control_set(&self) -> Result<Option<String>, Unread> {
        let (Ok(select), Ok(current)) =
            (KeyPath::from_parts(RootKey::Hklm, r"SYSTEM\Select"), ValueName::new("Current"))
        else {
            return Ok(None);
        };
        let Some(values) = self.document.values(&select) else { return Ok(None) };
        match values.get(&current).map(|data| data.map(Data::decode)) {
            Some(Ok(Decoded::Number(number @ 1..=999))) => Ok(Some(format!("ControlSet{number:03}"))),
            Some(_) => Err(Unread::new(Reason::Malformed, r"HKLM\SYSTEM\Select Current names no control set")),
            None => Ok(None),
        }
    }

    /// What the file says about the existence of a key: there, absent, or not covered.
    fn existence(&self, path: &KeyPath) -> Existence {
        let covered = std::iter::successors(Some(path.clone()), KeyPath::parent).any(|key| self.document.lists(&key));
        if self.lists_any(path) || (path.parent().is_none() && !covered) {
            return if covered { Existence::Covered } else { Existence::Above };
        }
        match (covered, self.document.unreadable_key()) {
            (false, _) => Existence::Unread(Unread::new(Reason::Unknown, format!("the export does not cover {path}"))),
            // The name that cannot be read may be this one.
            (true, Some(why)) => Existence::Unread(Unread::new(Reason::Malformed, why)),
            // An export of HKU has the hives that were loaded, and not those of all users.
            (true, None) => match hku::of_a_user(path).filter(|hive| !self.lists_any(&hive.path)) {
                Some(hive) => {
                    Existence::Unread(Unread::new(Reason::Unknown, format!("the export does not hold {hive}")))
                }
                None => Existence::Absent,
            },
        }
    }

    fn read_key(&self, query: &KeyQuery) -> Result<Answer<KeyFacts>, Unread> {
        let path = self.resolve(&query.key)?;
        match self.existence(&path) {
            Existence::Unread(why) => Err(why),
            Existence::Absent => Ok(Answer::Absent),
            Existence::Above => above(&path, query).map(Answer::Present),
            Existence::Covered => {
                let values = self.read_values(&path, &query.values)?;
                let subkeys = if query.subkeys { Some(self.subkeys(&path)?) } else { None };
                let none = || Answer::unread(Reason::Unknown, "an export holds no classes and security descriptors");
                let properties = (query.values == Wanted::All).then(none);
                Ok(Answer::Present(KeyFacts { values, properties, subkeys }))
            }
        }
    }

    fn read_values(&self, path: &KeyPath, wanted: &Wanted) -> Result<BTreeMap<ValueName, Answer<Data>>, Unread> {
        // Only whether the key is there is asked, as of the parent of each key that is created.
        if matches!(wanted, Wanted::Names(names) if names.is_empty()) {
            return Ok(BTreeMap::new());
        }
        // A key that is there only as the parent of others has no values: the export would list them.
        let values = self.document.values(path);
        let unreadable = values.as_ref().and_then(|v| v.unreadable());
        let malformed = |why: &str| Unread::new(Reason::Malformed, why);
        let answer = |data: Result<&Data, &str>| match data {
            Ok(data) => Answer::Present(data.clone()),
            Err(why) => Answer::Unread(malformed(why)),
        };
        match wanted {
            Wanted::All => match unreadable {
                Some(why) => Err(malformed(why)),
                None => {
                    let all = values.iter().flat_map(|v| v.iter());
                    Ok(all.map(|(name, data)| (name.clone(), answer(data))).collect())
                }
            },
            Wanted::Names(names) => {
                let one = |name: &ValueName| match values.as_ref().and_then(|v| v.entry(name)) {
                    Some((found, data)) => (found.clone(), answer(data)),
                    None => (name.clone(), unreadable.map_or(Answer::Absent, |why| Answer::Unread(malformed(why)))),
                };
                Ok(names.iter().map(one).collect())
            }
        }
    }

    /// The names of the keys directly below a covered key.
    fn subkeys(&self, path: &KeyPath) -> Result<Vec<KeyName>, Unread> {
        if let Some(why) = self.document.unreadable_key() {
            return Err(Unread::new(Reason::Malformed, why));
        }
        let mut names: Vec<KeyName> = Vec::new();
        let below = self.document.keys_from(path).map_while(|key| key.relative_to(path));
        for relative in below.filter(|relative| !relative.is_empty()) {
            let first = relative.split_once('\\').map_or(relative, |(first, _)| first);
            // Sorted: all keys below one subkey stand together.
            if names.last().is_none_or(|last| crate::registry::name::compare(last.as_str(), first).is_ne()) {
                names.extend(KeyName::new(first));
            }
        }
        Ok(names)
    }
}

enum Existence {
    /// It is there, and the file holds all of it.
    Covered,
    /// It is there, being above a listed key or a root key; what else is in it is not known.
    Above,
    Absent,
    Unread(Unread),
}

fn above(path: &KeyPath, query: &KeyQuery) -> Result<KeyFacts, Unread> {
    let unknown = || Unread::new(Reason::Unknown, format!("the export holds only part of {path}"));
    match &query.values {
        Wanted::Names(names) if !query.subkeys => {
            let values = names.iter().map(|name| (name.clone(), Answer::Unread(unknown()))).collect();
            Ok(KeyFacts { values, ..KeyFacts::default() })
        }
        _ => Err(unknown()),
    }
}

fn load(path: &Path, code_page: Option<CodePage>) -> Result<Document, TargetError> {
    let what = || path.display().to_string();
    let bytes = read_file(path, MAX_FILE as u64).map_err(|source| TargetError::Io { what: what(), source })?;
    let document = Document::parse(bytes, code_page).map_err(|error| TargetError::Malformed {
        what: what(),
        detail: format!("{error} ({}): {}", error.code(), error.hint()),
    })?;
    match document.first_deletion() {
        Some(line) => Err(TargetError::Malformed {
            what: what(),
            detail: format!(
                "line {line} deletes a key or a value: this is a script, which says what to change and not what is \
                 there; give an export (`reg export KEY FILE`)"
            ),
        }),
        None => Ok(document),
    }
}

impl Target for RegTarget {
    fn uri(&self) -> String {
        format!("reg:{}", self.named.display())
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        Ok(queries.iter().map(|query| self.read_key(query).unwrap_or_else(Answer::Unread)).collect())
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        let unknown = || Answer::unread(Reason::Unknown, "an export holds no files; give the drive's with --files DIR");
        Ok(paths.iter().map(|path| self.files.as_mut().map_or_else(unknown, |files| files.facts(path))).collect())
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        let lock = lock_beside(&self.path)?;
        // What cannot be removed is no reason against an apply.
        let _ = remove_leftovers(&self.path);
        self.reload()?;
        Ok(lock)
    }

    fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        if changes.is_empty() {
            return Ok(());
        }
        let before = self.document.clone();
        let made = self.carry_out(changes).and_then(|()| self.try_undo(changes));
        self.document = before;
        made
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        if changes.is_empty() {
            return Ok(());
        }
        let place = self.path.display().to_string();
        // The changes are checked against what is in the file now, also when it was edited without the lock.
        self.document = load(&self.path, self.code_page).map_err(|error| error.refusal(&place))?;
        let made = self.carry_out(changes).and_then(|()| {
            let edited = self.document.clone();
            self.try_undo(changes)?;
            self.document = edited;
            Ok(())
        });
        let written = made.map_err(WriteFailure::from).and_then(|()| {
            replace_file(&self.path, &self.document.to_bytes()).map_err(|source| {
                let error = match source.kind() {
                    std::io::ErrorKind::PermissionDenied => WriteError::Denied { place },
                    _ => WriteError::Io { place, source },
                };
                WriteFailure { error, begun: changes.to_vec() }
            })
        });
        // Some changes may be made in memory: what is read from now on is the file again, or else unknown.
        if written.is_err()
            && self.reload().is_err()
            && let Ok(empty) = Document::parse(b"REGEDIT4".to_vec(), None)
        {
            self.document = empty;
        }
        written
    }
}

#[cfg(test)]
mod tests;
