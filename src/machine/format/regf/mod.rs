//! Registry hive files (format `regf`): reads them, recovers them from their logs, checks, edits and creates them.
//!
//! The input is the bytes of a primary file and of its `.LOG` files, or an open primary file. The results are keys and
//! values, findings, and the bytes of a new primary file. This module opens no files, and imports only
//! [`crate::registry`] from this crate.
//!
//! A complete hive is read on demand. A hive that is recovered, checked or edited is kept in memory as one buffer. A
//! [`Node`] is the offset of a key. Keys and values are read directly from the bytes of the hive, and every offset in
//! the file is checked before it is used. If a key or value is malformed, the others can still be read. Edits go
//! through [`Hive::edit`], and [`Hive::to_bytes`] returns the file to save.
//!
//! Source for every structure: Maxim Suhanov, "Windows registry file format specification" (github.com/msuhanov/regf);
//! the submodules name its sections.

mod above;
mod base;
mod bin;
mod bytes;
mod check;
mod create;
mod edit;
mod error;
mod free_space;
mod hash;
mod hive;
mod largest;
mod list;
mod lookup;
mod name;
mod node;
mod ordered;
mod owners;
mod recover;
mod save;
mod security;
mod store;
mod value;
mod walk;

pub use check::{Finding, Severity, worse};
pub use edit::Editor;
pub use error::Error;
pub use hive::{Hive, Node, State};
pub(crate) use lookup::Above;
pub use lookup::{Subkeys, Values};
pub use name::{NotUnicode, RawName};
pub use node::KeyNode;
pub use recover::{LogFormat, Recovery};
pub use save::{Filetime, LogsAfterSave};
pub use store::Source;
pub use value::ValueNode;
pub use walk::Walk;
