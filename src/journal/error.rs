//! Why a journal, or the folder of the journals, cannot be used.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a journal could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The operating system refused or failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// There is no journal of that name.
    #[error("there is no journal {name}, neither a file of that name nor one in {}", folder.display())]
    Missing {
        /// The name that was asked for.
        name: String,
        /// The folder that was looked in.
        folder: PathBuf,
    },
    /// Somebody else could have written it.
    #[error("{}: {fault}", path.display())]
    Untrusted {
        /// The file or folder.
        path: PathBuf,
        /// Who may write it.
        fault: String,
    },
    /// The folder has a journal of a time after which there can be no other.
    #[error("{}: it is of a time after which no other journal can be", path.display())]
    LastOfAll {
        /// The file.
        path: PathBuf,
    },
    /// The file is no journal, or damaged.
    #[error("{}, line {line}: {detail}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        detail: String,
    },
}

impl FolderError {
    /// The file or folder that it is about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::Untrusted { path, .. }
            | Self::LastOfAll { path }
            | Self::Malformed { path, .. } => path,
            Self::Missing { folder, .. } => folder,
        }
    }
}
