//! Makes changes to a policy file: first in memory, where each is checked against the present state, then on disk.

use crate::{
    format::pol::EditError,
    registry::KeyPath,
    targets::{Answer, ChangeAction, KeyChange, Unread, WriteError, WriteFailure, precondition},
};

use super::{Failed, OTHER_VALUES, PolTarget, Replacements};

impl PolTarget {
    /// Returns the files after these changes, which are checked against the present content of the file: another
    /// program may have edited it without the lock. Writes nothing.
    pub(in crate::targets) fn prepare(&mut self, changes: &[KeyChange]) -> Result<Replacements, WriteError> {
        if changes.is_empty() {
            return Ok(Replacements::default());
        }
        self.reload().map_err(|error| error.refusal(&self.place()))?;
        self.edited(changes)
    }

    /// Replaces the files. Afterwards, they are read again.
    pub(in crate::targets) fn replace(
        &mut self,
        prepared: &Replacements,
        changes: &[KeyChange],
    ) -> Result<(), WriteFailure> {
        let replaced = self.files.replace(prepared);
        self.is_stale = true;
        replaced.map_err(|Failed { error, is_restored }| {
            let begun = if is_restored { Vec::new() } else { changes.to_vec() };
            WriteFailure { error, begun }
        })
    }

    /// Returns the files after these changes. Each change must be possible to undo.
    pub(super) fn edited(&mut self, changes: &[KeyChange]) -> Result<Replacements, WriteError> {
        let before = self.document.clone();
        let made = self.carry_out(changes).and_then(|()| {
            let bytes = self.document.to_bytes();
            self.try_undo(changes)?;
            self.files.replacements(bytes)
        });
        self.document = before;
        made
    }

    /// Returns the path of the file, for messages.
    pub(in crate::targets) fn place(&self) -> String {
        self.files.path.display().to_string()
    }

    /// Makes the changes in memory.
    fn carry_out(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        changes.iter().try_for_each(|change| self.carry_out_one(change))
    }

    /// Undoes the changes in memory.
    fn try_undo(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        let read = |pol: &mut Self, query: &_| pol.read_key(query).unwrap_or_else(Answer::Unread);
        precondition::undo(changes, self, Self::carry_out_one, read)
    }

    fn carry_out_one(&mut self, change: &KeyChange) -> Result<(), WriteError> {
        precondition::before(change, |query| self.read_key(query).unwrap_or_else(Answer::Unread))?;
        let place = || change.key.to_string();
        let unread = |why: Unread| WriteError::Unsupported { place: place(), detail: why.to_string() };
        let path = self.resolve(&change.key).map_err(unread)?;
        let refused = |place: String| move |why: EditError| WriteError::Unsupported { place, detail: why.to_string() };
        // Where the file deletes a key first, the key is there only because of an entry in it or below it. A key stays when
        // its last value or subkey goes.
        let kept = if change.action == ChangeAction::Delete { path.parent() } else { Some(path.clone()) };
        let kept = kept.filter(|key| self.is_made(key));
        match change.action {
            ChangeAction::Delete => {
                self.document.forget_key(&path);
                return self.keep(kept).map_err(refused(place()));
            }
            ChangeAction::Create if change.values.is_empty() => {
                self.document.create_key(&path).map_err(refused(place()))?;
            }
            ChangeAction::Create | ChangeAction::Update => {}
        }
        // Make the change to all values first: it can make entries of single values unnecessary, and must not undo
        // them.
        let (others, single): (Vec<_>, Vec<_>) =
            change.values.iter().partition(|value| value.name.as_str().eq_ignore_ascii_case(OTHER_VALUES));
        for value in others {
            let made = match &value.after {
                None => self.document.delete_all_values(&path),
                Some(data) if data.is_not_configured() => self.document.keep_other_values(&path),
                Some(_) => Err(EditError::Reserved),
            };
            made.map_err(refused(change.place(&value.name)))?;
        }
        for value in single {
            let made = match &value.after {
                None => self.document.delete(&path, &value.name),
                Some(data) if data.is_not_configured() => self.document.forget(&path, &value.name),
                Some(data) => self.document.set(&path, &value.name, data),
            };
            made.map_err(refused(change.place(&value.name)))?;
        }
        self.keep(kept).map_err(refused(place()))
    }

    /// Returns whether the file deletes the key and makes it anew.
    fn is_made(&self, key: &KeyPath) -> bool {
        let state = self.document.key(key);
        state.key_deleted && state.present
    }

    fn keep(&mut self, key: Option<KeyPath>) -> Result<(), EditError> {
        key.map_or(Ok(()), |key| self.document.create_key(&key))
    }
}
