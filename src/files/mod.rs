//! Files on a disk: bounded reads, atomic replacement, and kbfix's own folders.

#[cfg(windows)]
pub mod long_path;
pub mod list;
pub mod pinned;
pub mod read;
pub mod replace;
pub mod state;
