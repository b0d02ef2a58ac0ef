//! The target `reg:FILE`: a registry export, and optionally a folder with the files of drive `C:`.
//!
//! An export covers the keys that it lists and everything below them, because an export is always recursive. A covered
//! key or value is absent if the export does not list it. But the hive of a user that is not listed below `HKU` is
//! unknown, because it may not have been loaded; and if kbfix cannot read a name in the file, items that may have this
//! name are malformed. The root keys and the keys above a listed key exist, but their values and other subkeys are
//! unknown. All other keys are unknown.
//!
//! - A key of the 32-bit view is read where the 64-bit view has it: below `Wow6432Node`. An export that covers
//!   `HKLM\SOFTWARE` but has no `Wow6432Node` there was made on a 32-bit Windows, which has only one view.
//! - `HKLM\SYSTEM\CurrentControlSet` is read from the `ControlSet00N` whose number is in the value `Current` of
//!   `HKLM\SYSTEM\Select`, unless the file lists CurrentControlSet itself.
//! - A key with several names (`HKCR` and `HKLM\SOFTWARE\Classes`, `HKU\S-1-5-18` and `HKU\.DEFAULT`, a user's classes)
//!   is found under the name that the file covers.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use crate::{
    diag::Hint,
    files::{canonical::canonical, read::read_file},
    format::reg::{CodePage, Document, MAX_FILE, RegErrorKind},
    registry::{Data, Decoded, Key, KeyName, KeyPath, RootKey, ValueName, View, control_set, name::compare},
    small_map::SmallMap,
};

use super::{
    Answer, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, Reason, Target, TargetError, Unread, ValueSelection,
    WriteError, WriteFailure,
    drives::{DriveFolder, file_names},
    hku,
    one_file::{self, Loaded},
};

mod write;

/// When subkeys are listed: the number of keys below one subkey that are passed one by one. All further keys below this
/// subkey are then skipped at once.
const MANY: usize = 8;

/// A registry export as a target.
#[derive(Debug)]
pub struct RegTarget {
    /// The path of the export as the user gave it.
    named: PathBuf,
    file: Loaded<Document>,
    code_page: Option<CodePage>,
    files: Option<DriveFolder>,
    /// The drives with files that kbfix needed, but for which the operator gave no folder.
    missing: BTreeSet<char>,
}

impl RegTarget {
    /// Reads the export at `path`.
    ///
    /// `files` is a local folder that contains the files of drive `C:` of the exported machine. `code_page` is needed
    /// if a file without a byte order mark has bytes outside ASCII.
    ///
    /// # Errors
    /// Returns [`TargetError::Malformed`] for a file that is damaged or needs a code page, [`TargetError::WrongKind`]
    /// for a script that deletes keys or values, and [`TargetError::Io`] if the export or the folder `files` cannot be
    /// read.
    pub fn open(path: &Path, files: Option<&Path>, code_page: Option<CodePage>) -> Result<Self, TargetError> {
        let io = |path: &Path| {
            let what = path.display().to_string();
            move |source| TargetError::Io { what, source }
        };
        let real = canonical(path).map_err(io(path))?;
        let files = files.map(|dir| DriveFolder::open(dir).map_err(io(dir))).transpose()?;
        let file = Loaded::new(real.clone(), load(&real, code_page)?);
        Ok(Self { named: path.to_owned(), file, code_page, files, missing: BTreeSet::new() })
    }

    fn lists_any(&self, key: &KeyPath) -> bool {
        self.file.document.keys_from(key).next().is_some_and(|first| first.is_within(key))
    }

    /// Returns whether the export shows that it is from a 32-bit Windows, which has only one view. Every 64-bit Windows
    /// has the key `Wow6432Node`.
    fn is_32_bit_windows(&self) -> bool {
        KeyPath::from_parts(RootKey::Hklm, r"SOFTWARE\Wow6432Node")
            .is_ok_and(|key| matches!(self.existence(&key), Existence::Absent))
    }

    /// Returns the path under which the file lists a key, or would list it if the key existed.
    fn resolve(&self, key: &Key) -> Result<KeyPath, Unread> {
        let one_name = key.one_name(key.view == View::Bits32 && self.is_32_bit_windows());
        let path = one_name.stored();
        let covers = |path: &KeyPath| !matches!(self.existence(path), Existence::Unread(_));
        // Names are resolved before views: HKCR has its own Wow6432Node.
        let mut others = path.other_names().into_iter().filter(|(place, name)| self.lists_any(place) && covers(name));
        if let Some((_, name)) = others.next().filter(|_| !covers(&path)) {
            return Ok(name);
        }
        static CURRENT: LazyLock<KeyPath> =
            LazyLock::new(|| KeyPath::known(RootKey::Hklm, r"SYSTEM\CurrentControlSet"));
        let Some(below) = path.relative_to(&CURRENT).filter(|_| !self.lists_any(&CURRENT)) else { return Ok(path) };
        let Some(set) = self.current_control_set()?.map(control_set::name) else { return Ok(path) };
        let joined = if below.is_empty() { set } else { format!(r"{set}\{below}") };
        Ok(KeyPath::from_parts(RootKey::Hklm, &format!(r"SYSTEM\{joined}")).unwrap_or(path))
    }

    /// Returns the number of the current control set; `None` if the export does not contain `HKLM\SYSTEM\Select` or its
    /// value `Current`.
    fn current_control_set(&self) -> Result<Option<u16>, Unread> {
        let (Ok(select), Ok(current)) =
            (KeyPath::from_parts(RootKey::Hklm, r"SYSTEM\Select"), ValueName::new("Current"))
        else {
            return Ok(None);
        };
        let Some(values) = self.file.document.values(&select) else { return Ok(None) };
        match values.get(&current).map(|data| data.map(Data::decode)) {
            Some(Ok(Decoded::Number(number @ 1..=999))) => Ok(Some(number as u16)),
            Some(_) => Err(Unread::new(
                Reason::Malformed,
                r"the value Current of HKLM\SYSTEM\Select is not the number of a control set",
            )),
            None => Ok(None),
        }
    }

    /// Returns whether the export shows that a key exists, that it is absent, or neither.
    fn existence(&self, path: &KeyPath) -> Existence {
        let covered = self.file.document.covers(path);
        if self.lists_any(path) || (path.below_root().is_empty() && !covered) {
            return if covered { Existence::Covered } else { Existence::Above };
        }
        match (covered, self.file.document.unreadable_key()) {
            (false, _) => Existence::Unread(Unread::new(Reason::Unknown, format!("the export does not cover {path}"))),
            // The key whose name cannot be read may be this one.
            (true, Some(why)) => Existence::Unread(Unread::new(Reason::Malformed, why)),
            // An export of HKU contains only the hives that were loaded, not those of all users.
            (true, None) => match hku::of_a_user(path).filter(|hive| !self.lists_any(&hive.path)) {
                Some(hive) => {
                    Existence::Unread(Unread::new(Reason::Unknown, format!("the export does not contain {hive}")))
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
                let subkeys = query.subkeys.then(|| self.subkeys(&path).map_or_else(Answer::Unread, Answer::Present));
                // One reason for all keys, because there can be many.
                static NO_PROPERTIES: LazyLock<Unread> = LazyLock::new(|| {
                    Unread::new(Reason::Unknown, "an export contains no class names and no security descriptors")
                });
                let properties = (query.values == ValueSelection::All).then(|| Answer::Unread(NO_PROPERTIES.clone()));
                Ok(Answer::Present(KeyFacts { values, unsure: None, properties, subkeys }))
            }
        }
    }

    fn read_values(
        &self,
        path: &KeyPath,
        wanted: &ValueSelection,
    ) -> Result<SmallMap<ValueName, Answer<Data>>, Unread> {
        // For the parent of each created key, only its existence is asked.
        if matches!(wanted, ValueSelection::Names(names) if names.is_empty()) {
            return Ok(SmallMap::new());
        }
        // A key that exists only as the parent of others has no values; otherwise the export would list them.
        let values = self.file.document.values(path);
        let unreadable = values.as_ref().and_then(|v| v.unreadable());
        let malformed = |why: &str| Unread::new(Reason::Malformed, why);
        let answer = |data: Result<&Data, &str>| match data {
            Ok(data) => Answer::Present(data.clone()),
            Err(why) => Answer::Unread(malformed(why)),
        };
        match wanted {
            ValueSelection::All => match unreadable {
                Some(why) => Err(malformed(why)),
                None => {
                    let all = values.iter().flat_map(|v| v.iter());
                    Ok(all.map(|(name, data)| (name.clone(), answer(data))).collect())
                }
            },
            ValueSelection::Names(names) => {
                let one = |name: &ValueName| match values.as_ref().and_then(|v| v.entry(name)) {
                    Some((found, data)) => (found.clone(), answer(data)),
                    None => (name.clone(), unreadable.map_or(Answer::Absent, |why| Answer::Unread(malformed(why)))),
                };
                Ok(names.iter().map(one).collect())
            }
        }
    }

    /// Returns the names of the keys directly below a key that the export covers.
    fn subkeys(&self, path: &KeyPath) -> Result<Vec<KeyName>, Unread> {
        if let Some(why) = self.file.document.unreadable_key() {
            return Err(Unread::new(Reason::Malformed, why));
        }
        let document = &self.file.document;
        let mut names: Vec<KeyName> = Vec::new();
        let (mut keys, mut below_last) = (document.keys_from(path), 0);
        while let Some(relative) = keys.next().and_then(|key| key.relative_to(path)) {
            let first = relative.split_once('\\').map_or(relative, |(first, _)| first);
            // The keys are sorted, so all keys below one subkey are adjacent.
            match names.last() {
                _ if first.is_empty() => {}
                Some(last) if compare(last.as_str(), first).is_eq() => {
                    below_last += 1;
                    if below_last == MANY {
                        keys = document.keys_from(&path.child(last).after_tree());
                    }
                }
                _ => {
                    names.extend(KeyName::new(first));
                    below_last = 0;
                }
            }
        }
        Ok(names)
    }
}

enum Existence {
    /// The key exists, and the export contains its values and everything below it.
    Covered,
    /// The key exists, because it is a root key or is above a listed key. The export contains neither its values nor
    /// all of its subkeys.
    Above,
    Absent,
    Unread(Unread),
}

fn above(path: &KeyPath, query: &KeyQuery) -> Result<KeyFacts, Unread> {
    let unknown = || Unread::new(Reason::Unknown, format!("the export contains only a part of {path}"));
    match &query.values {
        ValueSelection::Names(names) => {
            let values = names.iter().map(|name| (name.clone(), Answer::Unread(unknown()))).collect();
            let subkeys = query.subkeys.then(|| Answer::Unread(unknown()));
            Ok(KeyFacts { values, subkeys, ..KeyFacts::default() })
        }
        ValueSelection::All => Err(unknown()),
    }
}

fn load(path: &Path, code_page: Option<CodePage>) -> Result<Document, TargetError> {
    let what = || path.display().to_string();
    let bytes = read_file(path, MAX_FILE as u64).map_err(|source| TargetError::Io { what: what(), source })?;
    let document = Document::parse(bytes, code_page).map_err(|error| match error.kind {
        RegErrorKind::CodePage => TargetError::Malformed {
            what: what(),
            detail: format!("{error} ({})", error.code()),
            hint: Some(Hint::new(error.hint()).option("code-page", "N")),
        },
        _ => TargetError::Malformed {
            what: what(),
            detail: format!("{error} ({})", error.code()),
            hint: Some(Hint::new(error.hint())),
        },
    })?;
    match document.first_deletion() {
        Some(line) => Err(TargetError::WrongKind {
            what: what(),
            detail: format!(
                "line {line} deletes a key or a value: this is a script that makes changes, not an export of the \
                    present state"
            ),
            hint: "give an export (`reg export KEY FILE`)",
        }),
        None => Ok(document),
    }
}

impl Target for RegTarget {
    fn uri(&self) -> String {
        format!("reg:{}", self.named.display())
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        one_file::refresh(self)?;
        Ok(queries.iter().map(|query| self.read_key(query).unwrap_or_else(Answer::Unread)).collect())
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        let mut missing = BTreeSet::new();
        let mut facts = |path: &String| match (file_names(path), &mut self.files) {
            (Err(why), _) => Answer::Unread(why),
            (Ok(('C', _)), Some(files)) => files.facts(path),
            (Ok((letter, _)), _) => {
                missing.insert(letter);
                let detail = match letter {
                    'C' => "an export contains no files; give the folder with the files of drive C",
                    _ => "an export contains no files, and kbfix accepts only a folder with the files of drive C",
                };
                Answer::unread(Reason::Unknown, detail)
            }
        };
        let answers = paths.iter().map(&mut facts).collect();
        self.missing.append(&mut missing);
        Ok(answers)
    }

    fn missing_drives(&self) -> BTreeSet<char> {
        self.missing.clone()
    }

    fn control_set(&mut self) -> Result<Answer<u16>, TargetError> {
        one_file::refresh(self)?;
        let current = KeyPath::from_parts(RootKey::Hklm, r"SYSTEM\CurrentControlSet");
        if current.is_ok_and(|current| self.lists_any(&current)) {
            return Ok(Answer::Absent);
        }
        Ok(self.current_control_set().map_or_else(Answer::Unread, |set| set.map_or(Answer::Absent, Answer::Present)))
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        let lock = one_file::lock(self)?;
        self.files.iter_mut().for_each(DriveFolder::forget);
        Ok(lock)
    }

    fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        one_file::rehearse(self, changes)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        one_file::write(self, changes)
    }
}

#[cfg(test)]
mod tests;
