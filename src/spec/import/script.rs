//! Plays a script on what is known of the keys that it names.

use std::collections::BTreeMap;

use super::File;
use crate::{
    diag::{Code, Diagnostic},
    format::reg::{Content, Document},
    registry::{Data, Key, KeyPath, RootKey, ValueName, name, notation},
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
    /// The control set that the file names, where the key is in one.
    set: Option<String>,
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
    // The control sets in which values were named, where a key is in one.
    let mut sets: BTreeMap<(KeyPath, ValueName), String> = BTreeMap::new();
    for (order, section) in document.sections().enumerate() {
        let line = section.line();
        let (path, set) = match section.key() {
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
            let of_another = |left: &&Left| {
                let both = left.set.as_deref().zip(set.as_deref());
                matches!(left.state, State::Present(_)) && both.is_some_and(|(a, b)| name::compare(a, b).is_ne())
            };
            let mut below =
                keys.range(stored.clone()..).map_while(|(key, left)| key.is_within(&stored).then_some(left));
            if let Some(left) = below.find(of_another) {
                let before = (left.set.as_deref().unwrap_or_default(), left.line);
                let what = format!("the key {}", left.path);
                findings.push(sets_differ(&what, set.as_deref().unwrap_or_default(), line, before, file));
            }
            if emptied.is_none() {
                delete(&mut keys, Left { path, line, order, set, state: State::Absent }, stored);
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
        let state = State::Present(BTreeMap::new());
        let left = keys.entry(stored.clone()).or_insert(Left { path, line, order, set: set.clone(), state });
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
            if let Some(set) = &set {
                let before = sets.insert((stored.clone(), name.clone()), set.clone());
                let before = before.filter(|before| name::compare(before, set).is_ne()).zip(values.get(name));
                if let Some((other, (_, at))) = before.filter(|(_, (said, _))| *said != data) {
                    let what = notation::value_name(name);
                    findings.push(sets_differ(&what, set, entry.line(), (&other, *at), file));
                }
            }
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

fn delete(keys: &mut Keys, gone: Left, stored: KeyPath) {
    let below: Vec<KeyPath> = keys.keys().filter(|key| key.is_within(&stored)).cloned().collect();
    let mut created = false;
    for key in below {
        created |= keys.remove(&key).is_some_and(|left| matches!(left.state, State::Present(_)));
    }
    // What was made of the key has made the keys above it, too, and they stay.
    if created && let (Some(path), Some(stored_parent)) = (gone.path.parent(), stored.parent()) {
        let (line, order, set) = (gone.line, gone.order, gone.set.clone());
        let state = State::Present(BTreeMap::new());
        keys.entry(stored_parent).or_insert(Left { path, line, order, set, state });
    }
    keys.insert(stored, gone);
}

/// Where a key is, whichever of its names the file uses.
fn stored(path: &KeyPath) -> KeyPath {
    Key::new(path.clone()).one_name(false).path
}

/// The same key in the current control set, where it is in a numbered one, and the set that the file names, if any.
fn current_control_set(
    path: &KeyPath,
    line: usize,
    file: &File<'_>,
    findings: &mut Vec<Diagnostic>,
) -> (KeyPath, Option<String>) {
    const CURRENT: &str = "CurrentControlSet";
    let names: Vec<&str> = path.names().collect();
    let [system, set, rest @ ..] = names.as_slice() else { return (path.clone(), None) };
    let digits = set.get(..10).filter(|word| name::compare(word, "ControlSet").is_eq()).map(|_| &set[10..]);
    let numbered = digits.is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()));
    let current = name::compare(set, CURRENT).is_eq();
    if path.root() != RootKey::Hklm || name::compare(system, "SYSTEM").is_ne() || !(numbered || current) {
        return (path.clone(), None);
    }
    let in_set = Some((*set).to_owned());
    if current {
        return (path.clone(), in_set);
    }
    let message = format!("`{set}` is one control set, and not always the current one; the spec says {CURRENT}");
    let hint = "see that this is the machine's current one: HKLM\\SYSTEM\\Select says which";
    findings.push(Diagnostic::warning(Code::IMPORT_CONTROL_SET, message).at(file.place(line)).hint(hint));
    let joined = [&[*system, CURRENT], rest].concat().join("\\");
    (KeyPath::from_parts(RootKey::Hklm, &joined).unwrap_or_else(|_| path.clone()), in_set)
}

/// What one control set says, at `line`, and another before it said otherwise: only one of them is the current one.
fn sets_differ(what: &str, set: &str, line: usize, before: (&str, usize), file: &File<'_>) -> Diagnostic {
    let (other, at) = before;
    let message =
        format!("{what} is not in `{set}` what line {at} makes it in `{other}`; a spec has the current set only");
    let hint = "keep the lines of the machine's current control set: HKLM\\SYSTEM\\Select says which";
    Diagnostic::error(Code::IMPORT_CONTROL_SET, message).at(file.place(line)).hint(hint)
}
