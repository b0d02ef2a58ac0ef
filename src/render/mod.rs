//! Formats reports, articles, journals and diagnostics as text, JSON, HTML, Markdown, `.reg` and other formats.
//!
//! The functions only turn data into text. None of them reads a target or determines an outcome.

pub mod article;
pub mod diagnostics;
mod diff;
pub mod dsc;
mod edits;
pub mod fleet;
mod for_callers;
pub mod hive_check;
pub mod html;
mod hidden;
mod human;
pub mod journal;
pub mod library;
mod markdown;
mod paint;
mod long_data;
mod reg;
pub mod symptoms;
mod wording;

pub use human::human;
pub use markdown::markdown;
pub use paint::Paint;
pub use reg::reg;

use crate::operation::report::Report;

/// Formats a report as its versioned JSON document. Sensitive data is left out.
pub fn report_json(report: &Report) -> String {
    let is_sensitive = report.specs.iter().any(|spec| {
        spec.satisfied.iter().any(|one| one.sensitive)
            || spec.changes.iter().any(|one| !one.sensitive.is_empty())
            || spec.policy.iter().any(|one| one.sensitive)
    });
    let report = Report { changes_are: report.changes_are(), ..report.clone() };
    let mut document = serde_json::to_value(&report).unwrap_or_default();
    if is_sensitive {
        crate::plan::hidden::hide(&mut document);
    }
    for_callers::add(&mut document, &report);
    json(&document)
}

/// Returns the JSON schema of the document that [`report_json`] writes.
pub fn report_schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Report>().to_value();
    for_callers::add_to_schema(&mut schema);
    schema
}

/// Formats a document as indented JSON.
fn json(document: &impl serde::Serialize) -> String {
    // Only a path that is not valid Unicode cannot be written as JSON, and documents contain such a path as text.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// Formats changes as sections of a unified diff, without colours.
pub fn changes<'a>(changes: impl IntoIterator<Item = &'a crate::targets::KeyChange>) -> String {
    changes.into_iter().flat_map(diff::hunk).map(|line| format!("{line}\n")).collect()
}
