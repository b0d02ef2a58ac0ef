//! Formats a fleet report as one HTML page. The page loads nothing, and all of it can be read without its script. The
//! script searches, filters, sorts and folds.

mod profile;

use std::collections::{BTreeSet, HashMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::wording::{self, facts, reasons};
use crate::{
    fleet::{Case, FleetOutcome, FleetReport},
    registry::notation::one_line,
    render::diff::{self, Line},
};
use profile::{Profile, profiles};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// The most names of machines that are shown for one case. The table of machines contains all names.
const NAMES: usize = 40;
/// The most cases that are unfolded when the page opens.
const UNFOLDED: usize = 40;

/// Formats the report as a page.
pub fn html(report: &FleetReport) -> String {
    let numbers: HashMap<&str, usize> = report.cases.iter().enumerate().map(|(at, case)| (&*case.id, at)).collect();
    let (profiles, of_row) = profiles(report, &numbers);
    // A browser normalizes line breaks before it computes the hash of a script, so they are normalized here as well.
    let [style, script] = [STYLE, SCRIPT].map(|text| text.replace('\r', ""));
    // Only the page's own script can run, whatever data a machine contains.
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())));
    let policy = format!("default-src 'none'; style-src {}; script-src {}", hash(&style), hash(&script));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width";
                title { "kbfix fleet: " (wording::machines(report.counts.machines)) }
                style { (PreEscaped(&style)) }
            }
            body {
                h1 { "kbfix fleet" }
                p { (wording::summary(report)) }
                @if let Some(digest) = &report.digest { p { "Fleet plan " code { (digest) } } }
                (top(report))
                h2 { "Specs" }
                (specs(report))
                (cases(report, "To change", |outcome| outcome == FleetOutcome::ChangesPending))
                (cases(report, "Exceptions", |outcome| outcome.is_exception()))
                (cases(report, "Waived", |outcome| outcome == FleetOutcome::Waived))
                (unreadable(report))
                h2 id="of-machines" { "Machines" }
                (tools(report))
                (machines(report, &of_row, &profiles))
                h2 { "Machines with the same outcome and changes in all specs" }
                @for (at, profile) in profiles.iter().enumerate() { (alike(at, profile, report)) }
                script { (PreEscaped(&script)) }
            }
        }
    };
    page.into_string()
}

/// Returns text without invisible characters. The crate maud escapes all other characters.
fn text(text: &str) -> String {
    one_line(text)
}

fn number(outcome: FleetOutcome) -> usize {
    outcome as usize
}

/// Writes the top of the page: what applies to the page as a whole, and a button for each outcome.
fn top(report: &FleetReport) -> Markup {
    html! {
        div.needs-script.tools {
            @for (outcome, count) in report.counts.outcomes.iter().rev() {
                button data-o=(number(*outcome)) class=(outcome.as_str()) aria-pressed="false" {
                    (count) " " (outcome.words())
                }
            }
            button #open { "unfold all" }
            button #close { "fold all" }
            button #theme { "light / dark" }
            span.names { "keys: / search, Esc all machines, o unfold, f fold, t light or dark" }
        }
        @for diagnostic in &report.diagnostics {
            p { b { (diagnostic.code.as_str()) } ": " (text(&diagnostic.message)) }
        }
        @if !report.ignored.is_empty() {
            p.names { "Not read, because it is not a .json file: " (report.ignored.iter().map(|name| text(name)).collect::<Vec<_>>().join(", ")) }
        }
    }
}

fn specs(report: &FleetReport) -> Markup {
    let columns = wording::columns(report);
    html! {
        table.numbers {
            thead { tr { th { "spec" } @for outcome in &columns { th { (outcome.words()) } } } }
            tbody {
                @for spec in &report.specs {
                    tr {
                        td { b { (text(&spec.id)) } ": " (text(&spec.title)) }
                        @for outcome in &columns {
                            td class=(outcome.as_str()) {
                                @if let Some(count) = spec.outcomes.get(outcome) { (count) } @else { "" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cases(report: &FleetReport, title: &str, which: impl Fn(FleetOutcome) -> bool) -> Markup {
    let found: Vec<(usize, &Case)> = report.cases.iter().enumerate().filter(|(_, case)| which(case.outcome)).collect();
    html! {
        @if !found.is_empty() { h2 { (title) } }
        @for (order, (at, case)) in found.into_iter().enumerate() {
            details id=(format!("c{at}")) open[order < UNFOLDED] {
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
}

fn content(case: &Case, report: &FleetReport) -> Markup {
    let facts = facts(case);
    html! {
        @if !facts.is_empty() {
            table {
                thead { tr { th { "test" } th { "place" } th { "found" } th { "wanted" } } }
                tbody {
                    @for fact in &facts {
                        tr {
                            td { (text(&fact.part)) } td.place { (text(fact.place)) }
                            td { (text(&fact.found)) } td { (text(fact.wanted)) }
                        }
                    }
                }
            }
        }
        @for reason in reasons(case) { p { (text(reason)) } }
        @for sentence in wording::waivers(case, report) { p.waived { (text(&sentence)) } }
        @if let Some(waived) = case.waived.as_ref().filter(|waived| !waived.changes.is_empty()) {
            pre.waived { @for line in waived.changes.iter().flat_map(diff::hunk) { (text(&line.to_string())) "\n" } }
        }
        @if !case.changes.is_empty() {
            pre {
                @for line in case.changes.iter().flat_map(diff::hunk) {
                    @let class = match line {
                        Line::Head(_) => "head",
                        Line::Removed(_) => "del",
                        Line::Added(_) => "add",
                        Line::Same(_) => "same",
                    };
                    span class=(class) { (text(&line.to_string())) } "\n"
                }
            }
            p { "changes " code { (case.digest.as_deref().unwrap_or_default()) } }
        }
    }
}

fn unreadable(report: &FleetReport) -> Markup {
    let rows: Vec<_> = report.unreadable().collect();
    html! {
        @if !rows.is_empty() {
            h2 { "Unreadable" }
            table {
                thead { tr { th { "machine" } th { "because" } } }
                tbody { @for (row, why) in rows { tr { td { (text(&row.name)) } td { (text(why)) } } } }
            }
        }
    }
}

fn tools(report: &FleetReport) -> Markup {
    let groups: BTreeSet<&str> = report.machines.iter().flat_map(|row| &row.groups).map(String::as_str).collect();
    html! {
        div.needs-script.tools {
            input #search type="search" placeholder="find machines" aria-label="find machines";
            select #group aria-label="group" {
                option value="" { "all groups" }
                @for group in groups { option value=(text(group)) { (text(group)) } }
            }
            button #of-case hidden {}
            button #clear { "all machines" }
            span #shown role="status" {}
        }
    }
}

fn machines(report: &FleetReport, of_row: &[Option<usize>], profiles: &[Profile]) -> Markup {
    let head = |by: &str, title: &str| html! { th { button data-sort=(by) { (title) } } };
    html! {
        table #machines {
            thead {
                tr { (head("name", "machine")) (head("groups", "groups")) (head("outcome", "outcome")) th { "specs" } }
            }
            tbody {
                @for (row, profile) in report.machines.iter().zip(of_row) {
                    tr data-o=(number(row.outcome)) data-p=[profile.map(|at| format!("p{at}"))] {
                        td { (text(&row.name)) }
                        td { (row.groups.iter().map(|group| text(group)).collect::<Vec<_>>().join(", ")) }
                        td class=(row.outcome.as_str()) { (row.outcome.words()) }
                        td {
                            @if let Some(at) = profile { a href=(format!("#p{at}")) { (profiles[*at].words) } }
                            @if let Some(why) = &row.unreadable { (text(why)) }
                        }
                    }
                }
            }
        }
    }
}

fn alike(at: usize, profile: &Profile, report: &FleetReport) -> Markup {
    html! {
        details id=(format!("p{at}")) data-c=(profile.cases.iter().map(|at| format!("c{at}")).collect::<Vec<_>>().join(" ")) {
            summary { b { (wording::machines(profile.machines.len())) } ": " (profile.words) }
            p.names { (wording::names(&profile.machines, NAMES)) }
            table {
                tbody {
                    @for at in &profile.cases {
                        @let case = &report.cases[*at];
                        tr {
                            td { (text(&case.spec)) }
                            td class=(case.outcome.as_str()) {
                                @if case.asks() { a href=(format!("#c{at}")) { (case.outcome.words()) } }
                                @else { (case.outcome.words()) }
                            }
                            td { (wording::changes(case)) }
                        }
                    }
                }
            }
        }
    }
}
