//! The errors that reading or editing a hive can return.

use super::Recovery;
use crate::registry::NameError;

/// An error in a hive, or in one key or value of it, or the reason why an edit was refused. In spite of an error in one
/// key or value, the others can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not the primary file of a hive. The text says why.
    #[error("this is not a registry hive: {0}")]
    NotAHive(&'static str),
    /// The file could not be read.
    #[error("file offset {offset:#x} could not be read: {problem}")]
    Unreadable {
        /// The offset in the file from which kbfix tried to read.
        offset: u64,
        /// The message of the operating system, or another reason.
        problem: String,
    },
    /// kbfix does not support this version of the hive format.
    #[error("hive format {major}.{minor} is not supported; kbfix reads 1.3 to 1.6")]
    Version {
        /// The major version.
        major: u32,
        /// The minor version.
        minor: u32,
    },
    /// A structure in the file does not have the form that the hive format requires.
    #[error("{structure} at file offset {offset:#x}: {problem}")]
    Malformed {
        /// The kind of the structure, such as key or value.
        structure: &'static str,
        /// The offset of the structure in the file.
        offset: u64,
        /// A description of what is wrong with the structure.
        problem: &'static str,
    },
    /// The hive was not written completely or is truncated, and none of the given logs can complete it.
    #[error("the hive is incomplete (dirty), and its logs cannot complete it: {why}")]
    Dirty {
        /// The reason why no log could be used, or a description of what is missing.
        why: &'static str,
    },
    /// The base block is so damaged that the version of the format is not known, and none of the given logs can
    /// complete the hive.
    #[error("the base block's checksum is wrong, and no log can complete the hive: {why}")]
    BaseBlock {
        /// The reason why no log could be used.
        why: &'static str,
    },
    /// The logs were applied to the hive, but the result is not a valid hive.
    #[error("the logs were applied ({recovery}), but the resulting hive is damaged: {source}")]
    Recovery {
        /// A description of the log entries that were applied.
        recovery: Recovery,
        /// The error in the hive that resulted.
        source: Box<Error>,
    },
    /// The hive was opened for reading only, because it was not written completely and no log could complete it.
    #[error("the hive is incomplete (dirty) and was opened for reading only")]
    ReadOnly,
    /// An earlier edit failed halfway; the hive in memory must be discarded.
    #[error("an earlier edit failed halfway; open the hive again")]
    Broken,
    /// A name in the hive is not valid UTF-16.
    #[error("{structure} at file offset {offset:#x}: the name is not valid UTF-16")]
    NotUnicode {
        /// The kind of structure that contains the name, such as key or value.
        structure: &'static str,
        /// The offset of the structure in the file.
        offset: u64,
    },
    /// A name is not valid in the registry.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The key to change does not exist.
    #[error("there is no key `{0}` in the hive")]
    NoSuchKey(String),
    /// The key to delete has subkeys.
    #[error("the key `{0}` has subkeys")]
    HasSubkeys(String),
    /// The key must not be deleted, because it, or a key below it, is the hive's root or has a flag that forbids it.
    #[error(
        "the key `{0}` must not be deleted: it is the root of the hive, or it or a key below it is marked as not deletable"
    )]
    Protected(String),
    /// Keys are nested more deeply than the registry allows.
    #[error("keys are nested too deeply: the registry allows 512 levels")]
    TooDeep,
    /// Data, a name, a list or the hive itself is larger than the hive's version of the format allows.
    #[error("{what} is too large for this hive: {size}; the limit is {limit}")]
    TooLarge {
        /// The number that is too large, with its unit, such as `the length of the data in bytes`.
        what: &'static str,
        /// The actual value of the number that `what` describes.
        size: usize,
        /// The largest value that is allowed for the number that `what` describes.
        limit: usize,
    },
}

impl Error {
    /// Returns the error for a malformed structure. `at` is its offset from the first hive bin, as in all references in
    /// the file.
    pub(super) fn cell(structure: &'static str, at: u32, problem: &'static str) -> Self {
        Self::Malformed { structure, offset: u64::from(at) + super::bytes::BASE_BLOCK_SIZE as u64, problem }
    }
}
