//! The versions of the `.reg` format.

/// The version in a file's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `REGEDIT4`.
    V4,
    /// `Windows Registry Editor Version 5.00`.
    V5,
}
