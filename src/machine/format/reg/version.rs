//! The versions of the `.reg` format.

/// The version that the header of a `.reg` file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Version 4, with the header `REGEDIT4`.
    V4,
    /// Version 5, with the header `Windows Registry Editor Version 5.00`.
    V5,
}
