//! The types of the registry: root keys, keys, value names, value types, data and views.
//!
//! This module parses, prints and compares them, and accesses no registry or file. Names are compared without regard to
//! case, as in Windows (see [`name`]), and printed as they were found. Data is a type number and bytes; both are kept
//! exactly as found.

mod alias;
pub mod control_set;
mod data;
mod data_document;
mod key;
mod link;
pub mod name;
pub mod notation;
mod lenient;
mod policy_branch;
mod root_key;
mod security;
pub mod sid;
mod upcase;
mod view;

pub use data::{Data, Decoded, ValueType};
pub use key::{KeyPath, KeyPathError};
pub use link::{LINK_VALUE, link_target, native_path};
pub use name::{KeyName, NameError, ValueName};
pub use policy_branch::PolicyBranch;
pub use root_key::RootKey;
pub use security::{KeyProperties, SecurityDescriptor};
pub use view::{Key, View};
