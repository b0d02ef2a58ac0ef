//! The differences between two observations of the same things.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    registry::{Data, Key, KeyName, ValueName, notation},
    targets::{Answer, FileFacts, Reason, Unread},
};

use super::{Facts, KeyRecord};

/// A difference between two observations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Moved")]
pub struct Drift {
    /// The key, value or file that differs.
    pub place: String,
    /// The earlier state.
    pub was: String,
    /// The present state.
    pub is: String,
}

impl Facts {
    /// Compares these facts with newer answers to the same questions; returns one entry for each difference.
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
        moved
    }
}

impl KeyRecord {
    fn moved(&self, key: &Key, now: &Self, moved: &mut Vec<Drift>) {
        let answer = |record: &Self, name: &ValueName| record.values.get(name).cloned().unwrap_or(Answer::Absent);
        for name in self.values.keys().chain(now.values.keys().filter(|n| !self.values.contains_key(*n))) {
            let (was, is) = (answer(self, name), answer(now, name));
            if was != is {
                let place = format!("{key} {}", notation::value_name(name));
                let text = |answer| value_text(answer, self.sensitive.contains(name));
                moved.push(Drift { place, was: text(&was), is: text(&is) });
            }
        }
        if let (Some(was), Some(is)) = (&self.subkeys, &now.subkeys)
            && was != is
        {
            let names = |list: &BTreeSet<KeyName>| list.iter().map(KeyName::as_str).collect::<Vec<_>>().join(", ");
            moved.push(Drift { place: format!("{key}, its subkeys"), was: names(was), is: names(is) });
        }
        if let (Some(was), Some(is)) = (&self.properties, &now.properties) {
            let (was, is) = match (was, is) {
                (Answer::Present(was), Answer::Present(is)) if was.same(is) => return,
                (Answer::Present(was), Answer::Present(is)) => (was.to_string(), is.to_string()),
                // An export has no properties, but those of the machine may still be the same.
                (_, Answer::Unread(Unread { reason: Reason::Unknown, .. })) => return,
                (was, is) => (existence(was), existence(is)),
            };
            moved.push(Drift { place: format!("{key}, its class and security"), was, is });
        }
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
