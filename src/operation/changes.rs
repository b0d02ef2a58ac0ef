//! All changes of a plan in one list, as a target and a journal get them.
//!
//! The changes are moved out of the specs and back again, because copies of many changes take much memory.

use crate::{plan::Plan, targets::KeyChange};

/// The number of changes of each spec of a plan.
pub(super) struct Counts(Vec<usize>);

/// Moves the changes of all specs out of the plan, into one list. Also returns the number of changes of each spec,
/// which [`put_back`] needs.
pub(super) fn take(plan: &mut Plan) -> (Vec<KeyChange>, Counts) {
    let counts: Vec<usize> = plan.specs.iter().map(|spec| spec.changes.len()).collect();
    let mut all = Vec::new();
    for spec in &mut plan.specs {
        if all.is_empty() {
            all = std::mem::take(&mut spec.changes);
            all.reserve_exact(counts.iter().sum::<usize>() - all.len());
        } else {
            all.append(&mut spec.changes);
        }
    }
    (all, Counts(counts))
}

/// Moves the changes back to the specs from which [`take`] moved them.
pub(super) fn put_back(plan: &mut Plan, mut all: Vec<KeyChange>, Counts(counts): Counts) {
    for (spec, count) in plan.specs.iter_mut().zip(counts).rev() {
        let first = all.len() - count;
        spec.changes = if first == 0 { std::mem::take(&mut all) } else { all.split_off(first) };
        spec.changes.shrink_to_fit();
    }
}

/// Calls `ask` with the changes of all specs of the plan in one list, and returns its result. The plan stays as it is.
pub(super) fn with<T>(plan: &mut Plan, ask: impl FnOnce(&[KeyChange]) -> T) -> T {
    let (all, counts) = take(plan);
    let answer = ask(&all);
    put_back(plan, all, counts);
    answer
}
