//! The structure of a document: checks it against the JSON schema, and explains every error.
//!
//! `ambiguous` refuses scalars that YAML readers interpret differently, and `suspicious` warns about probable mistakes.
//! `accept` accepts a correct document quickly. Any other document is checked against the schema by `validate`, and
//! `explain` turns each error into a finding (with `hints` and `wording`). `repair` replaces the parts with errors, so
//! that the rest is checked as well.

pub(in crate::spec) mod accept;
pub(in crate::spec) mod ambiguous;
pub(in crate::spec) mod explain;
pub(in crate::spec) mod hints;
pub(in crate::spec) mod repair;
pub(in crate::spec) mod suspicious;
pub(in crate::spec) mod validate;
pub(in crate::spec) mod wording;
