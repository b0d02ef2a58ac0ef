//! Facts: the answers that were read from a target.
//!
//! Planned changes can be applied to facts, to predict the state after them. Snapshot files contain facts, and plans
//! list the facts on which they depend. A function that returns `Option<Answer<…>>` returns `None` if the facts do not
//! answer the question; callers must treat this as unknown, never as absent.

mod asked;
mod document;
mod drift;
mod file_path;
mod policies;
mod query;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{Arc, LazyLock},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    registry::{Data, Key, KeyName, KeyProperties, ValueName},
    small_map::{SmallMap, SmallSet},
};

use super::{
    Answer, ChangeAction, FileFacts, KeyChange, KeyFacts, KeyQuery, PolicyFacts, PolicyScope, Reason, Unread,
    ValueChange, ValueSelection, hku,
};
use asked::Asked;
use document::FactsDocument;
pub use drift::Drift;
pub use file_path::FilePath;

/// The facts that were read from a target about keys, values, files and policy stores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, try_from = "FactsDocument")]
#[schemars(with = "FactsDocument")]
pub struct Facts {
    /// The answers about keys. A copy of these facts shares each record with the original until one of them changes it.
    keys: BTreeMap<Key, Answer<Arc<KeyRecord>>>,
    /// For keys that could not be read, the last question about each, so that the same question can be asked again: the
    /// target may be able to answer another one.
    asked: BTreeMap<Key, Asked>,
    files: BTreeMap<FilePath, Answer<FileFacts>>,
    policies: BTreeMap<PolicyScope, Arc<PolicyFacts>>,
}

/// The answers of a target about one key: its values, properties and subkeys, as far as kbfix asked for them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeyRecord {
    /// The answers about the values that were asked for, by name.
    #[serde(default, skip_serializing_if = "SmallMap::is_empty", deserialize_with = "document::values")]
    #[schemars(with = "BTreeMap<ValueName, Answer<Data>>")]
    values: SmallMap<ValueName, Answer<Data>>,
    /// The reason why it is not known whether the key exists; `None` if the key exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsure: Option<Unread>,
    /// The names of the values whose data is sensitive.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    sensitive: BTreeSet<ValueName>,
    /// Whether `values` contains all values of the key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all_values: bool,
    /// The class name and security descriptor of the key; `None` if kbfix did not read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    properties: Option<Answer<KeyProperties>>,
    /// The names of the key's subkeys; `None` if kbfix did not ask for them, or if `unlisted` says why they are not
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeSet<KeyName>>")]
    subkeys: Option<SmallSet<KeyName>>,
    /// The reason why the names of the key's subkeys are not known, although kbfix asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unlisted: Option<Unread>,
}

impl Facts {
    /// Records the answer to a question about a key. If there is an earlier answer, and both answers are
    /// [`Answer::Present`], the new answer is added to the earlier one; otherwise it replaces the earlier one.
    pub fn record_key(&mut self, query: &KeyQuery, answer: Answer<KeyFacts>) {
        if matches!(answer, Answer::Unread(_)) {
            self.asked.insert(query.key.clone(), Asked::by(query));
        }
        let answer = answer.map(|facts| {
            let (subkeys, unlisted) = match facts.subkeys.map(Answer::known) {
                Some(Ok(names)) => (Some(SmallSet::from_iter(names.into_iter().flatten())), None),
                Some(Err(why)) => (None, Some(why)),
                None => (None, None),
            };
            let all_values = query.values == ValueSelection::All;
            let (values, unsure, properties) = (facts.values, facts.unsure, facts.properties);
            KeyRecord { values, unsure, sensitive: BTreeSet::new(), all_values, properties, subkeys, unlisted }
        });
        match self.keys.entry(query.key.clone()) {
            Entry::Vacant(entry) => drop(entry.insert(answer.map(Arc::new))),
            Entry::Occupied(entry) => match (entry.into_mut(), answer) {
                (Answer::Present(known), Answer::Present(new)) => {
                    let known = Arc::make_mut(known);
                    if new.subkeys.is_some() || new.unlisted.is_some() {
                        (known.subkeys, known.unlisted) = (new.subkeys, new.unlisted);
                    }
                    known.values.extend(new.values);
                    known.all_values |= new.all_values;
                    known.properties = new.properties.or(known.properties.take());
                }
                (known, answer) => *known = answer.map(Arc::new),
            },
        }
    }

    /// Marks the data of the value as sensitive, in its key and in the settings of policy stores.
    pub fn hide(&mut self, key: &Key, name: &ValueName) {
        if let Some(Answer::Present(record)) = self.keys.get_mut(key) {
            Arc::make_mut(record).sensitive.insert(name.clone());
        }
        self.hide_policies(key, name);
    }

    /// Removes the answer about the value. If kbfix asked for all values of the key, the value then counts as absent,
    /// or as not configured in a policy file.
    pub fn forget(&mut self, key: &Key, name: &ValueName) {
        if let Some(Answer::Present(record)) = self.keys.get_mut(key) {
            Arc::make_mut(record).values.remove(name);
        }
    }

    /// Returns whether these facts mark the data of the value as sensitive; false if they have no record of its key.
    pub fn is_hidden(&self, key: &Key, name: &ValueName) -> bool {
        matches!(self.keys.get(key), Some(Answer::Present(record)) if record.sensitive.contains(name))
    }

    /// Records the answer about a file.
    pub fn record_file(&mut self, path: &str, answer: Answer<FileFacts>) {
        self.files.insert(FilePath(path.to_owned()), answer);
    }

    /// Returns whether the key exists; `None` if the facts do not show this.
    pub fn key(&self, key: &Key) -> Option<Answer<()>> {
        self.record(key).map(existence)
    }

    /// Returns the data of a value. If the key is absent or unread, this is also the answer about the value. Returns
    /// `None` if the facts contain no answer about the value.
    pub fn value(&self, key: &Key, name: &ValueName) -> Option<Answer<Data>> {
        match self.record(key)? {
            Answer::Present(record) => record.value(name).map(|(answer, _)| answer),
            Answer::Absent => Some(Answer::Absent),
            Answer::Unread(why) => Some(Answer::Unread(why)),
        }
    }

    /// Returns what the facts contain about a key, to look up several of its values. Later changes of the facts have no
    /// effect on the result.
    pub fn known_key(&self, key: &Key) -> KnownKey {
        KnownKey(match self.keys.get(key) {
            Some(found) => Some(found.clone()),
            None => self.record(key).map(|found| found.map(|record| Arc::new(record.clone()))),
        })
    }

    /// Returns the name of the value as the facts spell it: as in the target or, for an absent value, as kbfix asked
    /// for it. Returns `None` if the facts do not list this name.
    pub fn spelled(&self, key: &Key, name: &ValueName) -> Option<&ValueName> {
        match self.record(key)? {
            Answer::Present(record) => record.values.get_key_value(name).map(|(found, _)| found),
            _ => None,
        }
    }

    /// Returns all values of the key that are not absent, ordered by name; `None` if kbfix did not ask for all values.
    pub fn all_values(&self, key: &Key) -> Option<Answer<SmallMap<ValueName, Answer<Data>>>> {
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

    /// Returns the values that a policy file deletes in the key. The map is empty if the file deletes all values of the
    /// key, and if the key is not from a policy file.
    fn deleted_values(&self, key: &Key) -> SmallMap<ValueName, Answer<Data>> {
        match self.record(key) {
            Some(Answer::Present(record)) if record.others() != Answer::Absent => {
                let absent = record.values.iter().filter(|(_, answer)| **answer == Answer::Absent);
                absent.map(|(name, _)| (name.clone(), Answer::Absent)).collect()
            }
            _ => SmallMap::new(),
        }
    }

    /// Returns the class name and security descriptor of the key, or why they are unknown; `None` if kbfix did not ask.
    pub fn properties(&self, key: &Key) -> Option<Answer<KeyProperties>> {
        match self.record(key)? {
            Answer::Present(KeyRecord { all_values: false, .. }) => None,
            Answer::Present(record) => Some(record.properties.clone().unwrap_or_else(|| {
                Answer::unread(Reason::Unknown, format!("class name and security descriptor of {key} are unknown"))
            })),
            Answer::Absent => Some(Answer::Absent),
            Answer::Unread(why) => Some(Answer::Unread(why)),
        }
    }

    /// Returns the names of the key's subkeys; `None` if kbfix did not ask for them.
    pub fn subkeys(&self, key: &Key) -> Option<Answer<Vec<KeyName>>> {
        match self.record(key)? {
            Answer::Present(record) => {
                record.listing().map(|listing| listing.map(|names| names.iter().cloned().collect()))
            }
            Answer::Absent => Some(Answer::Absent),
            Answer::Unread(why) => Some(Answer::Unread(why)),
        }
    }

    /// Returns the facts about a file; `None` if kbfix did not ask for this file.
    pub fn file(&self, path: &str) -> Option<Answer<FileFacts>> {
        self.files.get(&FilePath(path.to_owned())).cloned()
    }

    /// Returns the record of a key, or the answer that the key is absent or unread. Returns `None` if the facts do not
    /// show whether the key exists.
    ///
    /// A key is also absent if it is below an absent key, or missing in its parent's list of subkeys. Neither rule
    /// applies to a key that may have another name, or at which the hive of a user is loaded.
    fn record(&self, key: &Key) -> Option<Answer<&KeyRecord>> {
        if let Some(answer) = self.keys.get(key) {
            return Some(answer.as_ref().map(Arc::as_ref));
        }
        if self.keys.is_empty() {
            return None;
        }
        // The hive of a user who is not logged on is missing in the list of keys below HKU.
        if key.is_also_elsewhere() || hku::of_a_user(&key.path).is_some_and(|hive| hive == *key) {
            return None;
        }
        let parent = key.parent()?;
        match self.record(&parent)? {
            Answer::Absent => Some(Answer::Absent),
            Answer::Present(KeyRecord { subkeys: Some(subkeys), .. }) => {
                let last = KeyName::new(key.stored().last()?).ok()?;
                (!subkeys.contains(&last)).then_some(Answer::Absent)
            }
            _ => None,
        }
    }

    /// Returns the questions that these facts answer: the queries about keys, and the paths of the files.
    pub fn questions(&self) -> (Vec<KeyQuery>, Vec<String>) {
        let keys = self.keys.iter().map(|(key, answer)| {
            let (values, subkeys) = match answer {
                Answer::Present(record) if record.all_values => (ValueSelection::All, record.listing().is_some()),
                Answer::Present(record) => {
                    (ValueSelection::Names(record.values.keys().cloned().collect()), record.listing().is_some())
                }
                Answer::Absent => (ValueSelection::Names(Default::default()), false),
                Answer::Unread(_) => self.asked.get(key).cloned().unwrap_or_default().question(),
            };
            KeyQuery { key: key.clone(), values, subkeys }
        });
        (keys.collect(), self.files.keys().map(|path| path.0.clone()).collect())
    }

    /// Applies the change to the facts, to predict the state after the change was made in the target.
    pub fn apply(&mut self, change: &KeyChange) {
        match change.action {
            ChangeAction::Delete => {
                self.keys.insert(change.key.clone(), Answer::Absent);
                self.with_siblings(&change.key, |subkeys, last| {
                    subkeys.remove(last);
                });
                return;
            }
            ChangeAction::Create => {
                let after =
                    |value: &ValueChange| Some((value.name.clone(), Answer::of_state(Some(value.after.clone()?))));
                // The key was absent, so nothing was below it: the new record is complete.
                let record = KeyRecord {
                    values: change.values.iter().filter_map(after).collect(),
                    unsure: None,
                    sensitive: change.sensitive.clone(),
                    all_values: true,
                    properties: change.properties.clone().map(Answer::Present),
                    subkeys: Some(SmallSet::default()),
                    unlisted: None,
                };
                self.keys.insert(change.key.clone(), Answer::Present(Arc::new(record)));
                self.with_siblings(&change.key, |subkeys, last| {
                    subkeys.insert(last.clone());
                });
                return;
            }
            ChangeAction::Update => {}
        }
        if let Some(Answer::Present(record)) = self.keys.get_mut(&change.key) {
            let record = Arc::make_mut(record);
            for value in &change.values {
                match &value.after {
                    Some(data) => {
                        if !data.is_not_configured() {
                            record.unsure = None;
                        }
                        // The value keeps the spelling of its name.
                        record.values.insert(value.name.clone(), Answer::of_state(Some(data.clone())));
                    }
                    None if record.all_values && record.others() == Answer::Absent => {
                        record.values.remove(&value.name);
                    }
                    None => {
                        record.values.insert(value.name.clone(), Answer::Absent);
                    }
                }
            }
        }
    }

    fn with_siblings(&mut self, key: &Key, alter: impl Fn(&mut SmallSet<KeyName>, &KeyName)) {
        let last = key.stored().last().and_then(|last| KeyName::new(last).ok());
        let parent = key.parent().and_then(|parent| self.keys.get_mut(&parent));
        if let (Some(last), Some(Answer::Present(parent))) = (last, parent)
            && parent.subkeys.is_some()
        {
            Arc::make_mut(parent).subkeys.iter_mut().for_each(|subkeys| alter(subkeys, &last));
        }
    }
}

/// Returns the answer without the facts about the key: whether the key exists, or why this is not known.
fn existence(answer: Answer<&KeyRecord>) -> Answer<()> {
    match answer {
        Answer::Present(KeyRecord { unsure: Some(why), .. }) => Answer::Unread(why.clone()),
        answer => answer.map(|_| ()),
    }
}

/// The part of the facts that is about one key, returned by [`Facts::known_key`].
pub struct KnownKey(Option<Answer<Arc<KeyRecord>>>);

impl KnownKey {
    /// Returns whether the key exists; `None` if the facts do not show this.
    pub fn existence(&self) -> Option<Answer<()>> {
        self.0.as_ref().map(|answer| existence(answer.as_ref().map(Arc::as_ref)))
    }

    /// Returns the data of a value and, if the facts contain an answer for this name, the name as [`Facts::spelled`]
    /// returns it. Returns `None` if the facts do not show the data.
    pub fn value(&self, name: &ValueName) -> Option<(Answer<Data>, Option<&ValueName>)> {
        match self.0.as_ref()? {
            Answer::Present(record) => record.value(name),
            Answer::Absent => Some((Answer::Absent, None)),
            Answer::Unread(why) => Some((Answer::Unread(why.clone()), None)),
        }
    }
}

impl KeyRecord {
    /// Returns the names of the subkeys; `None` if kbfix did not ask for them.
    fn listing(&self) -> Option<Answer<&SmallSet<KeyName>>> {
        match &self.subkeys {
            Some(names) => Some(Answer::Present(names)),
            None => self.unlisted.clone().map(Answer::Unread),
        }
    }

    fn value(&self, name: &ValueName) -> Option<(Answer<Data>, Option<&ValueName>)> {
        match self.values.get_key_value(name) {
            Some((found, answer)) => Some((answer.clone(), Some(found))),
            None => self.all_values.then(|| (self.others(), None)),
        }
    }

    /// Returns the answer about every value of the key that has no answer of its own: not configured if the key is from
    /// a policy file that does not delete all values of the key, otherwise absent.
    fn others(&self) -> Answer<Data> {
        static OTHER_VALUES: LazyLock<Option<ValueName>> =
            LazyLock::new(|| ValueName::new(KeyFacts::OTHER_VALUES).ok());
        match OTHER_VALUES.as_ref().and_then(|name| self.values.get(name)) {
            Some(Answer::Unread(why)) if why.reason == Reason::NotConfigured => Answer::Unread(why.clone()),
            _ => Answer::Absent,
        }
    }
}

#[cfg(test)]
mod tests;
