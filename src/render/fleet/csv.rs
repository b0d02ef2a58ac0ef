//! Formats a fleet report as CSV (RFC 4180): one row for each spec on each machine.

use std::io::{self, Write};

use crate::{
    fleet::{FleetReport, Line, LineSpec},
    registry::notation::one_line,
};

const HEAD: [&str; 13] = [
    "machine",
    "outcome",
    "spec",
    "computer_name",
    "machine_guid",
    "target",
    "taken",
    "groups",
    "wave",
    "case",
    "changes",
    "digest",
    "reason",
];

/// Writes the report as CSV, in UTF-8. A machine that could not be read has one row, in which the spec is empty.
///
/// If a spreadsheet would read a cell as a formula, the cell gets a `'` before its text.
///
/// # Errors
/// Returns the error of the writer `to`.
pub fn csv(report: &FleetReport, to: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(to);
    let mut add = |row: [String; 13]| writer.write_record(row.iter().map(|cell| inert(cell)));
    add(HEAD.map(str::to_owned))?;
    for line in report.lines() {
        if line.specs.is_empty() {
            add(row(&line, None))?;
        }
        line.specs.iter().try_for_each(|spec| add(row(&line, Some(spec))))?;
    }
    writer.flush()
}

fn row(line: &Line<'_>, spec: Option<&LineSpec<'_>>) -> [String; 13] {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let outcome = spec.map_or(line.outcome, |spec| spec.outcome);
    let waived = |spec: &LineSpec<'_>| {
        let waivers = spec.waivers.iter().map(|w| format!("waived until {} by {}: {}", w.expires, w.by, w.reason));
        let notes = spec.notes.iter().map(|note| format!("{}: {}", note.code.as_str(), note.text));
        spec.reasons.iter().cloned().chain(notes).chain(waivers).collect::<Vec<_>>().join("; ")
    };
    let reason = spec.map_or_else(|| text(line.unreadable), waived);
    [
        line.name.to_owned(),
        outcome.as_str().to_owned(),
        text(spec.map(|spec| spec.spec)),
        text(line.computer_name),
        text(line.machine_guid),
        line.target.to_owned(),
        text(line.taken),
        line.groups.join(" "),
        line.wave.map(|wave| wave.to_string()).unwrap_or_default(),
        text(spec.map(|spec| spec.case)),
        spec.map(|spec| spec.changes.to_string()).unwrap_or_default(),
        text(spec.and_then(|spec| spec.digest)),
        reason,
    ]
}

/// Returns text on one line that no spreadsheet evaluates as a formula.
///
/// Source: OWASP, "CSV Injection": a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return may be a
/// formula. Some programs treat the full-width forms of these characters in the same way.
fn inert(cell: &str) -> String {
    let line = one_line(cell);
    let begins = |text: &str| text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%']);
    if begins(line.trim_start()) { format!("'{line}") } else { line }
}

#[cfg(test)]
mod tests {
    use super::inert;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, wanted) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "'-2"),
            (" =1", "' =1"),
            ("\t=1", "\\u{9}=1"),
            ("\r\n=1", "\\u{d}\\u{a}=1"),
            ("＝1", "'＝1"),
            ("FE1", "FE1"),
            ("a=1", "a=1"),
            ("a\u{202e}b", "a\\u{202e}b"),
        ] {
            assert_eq!(inert(cell), wanted);
        }
    }
}
