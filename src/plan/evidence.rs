//! Checks the evidence in a saved plan against the facts in the same plan. So the evidence that a reviewer reads agrees
//! with the facts that `apply` checks again.

use super::lookup;
use super::{Check, Evidence, Part, Truth, condition};
use crate::{
    observe::Reader,
    registry::{Key, KeyPath, ValueName, View, notation},
    targets::{Answer, FileFacts},
};

impl Check {
    /// Describes one fact of this check in a sentence.
    pub fn sentence(&self, evidence: &Evidence) -> String {
        let Evidence { place, wanted, .. } = evidence;
        let found = evidence.found_or_planned();
        let part = match self.part {
            Part::Applicable => String::new(),
            Part::Cause => format!("cause {}: ", self.title),
            Part::Prerequisite => format!("prerequisite {}: ", self.title),
            Part::Hotfix => format!("hotfix {}: ", self.title),
            Part::Deletion => "deletion: ".to_owned(),
            Part::Trigger => "trigger: ".to_owned(),
        };
        format!("{part}{place}: found {found}, wanted {wanted}")
    }
}

/// Returns a sentence if the evidence of a check contradicts the facts or the result of the check; `None` if not.
/// Faults that only a comparison with the spec would show are not found.
pub(super) fn fault(check: &Check, reader: &Reader<'_>) -> Option<String> {
    let mut results = check.evidence.iter().map(|evidence| evidence.result);
    if let Some(first) = results.next()
        && results.all(|result| result == first)
        && check.result != first
    {
        return Some(format!("the result of the check {} does not match its evidence", check.title));
    }
    if check.part == Part::Deletion {
        // The evidence of this check is about subkeys. If the key is deleted, the facts must list its subkeys anyway.
        return None;
    }
    check.evidence.iter().find_map(|evidence| evidence_fault(evidence, reader))
}

/// Returns a sentence if the facts contradict the evidence about a key, value or file; `None` if not.
///
/// The following evidence is not compared: evidence whose result is unknown, or that is about a folder that no registry
/// value names, a key pattern that matches no key, or the Windows version.
fn evidence_fault(evidence: &Evidence, reader: &Reader<'_>) -> Option<String> {
    if evidence.result == Truth::Unknown || evidence.found.starts_with("no such folder: ") {
        return None;
    }
    let (found, planned_by) = reader.planned_by(|| found(evidence, reader));
    let found = found?;
    let Evidence { place, found: named, .. } = evidence;
    if !found.contains(named) {
        return Some(format!("{place}: the plan says {named}, but its facts say {}", found.join(" or ")));
    }
    // Evidence can also depend on an earlier spec through the path of its place, which the plan does not record.
    let by_another = planned_by.filter(|id| evidence.planned_by.as_ref() != Some(id));
    by_another.map(|id| format!("the state of {place} is planned by {id}, but `planned_by` does not name this spec"))
}

/// Returns the state of the key, value or file according to the facts, in each wording that evidence can have for this
/// state. Returns `None` if the evidence is about something else.
fn found(evidence: &Evidence, reader: &Reader<'_>) -> Option<Vec<String>> {
    let place = &evidence.place;
    if place.as_bytes().get(1) == Some(&b':') || place.starts_with(r"\\") {
        return Some(file(&reader.file(place)));
    }
    if let Some((key, name)) = value(place) {
        // The evidence also hides data that it compares with a sensitive value, which the facts do not mark.
        let is_hidden = reader.is_hidden(&key, &name) || evidence.found.ends_with(notation::HIDDEN);
        return Some(vec![match reader.value(&key, &name) {
            Answer::Present(data) if is_hidden => notation::message(Some(&data), true),
            Answer::Present(data) => lookup::readable(&data),
            Answer::Absent => "absent".to_owned(),
            Answer::Unread(why) => why.to_string(),
        }]);
    }
    match (key(place), evidence.found.as_str()) {
        (Some(key), "present" | "absent") => Some(vec![condition::presence(&reader.key(&key))]),
        _ => None,
    }
}

/// Parses the text by which evidence names a value: the key, a space, and the value name in quotes or `@`. Returns
/// `None` if the text does not have this form.
fn value(place: &str) -> Option<(Key, ValueName)> {
    place.match_indices(' ').find_map(|(at, _)| {
        let (key, name) = (key(&place[..at])?, &place[at + 1..]);
        let text = match name {
            "@" => String::new(),
            _ => {
                let inner = name.strip_prefix('"')?.strip_suffix('"')?;
                let text = inner.replace("\\\\", "\u{0}").replace("\\\"", "\"").replace('\u{0}', "\\");
                (notation::quoted(&text) == name).then_some(text)?
            }
        };
        Some((key, ValueName::new(text.as_str()).ok()?))
    })
}

fn key(text: &str) -> Option<Key> {
    let (path, view) = match text.strip_suffix(" [32-bit view]") {
        Some(path) => (path, View::Bits32),
        None => (text, View::Bits64),
    };
    path.parse::<KeyPath>().ok().map(|path| Key { path, view })
}

/// Returns the state of a file according to the facts, in each wording that evidence can have for this state.
pub(super) fn file(answer: &Answer<FileFacts>) -> Vec<String> {
    let facts = match answer {
        Answer::Absent => return vec!["absent".to_owned()],
        Answer::Unread(why) => return vec![why.to_string()],
        Answer::Present(facts) => facts,
    };
    let version = match &facts.version {
        Answer::Present(version) => version.to_string(),
        Answer::Absent => "no file version".to_owned(),
        Answer::Unread(why) => why.to_string(),
    };
    let platform = facts.platform.map_or("no platform".to_owned(), |platform| platform.to_string());
    let shown = ["present".to_owned(), version];
    shown.iter().flat_map(|text| [text.clone(), format!("{text} ({platform})")]).collect()
}
