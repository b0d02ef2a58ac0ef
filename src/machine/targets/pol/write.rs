//! Makes changes to a policy file in memory. Before each change, the present state is checked.

use crate::{
    format::pol::{Document, EditError},
    registry::KeyPath,
    targets::{
        Answer, ChangeAction, KeyChange, TargetError, Unread, WriteError,
        one_file::{Loaded, NotReplaced, OneFile, Replacements},
        precondition,
    },
};

use super::{OTHER_VALUES, PolTarget};

impl OneFile for PolTarget {
    type Document = Document;

    fn file(&mut self) -> &mut Loaded<Document> {
        &mut self.file
    }

    fn load(&mut self) -> Result<Document, TargetError> {
        let (document, exists) = self.disk.load(&self.file.path, self.root)?;
        self.exists = exists;
        Ok(document)
    }

    fn carry_out(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        changes.iter().try_for_each(|change| self.carry_out_one(change))
    }

    fn try_undo(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        let read = |pol: &mut Self, query: &_| pol.read_key(query).unwrap_or_else(Answer::Unread);
        precondition::undo(changes, self, Self::carry_out_one, read)
    }

    fn replacements(&mut self) -> Result<Replacements, WriteError> {
        self.disk.replacements(&self.file.path, self.file.document.to_bytes())
    }

    fn replace(&mut self, files: &Replacements) -> Result<(), NotReplaced> {
        self.disk.replace(files)
    }
}

impl PolTarget {
    fn carry_out_one(&mut self, change: &KeyChange) -> Result<(), WriteError> {
        precondition::before(change, |query| self.read_key(query).unwrap_or_else(Answer::Unread))?;
        let place = || change.key.to_string();
        let unread = |why: Unread| WriteError::Unsupported { place: place(), detail: why.to_string() };
        let path = self.resolve(&change.key).map_err(unread)?;
        let refused = |place: String| move |why: EditError| WriteError::Unsupported { place, detail: why.to_string() };
        // If the file deletes a key first, the key exists only because of an entry in it or below it. The key must also
        // exist after its last value or subkey is removed.
        let kept = if change.action == ChangeAction::Delete { path.parent() } else { Some(path.clone()) };
        let kept = kept.filter(|key| self.is_made(key));
        match change.action {
            ChangeAction::Delete => {
                self.file.document.forget_key(&path);
                return self.keep(kept).map_err(refused(place()));
            }
            ChangeAction::Create if change.values.is_empty() => {
                self.file.document.create_key(&path).map_err(refused(place()))?;
            }
            ChangeAction::Create | ChangeAction::Update => {}
        }
        // Make the change to all values first: it can make entries of single values unnecessary, and must not undo
        // them.
        let (others, single): (Vec<_>, Vec<_>) =
            change.values.iter().partition(|value| value.name.as_str().eq_ignore_ascii_case(OTHER_VALUES));
        for value in others {
            let made = match &value.after {
                None => self.file.document.delete_all_values(&path),
                Some(data) if data.is_not_configured() => self.file.document.keep_other_values(&path),
                Some(_) => Err(EditError::Reserved),
            };
            made.map_err(refused(change.place(&value.name)))?;
        }
        for value in single {
            let made = match &value.after {
                None => self.file.document.delete(&path, &value.name),
                Some(data) if data.is_not_configured() => self.file.document.forget(&path, &value.name),
                Some(data) => self.file.document.set(&path, &value.name, data),
            };
            made.map_err(refused(change.place(&value.name)))?;
        }
        self.keep(kept).map_err(refused(place()))
    }

    /// Returns whether the policy file deletes the key, or a key above it, and then creates the key again.
    fn is_made(&self, key: &KeyPath) -> bool {
        let state = self.file.document.key(key);
        state.key_deleted && state.present
    }

    fn keep(&mut self, key: Option<KeyPath>) -> Result<(), EditError> {
        key.map_or(Ok(()), |key| self.file.document.create_key(&key))
    }
}
