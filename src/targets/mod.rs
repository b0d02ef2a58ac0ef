//! Targets: what kbfix reads the actual state from, and writes changes to.
//!
//! A target knows keys, values and files; it knows nothing of specs. Its primitives are few so that each kind of target
//! is small and so that one contract suite (`tests/targets/`) can hold all of them to the same behaviour:
//!
//! - a batch of keys is read, and a batch of files;
//! - a list of changes is written, each checked against what it says was there before;
//! - the target is locked while that happens.
//!
//! Absent, denied, malformed, unsupported and unknown are different answers (see [`Answer`]), and only absent is a state.

mod address;
mod answer;
mod change;
pub mod drives;
mod facts;
mod hive;
mod hku;
mod image;
#[cfg(windows)]
pub mod local;
pub mod lock;
mod offline;
mod open;
mod precondition;
mod profiles;
mod reg;
mod short_name;
pub mod smb;
mod snapshot;

use std::collections::BTreeSet;

pub use address::{Address, AddressError, Extra, Kind};
pub use answer::{Answer, FileFacts, KeyFacts, Reason, Unread};
pub use change::{Action, KeyChange, ValueChange};
pub use facts::{Facts, FilePath, Moved};
pub use hive::HiveTarget;
pub use image::ImageTarget;
pub use offline::{hive_logs, read_hive, read_log};
pub use open::open;
pub use reg::RegTarget;
pub use snapshot::{Snapshot, SnapshotTarget};

use crate::registry::{Key, ValueName};

/// A question about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyQuery {
    /// The key, as its view sees it. `HKCU` does not occur: it was resolved to a key below `HKU`.
    pub key: Key,
    /// Which of its values are read.
    pub values: Wanted,
    /// Whether the names of its subkeys are read.
    pub subkeys: bool,
}

impl KeyQuery {
    /// Whether it asks for all that is in the key, as the listing of a tree does.
    pub fn lists_all(&self) -> bool {
        self.subkeys && self.values == Wanted::All
    }
}

/// Which values of a key are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// These, none at all to learn only whether the key exists.
    Names(BTreeSet<ValueName>),
    /// Every value that the key has, its class name and its security descriptor: what would be lost with the key.
    All,
}

/// A place whose facts kbfix reads and, for most kinds, changes.
pub trait Target {
    /// The URI by which the user named it, without any secret.
    fn uri(&self) -> String;

    /// Answers each question, in the same order. Reading asks the system for no more than read rights.
    ///
    /// # Errors
    /// Only when the target as a whole cannot be read; what goes wrong with one key is in that key's answer.
    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError>;

    /// The facts of each file, in the same order. A path is absolute and Windows', such as `C:\Windows\System32\a.dll`.
    ///
    /// # Errors
    /// Only when the target as a whole cannot be read.
    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError>;

    /// Takes the target's lock, which holds until the guard is dropped. What is read from now on is the present state.
    ///
    /// # Errors
    /// [`TargetError::Locked`] when another apply holds it.
    fn lock(&mut self) -> Result<Lock, TargetError>;

    /// Whether changes that were planned just now can be written, as far as that is known without writing: a file may not be able to
    /// hold them.
    ///
    /// # Errors
    /// Why the write would be refused.
    fn rehearse(&mut self, _changes: &[KeyChange]) -> Result<(), WriteError> {
        Ok(())
    }

    /// Carries out the changes in their order. Before each, what the change names as `before` must be what is there.
    /// A target that is a file is replaced whole: all changes or none.
    ///
    /// # Errors
    /// [`WriteFailure`], which says how far it came.
    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure>;
}

/// Holds a target's lock until dropped.
pub struct Lock {
    _held: Box<dyn std::any::Any>,
}

impl Lock {
    /// A lock that is released when `held` is dropped.
    pub fn new(held: impl std::any::Any) -> Self {
        Self { _held: Box::new(held) }
    }
}

/// Why a target as a whole could not be read or locked.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The operating system refused or failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, with the path.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file that holds the lock could not be made, or something else has its name (its kind is then `AlreadyExists`).
    #[error("cannot lock {what}: {source}")]
    NoLock {
        /// The file of the lock.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is not what its URI says it is, or is damaged.
    #[error("{what}: {detail}")]
    Malformed {
        /// The file or place.
        what: String,
        /// What is wrong with it, and where.
        detail: String,
    },
    /// Another apply holds the lock.
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
        /// What it cannot do.
        detail: String,
    },
    /// It is another machine, which gives no answer.
    #[error("{what}: {trouble}")]
    Remote {
        /// The target.
        what: String,
        /// Why.
        trouble: smb::Trouble,
    },
}

impl TargetError {
    /// The same as the reason why changes at `place` were not written.
    fn refusal(self, place: &str) -> WriteError {
        let place = place.to_owned();
        match self {
            Self::Io { source, .. } | Self::NoLock { source, .. } => WriteError::Io { place, source },
            other => WriteError::Unsupported { place, detail: other.to_string() },
        }
    }
}

/// Why a change was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What is there is not what the change says was there before.
    #[error("{place}: expected {expected}, found {found}")]
    Stale {
        /// The key, and the value name where it is about one.
        place: String,
        /// What the change names as `before`.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The system refused the right to write.
    #[error("{place}: access denied")]
    Denied {
        /// The key, and the value name where it is about one.
        place: String,
    },
    /// The target cannot hold this: a name or data that its format cannot express, or a kind that is read only.
    #[error("{place}: {detail}")]
    Unsupported {
        /// The key, and the value name where it is about one.
        place: String,
        /// What cannot be done.
        detail: String,
    },
    /// Anything else that failed.
    #[error("{place}: {source}")]
    Io {
        /// The key or file.
        place: String,
        /// The system's error.
        source: std::io::Error,
    },
}

/// Why changes were not written, and how many of them may have been.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct WriteFailure {
    /// Why.
    pub error: WriteError,
    /// The changes that may have been made, in the order in which they were, the last perhaps in part. The others were not begun,
    /// so what is in their place is not this write's.
    pub begun: Vec<KeyChange>,
}

/// A refusal ahead of the first change.
impl From<WriteError> for WriteFailure {
    fn from(error: WriteError) -> Self {
        Self { error, begun: Vec::new() }
    }
}
