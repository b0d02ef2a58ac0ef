//! Changes in memory: each is checked and made, and all of them are read back and undone on trial before a file is replaced.
//!
//! In a damaged hive a key may be found as long as it is there, and not be known to be absent once it is gone. What would not read
//! back, or could not be undone, is therefore refused before anything is written.

use std::collections::BTreeMap;

use super::{Halt, OfflineRegistry, file, resolve::Place};
use crate::{
    format::regf::{Error, Filetime, Finding, State, worse},
    registry::KeyProperties,
    targets::{Action, Answer, KeyChange, KeyFacts, KeyQuery, Reason, TargetError, Unread, WriteError, precondition},
};

/// How many findings a message names.
const SHOWN: usize = 3;

/// Where a change is made: the number of the mount, and the key's path below the hive's root.
pub(super) type Spot = (usize, String);

/// What the hives' own check found before the first change, by the number of the mount.
type Findings = BTreeMap<usize, Vec<Finding>>;

/// The files that changes come to.
pub(super) struct Edited {
    /// Where each change is made.
    pub(super) spots: Vec<Spot>,
    /// The number of the mount, and the bytes of its file.
    pub(super) files: Vec<(usize, Vec<u8>)>,
}

impl OfflineRegistry {
    /// Whether the changes can be made, read back and undone, as far as that can be seen in memory. The hives themselves are not
    /// checked for this, which would take as long as an apply does.
    ///
    /// # Errors
    /// Why the write would be refused.
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

    /// Makes the changes in memory. The hives there are then as before, and are to be forgotten.
    ///
    /// # Errors
    /// Where a change cannot be made, would not read back, or could not be undone; or where a hive would be worse than it was.
    pub(super) fn edit(&mut self, changes: &[KeyChange]) -> Result<Edited, WriteError> {
        let spots = self.spots(changes)?;
        let mut before = Findings::new();
        self.make(changes, &spots, Some(&mut before))?;
        let mut files = Vec::new();
        for (number, findings) in before.into_iter().filter(|(number, _)| self.is_changed(*number)).collect::<Vec<_>>()
        {
            self.refuse_worse(number, &findings)?;
            let place = self.what_is(number);
            let file = self.opened(number).map_err(|halt| halted(&place, halt))?;
            files.push((number, file.bytes()?));
        }
        self.try_undo(changes)?;
        Ok(Edited { spots, files })
    }

    /// Where each change is made. All are found before the first one is made, which may alter where names lead.
    pub(super) fn spots(&mut self, changes: &[KeyChange]) -> Result<Vec<Spot>, WriteError> {
        changes.iter().map(|change| self.spot(change)).collect()
    }

    fn spot(&mut self, change: &KeyChange) -> Result<Spot, WriteError> {
        let place = change.key.to_string();
        match self.resolve(&change.key).map_err(|halt| halted(&place, halt))? {
            Place::In { link: true, .. } if change.action != Action::Update => {
                let detail = "it is a link to another key, which is not created or deleted".to_owned();
                Err(WriteError::Unsupported { place, detail })
            }
            Place::In { mount, below, .. } => Ok((mount, below)),
            Place::Above(_) | Place::Absent => {
                let detail = format!("{} does not hold it", self.what);
                Err(WriteError::Unsupported { place, detail })
            }
        }
    }

    /// Makes the changes, each in its spot.
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
        // What is made last may alter where the names of the first lead.
        for (change, spot) in changes.iter().zip(spots) {
            if self.spot(change).ok().as_ref() != Some(spot) {
                return Err(led_elsewhere(change));
            }
        }
        Ok(())
    }

    /// Undoes the changes again, in memory.
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
        let refused = |error: TargetError| Answer::Unread(Unread::new(Reason::Malformed, error.to_string()));
        self.read(query).unwrap_or_else(refused)
    }

    /// Checks a change, and makes it in memory; returns where.
    fn make_one(&mut self, change: &KeyChange) -> Result<Spot, WriteError> {
        precondition::before(change, |query| self.answer_in_memory(query))?;
        let key = change.key.to_string();
        let (mount, below) = self.spot(change)?;
        let hive = &mut self.opened(mount).map_err(|halt| halted(&key, halt))?.hive;
        if let State::Dirty { why } = hive.state() {
            return Err(file::unsupported(&key, &Error::Dirty { why }));
        }
        let mut editor = hive.edit(Filetime::now()).map_err(|error| file::unsupported(&key, &error))?;
        match change.action {
            Action::Delete => done(editor.delete_key(&below), &key)?,
            Action::Create => {
                done(editor.create_key(&below), &key)?;
                if let Some(KeyProperties { class, security }) = &change.properties {
                    done(editor.set_security(&below, security.bytes()), &key)?;
                    done(editor.set_class(&below, class.as_deref()), &key)?;
                }
            }
            Action::Update => {}
        }
        // The values of a key that is deleted go with it.
        for value in change.values.iter().filter(|_| change.action != Action::Delete) {
            let place = change.place(&value.name);
            match &value.after {
                Some(data) => done(editor.set_value(&below, value.name.as_str(), data), &place)?,
                None => done(editor.delete_value(&below, value.name.as_str()), &place)?,
            }
        }
        editor.suspend();
        Ok((mount, below))
    }

    fn is_changed(&self, number: usize) -> bool {
        matches!(&self.mounts[number].opened, Some(Ok(file)) if file.hive.is_changed())
    }

    pub(super) fn what_is(&self, number: usize) -> String {
        let mount = &self.mounts[number];
        mount.file.as_ref().map_or_else(|_| mount.key.to_string(), |path| path.display().to_string())
    }

    /// A hive is saved only where the edits made nothing in it worse than it was.
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
            format!("the edited hive does not pass kbfix's own check, and was not saved: {}", shown.join("; "));
        Err(WriteError::Unsupported { place, detail })
    }
}

fn done(edited: Result<bool, Error>, place: &str) -> Result<(), WriteError> {
    edited.map(drop).map_err(|error| file::unsupported(place, &error))
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
