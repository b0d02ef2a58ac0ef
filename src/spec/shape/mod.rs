//! The form of a document: checked against the JSON schema, with every fault explained in words.
//!
//! `ambiguous` refuses scalars that readers of YAML take for different things, `suspicious` warns of slips; `validate` checks the
//! document against the schema, `explain` makes a finding of each of its errors (with `hints` and `wording`), and `repair`
//! takes out what was reported, so that the rest is checked too.

pub(in crate::spec) mod ambiguous;
pub(in crate::spec) mod explain;
pub(in crate::spec) mod hints;
pub(in crate::spec) mod repair;
pub(in crate::spec) mod suspicious;
pub(in crate::spec) mod validate;
pub(in crate::spec) mod wording;
