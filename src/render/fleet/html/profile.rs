//! Groups machines that have the same cases, so that the page shows these cases only once for all of them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::fleet::{FleetOutcome, FleetReport};

/// A group of machines that have the same case for each spec.
pub(super) struct Profile {
    /// For each spec, the index of its case in the report, in the order of the specs.
    pub(super) cases: Vec<usize>,
    /// The names of the machines.
    pub(super) machines: Vec<Arc<str>>,
    /// The number of specs with each outcome, as text. If at least one spec needs attention, only specs that need
    /// attention are counted.
    pub(super) words: String,
}

/// Returns the groups, in the order of their first machines, and for each machine the index of its group; `None` for a
/// machine that could not be read. `numbers` contains the index of each case in the report, by the id of the case.
pub(super) fn profiles(report: &FleetReport, numbers: &HashMap<&str, usize>) -> (Vec<Profile>, Vec<Option<usize>>) {
    let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
    let mut profiles: Vec<Profile> = Vec::new();
    let mut of_row = Vec::with_capacity(report.machines.len());
    for row in &report.machines {
        if row.unreadable.is_some() {
            of_row.push(None);
            continue;
        }
        let cases: Vec<usize> = row.cases.iter().filter_map(|id| numbers.get(&**id)).copied().collect();
        let at = *known.entry(cases.clone()).or_insert_with(|| {
            let words = words(&cases, report);
            profiles.push(Profile { cases, machines: Vec::new(), words });
            profiles.len() - 1
        });
        profiles[at].machines.push(row.name.clone());
        of_row.push(Some(at));
    }
    (profiles, of_row)
}

fn words(cases: &[usize], report: &FleetReport) -> String {
    let mut counts: BTreeMap<FleetOutcome, usize> = BTreeMap::new();
    let asks = cases.iter().any(|case| report.cases[*case].asks());
    for case in cases.iter().filter(|case| !asks || report.cases[**case].asks()) {
        *counts.entry(report.cases[*case].outcome).or_default() += 1;
    }
    let words = |(outcome, count): (&FleetOutcome, &usize)| format!("{}: {count}", outcome.words());
    counts.iter().rev().map(words).collect::<Vec<_>>().join(", ")
}
