//! Changes of an export, in memory: each is checked against what is there, then made.

use crate::{
    format::reg::EditError,
    registry::KeyPath,
    targets::{Action, Answer, KeyChange, WriteError, precondition},
};

use super::{Existence, RegTarget};

impl RegTarget {
    pub(super) fn carry_out(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        changes.iter().try_for_each(|change| self.carry_out_one(change))
    }

    fn carry_out_one(&mut self, change: &KeyChange) -> Result<(), WriteError> {
        precondition::before(change, |query| self.read_key(query).unwrap_or_else(Answer::Unread))?;
        let place = || change.key.to_string();
        let path = self
            .resolve(&change.key)
            .map_err(|why| WriteError::Unsupported { place: place(), detail: why.to_string() })?;
        let unsupported =
            |place: String| move |why: EditError| WriteError::Unsupported { place, detail: why.to_string() };
        if change.action == Action::Delete {
            self.refuse_topmost(&path, place())?;
            self.document.delete_key(&path);
            // A parent that was there only by this key would go with it.
            if let Some(parent) = path.parent().filter(|parent| !self.lists_any(parent)) {
                self.document.create_key(&parent).map_err(unsupported(place()))?;
            }
            return Ok(());
        }
        self.document.create_key(&path).map_err(unsupported(place()))?;
        let Some(mut editor) = self.document.edit(&path) else { return Ok(()) };
        for value in &change.values {
            match &value.after {
                Some(data) => editor.set(&value.name, data).map_err(unsupported(change.place(&value.name)))?,
                None => editor.delete(&value.name),
            }
        }
        Ok(())
    }

    /// Without the topmost key of those that it lists together, the export would no longer say that the key is absent.
    fn refuse_topmost(&self, path: &KeyPath, place: String) -> Result<(), WriteError> {
        if path.parent().is_some_and(|parent| matches!(self.existence(&parent), Existence::Covered)) {
            return Ok(());
        }
        let detail =
            "the export does not list the key above, and without this key it would not cover its place".to_owned();
        Err(WriteError::Unsupported { place, detail })
    }
}
