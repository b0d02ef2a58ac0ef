//! Errors in a policy file, with their positions.

/// The reason why kbfix cannot read a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("file offset {offset:#x}: expected {expected}, found {found}")]
pub struct PolError {
    /// The kind of error, which determines the hint.
    pub kind: PolErrorKind,
    /// The position in the file to which the error refers, in bytes from 0.
    pub offset: usize,
    /// A description of what was expected.
    pub expected: String,
    /// A description of what was found.
    pub found: String,
}

/// The kinds of [`PolError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolErrorKind {
    /// The file is larger than the limit of kbfix.
    TooLarge,
    /// The file does not begin with the signature `PReg`.
    Signature,
    /// The version of the format is not 1.
    Version,
    /// The next bytes are not the expected part of an entry.
    Syntax,
    /// The file ends inside the header or an entry.
    Unfinished,
}

impl PolErrorKind {
    /// Returns the hint for this kind of error: what the user can do about it, or what kbfix supports.
    pub fn hint(self) -> &'static str {
        match self {
            Self::TooLarge => "no policy file of Windows is this large; check that this is a Registry.pol",
            Self::Signature => "check that this file is a Registry.pol, which begins with the bytes PReg",
            Self::Version => "kbfix only reads version 1 of the format, because Microsoft documents no other version",
            Self::Syntax => {
                "the file is damaged, and Windows ignores the rest of it; restore it from a backup, or write it \
                    again with gpedit"
            }
            Self::Unfinished => "the file is incomplete or damaged; copy it again, or restore it from a backup",
        }
    }
}
