//! Registry hive files (`regf`), read, recovered from their logs, checked, edited and made from nothing.
//!
//! In: the bytes of a primary file and of its `.LOG` files, or an open primary file. Out: keys and values, findings, the
//! bytes of a new primary file. Nothing here opens a file. Imports [`crate::registry`] only.
//!
//! A complete hive is read where something in it is asked for; one that is recovered, checked or edited is one buffer in
//! memory. A [`Node`] is a key's place in it; keys and values are read where they lie, and every place that a file names is
//! checked before it is used. A malformed key or value is an error of its own: the rest stays readable. Writing goes
//! through [`Hive::edit`], and [`Hive::to_bytes`] gives the file to save.
//!
//! Source for every structure: Maxim Suhanov, "Windows registry file format specification" (github.com/msuhanov/regf);
//! the items below name its sections.

mod base;
mod bin;
mod bytes;
mod check;
mod create;
mod edit;
mod error;
mod free_space;
mod hive;
mod largest;
mod list;
mod lookup;
mod name;
mod node;
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
pub use lookup::{Subkeys, Values};
pub use name::{NotUnicode, RawName};
pub use node::KeyNode;
pub use recover::{LogFormat, Recovery};
pub use save::{Filetime, LogsAfterSave};
pub use store::Source;
pub use value::ValueNode;
pub use walk::Walk;
