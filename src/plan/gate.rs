//! Decides from the checks of a spec whether its registry rules decide the outcome, and why not.

use super::{Check, Outcome, Part, Truth};

/// Returns whether a spec with this outcome is in desired state, or will be after its changes.
pub(super) fn counts(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::InDesiredState | Outcome::ChangesPending)
}

/// Returns the outcome that follows from the checks; `None` if they pass, so that the registry rules decide. Checks of
/// the part `cause` are ignored. If `installs` is true, the hotfix counts as installed. If `run_triggers` is true, a
/// trigger that is not done counts as done, because it will be written.
pub(super) fn gate(checks: &[Check], installs: bool, run_triggers: bool) -> Option<Outcome> {
    let of = |part: Part| {
        Truth::all(checks.iter().filter(|c| c.part == part).map(|check| with_request(check, run_triggers)))
    };
    let hotfix = if installs { Truth::Met } else { of(Part::Hotfix) };
    let before = Truth::all([of(Part::Prerequisite), of(Part::Deletion), hotfix, of(Part::Trigger)]);
    match (of(Part::Applicable), before) {
        (Truth::Unmet, _) => Some(Outcome::NotApplicable),
        (Truth::Unknown, _) | (Truth::Met, Truth::Unknown) => Some(Outcome::Unknown),
        (Truth::Met, Truth::Unmet) => Some(Outcome::Blocked),
        (Truth::Met, Truth::Met) => None,
    }
}

/// Returns the result of a check. If `run_triggers` is true, a trigger that is not done counts as done, because it will
/// be written.
pub(super) fn with_request(check: &Check, run_triggers: bool) -> Truth {
    match (check.part, check.result) {
        (Part::Trigger, Truth::Unmet) if run_triggers => Truth::Met,
        (_, result) => result,
    }
}

/// Returns a sentence for each fact with this result, in the checks that also have this result and that `which`
/// selects. Checks of the part `cause` are left out.
pub(super) fn reasons(checks: &[Check], result: Truth, which: impl Fn(&Check) -> bool) -> Vec<String> {
    let found = checks.iter().filter(|c| c.part != Part::Cause && which(c) && c.result == result);
    found.flat_map(|c| c.evidence.iter().filter(|e| e.result == result).map(|e| c.sentence(e))).collect()
}
