//! Registry policy files (`Registry.pol`, `ntuser.pol`), in which Group Policy keeps what it sets in the registry.
//!
//! A file is a header and a list of entries, each `[key;value;type;size;data]`: brackets and semicolons are UTF-16LE, key
//! and value name are UTF-16LE with a NUL at the end, type and size are four bytes. The key has no root key: the place of
//! the file decides between HKLM and HKCU, so the caller says it. Windows carries out the entries in their order.
//!
//! A value name that begins with one of these, in any case, is an instruction instead (see [`Instruction`]):
//! `**del.NAME`, `**DelVals`, `**DeleteValues`, `**DeleteKeys`, `**SecureKey`, `**soft.NAME`, `**Comment:`.
//!
//! [`Document`] reads a file, says what it makes of a value ([`Document::value`]), and edits it so that all other bytes
//! stay. It does no I/O.
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
