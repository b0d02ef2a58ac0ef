//! Facts: what was read of a target, and how changes alter it.
//!
//! Facts are what an observation gathers, what a snapshot file holds, and what a plan rests on. What was never asked is
//! `None` in the answers here, and unknown to whoever needs it; it is never taken for absent.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Answer, FileFacts, KeyChange, KeyFacts, KeyQuery, Reason, Unread, Wanted};
use crate::registry::{Data, Key, KeyName, KeyProperties, ValueName, name};

/// What was read of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, from = "FactsDocument", into = "FactsDocument")]
#[schemars(with = "FactsDocument")]
pub struct Facts {
    keys: BTreeMap<Key, Answer<KeyRecord>>,
    /// What was asked of each key that could not be read: another question may have an answer.
    asked: BTreeMap<Key, Asked>,
    files: BTreeMap<FilePath, Answer<FileFacts>>,
}

/// The path of a file; compares without case.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct FilePath(pub String);

/// What was read of a key that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeyRecord {
    /// The values that were asked for, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    values: BTreeMap<ValueName, Answer<Data>>,
    /// Whether all its values are among them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all_values: bool,
    /// Its properties, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    properties: Option<Answer<KeyProperties>>,
    /// The names of its subkeys, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subkeys: Option<BTreeSet<KeyName>>,
}

/// What was asked of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Values, by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    values: BTreeSet<ValueName>,
    /// Whether all its values were.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all_values: bool,
    /// Whether the names of its subkeys were.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    subkeys: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FactsDocument {
    /// What was found of each key.
    keys: Vec<KeyEntry>,
    /// What was found of each file.
    files: Vec<FileEntry>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct KeyEntry {
    #[serde(flatten)]
    key: Key,
    /// The key is there, absent, or could not be read.
    found: Answer<KeyRecord>,
    /// What was asked of it, where it could not be read; only whether it is there, where this is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Asked>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    /// The file's path.
    path: FilePath,
    /// The file is there, absent, or could not be read.
    found: Answer<FileFacts>,
}

impl Facts {
    /// Takes in an answer.
    pub fn record_key(&mut self, query: &KeyQuery, answer: Answer<KeyFacts>) {
        if matches!(answer, Answer::Unread(_)) {
            self.asked.insert(query.key.clone(), Asked::by(query));
        }
        let answer = answer.map(|facts| KeyRecord {
            values: facts.values,
            all_values: query.values == Wanted::All,
            properties: facts.properties,
            subkeys: facts.subkeys.map(BTreeSet::from_iter),
        });
        match (self.keys.get_mut(&query.key), answer) {
            (Some(Answer::Present(known)), Answer::Present(new)) => {
                known.values.extend(new.values);
                known.all_values |= new.all_values;
                known.properties = new.properties.or(known.properties.take());
                known.subkeys = new.subkeys.or(known.subkeys.take());
            }
            (_, answer) => {
                self.keys.insert(query.key.clone(), answer);
            }
        }
    }

    /// Takes in an answer.
    pub fn record_file(&mut self, path: &str, answer: Answer<FileFacts>) {
        self.files.insert(FilePath(path.to_owned()), answer);
    }

    /// Whether the key is there; `None` where that is not known here.
    pub fn key(&self, key: &Key) -> Option<Answer<()>> {
        self.record(key).map(|answer| answer.map(|_| ()))
    }

    /// A value of the key; absent where the key is absent.
    pub fn value(&self, key: &Key, name: &ValueName) -> Option<Answer<Data>> {
        match self.record(key)? {
            Answer::Present(record) => match record.values.get(name) {
                Some(answer) => Some(answer.clone()),
                None => record.all_values.then_some(Answer::Absent),
            },
            Answer::Absent => Some(Answer::Absent),
            Answer::Unread(why) => Some(Answer::Unread(why)),
        }
    }

    /// The name of the value as it was found; `None` where it was not.
    pub fn spelled(&self, key: &Key, name: &ValueName) -> Option<&ValueName> {
        match self.record(key)? {
            Answer::Present(record) => record.values.get_key_value(name).map(|(found, _)| found),
            _ => None,
        }
    }

    /// All values of the key, in the order of their names.
    pub fn all_values(&self, key: &Key) -> Option<Answer<BTreeMap<ValueName, Answer<Data>>>> {
        match self.record(key)? {
            Answer::Present(record) if !record.all_values => None,
            answer => Some(answer.map(|record| {
                record
                    .values
                    .iter()
                    .filter(|(_, a)| !matches!(a, Answer::Absent))
                    .map(|(n, a)| (n.clone(), a.clone()))
                    .collect()
            })),
        }
    }

    /// The key's properties.
    pub fn properties(&self, key: &Key) -> Option<Answer<KeyProperties>> {
        match self.record(key)? {
            Answer::Present(KeyRecord { all_values: false, .. }) => None,
            Answer::Present(record) => Some(record.properties.clone().unwrap_or_else(|| {
                Answer::unread(Reason::Unknown, format!("class and security of {key} are not known"))
            })),
            Answer::Absent => Some(Answer::Absent),
            Answer::Unread(why) => Some(Answer::Unread(why)),
        }
    }

    /// The names of the key's subkeys.
    pub fn subkeys(&self, key: &Key) -> Option<Answer<Vec<KeyName>>> {
        match self.record(key)? {
            Answer::Present(record) => {
                record.subkeys.as_ref().map(|names| Answer::Present(names.iter().cloned().collect()))
            }
            Answer::Absent => Some(Answer::Absent),
            Answer::Unread(why) => Some(Answer::Unread(why)),
        }
    }

    /// A file.
    pub fn file(&self, path: &str) -> Option<Answer<FileFacts>> {
        self.files.get(&FilePath(path.to_owned())).cloned()
    }

    /// The key's record. What stands below an absent key, or is not among a key's listed subkeys, is absent; unless it may
    /// be elsewhere.
    fn record(&self, key: &Key) -> Option<Answer<&KeyRecord>> {
        if let Some(answer) = self.keys.get(key) {
            return Some(answer.as_ref());
        }
        if key.is_also_elsewhere() {
            return None;
        }
        let parent = key.parent()?;
        match self.record(&parent)? {
            Answer::Absent => Some(Answer::Absent),
            Answer::Present(KeyRecord { subkeys: Some(subkeys), .. }) => {
                let last = KeyName::new(key.path.last()?).ok()?;
                (!subkeys.contains(&last)).then_some(Answer::Absent)
            }
            _ => None,
        }
    }

    /// The questions whose answers these facts are.
    pub fn questions(&self) -> (Vec<KeyQuery>, Vec<String>) {
        let keys = self.keys.iter().map(|(key, answer)| {
            let (values, subkeys) = match answer {
                Answer::Present(record) if record.all_values => (Wanted::All, record.subkeys.is_some()),
                Answer::Present(record) => {
                    (Wanted::Names(record.values.keys().cloned().collect()), record.subkeys.is_some())
                }
                Answer::Absent => (Wanted::Names(Default::default()), false),
                Answer::Unread(_) => self.asked.get(key).cloned().unwrap_or_default().question(),
            };
            KeyQuery { key: key.clone(), values, subkeys }
        });
        (keys.collect(), self.files.keys().map(|path| path.0.clone()).collect())
    }

    /// What is no longer as it was here, compared with newer answers to the same questions. One sentence for each difference.
    pub fn moved(&self, now: &Self) -> Vec<Moved> {
        let mut moved = Vec::new();
        for (key, was) in &self.keys {
            let is =
                now.keys.get(key).cloned().unwrap_or(Answer::Unread(Unread::new(Reason::Unknown, "not read again")));
            match (was, &is) {
                (Answer::Present(was), Answer::Present(is)) => was.moved(key, is, &mut moved),
                (was, is) if was == is => {}
                (was, is) => moved.push(Moved { place: key.to_string(), was: existence(was), is: existence(is) }),
            }
        }
        for (path, was) in &self.files {
            let is = now.files.get(path);
            if is != Some(was) {
                let is = is.map_or("unknown".to_owned(), file_text);
                moved.push(Moved { place: path.0.clone(), was: file_text(was), is });
            }
        }
        moved
    }

    /// Alters the facts as the change alters the target.
    pub fn apply(&mut self, change: &KeyChange) {
        match change.action {
            Action::Delete => {
                self.keys.insert(change.key.clone(), Answer::Absent);
                self.with_siblings(&change.key, |subkeys, last| {
                    subkeys.remove(last);
                });
                return;
            }
            Action::Create => {
                // What stood below an absent key is absent, and stays so: the new record lists all values and subkeys.
                let record = KeyRecord {
                    values: BTreeMap::new(),
                    all_values: true,
                    properties: change.properties.clone().map(Answer::Present),
                    subkeys: Some(BTreeSet::new()),
                };
                self.keys.insert(change.key.clone(), Answer::Present(record));
                self.with_siblings(&change.key, |subkeys, last| {
                    subkeys.insert(last.clone());
                });
            }
            Action::Update => {}
        }
        if let Some(Answer::Present(record)) = self.keys.get_mut(&change.key) {
            for value in &change.values {
                match &value.after {
                    Some(data) => {
                        // The name stays as it was found.
                        record.values.insert(value.name.clone(), Answer::Present(data.clone()));
                    }
                    None if record.all_values => {
                        record.values.remove(&value.name);
                    }
                    None => {
                        record.values.insert(value.name.clone(), Answer::Absent);
                    }
                }
            }
        }
    }

    fn with_siblings(&mut self, key: &Key, alter: impl FnOnce(&mut BTreeSet<KeyName>, &KeyName)) {
        let last = key.path.last().and_then(|last| KeyName::new(last).ok());
        let parent = key.parent().and_then(|parent| self.keys.get_mut(&parent));
        if let (Some(last), Some(Answer::Present(KeyRecord { subkeys: Some(subkeys), .. }))) = (last, parent) {
            alter(subkeys, &last);
        }
    }
}

/// A difference between two observations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Moved {
    /// The key, value or file.
    pub place: String,
    /// What it was.
    pub was: String,
    /// What it is.
    pub is: String,
}

impl Asked {
    fn by(query: &KeyQuery) -> Self {
        let values = match &query.values {
            Wanted::All => BTreeSet::new(),
            Wanted::Names(names) => names.clone(),
        };
        Self { values, all_values: query.values == Wanted::All, subkeys: query.subkeys }
    }

    fn question(self) -> (Wanted, bool) {
        (if self.all_values { Wanted::All } else { Wanted::Names(self.values) }, self.subkeys)
    }
}

impl KeyRecord {
    fn moved(&self, key: &Key, now: &Self, moved: &mut Vec<Moved>) {
        let answer = |record: &Self, name: &ValueName| record.values.get(name).cloned().unwrap_or(Answer::Absent);
        for name in self.values.keys().chain(now.values.keys().filter(|n| !self.values.contains_key(*n))) {
            let (was, is) = (answer(self, name), answer(now, name));
            if was != is {
                let place = format!("{key} {}", crate::registry::notation::value_name(name));
                moved.push(Moved { place, was: value_text(&was), is: value_text(&is) });
            }
        }
        if let (Some(was), Some(is)) = (&self.subkeys, &now.subkeys)
            && was != is
        {
            let names = |list: &BTreeSet<KeyName>| list.iter().map(KeyName::as_str).collect::<Vec<_>>().join(", ");
            moved.push(Moved { place: format!("{key}, its subkeys"), was: names(was), is: names(is) });
        }
        if let (Some(was), Some(is)) = (&self.properties, &now.properties) {
            let (was, is) = match (was, is) {
                (Answer::Present(was), Answer::Present(is)) if was.same(is) => return,
                (Answer::Present(was), Answer::Present(is)) => (was.to_string(), is.to_string()),
                // An export has none; it need not have those of the machine.
                (_, Answer::Unread(Unread { reason: Reason::Unknown, .. })) => return,
                (was, is) => (existence(was), existence(is)),
            };
            moved.push(Moved { place: format!("{key}, its class and security"), was, is });
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

fn value_text(answer: &Answer<Data>) -> String {
    match answer {
        Answer::Present(data) => format!("{data:?}"),
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

impl From<FactsDocument> for Facts {
    fn from(document: FactsDocument) -> Self {
        let (mut keys, mut asked) = (BTreeMap::new(), BTreeMap::new());
        for KeyEntry { key, found, asked: question } in document.keys {
            asked.extend(question.map(|question| (key.clone(), question)));
            keys.insert(key, found);
        }
        Self { keys, asked, files: document.files.into_iter().map(|e| (e.path, e.found)).collect() }
    }
}

impl From<Facts> for FactsDocument {
    fn from(mut facts: Facts) -> Self {
        let mut entry = |(key, found)| {
            let asked = facts.asked.remove(&key).filter(|_| matches!(found, Answer::Unread(_)));
            KeyEntry { key, found, asked }
        };
        Self {
            keys: facts.keys.into_iter().map(&mut entry).collect(),
            files: facts.files.into_iter().map(|(path, found)| FileEntry { path, found }).collect(),
        }
    }
}

impl PartialEq for FilePath {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for FilePath {}
impl PartialOrd for FilePath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for FilePath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        name::compare(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::ValueChange;

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }
    fn name(text: &str) -> ValueName {
        ValueName::new(text).unwrap()
    }

    #[test]
    fn what_was_not_asked_is_not_known_and_what_is_below_an_absent_key_is_absent() {
        let mut facts = Facts::default();
        let query = KeyQuery { key: key(r"HKLM\A"), values: Wanted::Names([name("x")].into()), subkeys: false };
        let values = [(name("x"), Answer::Present(Data::dword(1)))].into();
        facts.record_key(&query, Answer::Present(KeyFacts { values, ..Default::default() }));
        facts.record_key(&KeyQuery { key: key(r"HKLM\B"), ..query.clone() }, Answer::Absent);
        assert_eq!(facts.value(&key(r"hklm\a"), &name("X")), Some(Answer::Present(Data::dword(1))));
        assert_eq!(facts.value(&key(r"HKLM\A"), &name("y")), None);
        assert_eq!(facts.key(&key(r"HKLM\A\C")), None);
        assert_eq!(facts.key(&key(r"HKLM\B\C\D")), Some(Answer::Absent));
        assert_eq!(facts.subkeys(&key(r"HKLM\A")), None);
    }

    #[test]
    fn changes_and_their_inverse_leave_the_facts_as_they_were() {
        let mut facts = Facts::default();
        let query = KeyQuery { key: key(r"HKLM\A"), values: Wanted::All, subkeys: true };
        facts.record_key(&query, Answer::Present(KeyFacts { subkeys: Some(vec![]), ..Default::default() }));
        let before = facts.clone();
        let value = ValueChange { name: name("v"), before: None, after: Some(Data::dword(1)) };
        let change = KeyChange::new(key(r"HKLM\A\B"), Action::Create, vec![value]);
        facts.apply(&change);
        assert_eq!(facts.value(&key(r"HKLM\A\B"), &name("V")), Some(Answer::Present(Data::dword(1))));
        assert_eq!(facts.subkeys(&key(r"HKLM\A\B")), Some(Answer::Present(vec![])));
        facts.apply(&change.inverse());
        assert_eq!(facts.key(&key(r"HKLM\A\B")), Some(Answer::Absent));
        assert_eq!(before.moved(&facts), vec![]);
    }

    #[test]
    fn a_key_that_is_also_elsewhere_is_not_absent_because_a_list_leaves_it_out() {
        let mut facts = Facts::default();
        let list = |path: &str| KeyQuery { key: key(path), values: Wanted::Names([].into()), subkeys: true };
        let of = |name: &str| KeyFacts { subkeys: Some(vec![KeyName::new(name).unwrap()]), ..Default::default() };
        facts.record_key(&list(r"HKLM\SYSTEM"), Answer::Present(of("ControlSet001")));
        facts.record_key(&list("HKU"), Answer::Present(of("S-1-5-18")));
        facts.record_key(&list(r"HKU\S-1-5-21-7\Software"), Answer::Absent);
        assert_eq!(facts.key(&key(r"HKLM\SYSTEM\Foo")), Some(Answer::Absent));
        assert_eq!(facts.key(&key(r"HKLM\SYSTEM\CurrentControlSet\Services")), None);
        assert_eq!(facts.key(&key(r"HKU\.DEFAULT\Software")), None);
        assert_eq!(facts.key(&key(r"HKU\S-1-5-21-7\Software\x")), Some(Answer::Absent));
        assert_eq!(facts.key(&key(r"HKU\S-1-5-21-7\Software\Classes\x")), None);
    }

    #[test]
    fn a_key_that_could_not_be_read_is_asked_the_same_question_again() {
        let mut facts = Facts::default();
        let names = Wanted::Names([name("x")].into());
        let query = KeyQuery { key: key(r"HKLM\A"), values: names, subkeys: true };
        facts.record_key(&query, Answer::unread(super::super::Reason::Unknown, "only part of it"));
        assert_eq!(facts.questions().0, std::slice::from_ref(&query));
        let json = serde_json::to_string(&facts).unwrap();
        let read: Facts = serde_json::from_str(&json).unwrap();
        assert_eq!(read, facts);
        assert_eq!(read.questions().0, [query]);
    }

    #[test]
    fn json_round_trips() {
        let mut facts = Facts::default();
        let query = KeyQuery { key: key(r"HKLM\A"), values: Wanted::All, subkeys: true };
        let values = [
            (name(""), Answer::Present(Data::sz("x"))),
            (name("é"), Answer::unread(super::super::Reason::Denied, "d")),
        ];
        facts.record_key(
            &query,
            Answer::Present(KeyFacts { values: values.into(), subkeys: Some(vec![]), ..Default::default() }),
        );
        facts.record_file(r"C:\a.dll", Answer::Absent);
        let json = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<Facts>(&json).unwrap(), facts);
    }
}
