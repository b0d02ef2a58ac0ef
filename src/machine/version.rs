//! The file version of an executable file (four 16-bit numbers, compared from left to right) and its platform.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file version, such as `6.5.7651.19`: four numbers, as in the VS_FIXEDFILEINFO of a PE file.
///
/// Source: Microsoft, "VS_FIXEDFILEINFO structure" (`dwFileVersionMS`, `dwFileVersionLS`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct FileVersion(pub [u16; 4]);

/// The error for a string that is not a file version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a file version; expected four numbers from 0 to 65535 with dots between, such as 6.5.7651.19")]
pub struct FileVersionError(pub String);

impl FileVersion {
    /// Returns the version from its two 32-bit halves in VS_FIXEDFILEINFO.
    pub fn from_halves(most: u32, least: u32) -> Self {
        Self([(most >> 16) as u16, most as u16, (least >> 16) as u16, least as u16])
    }
}

impl FromStr for FileVersion {
    type Err = FileVersionError;

    fn from_str(text: &str) -> Result<Self, FileVersionError> {
        let error = || FileVersionError(text.to_owned());
        let mut numbers = [0; 4];
        let mut parts = text.split('.');
        for number in &mut numbers {
            let part = parts.next().ok_or_else(error)?;
            if part.is_empty() || part.len() > 5 || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(error());
            }
            *number = part.parse().map_err(|_| error())?;
        }
        if parts.next().is_some() { Err(error()) } else { Ok(Self(numbers)) }
    }
}

impl TryFrom<String> for FileVersion {
    type Error = FileVersionError;
    fn try_from(text: String) -> Result<Self, FileVersionError> {
        text.parse()
    }
}

impl From<FileVersion> for String {
    fn from(version: FileVersion) -> String {
        version.to_string()
    }
}

impl fmt::Display for FileVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "{a}.{b}.{c}.{d}")
    }
}

impl fmt::Debug for FileVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The processor for which a PE file was built.
///
/// Source: Microsoft, "PE Format", Machine Types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// 32-bit x86 (IMAGE_FILE_MACHINE_I386).
    X86,
    /// 64-bit x86 (IMAGE_FILE_MACHINE_AMD64).
    X64,
    /// 64-bit ARM (IMAGE_FILE_MACHINE_ARM64).
    Arm64,
    /// Itanium (IMAGE_FILE_MACHINE_IA64), which Windows Server 2003 supported.
    Ia64,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86 => "x86",
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
            Self::Ia64 => "ia64",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let v = |text: &str| text.parse::<FileVersion>().unwrap();
        assert!(v("6.5.7651.19") > v("6.5.7638.1"));
        assert!(v("10.0.0.0") > v("9.65535.65535.65535"));
        assert_eq!(v("6.5.7651.019"), v("6.5.7651.19"));
        assert_eq!(FileVersion::from_halves(0x0006_0005, 0x1DE3_0013), v("6.5.7651.19"));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "6.5", "6.5.7651", "6.5.7651.19.0", "6.5.7651.65536", "6.5.7651.x", "6.5..1", "+1.0.0.0"] {
            assert!(text.parse::<FileVersion>().is_err(), "{text}");
        }
    }
}
