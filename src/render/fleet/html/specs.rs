//! Formats the table of specs: the number of machines for each outcome of each spec.

use std::collections::HashSet;

use maud::{Markup, html};

use super::limit::{Parts, text};
use crate::{
    diag::number_of,
    fleet::{Case, FleetOutcome, FleetReport, SpecCounts},
    render::fleet::wording,
};

/// Formats the specs that need attention on any machine. The other specs follow in a folded section.
pub(super) fn specs(report: &FleetReport, parts: &Parts) -> Markup {
    let asks: HashSet<&str> = report.cases.iter().filter(|case| case.asks()).map(|case| &*case.spec).collect();
    let (asking, quiet): (Vec<_>, Vec<_>) = report.specs.iter().partition(|spec| asks.contains(&*spec.id));
    html! {
        h2 #specs { "Specs" }
        @if !asking.is_empty() { (counts(&asking, report, parts)) }
        @if !quiet.is_empty() {
            details {
                summary { b { (number_of(quiet.len(), "spec")) } " without changes, exceptions or waivers" }
                (counts(&quiet, report, parts))
            }
        }
    }
}

fn counts(specs: &[&SpecCounts], report: &FleetReport, parts: &Parts) -> Markup {
    let has = |outcome: &FleetOutcome| specs.iter().any(|spec| spec.outcomes.contains_key(outcome));
    let columns: Vec<FleetOutcome> = wording::columns(report).into_iter().filter(has).collect();
    html! {
        div.wide {
            table.numbers {
                thead { tr { th { "spec" } @for outcome in &columns { th { (outcome.words()) } } } }
                tbody {
                    @for spec in specs {
                        tr {
                            td { b { (text(&spec.id)) } ": " (text(&spec.title)) }
                            @for outcome in &columns {
                                td class=(outcome.as_str()) {
                                    @if let Some(count) = spec.outcomes.get(outcome) {
                                        (linked(*count, &ids(&spec.id, *outcome, report, parts)))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the HTML ids of the cases on the page that belong to this spec, have this outcome and need attention.
fn ids(spec: &str, outcome: FleetOutcome, report: &FleetReport, parts: &Parts) -> Vec<String> {
    let is_it = |case: &Case| case.outcome == outcome && case.asks() && &*case.spec == spec;
    let cases = report.cases.iter().zip(parts).enumerate();
    cases.filter(|(_, (case, part))| part.is_some() && is_it(case)).map(|(at, _)| format!("c{at}")).collect()
}

/// Formats a count as a link to the first of the cases in `ids`. If scripts are enabled, a click shows the machines of
/// all these cases.
fn linked(count: usize, ids: &[String]) -> Markup {
    html! {
        @if let Some(first) = ids.first() { a href=(format!("#{first}")) data-only=(ids.join(" ")) { (count) } }
        @else { (count) }
    }
}
