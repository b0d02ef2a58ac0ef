//! Turns the rules for one key into changes.

use std::collections::{BTreeSet, HashSet};

use crate::{
    observe::{KeyImage, NOT_READ, Reader},
    registry::{Data, Key, ValueName},
    spec::is_protected,
    targets::{Answer, ChangeAction, KeyChange, Reason, Unread, ValueChange},
};

use super::{Satisfied, canonical, desired_state::OneValue, evaluation::Evaluation, exclusive};

/// A key, with the rules for the key and its values.
pub(super) struct WantedKey<'a> {
    pub key: &'a Key,
    pub must_exist: bool,
    /// Whether the key must contain no values that the spec does not name.
    pub exclusive: bool,
    /// The values that stay as they are even if `exclusive` is true, because a trigger names them; `None` if there are
    /// none.
    pub spared: Option<&'a BTreeSet<&'a ValueName>>,
    pub values: &'a [OneValue<'a>],
}

/// Evaluates the rules of a key that will be deleted. `gone` is the topmost key of this deletion: the key itself, or a
/// key above it. The deletion satisfies rules by which a value must be absent, and contradicts all other rules.
pub(super) fn in_deleted(wanted: &WantedKey<'_>, gone: &Key, reader: &Reader<'_>, result: &mut Evaluation<'_>) {
    let &WantedKey { key, must_exist, values, .. } = wanted;
    if must_exist || values.iter().any(|value| value.after(None) != Ok(Some(None))) {
        result.refused.push(format!("one rule requires {key} to exist, another requires {gone} to be absent"));
        return;
    }
    for value in values {
        // A value that exists is deleted together with its key, whose facts were already requested.
        if matches!(reader.value(key, value.name), Answer::Absent) {
            result.policy.add(key, value.name, None, |data| data.is_none(), reader);
        }
    }
    let absent = |value: &OneValue<'_>| Satisfied::new(key, Some(value.name.clone()), None);
    result.satisfied.extend(values.iter().map(absent));
}

/// Evaluates the rules of one key that is not deleted. `created` contains the keys that the plan creates so far; new
/// ones are added to it.
pub(super) fn one_key(
    wanted: &WantedKey<'_>,
    created: &mut HashSet<Key>,
    reader: &Reader<'_>,
    result: &mut Evaluation<'_>,
) {
    let &WantedKey { key, must_exist, exclusive, spared, values: wanted } = wanted;
    let mut values: Vec<ValueChange> = Vec::with_capacity(wanted.len());
    let mut unread = false;
    let creates = |value: &OneValue<'_>| matches!(value.after(None), Ok(Some(Some(_))));
    let creates = must_exist || wanted.first().is_some_and(creates);
    let there = if creates { reader.key_to_create(key) } else { reader.key(key) };
    // Before many values are compared with a key that will be created, look up the keys above it: if they are not read
    // yet, the plan is made again.
    let mut above = None;
    if there == Answer::Absent && creates {
        let missed = reader.missed_count();
        above = Some(missing_parents(key, created, reader));
        if reader.missed_count() > missed {
            result.unknown.push(NOT_READ.to_owned());
            return;
        }
    }
    for value in wanted {
        let place = || format!("{key} {}", crate::registry::notation::value_name(value.name));
        let missed = reader.missed_count();
        let (read, name) = reader.spelled_value(key, value.name);
        if reader.missed_count() > missed {
            // Request this in the same batch. The plan is made again, so nobody sees why the value is unknown.
            drop(reader.policies(key, value.name));
            unread = true;
            result.unknown.push(NOT_READ.to_owned());
            continue;
        }
        let after = |before: Option<Data>| {
            let after = value.after(before.as_ref()).map_err(|why| match reader.is_hidden(key, value.name) {
                true => Unread::new(
                    why.reason,
                    "the existing data is not known or does not have the form that the rule needs; it is sensitive and \
                     not shown",
                ),
                false => why,
            });
            Ok((after?, before))
        };
        match read.state().and_then(after) {
            Ok((None, _)) => {
                drop(reader.policies(key, value.name));
                result.refused.push(format!("{}: two rules of the spec contradict each other", place()));
            }
            Ok((Some(after), before)) => {
                let keeps = |data: Option<&Data>| {
                    value.after(data).is_ok_and(|is| is.as_ref().is_some_and(|is| is.as_ref() == data))
                };
                result.policy.add(key, value.name, after.as_ref(), keeps, reader);
                // The change has the spelling of the name that was found, so that a rollback restores it.
                if before == after {
                    result.satisfied.push(Satisfied::new(key, Some(name), before));
                } else {
                    values.push(ValueChange { name, before, after });
                }
            }
            Err(why) => {
                drop(reader.policies(key, value.name));
                unread = true;
                result.unknown.push(format!("{}: {why}", place()));
            }
        }
    }
    if exclusive {
        let names: BTreeSet<&ValueName> = wanted.iter().map(|value| value.name).collect();
        let is_named = |name: &ValueName| names.contains(name) || spared.is_some_and(|spared| spared.contains(name));
        match exclusive::other_values(key, is_named, reader) {
            Ok(others) => {
                others
                    .iter()
                    .for_each(|value| result.policy.add(key, &value.name, None, |data| data.is_none(), reader));
                values.extend(others);
            }
            Err(why) => {
                unread = true;
                result.unknown.push(format!("{key}, which must contain no other values than those in the spec: {why}"));
            }
        }
    }
    let exists = match there {
        Answer::Present(()) => true,
        Answer::Absent => false,
        // In a policy file a value can be set in any key. The file shows that a key exists only if it sets something
        // there.
        Answer::Unread(why) if why.reason == Reason::NotConfigured && (sets(&values) || !must_exist) => true,
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
            result.satisfied.push(Satisfied::new(key, None, None));
        }
        (true, false) => {
            values.shrink_to_fit();
            result.changes.push(KeyChange::new(key.clone(), ChangeAction::Update, values));
        }
        (false, true) => {}
        (false, false) => match above.unwrap_or_else(|| missing_parents(key, created, reader)) {
            Ok(missing) => {
                for key in missing {
                    created.insert(key.clone());
                    result.changes.push(KeyChange::new(key, ChangeAction::Create, Vec::new()));
                }
                created.insert(key.clone());
                values.shrink_to_fit();
                result.changes.push(KeyChange::new(key.clone(), ChangeAction::Create, values));
            }
            Err((parent, why)) => result.unknown.push(format!("{parent}: {why}")),
        },
    }
}

/// Returns whether one of the changes sets data, so that the key exists after the changes.
fn sets(values: &[ValueChange]) -> bool {
    values.iter().any(|value| value.after.as_ref().is_some_and(|data| !data.is_not_configured()))
}

/// Returns the absent keys above `key`, topmost first, except those that the plan already creates.
///
/// # Errors
///
/// Returns the first key for which it is not known whether it exists, with the reason.
fn missing_parents(key: &Key, created: &HashSet<Key>, reader: &Reader<'_>) -> Result<Vec<Key>, (Key, Unread)> {
    let mut missing = Vec::new();
    let mut next = key.parent();
    while let Some(parent) = next {
        // The parent of a key that differs between the views may be a key that both views share.
        let parent = canonical::one_name(&parent, reader).map_err(|why| (parent, why))?;
        if created.contains(&parent) {
            break;
        }
        match reader.key_to_create(&parent).holds_values() {
            Ok(true) => break,
            Ok(false) => {}
            Err(why) => return Err((parent, why)),
        }
        next = parent.parent();
        missing.push(parent);
    }
    missing.reverse();
    Ok(missing)
}

/// Adds to `result` the deletions of a key and of all keys below it, each subkey before its parent. If the key is
/// absent, adds it to the satisfied keys. If kbfix must not delete one of the keys or cannot read it, adds the reason
/// instead.
pub(super) fn delete(key: &Key, reader: &Reader<'_>, result: &mut Evaluation<'_>) {
    // Validation refuses the protected keys that a spec names; the keys that a `*` matches are known only here.
    if is_protected(key) {
        result.refused.push(format!("{key} is a key that Windows needs; kbfix never deletes it"));
        return;
    }
    match reader.key(key) {
        Answer::Absent => {
            result.satisfied.push(Satisfied::new(key, None, None));
            return;
        }
        Answer::Unread(why) => {
            result.unknown.push(format!("{key}: {why}"));
            return;
        }
        Answer::Present(()) => {}
    }
    // Request the parent too: a rollback needs to know whether it exists, and a snapshot contains only the facts that
    // were requested.
    if let Some(parent) = key.parent() {
        reader.key(&parent);
    }
    match reader.tree(key) {
        Ok(tree) => {
            if let Some(below) = tree.iter().find(|image| is_protected(&image.key)) {
                let below = &below.key;
                result
                    .refused
                    .push(format!("{below}, below {key}, is a key that Windows needs; kbfix never deletes it"));
                return;
            }
            for KeyImage { key, properties, values } in tree.into_iter().rev() {
                values.iter().for_each(|(name, _)| result.policy.add(&key, name, None, |data| data.is_none(), reader));
                let gone = |(name, data): (ValueName, _)| ValueChange { name, before: Some(data), after: None };
                let values = values.into_iter().map(gone).collect();
                result.changes.push(KeyChange { properties, ..KeyChange::new(key, ChangeAction::Delete, values) });
            }
        }
        Err(why) => result.unknown.push(format!("{key}, which would be deleted: {why}")),
    }
}
