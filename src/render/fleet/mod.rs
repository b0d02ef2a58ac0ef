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
pub use sarif::sarif;

use crate::fleet::FleetReport;

/// Formats the report as its versioned JSON document.
pub fn json(report: &FleetReport) -> String {
    super::json(report)
}

/// Formats the report as JSON Lines: each line is the complete document of one machine.
///
/// Source: <https://jsonlines.org>.
pub fn lines(report: &FleetReport) -> String {
    let mut text = String::new();
    for line in report.lines() {
        // A string, a number, or a list of these can always be written as JSON.
        text.push_str(&serde_json::to_string(&line).unwrap_or_default());
        text.push('\n');
    }
    text
}
