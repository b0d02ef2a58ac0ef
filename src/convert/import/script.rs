//! Plays a script on what is known of the keys that it names.

use std::collections::BTreeMap;

use crate::{
    diag::{Code, Diagnostic},
    format::reg::{Content, Document},
    registry::{Key, KeyPath, RootKey, ValueName, name, notation},
};

use super::{
    File,
    keys::{Keys, Left, Named, State},
};

/// Plays the script; what a spec cannot say is added to `findings`.
pub(super) fn play(document: &Document, file: &File<'_>, findings: &mut Vec<Diagnostic>) -> Keys {
    let mut keys = Keys::default();
    // The control sets in which values were named, where a key is in one.
    let mut sets: BTreeMap<(Key, ValueName), String> = BTreeMap::new();
    for (order, section) in document.sections().enumerate() {
        let line = section.line();
        let (path, set) = match section.key() {
            Ok(path) => current_control_set(path, line, file, findings),
            Err(why) => {
                findings.push(unreadable(why, line, file));
                continue;
            }
        };
        let named = Named { path, line, order, set };
        if section.deletes() {
            delete(&mut keys, named, file, findings);
            continue;
        }
        let set = named.set.clone();
        let stored = Key::new(named.path.clone()).one_name(false);
        let State::Present { values, emptied } = &mut keys.create(&named).state else { continue };
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
            if data.is_none() && emptied.is_some() {
                values.remove(name);
                continue;
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

/// Deletes a key, in which the script may have named values of another control set.
fn delete(keys: &mut Keys, named: Named, file: &File<'_>, findings: &mut Vec<Diagnostic>) {
    let of_another = |left: &&Left| {
        let both = left.named.set.as_deref().zip(named.set.as_deref());
        matches!(left.state, State::Present { .. }) && both.is_some_and(|(a, b)| name::compare(a, b).is_ne())
    };
    if let Some(Left { named: other, .. }) = keys.within(&named.path).find(of_another) {
        let before = (other.set.as_deref().unwrap_or_default(), other.line);
        let what = format!("the key {}", other.path);
        findings.push(sets_differ(&what, named.set.as_deref().unwrap_or_default(), named.line, before, file));
    }
    keys.delete(named);
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
