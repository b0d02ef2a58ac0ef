//! Reads and edits registry policy files (`Registry.pol`, `ntuser.pol`), which contain the registry settings of Group
//! Policy.
//!
//! A file consists of a header and a list of entries, each `[key;value;type;size;data]`: brackets and semicolons are
//! UTF-16LE, key and value name are UTF-16LE with a NUL at the end, type and size are four bytes. The key has no root
//! key. The path of the file determines whether the root key is HKLM or HKCU, so the caller must name the root key.
//! Windows processes the entries in order.
//!
//! A value name that begins with one of these, in any letter case, is an instruction instead (see [`Instruction`]):
//! `**del.NAME`, `**DelVals`, `**DeleteValues`, `**DeleteKeys`, `**SecureKey`, `**soft.NAME`, `**Comment:`.
//!
//! [`Document`] parses the bytes of a file, returns the setting of a value ([`Document::value`]), and edits the file
//! without changing other bytes. [`parse_lgpo`] and [`lgpo`] read and write such entries as text for LGPO.exe. This
//! module accesses no files.
//!
//! Source: Microsoft, "Registry Policy File Format" and \[MS-GPREG\] 2.2.1; Microsoft's LGPO tools for how instructions
//! are recognized.

mod document;
mod edit;
mod entry;
mod error;
mod parse;
mod state;
mod text;
mod text_reader;

pub use document::Document;
pub use edit::EditError;
pub use entry::{Entry, Instruction};
pub use error::{PolError, PolErrorKind};
pub use parse::MAX_FILE;
pub use state::{KeySetting, Setting};
pub use text::{TextAction, lgpo};
pub use text_reader::{TextEntry, TextError, TextErrorKind, is_lgpo, parse_lgpo};

#[cfg(test)]
mod tests;
