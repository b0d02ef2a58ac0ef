//! kbfix's default state folder, and folders of Windows itself.

use std::path::PathBuf;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{program_data, system_folder};

/// Returns the default state folder: `%ProgramData%\kbfix` on Windows, elsewhere `$XDG_STATE_HOME/kbfix` or
/// `~/.local/state/kbfix`.
///
/// Returns `None` if the system (on Windows) or the environment (elsewhere) names no such folder by an absolute path.
#[cfg(windows)]
pub fn default_folder() -> Option<PathBuf> {
    program_data().ok().map(|folder| folder.join("kbfix"))
}

/// Returns the default state folder: `%ProgramData%\kbfix` on Windows, elsewhere `$XDG_STATE_HOME/kbfix` or
/// `~/.local/state/kbfix`.
///
/// Returns `None` if the system (on Windows) or the environment (elsewhere) names no such folder by an absolute path.
#[cfg(not(windows))]
pub fn default_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_STATE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .map(|folder| folder.join("kbfix"))
}
