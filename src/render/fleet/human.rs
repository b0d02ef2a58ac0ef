//! Formats a fleet report for people, on a terminal.

use std::fmt::Write;

use super::wording::{self, facts, reasons};
use crate::{
    fleet::{Case, FleetOutcome, FleetReport},
    registry::notation::one_line,
    render::{
        Paint,
        diff::{self, Line},
    },
};

/// The number of names of machines that are shown for one case. If only one more name remains, it is shown too.
const NAMES: usize = 8;

/// Formats the report as text: a table of specs and outcomes, then each case that needs attention or has a note, then
/// the machines that could not be read.
pub fn human(report: &FleetReport, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}\n", paint.bold(&wording::summary(report)));
    table(report, &mut out);
    for case in report.cases_of(FleetOutcome::ChangesPending) {
        head(case, report, paint, &mut out);
        changes(case, paint, &mut out);
    }
    let others = [
        FleetOutcome::Waived,
        FleetOutcome::PendingRestart,
        FleetOutcome::Blocked,
        FleetOutcome::NeedsParameter,
        FleetOutcome::Unknown,
    ];
    for outcome in others {
        for case in report.cases_of(outcome) {
            head(case, report, paint, &mut out);
        }
    }
    for case in report.cases.iter().filter(|case| !case.asks() && case.is_shown()) {
        head(case, report, paint, &mut out);
    }
    for (row, why) in report.unreadable() {
        let _ = writeln!(out, "{}: {}", paint.bold(&one_line(&row.name)), paint.removed("unreadable"));
        let _ = writeln!(out, "  because       {}\n", one_line(why));
    }
    if let Some(digest) = &report.digest {
        let _ = writeln!(out, "fleet plan {digest}");
    }
    if let Some(line) = wording::ignored(&report.ignored, NAMES) {
        let _ = writeln!(out, "{line}");
    }
    out
}

fn table(report: &FleetReport, out: &mut String) {
    let columns = wording::columns(report);
    // No machine could be read.
    if columns.is_empty() {
        return;
    }
    let id = |id: &str| one_line(id);
    let first = report.specs.iter().map(|spec| id(&spec.id).chars().count()).max().unwrap_or(0).max(4);
    let heads: Vec<&str> = columns.iter().map(|outcome| outcome.words()).collect();
    let _ = writeln!(out, "{:first$}  {}", "spec", heads.join("  "));
    for spec in &report.specs {
        let _ = write!(out, "{:first$}", id(&spec.id));
        for (outcome, head) in columns.iter().zip(&heads) {
            let count = spec.outcomes.get(outcome).map_or_else(|| "-".to_owned(), ToString::to_string);
            let _ = write!(out, "  {count:>width$}", width = head.len());
        }
        out.push('\n');
    }
    out.push('\n');
}

/// Adds a case to `out`, without the changes to make: its machines, spec and outcome, the reasons for it, and what is
/// waived.
fn head(case: &Case, report: &FleetReport, paint: Paint, out: &mut String) {
    let count = paint.bold(&wording::machines(case.machines.len()));
    let outcome = paint.fleet(case.outcome);
    let _ = writeln!(out, "{count}: {}: {outcome}", one_line(&case.spec));
    let _ = writeln!(out, "  {}", wording::names(&case.machines, NAMES));
    for fact in facts(case) {
        let _ = writeln!(out, "  {}", one_line(&fact.part));
        let _ = writeln!(out, "                {}", one_line(fact.place));
        let _ = writeln!(out, "                found {}, wanted {}", one_line(&fact.found), one_line(fact.wanted));
    }
    for reason in reasons(case) {
        let _ = writeln!(out, "  because       {}", one_line(reason));
    }
    for note in wording::notes(case) {
        let _ = writeln!(out, "  note          {}", one_line(&note));
    }
    for sentence in wording::waivers(case, report) {
        let _ = writeln!(out, "  {}", one_line(&sentence));
    }
    if let Some(waived) = &case.waived {
        for line in waived.changes.iter().flat_map(diff::hunk) {
            let _ = writeln!(out, "  {line}");
        }
    }
    if case.changes.is_empty() {
        out.push('\n');
    }
}

fn changes(case: &Case, paint: Paint, out: &mut String) {
    for line in case.changes.iter().flat_map(diff::hunk) {
        let text = line.to_string();
        let text = match line {
            Line::Head(_) => paint.head(&text),
            Line::Removed(_) => paint.removed(&text),
            Line::Added(_) => paint.added(&text),
            Line::Same(_) => text,
        };
        let _ = writeln!(out, "{text}");
    }
    let _ = writeln!(out, "{}: {}\n", wording::changes(case), case.digest.as_deref().unwrap_or_default());
}
