//! Targets: the systems and files from which kbfix reads the present state, and to which it writes changes.
//!
//! A target contains keys, values and files, and knows nothing of specs. Each kind of target has the same few
//! operations, so one test suite (`tests/engine/targets/`) can check that all kinds behave the same:
//!
//! - read a batch of keys, a batch of files, and events from event logs;
//! - write a list of changes, each checked against its `before`;
//! - lock the target while it is read and written.
//!
//! Absent, denied, malformed, unsupported, not configured and unknown are different answers (see [`Answer`] and
//! [`Reason`]). Only "absent" says that something does not exist; the others say why its state is not known.

mod address;
mod answer;
mod change;
mod control_set;
pub mod drives;
mod events;
mod facts;
mod hive;
mod hku;
mod image;
#[cfg(windows)]
pub mod local;
pub mod lock;
mod offline;
mod one_file;
mod open;
mod pol;
mod policy;
mod precondition;
mod profiles;
mod reg;
mod short_name;
pub mod smb;
mod snapshot;

use std::{collections::BTreeSet, path::Path};

pub use address::{Address, AddressError, Extra, Kind, may_be_of_users};
pub use answer::{Answer, FileFacts, KeyFacts, Reason, Unread};
pub use change::{ChangeAction, KeyChange, ValueChange};
pub use events::{EventAnswer, EventFacts, EventQuery, Since};
pub use facts::{Drift, Facts, FilePath, KnownKey};
pub use hive::HiveTarget;
pub use image::{ImageTarget, USERS_POLICY};
pub use offline::{hive_logs, read_hive, read_log};
pub use open::open;
pub use pol::{PolTarget, gpt_ini_of};
pub use policy::{
    PolicyEffect, PolicyFacts, PolicyQuery, PolicyScope, PolicySetting, PolicyStore, StoreAnswer, StoreFacts, Values,
};
pub use reg::RegTarget;
pub use snapshot::{Snapshot, SnapshotTarget};

use crate::{
    diag::Hint,
    registry::{Key, ValueName},
};

/// A question about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyQuery {
    /// The key, in the 32-bit or 64-bit view. In the target `local`, `HKCU` is the hive of the user who runs kbfix. In
    /// an image and on a remote machine, kbfix reads no keys below `HKCU`. An export, a hive file and a policy file can
    /// contain such keys.
    pub key: Key,
    /// The values of the key to read.
    pub values: ValueSelection,
    /// Whether to read the names of the key's subkeys.
    pub subkeys: bool,
}

impl KeyQuery {
    /// Returns whether the query asks for all values of the key and the names of all its subkeys.
    pub fn lists_all(&self) -> bool {
        self.subkeys && self.values == ValueSelection::All
    }
}

/// The values of a key that a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueSelection {
    /// The values with these names. A query with an empty set asks for no values, but still whether the key exists.
    Names(BTreeSet<ValueName>),
    /// All values of the key, its class name and its security descriptor, so that the key can be created again after it
    /// was deleted.
    All,
}

/// Whether a target contains policy stores (the files with the registry settings of Group Policy).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyStores {
    /// The target is a machine, or a snapshot with facts about the policy stores of a machine.
    Here,
    /// The target never contains policy stores, because it is an export, a hive file or a single policy file, or a
    /// snapshot of one of these.
    Elsewhere,
    /// The target is a snapshot of a machine that contains no facts about policy stores.
    NotTaken,
}

/// A system or file from which kbfix reads keys, values and files, and in which it changes keys and values.
pub trait Target {
    /// Returns the URI of the target, without any password. A path in it is that of the [`Address`].
    fn uri(&self) -> String;

    /// Answers each question about a key, in the same order. Opens nothing for writing.
    ///
    /// # Errors
    /// Returns an error only if the target as a whole cannot be read. If a single key cannot be read, the answer about
    /// this key says so.
    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError>;

    /// Returns the facts about each file, in the same order. A path is an absolute Windows path, such as
    /// `C:\Windows\System32\a.dll`.
    ///
    /// # Errors
    /// Returns an error only if the target as a whole cannot be read.
    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError>;

    /// Returns whether the target contains policy stores.
    fn policy_stores(&self) -> PolicyStores {
        PolicyStores::Elsewhere
    }

    /// Returns, for each query, the settings of the policy stores for the queried values. If the target contains no
    /// policy stores, the facts contain no answers.
    ///
    /// # Errors
    /// Returns an error only if the target as a whole cannot be read.
    fn read_policies(&mut self, queries: &[PolicyQuery]) -> Result<Vec<PolicyFacts>, TargetError> {
        Ok(queries.iter().cloned().map(PolicyFacts::not_covered).collect())
    }

    /// Answers each query about events, in the same order. The answer is absent if the target has event logs, but not
    /// the queried one.
    ///
    /// # Errors
    /// Returns an error only if the target as a whole cannot be read.
    fn read_events(&mut self, queries: &[EventQuery]) -> Result<Vec<Answer<EventFacts>>, TargetError> {
        let why = format!("{} has no event logs", self.uri());
        Ok(queries.iter().map(|_| Answer::unread(Reason::Unsupported, &why)).collect())
    }

    /// Returns whether values in the policy branches of `HKLM` are read and written in the local GPO of the target,
    /// instead of in its registry.
    fn through_policy(&self) -> bool {
        false
    }

    /// Returns the reason why Windows does not process the policy file to which this target writes, as a sentence. A
    /// successful write removes the reason. Returns `None` if Windows processes the file, if the file has no entries,
    /// was not read yet or is not part of a Group Policy object, and if the target writes to no policy file.
    ///
    /// # Errors
    /// Returns a sentence if it is not known whether Windows processes the file.
    fn unprocessed_policy(&self) -> Result<Option<String>, String> {
        Ok(None)
    }

    /// Returns the path of the target's file if the file does not exist and the first change would create it, otherwise
    /// `None`.
    fn missing_file(&self) -> Option<&Path> {
        None
    }

    /// Returns the drives whose files kbfix needed but could not read, because the operator gave no folder for them.
    fn missing_drives(&self) -> BTreeSet<char> {
        BTreeSet::new()
    }

    /// Returns the number of the control set to which `HKLM\SYSTEM\CurrentControlSet` leads now; malformed if the key
    /// does not lead to a control set. The answer is absent for a policy file and a snapshot, for an export that does
    /// not show to which control set the key leads, and if the key is not a link.
    ///
    /// # Errors
    /// Returns an error only if the target as a whole cannot be read.
    fn control_set(&mut self) -> Result<Answer<u16>, TargetError> {
        Ok(Answer::Absent)
    }

    /// Takes the target's lock, and holds it until the returned guard is dropped. After this call, reads return the
    /// present state, not a cached one.
    ///
    /// # Errors
    /// Returns [`TargetError::Locked`] if another run of kbfix holds the lock, or another error if the lock cannot be
    /// taken or the target cannot be read again.
    fn lock(&mut self) -> Result<Lock, TargetError>;

    /// Checks whether a file that these changes would edit has damage that makes every edit unsafe.
    ///
    /// # Errors
    /// Returns [`TargetError::Malformed`] for the first such file. A file that cannot be opened is no error here.
    fn refuse_damaged(&mut self, _changes: &[KeyChange]) -> Result<(), TargetError> {
        Ok(())
    }

    /// Checks, as far as this is possible without writing, whether planned changes can be written: for example, whether
    /// the format of a file can express them. Some kinds of targets check nothing.
    ///
    /// # Errors
    /// Returns the reason why [`Target::write`] would refuse the changes.
    fn rehearse(&mut self, _changes: &[KeyChange]) -> Result<(), WriteError> {
        Ok(())
    }

    /// Makes the changes; those in the same hive or file are made in their order. Before each change, the present state
    /// is checked against the `before` of the change.
    ///
    /// A file is replaced as a whole, so either all changes in it are made or none. The files of an image are replaced
    /// one after the other. The target `local` first replaces the hive files of users who are not logged on, and then
    /// changes the live registry.
    ///
    /// # Errors
    /// Returns [`WriteFailure`], which says which changes may have been made.
    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure>;
}

/// A lock on a target, held until this guard is dropped.
pub struct Lock {
    _held: Box<dyn std::any::Any>,
}

impl Lock {
    /// Returns a guard for a lock. The lock is released when `held` is dropped.
    pub fn new(held: impl std::any::Any) -> Self {
        Self { _held: Box::new(held) }
    }
}

/// The reason why a target as a whole could not be read or locked.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// A file or an action failed, in most cases with an error of the operating system.
    #[error("{what}: {source}")]
    Io {
        /// The file or the action that failed.
        what: String,
        /// The error; in most cases that of the system.
        source: std::io::Error,
    },
    /// The lock file could not be created or locked. If its name belongs to something that kbfix cannot use as a lock
    /// file, the kind of the error is `AlreadyExists`.
    #[error("cannot lock {what}: {source}")]
    NoLock {
        /// The path of the lock file.
        what: String,
        /// The error of the system, or the reason why kbfix cannot use the file.
        source: std::io::Error,
    },
    /// The content of the target is damaged, or is not valid for the kind of target that the URI names.
    #[error("{what}: {detail}")]
    Malformed {
        /// The path of the file or folder that is damaged.
        what: String,
        /// A description of what is wrong, and where.
        detail: String,
        /// What to do; `None` if the only remedy is another file.
        hint: Option<Hint>,
    },
    /// The target is something other than the URI names, such as a script instead of an export, or it has a version of
    /// its format that this kbfix cannot read.
    #[error("{what}: {detail}; {hint}")]
    WrongKind {
        /// The file or folder that is not what the URI names.
        what: String,
        /// A description of what kbfix found in the file or folder, for example an unknown version of the format.
        detail: String,
        /// What the operator can do, for example give another file.
        hint: &'static str,
    },
    /// Another run of kbfix that changes the target holds the lock.
    #[error("{what} is locked by another kbfix run")]
    Locked {
        /// The target that is locked.
        what: String,
    },
    /// kbfix cannot use the target as the URI and the options describe it: for example, its kind is not available on
    /// this system.
    #[error("{what}: {detail}")]
    Unsupported {
        /// The target, or the option that is not supported.
        what: String,
        /// What is not supported, as a sentence.
        detail: String,
    },
    /// kbfix would have to read more of the target than its limits allow.
    #[error("{what}: {detail}")]
    TooMuch {
        /// The target.
        what: String,
        /// The limit, as a sentence.
        detail: String,
    },
    /// A remote target could not be read or changed at all.
    #[error("{what}: {trouble}")]
    Remote {
        /// The URI of the remote target.
        what: String,
        /// The reason why the remote target could not be read or changed.
        trouble: smb::Trouble,
    },
}

impl TargetError {
    /// Converts the error into the reason why changes were not written. `place` is the key, file or folder that should
    /// have been changed.
    fn refusal(self, place: &str) -> WriteError {
        match self {
            Self::Io { what, source } | Self::NoLock { what, source } => match source.kind() {
                std::io::ErrorKind::PermissionDenied => WriteError::Denied { place: what },
                _ => WriteError::Io { place: what, source },
            },
            Self::Locked { what } if what == place => {
                WriteError::Unsupported { place: what, detail: "locked by another kbfix run".to_owned() }
            }
            other => WriteError::Unsupported { place: place.to_owned(), detail: other.to_string() },
        }
    }
}

/// The reason why a change was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The state of the target differs from the `before` of the change, or someone else has changed a hive since it was
    /// read.
    #[error("{place}: expected {expected}, found {found}")]
    Stale {
        /// The key (with the value name if the error concerns a value) or the file.
        place: String,
        /// The state of `place` that the change requires, as text.
        expected: String,
        /// The state of `place` that was found, as text.
        found: String,
    },
    /// The system denied access.
    #[error("{place}: access denied")]
    Denied {
        /// The key (with the value name if the error concerns a value), the file or the remote machine.
        place: String,
    },
    /// kbfix refuses the change: for example, the target's format cannot express the data, the present state could not
    /// be read, or a trial showed that the change could not be undone.
    #[error("{place}: {detail}")]
    Unsupported {
        /// The key (with the value name if the error concerns a value), the file or the folder.
        place: String,
        /// The reason why kbfix refuses the change.
        detail: String,
    },
    /// Another error occurred, in most cases one of the system.
    #[error("{place}: {source}")]
    Io {
        /// The key, value or file that should have been changed, or the remote machine.
        place: String,
        /// The error; in most cases that of the system.
        source: std::io::Error,
    },
}

/// The reason why some changes were not written, and which changes may have been made.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct WriteFailure {
    /// The reason why the changes were not written.
    pub error: WriteError,
    /// The changes that may have been made, completely or in part. Those in the same hive or file are in their order.
    ///
    /// All other changes were not begun. If their keys are not in the expected state, something else has changed these
    /// keys.
    pub begun: Vec<KeyChange>,
}

/// Converts an error that occurred before the first change was begun, so that `begun` is empty.
impl From<WriteError> for WriteFailure {
    fn from(error: WriteError) -> Self {
        Self { error, begun: Vec::new() }
    }
}
