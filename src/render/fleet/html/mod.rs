//! Formats a fleet report as one HTML page. The page loads no other files. All of it can be read without its script,
//! which searches, filters, sorts and folds.

mod cases;
mod limit;
mod machines;
mod profile;
mod specs;

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::wording;
use crate::fleet::{Case, FleetOutcome, FleetReport};
use limit::text;
use machines::{Groups, groups};
use profile::profiles;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Formats the report as a page of less than 5 MB for a fleet of any size. If not all cases or groups of machines fit,
/// those with most machines get space first, and the page says how many are left out.
pub fn html(report: &FleetReport) -> String {
    let numbers: HashMap<&str, usize> = report.cases.iter().enumerate().map(|(at, case)| (&*case.id, at)).collect();
    let (profiles, of_row) = profiles(report, &numbers);
    let groups = groups(report);
    let cases = cases::parts(report, &SECTIONS);
    let alike = machines::alike(report, &profiles, &cases);
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
                (tools(report, &groups))
                @if has_outcomes(report) { (specs::specs(report, &cases)) }
                @for section in SECTIONS { (cases::section(report, &cases, section)) }
                (machines::unreadable(report))
                section #of-machines {
                    h2 { "Machines" }
                    (machines::table(report, &groups, &of_row, &profiles, (&cases, &alike)))
                }
                h2 #alike { "Machines with the same outcome and changes in all specs" }
                @for part in alike.iter().flatten() { (PreEscaped(part)) }
                (limit::more(alike.iter().filter(|part| part.is_none()).count(), "group"))
                script { (PreEscaped(&script)) }
            }
        }
    };
    page.into_string()
}

/// A section of the page with cases: its id, its title, and the test that selects its cases.
type Section = (&'static str, &'static str, fn(&Case) -> bool);
const SECTIONS: [Section; 4] = [
    ("changes", "To change", |case| case.outcome == FleetOutcome::ChangesPending),
    ("exceptions", "Exceptions", |case| case.outcome.is_exception()),
    ("waived", "Waived", |case| case.outcome == FleetOutcome::Waived),
    ("noted", "Nothing to change, with a note", |case| !case.asks() && case.is_shown()),
];

/// Returns whether the report contains the outcome of any spec. It contains none if no machine could be read.
fn has_outcomes(report: &FleetReport) -> bool {
    !wording::columns(report).is_empty()
}

/// Returns the id and the title of each section that is not empty.
fn sections(report: &FleetReport) -> Vec<(&'static str, String)> {
    let mut sections = Vec::new();
    if has_outcomes(report) {
        sections.push(("specs", "Specs".to_owned()));
    }
    for (id, title, which) in SECTIONS {
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

fn number(outcome: FleetOutcome) -> usize {
    outcome as usize
}

/// Formats the warnings of the report, and the names of the entries in the folder of snapshots that were not read.
fn notes(report: &FleetReport) -> Markup {
    html! {
        @for diagnostic in report.diagnostics.iter().take(limit::NOTES) {
            p { b { (diagnostic.code.as_str()) } ": " (text(&diagnostic.message)) }
        }
        (limit::more(report.diagnostics.len().saturating_sub(limit::NOTES), "warning"))
        @if let Some(line) = wording::ignored(&report.ignored, limit::NOTES) {
            p.names { (line) }
        }
    }
}

/// Formats the search field and the filters for machines. Below them are the buttons that fold and unfold the cases.
fn tools(report: &FleetReport, groups: &Groups<'_>) -> Markup {
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
                @for option in &groups.options { (PreEscaped(option)) }
                @if groups.more > 0 { option disabled { (groups.more) " more groups" } }
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
