//! Formats a fleet report as Markdown, for a comment on a pull request or a change ticket.

use std::fmt::Write;

use super::wording::{self, facts, reasons};
use crate::{
    diag::number_of,
    fleet::{Case, FleetOutcome, FleetReport},
    render::{diff, markdown::escaped},
};

/// The maximum number of bytes of the whole text. A comment can have 65,536 characters on GitHub and a million on
/// GitLab.
pub const MOST: usize = 65_000;
/// The maximum number of bytes of each table: the specs, the exceptions, and the machines that could not be read. The
/// changes get the remaining bytes.
const TABLE: usize = 16_000;
/// The number of bytes of a case after which the further lines of its diff are left out.
pub(super) const BLOCK: usize = 8_000;
/// The number of bytes that are reserved for the sentences that say what is not shown.
pub(super) const NOTES: usize = 2_000;
/// The number of names of machines that are shown for one case. If only one more name remains, it is shown too.
const NAMES: usize = 20;
/// The number of characters after which a table cell or a line of a diff is cut.
const LONGEST: usize = 600;

/// Formats the report as GitHub-flavoured Markdown of at most [`MOST`] bytes, for a fleet of any size. If something
/// does not fit, the text says how much is left out. The first line is an HTML comment, by which a program can find its
/// own earlier comment on a pull request.
pub fn markdown(report: &FleetReport) -> String {
    let mut head = "<!-- kbfix fleet -->\n## kbfix fleet\n\n".to_owned();
    let _ = writeln!(head, "{}\n", escaped(&wording::summary(report)));
    if let Some(digest) = &report.digest {
        let _ = writeln!(head, "Fleet plan `{digest}`\n");
    }
    let mut left = MOST - NOTES - head.len();
    let specs = cut(table(report), TABLE, &mut left);
    let exceptions = cut(exceptions(report), TABLE, &mut left);
    let unreadable = cut(unreadable(report), TABLE, &mut left);
    let all = left;
    let changes = cut(changes(report), all, &mut left);
    let mut out = head;
    for (part, what) in [(specs, "spec"), (changes, "case"), (exceptions, "row"), (unreadable, "machine")] {
        out.push_str(&part.text);
        if part.more > 0 {
            let more = number_of(part.more, what);
            let _ = writeln!(out, "\n**Not shown here: {more}**. The report as JSON contains everything.");
        }
        if !part.text.is_empty() {
            out.push('\n');
        }
    }
    out
}

/// A part of a Markdown text, such as a table, and the number of its blocks that were left out because they did not
/// fit.
pub(super) struct Part {
    pub(super) text: String,
    pub(super) more: usize,
}

/// Returns the heading with as many of the blocks as fit into `most` bytes and into `left` bytes. Subtracts their size
/// from `left`.
pub(super) fn cut((head, blocks): (String, Vec<String>), most: usize, left: &mut usize) -> Part {
    let mut part = Part { text: String::new(), more: 0 };
    if blocks.is_empty() {
        return part;
    }
    let room = most.min(*left);
    for block in blocks {
        let size = if part.text.is_empty() { head.len() + block.len() } else { block.len() };
        if part.text.len() + size > room {
            part.more += 1;
            continue;
        }
        if part.text.is_empty() {
            part.text.push_str(&head);
        }
        part.text.push_str(&block);
    }
    *left -= part.text.len().min(*left);
    part
}

/// Returns the first `most` of the texts. If there are more, a further text says how many are not shown; `what` is the
/// noun for them.
pub(super) fn first(texts: impl IntoIterator<Item = String>, most: usize, what: &str) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().collect();
    if texts.len() > most {
        let more = number_of(texts.len() - most, &format!("more {what}"));
        texts.truncate(most);
        texts.push(format!("**{more} not shown here**"));
    }
    texts
}

/// Returns the first [`LONGEST`] characters of text. If there are more characters, appends their number.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}… ({} more characters)", &text[..at], text[at..].chars().count()),
        None => text.to_owned(),
    }
}

pub(super) fn cell(text: &str) -> String {
    escaped(&short(text))
}

fn table(report: &FleetReport) -> (String, Vec<String>) {
    let columns = wording::columns(report);
    let names: Vec<&str> = columns.iter().map(|outcome| outcome.words()).collect();
    let head = format!("| spec | {} |\n|---|{}\n", names.join(" | "), "---:|".repeat(columns.len()));
    let row = |spec: &crate::fleet::SpecCounts| {
        let count = |outcome| spec.outcomes.get(outcome).map_or_else(String::new, ToString::to_string);
        let counts: Vec<String> = columns.iter().map(count).collect();
        format!("| {}: {} | {} |\n", escaped(&spec.id), cell(&spec.title), counts.join(" | "))
    };
    // Without an outcome, no machine could be read.
    let rows = if columns.is_empty() { Vec::new() } else { report.specs.iter().map(row).collect() };
    (head, rows)
}

fn changes(report: &FleetReport) -> (String, Vec<String>) {
    let blocks = report.cases_of(FleetOutcome::ChangesPending).map(|case| {
        let count = wording::machines(case.machines.len());
        let mut block = format!("\n#### {count}: {}: {}\n\n", escaped(&case.spec), wording::changes(case));
        let _ = writeln!(block, "{}\n", escaped(&wording::names(&case.machines, NAMES)));
        for reason in first(reasons(case).into_iter().map(cell), 5, "reason") {
            let _ = writeln!(block, "{reason}\n");
        }
        for note in wording::notes(case) {
            let _ = writeln!(block, "{}\n", cell(&note));
        }
        for sentence in wording::waivers(case, report) {
            let _ = writeln!(block, "{}: {}\n", wording::waived_changes(case), cell(&sentence));
        }
        let _ = writeln!(block, "```diff");
        let lines: Vec<String> = case.changes.iter().flat_map(diff::hunk).map(|line| line.to_string()).collect();
        for (at, line) in lines.iter().enumerate() {
            // A code fence inside the data would end the block.
            let line = short(line).replace("```", "`\u{200b}``");
            if block.len() + line.len() > BLOCK {
                let _ = writeln!(block, "# {} not shown here", number_of(lines.len() - at, "more line"));
                break;
            }
            let _ = writeln!(block, "{line}");
        }
        let _ = writeln!(block, "```");
        block
    });
    ("### To change\n".to_owned(), blocks.collect())
}

fn exceptions(report: &FleetReport) -> (String, Vec<String>) {
    let head = "### Exceptions\n\n| machines | spec | outcome | place | found | wanted |\n|---|---|---|---|---|---|\n";
    let is_exception = |case: &&Case| case.is_shown() && case.outcome != FleetOutcome::ChangesPending;
    let blocks = report.cases.iter().filter(is_exception).flat_map(|case| {
        let first = |place: String| {
            let names = cell(&wording::names(&case.machines, 3));
            format!("| {names} | {} | **{}** | {place} |\n", escaped(&case.spec), case.outcome.words())
        };
        let facts = facts(case).into_iter().map(|fact| {
            let place = format!("{}: {}", fact.part, fact.place);
            [cell(&place), cell(&fact.found), cell(fact.wanted)].join(" | ")
        });
        let reasons = reasons(case).into_iter().map(|reason| format!("{} | | ", cell(reason)));
        let waivers = wording::waivers(case, report).into_iter().map(|sentence| format!("{} | | ", cell(&sentence)));
        let notes = wording::notes(case).map(|note| format!("{} | | ", cell(&note)));
        facts.chain(reasons).chain(notes).chain(waivers).map(first).collect::<Vec<_>>()
    });
    (head.to_owned(), blocks.collect())
}

fn unreadable(report: &FleetReport) -> (String, Vec<String>) {
    let row = |(row, why): (&crate::fleet::MachineRow, &str)| format!("| {} | {} |\n", cell(&row.name), cell(why));
    ("### Unreadable\n\n| machine | because |\n|---|---|\n".to_owned(), report.unreadable().map(row).collect())
}
