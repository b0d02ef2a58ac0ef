//! Plays a script on what is known of the keys that it names.

use std::collections::BTreeMap;

use super::File;
use crate::{
    diag::{Code, Diagnostic},
    format::reg::{Content, Document},
    registry::{Data, KeyPath, RootKey, ValueName, name},
};

/// The keys that a script leaves its mark on, by where they are stored.
pub(super) type Keys = BTreeMap<KeyPath, Left>;

/// What a script leaves of one key.
pub(super) struct Left {
    /// The key as the file spells it first.
    pub(super) path: KeyPath,
    /// The line that says so.
    pub(super) line: usize,
    /// How many keys the script had named before.
    pub(super) order: usize,
    /// What there is to say.
    pub(super) state: State,
}

/// What a script says of one key in the end.
pub(super) enum State {
    /// It is absent, with all below it.
    Absent,
    /// It is there, and these of its values are so, or absent.
    Present(BTreeMap<ValueName, (Option<Data>, usize)>),
}

/// Plays the script; what a spec cannot say is added to `findings`.
pub(super) fn play(document: &Document, file: &File<'_>, findings: &mut Vec<Diagnostic>) -> Keys {
    let mut keys = Keys::new();
    for (order, section) in document.sections().enumerate() {
        let line = section.line();
        let path = match section.key() {
            Ok(path) => current_control_set(path, line, file, findings),
            Err(why) => {
                findings.push(unreadable(why, line, file));
                continue;
            }
        };
        let stored = stored(&path);
        let emptied = keys
            .values()
            .find(|left| matches!(left.state, State::Absent) && stored.is_within(&self::stored(&left.path)));
        if section.deletes() {
            if emptied.is_none() {
                delete(&mut keys, path, stored, line, order);
            }
            continue;
        }
        if let Some(left) = emptied {
            let message = format!(
                "line {} deletes {} with all in it, and this makes it anew: the key is to have nothing but what stands here",
                left.line, left.path
            );
            let hint = "a spec cannot say that; delete the values by name instead, as \"name\"=-";
            findings.push(Diagnostic::error(Code::IMPORT_EMPTIED_KEY, message).at(file.place(line)).hint(hint));
            continue;
        }
        let left = keys.entry(stored).or_insert(Left { path, line, order, state: State::Present(BTreeMap::new()) });
        let State::Present(values) = &mut left.state else { continue };
        for entry in section.entries() {
            let name = match entry.name() {
                Ok(name) => name,
                Err(why) => {
                    findings.push(unreadable(why, entry.line(), file));
                    continue;
                }
            };
            let data = match entry.content() {
                Content::Data(data) => Some(data.clone()),
                Content::Delete => None,
                Content::Malformed(why) => {
                    findings.push(unreadable(why, entry.line(), file));
                    continue;
                }
            };
            // Of several the last one counts, as on import; the name stays as it is spelled first, as in the registry.
            values.insert(name.clone(), (data, entry.line()));
        }
    }
    keys
}

fn unreadable(why: &str, line: usize, file: &File<'_>) -> Diagnostic {
    let hint = "export the key again as version 5, which is Unicode, or give --code-page N";
    Diagnostic::error(Code::IMPORT_UNREADABLE, format!("this cannot be read: {why}")).at(file.place(line)).hint(hint)
}

fn delete(keys: &mut Keys, path: KeyPath, stored: KeyPath, line: usize, order: usize) {
    let below: Vec<KeyPath> = keys.keys().filter(|key| key.is_within(&stored)).cloned().collect();
    let mut created = false;
    for key in below {
        created |= keys.remove(&key).is_some_and(|left| matches!(left.state, State::Present(_)));
    }
    // What was made of the key has made the keys above it, too, and they stay.
    if created && let (Some(parent), Some(stored_parent)) = (path.parent(), stored.parent()) {
        let state = State::Present(BTreeMap::new());
        keys.entry(stored_parent).or_insert(Left { path: parent, line, order, state });
    }
    keys.insert(stored, Left { path, line, order, state: State::Absent });
}

/// Where a key is, whichever of its names the file uses.
fn stored(path: &KeyPath) -> KeyPath {
    if path.root() != RootKey::Hkcr {
        return path.clone();
    }
    let below = path.below_root();
    let joined = if below.is_empty() { r"SOFTWARE\Classes".to_owned() } else { format!(r"SOFTWARE\Classes\{below}") };
    KeyPath::from_parts(RootKey::Hklm, &joined).unwrap_or_else(|_| path.clone())
}

/// The same key in the current control set, where it is in a numbered one.
fn current_control_set(path: &KeyPath, line: usize, file: &File<'_>, findings: &mut Vec<Diagnostic>) -> KeyPath {
    let names: Vec<&str> = path.names().collect();
    let [system, set, rest @ ..] = names.as_slice() else { return path.clone() };
    let lower = set.to_ascii_lowercase();
    let numbered =
        lower.strip_prefix("controlset").is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()));
    if path.root() != RootKey::Hklm || name::compare(system, "SYSTEM").is_ne() || !numbered {
        return path.clone();
    }
    let message =
        format!("`{set}` is one control set, and not always the current one; the spec says CurrentControlSet");
    let hint = "see that this is the machine's current one: HKLM\\SYSTEM\\Select says which";
    findings.push(Diagnostic::warning(Code::IMPORT_CONTROL_SET, message).at(file.place(line)).hint(hint));
    let joined = [&[*system, "CurrentControlSet"], rest].concat().join("\\");
    KeyPath::from_parts(RootKey::Hklm, &joined).unwrap_or_else(|_| path.clone())
}
