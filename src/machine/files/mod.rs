//! Files on a disk: reading up to a size limit, atomic replacement, and the folders that kbfix uses.

pub mod canonical;
pub mod list;
#[cfg(windows)]
pub mod long_path;
pub mod pinned;
pub mod read;
pub mod replace;
pub mod state;
