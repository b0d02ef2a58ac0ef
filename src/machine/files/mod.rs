//! Files on a disk: bounded reads, atomic replacement, and kbfix's own folders.

pub mod canonical;
pub mod list;
#[cfg(windows)]
pub mod long_path;
pub mod pinned;
pub mod read;
pub mod replace;
pub mod state;
