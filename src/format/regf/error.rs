//! Why a hive, or one key or value of it, cannot be read or changed.

use super::Recovery;
use crate::registry::NameError;

/// What went wrong. An error of one key or value says nothing about the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is no primary file of a hive.
    #[error("this is not a registry hive: {0}")]
    NotAHive(&'static str),
    /// The file could not be read.
    #[error("file offset {offset:#x} could not be read: {problem}")]
    Unreadable {
        /// Where in the file reading began.
        offset: u64,
        /// What the system says.
        problem: String,
    },
    /// A version of the format that kbfix does not read.
    #[error("hive format {major}.{minor} is not supported; kbfix reads 1.3 to 1.6")]
    Version {
        /// The major version.
        major: u32,
        /// The minor version.
        minor: u32,
    },
    /// A structure is not as the format wants it.
    #[error("{structure} at file offset {offset:#x}: {problem}")]
    Malformed {
        /// What was expected there.
        structure: &'static str,
        /// Where in the file.
        offset: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The hive was not written completely, or is cut short, and no log that was given completes it.
    #[error("the hive is incomplete, and its logs do not complete it: {why}")]
    Dirty {
        /// Why no log could be used, or what is missing.
        why: &'static str,
    },
    /// The base block is damaged, and no log that was given has a copy of it.
    #[error("the base block's checksum is wrong, and no log completes the hive: {why}")]
    BaseBlock {
        /// Why no log could be used.
        why: &'static str,
    },
    /// The logs were applied, and what came out is no hive.
    #[error("after recovery ({recovery}) the hive is damaged: {source}")]
    Recovery {
        /// What was applied.
        recovery: Recovery,
        /// What is wrong.
        source: Box<Error>,
    },
    /// The hive was opened for reading only, since it is dirty.
    #[error("the hive is dirty and was opened for reading only")]
    ReadOnly,
    /// An earlier edit failed half way; the hive in memory must be thrown away.
    #[error("an earlier edit failed half way; open the hive again")]
    Broken,
    /// A name that text cannot hold.
    #[error("{structure} at file offset {offset:#x}: the name is not valid UTF-16")]
    NotUnicode {
        /// What has the name.
        structure: &'static str,
        /// Where in the file.
        offset: u64,
    },
    /// A name that the registry does not allow.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The key to change is not there.
    #[error("there is no key `{0}` in the hive")]
    NoSuchKey(String),
    /// A key with subkeys is deleted as a tree or not at all.
    #[error("the key `{0}` has subkeys")]
    HasSubkeys(String),
    /// A key that Windows does not delete: the hive's root, or one flagged so.
    #[error("the key `{0}` cannot be deleted")]
    Protected(String),
    /// Keys are nested more deeply than the registry allows.
    #[error("the registry allows 512 levels of keys")]
    TooDeep,
    /// More than the format, or this version of it, can hold.
    #[error("{what} of {size} bytes or elements is more than this hive can hold ({limit})")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

impl Error {
    /// A malformed structure in the hive bins, at an offset as the file's own pointers count.
    pub(super) fn cell(structure: &'static str, at: u32, problem: &'static str) -> Self {
        Self::Malformed { structure, offset: u64::from(at) + super::bytes::BASE_BLOCK_SIZE as u64, problem }
    }
}
