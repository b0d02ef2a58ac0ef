//! Registry exports and registration scripts in text form (`.reg`).
//!
//! The input is the bytes of a version 4 (`REGEDIT4`) or version 5 (`Windows Registry Editor Version 5.00`) file. This
//! module parses it into sections and entries with line numbers, edits it so that all other bytes stay, and writes new
//! version 5 scripts. It does no I/O.
//!
//! - Version 5 is UTF-16LE or UTF-8 after a byte order mark, otherwise bytes of an ANSI code page, as regedit reads it.
//! - Version 4 is bytes of an ANSI code page; so are the bytes of its `hex(1):`, `hex(2):` and `hex(7):` data.
//! - ANSI bytes outside ASCII are decoded only if the caller names the code page, because the file does not.
//!
//! Accepted are leading spaces, comments (lines with `;` or `#`, `;` after data), continuation lines with comments,
//! line ends CRLF, LF or CR, raw line breaks inside quoted strings, backslashes at the end of a key, text after a key,
//! values below a key that is deleted, and a Ctrl-Z at the end. regedit silently skips any other line. Here it is an
//! error, because what cannot be understood must not look absent; only [`Document::parse_lenient`] skips it, and
//! reports that.
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
pub use parse::{MAX_FILE, Skipped};
pub use script::{ScriptKey, ScriptValue, script};
pub use version::Version;

#[cfg(test)]
mod tests;
