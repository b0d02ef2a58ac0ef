//! Makes changes to hives in memory. Before a file is replaced, all changes are checked, made, read back and, as a
//! trial, undone.
//!
//! This finds changes that cannot be undone. For example, kbfix may be able to delete a key of a damaged hive, but then
//! be unable to confirm that the key is absent. A change that cannot be read back or undone is refused before any hive
//! file is replaced.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Halt, OfflineRegistry,
    file::{self, NewHive},
    resolve::Place,
};
use crate::{
    format::regf::{Error, Filetime, Finding, State, worse},
    registry::KeyProperties,
    targets::{
        Answer, ChangeAction, KeyChange, KeyFacts, KeyQuery, TargetError, ValueChange, WriteError, precondition,
    },
};

/// The maximum number of findings (deviations of a changed hive from the hive format) that a message lists.
const SHOWN: usize = 3;

/// Where a change is made: the index of the mounted hive, and the path of the key below the hive's root.
pub(super) type Spot = (usize, String);

/// For the index of each mounted hive that is changed, the findings in the hive before its first change.
type Findings = BTreeMap<usize, Vec<Finding>>;

impl OfflineRegistry {
    /// Checks that cells fill the bins of each hive that these changes would edit and that can be opened. Otherwise, a
    /// cell that is marked as free could be in use.
    ///
    /// # Errors
    /// Returns [`TargetError::Malformed`] for the first hive whose bins are not filled.
    pub(in crate::targets) fn refuse_damaged(&mut self, changes: &[KeyChange]) -> Result<(), TargetError> {
        // A change that belongs to no hive is refused, with its reason, when it is made.
        let mounts: BTreeSet<usize> = changes.iter().filter_map(|change| self.spot(change).ok()).map(|s| s.0).collect();
        for number in mounts {
            let what = self.what_is(number);
            let Ok(file) = self.opened(number) else { continue };
            if let Err(error @ Error::Malformed { .. }) = file.hive.edit(Filetime::now()) {
                let detail = format!("{error}; nothing in the hive was changed");
                return Err(TargetError::Malformed { what, detail, hint: None });
            }
        }
        Ok(())
    }

    /// Checks in memory whether the changes can be made, read back and undone. The hives themselves are not checked
    /// completely, because that would take as long as an apply.
    ///
    /// # Errors
    /// Returns the reason why a write would be refused.
    pub(in crate::targets) fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        if changes.is_empty() {
            return Ok(());
        }
        let tried = self.spots(changes).and_then(|spots| {
            self.make(changes, &spots, None)?;
            self.try_undo(changes)
        });
        self.forget();
        tried
    }

    /// Makes the changes in memory. Returns the new hives, each with the index of its mounted hive; no file is replaced
    /// yet. `spots` contains where each change must be made.
    ///
    /// If only one hive changes, its new file is written before the changes are undone as a trial, so that no copy of
    /// the hive is needed. Afterwards the caller must discard the hives in memory, because they do not match the new
    /// hives any more.
    ///
    /// # Errors
    /// Returns an error if a change cannot be made, read back or undone, if it would damage a hive, or if a new file
    /// cannot be written.
    pub(super) fn edit(&mut self, changes: &[KeyChange], spots: &[Spot]) -> Result<Vec<(usize, NewHive)>, WriteError> {
        let mut before = Findings::new();
        self.make(changes, spots, Some(&mut before))?;
        let mut files = Vec::new();
        before.retain(|number, _| self.is_changed(*number));
        let is_only = before.len() == 1;
        for (number, findings) in before {
            self.refuse_worse(number, &findings)?;
            let (guard, key, place) = (self.guard, self.mounts[number].key.clone(), self.what_is(number));
            let file = self.opened(number).map_err(|halt| halted(&place, halt))?;
            let new = match is_only {
                true => NewHive::Written(file.prepare().map_err(|error| guard(&key).err().unwrap_or(error))?),
                false => NewHive::Bytes(file.bytes()?),
            };
            files.push((number, new));
        }
        self.try_undo(changes)?;
        Ok(files)
    }

    /// Returns where each change must be made. This is determined for all changes before the first one is made, because
    /// a change can alter to which key a name leads.
    pub(super) fn spots(&mut self, changes: &[KeyChange]) -> Result<Vec<Spot>, WriteError> {
        changes.iter().map(|change| self.spot(change)).collect()
    }

    fn spot(&mut self, change: &KeyChange) -> Result<Spot, WriteError> {
        let found = self.resolve(&change.key).map_err(|halt| halted(&change.key.to_string(), halt))?;
        self.spot_at(change, found)
    }

    /// Returns where a change must be made whose key was already found.
    fn spot_at(&self, change: &KeyChange, found: Place) -> Result<Spot, WriteError> {
        let place = || change.key.to_string();
        match found {
            Place::In { link: true, .. } if change.action != ChangeAction::Update => {
                let detail = "this key is a registry link to another key; kbfix neither creates nor deletes such a \
                    link"
                    .to_owned();
                Err(WriteError::Unsupported { place: place(), detail })
            }
            Place::In { mount, below, .. } => Ok((mount, below)),
            Place::Above(_) | Place::Absent => {
                let detail = format!("{} does not contain this key", self.what);
                Err(WriteError::Unsupported { place: place(), detail })
            }
        }
    }

    /// Makes the changes in memory, each in its hive and key. If `findings` is given, checks each hive before its first
    /// change, and records the findings.
    ///
    /// # Errors
    /// Returns an error if a change cannot be made, or if the changes alter to which key a changed path leads.
    fn make(
        &mut self,
        changes: &[KeyChange],
        spots: &[Spot],
        mut findings: Option<&mut Findings>,
    ) -> Result<(), WriteError> {
        self.ask_anew();
        for (change, spot) in changes.iter().zip(spots) {
            if let Some(findings) = findings.as_deref_mut()
                && !findings.contains_key(&spot.0)
            {
                let place = change.key.to_string();
                let found = self.opened(spot.0).map_err(|halt| halted(&place, halt))?.hive.check();
                findings.insert(spot.0, found);
            }
            if self.make_one(change)? != *spot {
                return Err(led_elsewhere(change));
            }
        }
        // The last changes may alter where the key names of the first changes lead.
        for (change, spot) in changes.iter().zip(spots) {
            if self.spot(change).ok().as_ref() != Some(spot) {
                return Err(led_elsewhere(change));
            }
        }
        Ok(())
    }

    /// Undoes the changes in memory, as a trial, to find changes that cannot be undone.
    fn try_undo(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        self.ask_anew();
        precondition::undo(
            changes,
            self,
            |registry, change| registry.make_one(change).map(drop),
            Self::answer_in_memory,
        )
    }

    fn answer_in_memory(&mut self, query: &KeyQuery) -> Answer<KeyFacts> {
        let answer = self.answer(query);
        self.judged(answer).unwrap_or_else(|error| Answer::Unread(file::unusable(&error)))
    }

    /// Checks a change and makes it in memory. Returns where it was made.
    fn make_one(&mut self, change: &KeyChange) -> Result<Spot, WriteError> {
        // The last question is about the key of the change. The key is not looked up again afterwards.
        let mut place = None;
        precondition::before(change, |query| {
            let answer = self.resolve(&query.key).and_then(|found| self.answer_at(place.insert(found), query));
            self.judged(answer).unwrap_or_else(|error| Answer::Unread(file::unusable(&error)))
        })?;
        // Places are named only in errors, because changes are made by the thousand.
        let key = |error: &Error| file::unsupported(&change.key.to_string(), error);
        let (mount, below) = match place {
            Some(found) => self.spot_at(change, found)?,
            None => self.spot(change)?,
        };
        let hive = &mut self.opened(mount).map_err(|halt| halted(&change.key.to_string(), halt))?.hive;
        if let State::Dirty { why } = hive.state() {
            return Err(key(&Error::Dirty { why }));
        }
        let mut editor = hive.edit(Filetime::now()).map_err(|error| key(&error))?;
        match change.action {
            ChangeAction::Delete => drop(editor.delete_key(&below).map_err(|error| key(&error))?),
            ChangeAction::Create => {
                editor.create_key(&below).map_err(|error| key(&error))?;
                if let Some(KeyProperties { class, security }) = &change.properties {
                    editor.set_security(&below, security.bytes()).map_err(|error| key(&error))?;
                    editor.set_class(&below, class.as_deref()).map_err(|error| key(&error))?;
                }
            }
            ChangeAction::Update => {}
        }
        // The values of a deleted key are deleted together with the key.
        let values = if change.action == ChangeAction::Delete { &[][..] } else { &change.values };
        if let Some(first) = values.first() {
            let value = |value: &ValueChange, error| file::unsupported(&change.place(&value.name), &error);
            let node = editor.existing(&below).map_err(|error| value(first, error))?;
            // Deleted from the last to the first, because the values that were added last are found fastest.
            for one in values.iter().rev().filter(|one| one.after.is_none()) {
                editor.delete_value_of(node, one.name.as_str()).map_err(|error| value(one, error))?;
            }
            editor.expect_values(values.iter().filter(|one| one.before.is_none()).count());
            for one in values {
                if let Some(data) = &one.after {
                    editor.set_value_of(node, one.name.as_str(), data).map_err(|error| value(one, error))?;
                }
            }
        }
        editor.suspend();
        if !below.contains('\\') {
            self.opened(mount).map_err(|halt| halted(&change.key.to_string(), halt))?.current_set = None;
        }
        Ok((mount, below))
    }

    fn is_changed(&self, number: usize) -> bool {
        matches!(&self.mounts[number].opened, Some(Ok(file)) if file.hive.is_changed())
    }

    pub(super) fn what_is(&self, number: usize) -> String {
        let mount = &self.mounts[number];
        mount.file.as_ref().map_or_else(|_| mount.key.to_string(), |path| path.display().to_string())
    }

    /// Returns an error if the check of a hive finds anything that the check before the edits did not find.
    fn refuse_worse(&mut self, number: usize, before: &[Finding]) -> Result<(), WriteError> {
        let place = self.what_is(number);
        let hive = &mut self.opened(number).map_err(|halt| halted(&place, halt))?.hive;
        hive.settle().map_err(|error| file::unsupported(&place, &error))?;
        let new = worse(before, &hive.check());
        if new.is_empty() {
            return Ok(());
        }
        let shown: Vec<_> = new.iter().take(SHOWN).map(|f| format!("{} at {:#x}", f.message, f.offset)).collect();
        let detail =
            format!("the changed hive did not pass the check of kbfix and was not saved: {}", shown.join("; "));
        Err(WriteError::Unsupported { place, detail })
    }
}

fn led_elsewhere(change: &KeyChange) -> WriteError {
    WriteError::Unsupported { place: change.key.to_string(), detail: precondition::LED_ELSEWHERE.to_owned() }
}

pub(super) fn halted(place: &str, halt: Halt) -> WriteError {
    match halt {
        Halt::Unread(why) => WriteError::Unsupported { place: place.to_owned(), detail: why.to_string() },
        Halt::Refused(error) => error.refusal(place),
    }
}
