//! The errors that reading or editing a hive can return.

use super::Recovery;
use crate::registry::NameError;

/// An error in a hive, or in one key or value of it. An error in one key or value does not affect the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not the primary file of a hive.
    #[error("this is not a registry hive: {0}")]
    NotAHive(&'static str),
    /// The file could not be read.
    #[error("file offset {offset:#x} could not be read: {problem}")]
    Unreadable {
        /// The file offset at which the read began.
        offset: u64,
        /// The system's message.
        problem: String,
    },
    /// kbfix does not support this version of the format.
    #[error("hive format {major}.{minor} is not supported; kbfix reads 1.3 to 1.6")]
    Version {
        /// The major version.
        major: u32,
        /// The minor version.
        minor: u32,
    },
    /// A structure in the file violates the format.
    #[error("{structure} at file offset {offset:#x}: {problem}")]
    Malformed {
        /// The kind of structure that was expected.
        structure: &'static str,
        /// The offset of the structure in the file.
        offset: u64,
        /// A description of the error in the structure.
        problem: &'static str,
    },
    /// The hive was not written completely, or is cut short, and no given log can complete it.
    #[error("the hive is incomplete (dirty), and its logs cannot complete it: {why}")]
    Dirty {
        /// The reason why no log could be used, or what is missing.
        why: &'static str,
    },
    /// The base block is damaged, and no given log contains a copy of it.
    #[error("the base block's checksum is wrong, and no log can complete the hive: {why}")]
    BaseBlock {
        /// The reason why no log could be used.
        why: &'static str,
    },
    /// The logs were applied, but the result is not a valid hive.
    #[error("the logs were applied ({recovery}), but the resulting hive is damaged: {source}")]
    Recovery {
        /// Which log entries were applied.
        recovery: Recovery,
        /// A description of the error in the resulting hive.
        source: Box<Error>,
    },
    /// The hive is dirty, so it was opened for reading only.
    #[error("the hive is incomplete (dirty) and was opened for reading only")]
    ReadOnly,
    /// An earlier edit failed halfway; the hive in memory must be discarded.
    #[error("an earlier edit failed halfway; open the hive again")]
    Broken,
    /// A name is not valid UTF-16.
    #[error("{structure} at file offset {offset:#x}: the name is not valid UTF-16")]
    NotUnicode {
        /// The kind of structure that contains the name.
        structure: &'static str,
        /// The offset of the structure in the file.
        offset: u64,
    },
    /// The registry does not allow a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The key to change does not exist.
    #[error("there is no key `{0}` in the hive")]
    NoSuchKey(String),
    /// The key to delete has subkeys.
    #[error("the key `{0}` has subkeys")]
    HasSubkeys(String),
    /// The key must not be deleted: it is the hive's root, or a flag of the key forbids it.
    #[error("the key `{0}` must not be deleted: it is the root of the hive or is marked as not deletable")]
    Protected(String),
    /// Keys are nested more deeply than the registry allows.
    #[error("keys are nested too deeply: the registry allows 512 levels")]
    TooDeep,
    /// Something is larger than the version of this hive allows.
    #[error("{what} of {size} bytes or elements is more than this hive can store (limit {limit})")]
    TooLarge {
        /// The name of the thing that is too large.
        what: &'static str,
        /// The size in bytes or elements.
        size: usize,
        /// The largest allowed size.
        limit: usize,
    },
}

impl Error {
    /// Returns an error for a structure in the hive bins. `at` is an offset from the start of the bins, as references
    /// in the file use it.
    pub(super) fn cell(structure: &'static str, at: u32, problem: &'static str) -> Self {
        Self::Malformed { structure, offset: u64::from(at) + super::bytes::BASE_BLOCK_SIZE as u64, problem }
    }
}
