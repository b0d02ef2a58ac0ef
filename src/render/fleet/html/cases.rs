//! Formats cases as HTML: the machines, the changes, and the reasons why something cannot be changed.

use maud::{Markup, PreEscaped, html};

use super::{
    Section,
    limit::{self, Parts, text},
};
use crate::{
    fleet::{Case, FleetReport},
    render::{
        diff::{self, Line},
        fleet::wording::{self, facts, reasons},
    },
    targets::KeyChange,
};

/// The number of names of machines that are shown for one case. If only one more name remains, it is shown too. The
/// table of machines contains the names of all machines that fit on the page.
pub(super) const NAMES: usize = 12;
/// The number of cases at the start of each section whose details are open when the page is opened.
const UNFOLDED: usize = 40;

/// Returns the HTML of each case by its index in the report; `None` for a case that is in none of these sections, or
/// that does not fit on the page. The cases with most machines get space first.
pub(super) fn parts(report: &FleetReport, sections: &[Section]) -> Parts {
    let cases = &report.cases;
    let of = |(.., which): &Section| (0..cases.len()).filter(|at| which(&cases[*at])).collect::<Vec<_>>();
    // Each case with its number in its section.
    let mut order: Vec<(usize, usize)> =
        sections.iter().flat_map(|section| of(section).into_iter().enumerate()).collect();
    order.sort_by_key(|(_, at)| std::cmp::Reverse(cases[*at].machines.len()));
    let mut opened = vec![false; cases.len()];
    order.iter().for_each(|(number, at)| opened[*at] = *number < UNFOLDED);
    let order = order.into_iter().map(|(_, at)| at);
    limit::fit(cases.len(), order, limit::CASES, |at| one(at, &cases[at], opened[at], report))
}

/// Formats one section, with those of its cases that fit on the page, in the order of the report.
pub(super) fn section(report: &FleetReport, parts: &Parts, (id, title, which): Section) -> Markup {
    let found: Vec<&Option<String>> =
        report.cases.iter().zip(parts).filter(|(case, _)| which(case)).map(|(_, part)| part).collect();
    html! {
        @if !found.is_empty() { h2 id=(id) { (title) } }
        @for part in found.iter().copied().flatten() { (PreEscaped(part)) }
        (limit::more(found.iter().filter(|part| part.is_none()).count(), "case"))
    }
}

fn one(at: usize, case: &Case, open: bool, report: &FleetReport) -> Markup {
    html! {
        details id=(format!("c{at}")) data-s=(text(&case.spec)) open[open] {
            summary {
                b { (wording::machines(case.machines.len())) } ": " (text(&case.spec)) ": "
                span class=(case.outcome.as_str()) { (case.outcome.words()) }
                @if !case.changes.is_empty() { ", " (wording::changes(case)) }
            }
            p.names {
                (wording::names(&case.machines, NAMES)) " "
                button.needs-script data-only=(format!("c{at}")) { "show them" }
            }
            (content(case, report))
        }
    }
}

/// The number of bytes that the HTML of a case may still have.
struct Left(usize);

impl Left {
    /// Formats the items up to the first that does not fit into the remaining bytes. Also returns the number of the
    /// items that are left out.
    fn list<T>(&mut self, items: Vec<T>, format: impl Fn(T) -> Markup) -> (Markup, usize) {
        let (count, mut out, mut shown) = (items.len(), String::new(), 0);
        for item in items {
            let part = format(item).into_string();
            let Some(rest) = self.0.checked_sub(part.len()) else { break };
            self.0 = rest;
            shown += 1;
            out.push_str(&part);
        }
        (PreEscaped(out), count - shown)
    }
}

/// Formats the details of a case, without the names of its machines.
fn content(case: &Case, report: &FleetReport) -> Markup {
    let mut left = Left(limit::CASE);
    let (facts, more_facts) = left.list(facts(case), |fact| {
        html! {
            tr {
                td { (text(&fact.part)) } td.place { (text(fact.place)) }
                td { (text(&fact.found)) } td { (text(fact.wanted)) }
            }
        }
    });
    let paragraph = |one: String| html! { p { (text(&one)) } };
    let (reasons, more_reasons) = left.list(reasons(case).into_iter().map(str::to_owned).collect(), paragraph);
    let (notes, more_notes) = left.list(wording::notes(case).collect(), paragraph);
    let (waivers, more_waivers) = left.list(wording::waivers(case, report), |one| html! { p.waived { (text(&one)) } });
    let waived = case.waived.as_ref().map(|waived| waived.changes.as_slice()).unwrap_or_default();
    let (waived, more_waived) = left.list(hunks(waived), |line| html! { (text(&line.to_string())) "\n" });
    let (changes, more_changes) = left.list(hunks(&case.changes), line);
    html! {
        @if !facts.0.is_empty() {
            div.wide {
                table {
                    thead { tr { th { "test" } th { "place" } th { "found" } th { "wanted" } } }
                    tbody { (facts) }
                }
            }
        }
        (reasons) (notes) (waivers)
        @if !waived.0.is_empty() { pre.waived { (waived) } }
        @if !changes.0.is_empty() { pre { (changes) } }
        (limit::more(more_facts, "test"))
        (limit::more(more_reasons + more_notes + more_waivers, "sentence"))
        (limit::more(more_waived + more_changes, "line"))
        @if let Some(digest) = &case.digest { p { "digest of the changes: " code { (digest) } } }
    }
}

fn hunks(changes: &[KeyChange]) -> Vec<Line> {
    changes.iter().flat_map(diff::hunk).collect()
}

fn line(line: Line) -> Markup {
    let class = match line {
        Line::Head(_) => "head",
        Line::Removed(_) => "del",
        Line::Added(_) => "add",
        Line::Same(_) => "same",
    };
    html! { span class=(class) { (text(&line.to_string())) } "\n" }
}
