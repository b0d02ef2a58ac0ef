//! Formats a fleet report as one HTML page. The page loads nothing, and all of it can be read without its script. The
//! script searches, filters, sorts and folds.

mod profile;
mod specs;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::wording::{self, facts, reasons};
use crate::{
    fleet::{Case, FleetOutcome, FleetReport, MachineRow},
    registry::notation::one_line,
    render::diff::{self, Line},
};
use profile::{Profile, profiles};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// The most names of machines that are shown for one case. The table of machines contains all names.
const NAMES: usize = 12;
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
                (notes(report))
                nav { @for (id, title) in sections(report) { a href=(format!("#{id}")) { (title) } " " } }
                (tools(report))
                (specs::specs(report))
                (cases(report, CHANGES))
                (cases(report, EXCEPTIONS))
                (cases(report, WAIVED))
                (cases(report, NOTED))
                (unreadable(report))
                section #of-machines {
                    h2 { "Machines" }
                    (machines(report, &of_row, &profiles))
                }
                h2 #alike { "Machines with the same outcome and changes in all specs" }
                @for (at, profile) in profiles.iter().enumerate() { (alike(at, profile, report)) }
                script { (PreEscaped(&script)) }
            }
        }
    };
    page.into_string()
}

/// A section of cases: its id, its title, and which cases are in it.
type Section = (&'static str, &'static str, fn(&Case) -> bool);
const CHANGES: Section = ("changes", "To change", |case| case.outcome == FleetOutcome::ChangesPending);
const EXCEPTIONS: Section = ("exceptions", "Exceptions", |case| case.outcome.is_exception());
const WAIVED: Section = ("waived", "Waived", |case| case.outcome == FleetOutcome::Waived);
const NOTED: Section = ("noted", "Nothing to change, with a note", |case| !case.asks() && case.is_shown());

/// Returns the id and title of each section that the page has.
fn sections(report: &FleetReport) -> Vec<(&'static str, String)> {
    let mut sections = vec![("specs", "Specs".to_owned())];
    for (id, title, which) in [CHANGES, EXCEPTIONS, WAIVED, NOTED] {
        let count = report.cases.iter().filter(|case| which(case)).count();
        if count > 0 {
            sections.push((id, format!("{title} ({count})")));
        }
    }
    let unreadable = report.unreadable().count();
    if unreadable > 0 {
        sections.push(("unreadable", format!("Unreadable ({unreadable})")));
    }
    sections.push(("of-machines", format!("Machines ({})", report.counts.machines)));
    sections
}

/// Returns text without invisible characters. The crate maud escapes all other characters.
fn text(text: &str) -> String {
    one_line(text)
}

fn number(outcome: FleetOutcome) -> usize {
    outcome as usize
}

/// Returns the notes that apply to the page as a whole.
fn notes(report: &FleetReport) -> Markup {
    html! {
        @for diagnostic in &report.diagnostics {
            p { b { (diagnostic.code.as_str()) } ": " (text(&diagnostic.message)) }
        }
        @if !report.ignored.is_empty() {
            p.names { "Not read, because it is not a .json file: " (report.ignored.iter().map(|name| text(name)).collect::<Vec<_>>().join(", ")) }
        }
    }
}

fn cases(report: &FleetReport, (id, title, which): Section) -> Markup {
    let found: Vec<(usize, &Case)> = report.cases.iter().enumerate().filter(|(_, case)| which(case)).collect();
    html! {
        @if !found.is_empty() { h2 id=(id) { (title) } }
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
            div.wide {
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
        }
        @for reason in reasons(case) { p { (text(reason)) } }
        @for note in wording::notes(case) { p { (text(&note)) } }
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
            p { "digest of the changes: " code { (case.digest.as_deref().unwrap_or_default()) } }
        }
    }
}

fn unreadable(report: &FleetReport) -> Markup {
    let rows: Vec<_> = report.unreadable().collect();
    html! {
        @if !rows.is_empty() {
            h2 #unreadable { "Unreadable" }
            table {
                thead { tr { th { "machine" } th { "because" } } }
                tbody { @for (row, why) in rows { tr { td { (text(&row.name)) } td { (text(why)) } } } }
            }
        }
    }
}

/// Every group of the fleet, with its number: the row of a machine has the numbers of its groups.
fn groups(report: &FleetReport) -> BTreeMap<&str, usize> {
    let names: BTreeSet<&str> = report.machines.iter().flat_map(|row| &row.groups).map(String::as_str).collect();
    names.into_iter().zip(0..).collect()
}

/// What filters and finds machines, and below it what folds and unfolds.
fn tools(report: &FleetReport) -> Markup {
    html! {
        div.needs-script.tools {
            @for (outcome, count) in report.counts.outcomes.iter().rev() {
                button data-o=(number(*outcome)) class=(outcome.as_str()) aria-pressed="false" {
                    (count) " " (outcome.words())
                }
            }
            input #search type="search" placeholder="find machines" aria-label="find machines by name, group or spec";
            select #group aria-label="group" {
                option value="" { "all groups" }
                @for group in groups(report).into_keys() { option value=(text(group)) { (text(group)) } }
            }
            button #of-case hidden {}
            button #clear { "all machines" }
            a #shown href="#of-machines" role="status" {}
        }
        p.needs-script.names {
            button #open { "unfold all" } " "
            button #close { "fold all" } " "
            button #theme { "light / dark" }
            " Keys: / find, Esc all machines, o unfold, f fold, t light or dark"
        }
    }
}

fn machines(report: &FleetReport, of_row: &[Option<usize>], profiles: &[Profile]) -> Markup {
    let head = |by: &str, title: &str| html! { th { button data-sort=(by) { (title) } } };
    let groups = groups(report);
    let numbers = |row: &MachineRow| {
        let numbers: Vec<String> = row.groups.iter().map(|group| groups[group.as_str()].to_string()).collect();
        (!numbers.is_empty()).then(|| numbers.join(" "))
    };
    html! {
        table #machines {
            thead {
                tr { (head("name", "machine")) (head("groups", "groups")) (head("outcome", "outcome")) th { "specs" } }
            }
            tbody {
                @for (row, profile) in report.machines.iter().zip(of_row) {
                    tr data-o=(number(row.outcome)) data-p=[profile.map(|at| format!("p{at}"))] data-g=[numbers(row)] {
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
    let cases = || profile.cases.iter().map(|at| (at, &report.cases[*at]));
    let quiet = |outcome| {
        let of = cases().filter(|(_, case)| case.outcome == outcome && !case.asks());
        of.map(|(_, case)| text(&case.spec)).collect::<Vec<_>>().join(", ")
    };
    html! {
        details id=(format!("p{at}")) data-c=(cases().map(|(at, _)| format!("c{at}")).collect::<Vec<_>>().join(" ")) {
            summary { b { (wording::machines(profile.machines.len())) } ": " (profile.words) }
            p.names { (wording::names(&profile.machines, NAMES)) }
            table {
                tbody {
                    @for (at, case) in cases().filter(|(_, case)| case.asks()) {
                        tr {
                            td { (text(&case.spec)) }
                            td class=(case.outcome.as_str()) { a href=(format!("#c{at}")) { (case.outcome.words()) } }
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
