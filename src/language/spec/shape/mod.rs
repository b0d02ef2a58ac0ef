//! The structure of a document: checks it against the JSON schema, and explains the errors.
//!
//! - `ambiguous` reports scalars that YAML readers interpret differently.
//! - `suspicious` warns about text that is probably a mistake.
//! - `accept` quickly accepts a document without errors.
//! - `validate` checks any other document against the schema.
//! - `explain` turns the errors into findings, with words from `hints` and `wording`.
//! - `repair` replaces the parts with errors, so that the other parts are checked as well.

pub(in crate::spec) mod accept;
pub(in crate::spec) mod ambiguous;
pub(in crate::spec) mod explain;
pub(in crate::spec) mod hints;
pub(in crate::spec) mod repair;
mod required;
pub(in crate::spec) mod suspicious;
pub(in crate::spec) mod validate;
pub(in crate::spec) mod wording;
