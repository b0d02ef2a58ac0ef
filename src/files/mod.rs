//! Files on a disk: read up to a limit, replaced whole or not at all, and where kbfix keeps its own.

#[cfg(windows)]
pub mod long_path;
pub mod pinned;
pub mod read;
pub mod replace;
pub mod state;
