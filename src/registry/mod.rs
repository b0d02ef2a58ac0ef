//! The words of the registry: root keys, keys, value names, types, data, views.
//!
//! Everything here parses, prints and compares; nothing does I/O. Names compare as Windows compares them (without
//! case, see [`name`]) and print as they were found. Data is a type number and bytes, never a guess at their meaning.

mod alias;
mod data;
mod data_document;
mod key;
mod link;
pub mod name;
pub mod notation;
mod lenient;
mod security;
pub mod sid;
mod upcase;
mod view;

pub use data::{Data, Decoded, ValueType};
pub use key::{KeyPath, KeyPathError, RootKey};
pub use link::{LINK_VALUE, link_target, native_path};
pub use name::{KeyName, NameError, ValueName};
pub use security::{KeyProperties, SecurityDescriptor};
pub use view::{Key, View};
