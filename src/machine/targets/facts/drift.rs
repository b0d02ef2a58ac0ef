//! Finds the differences between two sets of facts, such as the facts in a plan and the present ones.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::text::first_few,
    registry::{Data, Key, KeyName, ValueName, notation},
    small_map::SmallSet,
    targets::{Answer, FileFacts, Reason, Unread},
};

use super::{Facts, FilePath, KeyRecord};

/// A key, value, file or policy setting that differs between two sets of facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Moved")]
pub struct Drift {
    /// The key, value, file or policy setting that differs, as text.
    pub place: String,
    /// The state of `place` in the older facts, for example those in a saved plan, as text.
    pub was: String,
    /// The state of `place` in the newer facts, as text.
    pub is: String,
}

impl Facts {
    /// Returns the differences between these facts and newer answers to the same questions.
    pub fn moved(&self, now: &Self) -> Vec<Drift> {
        let mut moved = Vec::new();
        for (key, was) in &self.keys {
            let is =
                now.keys.get(key).cloned().unwrap_or(Answer::Unread(Unread::new(Reason::Unknown, "not read again")));
            match (was, &is) {
                (Answer::Present(was), Answer::Present(is)) => was.moved(key, is, &mut moved),
                (was, is) if was == is => {}
                (was, is) => moved.push(Drift { place: key.to_string(), was: existence(was), is: existence(is) }),
            }
        }
        for (path, was) in &self.files {
            let is = now.files.get(path);
            if is != Some(was) {
                let is = is.map_or("unknown".to_owned(), file_text);
                moved.push(Drift { place: path.0.clone(), was: file_text(was), is });
            }
        }
        self.policies_moved(now, &mut moved);
        moved
    }
}

impl Facts {
    /// Returns the differences between these facts and newer ones, which may answer other questions. A key, value or
    /// file that is unknown or missing in one of the two sets is not compared, and neither are class names and security
    /// descriptors.
    pub fn changed(&self, now: &Self) -> Vec<Drift> {
        let mut changed = Vec::new();
        let keys: BTreeSet<&Key> = self.keys.keys().chain(now.keys.keys()).collect();
        for key in keys {
            let (Some(was), Some(is)) = (self.record(key), now.record(key)) else { continue };
            let mut add = |place: String, was: String, is: String| changed.push(Drift { place, was, is });
            if is_unknown(&was) || is_unknown(&is) {
                continue;
            }
            if existence(&was) != existence(&is) {
                add(key.to_string(), existence(&was), existence(&is));
            }
            let names = |record: &Answer<&KeyRecord>| match record {
                Answer::Present(record) => record.values.keys().cloned().collect(),
                _ => Vec::new(),
            };
            for name in BTreeSet::from_iter(names(&was).into_iter().chain(names(&is))) {
                let (Some(was), Some(is)) = (self.value(key, &name), now.value(key, &name)) else { continue };
                if was != is && !is_unknown(&was) && !is_unknown(&is) {
                    let hidden = self.is_hidden(key, &name) || now.is_hidden(key, &name);
                    let place = format!("{key} {}", notation::value_name(&name));
                    add(place, value_text(&was, hidden), value_text(&is, hidden));
                }
            }
            if let (Answer::Present(was), Answer::Present(is)) = (was, is)
                && let (Some(was), Some(is)) = (&was.subkeys, &is.subkeys)
                && was != is
            {
                add(format!("{key}, its subkeys"), subkeys(was, is), subkeys(is, was));
            }
        }
        let paths: BTreeSet<&FilePath> = self.files.keys().chain(now.files.keys()).collect();
        for path in paths {
            if let (Some(was), Some(is)) = (self.files.get(path), now.files.get(path))
                && was != is
                && !is_unknown(was)
                && !is_unknown(is)
            {
                changed.push(Drift { place: path.0.clone(), was: file_text(was), is: file_text(is) });
            }
        }
        self.policies_changed(now, &mut changed);
        changed
    }
}

fn is_unknown<T>(answer: &Answer<T>) -> bool {
    matches!(answer, Answer::Unread(Unread { reason: Reason::Unknown, .. }))
}

/// Returns a text for the list of subkeys `these`: all names if there are one to five; for more, their number and the
/// first five of those names that are not in `others`.
fn subkeys(these: &SmallSet<KeyName>, others: &SmallSet<KeyName>) -> String {
    const FEW: usize = 5;
    if these.is_empty() {
        return "no subkeys".to_owned();
    }
    if these.len() <= FEW {
        return first_few(these.iter().map(KeyName::as_str));
    }
    let only = first_few(these.iter().filter(|name| !others.contains(name)).map(KeyName::as_str));
    let among = if only.is_empty() { String::new() } else { format!(", among them {only}") };
    format!("{} subkeys{among}", these.len())
}

impl KeyRecord {
    fn moved(&self, key: &Key, now: &Self, moved: &mut Vec<Drift>) {
        let answer = |record: &Self, name: &ValueName| record.value(name).map_or(Answer::Absent, |(answer, _)| answer);
        for name in self.values.keys().chain(now.values.keys().filter(|n| !self.values.contains_key(*n))) {
            let (was, is) = (answer(self, name), answer(now, name));
            if was != is {
                let place = format!("{key} {}", notation::value_name(name));
                let text = |answer| value_text(answer, self.sensitive.contains(name));
                moved.push(Drift { place, was: text(&was), is: text(&is) });
            }
        }
        if let (Some(was), Some(is)) = (self.listing(), now.listing())
            && was != is
        {
            let (was, is) = (listing_text(&was, now), listing_text(&is, self));
            moved.push(Drift { place: format!("{key}, its subkeys"), was, is });
        }
        if let (Some(was), Some(is)) = (&self.properties, &now.properties) {
            let (was, is) = match (was, is) {
                (Answer::Present(was), Answer::Present(is)) if was.same(is) => return,
                (Answer::Present(was), Answer::Present(is)) => (was.to_string(), is.to_string()),
                // An export contains neither class names nor security descriptors, so unknown ones are not a
                // difference.
                (_, Answer::Unread(Unread { reason: Reason::Unknown, .. })) => return,
                (was, is) => (existence(was), existence(is)),
            };
            moved.push(Drift { place: format!("class name and security descriptor of {key}"), was, is });
        }
    }
}

fn listing_text(listing: &Answer<&SmallSet<KeyName>>, other: &KeyRecord) -> String {
    match listing {
        Answer::Present(names) => subkeys(names, other.subkeys.as_ref().unwrap_or(&SmallSet::default())),
        unread => existence(unread),
    }
}

fn existence<T>(answer: &Answer<T>) -> String {
    match answer {
        Answer::Present(_) => "present".to_owned(),
        Answer::Absent => "absent".to_owned(),
        Answer::Unread(why) => why.to_string(),
    }
}

fn value_text(answer: &Answer<Data>, is_sensitive: bool) -> String {
    match answer {
        Answer::Present(data) => notation::message(Some(data), is_sensitive),
        other => existence(other),
    }
}

fn file_text(answer: &Answer<FileFacts>) -> String {
    match answer {
        Answer::Present(facts) => match &facts.version {
            Answer::Present(version) => format!("file version {version}, {} bytes", facts.size),
            Answer::Absent => format!("no file version, {} bytes", facts.size),
            Answer::Unread(why) => why.to_string(),
        },
        other => existence(other),
    }
}
