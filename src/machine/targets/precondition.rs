//! The checks of a target before and after a change.
//!
//! Before a change, its `before` must match the present state. If changes are first made in memory, kbfix must also be
//! able to read them back and to undo them.

use std::collections::BTreeSet;

use crate::registry::{Data, Key};

use super::{Answer, ChangeAction, KeyChange, KeyFacts, KeyQuery, ValueSelection, WriteError};

/// Checks that the present state matches the `before` of a change. Also checks that the parent of a created key exists,
/// and that a deleted key has no other values and no subkeys. `read` answers questions about the present state.
///
/// # Errors
/// Returns [`WriteError::Stale`] if the present state differs, and [`WriteError::Unsupported`] if it cannot be read.
pub(super) fn before(
    change: &KeyChange,
    mut read: impl FnMut(&KeyQuery) -> Answer<KeyFacts>,
) -> Result<(), WriteError> {
    if let Some(parent) = change.key.parent().filter(|_| change.action == ChangeAction::Create) {
        let query = KeyQuery { key: parent, values: ValueSelection::Names(Default::default()), subkeys: false };
        known(&query.key, read(&query))?.ok_or_else(|| stale(&query.key, "present", "absent"))?;
    }
    let values = match change.action {
        ChangeAction::Delete => ValueSelection::All,
        _ => ValueSelection::Names(change.values.iter().map(|v| v.name.clone()).collect()),
    };
    let query = KeyQuery { key: change.key.clone(), values, subkeys: change.action == ChangeAction::Delete };
    let facts = match (change.action, known(&change.key, read(&query))?) {
        (ChangeAction::Create, None) => return Ok(()),
        (ChangeAction::Create, Some(_)) => return Err(stale(&change.key, "absent", "present")),
        (_, None) => return Err(stale(&change.key, "present", "absent")),
        (_, Some(facts)) => facts,
    };
    for value in &change.values {
        let found = facts.values.get(&value.name).unwrap_or(&Answer::Absent);
        let is_expected = match found {
            Answer::Present(data) => value.before.as_ref() == Some(data),
            Answer::Absent => value.before.is_none(),
            Answer::Unread(_) => false,
        };
        if is_expected {
            continue;
        }
        let found = found
            .clone()
            .state()
            .map_err(|why| WriteError::Unsupported { place: change.place(&value.name), detail: why.to_string() })?;
        if found != value.before {
            let text = |data: &Option<Data>| change.message(&value.name, data.as_ref());
            let (expected, found) = (text(&value.before), text(&found));
            return Err(WriteError::Stale { place: change.place(&value.name), expected, found });
        }
    }
    if let (Some(was), Some(Answer::Present(is))) = (&change.properties, &facts.properties)
        && !was.same(is)
    {
        return Err(stale(&change.key, &was.to_string(), &is.to_string()));
    }
    if change.action == ChangeAction::Delete {
        let listed: BTreeSet<_> = change.values.iter().map(|v| &v.name).collect();
        if let Some(extra) = facts.values.keys().find(|name| !listed.contains(name)) {
            let place = change.place(extra);
            return Err(WriteError::Stale { place, expected: "absent".to_owned(), found: "present".to_owned() });
        }
        let subkeys = known(&change.key, facts.subkeys.unwrap_or(Answer::Absent))?.unwrap_or_default();
        if let Some(subkey) = subkeys.first() {
            return Err(stale(&change.key, "no subkeys", &format!("subkey {subkey}")));
        }
    }
    Ok(())
}

/// The message for a change if another change of the run makes the path of its key lead to a different key.
pub(super) const LED_ELSEWHERE: &str = "after another change of this run, this path would lead to a different key \
    (like `CurrentControlSet` after a change of `HKLM\\SYSTEM\\Select`), so this change could not be read back \
    or undone; make the two changes in separate runs";

/// Undoes changes that were made in memory, from the last to the first, and checks each of them.
///
/// Before a change is undone, the state in memory must be the `after` of the change; then it must be the `before`.
/// `make` checks a change with [`before`] and makes it. `read` answers questions about the state in memory.
///
/// # Errors
/// Returns [`WriteError`] for the last change that cannot be read back or undone.
pub(super) fn undo<T>(
    changes: &[KeyChange],
    target: &mut T,
    mut make: impl FnMut(&mut T, &KeyChange) -> Result<(), WriteError>,
    mut read: impl FnMut(&mut T, &KeyQuery) -> Answer<KeyFacts>,
) -> Result<(), WriteError> {
    for change in changes.iter().rev() {
        let undone = make(target, &change.inverse()).and_then(|()| before(change, |query| read(target, query)));
        undone.map_err(|error| {
            let (place, why) = match error {
                WriteError::Unsupported { place, detail } => (place, detail),
                other => (change.key.to_string(), other.to_string()),
            };
            let detail = format!(
                "a trial in memory showed that this change could not be read back or undone, so \
                nothing was changed: {why}"
            );
            WriteError::Unsupported { place, detail }
        })?;
    }
    Ok(())
}

fn known<T>(key: &Key, answer: Answer<T>) -> Result<Option<T>, WriteError> {
    answer.known().map_err(|why| WriteError::Unsupported { place: key.to_string(), detail: why.to_string() })
}

fn stale(key: &Key, expected: &str, found: &str) -> WriteError {
    WriteError::Stale { place: key.to_string(), expected: expected.to_owned(), found: found.to_owned() }
}
