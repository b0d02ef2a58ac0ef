//! Where kbfix keeps what one run leaves for another: journals, and locks on other machines.

use std::path::PathBuf;

/// The default state folder: `%ProgramData%\kbfix` on Windows, `$XDG_STATE_HOME/kbfix` (without that,
/// `~/.local/state/kbfix`) elsewhere. `None` where the environment names none.
#[cfg(windows)]
pub fn default_folder() -> Option<PathBuf> {
    std::env::var_os("ProgramData").map(|folder| PathBuf::from(folder).join("kbfix"))
}

/// The default state folder: `%ProgramData%\kbfix` on Windows, `$XDG_STATE_HOME/kbfix` (without that,
/// `~/.local/state/kbfix`) elsewhere. `None` where the environment names none.
#[cfg(not(windows))]
pub fn default_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_STATE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .map(|folder| folder.join("kbfix"))
}
