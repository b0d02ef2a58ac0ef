//! Changes as a `.reg` file that regedit imports.

use crate::{
    format::reg::{EditError, ScriptKey, ScriptValue, script},
    target::{Action, KeyChange},
};

/// The bytes of a version 5 `.reg` file that makes the changes: UTF-16LE with a byte order mark. What was there before
/// stands in comments.
///
/// # Errors
/// Where the format cannot express a name.
pub fn reg<'a>(changes: impl IntoIterator<Item = &'a KeyChange>) -> Result<Vec<u8>, EditError> {
    let changes: Vec<_> = changes.into_iter().collect();
    let paths: Vec<_> = changes.iter().map(|change| change.key.view.stored_at(&change.key.path)).collect();
    let keys = changes.iter().zip(&paths).map(|(change, path)| {
        let values = change.values.iter().map(|value| ScriptValue {
            name: &value.name,
            data: value.after.as_ref(),
            comment: value.before.as_ref().map(|data| format!("was {data}")).unwrap_or_default(),
        });
        ScriptKey { path, delete: change.action == Action::Delete, values: values.collect() }
    });
    script("made by kbfix diff; importing it makes the changes without a journal", &keys.collect::<Vec<_>>())
}
