//! Executes a `.reg` script on a model of the keys that it names.

use std::collections::BTreeMap;

use crate::{
    diag::{Code, Diagnostic, Hint},
    format::reg::{Content, Document},
    registry::{Data, Key, KeyPath, RootKey, ValueName, ValueType, name, notation},
};

use super::{
    File,
    keys::{Keys, Left, Named, Others, State},
};

/// Executes the script. Adds a finding for everything that a spec cannot express.
pub(super) fn play(document: &Document, file: &File<'_>, findings: &mut Vec<Diagnostic>) -> Keys {
    let mut keys = Keys::default();
    // For each value in a control set, the control set in which the script named it last.
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
        if let Some(other) = in_another_set(&keys, &named, section.deletes()) {
            let before = (other.set.as_deref().unwrap_or_default(), other.line);
            let what = format!("the key {}", other.path);
            findings.push(sets_differ(&what, named.set.as_deref().unwrap_or_default(), line, before, file));
        }
        if section.has_ignored_text() {
            findings.push(ignored("the text after the `]` of the key", line, file));
        }
        if section.deletes() {
            if let Some(entry) = section.entries().next() {
                findings.push(ignored(&format!("the lines below `[-{}]`", named.path), entry.line(), file));
            }
            keys.delete(named);
            continue;
        }
        let set = named.set.clone();
        let stored = Key::new(named.path.clone()).one_name(false);
        let State::Present { values, others } = &mut keys.create(&named).state else { continue };
        for entry in section.entries() {
            let name = match entry.name() {
                Ok(name) => name,
                Err(why) => {
                    findings.push(unreadable(why, entry.line(), file));
                    continue;
                }
            };
            let data = match entry.content() {
                Content::Data(data) => Some(terminated(data)),
                Content::Delete => None,
                Content::Malformed(why) => {
                    findings.push(unreadable(why, entry.line(), file));
                    continue;
                }
            };
            if entry.has_line_break_escape() {
                let message = "`\\n` and `\\r` in a string mean line breaks";
                let warning = Diagnostic::warning(Code::IMPORT_LINE_BREAK, message).at(file.place(entry.line()));
                findings.push(warning.hint("in a path, write each backslash twice"));
            }
            if let Some(set) = &set {
                let before = sets.insert((stored.clone(), name.clone()), set.clone());
                let before = before.filter(|before| name::compare(before, set).is_ne()).zip(values.get(name));
                if let Some((other, (_, at))) = before.filter(|(_, (said, _))| *said != data) {
                    let what = notation::value_name(name);
                    findings.push(sets_differ(&what, set, entry.line(), (&other, *at), file));
                }
            }
            if data.is_none() && *others != Others::Stay {
                values.remove(name);
                continue;
            }
            // If the same name occurs several times, the last one counts, as on import. The name keeps its first
            // spelling, as in the registry.
            values.insert(name.clone(), (data, entry.line()));
        }
    }
    keys
}

fn ignored(what: &str, line: usize, file: &File<'_>) -> Diagnostic {
    let hint = "check that the ignored text is not needed";
    Diagnostic::warning(Code::IMPORT_IGNORED, format!("regedit ignores {what}")).at(file.place(line)).hint(hint)
}

/// Returns the data as regedit stores it: if a REG_EXPAND_SZ or REG_MULTI_SZ does not end in a NUL, regedit adds one.
fn terminated(data: &Data) -> Data {
    let is_text = [ValueType::EXPAND_SZ, ValueType::MULTI_SZ].contains(&data.value_type);
    let lacks = is_text && data.bytes.len().is_multiple_of(2) && !matches!(data.bytes.as_slice(), [] | [.., 0, 0]);
    if lacks { Data::new(data.value_type, [data.bytes.as_slice(), &[0, 0]].concat()) } else { data.clone() }
}

fn unreadable(why: &str, line: usize, file: &File<'_>) -> Diagnostic {
    let hint = Hint::new("export the key again as version 5, which is Unicode, or give its code page")
        .option("code-page", "N");
    Diagnostic::error(
        Code::IMPORT_UNREADABLE,
        format!(
            "this line cannot be read: \
        {why}"
        ),
    )
    .at(file.place(line))
    .hint(hint)
}

/// Finds an earlier key, in another control set, that `named` would delete or whose deletion it would partly undo.
fn in_another_set<'k>(keys: &'k Keys, named: &Named, deletes: bool) -> Option<&'k Named> {
    let differs = |left: &&Left| {
        let both = left.named.set.as_deref().zip(named.set.as_deref());
        both.is_some_and(|(a, b)| name::compare(a, b).is_ne())
    };
    let made = |left: &&Left| matches!(left.state, State::Present { .. });
    let below = deletes.then(|| keys.within(&named.path).filter(made)).into_iter().flatten();
    let above = keys.deleted(&named.path).filter(|left| !(deletes && matches!(left.state, State::Absent)));
    below.chain(above).find(differs).map(|left| &left.named)
}

/// If the key is in a numbered control set, returns the same key in the current control set. Also returns the control
/// set that the file names, if it names one.
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
    let message = format!(
        "`{set}` is a numbered control set, which is not always the current one; the spec uses \
        {CURRENT} instead"
    );
    let hint = "check that this was the current control set of the exported machine: the value Current of \
        HKLM\\SYSTEM\\Select contains its number";
    findings.push(Diagnostic::warning(Code::IMPORT_CONTROL_SET, message).at(file.place(line)).hint(hint));
    let joined = [&[*system, CURRENT], rest].concat().join("\\");
    (KeyPath::from_parts(RootKey::Hklm, &joined).unwrap_or_else(|_| path.clone()), in_set)
}

/// Returns the error for two control sets with different contents. Only one of them can be the current control set.
fn sets_differ(what: &str, set: &str, line: usize, before: (&str, usize), file: &File<'_>) -> Diagnostic {
    let (other, at) = before;
    let message = format!(
        "{what} is different in `{set}` and, at line {at}, in `{other}`; a spec can only describe the \
            current control set"
    );
    let hint = "keep only the lines of the machine's current control set: the value Current of HKLM\\SYSTEM\\Select \
        contains its number";
    Diagnostic::error(Code::IMPORT_CONTROL_SET, message).at(file.place(line)).hint(hint)
}
