//! Writes changes to hive files. All changes are first made in memory; then the files are replaced, one after the
//! other.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    OfflineRegistry,
    file::NewHive,
    memory::{Spot, halted},
};
use crate::{
    files::canonical::canonical,
    targets::{KeyChange, Lock, WriteError, WriteFailure, lock::lock_beside},
};

impl OfflineRegistry {
    /// Makes the changes in memory, and then replaces the files that changed.
    ///
    /// # Errors
    /// Returns [`WriteFailure`]. If a file could not be replaced, the files before it were already replaced, and this
    /// file may have been replaced. After any other error, no file was replaced.
    pub(in crate::targets) fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        let written = self.carry_out(changes);
        // After any result, the next question reads the files again.
        self.forget();
        written
    }

    fn carry_out(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        let mut spots = self.spots(changes)?;
        let _locks = self.lock_hives(&spots)?;
        // Another program may have written the files without taking the lock.
        if self.forget_stale() {
            spots = self.spots(changes)?;
        }
        let files = self.edit(changes, &spots)?;
        let mut begun = BTreeSet::new();
        for (number, new) in files {
            begun.insert(number);
            if let Err(error) = self.replace(number, new) {
                // A file that had changed was not written, so its changes were not begun.
                if matches!(error, WriteError::Stale { .. }) {
                    begun.remove(&number);
                }
                let of_begun = changes.iter().zip(&spots).filter(|(_, (mount, _))| begun.contains(mount));
                return Err(WriteFailure { error, begun: of_begun.map(|(change, _)| change.clone()).collect() });
            }
        }
        Ok(())
    }

    /// Replaces the file of the mounted hive with this index. For the calls of the guard function, see
    /// [`HiveFile::replace`](super::file::HiveFile::replace).
    fn replace(&mut self, number: usize, new: NewHive) -> Result<(), WriteError> {
        let (guard, key, place) = (self.guard, self.mounts[number].key.clone(), self.what_is(number));
        let file = self.opened(number).map_err(|halt| halted(&place, halt))?;
        file.replace(new, || guard(&key))
    }

    /// Locks the hive files in which changes are made, so that another process of kbfix does not write to one of them
    /// at the same time. If `lock_files` is false, takes no lock.
    fn lock_hives(&mut self, spots: &[Spot]) -> Result<Vec<Lock>, WriteError> {
        let mut locks: BTreeMap<usize, Lock> = BTreeMap::new();
        if !self.lock_files {
            return Ok(Vec::new());
        }
        for (mount, _) in spots {
            if let Ok(path) = self.mounts[*mount].file.clone()
                && !locks.contains_key(mount)
            {
                let path =
                    canonical(&path).map_err(|source| WriteError::Io { place: path.display().to_string(), source })?;
                let lock = lock_beside(&path).map_err(|error| error.refusal(&path.display().to_string()))?;
                locks.insert(*mount, lock);
            }
        }
        Ok(locks.into_values().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::targets::offline::write::*;
    use crate::{
        format::regf::{Filetime, Hive},
        registry::{Data, KeyPath, ValueName},
        targets::{ChangeAction, ValueChange},
    };

    /// A guard that reports that the hive is loaded.
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
        let create = KeyChange::new(key, ChangeAction::Create, vec![value]);
        match registry.write(std::slice::from_ref(&create)) {
            Err(WriteFailure { error: WriteError::Stale { place, found, .. }, begun }) => {
                assert_eq!(begun, []);
                assert_eq!((place.as_str(), found.as_str()), (r"HKU\S-1-5-21-1-2-3-1001", "loaded"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read(&path).unwrap(), bytes);
        // Nothing is replaced, so the guard is not called.
        registry.write(&[]).unwrap();
        registry.guard(|_| Ok(()));
        registry.write(&[create]).unwrap();
        assert_ne!(fs::read(&path).unwrap(), bytes);
    }

    /// The number of calls of [`loaded_later`].
    #[cfg(target_os = "linux")]
    static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

    /// A guard that reports from its second call on that the hive is loaded.
    #[cfg(target_os = "linux")]
    fn loaded_later(hive: &KeyPath) -> Result<(), WriteError> {
        if CALLS.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 { Ok(()) } else { loaded(hive) }
    }

    /// Sets or removes a flag that prevents even root from writing to the file. Returns whether this succeeded.
    #[cfg(target_os = "linux")]
    fn set_immutable(path: &std::path::Path, is_immutable: bool) -> bool {
        use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
        let file = fs::File::open(path).unwrap();
        ioctl_getflags(&file).is_ok_and(|mut flags| {
            flags.set(IFlags::IMMUTABLE, is_immutable);
            ioctl_setflags(&file, flags).is_ok()
        })
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_hive_that_was_replaced_before_its_user_logged_on_is_reported_as_begun() {
        let folder = tempfile::tempdir().unwrap();
        let (path, log) = (folder.path().join("NTUSER.DAT"), folder.path().join("NTUSER.DAT.LOG1"));
        let bytes = Hive::create(Filetime::now()).unwrap().to_bytes(Filetime::now()).unwrap();
        fs::write(&path, &bytes).unwrap();
        fs::write(&log, "log").unwrap();
        // For root, the mode prevents nothing; without the privilege to set the flag, there is nothing to test.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o444);
        fs::set_permissions(&log, mode).unwrap();
        let is_immutable = set_immutable(&log, true);
        if fs::File::options().append(true).open(&log).is_ok() {
            return eprintln!("SKIPPED: this user can write to every file, and cannot set the flag");
        }
        let mount: KeyPath = r"HKU\S-1-5-21-1-2-3-1001".parse().unwrap();
        let mut registry = OfflineRegistry::new("this machine".to_owned(), false, true);
        registry.mount(mount, Ok(path.clone()));
        registry.guard(loaded_later);
        let key = r"HKU\S-1-5-21-1-2-3-1001\Software".parse().unwrap();
        let change = KeyChange::new(key, ChangeAction::Create, Vec::new());
        let failure = registry.write(std::slice::from_ref(&change)).unwrap_err();
        if is_immutable {
            assert!(set_immutable(&log, false));
        }
        assert_ne!(fs::read(&path).unwrap(), bytes);
        assert!(matches!(failure.error, WriteError::Denied { .. } | WriteError::Io { .. }), "{failure}");
        assert_eq!(failure.begun, [change]);
    }

    /// The file that Windows writes while the user of the second hive logs on and off, and its bytes.
    static WRITTEN: std::sync::Mutex<Option<(std::path::PathBuf, Vec<u8>)>> = std::sync::Mutex::new(None);

    /// A guard that reports that no hive is loaded, because the user has logged off again.
    fn logged_on_and_off(hive: &KeyPath) -> Result<(), WriteError> {
        if hive.to_string().ends_with("1002") {
            let (path, bytes) = WRITTEN.lock().unwrap().clone().unwrap();
            fs::write(path, bytes).unwrap();
        }
        Ok(())
    }

    #[test]
    fn what_windows_wrote_after_the_read_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let mut registry = OfflineRegistry::new("this machine".to_owned(), false, true);
        let mut changes = Vec::new();
        let mut paths = Vec::new();
        for user in ["1001", "1002"] {
            let path = folder.path().join(format!("NTUSER-{user}.DAT"));
            let mut hive = Hive::create(Filetime::now()).unwrap();
            fs::write(&path, hive.to_bytes(Filetime::now()).unwrap()).unwrap();
            let sid = format!(r"HKU\S-1-5-21-1-2-3-{user}");
            registry.mount(sid.parse().unwrap(), Ok(path.clone()));
            let key = format!(r"{sid}\Software").parse().unwrap();
            changes.push(KeyChange::new(key, ChangeAction::Create, Vec::new()));
            paths.push(path);
        }
        // The session of the user has changed the second hive.
        let mut hive = Hive::open(fs::read(&paths[1]).unwrap(), &[]).unwrap();
        hive.edit(Filetime::now()).unwrap().create_key("Session").unwrap();
        let session = hive.to_bytes(Filetime::now()).unwrap();
        *WRITTEN.lock().unwrap() = Some((paths[1].clone(), session.clone()));
        registry.guard(logged_on_and_off);
        let failure = registry.write(&changes).unwrap_err();
        assert!(matches!(&failure.error, WriteError::Stale { place, .. } if place.ends_with("NTUSER-1002.DAT")));
        // Only the first hive is to be undone.
        assert_eq!(failure.begun, changes[..1]);
        assert_eq!(fs::read(&paths[1]).unwrap(), session);
        let first = Hive::open(fs::read(&paths[0]).unwrap(), &[]).unwrap();
        assert!(first.find("Software").unwrap().is_some());
    }
}
