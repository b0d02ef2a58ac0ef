//! The errors of reading and editing a hive.

use super::Recovery;
use crate::registry::NameError;

/// An error of a hive, or of one key or value in it. An error of one key or value does not concern the others.
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
    /// A structure does not conform to the format.
    #[error("{structure} at file offset {offset:#x}: {problem}")]
    Malformed {
        /// The expected structure.
        structure: &'static str,
        /// The file offset.
        offset: u64,
        /// The problem.
        problem: &'static str,
    },
    /// The hive was not written completely, or is cut short, and none of the given logs completes it.
    #[error("the hive is incomplete, and its logs do not complete it: {why}")]
    Dirty {
        /// The reason why no log could be used, or what is missing.
        why: &'static str,
    },
    /// The base block is damaged, and none of the given logs has a copy of it.
    #[error("the base block's checksum is wrong, and no log completes the hive: {why}")]
    BaseBlock {
        /// The reason why no log could be used.
        why: &'static str,
    },
    /// The logs were applied, but the result is not a valid hive.
    #[error("after recovery ({recovery}) the hive is damaged: {source}")]
    Recovery {
        /// The applied log entries.
        recovery: Recovery,
        /// The problem of the result.
        source: Box<Error>,
    },
    /// The hive is dirty, so it was opened read-only.
    #[error("the hive is dirty and was opened for reading only")]
    ReadOnly,
    /// An earlier edit failed halfway; the hive in memory must be discarded.
    #[error("an earlier edit failed half way; open the hive again")]
    Broken,
    /// A name is not valid UTF-16.
    #[error("{structure} at file offset {offset:#x}: the name is not valid UTF-16")]
    NotUnicode {
        /// The structure with the name.
        structure: &'static str,
        /// The file offset.
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
    /// The key must not be deleted: it is the hive's root, or has the flag against deletion.
    #[error("the key `{0}` cannot be deleted")]
    Protected(String),
    /// Keys are nested more deeply than the registry allows.
    #[error("the registry allows 512 levels of keys")]
    TooDeep,
    /// Something is larger than this version of the format allows.
    #[error("{what} of {size} bytes or elements is more than this hive can hold ({limit})")]
    TooLarge {
        /// The thing that is too large.
        what: &'static str,
        /// The size.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

impl Error {
    /// Returns an error for a structure in the hive bins, at an offset as the file's own references use it.
    pub(super) fn cell(structure: &'static str, at: u32, problem: &'static str) -> Self {
        Self::Malformed { structure, offset: u64::from(at) + super::bytes::BASE_BLOCK_SIZE as u64, problem }
    }
}
