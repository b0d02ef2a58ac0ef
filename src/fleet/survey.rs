//! Reads every machine of a fleet once, and plans specs on it.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    Case, FleetOutcome, MachineRow, Member, Members, Note, Waivers,
    alike::{Alike, Numbers},
    case::Cases,
    pace::Pace,
    parallel,
};
use crate::{
    operation::{Progress, identify, make_plan, make_plan_like},
    plan::{Machine, Plan, SpecPlan},
    spec::Spec,
    targets::{Kind, SnapshotTarget, Target, TargetError, open},
};

/// The results of all specs on all machines of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The machines, ordered by name.
    pub machines: Vec<MachineRow>,
    /// The cases: worst outcomes first, then in the order of the specs.
    pub cases: Vec<Case>,
}

/// The results of one machine.
struct Seen {
    machine: Machine,
    taken: Option<String>,
    numbers: Numbers,
}

/// Reads each machine of the fleet once, plans specs on it, and returns one row for each machine.
///
/// All cores are used, and of each machine only the row is kept. Machines whose snapshots have the same facts are
/// planned once. `specs` contains one list for each set of parameters, and `which` contains, for each machine, the
/// index of its list. If a machine cannot be read, its row contains the reason.
pub fn survey(
    members: &Members,
    specs: &[Vec<Spec>],
    which: &[usize],
    waivers: &Waivers,
    progress: &mut impl Progress,
) -> Survey {
    let (cases, alike) = (Mutex::default(), Alike::new());
    let look = |member: &Member, list: usize| {
        let among = waivers.of(&member.name, &member.groups);
        let shared = if among.is_empty() { snapshot(member)? } else { None };
        let Some(mut snapshot) = shared else {
            let (mut target, taken) = opened(member)?;
            let (plan, found) = planned(target.as_mut(), &specs[list], waivers, &among, make_plan)?;
            return Ok((Seen { machine: plan.machine, taken, numbers: numbered(&cases, found) }, None));
        };
        let machine = identify(&mut snapshot).map_err(|error| error.to_string())?;
        let taken = Some(snapshot.snapshot().taken.clone());
        let likeness = alike.likeness(&snapshot, list);
        let known = likeness.as_ref().and_then(|likeness| alike.find(likeness));
        let numbers = match known {
            Some(numbers) => numbers,
            None => {
                let asked = alike.asked();
                let make = |target: &mut dyn Target, specs: &[Spec]| make_plan_like(asked, target, specs);
                let (plan, found) = planned(&mut snapshot, &specs[list], waivers, &[], make)?;
                let numbers = numbered(&cases, found);
                if let Some(likeness) = likeness {
                    alike.keep(likeness, plan, &numbers);
                }
                numbers
            }
        };
        Ok((Seen { machine, taken, numbers }, None))
    };
    let found = read(members, which, look, |_, ()| (), progress);
    rows(members, found, cases, specs)
}

/// Does the same as [`survey`]. In addition, calls `also` with the plan of each machine that has one, and passes the
/// result to `take`.
pub fn survey_with_plans<K: Send>(
    members: &Members,
    specs: &[Vec<Spec>],
    which: &[usize],
    waivers: &Waivers,
    also: impl Fn(&Plan) -> K + Sync,
    take: impl FnMut(usize, K),
    progress: &mut impl Progress,
) -> Survey {
    let cases = Mutex::default();
    let look = |member: &Member, list: usize| {
        let (mut target, taken) = opened(member)?;
        let among = waivers.of(&member.name, &member.groups);
        let (plan, found) = planned(target.as_mut(), &specs[list], waivers, &among, make_plan)?;
        // If all specs of a machine are waived, the machine has no plan.
        let more = (!plan.specs.is_empty()).then(|| also(&plan));
        Ok((Seen { machine: plan.machine, taken, numbers: numbered(&cases, found) }, more))
    };
    let found = read(members, which, look, take, progress);
    rows(members, found, cases, specs)
}

/// Calls `look` for each machine, on all cores. `look` also gets the index of the machine's list of specs. Returns the
/// results in the order of the machines.
fn read<K: Send>(
    members: &Members,
    which: &[usize],
    look: impl Fn(&Member, usize) -> Result<(Seen, Option<K>), String> + Sync,
    mut take: impl FnMut(usize, K),
    progress: &mut impl Progress,
) -> Vec<Option<Result<Seen, String>>> {
    let work: Vec<(&Member, usize)> = members.each.iter().zip(which.iter().copied()).collect();
    let mut found: Vec<Option<Result<Seen, String>>> = work.iter().map(|_| None).collect();
    let mut pace = Pace::new(work.len());
    parallel::each(
        &work,
        |(member, list)| look(member, *list),
        |at, seen| {
            pace.step(progress);
            found[at] = Some(seen.map(|(seen, more)| {
                more.into_iter().for_each(|more| take(at, more));
                seen
            }));
        },
    );
    pace.end(progress);
    found
}

/// Adds the cases that are new, and returns the numbers of all cases in `found`.
fn numbered(cases: &Mutex<Cases>, found: Vec<Case>) -> Numbers {
    let mut cases = cases.lock().unwrap_or_else(PoisonError::into_inner);
    found.into_iter().map(|case| cases.add(case)).collect()
}

/// Plans specs on a target. A spec with a waived part is left out of the plan, but still has a case.
pub(super) fn planned(
    target: &mut dyn Target,
    specs: &[Spec],
    waivers: &Waivers,
    among: &[usize],
    make: impl Fn(&mut dyn Target, &[Spec]) -> Result<Plan, TargetError>,
) -> Result<(Plan, Vec<Case>), String> {
    let plan = make(target, specs).map_err(|error| error.to_string())?;
    let cases = |plan: &Plan, target: &dyn Target| -> Vec<Case> {
        let case = |spec: &SpecPlan| Case::of(spec.clone(), Note::of(spec, plan, target), waivers, among);
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
fn snapshot(member: &Member) -> Result<Option<SnapshotTarget>, String> {
    match member.address.as_ref().map_err(Clone::clone)?.kind() {
        Ok(Kind::Snapshot(path)) => SnapshotTarget::open(path).map(Some).map_err(|error| error.to_string()),
        _ => Ok(None),
    }
}

/// Opens the target of a machine. If it is a snapshot, also returns when it was taken.
pub(super) fn opened(member: &Member) -> Result<(Box<dyn Target>, Option<String>), String> {
    if let Some(snapshot) = snapshot(member)? {
        let taken = snapshot.snapshot().taken.clone();
        return Ok((Box::new(snapshot), Some(taken)));
    }
    let address = member.address.as_ref().map_err(Clone::clone)?;
    Ok((open(address).map_err(|error| error.to_string())?, None))
}

/// Sorts rows and cases by name, so that the order does not depend on the order of reading.
fn rows(
    members: &Members,
    found: Vec<Option<Result<Seen, String>>>,
    cases: Mutex<Cases>,
    specs: &[Vec<Spec>],
) -> Survey {
    let mut cases = cases.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut machines = Vec::with_capacity(members.each.len());
    for (member, seen) in members.each.iter().zip(found.into_iter().flatten()) {
        let name: Arc<str> = member.name.as_str().into();
        let numbers = seen.as_ref().map(|seen| seen.numbers.clone()).unwrap_or_default();
        numbers.iter().for_each(|number| cases.on(*number, &name));
        let worst = numbers.iter().map(|number| cases.list()[*number].outcome).max();
        let (machine, taken, unreadable) = match seen {
            Ok(seen) => (seen.machine, seen.taken, None),
            Err(why) => (Machine::default(), None, Some(why)),
        };
        machines.push(MachineRow {
            name,
            target: member.named.clone(),
            computer_name: machine.computer_name,
            machine_guid: machine.machine_guid,
            taken,
            groups: member.groups.clone(),
            wave: members.wave(member),
            outcome: match unreadable {
                Some(_) => FleetOutcome::Unreadable,
                None => worst.unwrap_or(FleetOutcome::InDesiredState),
            },
            unreadable,
            cases: numbers.iter().map(|number| cases.list()[*number].id.clone()).collect(),
        });
    }
    let order: Vec<&str> = specs.first().into_iter().flatten().map(|spec| &*spec.id).collect();
    Survey { machines, cases: cases.in_order(&order) }
}
