//! Collects the desired state of keys and values, by canonical key name.
//!
//! The collected state is used to find rules that contradict each other, and changes that would undo a rule.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    observe::Reader,
    registry::{Data, Key, ValueName, notation},
    spec::{document::Exclusive, model::ValueRule},
    targets::{ChangeAction, KeyChange, Unread},
};

use super::value;

/// The registry state that a spec requires, from all rules whose conditions are met.
#[derive(Debug, Default)]
pub(super) struct DesiredState<'a> {
    /// Keys that must exist.
    pub present: BTreeSet<Key>,
    /// Keys that must be absent, with everything below them.
    pub absent: BTreeSet<Key>,
    /// The keys in `absent` that may be deleted only if all their subkeys are to be deleted too.
    pub absent_if_empty: BTreeSet<Key>,
    /// Keys that must contain no values that the spec does not name. With [`Exclusive::Tree`], they must contain no
    /// such subkeys either.
    pub exclusive: BTreeMap<Key, Exclusive>,
    /// The keys that triggers name but do not change now, with the values that these triggers name in them. These
    /// values stay in an exclusive key.
    pub spared: BTreeMap<Key, BTreeSet<&'a ValueName>>,
    /// The keys that triggers delete, but not now. In an exclusive key, they stay with everything below them.
    pub spared_trees: BTreeSet<Key>,
    /// Rules about values, by key. The rules of one key have the order of the spec.
    pub values: BTreeMap<Key, Vec<&'a ValueRule>>,
}

/// All rules of a spec about one value.
pub(super) struct OneValue<'a> {
    pub name: &'a ValueName,
    first: &'a ValueRule,
    others: Vec<&'a ValueRule>,
}

/// The highest number of rules of one key for which [`by_value`] compares the value names one by one. For more rules,
/// it uses a map.
const FEW: usize = 16;

/// Groups the rules of one key by the value that they are about.
pub(super) fn by_value<'a>(rules: &[&'a ValueRule]) -> Vec<OneValue<'a>> {
    let mut values: Vec<OneValue<'_>> = Vec::with_capacity(rules.len());
    let mut known: BTreeMap<&ValueName, usize> = BTreeMap::new();
    for rule in rules {
        let at = match rules.len() <= FEW {
            true => values.iter().position(|value| *value.name == rule.name).unwrap_or(values.len()),
            false => *known.entry(&rule.name).or_insert(values.len()),
        };
        match values.get_mut(at) {
            Some(value) => value.others.push(rule),
            None => values.push(OneValue { name: &rule.name, first: rule, others: Vec::new() }),
        }
    }
    values
}

impl OneValue<'_> {
    /// Returns the data of the value after all rules are applied in order; the inner `None` means that the value is
    /// absent. If a later rule undoes an earlier rule, returns the outer `None`.
    ///
    /// # Errors
    /// Fails if a rule changes only a part of the existing data, but this data is not known, or the rule cannot change
    /// it.
    /// that the rule needs.
    pub(super) fn after(&self, before: Option<&Data>) -> Result<Option<Option<Data>>, Unread> {
        let first = value::after(self.first, before)?;
        let after = self.others.iter().try_fold(first, |data, rule| value::after(rule, data.as_ref()))?;
        Ok(self.rules().all(|rule| is_as(rule, after.as_ref())).then_some(after))
    }

    fn rules(&self) -> impl Iterator<Item = &ValueRule> {
        [self.first].into_iter().chain(self.others.iter().copied())
    }
}

/// Returns whether the rule would leave this data as it is; `false` if this is not known. For the data, `None` means
/// that the value is absent.
fn is_as(rule: &ValueRule, data: Option<&Data>) -> bool {
    value::after(rule, data).is_ok_and(|after| after.as_ref() == data)
}

impl<'a> DesiredState<'a> {
    /// Records that a trigger names the key, but requires nothing of it now. `is_tree` is true if the trigger deletes
    /// the key with everything below it.
    pub(super) fn spare(&mut self, key: &Key, is_tree: bool) {
        self.spared.entry(key.clone()).or_default();
        if is_tree {
            self.spared_trees.insert(key.clone());
        }
    }

    /// Records that a trigger names the value, but requires nothing of it now.
    pub(super) fn spare_value(&mut self, key: &Key, name: &'a ValueName) {
        self.spared.entry(key.clone()).or_default().insert(name);
    }

    /// Records that the key is exclusive: it must contain nothing else than the spec names. If this was already
    /// recorded, the stricter kind is kept: the whole tree instead of only the values.
    pub(super) fn hold_only(&mut self, key: &Key, exclusive: Exclusive) {
        let known = self.exclusive.entry(key.clone()).or_insert(exclusive);
        if exclusive == Exclusive::Tree {
            *known = exclusive;
        }
    }

    /// Returns three kinds of keys, and all keys above them: keys that must exist, keys with value rules, and keys that
    /// a trigger names.
    pub(super) fn named(&self) -> BTreeSet<Key> {
        let mut named = BTreeSet::new();
        for key in self.values.keys().chain(&self.present).chain(self.spared.keys()) {
            let new = std::iter::successors(Some(key.clone()), Key::parent).take_while(|key| !named.contains(key));
            named.extend(new.collect::<Vec<_>>());
        }
        named
    }

    /// Returns the exclusive key because of which `key` must contain no values that the spec does not name, and the
    /// kind of this exclusive key. It is `key` itself, or a key above. Returns `None` if there is no such key.
    fn exclusive_above(&self, key: &Key) -> Option<(&Key, Exclusive)> {
        let is_tree = |(above, how): &(&Key, Exclusive)| *how == Exclusive::Tree || *above == key;
        let known = |above: Key| self.exclusive.get_key_value(&above).map(|(above, how)| (above, *how));
        // There are many keys, and few specs have an exclusive one.
        let start = Some(key.clone()).filter(|_| !self.exclusive.is_empty());
        std::iter::successors(start, Key::parent).filter_map(known).find(is_tree)
    }

    /// Returns the requirements that the change undoes: for each, the key or value, and the required state. If the
    /// change undoes a requirement about the key itself, only this one is returned. The change must have been planned
    /// on a state in which all requirements are met.
    pub(super) fn undone_by(&self, change: &KeyChange, reader: &Reader<'_>) -> Vec<(String, String)> {
        let key = &change.key;
        let rules = self.values.get(key).map_or(&[][..], Vec::as_slice);
        let above = (change.action == ChangeAction::Create).then(|| within(key, &self.absent)).flatten();
        if let Some(above) = above {
            let what = if above == *key { "it".to_owned() } else { above.to_string() };
            return vec![(key.to_string(), format!("{what} to be absent"))];
        }
        let gone = change.action == ChangeAction::Delete;
        if gone && self.present.contains(key) {
            return vec![(key.to_string(), "it to exist".to_owned())];
        }
        let only = self.exclusive_above(key);
        if let Some((above, Exclusive::Tree)) = only
            && change.action == ChangeAction::Create
            && !self.values.keys().chain(&self.present).chain(self.spared.keys()).any(|named| is_within(named, key))
            && within(key, &self.spared_trees).is_none()
        {
            return vec![(key.to_string(), format!("{above} to contain no other keys"))];
        }
        let text = |name: &ValueName, data: &Option<Data>| match data {
            None => "the value to be absent".to_owned(),
            Some(data) if !reader.is_hidden(key, name) => data.to_string(),
            data => notation::message(data.as_ref(), true),
        };
        let wanted = by_value(rules);
        let wanted: BTreeMap<&ValueName, &OneValue<'_>> = wanted.iter().map(|value| (value.name, value)).collect();
        let is_spared = |name: &ValueName| {
            within(key, &self.spared_trees).is_some() || self.spared.get(key).is_some_and(|names| names.contains(name))
        };
        let mut undone = Vec::new();
        for value in &change.values {
            let after = value.after.as_ref();
            if wanted.get(&value.name).is_some_and(|wanted| !wanted.rules().all(|rule| is_as(rule, after))) {
                let (is, after) = (text(&value.name, &value.before), text(&value.name, &value.after));
                undone.push((change.place(&value.name), format!("{is}, but this spec requires {after}")));
            }
            if !is_spared(&value.name)
                && let (Some((above, _)), Some(_), None) = (only, after, wanted.get(&value.name))
            {
                undone.push((change.place(&value.name), format!("{above} to contain no other values")));
            }
        }
        undone
    }
}

fn is_within(key: &Key, above: &Key) -> bool {
    key.view == above.view && key.path.is_within(&above.path)
}

/// Returns `key` itself if it is in `keys`, or else the closest key above it that is; `None` if there is none.
pub(super) fn within(key: &Key, keys: &BTreeSet<Key>) -> Option<Key> {
    if keys.is_empty() {
        return None;
    }
    std::iter::successors(Some(key.clone()), Key::parent).find(|above| keys.contains(above))
}
