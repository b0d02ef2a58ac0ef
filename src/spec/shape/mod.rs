//! The form of a document: checks it against the JSON schema, and explains every fault.
//!
//! `ambiguous` refuses scalars that readers of YAML interpret differently, and `suspicious` warns of slips. `accept`
//! accepts a document of the right form; any other is checked against the schema by `validate`, and `explain` turns each
//! error into a finding (with `hints` and `wording`).
//! `repair` removes what was reported, so that the rest is checked too.

pub(in crate::spec) mod accept;
pub(in crate::spec) mod ambiguous;
pub(in crate::spec) mod explain;
pub(in crate::spec) mod hints;
pub(in crate::spec) mod repair;
pub(in crate::spec) mod suspicious;
pub(in crate::spec) mod validate;
pub(in crate::spec) mod wording;
