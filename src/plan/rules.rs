//! A spec's registry rules become changes of keys, and a list of what already holds.

use std::collections::{BTreeMap, BTreeSet};

use super::{Satisfied, Truth, condition, data, expand};
use crate::{
    observe::Reader,
    registry::{Key, ValueName, View},
    spec::{
        Spec,
        model::{DesiredKey, KeyRule, ValueRule},
    },
    target::{Action, Answer, KeyChange, Unread, ValueChange},
};

/// What the registry rules of a spec come to.
#[derive(Default)]
pub(super) struct Result {
    /// The changes of keys: keys created with the topmost first, keys deleted with the lowest first.
    pub changes: Vec<KeyChange>,
    /// How many keys and values of these change through a `*`.
    pub by_star: usize,
    /// What already holds.
    pub satisfied: Vec<Satisfied>,
    /// What could not be read, so that nothing can be said.
    pub unknown: Vec<String>,
}

/// Works out all rules. Where `one_view` is set, on 32-bit Windows, both views are the one that there is.
pub(super) fn evaluate(spec: &Spec, one_view: bool, reader: &Reader<'_>) -> Result {
    let mut result = Result::default();
    // Rules about one key are one change, so that the key is opened once.
    let mut wanted: BTreeMap<Key, Vec<&ValueRule>> = BTreeMap::new();
    let mut named: BTreeMap<(Key, &ValueName), &ValueRule> = BTreeMap::new();
    let mut present: BTreeSet<Key> = BTreeSet::new();
    let mut absent: BTreeSet<Key> = BTreeSet::new();
    let mut starred: BTreeSet<Key> = BTreeSet::new();
    for rule in &spec.rules {
        let holds = when(rule.when.as_ref(), spec, reader, &mut result.unknown);
        // Also where the rule does not count, what it needs is read: a snapshot then serves other parameters as well.
        let keys = match keys(rule, one_view, reader) {
            Ok(keys) => keys,
            Err(why) => {
                if holds {
                    result.unknown.push(format!("{}: {why}", rule.key));
                }
                continue;
            }
        };
        if rule.key.has_star() {
            starred.extend(keys.iter().cloned());
        }
        for key in keys {
            if holds && rule.must_exist {
                present.insert(key.clone());
            }
            match &rule.desired {
                DesiredKey::Absent if holds => {
                    absent.insert(key);
                }
                DesiredKey::Values(values) => {
                    for value in values {
                        let unknown = if holds { &mut result.unknown } else { &mut Vec::new() };
                        let value_holds = when(value.when.as_ref(), spec, reader, unknown);
                        if holds && value_holds {
                            match named.insert((key.clone(), &value.name), value) {
                                None => wanted.entry(key.clone()).or_default().push(value),
                                Some(same) if same.desired == value.desired => {}
                                Some(_) => {
                                    let name = crate::registry::notation::value_name(&value.name);
                                    result.unknown.push(format!("{key} {name}: two rules want different data"));
                                }
                            }
                        } else {
                            reader.value(&key, &value.name);
                        }
                    }
                }
                _ => {
                    reader.key(&key);
                }
            }
        }
    }
    // In order, so that what stands below a deleted key comes after it: it goes with that key, and once only.
    let mut deleted: BTreeSet<Key> = BTreeSet::new();
    for key in absent {
        if within(&key, &deleted).is_some() {
            continue;
        }
        delete(&key, reader, &mut result);
        deleted.insert(key);
    }
    for key in &present {
        wanted.entry(key.clone()).or_default();
    }
    let mut created = BTreeSet::new();
    for (key, values) in wanted {
        if let Some(gone) = within(&key, &deleted) {
            result.unknown.push(format!("{key} is to be there, and {gone} is to be absent"));
            continue;
        }
        let must_exist = present.contains(&key);
        one_key(&key, must_exist, &values, &mut created, reader, &mut result);
    }
    result.by_star = by_star(&result.changes, &starred);
    result
}

/// The one of `keys` that is `key` or stands above it.
fn within(key: &Key, keys: &BTreeSet<Key>) -> Option<Key> {
    std::iter::successors(Some(key.clone()), Key::parent).find(|above| keys.contains(above))
}

/// How many keys and values change in the keys that a `*` stands for, or below them.
fn by_star(changes: &[KeyChange], starred: &BTreeSet<Key>) -> usize {
    if starred.is_empty() {
        return 0;
    }
    let through_star = |change: &&KeyChange| within(&change.key, starred).is_some();
    let size = |change: &KeyChange| change.values.len() + usize::from(change.action != Action::Update);
    changes.iter().filter(through_star).map(size).sum()
}

fn when(
    condition: Option<&crate::spec::model::Condition>,
    spec: &Spec,
    reader: &Reader<'_>,
    unknown: &mut Vec<String>,
) -> bool {
    let Some(condition) = condition else { return true };
    let mut evidence = Vec::new();
    match condition::holds(condition, spec, reader, &mut evidence) {
        Truth::Met => true,
        Truth::Unmet => false,
        Truth::Unknown => {
            let why = evidence.into_iter().filter(|e| e.result == Truth::Unknown);
            unknown.extend(why.map(|e| format!("when: {}: {}", e.place, e.found)));
            false
        }
    }
}

fn keys(rule: &KeyRule, one_view: bool, reader: &Reader<'_>) -> std::result::Result<Vec<Key>, Unread> {
    let mut keys = expand::keys(&rule.key, reader)?;
    for key in keys.iter_mut().filter(|key| key.view == View::Bits32) {
        // One key that both views show is one key, whichever is named.
        if one_view || key.view.stored_at(&key.path) == key.path {
            key.view = View::Bits64;
        }
    }
    Ok(keys)
}

/// One key whose values, or which itself, must hold.
fn one_key(
    key: &Key,
    must_exist: bool,
    rules: &[&ValueRule],
    created: &mut BTreeSet<Key>,
    reader: &Reader<'_>,
    result: &mut Result,
) {
    let mut values: Vec<ValueChange> = Vec::new();
    let mut unread = false;
    for rule in rules {
        match reader.value(key, &rule.name).known() {
            Ok(before) => {
                let after = data::after(rule, before.as_ref());
                // As found, so that one that is deleted comes back under the name that it had.
                let name = reader.spelled(key, &rule.name);
                if before == after {
                    result.satisfied.push(Satisfied {
                        key: key.clone(),
                        name: Some(name),
                        data: before,
                        planned_by: None,
                    });
                } else {
                    values.push(ValueChange { name, before, after });
                }
            }
            Err(why) => {
                unread = true;
                result.unknown.push(format!("{key} {}: {why}", crate::registry::notation::value_name(&rule.name)));
            }
        }
    }
    let exists = match reader.key(key) {
        Answer::Present(()) => true,
        Answer::Absent => false,
        Answer::Unread(why) => {
            if !unread {
                result.unknown.push(format!("{key}: {why}"));
            }
            return;
        }
    };
    match (exists, values.is_empty() && !must_exist) {
        (true, true) => {}
        (true, false) if values.is_empty() => {
            result.satisfied.push(Satisfied { key: key.clone(), name: None, data: None, planned_by: None });
        }
        (true, false) => result.changes.push(KeyChange { key: key.clone(), action: Action::Update, values }),
        (false, true) => {}
        (false, false) => {
            if let Err((parent, why)) = create_parents(key, created, reader, result) {
                result.unknown.push(format!("{parent}: {why}"));
                return;
            }
            created.insert(key.clone());
            result.changes.push(KeyChange { key: key.clone(), action: Action::Create, values });
        }
    }
}

/// Adds a change for each key above `key` that is absent, topmost first.
fn create_parents(
    key: &Key,
    created: &mut BTreeSet<Key>,
    reader: &Reader<'_>,
    result: &mut Result,
) -> std::result::Result<(), (Key, Unread)> {
    let mut missing = Vec::new();
    let mut next = key.parent();
    while let Some(parent) = next {
        if created.contains(&parent) {
            break;
        }
        match reader.key(&parent).known() {
            Ok(Some(())) => break,
            Ok(None) => {}
            Err(why) => return Err((parent, why)),
        }
        next = parent.parent();
        missing.push(parent);
    }
    for parent in missing.into_iter().rev() {
        created.insert(parent.clone());
        result.changes.push(KeyChange { key: parent, action: Action::Create, values: Vec::new() });
    }
    Ok(())
}

/// Adds the deletion of a key and all below it, the lowest first.
fn delete(key: &Key, reader: &Reader<'_>, result: &mut Result) {
    match reader.key(key) {
        Answer::Absent => {
            result.satisfied.push(Satisfied { key: key.clone(), name: None, data: None, planned_by: None });
            return;
        }
        Answer::Unread(why) => {
            result.unknown.push(format!("{key}: {why}"));
            return;
        }
        Answer::Present(()) => {}
    }
    // A rollback asks whether it is there, and a snapshot has only what was asked when it was taken.
    if let Some(parent) = key.parent() {
        reader.key(&parent);
    }
    match reader.tree(key) {
        Ok(tree) => {
            for (key, values) in tree.into_iter().rev() {
                let gone = |(name, data): (ValueName, _)| ValueChange { name, before: Some(data), after: None };
                let values = values.into_iter().map(gone).collect();
                result.changes.push(KeyChange { key, action: Action::Delete, values });
            }
        }
        Err(why) => result.unknown.push(format!("{key}, which is to be deleted: {why}")),
    }
}
