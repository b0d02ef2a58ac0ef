//! Finds the specs of a run that require further changes after the changes of later specs, because a condition of them
//! is then true.

use super::{Outcome, Plan, SpecPlan, Truth, condition, gate::counts};
use crate::{
    observe::Reader,
    spec::{Spec, model::KeyRule},
};

/// Returns the ids of the specs that require further changes after the changes of later specs. Only specs count that
/// are not applicable, in desired state, or have planned changes. `plans` contains the plans of `specs`, in the same
/// order. `reader` must answer as if all changes had been made. `changes` returns whether a spec requires changes in
/// this state.
pub(super) fn ids<'a>(
    specs: &[Spec],
    plans: impl Iterator<Item = &'a SpecPlan>,
    reader: &Reader<'_>,
    changes: impl Fn(&Spec) -> bool,
) -> Vec<String> {
    let plans: Vec<&SpecPlan> = plans.collect();
    let Some(last) = plans.iter().rposition(|plan| !plan.changes.is_empty()) else { return Vec::new() };
    let earlier = specs.iter().zip(plans).take(last);
    let unsettled = earlier.filter(|(spec, plan)| {
        let may_change = match plan.outcome {
            Outcome::NotApplicable => is_applicable(spec, reader),
            outcome => counts(outcome) && spec.rules.iter().any(has_condition),
        };
        may_change && changes(spec)
    });
    unsettled.map(|(spec, _)| spec.id.clone()).collect()
}

fn is_applicable(spec: &Spec, reader: &Reader<'_>) -> bool {
    let holds = |condition| condition::holds(condition, None, spec, reader, &mut Vec::new()) == Truth::Met;
    spec.applicable.as_ref().is_some_and(holds)
}

fn has_condition(rule: &KeyRule) -> bool {
    rule.when.is_some() || rule.done_when.is_some() || rule.values().iter().any(|value| value.when.is_some())
}

/// Returns a sentence about an id in `unsettled` of a loaded plan that is not the id of a spec before one
/// with changes; `None` if all ids are.
pub(super) fn fault(plan: &Plan) -> Option<String> {
    let last = plan.specs.iter().rposition(|spec| !spec.changes.is_empty()).unwrap_or_default();
    let is_earlier = |id: &&String| plan.specs.iter().take(last).any(|spec| spec.id == **id);
    let wrong = plan.unsettled.iter().find(|id| !is_earlier(id))?;
    Some(format!("`unsettled` contains {wrong}, which is not a spec before a spec with changes"))
}
