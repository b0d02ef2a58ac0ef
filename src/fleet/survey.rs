//! Reads the machines of a fleet, and plans specs on them.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    Case, FleetOutcome, MachineRow, Member, Members, Waivers,
    case::Cases,
    one::{opened, planned, snapshot},
    pace::Pace,
    planner::Planner,
};
use crate::{
    operation::{Progress, identify, make_plan},
    parallel,
    plan::{Machine, Plan},
    spec::Spec,
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
    numbers: Vec<usize>,
}

/// Reads each machine of the fleet, plans specs on it, and returns one row for each machine.
///
/// The work is done on all cores. Only one row is kept for each machine. If several snapshots without waivers give the
/// same answers to the queries of a spec, the spec is usually planned only once for them. `specs` contains one list for
/// each set of parameters, and `which` contains, for each machine, the index of its list. If a machine cannot be read,
/// its row contains the reason.
pub fn survey(
    members: &Members,
    specs: &[Vec<Spec>],
    which: &[usize],
    waivers: &Waivers,
    progress: &mut impl Progress,
) -> Survey {
    let (cases, planner) = (Mutex::default(), Planner::new(specs));
    let look = |member: &Member, list: usize| {
        let among = waivers.of(&member.name, &member.groups);
        let shared = if among.is_empty() { snapshot(member)? } else { None };
        let Some(mut snapshot) = shared else {
            let (mut target, taken) = opened(member)?;
            let (plan, found) = planned(target.as_mut(), &specs[list], waivers, &among, make_plan)?;
            return Ok((Seen { machine: plan.machine, taken, numbers: numbered(&cases, &found) }, None));
        };
        let machine = identify(&mut snapshot).map_err(|error| error.to_string())?;
        let taken = Some(snapshot.snapshot().taken.clone());
        let found = planner.cases(&mut snapshot, list)?;
        Ok((Seen { machine, taken, numbers: numbered(&cases, found.iter().map(|case| &**case)) }, None))
    };
    let found = read(members, which, look, |_, ()| (), progress);
    rows(members, found, cases, specs)
}

/// Does the same as [`survey`]. In addition, calls `also` with the plan of each machine that has a plan, and passes the
/// result to `take`, with the machine's index.
pub fn survey_with_plans<K: Send>(
    members: &Members,
    specs: &[Vec<Spec>],
    which: &[usize],
    waivers: &Waivers,
    also: impl Fn(&Plan) -> K + Sync,
    take: impl FnMut(usize, K),
    progress: &mut impl Progress,
) -> Survey {
    let (cases, planner) = (Mutex::default(), Planner::new(specs));
    let look = |member: &Member, list: usize| {
        let among = waivers.of(&member.name, &member.groups);
        if among.is_empty()
            && let Some(mut snapshot) = snapshot(member)?
            && let Some((plan, found)) = planner.plan(&mut snapshot, list)?
        {
            let taken = Some(snapshot.snapshot().taken.clone());
            let (more, numbers) = (also(&plan), numbered(&cases, found.iter().map(|case| &**case)));
            return Ok((Seen { machine: plan.machine, taken, numbers }, Some(more)));
        }
        let (mut target, taken) = opened(member)?;
        let (plan, found) = planned(target.as_mut(), &specs[list], waivers, &among, make_plan)?;
        // If all specs of a machine are waived, the machine has no plan.
        let more = (!plan.specs.is_empty()).then(|| also(&plan));
        Ok((Seen { machine: plan.machine, taken, numbers: numbered(&cases, &found) }, more))
    };
    let found = read(members, which, look, take, progress);
    rows(members, found, cases, specs)
}

/// Calls `look` for each machine, on all cores, with the index in `which` of its list of specs. If `look` returns a
/// `K`, passes it to `take`, with the index of the machine. Returns the other results in the order of the machines.
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

/// Adds the cases of `found` that `cases` does not contain yet. Returns the index in `cases` of each case of `found`.
fn numbered<'c>(cases: &Mutex<Cases>, found: impl IntoIterator<Item = &'c Case>) -> Vec<usize> {
    let mut cases = cases.lock().unwrap_or_else(PoisonError::into_inner);
    found.into_iter().map(|case| cases.add(case)).collect()
}

/// Returns the survey, with its machines in the order of `members`, independent of the order of reading.
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
