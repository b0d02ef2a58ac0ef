//! Exports for Group Policy: a `Registry.pol` file, and the text that LGPO.exe reads.
//!
//! `ensure: absent` becomes an entry that deletes the value or the key. `exclusive: true` (also `tree`) becomes an
//! entry that deletes all values of the key, before the entries that set its values, unless the file leaves out one of
//! these.

use crate::{
    format::pol::{Document, TextAction, lgpo as text_of},
    registry::{KeyPath, RootKey, notation},
    spec::{Spec, document::Exclusive},
};

use super::{
    Export, Loss, heading,
    keys::{ExportedKey, KeyState, Users, exported_keys},
};

/// Exports the specs as a policy file (`Registry.pol`), which is for one root key: HKLM if there is a key below HKLM to
/// export, otherwise HKCU. All keys below other root keys are left out and reported as losses.
pub fn pol(specs: &[Spec]) -> Export {
    let mut losses = Vec::new();
    let keys = policy_keys(specs, &mut losses);
    let root = match keys.iter().any(|key| key.path.root() == RootKey::Hklm) {
        true => RootKey::Hklm,
        false => RootKey::Hkcu,
    };
    let mut document = Document::empty();
    for key in &keys {
        if key.path.root() != root {
            let what = format!(
                "{}: left out: a policy file is for one root key, and this file is for {}",
                key.path,
                root.short()
            );
            losses.push(Loss::new(key.spec.id.clone(), what));
            continue;
        }
        let can_write = |path: &KeyPath, action: TextAction<'_>| {
            is_in_policies(path) && add(&mut Document::empty(), path, action).is_ok()
        };
        each(key, &mut losses, can_write, |path, action| add(&mut document, path, action));
    }
    Export { bytes: document.to_bytes(), losses }
}

/// Adds to the policy file what `action` does to the key at `path`. Returns the reason if the file cannot express it.
fn add(document: &mut Document, path: &KeyPath, action: TextAction<'_>) -> Result<(), String> {
    let made = match action {
        TextAction::Set(name, data) => document.set(path, name, data),
        TextAction::Delete(name) => document.delete(path, name),
        TextAction::DeleteAllValues => document.delete_all_values(path),
        TextAction::CreateKey => document.create_key(path),
        TextAction::DeleteKey => document.delete_key(path),
    };
    made.map_err(|why| why.to_string())
}

/// Exports the specs as text for LGPO.exe: UTF-16LE with a byte order mark.
pub fn lgpo(specs: &[Spec]) -> Export {
    let mut losses = Vec::new();
    let mut entries = String::new();
    for key in &policy_keys(specs, &mut losses) {
        let can_write = |path: &KeyPath, action: TextAction<'_>| text_of(path, action).is_ok();
        each(key, &mut losses, can_write, |path, action| {
            entries.push_str(&text_of(path, action)?);
            Ok(())
        });
    }
    let comment: String = heading(specs, &losses).iter().map(|line| format!("; {line}\r\n")).collect();
    let text = format!("\u{feff}{comment}\r\n{entries}");
    Export { bytes: text.encode_utf16().flat_map(u16::to_le_bytes).collect(), losses }
}

/// Returns the exported keys that Group Policy can set: those below HKLM and HKCU. Adds each other key to `losses`.
fn policy_keys<'a>(specs: &'a [Spec], losses: &mut Vec<Loss>) -> Vec<ExportedKey<'a>> {
    // A user policy is applied to each user of the machine or of the GPO.
    let mut keys = exported_keys(specs, Users::Each, losses);
    keys.retain(|key| {
        let fits = is_in_policies(&key.path);
        if !fits {
            let what = format!("{}: left out: Group Policy only sets values below HKLM and HKCU", key.path);
            losses.push(Loss::new(key.spec.id.clone(), what));
        }
        fits
    });
    keys
}

/// Returns whether Group Policy can set values of the key at `path`.
fn is_in_policies(path: &KeyPath) -> bool {
    matches!(path.root(), RootKey::Hklm | RootKey::Hkcu)
}

/// Calls `write` for each policy entry that the desired state of `key` needs. Adds to `losses` each entry for which
/// `write` returns an error, the deletion of other values or subkeys if the spec requires it and the file does not
/// contain it, and each sensitive value that is written. `can_write` returns whether the file can contain an entry.
fn each(
    key: &ExportedKey<'_>,
    losses: &mut Vec<Loss>,
    can_write: impl Fn(&KeyPath, TextAction<'_>) -> bool,
    mut write: impl FnMut(&KeyPath, TextAction<'_>) -> Result<(), String>,
) {
    let path = &key.path;
    let mut lose = |what: String| losses.push(Loss::new(key.spec.id.clone(), what));
    let KeyState::Present { must_exist, values } = &key.state else {
        if let Err(why) = write(path, TextAction::DeleteKey) {
            lose(format!("{path}: left out: {why}"));
        }
        return;
    };
    let can_set = |path: &KeyPath, name: &_, data: &_| can_write(path, TextAction::Set(name, data));
    if key.exclusive().is_some() && !key.may_clear(Exclusive::Values, can_set) {
        // Group Policy would also delete the values that this file leaves out.
        key.lose_rest(&mut lose);
    } else if let Some(exclusive) = key.exclusive() {
        if exclusive == Exclusive::Tree {
            lose(format!("{path}: other subkeys, which the spec deletes, stay"));
        }
        if let Err(why) = write(path, TextAction::DeleteAllValues) {
            lose(format!("{path}: other values stay: {why}"));
        }
    }
    if *must_exist
        && values.iter().all(|(_, data)| data.is_none())
        && let Err(why) = write(path, TextAction::CreateKey)
    {
        lose(format!("{path}: left out: {why}"));
    }
    for (name, data) in values {
        let action = data.as_ref().map_or(TextAction::Delete(name), |data| TextAction::Set(name, data));
        match write(path, action) {
            Ok(()) => losses.extend(key.shown(name, data.as_ref())),
            Err(why) => {
                let what = format!("{path} {}: left out: {why}", notation::value_name(name));
                losses.push(Loss::new(key.spec.id.clone(), what));
            }
        }
    }
}
