//! The text of registry exports and registration scripts (`.reg`).
//!
//! In: the bytes of a version 4 (`REGEDIT4`) or version 5 (`Windows Registry Editor Version 5.00`) file. Out: its sections
//! and entries with line numbers, edits that keep every byte they do not concern, and fresh version 5 scripts. No I/O.
//!
//! - Version 5 is UTF-16LE or UTF-8 behind a byte order mark, else bytes of an ANSI code page, as regedit reads it.
//! - Version 4 is bytes of an ANSI code page, and so are the bytes of its `hex(1):`, `hex(2):` and `hex(7):` data.
//! - ANSI bytes outside ASCII are decoded only when the caller names the code page: nothing in the file does.
//!
//! What is read: leading blanks, comments (`;` and `#` lines, `;` behind data), continuation lines with comments, line ends
//! CRLF, LF or CR, raw line breaks inside quoted strings, backslashes at the end of a key, text after it, values below a key
//! that is deleted, a Ctrl-Z at the end. What regedit passes over in silence (a line that is none of these) is an error here, as
//! what cannot be understood must not look absent, except to [`Document::parse_lenient`], which says what it skipped.
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
