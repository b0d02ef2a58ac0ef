//! Arguments that several commands share.

pub(in crate::cli) mod fail_on;
pub(in crate::cli) mod fleet;
pub(in crate::cli) mod packages;
pub(in crate::cli) mod plans;
pub(in crate::cli) mod request;
pub(in crate::cli) mod source;
pub(in crate::cli) mod specs;
pub(in crate::cli) mod targets;

use std::{ffi::OsStr, path::PathBuf};

/// Splits an argument `NAME=PATH` at the first `=`. The path need not be Unicode, except on Windows. Returns `None` if
/// there is no `=`, or one of the two parts is empty.
fn name_and_path(text: &OsStr) -> Option<(&str, PathBuf)> {
    #[cfg(unix)]
    let (name, path) = {
        use std::os::unix::ffi::OsStrExt as _;
        let bytes = text.as_bytes();
        let at = bytes.iter().position(|byte| *byte == b'=')?;
        (std::str::from_utf8(&bytes[..at]).ok()?, OsStr::from_bytes(&bytes[at + 1..]))
    };
    #[cfg(not(unix))]
    let (name, path) = text.to_str()?.split_once('=').map(|(name, path)| (name, OsStr::new(path)))?;
    (!name.is_empty() && !path.is_empty()).then(|| (name, path.into()))
}

// The headings of these arguments in the help.
const SPECS: &str = "Options for the specs";
const PLAN: &str = "Options for a saved plan";
const ACTIONS: &str = "Options for hotfixes and triggers";
const TARGET: &str = "Options for the target";
const FLEET: &str = "Options for the fleet";
