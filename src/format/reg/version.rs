//! The versions of the `.reg` format.

/// The two versions of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `REGEDIT4`.
    V4,
    /// `Windows Registry Editor Version 5.00`.
    V5,
}
