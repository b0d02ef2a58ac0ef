//! Formats the list of built-in specs, and a table of their outcomes on a target.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    diag::number_of,
    operation::library::{Library, Standing},
    plan::{Outcome, SpecPlan},
    registry::notation::one_line,
};

use super::{Paint, json};

/// The maximum number of characters of a reason or title in a row of the table.
const LONGEST: usize = 100;

/// Formats the list of built-in specs as text. If their outcomes on a target are known, the text is a table with the
/// outcomes.
pub fn human(library: &Library, paint: Paint) -> String {
    let rows = library.specs.iter().map(|entry| (entry.id.as_str(), entry.title.as_str(), entry.standing.clone()));
    let rows: Vec<_> = rows.collect();
    match library.specs.iter().any(|entry| entry.standing.is_some()) {
        true => table(rows.into_iter().filter_map(|(id, title, standing)| Some((id, title, standing?))), paint),
        false => {
            let width = rows.iter().map(|(id, ..)| id.len()).max().unwrap_or_default();
            let mut out = String::new();
            for (id, title, _) in &rows {
                let _ = writeln!(out, "{}{}  {}", paint.bold(id), " ".repeat(width - id.len()), cut(title));
            }
            let _ = writeln!(out, "{}", number_of(rows.len(), "spec"));
            out
        }
    }
}

/// Formats the list of built-in specs as its versioned JSON document.
pub fn library_json(library: &Library) -> String {
    json(library)
}

/// Formats a table with the outcome of each spec of a run, and the number of specs with each outcome.
pub fn outcomes(specs: &[SpecPlan], paint: Paint) -> String {
    table(specs.iter().map(|spec| (spec.id.as_str(), spec.title.as_str(), Standing::of(spec))), paint)
}

fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a str, Standing)>, paint: Paint) -> String {
    let mut rows: Vec<_> = rows.collect();
    // Specs that need attention come last, nearest to the prompt. Within each group, the order stays the same.
    rows.sort_by_key(|(.., standing)| standing.outcome);
    let words = |outcome: Outcome| outcome.as_str().replace('_', " ");
    let width = rows.iter().map(|(.., standing)| words(standing.outcome).len()).max().unwrap_or_default();
    let ids = rows.iter().map(|(id, ..)| id.len()).max().unwrap_or_default();
    let mut out = String::new();
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    for (id, title, standing) in &rows {
        *counts.entry(standing.outcome).or_default() += 1;
        let outcome = words(standing.outcome);
        let what = match standing.outcome {
            Outcome::ChangesPending => number_of(standing.changes, "change"),
            Outcome::PendingRestart | Outcome::Blocked | Outcome::NeedsParameter | Outcome::Unknown => {
                standing.reasons.first().map(|reason| cut(reason)).unwrap_or_default()
            }
            _ => cut(title),
        };
        let (pad, id_pad) = (" ".repeat(width - outcome.len()), " ".repeat(ids - id.len()));
        let row = format!("{}{pad}  {}{id_pad}  {what}", paint.outcome(standing.outcome), paint.bold(&one_line(id)));
        let _ = writeln!(out, "{}", row.trim_end());
    }
    let counts = counts.iter().rev().map(|(outcome, count)| format!("{}: {count}", words(*outcome)));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "{} ({counts})", number_of(rows.len(), "spec"));
    out
}

fn cut(text: &str) -> String {
    let text = one_line(text);
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
