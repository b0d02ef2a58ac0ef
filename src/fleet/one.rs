//! Opens and plans one machine of a fleet.

use super::{Case, Member, Note, Waivers};
use crate::{
    plan::{Plan, SpecPlan},
    spec::Spec,
    targets::{Kind, SnapshotTarget, Target, TargetError, open},
};

/// Plans specs on a target, and returns the plan and one case for each spec. A spec with a waived part is not in the
/// plan, but has a case.
pub(super) fn planned(
    target: &mut dyn Target,
    specs: &[Spec],
    waivers: &Waivers,
    among: &[usize],
    make: impl Fn(&mut dyn Target, &[Spec]) -> Result<Plan, TargetError>,
) -> Result<(Plan, Vec<Case>), String> {
    let plan = make(target, specs).map_err(|error| error.to_string())?;
    let cases = |plan: &Plan, target: &dyn Target| -> Vec<Case> {
        let case = |spec: &SpecPlan| Case::of(spec.clone(), Note::of(spec, &plan.facts, target), waivers, among);
        plan.specs.iter().map(case).collect()
    };
    let all = cases(&plan, target);
    if all.iter().all(|case| case.waived.is_none()) {
        return Ok((plan, all));
    }
    let rest: Vec<Spec> =
        specs.iter().zip(&all).filter(|(_, case)| case.waived.is_none()).map(|(spec, _)| spec.clone()).collect();
    // Each spec is planned as if the planned changes of the specs before it were made. Waived changes are not made, so
    // they do not count.
    let plan = make(target, &rest).map_err(|error| error.to_string())?;
    let mut planned = cases(&plan, target).into_iter();
    let all = all.into_iter().filter_map(|case| if case.waived.is_some() { Some(case) } else { planned.next() });
    let all = all.collect();
    Ok((plan, all))
}

/// Opens the snapshot of a machine; `None` if its target is not a snapshot.
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
