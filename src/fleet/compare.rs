//! Compares two states of a fleet: two versions of specs on the same machines, or the same specs at two dates.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    Case, Difference, DifferenceKind, FactDrift, FleetCommand, FleetComparison, Member, Members, SameMachine,
    SpecsMoved, Waivers,
    alike::MachineCases,
    case::Cases,
    comparison::Unreadable,
    one::{opened, planned, snapshot},
    pace::Pace,
    planner::Planner,
    same::same_machines,
};
use crate::{
    operation::{Progress, identify, make_plan_like},
    parallel,
    plan::{Machine, Plan},
    spec::Spec,
    targets::{Drift, Target},
};

/// The results of one machine in the earlier and the later state.
struct Pair {
    before: MachineCases,
    after: MachineCases,
    facts: Vec<Drift>,
    /// The computer name and MachineGuid of the machine: one entry if two versions of specs are compared, and two
    /// entries, the earlier first, if two dates are compared.
    machines: Vec<Machine>,
}

/// Returns the computer name and the MachineGuid of the machine, as far as the target contains them.
fn identity(target: &mut dyn Target) -> Result<Machine, String> {
    identify(target).map_err(|error| error.to_string())
}

/// Plans specs on one target, without sharing the plans with other machines. The plan contains only the facts that the
/// specs need.
fn cases(target: &mut dyn Target, specs: &[Spec]) -> Result<(Plan, MachineCases), String> {
    let make = |target: &mut dyn Target, specs: &[Spec]| make_plan_like(None, target, specs);
    let (plan, cases) = planned(target, specs, &Waivers::default(), &[], make)?;
    Ok((plan, cases.into_iter().map(Arc::new).collect()))
}

/// Compares two versions of specs on a fleet. Each machine is opened once. `before` and `after` contain one list of
/// specs for each set of parameters. `which` contains, for each machine, the index of the list to plan on it.
pub fn impact(
    members: &Members,
    before: &[Vec<Spec>],
    after: &[Vec<Spec>],
    which: &[usize],
    progress: &mut impl Progress,
) -> FleetComparison {
    let work: Vec<(&Member, usize)> = members.each.iter().zip(which.iter().copied()).collect();
    let planners = [before, after].map(Planner::new);
    let look = |(member, list): &(&Member, usize)| {
        let facts = Vec::new();
        if let Some(mut snapshot) = snapshot(member)? {
            let machines = vec![identity(&mut snapshot)?];
            let [before, after] = planners.each_ref().map(|planner| planner.cases(&mut snapshot, *list));
            return Ok(Pair { before: before?, after: after?, facts, machines });
        }
        let (mut target, _) = opened(member)?;
        let (_, before) = cases(target.as_mut(), &before[*list])?;
        let (_, after) = cases(target.as_mut(), &after[*list])?;
        let machines = vec![identity(target.as_mut())?];
        Ok(Pair { before, after, facts, machines })
    };
    let [old, new] = [before, after].map(|lists| lists.first().map(Vec::as_slice).unwrap_or_default());
    let order: Vec<&str> = new.iter().chain(old).map(|spec| &*spec.id).collect();
    let comparison = compare(&work, |(member, _)| &member.name, look, &order, FleetCommand::Impact, progress);
    FleetComparison { specs: moved(old, new), ..comparison }.with_exit()
}

/// Compares a fleet at two dates: the outcomes of specs, the facts on which their plans depend, and which machines were
/// added or removed. The two snapshots of a machine have the same name, without regard to case.
pub fn drift(old: &Members, new: &Members, specs: &[Spec], progress: &mut impl Progress) -> FleetComparison {
    let key = |member: &Member| member.name.to_lowercase();
    let before: HashMap<String, &Member> = old.each.iter().map(|member| (key(member), member)).collect();
    let after: HashMap<String, &Member> = new.each.iter().map(|member| (key(member), member)).collect();
    let only = |members: &Members, other: &HashMap<String, &Member>| {
        let only = members.each.iter().filter(|member| !other.contains_key(&key(member)));
        only.map(|member| member.name.as_str().into()).collect()
    };
    let both = |member| before.get(&key(member)).map(|old| (*old, member));
    let work: Vec<(&Member, &Member)> = new.each.iter().filter_map(both).collect();
    let (lists, at_old) = ([specs.to_vec()], |why| format!("in the earlier state: {why}"));
    let planner = Planner::new(&lists);
    let look = |(old, new): &(&Member, &Member)| {
        if let (Some(mut old), Some(mut new)) = (snapshot(old).map_err(at_old)?, snapshot(new)?)
            && let Some((before, after, facts)) = planner.moved(&mut old, &mut new, 0)?
        {
            let machines = vec![identity(&mut old).map_err(at_old)?, identity(&mut new)?];
            return Ok(Pair { before, after, facts, machines });
        }
        let (mut old, _) = opened(old).map_err(at_old)?;
        let (mut new, _) = opened(new)?;
        let machines = vec![identity(old.as_mut()).map_err(at_old)?, identity(new.as_mut())?];
        let (old, before) = cases(old.as_mut(), specs).map_err(at_old)?;
        let (new, after) = cases(new.as_mut(), specs)?;
        let facts = old.facts.changed(&new.facts);
        Ok(Pair { before, after, facts, machines })
    };
    let order: Vec<&str> = specs.iter().map(|spec| &*spec.id).collect();
    let comparison = compare(&work, |(_, new)| &new.name, look, &order, FleetCommand::Drift, progress);
    FleetComparison { machines_come: only(new, &before), machines_go: only(old, &after), ..comparison }.with_exit()
}

/// The differences of one machine. `cases` contains, for each spec with a difference, the indexes of its cases before
/// and after; `facts` contains the indexes of the changed facts.
#[derive(Default)]
struct Row {
    cases: Vec<(Option<usize>, Option<usize>)>,
    facts: Vec<usize>,
    machines: Vec<Machine>,
}

fn compare<'a, T: Sync>(
    work: &'a [T],
    name: impl Fn(&'a T) -> &'a String,
    look: impl Fn(&T) -> Result<Pair, String> + Sync,
    order: &[&str],
    command: FleetCommand,
    progress: &mut impl Progress,
) -> FleetComparison {
    let mut known = Cases::default();
    let mut facts: Vec<FactDrift> = Vec::new();
    let mut fact_numbers: HashMap<(String, String, String), usize> = HashMap::new();
    let mut rows: Vec<Result<Row, String>> = work.iter().map(|_| Ok(Row::default())).collect();
    let mut pace = Pace::new(work.len());
    parallel::each(work, look, |at, pair| {
        pace.step(progress);
        rows[at] = pair.map(|pair| {
            let number = |fact: Drift| {
                *fact_numbers.entry((fact.place, fact.was, fact.is)).or_insert_with_key(|(place, was, is)| {
                    let (place, was, is) = (place.clone(), was.clone(), is.clone());
                    facts.push(FactDrift { place, was, is, machines: Vec::new() });
                    facts.len() - 1
                })
            };
            // Not with `collect`, which would keep the memory that the facts needed.
            let mut facts_here = Vec::with_capacity(pair.facts.len());
            facts_here.extend(pair.facts.into_iter().map(number));
            let cases = differing(&pair.before, &pair.after, &mut known);
            Row { cases, facts: facts_here, machines: pair.machines }
        });
    });
    pace.end(progress);
    let mut comparison = FleetComparison::new(command);
    let mut identities: [Vec<(Arc<str>, Machine)>; 2] = Default::default();
    let mut differences = BTreeMap::<_, Vec<Arc<str>>>::new();
    for (item, row) in work.iter().zip(rows) {
        let name: Arc<str> = name(item).as_str().into();
        match row {
            Err(reason) => comparison.unreadable.push(Unreadable { name, reason }),
            Ok(row) => {
                comparison.compared += 1;
                identities.iter_mut().zip(row.machines).for_each(|(all, machine)| all.push((name.clone(), machine)));
                comparison.different += usize::from(!row.cases.is_empty() || !row.facts.is_empty());
                row.cases.into_iter().for_each(|pair| differences.entry(pair).or_default().push(name.clone()));
                row.facts.into_iter().for_each(|fact| facts[fact].machines.push(name.clone()));
            }
        }
    }
    comparison.differences = differences
        .into_iter()
        .map(|((before, after), machines)| {
            let case = |number: Option<usize>| number.map(|number| known.list()[number].clone());
            difference(case(before), case(after), machines)
        })
        .collect();
    let place: HashMap<&str, usize> = order.iter().enumerate().rev().map(|(at, id)| (*id, at)).collect();
    comparison.differences.sort_by_cached_key(|one| {
        let ids = [&one.before, &one.after].map(|case| case.as_ref().map(|case| case.id.clone()));
        (one.kind, place.get(&*one.spec).copied(), std::cmp::Reverse(one.machines.len()), ids)
    });
    facts.sort_by(|a, b| b.machines.len().cmp(&a.machines.len()).then_with(|| a.cmp(b)));
    comparison.facts = facts;
    let mut same: Vec<SameMachine> = identities.iter().flat_map(|all| same_machines(all)).collect();
    same.sort();
    same.dedup_by(|a, b| a.machines == b.machines);
    comparison.diagnostics = same.iter().map(SameMachine::warning).collect();
    comparison
}

/// Returns one pair for each spec whose cases on one machine differ: the indexes in `known` of its case before and its
/// case after. `None` stands for a missing case, if the spec exists only before or only after. Adds new cases to
/// `known`.
fn differing(before: &[Arc<Case>], after: &[Arc<Case>], known: &mut Cases) -> Vec<(Option<usize>, Option<usize>)> {
    let mut old: BTreeMap<&str, &Case> = before.iter().map(|case| (&*case.spec, &**case)).collect();
    let mut found = Vec::new();
    for after in after {
        match old.remove(&*after.spec) {
            Some(before) if before.id == after.id => {}
            before => found.push((before.map(|case| known.add(case)), Some(known.add(after)))),
        }
    }
    found.extend(old.into_values().map(|before| (Some(known.add(before)), None)));
    found
}

fn difference(before: Option<Case>, after: Option<Case>, machines: Vec<Arc<str>>) -> Difference {
    let asks = |case: &Option<Case>| case.as_ref().is_some_and(Case::asks);
    let kind = match (asks(&before), asks(&after)) {
        (false, true) => DifferenceKind::Comes,
        (true, true) => DifferenceKind::Differs,
        (true, false) => DifferenceKind::Goes,
        (false, false) => DifferenceKind::Quiet,
    };
    let spec = after.as_ref().or(before.as_ref()).map(|case| case.spec.clone()).unwrap_or_default();
    Difference { spec, kind, before, after, machines }
}

/// Returns the ids of the specs that were added, removed or changed between two versions.
fn moved(old: &[Spec], new: &[Spec]) -> SpecsMoved {
    let find =
        |list: &'_ [Spec], id: &str| list.iter().find(|spec| spec.id == id).map(|spec| spec.origin.sha256.clone());
    let mut moved = SpecsMoved::default();
    for spec in new {
        match find(old, &spec.id) {
            None => moved.come.push(spec.id.clone()),
            Some(before) if before != spec.origin.sha256 => moved.differ.push(spec.id.clone()),
            Some(_) => {}
        }
    }
    moved.go = old.iter().filter(|spec| find(new, &spec.id).is_none()).map(|spec| spec.id.clone()).collect();
    moved
}
