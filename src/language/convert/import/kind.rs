//! Recognizes by its content which kind of file an operator wants to import.

use crate::format::pol;

/// The kinds of files that kbfix recognizes before an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A `.reg` file.
    Reg,
    /// A policy file, such as `Registry.pol`.
    Pol,
    /// A text file for the tool LGPO.exe.
    Lgpo,
    /// A registry hive. kbfix does not import hives; a hive is a target.
    Hive,
    /// A manifest of Microsoft OSConfig, which [`super::osconfig`] imports.
    Manifest,
    /// Any other file, such as a spec.
    Other,
}

const HEADER_4: &[u8] = b"REGEDIT4";
const HEADER_5: &[u8] = b"Windows Registry Editor Version";

impl Kind {
    /// Returns the kind of a file with the content `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            [b'P', b'R', b'e', b'g', ..] => Self::Pol,
            [b'r', b'e', b'g', b'f', ..] => Self::Hive,
            _ if is_reg(bytes) => Self::Reg,
            _ if pol::is_lgpo(bytes) => Self::Lgpo,
            _ if is_manifest(bytes) => Self::Manifest,
            _ => Self::Other,
        }
    }
}

fn is_reg(bytes: &[u8]) -> bool {
    let text: Vec<u8> = match bytes {
        [0xFF, 0xFE, rest @ ..] => rest.iter().copied().take(2 * HEADER_5.len()).step_by(2).collect(),
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => rest.iter().copied().take(HEADER_5.len()).collect(),
    };
    text.starts_with(HEADER_4) || text == HEADER_5
}

/// Returns whether the bytes seem to be an OSConfig manifest: in the first 64 KiB, a line begins with `resources:`, a
/// field that no spec has, and no line begins with `kbfix:`.
fn is_manifest(bytes: &[u8]) -> bool {
    const MANY: usize = 64 << 10;
    let mut has_resources = false;
    for mut line in bytes[..bytes.len().min(MANY)].split(|byte| *byte == b'\n') {
        while let Some(rest) = line.strip_prefix("\u{feff}".as_bytes()) {
            line = rest;
        }
        if line.starts_with(b"kbfix:") {
            return false;
        }
        has_resources |= line.starts_with(b"resources:");
    }
    has_resources
}
