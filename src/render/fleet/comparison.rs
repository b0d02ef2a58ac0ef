//! Formats the comparison of two states of a fleet.

use std::{fmt::Write, sync::Arc};

use super::{
    markdown::{BLOCK, MOST, NOTES, Part, cell, cut, first, short},
    wording::{self, facts, reasons},
};
use crate::{
    diag::number_of,
    fleet::{Case, Difference, DifferenceKind, FleetCommand, FleetComparison},
    registry::notation::one_line,
    render::{
        Paint,
        diff::{self, Line},
        markdown::escaped,
    },
};

/// The number of names of machines that are listed together on a terminal. If only one more name remains, it is shown
/// too.
const NAMES: usize = 8;

/// Formats a comparison as its versioned JSON document.
pub fn comparison_json(comparison: &FleetComparison) -> String {
    crate::render::json(comparison)
}

/// Summarizes a comparison in one sentence.
fn summary(comparison: &FleetComparison) -> String {
    let compared = wording::machines(comparison.compared);
    let mut parts = vec![format!("{} different", comparison.different)];
    for (list, what) in [(&comparison.machines_come, "new"), (&comparison.machines_go, "gone")] {
        if !list.is_empty() {
            parts.push(format!("{} {what}", list.len()));
        }
    }
    if !comparison.unreadable.is_empty() {
        parts.push(format!("{} unreadable", comparison.unreadable.len()));
    }
    format!("{compared} compared: {}", parts.join(", "))
}

/// Returns up to three lines with the ids of the specs that were added, removed or changed between two versions.
fn specs(comparison: &FleetComparison) -> Vec<String> {
    let moved = &comparison.specs;
    let line = |(ids, what): (&Vec<String>, &str)| {
        let ids: Vec<String> = ids.iter().map(|id| one_line(id)).collect();
        (!ids.is_empty()).then(|| format!("specs that {what}: {}", ids.join(", ")))
    };
    [(&moved.come, "were added"), (&moved.go, "were removed"), (&moved.differ, "were changed")]
        .into_iter()
        .filter_map(line)
        .collect()
}

/// Describes a difference in a few words, such as `changes pending (1 value to create), was in desired state`.
fn change(difference: &Difference) -> String {
    let text = |case: &Case| match case.changes.is_empty() {
        true => case.outcome.words().to_owned(),
        false => format!("{} ({})", case.outcome.words(), wording::changes(case)),
    };
    let before = difference.before.as_ref().map_or("not there".to_owned(), text);
    let after = difference.after.as_ref().map_or("no longer present".to_owned(), text);
    format!("{after}, was {before}")
}

/// Formats a comparison as text for people.
pub fn comparison_human(comparison: &FleetComparison, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", paint.bold(&summary(comparison)));
    for line in specs(comparison) {
        let _ = writeln!(out, "{line}");
    }
    for (list, what) in [(&comparison.machines_come, "new"), (&comparison.machines_go, "gone")] {
        if !list.is_empty() {
            let _ = writeln!(out, "{what}: {}", wording::names(list, NAMES));
        }
    }
    out.push('\n');
    for difference in &comparison.differences {
        let count = paint.bold(&wording::machines(difference.machines.len()));
        let kind = difference.kind.as_str();
        let _ = writeln!(out, "{count}: {}: {kind}: {}", one_line(&difference.spec), change(difference));
        let _ = writeln!(out, "  {}", wording::names(&difference.machines, NAMES));
        if let Some(after) = &difference.after {
            for fact in facts(after) {
                let (found, wanted) = (one_line(&fact.found), one_line(fact.wanted));
                let _ = writeln!(out, "  {} {}", one_line(&fact.part), one_line(fact.place));
                let _ = writeln!(out, "                found {found}, wanted {wanted}");
            }
            for reason in reasons(after) {
                let _ = writeln!(out, "  because       {}", one_line(reason));
            }
            for note in wording::notes(after) {
                let _ = writeln!(out, "  note          {}", one_line(&note));
            }
        }
        let lines = hunks(difference);
        if let Some(head) = head_of_hunks(difference).filter(|_| !lines.is_empty()) {
            let _ = writeln!(out, "  {head}");
        }
        for line in lines {
            let text = line.to_string();
            let text = match line {
                Line::Head(_) => paint.head(&text),
                Line::Removed(_) => paint.removed(&text),
                Line::Added(_) => paint.added(&text),
                Line::Same(_) => text,
            };
            let _ = writeln!(out, "{text}");
        }
        out.push('\n');
    }
    for fact in &comparison.facts {
        let count = paint.bold(&wording::machines(fact.machines.len()));
        let _ = writeln!(out, "{count}: {}", one_line(&fact.place));
        let _ = writeln!(out, "  was {}, is {}", one_line(&fact.was), one_line(&fact.is));
        let _ = writeln!(out, "  {}\n", wording::names(&fact.machines, NAMES));
    }
    for one in &comparison.unreadable {
        let _ = writeln!(out, "{}: {}", paint.bold(&one_line(&one.name)), paint.removed("unreadable"));
        let _ = writeln!(out, "  because       {}\n", one_line(&one.reason));
    }
    if let Some(line) = wording::ignored(&comparison.ignored, NAMES) {
        let _ = writeln!(out, "{line}");
    }
    out
}

/// Returns the diff of the changes that the spec requires in the later state of the fleet. For
/// [`DifferenceKind::Goes`], the spec requires no changes in the later state: then returns the diff of the changes in
/// the earlier state.
fn hunks(difference: &Difference) -> Vec<Line> {
    let case = match difference.kind {
        DifferenceKind::Goes => difference.before.as_ref(),
        _ => difference.after.as_ref(),
    };
    case.into_iter().flat_map(|case| &case.changes).flat_map(diff::hunk).collect()
}

/// Returns the line above the diff for [`DifferenceKind::Goes`], which shows the changes in the earlier state of the
/// fleet; `None` for the other kinds, whose diff needs no such line.
fn head_of_hunks(difference: &Difference) -> Option<&'static str> {
    (difference.kind == DifferenceKind::Goes).then_some("the following changes are no longer to be made:")
}

/// Formats a comparison as GitHub-flavoured Markdown of at most [`MOST`] bytes. If a row, a machine or a difference
/// does not fit, the text says how many are left out. Of each difference, it shows at most 10 facts, 5 reasons and 5
/// notes.
pub fn comparison_markdown(comparison: &FleetComparison) -> String {
    let command = match comparison.command {
        FleetCommand::Drift => "drift",
        _ => "impact",
    };
    let mut head = format!("<!-- kbfix fleet {command} -->\n## kbfix fleet {command}\n\n{}\n\n", summary(comparison));
    for line in specs(comparison) {
        let _ = writeln!(head, "{}\n", cell(&line));
    }
    for (list, what) in [(&comparison.machines_come, "New"), (&comparison.machines_go, "Gone")] {
        if !list.is_empty() {
            let _ = writeln!(head, "{what}: {}\n", cell(&wording::names(list, 20)));
        }
    }
    let mut left = MOST - NOTES - head.len().min(MOST / 4);
    let rows: Vec<String> = comparison.differences.iter().map(row).collect();
    let table = "| machines | spec | | now | before |\n|---:|---|---|---|---|\n".to_owned();
    let table = cut((table, rows), MOST / 4, &mut left);
    let unreadable = |one: &crate::fleet::Unreadable| format!("| {} | {} |\n", cell(&one.name), cell(&one.reason));
    let title = "### Unreadable\n\n| machine | because |\n|---|---|\n".to_owned();
    let unreadable = cut((title, comparison.unreadable.iter().map(unreadable).collect()), MOST / 8, &mut left);
    let fact = |fact: &crate::fleet::FactDrift| {
        let cells = [&fact.place, &fact.was, &fact.is].map(|text| cell(text)).join(" | ");
        format!("| {} | {cells} | {} |\n", fact.machines.len(), names(&fact.machines))
    };
    let title = "### Values and files\n\n| machines | place | was | is | |\n|---:|---|---|---|---|\n".to_owned();
    let facts = cut((title, comparison.facts.iter().map(fact).collect()), MOST / 4, &mut left);
    let all = left;
    let blocks = comparison.differences.iter().filter_map(block).collect();
    let changes = cut(("### Changes\n".to_owned(), blocks), all, &mut left);
    let mut out: String = head.chars().take(MOST / 4).collect();
    for (part, what) in [(table, "row"), (changes, "case"), (facts, "row"), (unreadable, "machine")] {
        let Part { text, more } = part;
        out.push_str(&text);
        if more > 0 {
            let _ = writeln!(
                out,
                "\n**Not shown here: {}**. The report as JSON contains everything.",
                number_of(more, what)
            );
        }
        if !text.is_empty() {
            out.push('\n');
        }
    }
    out
}

fn names(machines: &[Arc<str>]) -> String {
    cell(&wording::names(machines, 3))
}

fn row(difference: &Difference) -> String {
    let outcome = |case: &Option<Case>| match case {
        None => "–".to_owned(),
        Some(case) if case.changes.is_empty() => case.outcome.words().to_owned(),
        Some(case) => format!("{}: {}", case.outcome.words(), wording::changes(case)),
    };
    let (spec, kind) = (escaped(&difference.spec), difference.kind.as_str());
    let (after, before) = (outcome(&difference.after), outcome(&difference.before));
    format!("| {} | {spec} | {kind} | {after} | {before} |\n", difference.machines.len())
}

fn block(difference: &Difference) -> Option<String> {
    let lines = hunks(difference);
    let after = difference.after.as_ref();
    let facts = after.map(facts).unwrap_or_default();
    let reasons = after.map(reasons).unwrap_or_default();
    let notes: Vec<String> = after.into_iter().flat_map(wording::notes).collect();
    if lines.is_empty() && facts.is_empty() && reasons.is_empty() && notes.is_empty() {
        return None;
    }
    let count = wording::machines(difference.machines.len());
    let (spec, kind) = (escaped(&difference.spec), difference.kind.as_str());
    let mut block = format!("\n#### {count}: {spec}: {kind}: {}\n\n", change(difference));
    let _ = writeln!(block, "{}\n", escaped(&wording::names(&difference.machines, 20)));
    let fact = |fact: &wording::Fact| {
        let (place, found, wanted) = (cell(fact.place), cell(&fact.found), cell(fact.wanted));
        format!("{place}: found {found}, wanted {wanted}")
    };
    let facts = first(facts.iter().map(fact), 10, "test");
    let reasons = first(reasons.into_iter().map(cell), 5, "reason");
    let notes = first(notes.iter().map(|note| cell(note)), 5, "note");
    for line in facts.iter().chain(&reasons).chain(&notes) {
        let _ = writeln!(block, "- {line}");
    }
    if lines.is_empty() {
        return Some(block);
    }
    if let Some(head) = head_of_hunks(difference) {
        let _ = writeln!(block, "\n{head}");
    }
    let _ = writeln!(block, "\n```diff");
    for (at, line) in lines.iter().enumerate() {
        // A code fence inside the data would end the block.
        let line = short(&line.to_string()).replace("```", "`\u{200b}``");
        if block.len() + line.len() > BLOCK {
            let _ = writeln!(block, "# {} not shown here", number_of(lines.len() - at, "more line"));
            break;
        }
        let _ = writeln!(block, "{line}");
    }
    let _ = writeln!(block, "```");
    Some(block)
}
