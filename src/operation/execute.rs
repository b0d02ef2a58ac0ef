//! Makes changes: writes the journal and the changes, reads them back, and undoes them if something fails.
//!
//! The caller has locked the target, and has made or checked the plan under that lock. The journal is complete on disk
//! before the first change is written. After the last change, everything is read back and compared. After any failure,
//! the changes that were written are undone by the same code that a later rollback uses.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{self, Counts};
use crate::{
    journal::{self, EventKind, Header, Journal, Store, StoreError},
    observe::{NOT_READ, Reader, observe_changed},
    plan::{Outcome, Plan},
    registry::{Data, Key, KeyProperties, ValueName, control_set, notation},
    small_map::SmallMap,
    targets::{Address, Answer, ChangeAction, KeyChange, Reason, Target, TargetError, Unread, WriteFailure},
};

/// The result of making changes.
#[derive(Debug)]
pub enum Applied {
    /// There was nothing to do. Nothing was written, and there is no journal.
    Nothing,
    /// All changes were made and read back.
    Done(Journal),
    /// Writing or reading back failed, and everything that had been written was restored. If the target refused the
    /// changes before it began with the first of them, nothing had been written.
    Undone(Journal, Failure),
    /// Writing or reading back failed, and not everything could be restored. The strings say which keys and values were
    /// not restored, or why this is not known.
    Incomplete(Journal, Failure, Vec<String>),
}

/// The reason why changes could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A write was refused or failed.
    #[error(transparent)]
    Write(#[from] WriteFailure),
    /// Everything was written, but the target then contained other data. The strings name the keys and values that
    /// differ.
    #[error("the data that was read back differs from the data that was written: {}", .0.join("; "))]
    ReadBack(Vec<String>),
    /// The target could not be read after writing.
    #[error("the target could not be read after writing: {0}")]
    Read(#[from] TargetError),
}

/// The reason why no change was started. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal could not be written.
    #[error("the journal could not be written: {0}")]
    Journal(#[from] StoreError),
    /// The target could not be read.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The number of the current control set could not be read, so the journal could not record it.
    #[error(
        "nothing was changed, because the number of the current control set could not be read, and without it a rollback \
        would not find the changes: {0}"
    )]
    ControlSet(Unread),
}

/// Makes the changes of a plan. `address` is stored in the journal, so that a later rollback finds the target.
///
/// # Errors
///
/// Fails only before the first change, for example if the journal cannot be written.
pub fn execute(
    plan: &Plan,
    action: journal::Operation,
    address: Address,
    target: &mut dyn Target,
    store: &Store,
) -> Result<Applied, StartError> {
    let applied = execute_as(&mut plan.clone(), plan.digest(), action, address, target, store);
    applied.map(|(applied, _)| applied)
}

/// Returns whether a journal is written when the changes of the plan are made.
pub(super) fn has_journal(plan: &Plan) -> bool {
    // A retirement is recorded even if nothing must be restored, because its specs no longer count as applied.
    let is_recorded = plan.retires.is_some() && plan.outcome() == Outcome::InDesiredState;
    plan.changes().next().is_some() || is_recorded
}

/// Makes the changes of a plan like [`execute`], but does not need the facts of the plan. `digest` is the plan's
/// digest. Moves the changes from the plan to the journal, and also returns the number of changes of each spec.
pub(super) fn execute_as(
    plan: &mut Plan,
    digest: String,
    action: journal::Operation,
    address: Address,
    target: &mut dyn Target,
    store: &Store,
) -> Result<(Applied, Counts), StartError> {
    if !has_journal(plan) {
        return Ok((Applied::Nothing, changes::take(plan).1));
    }
    let control_set = match plan.changes().any(|change| control_set::is_current(&change.key.path)) {
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
    let restarts = match acting.as_slice() {
        [] | [_] => Vec::new(),
        several => several.iter().map(|spec| spec.restart.clone()).collect(),
    };
    let restart = plan.restart();
    let (changes, counts) = changes::take(plan);
    let mut journal = store.begin(Header {
        kbfix_journal: 1,
        // The store sets the id.
        id: String::new(),
        made: journal::now(),
        action,
        target: address,
        machine: plan.machine.clone(),
        control_set,
        specs,
        by_spec,
        kept_for,
        plan: digest,
        restart,
        restarts,
        changes,
    })?;
    let changes = &journal.header.changes;
    let failure = match target.write(changes).map_err(Failure::from).and_then(|()| read_back(changes, target)) {
        Ok(()) => {
            // The target itself also shows that the apply succeeded. So it is not an error if the journal cannot record
            // this.
            let _ = journal.add(EventKind::Done, None);
            return Ok((Applied::Done(journal), counts));
        }
        Err(failure) => failure,
    };
    let begun = match &failure {
        Failure::Write(failure) => &failure.begun,
        Failure::ReadBack(_) | Failure::Read(_) => changes,
    };
    let left = undo(begun, target);
    let (event, detail) = match left.is_empty() {
        true if begun.is_empty() => (EventKind::Undone, format!("nothing was written: {failure}")),
        true => (EventKind::Undone, failure.to_string()),
        false => (EventKind::Failed, format!("{failure}. These were not restored: {}", left.join("; "))),
    };
    let _ = journal.add(event, Some(detail));
    let applied = match left.is_empty() {
        true => Applied::Undone(journal, failure),
        false => Applied::Incomplete(journal, failure, left),
    };
    Ok((applied, counts))
}

/// Undoes the changes that this apply has written. Returns sentences about everything that could not be restored.
///
/// A key or value is kept if it is neither in the state before the apply nor in the state that the apply writes:
/// someone else has changed it in spite of kbfix's lock.
fn undo(changes: &[KeyChange], target: &mut dyn Target) -> Vec<String> {
    if changes.is_empty() {
        // Perhaps the target cannot be read either.
        return Vec::new();
    }
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
        Err(Failure::ReadBack(wrong)) => left.extend(wrong),
        Err(why) => left.push(why.to_string()),
    }
    left
}

/// Reads every key and value of the changes, and returns an error if one of them is not in the expected state.
fn read_back(changes: &[KeyChange], target: &mut dyn Target) -> Result<(), Failure> {
    let expected = Expected::of(changes);
    let mut wrong = Vec::new();
    observe_changed(target, changes, |reader| wrong = expected.differences(reader))?;
    if wrong.is_empty() { Ok(()) } else { Err(Failure::ReadBack(wrong)) }
}

/// The expected state of keys and values after all changes. If a key or value has several changes, this is the state
/// after the last of them.
#[derive(Default)]
struct Expected<'a> {
    keys: BTreeMap<&'a Key, ExpectedKey<'a>>,
    /// The values whose data is never shown.
    sensitive: BTreeSet<(&'a Key, &'a ValueName)>,
}

#[derive(Default)]
struct ExpectedKey<'a> {
    exists: bool,
    /// The class name and security descriptor that the key must have; `None` unless the last change creates the key
    /// with them.
    properties: Option<&'a KeyProperties>,
    values: SmallMap<&'a ValueName, Option<&'a Data>>,
}

impl<'a> Expected<'a> {
    fn of(changes: &'a [KeyChange]) -> Self {
        let mut expected = Self::default();
        for change in changes {
            let key = expected.keys.entry(&change.key).or_default();
            key.exists = change.action != ChangeAction::Delete;
            key.properties = change.properties.as_ref().filter(|_| change.action == ChangeAction::Create);
            key.values.extend(change.values.iter().map(|value| (&value.name, value.after.as_ref())));
            expected.sensitive.extend(change.sensitive.iter().map(|name| (&change.key, name)));
        }
        expected
    }

    fn differences(&self, reader: &Reader<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        for (key, ExpectedKey { exists, properties, values }) in &self.keys {
            let missed = reader.missed_count();
            match (reader.key(key), exists) {
                (Answer::Present(()), true) | (Answer::Absent, false) => {}
                (Answer::Present(()), false) => wrong.push(format!("{key} still exists")),
                // This is a policy file that no longer sets anything in the key.
                (Answer::Unread(Unread { reason: Reason::NotConfigured, .. }), true) => {}
                (Answer::Absent, true) => wrong.push(format!("{key} is absent")),
                // The check is made again after this is read, so the key need not be named.
                (Answer::Unread(_), _) if reader.missed_count() > missed => wrong.push(NOT_READ.to_owned()),
                (Answer::Unread(why), _) => wrong.push(format!("{key}: {why}")),
            }
            match properties.map(|properties| (properties, reader.properties(key))) {
                None => {}
                Some((properties, Answer::Present(found))) if found.same(properties) => {}
                // The target does not store these properties, for example if it is an export.
                Some((_, Answer::Unread(Unread { reason: Reason::Unknown, .. }))) => {}
                Some(_) => wrong.push(format!("the class name and security descriptor of {key} were not restored")),
            }
            for (name, data) in values.iter() {
                let place = || format!("{key} {}", notation::value_name(name));
                let missed = reader.missed_count();
                match reader.value(key, name).state() {
                    Ok(found) if found.as_ref() == *data => {}
                    Ok(found) => {
                        let text =
                            |data: Option<&Data>| notation::message(data, self.sensitive.contains(&(*key, *name)));
                        wrong.push(format!("{}: expected {}, found {}", place(), text(*data), text(found.as_ref())));
                    }
                    Err(_) if reader.missed_count() > missed => wrong.push(NOT_READ.to_owned()),
                    Err(why) => wrong.push(format!("{}: {why}", place())),
                }
            }
        }
        wrong
    }
}

impl Applied {
    /// Returns the journal; `None` for [`Applied::Nothing`].
    pub fn journal(&self) -> Option<&Journal> {
        match self {
            Self::Nothing => None,
            Self::Done(journal) | Self::Undone(journal, _) | Self::Incomplete(journal, ..) => Some(journal),
        }
    }
}
