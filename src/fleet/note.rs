//! Notes: additional information for the operator about a result, besides its outcome.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::Code,
    operation::policy,
    plan::{Outcome, PendingRestart, SpecPlan},
    targets::{Facts, Target},
};

/// Additional information for the operator about the result of a spec on a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    /// The code of the note: `policy-owned`, `policy-unknown` or `pending-restart`.
    pub code: Code,
    /// The information about the result of the spec, as a sentence: for example, that Group Policy undoes the required
    /// state.
    pub text: String,
}

impl Note {
    /// Returns the notes about the result of one spec. `spec` is a part of a plan that was made from `facts`.
    pub(super) fn of(spec: &SpecPlan, facts: &Facts, target: &dyn Target) -> Vec<Self> {
        // The outcome itself shows that the machine waits for a restart, and its reasons show why.
        let pending = spec.pending_restart.as_ref().filter(|_| spec.outcome != Outcome::PendingRestart);
        let waits = pending.and_then(PendingRestart::sentence).map(|text| (Code::PENDING_RESTART, text));
        let all = policy::notes(spec, facts, target).into_iter().chain(waits);
        all.map(|(code, text)| Self { code, text }).collect()
    }
}
