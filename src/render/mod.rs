//! Formats plans, reports and diagnostics as text, JSON, HTML, Markdown and `.reg`.
//!
//! These are pure functions from data to text; nothing here reads a target or decides an outcome.

pub mod article;
pub mod diagnostics;
mod diff;
pub mod dsc;
pub mod fleet;
pub mod hive_check;
pub mod html;
mod hidden;
mod human;
pub mod journal;
mod markdown;
mod paint;
mod long_data;
mod reg;
mod wording;

pub use human::human;
pub use markdown::markdown;
pub use paint::Paint;
pub use reg::reg;

use crate::operation::report::Report;

/// A report as its versioned document, in JSON. Data that is shown to nobody is left out.
pub fn report_json(report: &Report) -> String {
    let is_sensitive = report.specs.iter().any(|spec| {
        spec.satisfied.iter().any(|one| one.sensitive) || spec.changes.iter().any(|one| !one.sensitive.is_empty())
    });
    hidden::json(&Report { changes_are: report.changes_are(), ..report.clone() }, is_sensitive)
}

/// Formats a document as indented JSON.
fn json(document: &impl serde::Serialize) -> String {
    // Strings, numbers and lists of them can always be written as JSON.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// Formats changes as hunks of a unified diff, without colours.
pub fn changes<'a>(changes: impl IntoIterator<Item = &'a crate::targets::KeyChange>) -> String {
    changes.into_iter().flat_map(diff::hunk).map(|line| format!("{line}\n")).collect()
}
