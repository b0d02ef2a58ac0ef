//! Apply: journal, write, read back; and undo when something fails.
//!
//! The caller holds the target's lock and has made the plan under it. The journal is complete on disk before the first
//! write; after the last, everything is read back and compared; on any failure what was written is undone, by the same code
//! that a later rollback uses.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    journal::{self, EventKind, Header, Journal, Store, StoreError},
    observe::{Reader, observe_changed},
    plan::{Outcome, Plan},
    registry::{Data, Key, KeyProperties, ValueName, control_set, notation},
    targets::{Address, Answer, ChangeAction, KeyChange, Reason, Target, TargetError, Unread, WriteFailure},
};

/// What came of carrying out changes.
#[derive(Debug)]
pub enum Applied {
    /// There was nothing to do; nothing was written, and there is no journal.
    Nothing,
    /// All changes were made, and read back.
    Done(Journal),
    /// Writing failed, and everything is as it was before.
    Undone(Journal, Failure),
    /// Writing failed, and not everything could be put back.
    Incomplete(Journal, Failure, Vec<String>),
}

/// Why changes could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A write was refused or failed.
    #[error(transparent)]
    Write(#[from] WriteFailure),
    /// Everything was written, but reads back differently. The text names each place.
    #[error("what was read back is not what was written: {}", .0.join("; "))]
    ReadBack(Vec<String>),
    /// The target could not be read after writing.
    #[error("after writing, {0}")]
    Read(#[from] TargetError),
}

/// Why nothing was started. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal could not be written.
    #[error("the journal could not be written: {0}")]
    Journal(#[from] StoreError),
    /// The target could not be read.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The journal could not name the control set that the changes are in.
    #[error("the number of the current control set could not be read, so a rollback could not find it again: {0}")]
    ControlSet(Unread),
}

/// Makes the changes of a plan. `address` is how a later rollback finds the target.
///
/// # Errors
/// [`StartError`] where nothing was changed, since the journal could not be written.
pub fn execute(
    plan: &Plan,
    action: journal::Operation,
    address: Address,
    target: &mut dyn Target,
    store: &Store,
) -> Result<Applied, StartError> {
    let changes: Vec<KeyChange> = plan.changes().cloned().collect();
    // A retirement is recorded even if nothing is left to put back: its specs are not applied any more.
    let is_recorded = plan.retires.is_some() && plan.outcome() == Outcome::InDesiredState;
    if changes.is_empty() && !is_recorded {
        return Ok(Applied::Nothing);
    }
    let control_set = match changes.iter().any(|change| control_set::is_current(&change.key.path)) {
        true => target.control_set()?.known().map_err(StartError::ControlSet)?,
        false => None,
    };
    let acting: Vec<_> = plan.specs.iter().filter(|spec| spec.does_something()).collect();
    let (specs, kept_for) = match &plan.retires {
        Some(retires) => (retires.specs.clone(), retires.kept_for.clone()),
        None => (acting.iter().map(|spec| spec.id.clone()).collect(), Vec::new()),
    };
    let by_spec = match acting.as_slice() {
        [] | [_] => Vec::new(),
        several => several.iter().map(|spec| spec.changes.len()).collect(),
    };
    let mut journal = store.begin(Header {
        kbfix_journal: 1,
        // The store gives it one.
        id: String::new(),
        made: journal::now(),
        action,
        target: address,
        machine: plan.machine.clone(),
        control_set,
        specs,
        by_spec,
        kept_for,
        plan: plan.digest(),
        restart: plan.restart(),
        changes,
    })?;
    let changes = &journal.header.changes;
    let failure = match target.write(changes).map_err(Failure::from).and_then(|()| read_back(changes, target)) {
        Ok(()) => {
            // That the apply ended well can also be seen on the target; a journal that cannot say so is no failure.
            let _ = journal.add(EventKind::Done, None);
            return Ok(Applied::Done(journal));
        }
        Err(failure) => failure,
    };
    let begun = match &failure {
        Failure::Write(failure) => &failure.begun,
        Failure::ReadBack(_) | Failure::Read(_) => changes,
    };
    let left = undo(begun, target);
    let (event, detail) = match left.is_empty() {
        true => (EventKind::Undone, failure.to_string()),
        false => (EventKind::Failed, format!("{failure}; not put back: {}", left.join("; "))),
    };
    let _ = journal.add(event, Some(detail));
    Ok(if left.is_empty() { Applied::Undone(journal, failure) } else { Applied::Incomplete(journal, failure, left) })
}

/// Puts back what this apply wrote; returns what could not be. What is neither as before nor as this apply writes it was
/// written by somebody else, whom kbfix' lock does not bind, and is kept.
fn undo(changes: &[KeyChange], target: &mut dyn Target) -> Vec<String> {
    let mut undo = journal::Rollback::default();
    if let Err(why) = observe_changed(target, changes, |reader| undo = journal::plan_rollback(changes, false, reader)) {
        return vec![why.to_string()];
    }
    let mut left: Vec<String> = undo.unread;
    left.extend(undo.conflicts.into_iter().map(|c| format!("{}: found {}", c.place, c.found)));
    if undo.changes.is_empty() {
        return left;
    }
    if let Err(why) = target.write(&undo.changes) {
        left.push(why.to_string());
    }
    match read_back(&undo.changes, target) {
        Ok(()) => {}
        Err(why) => left.push(why.to_string()),
    }
    left
}

/// Reads every key and value that the changes name, and compares.
fn read_back(changes: &[KeyChange], target: &mut dyn Target) -> Result<(), Failure> {
    let expected = Expected::of(changes);
    let mut wrong = Vec::new();
    observe_changed(target, changes, |reader| wrong = expected.differences(reader))?;
    if wrong.is_empty() { Ok(()) } else { Err(Failure::ReadBack(wrong)) }
}

/// What keys and values are to be after all changes; a later change of the same one counts.
#[derive(Default)]
struct Expected {
    keys: BTreeMap<Key, bool>,
    properties: BTreeMap<Key, KeyProperties>,
    values: BTreeMap<(Key, ValueName), Option<Data>>,
    /// Those of them whose data is shown to nobody.
    sensitive: BTreeSet<(Key, ValueName)>,
}

impl Expected {
    fn of(changes: &[KeyChange]) -> Self {
        let mut expected = Self::default();
        for change in changes {
            expected.keys.insert(change.key.clone(), change.action != ChangeAction::Delete);
            match (&change.properties, change.action) {
                (Some(properties), ChangeAction::Create) => {
                    drop(expected.properties.insert(change.key.clone(), properties.clone()))
                }
                _ => drop(expected.properties.remove(&change.key)),
            }
            expected.sensitive.extend(change.sensitive.iter().map(|name| (change.key.clone(), name.clone())));
            for value in &change.values {
                expected.values.insert((change.key.clone(), value.name.clone()), value.after.clone());
            }
        }
        expected
    }

    fn differences(&self, reader: &Reader<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        for (key, exists) in &self.keys {
            match (reader.key(key), exists) {
                (Answer::Present(()), true) | (Answer::Absent, false) => {}
                (Answer::Present(()), false) => wrong.push(format!("{key} still exists")),
                // A policy file that sets nothing in the key any more.
                (Answer::Unread(Unread { reason: Reason::NotConfigured, .. }), true) => {}
                (Answer::Absent, true) => wrong.push(format!("{key} is absent")),
                (Answer::Unread(why), _) => wrong.push(format!("{key}: {why}")),
            }
        }
        for (key, properties) in &self.properties {
            match reader.properties(key) {
                Answer::Present(found) if found.same(properties) => {}
                // The target has none, as an export.
                Answer::Unread(Unread { reason: Reason::Unknown, .. }) => {}
                _ => wrong.push(format!("the class name and security descriptor of {key} were not restored")),
            }
        }
        for (at, data) in &self.values {
            let (key, name) = at;
            let place = format!("{key} {}", notation::value_name(name));
            match reader.value(key, name).state() {
                Ok(found) if found == *data => {}
                Ok(found) => {
                    let text = |data: &Option<Data>| notation::message(data.as_ref(), self.sensitive.contains(at));
                    wrong.push(format!("{place}: wrote {}, found {}", text(data), text(&found)));
                }
                Err(why) => wrong.push(format!("{place}: {why}")),
            }
        }
        wrong
    }
}

impl Applied {
    /// The journal, where something was written.
    pub fn journal(&self) -> Option<&Journal> {
        match self {
            Self::Nothing => None,
            Self::Done(journal) | Self::Undone(journal, _) | Self::Incomplete(journal, ..) => Some(journal),
        }
    }
}
