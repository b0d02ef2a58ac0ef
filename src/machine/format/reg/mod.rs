//! Reads, edits and writes registry exports and registration scripts (`.reg` files).
//!
//! The input is the bytes of a version 4 (`REGEDIT4`) or version 5 (`Windows Registry Editor Version 5.00`) file. This
//! module parses such a file into sections and entries with line numbers, edits it without changing any other byte, and
//! writes new version 5 scripts. It accesses no files.
//!
//! - A file with a byte order mark is UTF-16LE or UTF-8. Without one, it is in an ANSI code page, as for regedit.
//! - In a version 4 file, the bytes of `hex(1):`, `hex(2):` and `hex(7):` data are always in an ANSI code page.
//! - ANSI bytes outside ASCII are decoded only if the caller names the code page, because the file itself does not name
//!   it.
//!
//! The parser accepts leading spaces, comments (lines with `;` or `#`, `;` after data), continuation lines with
//! comments, line ends CRLF, LF or CR, raw line breaks inside quoted strings, backslashes at the end of a key, text
//! after a key, values below a key that is deleted, and a Ctrl-Z at the end. regedit silently skips any other line.
//! Here, such a line is an error, because kbfix would otherwise consider a value on it to be absent. Only
//! [`Document::parse_lenient`] skips such lines, and it returns them.
//!
//! Source: Microsoft, KB310516; Wine's `programs/regedit/tests`, which record what regedit on Windows does.

mod data;
mod document;
mod edit;
mod encoding;
mod entry;
mod error;
mod parse;
mod scan;
mod script;
mod version;

pub use document::{Document, Values};
pub use edit::{EditError, KeyEditor};
pub use encoding::CodePage;
pub use entry::{Content, Entry, Section};
pub use error::{RegError, RegErrorKind};
pub use parse::{MAX_FILE, MAX_SKIPPED, Skipped};
pub use script::{ScriptKey, ScriptValue, script};
pub use version::Version;

#[cfg(test)]
mod tests;
