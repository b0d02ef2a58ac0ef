//! Changes of an export, in memory: each is checked against what is there, then made.

use std::collections::BTreeSet;

use super::{Existence, RegTarget};
use crate::{
    format::reg::EditError,
    registry::{Data, KeyPath, ValueName},
    target::{Action, Answer, KeyChange, Wanted, WriteError},
};

impl RegTarget {
    pub(super) fn carry_out(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        changes.iter().try_for_each(|change| self.carry_out_one(change))
    }

    fn carry_out_one(&mut self, change: &KeyChange) -> Result<(), WriteError> {
        let path = self.checked_key(change)?;
        self.check_values(change, &path)?;
        let unsupported =
            |place: String| move |why: EditError| WriteError::Unsupported { place, detail: why.to_string() };
        if change.action == Action::Delete {
            self.document.delete_key(&path);
            // A parent that was there only by this key would go with it.
            if let Some(parent) = path.parent().filter(|parent| !self.lists_any(parent)) {
                self.document.create_key(&parent).map_err(unsupported(change.key.to_string()))?;
            }
            return Ok(());
        }
        self.document.create_key(&path).map_err(unsupported(change.key.to_string()))?;
        let Some(mut editor) = self.document.edit(&path) else { return Ok(()) };
        for value in &change.values {
            match &value.after {
                Some(data) => editor.set(&value.name, data).map_err(unsupported(change.place(&value.name)))?,
                None => editor.delete(&value.name),
            }
        }
        Ok(())
    }

    fn is_covered(&self, path: &KeyPath) -> bool {
        matches!(self.existence(path), Existence::Covered)
    }

    /// Where the key is in the file, once its existence is as the change says.
    fn checked_key(&self, change: &KeyChange) -> Result<KeyPath, WriteError> {
        let place = || change.key.to_string();
        let stale = |expected: &str, found: &str| WriteError::Stale {
            place: place(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        };
        let path = self.resolve(&change.key).map_err(|why| stale("a key", &why.to_string()))?;
        match (self.existence(&path), change.action) {
            (Existence::Absent, Action::Create) => match path.parent() {
                Some(parent) if !self.is_covered(&parent) => Err(stale("its parent", "no parent")),
                _ => Ok(path),
            },
            (Existence::Covered, Action::Delete) => {
                self.check_deletable(&path, &place(), stale)?;
                Ok(path)
            }
            (Existence::Covered, Action::Update) => Ok(path),
            (Existence::Covered, Action::Create) => Err(stale("no key", "the key")),
            (Existence::Absent, Action::Update | Action::Delete) => Err(stale("the key", "no key")),
            (Existence::Above, _) => {
                let detail = "the export holds only keys below it, not the key itself".to_owned();
                Err(WriteError::Unsupported { place: place(), detail })
            }
            (Existence::Unread(why), _) => Err(WriteError::Unsupported { place: place(), detail: why.to_string() }),
        }
    }

    fn check_deletable(
        &self,
        path: &KeyPath,
        place: &str,
        stale: impl Fn(&str, &str) -> WriteError,
    ) -> Result<(), WriteError> {
        let mut below = self.document.keys_from(path).take_while(|k| k.is_within(path));
        if let Some(subkey) = below.find(|k| *k != path) {
            return Err(stale("a key without subkeys", &subkey.to_string()));
        }
        if path.parent().is_some_and(|parent| self.is_covered(&parent)) {
            return Ok(());
        }
        let detail =
            "the export does not list the key above, and without this key it would not cover its place".to_owned();
        Err(WriteError::Unsupported { place: place.to_owned(), detail })
    }

    fn check_values(&self, change: &KeyChange, path: &KeyPath) -> Result<(), WriteError> {
        let wanted = match change.action {
            // No value may go that the change does not name.
            Action::Delete => Wanted::All,
            _ => Wanted::Names(change.values.iter().map(|v| v.name.clone()).collect::<BTreeSet<_>>()),
        };
        let stale = |name: &ValueName, expected: &Option<Data>, found: String| WriteError::Stale {
            place: change.place(name),
            expected: shown(expected.as_ref()),
            found,
        };
        let found = self.read_values(path, &wanted).map_err(|why| WriteError::Stale {
            place: change.key.to_string(),
            expected: "values that can be read".to_owned(),
            found: why.to_string(),
        })?;
        for value in &change.values {
            let found = match found.get(&value.name).cloned().unwrap_or(Answer::Absent) {
                Answer::Present(data) => Some(data),
                Answer::Absent => None,
                Answer::Unread(why) => return Err(stale(&value.name, &value.before, why.to_string())),
            };
            if found != value.before {
                return Err(stale(&value.name, &value.before, shown(found.as_ref())));
            }
        }
        let named: BTreeSet<&ValueName> = change.values.iter().map(|v| &v.name).collect();
        match found.keys().find(|name| !named.contains(name)) {
            Some(other) if change.action == Action::Delete => Err(stale(other, &None, "a value".to_owned())),
            _ => Ok(()),
        }
    }
}

fn shown(data: Option<&Data>) -> String {
    data.map_or_else(|| "no value".to_owned(), ToString::to_string)
}
