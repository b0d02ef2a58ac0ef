//! Makes changes to an export in memory. Before each change, the present state is checked.

use std::path::PathBuf;

use crate::{
    format::reg::{Document, EditError, MAX_FILE},
    registry::KeyPath,
    targets::{
        Answer, ChangeAction, KeyChange, TargetError, Unread, WriteError,
        one_file::{self, Loaded, OneFile},
        precondition,
    },
};

use super::{Existence, RegTarget, load};

impl OneFile for RegTarget {
    type Document = Document;

    fn file(&mut self) -> &mut Loaded<Document> {
        &mut self.file
    }

    fn load(&mut self) -> Result<Document, TargetError> {
        load(&self.file.path, self.code_page)
    }

    /// Makes the changes in memory. The path of each change is determined before the first change is made, because a
    /// change can alter to which key a name leads.
    fn carry_out(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        let paths = changes.iter().map(|change| self.path(change)).collect::<Result<Vec<_>, _>>()?;
        let led_elsewhere = |change: &KeyChange| WriteError::Unsupported {
            place: change.key.to_string(),
            detail: precondition::LED_ELSEWHERE.to_owned(),
        };
        for (change, path) in changes.iter().zip(&paths) {
            if self.carry_out_one(change)? != *path {
                return Err(led_elsewhere(change));
            }
        }
        for (change, path) in changes.iter().zip(&paths) {
            if self.path(change).ok().as_ref() != Some(path) {
                return Err(led_elsewhere(change));
            }
        }
        Ok(())
    }

    fn try_undo(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        let make = |export: &mut Self, change: &KeyChange| export.carry_out_one(change).map(drop);
        precondition::undo(changes, self, make, |export, query| export.read_key(query).unwrap_or_else(Answer::Unread))
    }

    fn replacements(&mut self) -> Result<Vec<(PathBuf, Vec<u8>)>, WriteError> {
        Ok(vec![one_file::readable(&self.file.path, self.file.document.to_bytes(), MAX_FILE)?])
    }
}

impl RegTarget {
    /// Returns the path under which the export lists the key of a change, or would list it if the key existed.
    fn path(&self, change: &KeyChange) -> Result<KeyPath, WriteError> {
        let unread = |why: Unread| WriteError::Unsupported { place: change.key.to_string(), detail: why.to_string() };
        self.resolve(&change.key).map_err(unread)
    }

    /// Makes a change in memory. Returns the path of the key that was changed.
    fn carry_out_one(&mut self, change: &KeyChange) -> Result<KeyPath, WriteError> {
        precondition::before(change, |query| self.read_key(query).unwrap_or_else(Answer::Unread))?;
        let place = || change.key.to_string();
        let path = self.path(change)?;
        let unsupported =
            |place: String| move |why: EditError| WriteError::Unsupported { place, detail: why.to_string() };
        if change.action == ChangeAction::Delete {
            self.refuse_topmost(&path, place())?;
            self.file.document.delete_key(&path);
            // A parent key that existed only because this key was listed would disappear with it.
            if let Some(parent) = path.parent().filter(|parent| !self.lists_any(parent)) {
                self.file.document.create_key(&parent).map_err(unsupported(place()))?;
            }
            return Ok(path);
        }
        self.file.document.create_key(&path).map_err(unsupported(place()))?;
        let Some(mut editor) = self.file.document.edit(&path) else { return Ok(path) };
        for value in &change.values {
            match &value.after {
                Some(data) => {
                    editor.set(&value.name, data).map_err(|error| unsupported(change.place(&value.name))(error))?
                }
                None => editor.delete(&value.name),
            }
        }
        Ok(path)
    }

    /// Returns an error if a change would delete a key whose parent key the export does not cover.
    ///
    /// Without the deleted key, the export would no longer cover its path, and could not show that it is absent.
    fn refuse_topmost(&self, path: &KeyPath, place: String) -> Result<(), WriteError> {
        if path.parent().is_some_and(|parent| matches!(self.existence(&parent), Existence::Covered)) {
            return Ok(());
        }
        let detail =
            "the export does not contain the parent key; if this key were deleted, the file could not show that the key is absent. Export the parent key instead"
                .to_owned();
        Err(WriteError::Unsupported { place, detail })
    }
}
