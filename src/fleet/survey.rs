//! Reads every machine of a fleet once, and plans specs on it.

use std::sync::Arc;

use super::{Case, FleetOutcome, MachineRow, Member, Members, Note, Waivers, case::Cases, pace::Pace, parallel};
use crate::{
    operation::{Progress, make_plan},
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
    cases: Vec<Case>,
}

/// Reads each machine of the fleet once, plans specs on it, and returns one row for each machine.
///
/// All cores are used. Of each machine, only the row is kept, and what `also` computes from its plan, which is passed
/// to `take`. `specs` contains one list for each set of parameters, and `which` contains, for each machine, the index
/// of its list. The row of a machine that cannot be read says why.
pub fn survey<K: Send>(
    members: &Members,
    specs: &[Vec<Spec>],
    which: &[usize],
    waivers: &Waivers,
    also: impl Fn(&Plan) -> K + Sync,
    mut take: impl FnMut(usize, K),
    progress: &mut impl Progress,
) -> Survey {
    let work: Vec<(&Member, &[Spec])> =
        members.each.iter().zip(which).map(|(member, list)| (member, &*specs[*list])).collect();
    let mut cases = Cases::default();
    let mut found: Vec<Option<(Result<Seen, _>, _)>> = work.iter().map(|_| None).collect();
    let mut pace = Pace::new(work.len());
    parallel::each(
        &work,
        |(member, specs)| look(member, specs, waivers, &also),
        |at, seen| {
            pace.step(progress);
            let (seen, numbers) = match seen {
                Ok((mut seen, more)) => {
                    more.into_iter().for_each(|more| take(at, more));
                    let list = std::mem::take(&mut seen.cases);
                    // `collect` would keep the memory that the cases needed for their numbers, which is most of a row.
                    let mut numbers = Vec::with_capacity(list.len());
                    numbers.extend(list.into_iter().map(|case| cases.add(case)));
                    (Ok(seen), numbers)
                }
                Err(why) => (Err(why), Vec::new()),
            };
            found[at] = Some((seen, numbers));
        },
    );
    pace.end(progress);
    rows(members, found.into_iter().flatten(), cases, specs)
}

/// Reads one machine, and plans specs on it.
fn look<K>(
    member: &Member,
    specs: &[Spec],
    waivers: &Waivers,
    also: impl Fn(&Plan) -> K,
) -> Result<(Seen, Option<K>), String> {
    let (mut target, taken) = opened(member)?;
    let among = waivers.of(&member.name, &member.groups);
    let (plan, cases) = planned(target.as_mut(), specs, waivers, &among)?;
    // If all of a machine is waived, it has no plan.
    let more = (!plan.specs.is_empty()).then(|| also(&plan));
    Ok((Seen { machine: plan.machine, taken, cases }, more))
}

/// Plans specs on a target. A spec with a waived part is left out of the plan, but still has a case.
pub(super) fn planned(
    target: &mut dyn Target,
    specs: &[Spec],
    waivers: &Waivers,
    among: &[usize],
) -> Result<(Plan, Vec<Case>), String> {
    let plan = make_plan(target, specs).map_err(|error| error.to_string())?;
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
    let plan = make_plan(target, &rest).map_err(|error| error.to_string())?;
    let mut planned = cases(&plan, target).into_iter();
    let all = all.into_iter().filter_map(|case| if case.waived.is_some() { Some(case) } else { planned.next() });
    let all = all.collect();
    Ok((plan, all))
}

/// Opens the target of a machine. If it is a snapshot, also returns when it was taken.
pub(super) fn opened(member: &Member) -> Result<(Box<dyn Target>, Option<String>), String> {
    let address = member.address.as_ref().map_err(Clone::clone)?;
    let unreadable = |error: TargetError| error.to_string();
    match address.kind() {
        Ok(Kind::Snapshot(path)) => {
            let snapshot = SnapshotTarget::open(path).map_err(unreadable)?;
            let taken = snapshot.snapshot().taken.clone();
            Ok((Box::new(snapshot), Some(taken)))
        }
        _ => Ok((open(address).map_err(unreadable)?, None)),
    }
}

/// Sorts rows and cases by name, so that the order does not depend on the order of reading.
fn rows(
    members: &Members,
    found: impl Iterator<Item = (Result<Seen, String>, Vec<usize>)>,
    mut cases: Cases,
    specs: &[Vec<Spec>],
) -> Survey {
    let mut machines = Vec::with_capacity(members.each.len());
    for (member, (seen, numbers)) in members.each.iter().zip(found) {
        let name: Arc<str> = member.name.as_str().into();
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
