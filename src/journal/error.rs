//! Errors of journals and of the state folder.

use std::{
    io,
    path::{Path, PathBuf},
};

/// The reason why a journal or the state folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or folder could not be read or written, for example because the file is too large.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder that could not be read or written.
        path: PathBuf,
        /// The reason why the file or folder could not be read or written.
        source: io::Error,
    },
    /// There is neither a journal with this name in the folder, nor a file at this path.
    #[error(
        "there is no journal `{name}`: neither a file with this name, nor a journal in {}{}",
        folder.display(),
        if *has_folder { "" } else { ", which does not exist" }
    )]
    Missing {
        /// The name or path that was given for the journal.
        name: String,
        /// The folder with the journals, in the state folder. It contains no journal with this name.
        folder: PathBuf,
        /// Whether this folder exists.
        has_folder: bool,
    },
    /// Someone other than this account and the administrators can write to the file or folder, or owns it.
    #[error("{}: {fault}", path.display())]
    Untrusted {
        /// The file or folder to which someone else can write, or which someone else owns.
        path: PathBuf,
        /// A sentence that names the owner, or the account or permissions by which someone else can write.
        fault: String,
    },
    /// The time in the name of the newest journal is not valid, or is the latest possible time. So no later journal can
    /// be created.
    #[error(
        "{}: the time in its name is the latest possible one or not valid, so no later journal can be created",
        path.display()
    )]
    LastOfAll {
        /// The file of the newest journal. Because of the time in its name, no later journal can be created.
        path: PathBuf,
    },
    /// The address of the target names a folder whose path is not valid Unicode.
    #[error("{}: a journal cannot contain this path, because it is not valid Unicode", path.display())]
    NotUnicode {
        /// The folder in the address of the target whose path is not valid Unicode.
        path: PathBuf,
    },
    /// The file is damaged, or not a journal that this version of kbfix can read.
    #[error("{}, line {line}: {detail}", path.display())]
    Malformed {
        /// The file that cannot be read as a journal.
        path: PathBuf,
        /// The number of the line with the error, counted from 1.
        line: usize,
        /// A description of the error.
        detail: String,
    },
}

impl StoreError {
    /// Returns the file or folder that the error concerns; for [`StoreError::Missing`], the folder that was searched.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::Untrusted { path, .. }
            | Self::LastOfAll { path }
            | Self::NotUnicode { path }
            | Self::Malformed { path, .. } => path,
            Self::Missing { folder, .. } => folder,
        }
    }
}
