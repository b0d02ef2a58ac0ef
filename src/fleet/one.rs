//! Opens and plans one machine of a fleet.

use super::{Case, Member, Note, Waivers};
use crate::{
    plan::{Plan, SpecPlan},
    spec::Spec,
    targets::{Kind, SnapshotTarget, Target, TargetError, open},
};

/// Plans specs on a target by calling `make`, and returns the plan and one case for each spec. `among` contains the
/// indexes of the waivers that apply to the machine. If they accept the whole spec or one of its changes, the spec is
/// not in the plan, but has a case.
pub(super) fn planned(
    target: &mut dyn Target,
    specs: &[Spec],
    waivers: &Waivers,
    among: &[usize],
    make: impl Fn(&mut dyn Target, &[Spec]) -> Result<Plan, TargetError>,
) -> Result<(Plan, Vec<Case>), String> {
    let mut plan = make(target, specs).map_err(|error| error.to_string())?;
    let cases = |plan: &Plan, target: &dyn Target| -> Vec<Case> {
        let case = |spec: &SpecPlan| Case::of(spec.clone(), Note::of(spec, &plan.facts, target), waivers, among);
        plan.specs.iter().map(case).collect()
    };
    let mut all = cases(&plan, target);
    // Each spec is planned as if the planned changes of the specs before it were made. Waived changes are not made, so
    // they do not count. Without them, a later spec can have changes that a waiver accepts.
    while all.iter().filter(|case| case.waived.is_none()).count() < plan.specs.len() {
        let rest: Vec<Spec> =
            specs.iter().zip(&all).filter(|(_, case)| case.waived.is_none()).map(|(spec, _)| spec.clone()).collect();
        plan = make(target, &rest).map_err(|error| error.to_string())?;
        let again = cases(&plan, target);
        let left = all.iter_mut().filter(|case| case.waived.is_none());
        left.zip(again).for_each(|(case, again)| *case = again);
    }
    Ok((plan, all))
}

/// Opens the snapshot of a machine; `None` if its target is not a snapshot. Returns the reason if the snapshot cannot
/// be opened, or the machine has no address.
pub(super) fn snapshot(member: &Member) -> Result<Option<SnapshotTarget>, String> {
    match member.address.as_ref().map_err(Clone::clone)?.kind() {
        Ok(Kind::Snapshot(path)) => SnapshotTarget::open(path).map(Some).map_err(|error| error.to_string()),
        _ => Ok(None),
    }
}

/// Opens the target of a machine. If the target is a snapshot, also returns the time at which the snapshot was taken.
pub(super) fn opened(member: &Member) -> Result<(Box<dyn Target>, Option<String>), String> {
    if let Some(snapshot) = snapshot(member)? {
        let taken = snapshot.snapshot().taken.clone();
        return Ok((Box::new(snapshot), Some(taken)));
    }
    let address = member.address.as_ref().map_err(Clone::clone)?;
    Ok((open(address).map_err(|error| error.to_string())?, None))
}
