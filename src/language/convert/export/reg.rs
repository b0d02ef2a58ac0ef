//! Exports specs as a `.reg` file, which regedit and `reg import` can read.

use crate::{
    format::reg::{EditError, ScriptKey, ScriptValue, script},
    registry::{ValueName, notation},
    spec::{Spec, document::Exclusive},
};

use super::{
    Export, Loss, heading,
    keys::{ExportedKey, KeyState, Users, exported_keys},
};

/// Exports the specs as a version 5 `.reg` file: UTF-16LE with a byte order mark.
///
/// # Errors
/// Returns an error if the name of a key contains a line break. A value whose name contains one is left out instead.
pub fn reg(specs: &[Spec]) -> Result<Export, EditError> {
    let mut losses = Vec::new();
    let all = exported_keys(specs, Users::One, &mut losses);
    let (mut deleted, mut keys) = (Vec::new(), Vec::new());
    for key in &all {
        let ExportedKey { spec, path, state, .. } = key;
        let mut lose = |what: String| losses.push(Loss::new(spec.id.clone(), what));
        let can_write = |_: &_, name: &ValueName, _: &_| !has_break(name);
        if key.exclusive() == Some(Exclusive::Tree) && key.may_clear(Exclusive::Tree, can_write) {
            // The deletion must come before everything that is written in the key or below it.
            deleted.push(ScriptKey { path, delete: true, values: Vec::new() });
            lose(format!("{path}: the file deletes the key and creates it again, which changes its permissions"));
        } else {
            key.lose_rest(&mut lose);
        }
        let (delete, values) = match state {
            KeyState::Absent => (true, Vec::new()),
            KeyState::Present { must_exist, values } => {
                if !must_exist && values.iter().all(|(_, data)| data.is_none()) {
                    lose(format!(
                        "{path}: the file creates the key if it is missing, although the spec only requires that \
                            values in it are absent"
                    ));
                }
                let (broken, writable): (Vec<_>, Vec<_>) = values.iter().partition(|(name, _)| has_break(name));
                for (name, _) in broken {
                    lose(format!("{path} {}: left out: the name has a line break", notation::value_name(name)));
                }
                losses.extend(writable.iter().filter_map(|(name, data)| key.shown(name, data.as_ref())));
                let values = writable.iter().map(|(name, data)| ScriptValue {
                    name,
                    data: data.as_ref(),
                    comment: String::new(),
                });
                (false, values.collect())
            }
        };
        keys.push(ScriptKey { path, delete, values });
    }
    deleted.append(&mut keys);
    let comment = heading(specs, &losses).join("\n");
    Ok(Export { bytes: script(&comment, &deleted)?, losses })
}

/// Returns whether the name contains a line break, so that a `.reg` file cannot contain it.
fn has_break(name: &ValueName) -> bool {
    name.as_str().contains(['\r', '\n'])
}
