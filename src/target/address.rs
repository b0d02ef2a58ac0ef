//! How a user names a target: its URI, and what some kinds need beside it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A target as the user named it. It is written into journals, so that a rollback finds the same target again; it holds no
/// secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The URI, with an absolute path.
    pub uri: String,
    /// The folder that stands for drive C of an export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<PathBuf>,
    /// The ANSI code page of an export that is not in Unicode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_page: Option<u16>,
}

/// The kinds of target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The live registry of this machine.
    Local,
    /// A registry export.
    Reg(PathBuf),
    /// A snapshot.
    Snapshot(PathBuf),
}

/// Why a text names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{uri}` names no target: it is `local`, `reg:FILE` or `snapshot:FILE`")]
pub struct AddressError {
    /// The text.
    pub uri: String,
}

impl Address {
    /// From a URI, with paths made absolute.
    ///
    /// # Errors
    /// [`AddressError`] where the text is none of the kinds.
    pub fn new(uri: &str, files: Option<&Path>, code_page: Option<u16>) -> Result<Self, AddressError> {
        let mut address = Self { uri: uri.to_owned(), files: files.map(absolute), code_page };
        address.uri = match address.kind()? {
            Kind::Local => "local".to_owned(),
            Kind::Reg(path) => format!("reg:{}", absolute(&path).display()),
            Kind::Snapshot(path) => format!("snapshot:{}", absolute(&path).display()),
        };
        Ok(address)
    }

    /// Its kind.
    ///
    /// # Errors
    /// [`AddressError`] where the URI is none of the kinds.
    pub fn kind(&self) -> Result<Kind, AddressError> {
        let error = || AddressError { uri: self.uri.clone() };
        match self.uri.split_once(':') {
            None if self.uri == "local" => Ok(Kind::Local),
            Some((_, "")) => Err(error()),
            Some(("reg", path)) => Ok(Kind::Reg(path.into())),
            Some(("snapshot", path)) => Ok(Kind::Snapshot(path.into())),
            _ => Err(error()),
        }
    }
}

/// The path from the root, symbolic links left as they are; as given where the current folder is not known.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
