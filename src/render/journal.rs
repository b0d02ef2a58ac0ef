//! Formats a list of journals, or one journal, for people and as JSON.

use std::{fmt::Write as _, path::Path};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::Diagnostic,
    journal::{Event, Header, Journal, Operation, Status, StoreError},
    plan::Machine,
    registry::notation::one_line,
    targets::Address,
};

/// The list of the journals in a state folder.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "kbfix journals, version 1")]
pub struct Journals<'a> {
    /// The version of the format of this document: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_journals: u32,
    /// The journals, oldest first.
    pub journals: Vec<Summary<'a>>,
    /// The files in the journal folder that are damaged, are not journals, or cannot be read.
    pub damaged: Vec<Damaged>,
    /// The errors that stopped the command.
    pub diagnostics: Vec<Diagnostic>,
}

/// A file that cannot be read as a journal.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Damaged {
    /// The path of the file. Bytes that are not Unicode are replaced with U+FFFD.
    pub path: String,
    /// The reason why the file cannot be read.
    pub message: String,
}

/// The summary of one journal in the list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Summary<'a> {
    /// The journal's id.
    pub id: &'a str,
    /// The path of the journal's file. Bytes that are not Unicode are replaced with U+FFFD.
    pub path: String,
    /// The time at which the journal was made, as RFC 3339.
    pub made: &'a str,
    /// The operation that made the changes.
    pub action: &'a Operation,
    /// The status of the journal's changes.
    pub status: Status,
    /// The address of the target that was changed.
    pub target: &'a Address,
    /// The identity of the machine whose registry was changed.
    pub machine: &'a Machine,
    /// The ids of the specs that were applied or retired. For a rollback, one string: the ids of the specs that were
    /// rolled back, joined with `+`.
    pub specs: &'a [String],
    /// The digest of the plan that was applied.
    pub plan: &'a str,
}

/// The JSON document with one journal, or with the errors because of which there is none.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(title = "kbfix journal, version 1")]
pub enum ShownOrNot<'a> {
    /// The journal.
    Shown(Box<Shown<'a>>),
    /// The errors that stopped the command.
    NotShown(NotShown),
}

/// The errors because of which no journal can be shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotShown {
    /// The version of the format of this document: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_journal: u32,
    /// The errors that stopped the command.
    pub diagnostics: Vec<Diagnostic>,
}

/// The whole content of one journal.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown<'a> {
    /// The path of the journal's file. Bytes that are not Unicode are replaced with U+FFFD.
    pub path: String,
    /// The status of the journal's changes.
    pub status: Status,
    /// The header, which is the first line of the file.
    #[serde(flatten)]
    pub header: &'a Header,
    /// The events, which are the later lines of the file.
    pub events: &'a [Event],
}

/// Formats the list of journals as the JSON document [`Journals`].
pub fn list_json(journals: &[Journal], damaged: &[StoreError]) -> String {
    let damaged = damaged.iter().map(|why| Damaged { path: text(why.path()), message: why.to_string() }).collect();
    let journals = journals.iter().map(summary).collect();
    crate::render::json(&Journals { kbfix_journals: 1, journals, damaged, diagnostics: Vec::new() })
}

/// Formats the errors because of which the journals cannot be listed as the JSON document [`Journals`].
pub fn not_listed_json(diagnostics: Vec<Diagnostic>) -> String {
    crate::render::json(&Journals { kbfix_journals: 1, journals: Vec::new(), damaged: Vec::new(), diagnostics })
}

/// Formats the errors because of which no journal can be shown as the JSON document [`ShownOrNot`].
pub fn not_shown_json(diagnostics: Vec<Diagnostic>) -> String {
    crate::render::json(&ShownOrNot::NotShown(NotShown { kbfix_journal: 1, diagnostics }))
}

/// Formats one journal as the JSON document [`ShownOrNot`].
pub fn json(journal: &Journal) -> String {
    let Journal { path, header, events } = journal;
    let is_sensitive = header.changes.iter().any(|change| !change.sensitive.is_empty());
    let shown = Shown { path: text(path), status: journal.status(), header, events };
    super::hidden::json(&ShownOrNot::Shown(Box::new(shown)), is_sensitive)
}

/// Summarizes a journal on one line of text.
pub fn line(journal: &Journal) -> String {
    let header = &journal.header;
    let action = match &header.action {
        Operation::Apply => "apply".to_owned(),
        Operation::Rollback(of) => format!("rollback of {of}"),
        Operation::Retire => "retire".to_owned(),
    };
    let [id, specs, action, uri] =
        [&header.id, &header.specs.join("+"), &action, &header.target.uri].map(|t| one_line(t));
    let place = if header.target.through_policy { " (with its local GPO)" } else { "" };
    format!("{id}  {:<11}  {specs}  {action}  {uri}{place}\n", journal.status().to_string())
}

/// Formats a journal for people, with its changes and events.
pub fn human(journal: &Journal) -> String {
    let mut out = line(journal);
    let _ = writeln!(out, "plan {}", one_line(&journal.header.plan));
    out.push_str(&crate::render::changes(&journal.header.changes));
    for event in &journal.events {
        let detail = event.detail.as_deref().map(|d| format!(": {d}")).unwrap_or_default();
        let _ = writeln!(out, "{}", one_line(&format!("{} {}{detail}", event.time, event.event)));
    }
    out
}

/// Returns the path as text, because JSON cannot contain a path that is not valid Unicode.
fn text(path: &Path) -> String {
    path.display().to_string()
}

fn summary(journal: &Journal) -> Summary<'_> {
    let Journal { path, header, .. } = journal;
    Summary {
        id: &header.id,
        path: text(path),
        made: &header.made,
        action: &header.action,
        status: journal.status(),
        target: &header.target,
        machine: &header.machine,
        specs: &header.specs,
        plan: &header.plan,
    }
}
