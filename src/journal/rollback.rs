//! Computes the changes that undo the changes of a journal.
//!
//! The changes are undone one by one, from the last to the first, depending on the present state of the key or value.
//! If the apply left the present state, the state before the apply is restored. If the present state is already the
//! state before the apply, nothing is done. Any other state was made by someone else after the apply, and is a
//! conflict.

use std::collections::BTreeMap;

use crate::{
    diag::text::first_few,
    observe::Reader,
    plan::Conflict,
    registry::{Data, Key, ValueName, notation},
    targets::{Answer, ChangeAction, KeyChange, Reason, Unread, ValueChange},
};

/// The changes that undo a journal, and the obstacles to them.
#[derive(Debug, Default)]
pub struct Rollback {
    /// The changes to make, in order.
    pub changes: Vec<KeyChange>,
    /// The keys and values that are kept, because someone else has changed them, or a key above or below, after the
    /// apply.
    pub conflicts: Vec<Conflict>,
    /// The keys and values that could not be read, each with the reason.
    pub unread: Vec<String>,
}

/// Returns the changes that undo `changes`, based on the present state in `reader`.
///
/// If `force` is set, values that someone else has changed are restored too, unless the parent of their key is absent.
/// Even then, a key that the apply created is not deleted if it contains a value or subkey that the apply did not
/// create.
pub fn plan_rollback(changes: &[KeyChange], force: bool, reader: &Reader<'_>) -> Rollback {
    let mut out = Rollback::default();
    for change in changes.iter().rev() {
        let undo = change.inverse();
        let step = match undo.action {
            ChangeAction::Delete => delete(&undo, force, reader, &mut out),
            ChangeAction::Update => update(&undo, force, reader, &mut out),
            ChangeAction::Create => create(&undo, force, reader, &mut out),
        };
        if let Some(step) = step {
            reader.pretend(&step);
            out.changes.push(step);
        }
    }
    out
}

/// Returns the deletion of a key that the apply created. If the key now contains anything else, or a value that cannot
/// be read, the key is kept: returns the deletion of the apply's values in it (`None` if there are none), and adds
/// conflicts and errors to `out`. Also returns `None` if the key is absent or cannot be read.
fn delete(undo: &KeyChange, force: bool, reader: &Reader<'_>, out: &mut Rollback) -> Option<KeyChange> {
    let key = &undo.key;
    let (there, values, subkeys) = (reader.key(key), reader.all_values(key), reader.subkeys(key));
    match there {
        Answer::Present(()) => {}
        Answer::Absent => return None,
        Answer::Unread(why) => {
            out.unread.push(format!("{key}: {why}"));
            return None;
        }
    }
    let (values, subkeys) = match (values.known(), subkeys.known()) {
        (Ok(values), Ok(subkeys)) => (values.unwrap_or_default(), subkeys.unwrap_or_default()),
        (Err(why), _) | (_, Err(why)) => {
            out.unread.push(format!("{key}: {why}"));
            return None;
        }
    };
    let ours: BTreeMap<_, _> = undo.values.iter().map(|v| (&v.name, v)).collect();
    let mut gone = Vec::with_capacity(values.len());
    let mut keep = false;
    for (name, answer) in values {
        let data = match answer.known() {
            Ok(Some(data)) => data,
            Ok(None) => continue,
            Err(why) => {
                out.unread.push(format!("{}: {why}", undo.place(&name)));
                keep = true;
                continue;
            }
        };
        let ours = ours.get(&name);
        if ours.is_some_and(|v| force || v.before.as_ref() == Some(&data)) {
            gone.push(ValueChange { name, before: Some(data), after: None });
        } else {
            keep = true;
            let left = ours.and_then(|v| v.before.as_ref());
            let conflict = conflict(undo, &name, left, Some(&data), None);
            out.conflicts.push(Conflict { forcible: ours.is_some(), ..conflict });
        }
    }
    if !subkeys.is_empty() {
        keep = true;
        out.conflicts.push(Conflict {
            place: key.to_string(),
            left: "no subkeys".to_owned(),
            found: format!("subkeys {}", first_few(subkeys.iter().map(|s| s.as_str()))),
            before: "absent".to_owned(),
            forcible: false,
        });
    }
    if keep {
        return (!gone.is_empty()).then(|| step(undo, ChangeAction::Update, gone));
    }
    // If this deletion is rolled back, the key is created as it is now.
    let properties = match reader.properties(key).known() {
        Ok(properties) => properties,
        Err(Unread { reason: Reason::Unknown, .. }) => None,
        Err(why) => {
            out.unread.push(format!("{key}: {why}"));
            return None;
        }
    };
    Some(KeyChange { properties, ..step(undo, ChangeAction::Delete, gone) })
}

/// Returns the change that restores values in a key that existed before the apply. If the key is now absent, the change
/// also creates it. Returns `None` if nothing is restored. Adds values that cannot be restored or read to `out`.
fn update(undo: &KeyChange, force: bool, reader: &Reader<'_>, out: &mut Rollback) -> Option<KeyChange> {
    let mut action = ChangeAction::Update;
    if matches!(reader.key(&undo.key), Answer::Absent) {
        if undo.values.iter().all(|value| value.after.is_none()) {
            return None;
        }
        // One conflict instead of one for each value, because no value can be restored, whatever the options are.
        if !parent_exists(&undo.key, reader, out)? {
            out.conflicts.push(key_conflict(&undo.key));
            return None;
        }
        action = ChangeAction::Create;
    }
    let values = values(undo, force, reader, out);
    if values.is_empty() {
        return None;
    }
    Some(step(undo, action, values))
}

/// Returns the change that creates a key again that the apply deleted, with its values. If the key exists, the change
/// restores only the values. Returns `None` if nothing is restored; conflicts and errors are added to `out`.
fn create(undo: &KeyChange, force: bool, reader: &Reader<'_>, out: &mut Rollback) -> Option<KeyChange> {
    match reader.key(&undo.key) {
        Answer::Absent if parent_exists(&undo.key, reader, out)? => Some(undo.clone()),
        Answer::Absent => {
            out.conflicts.push(key_conflict(&undo.key));
            None
        }
        Answer::Present(()) => {
            let values = values(undo, force, reader, out);
            (!values.is_empty()).then(|| step(undo, ChangeAction::Update, values))
        }
        Answer::Unread(why) => {
            out.unread.push(format!("{}: {why}", undo.key));
            None
        }
    }
}

fn values(undo: &KeyChange, force: bool, reader: &Reader<'_>, out: &mut Rollback) -> Vec<ValueChange> {
    let mut values = Vec::with_capacity(undo.values.len());
    for value in &undo.values {
        let now = match reader.value(&undo.key, &value.name).state() {
            Ok(now) => now,
            Err(why) => {
                out.unread.push(format!("{}: {why}", undo.place(&value.name)));
                continue;
            }
        };
        if now == value.after {
            continue;
        }
        // An apply that deletes a key leaves no values, so an absent value is in the state that the apply left.
        if now == value.before || force {
            values.push(ValueChange { name: value.name.clone(), before: now, after: value.after.clone() });
        } else {
            let (left, before) = (value.before.as_ref(), value.after.as_ref());
            out.conflicts.push(conflict(undo, &value.name, left, now.as_ref(), before));
        }
    }
    values
}

/// Returns a change of the key of `undo`, with this action and these values.
fn step(undo: &KeyChange, action: ChangeAction, values: Vec<ValueChange>) -> KeyChange {
    KeyChange { sensitive: undo.sensitive.clone(), ..KeyChange::new(undo.key.clone(), action, values) }
}

/// Returns whether the parent of the key exists; `true` for a root key. If the parent could not be read, adds the
/// reason to `out` and returns `None`.
fn parent_exists(key: &Key, reader: &Reader<'_>, out: &mut Rollback) -> Option<bool> {
    let Some(parent) = key.parent() else { return Some(true) };
    match reader.key(&parent).holds_values() {
        Ok(there) => Some(there),
        Err(why) => {
            out.unread.push(format!("{parent}: {why}"));
            None
        }
    }
}

fn conflict(
    undo: &KeyChange,
    name: &ValueName,
    left: Option<&Data>,
    found: Option<&Data>,
    before: Option<&Data>,
) -> Conflict {
    let text = |data: Option<&Data>| undo.message(name, data);
    let place = format!("{} {}", undo.key, notation::value_name(name));
    Conflict { place, left: text(left), found: text(found), before: text(before), forcible: true }
}

fn key_conflict(key: &Key) -> Conflict {
    Conflict {
        place: key.to_string(),
        left: "its parent key present".to_owned(),
        found: "its parent key absent".to_owned(),
        before: "present".to_owned(),
        forcible: false,
    }
}
