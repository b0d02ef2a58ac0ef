//! Formats fleet reports, which describe many machines in one document.

mod comparison;
mod csv;
mod html;
mod human;
mod junit;
mod markdown;
mod sarif;
mod wording;

pub use comparison::{comparison_human, comparison_json, comparison_markdown};
pub use csv::csv;
pub use html::html;
pub use human::human;
pub use junit::junit;
pub use markdown::{MOST as MOST_MARKDOWN, markdown};
pub use sarif::{MOST_LOCATIONS, sarif};

use std::io::{self, Write};

use crate::fleet::FleetReport;

/// Writes the report as its versioned JSON document.
///
/// # Errors
/// Returns the error of the writer `to`.
pub fn json(report: &FleetReport, to: &mut dyn Write) -> io::Result<()> {
    write_json(report, to)
}

/// Writes the report as JSON Lines: each line is the complete document of one machine.
///
/// Source: <https://jsonlines.org>.
///
/// # Errors
/// Returns the error of the writer `to`.
pub fn lines(report: &FleetReport, to: &mut dyn Write) -> io::Result<()> {
    report.lines().try_for_each(|line| {
        serde_json::to_writer(&mut *to, &line)?;
        writeln!(to)
    })
}

/// Writes a document as JSON, with a line break at its end.
fn write_json(document: &impl serde::Serialize, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, document)?;
    writeln!(to)
}
