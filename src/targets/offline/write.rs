//! Changes: each is checked and made in memory, the hives are checked, and only then are files replaced, one by one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::{
    format::regf::{Filetime, Finding, worse},
    registry::KeyProperties,
    targets::{
        Action, Answer, KeyChange, Lock, Reason, TargetError, Unread, WriteError, WriteFailure, lock::lock_beside,
        precondition,
    },
};

use super::{Halt, OfflineRegistry, file, resolve::Place};

/// How many findings a message names.
const SHOWN: usize = 3;

impl OfflineRegistry {
    /// Carries out the changes. Files are written only once all of them are made in memory, and only those that differ.
    ///
    /// # Errors
    /// [`WriteError`]: nothing was written; or, where a file could not be replaced, those before it were.
    pub(in crate::targets) fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        let written = self.carry_out(changes);
        // What is read from now on is the files again, whatever came of it.
        self.forget();
        written
    }

    /// Makes the changes in memory only, which shows whether the hives can hold them.
    ///
    /// # Errors
    /// [`WriteError`], as [`write`](Self::write), but for what only saving shows.
    pub(in crate::targets) fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        let made = changes.iter().try_for_each(|change| self.carry_out_one(change, None).map(drop));
        self.forget();
        made
    }

    fn carry_out(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        let _locks = self.lock_hives(changes)?;
        // The changes are checked against what is in the files now, also when somebody wrote them without the lock.
        self.forget();
        let mut before: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
        let mut mounts = Vec::new();
        for change in changes {
            mounts.push(self.carry_out_one(change, Some(&mut before))?);
        }
        let changed: Vec<usize> = before.keys().copied().filter(|n| self.is_changed(*n)).collect();
        for number in &changed {
            self.refuse_worse(*number, &before[number])?;
        }
        let mut begun = BTreeSet::new();
        for number in changed {
            let failed = |error, begun: &BTreeSet<usize>| {
                let of_begun = changes.iter().zip(&mounts).filter(|(_, mount)| begun.contains(mount));
                WriteFailure { error, begun: of_begun.map(|(change, _)| change.clone()).collect() }
            };
            (self.guard)(&self.mounts[number].key).map_err(|error| failed(error, &begun))?;
            begun.insert(number);
            self.save(number).map_err(|error| failed(error, &begun))?;
        }
        Ok(())
    }

    /// Replaces the file. Where that fails, the guard may know why.
    fn save(&mut self, number: usize) -> Result<(), WriteError> {
        let (guard, key, place) = (self.guard, self.mounts[number].key.clone(), self.what_is(number));
        let file = self.opened(number).map_err(|halt| halted(&place, halt))?;
        file.save().map_err(|error| guard(&key).err().unwrap_or(error))
    }

    /// Keeps another kbfix, which may have one of the hives as its whole target, from writing it meanwhile.
    fn lock_hives(&mut self, changes: &[KeyChange]) -> Result<Vec<Lock>, WriteError> {
        let mut locks: BTreeMap<usize, Lock> = BTreeMap::new();
        if !self.lock_files {
            return Ok(Vec::new());
        }
        for change in changes {
            let place = self.resolve(&change.key).map_err(|halt| halted(&change.key.to_string(), halt))?;
            if let Place::In { mount, .. } = place
                && let Ok(path) = self.mounts[mount].file.clone()
                && !locks.contains_key(&mount)
            {
                let path = fs::canonicalize(&path)
                    .map_err(|source| WriteError::Io { place: path.display().to_string(), source })?;
                let lock = lock_beside(&path).map_err(|error| error.refusal(&path.display().to_string()))?;
                locks.insert(mount, lock);
            }
        }
        Ok(locks.into_values().collect())
    }

    /// Makes a change in memory, and returns the number of the hive that it is in. `before` gets what is wrong with that hive
    /// before its first change.
    fn carry_out_one(
        &mut self,
        change: &KeyChange,
        before: Option<&mut BTreeMap<usize, Vec<Finding>>>,
    ) -> Result<usize, WriteError> {
        precondition::before(change, |query| {
            let refused = |error: TargetError| Answer::Unread(Unread::new(Reason::Malformed, error.to_string()));
            self.read(query).unwrap_or_else(refused)
        })?;
        let key = change.key.to_string();
        let (mount, below) = match self.resolve(&change.key).map_err(|halt| halted(&key, halt))? {
            Place::In { link: true, .. } if change.action != Action::Update => {
                let detail = "it is a link to another key, which is not created or deleted".to_owned();
                return Err(WriteError::Unsupported { place: key, detail });
            }
            Place::In { mount, below, .. } => (mount, below),
            Place::Above(_) | Place::Absent => {
                let detail = format!("{} does not hold it", self.what);
                return Err(WriteError::Unsupported { place: key, detail });
            }
        };
        let hive = &mut self.opened(mount).map_err(|halt| halted(&key, halt))?.hive;
        if let Some(before) = before {
            before.entry(mount).or_insert_with(|| hive.check());
        }
        let mut editor = hive.edit(Filetime::now()).map_err(|error| file::unsupported(&key, &error))?;
        match change.action {
            Action::Delete => return done(editor.delete_key(&below), &key).map(|()| mount),
            Action::Create => {
                done(editor.create_key(&below), &key)?;
                if let Some(KeyProperties { class, security }) = &change.properties {
                    done(editor.set_security(&below, security.bytes()), &key)?;
                    done(editor.set_class(&below, class.as_deref()), &key)?;
                }
            }
            Action::Update => {}
        }
        for value in &change.values {
            let place = change.place(&value.name);
            match &value.after {
                Some(data) => done(editor.set_value(&below, value.name.as_str(), data), &place)?,
                None => done(editor.delete_value(&below, value.name.as_str()), &place)?,
            }
        }
        Ok(mount)
    }

    fn is_changed(&self, number: usize) -> bool {
        matches!(&self.mounts[number].opened, Some(Ok(file)) if file.hive.is_changed())
    }

    fn what_is(&self, number: usize) -> String {
        let mount = &self.mounts[number];
        mount.file.as_ref().map_or_else(|_| mount.key.to_string(), |path| path.display().to_string())
    }

    /// A hive is saved only where the edits made nothing in it worse than it was.
    fn refuse_worse(&mut self, number: usize, before: &[Finding]) -> Result<(), WriteError> {
        let place = self.what_is(number);
        let hive = &self.opened(number).map_err(|halt| halted(&place, halt))?.hive;
        let new = worse(before, &hive.check());
        if new.is_empty() {
            return Ok(());
        }
        let shown: Vec<_> = new.iter().take(SHOWN).map(|f| format!("{} at {:#x}", f.message, f.offset)).collect();
        let detail =
            format!("the edited hive does not pass kbfix's own check, and was not saved: {}", shown.join("; "));
        Err(WriteError::Unsupported { place, detail })
    }
}

fn done(edited: Result<bool, crate::format::regf::Error>, place: &str) -> Result<(), WriteError> {
    edited.map(drop).map_err(|error| file::unsupported(place, &error))
}

fn halted(place: &str, halt: Halt) -> WriteError {
    match halt {
        Halt::Unread(why) => WriteError::Unsupported { place: place.to_owned(), detail: why.to_string() },
        Halt::Refused(error) => error.refusal(place),
    }
}

#[cfg(test)]
mod tests {
    use crate::targets::offline::write::*;
    use crate::{
        format::regf::Hive,
        registry::{Data, KeyPath, ValueName},
        targets::ValueChange,
    };

    /// What a guard says that finds the hive loaded.
    fn loaded(hive: &KeyPath) -> Result<(), WriteError> {
        let (expected, found) = ("not loaded".to_owned(), "loaded".to_owned());
        Err(WriteError::Stale { place: hive.to_string(), expected, found })
    }

    #[test]
    fn the_guard_is_asked_before_a_file_is_replaced_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("NTUSER.DAT");
        let bytes = Hive::create(Filetime::now()).unwrap().to_bytes(Filetime::now()).unwrap();
        fs::write(&path, &bytes).unwrap();
        let mount: KeyPath = r"HKU\S-1-5-21-1-2-3-1001".parse().unwrap();
        let mut registry = OfflineRegistry::new("this machine".to_owned(), false, true);
        registry.mount(mount, Ok(path.clone()));
        registry.guard(loaded);
        let name = ValueName::new("v").unwrap();
        let value = ValueChange { name, before: None, after: Some(Data::dword(1)) };
        let key = r"HKU\S-1-5-21-1-2-3-1001\Software".parse().unwrap();
        let create = KeyChange::new(key, Action::Create, vec![value]);
        match registry.write(std::slice::from_ref(&create)) {
            Err(WriteFailure { error: WriteError::Stale { place, found, .. }, begun }) => {
                assert_eq!(begun, []);
                assert_eq!((place.as_str(), found.as_str()), (r"HKU\S-1-5-21-1-2-3-1001", "loaded"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read(&path).unwrap(), bytes);
        // Nothing to replace, nothing to ask.
        registry.write(&[]).unwrap();
        registry.guard(|_| Ok(()));
        registry.write(&[create]).unwrap();
        assert_ne!(fs::read(&path).unwrap(), bytes);
    }
}
