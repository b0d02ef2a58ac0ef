//! Formats the table of machines, the machines that could not be read, and the groups of machines with the same cases.

use std::{cmp::Reverse, collections::BTreeMap};

use maud::{Markup, PreEscaped, html};

use super::{
    cases::NAMES,
    limit::{self, Parts, text},
    number,
    profile::Profile,
};
use crate::{
    fleet::{Case, FleetOutcome, FleetReport, MachineRow},
    render::fleet::wording,
};

/// The groups of the fleet by which the user can filter machines.
pub(super) struct Groups<'a> {
    /// The index of each group. The row of a machine contains these indexes instead of the names of its groups.
    numbers: BTreeMap<&'a str, usize>,
    /// The HTML of the options from which the user chooses a group.
    pub(super) options: Vec<String>,
    /// The number of groups that do not fit into the list.
    pub(super) more: usize,
}

/// Returns the groups of the fleet, ordered by name. If not all fit into the list, the groups with most machines get
/// space first.
pub(super) fn groups(report: &FleetReport) -> Groups<'_> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for group in report.machines.iter().flat_map(|row| &row.groups) {
        *sizes.entry(group).or_default() += 1;
    }
    let groups: Vec<(&str, usize)> = sizes.into_iter().collect();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|at| Reverse(groups[*at].1));
    let parts = limit::fit(groups.len(), order, limit::GROUPS, |at| {
        html! { option value=(text(groups[at].0)) { (text(groups[at].0)) } }
    });
    let shown = groups.iter().zip(&parts).filter(|(_, part)| part.is_some());
    let numbers: BTreeMap<&str, usize> = shown.map(|((group, _), _)| *group).zip(0..).collect();
    let more = groups.len() - numbers.len();
    Groups { numbers, options: parts.into_iter().flatten().collect(), more }
}

/// Formats the table of machines. If not all fit on the page, the machines with the worst outcomes get space first.
/// `of_row` is the index in `profiles` for each machine; `None` if the machine could not be read. `cases` and `alike`
/// are the HTML of the cases and of `profiles`.
pub(super) fn table(
    report: &FleetReport,
    groups: &Groups<'_>,
    of_row: &[Option<usize>],
    profiles: &[Profile],
    (cases, alike): (&Parts, &Parts),
) -> Markup {
    let rows = &report.machines;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|at| Reverse(rows[*at].outcome));
    let numbers = |row: &MachineRow| {
        let numbers = row.groups.iter().filter_map(|group| groups.numbers.get(group.as_str()));
        let numbers: Vec<String> = numbers.map(ToString::to_string).collect();
        (!numbers.is_empty()).then(|| numbers.join(" "))
    };
    // Usually the row of a machine refers to its group of machines with the same cases. If this group is not on the
    // page, the row itself contains the cases.
    let of_cases = |profile: &Profile| {
        let shown = |at: &&usize| report.cases[**at].asks() && cases[**at].is_some();
        let ids: Vec<String> = profile.cases.iter().filter(shown).map(|at| format!("c{at}")).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    };
    let parts = limit::fit(rows.len(), order, limit::ROWS, |at| {
        let row = &rows[at];
        let profile = of_row[at].map(|at| (at, &profiles[at]));
        let linked = profile.filter(|(at, _)| alike[*at].is_some()).map(|(at, _)| format!("p{at}"));
        let own = profile.filter(|_| linked.is_none()).and_then(|(_, profile)| of_cases(profile));
        html! {
            tr data-o=(number(row.outcome)) data-p=[&linked] data-c=[own] data-g=[numbers(row)] {
                td { (text(&row.name)) }
                td { (text(&row.groups.join(", "))) }
                td class=(row.outcome.as_str()) { (row.outcome.words()) }
                td {
                    @match (&linked, profile) {
                        (Some(id), Some((_, profile))) => a href=(format!("#{id}")) { (profile.words) },
                        (_, profile) => (profile.map(|(_, profile)| profile.words.as_str()).unwrap_or_default()),
                    }
                    @if let Some(why) = &row.unreadable { (text(why)) }
                }
            }
        }
    });
    let head = |by: &str, title: &str| html! { th { button data-sort=(by) { (title) } } };
    let more = parts.iter().filter(|part| part.is_none()).count();
    html! {
        (limit::more(more, "machine"))
        table #machines data-more=[(more > 0).then_some(more)] {
            thead {
                tr { (head("name", "machine")) (head("groups", "groups")) (head("outcome", "outcome")) th { "specs" } }
            }
            tbody { @for row in parts.iter().flatten() { (PreEscaped(row)) } }
        }
    }
}

/// Formats a table of the machines that could not be read, each with the reason.
pub(super) fn unreadable(report: &FleetReport) -> Markup {
    let rows: Vec<_> = report.unreadable().collect();
    let parts = limit::fit(rows.len(), 0..rows.len(), limit::UNREADABLE, |at| {
        html! { tr { td { (text(&rows[at].0.name)) } td { (text(rows[at].1)) } } }
    });
    html! {
        @if !rows.is_empty() {
            h2 #unreadable { "Unreadable" }
            table {
                thead { tr { th { "machine" } th { "because" } } }
                tbody { @for row in parts.iter().flatten() { (PreEscaped(row)) } }
            }
            (limit::more(parts.iter().filter(|part| part.is_none()).count(), "machine"))
        }
    }
}

/// Returns the HTML of each group of machines with the same cases; `None` for a group that does not fit on the page.
/// The groups with most machines get space first.
pub(super) fn alike(report: &FleetReport, profiles: &[Profile], cases: &Parts) -> Parts {
    let mut order: Vec<usize> = (0..profiles.len()).collect();
    order.sort_by_key(|at| Reverse(profiles[*at].machines.len()));
    limit::fit(profiles.len(), order, limit::PROFILES, |at| profile(at, &profiles[at], report, cases))
}

fn profile(at: usize, profile: &Profile, report: &FleetReport, parts: &Parts) -> Markup {
    let cases = || profile.cases.iter().map(|at| (*at, &report.cases[*at]));
    let quiet = |outcome| {
        let of = cases().filter(|(_, case)| case.outcome == outcome && !case.asks());
        of.map(|(_, case)| text(&case.spec)).collect::<Vec<_>>().join(", ")
    };
    let outcome = |at: usize, case: &Case| {
        let words = case.outcome.words();
        html! { @if parts[at].is_some() { a href=(format!("#c{at}")) { (words) } } @else { (words) } }
    };
    let ids: Vec<String> = cases().filter(|(at, _)| parts[*at].is_some()).map(|(at, _)| format!("c{at}")).collect();
    html! {
        details id=(format!("p{at}")) data-c=(ids.join(" ")) {
            summary { b { (wording::machines(profile.machines.len())) } ": " (profile.words) }
            p.names { (wording::names(&profile.machines, NAMES)) }
            table {
                tbody {
                    @for (at, case) in cases().filter(|(_, case)| case.asks()) {
                        tr {
                            td { (text(&case.spec)) }
                            td class=(case.outcome.as_str()) { (outcome(at, case)) }
                            td { (wording::changes(case)) }
                        }
                    }
                }
            }
            @for (outcome, specs) in FleetOutcome::ALL.into_iter().map(|outcome| (outcome, quiet(outcome))) {
                @if !specs.is_empty() { p { span class=(outcome.as_str()) { (outcome.words()) } ": " (specs) } }
            }
        }
    }
}
