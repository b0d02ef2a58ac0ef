//! Folders of this system: where kbfix keeps what one run leaves for another, and where Windows has its programs.

use std::path::PathBuf;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::{program_data, system_folder};

/// Returns the default state folder: `%ProgramData%\kbfix` on Windows, `$XDG_STATE_HOME/kbfix` (without that,
/// `~/.local/state/kbfix`) elsewhere. `None` where the system, or elsewhere the environment, names none.
#[cfg(windows)]
pub fn default_folder() -> Option<PathBuf> {
    program_data().ok().map(|folder| folder.join("kbfix"))
}

/// Returns the default state folder: `%ProgramData%\kbfix` on Windows, `$XDG_STATE_HOME/kbfix` (without that,
/// `~/.local/state/kbfix`) elsewhere. `None` where the system, or elsewhere the environment, names none.
#[cfg(not(windows))]
pub fn default_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_STATE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .map(|folder| folder.join("kbfix"))
}
