//! Targets: kbfix reads the present state from them and writes changes to them.
//!
//! A target knows keys, values and files, but no specs. It has few primitives, so that each kind of target is small and
//! one contract suite (`tests/engine/targets/`) can test that all of them behave the same:
//!
//! - read a batch of keys, a batch of files, and what event logs say;
//! - write a list of changes, each checked against its `before`;
//! - lock the target meanwhile.
//!
//! Absent, denied, malformed, unsupported and unknown are different answers (see [`Answer`]), and only absent is a
//! state.

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
mod open;
mod pol;
mod precondition;
mod profiles;
mod reg;
mod short_name;
pub mod smb;
mod snapshot;

use std::collections::BTreeSet;

pub use address::{Address, AddressError, Extra, Kind};
pub use answer::{Answer, FileFacts, KeyFacts, Reason, Unread};
pub use change::{ChangeAction, KeyChange, ValueChange};
pub use events::{EventAnswer, EventFacts, EventQuery, Since};
pub use facts::{Drift, Facts, FilePath};
pub use hive::HiveTarget;
pub use image::ImageTarget;
pub use offline::{hive_logs, read_hive, read_log};
pub use open::open;
pub use pol::PolTarget;
pub use reg::RegTarget;
pub use snapshot::{Snapshot, SnapshotTarget};

use crate::{
    diag::NamedOption,
    registry::{Key, ValueName},
};

/// A question about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyQuery {
    /// The key, in its view. A target on a running machine answers for `HKCU` with the caller's own hive or with
    /// unknown.
    pub key: Key,
    /// The values to read.
    pub values: ValueSelection,
    /// Whether to read the names of the subkeys.
    pub subkeys: bool,
}

impl KeyQuery {
    /// Returns whether the query asks for everything in the key, as the listing of a tree does.
    pub fn lists_all(&self) -> bool {
        self.subkeys && self.values == ValueSelection::All
    }
}

/// The values of a key to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueSelection {
    /// These; an empty set only asks whether the key exists.
    Names(BTreeSet<ValueName>),
    /// All values of the key, its class name and its security descriptor: everything that would be lost with the key.
    All,
}

/// A place whose facts kbfix reads and, for most kinds, changes.
pub trait Target {
    /// Returns the URI by which the user named the target, without any secret.
    fn uri(&self) -> String;

    /// Answers each question, in the same order. Opens nothing for writing.
    ///
    /// # Errors
    /// Returns an error only where the target as a whole cannot be read; an error about one key is in that key's
    /// answer.
    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError>;

    /// Returns the facts of each file, in the same order. A path is an absolute Windows path, such as
    /// `C:\Windows\System32\a.dll`.
    ///
    /// # Errors
    /// Returns an error only where the target as a whole cannot be read.
    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError>;

    /// Answers each question about events, in the same order. A log that the target does not have is absent.
    ///
    /// # Errors
    /// Returns an error only where the target as a whole cannot be read.
    fn read_events(&mut self, queries: &[EventQuery]) -> Result<Vec<Answer<EventFacts>>, TargetError> {
        let why = format!("{} has no event logs", self.uri());
        Ok(queries.iter().map(|_| Answer::unread(Reason::Unsupported, &why)).collect())
    }

    /// Returns the drives whose files were asked for and which nothing stands for, because the operator gave no folder.
    fn missing_drives(&self) -> BTreeSet<char> {
        BTreeSet::new()
    }

    /// Returns the number of the control set that `HKLM\SYSTEM\CurrentControlSet` leads to now. The answer is absent
    /// where that key leads to no other.
    ///
    /// # Errors
    /// Returns an error only where the target as a whole cannot be read.
    fn control_set(&mut self) -> Result<Answer<u16>, TargetError> {
        Ok(Answer::Absent)
    }

    /// Takes the target's lock until the guard is dropped. Reads after this call return the present state.
    ///
    /// # Errors
    /// Returns [`TargetError::Locked`] where another apply holds it.
    fn lock(&mut self) -> Result<Lock, TargetError>;

    /// Checks that no file in which these changes are is damaged in a way that prevents every change.
    ///
    /// # Errors
    /// Returns [`TargetError::Malformed`] for the first such file.
    fn refuse_damaged(&mut self, _changes: &[KeyChange]) -> Result<(), TargetError> {
        Ok(())
    }

    /// Checks whether changes that were just planned can be written, as far as that is known without writing: a file
    /// may be unable to hold them.
    ///
    /// # Errors
    /// Returns why the write would be refused.
    fn rehearse(&mut self, _changes: &[KeyChange]) -> Result<(), WriteError> {
        Ok(())
    }

    /// Makes the changes in their order. Before each, its `before` must match the present state.
    ///
    /// A file is replaced as a whole: all changes in it or none. An image has several files, which are replaced one
    /// after the other.
    ///
    /// # Errors
    /// Returns [`WriteFailure`], which says which changes may have been made.
    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure>;
}

/// A target's lock, held until this is dropped.
pub struct Lock {
    _held: Box<dyn std::any::Any>,
}

impl Lock {
    /// Returns a lock that is released when `held` is dropped.
    pub fn new(held: impl std::any::Any) -> Self {
        Self { _held: Box::new(held) }
    }
}

/// The reason why a target as a whole could not be read or locked.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The operating system reported an error.
    #[error("{what}: {source}")]
    Io {
        /// The file or action.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The lock file could not be created, or something else has its name (then the error is `AlreadyExists`).
    #[error("cannot lock {what}: {source}")]
    NoLock {
        /// The path of the lock file.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The target is damaged, or is not of the kind that its URI says.
    #[error("{what}: {detail}")]
    Malformed {
        /// The file or place.
        what: String,
        /// The problem and its place.
        detail: String,
        /// The option with which it can be read all the same, if there is one.
        option: Option<NamedOption>,
    },
    /// Another apply or rollback holds the lock.
    #[error("{what} is locked by another kbfix apply or rollback")]
    Locked {
        /// The target.
        what: String,
    },
    /// The target cannot do what was asked.
    #[error("{what}: {detail}")]
    Unsupported {
        /// The target.
        what: String,
        /// The action that is not supported.
        detail: String,
    },
    /// Another machine could not be asked.
    #[error("{what}: {trouble}")]
    Remote {
        /// The target.
        what: String,
        /// The reason.
        trouble: smb::Trouble,
    },
}

impl TargetError {
    /// Returns the error as the reason why changes at `place` were not written.
    fn refusal(self, place: &str) -> WriteError {
        let place = place.to_owned();
        match self {
            Self::Io { source, .. } | Self::NoLock { source, .. } => WriteError::Io { place, source },
            other => WriteError::Unsupported { place, detail: other.to_string() },
        }
    }
}

/// The reason why a change was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The present state differs from the change's `before`.
    #[error("{place}: expected {expected}, found {found}")]
    Stale {
        /// The key, with the value's name where the error is about a value.
        place: String,
        /// The `before` of the change.
        expected: String,
        /// The present state.
        found: String,
    },
    /// The system denied write access.
    #[error("{place}: access denied")]
    Denied {
        /// The key, with the value's name where the error is about a value.
        place: String,
    },
    /// The target cannot store the change: its format cannot express a name or data, or it is read-only.
    #[error("{place}: {detail}")]
    Unsupported {
        /// The key, with the value's name where the error is about a value.
        place: String,
        /// The action that is not supported.
        detail: String,
    },
    /// Another error of the system.
    #[error("{place}: {source}")]
    Io {
        /// The key or file.
        place: String,
        /// The system's error.
        source: std::io::Error,
    },
}

/// The reason why changes were not written, and the changes that may have been made.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct WriteFailure {
    /// The reason.
    pub error: WriteError,
    /// The changes that may have been made, in that order; the last one perhaps only in part. All other changes were
    /// not begun, so a different state in their place has another cause.
    pub begun: Vec<KeyChange>,
}

/// Converts an error from before the first change.
impl From<WriteError> for WriteFailure {
    fn from(error: WriteError) -> Self {
        Self { error, begun: Vec::new() }
    }
}
