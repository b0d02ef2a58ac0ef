//! Executes the steps of an imported file, in order, on a model of the registry keys. Reports an error if the file
//! gives one key or value different states in two control sets.

use std::collections::BTreeMap;

use crate::{
    diag::{Code, Diagnostic},
    registry::{Data, Key, KeyPath, RootKey, ValueName, name, notation},
};

use super::{
    File,
    keys::{Keys, Left, LeftValue, Named, Others, State},
};

/// Executes the steps of an imported file on a model of the registry keys.
pub(super) struct Player<'a> {
    pub(super) file: &'a File<'a>,
    pub(super) findings: &'a mut Vec<Diagnostic>,
    keys: Keys,
    /// For each value in a control set, the name of the control set in which the file last changed this value.
    sets: BTreeMap<(Key, ValueName), String>,
}

/// The effect of one step of an imported file on one value.
pub(super) enum Step {
    /// Sets the value to this data, and creates the key if it is absent.
    Set(Data),
    /// If the value is absent, sets it to this data. Creates the key if it is absent.
    SetIfAbsent(Data),
    /// Deletes the value.
    Delete,
}

impl<'a> Player<'a> {
    pub(super) fn new(file: &'a File<'a>, findings: &'a mut Vec<Diagnostic>) -> Self {
        Self { file, findings, keys: Keys::default(), sets: BTreeMap::new() }
    }

    /// Returns the final state of the keys, after all steps.
    pub(super) fn into_keys(self) -> Keys {
        self.keys
    }

    /// Returns the key `path` with its line in the file, for the functions that execute a step. `line` is the line of
    /// the step, `order` becomes [`Named::order`], and `deletes` says whether the step deletes the key. Adds a warning
    /// if the key is in a numbered control set, and an error if the step contradicts an earlier step in another control
    /// set.
    pub(super) fn named(&mut self, path: &KeyPath, line: usize, order: usize, deletes: bool) -> Named {
        let (path, set) = current_control_set(path, line, self.file, self.findings);
        let named = Named { path, line, order, set };
        if let Some(other) = in_another_set(&self.keys, &named, deletes) {
            let before = (other.set.as_deref().unwrap_or_default(), other.line);
            let what = format!("the key {}", other.path);
            let set = named.set.as_deref().unwrap_or_default();
            self.findings.push(sets_differ(&what, set, line, before, self.file));
        }
        named
    }

    /// Deletes the key with everything below it.
    pub(super) fn delete_key(&mut self, named: Named) {
        self.keys.delete(named);
    }

    /// Creates the key.
    pub(super) fn create_key(&mut self, named: &Named) {
        self.keys.create(named);
    }

    /// Deletes all values of the key. Does not create the key.
    pub(super) fn delete_values(&mut self, named: &Named) {
        let Some(Left { state: State::Present { values, others, .. }, .. }) = self.keys.find(named) else { return };
        values.clear();
        if *others == Others::Stay {
            *others = Others::ValuesGone;
        }
    }

    /// Executes `step`, which sets or deletes the value `name` of the key. `line` is the line of the step in the file.
    /// Adds an error if the file gives the value a different state in another control set.
    pub(super) fn value(&mut self, named: &Named, name: &ValueName, step: Step, line: usize) {
        let left = match step {
            Step::Delete => self.keys.find(named),
            Step::Set(_) | Step::SetIfAbsent(_) => Some(self.keys.create(named)),
        };
        let Some(Left { state: State::Present { values, others, .. }, .. }) = left else { return };
        let after = match (step, values.get(name).map(|(before, _)| before)) {
            (Step::Set(data), _) => LeftValue::Data(data),
            (Step::SetIfAbsent(_), Some(LeftValue::Data(_) | LeftValue::IfAbsent(_))) => return,
            (Step::SetIfAbsent(data), None) if *others == Others::Stay => LeftValue::IfAbsent(data),
            (Step::SetIfAbsent(data), Some(LeftValue::Deleted) | None) => LeftValue::Data(data),
            (Step::Delete, _) => LeftValue::Deleted,
        };
        if let Some(set) = &named.set {
            let stored = Key::new(named.path.clone()).one_name(false);
            let before = self.sets.insert((stored, name.clone()), set.clone());
            let before = before.filter(|before| name::compare(before, set).is_ne()).zip(values.get(name));
            if let Some((other, (_, at))) = before.filter(|(_, (said, _))| *said != after) {
                let what = notation::value_name(name);
                self.findings.push(sets_differ(&what, set, line, (&other, *at), self.file));
            }
        }
        if after == LeftValue::Deleted && *others != Others::Stay {
            values.remove(name);
            return;
        }
        // If the same name occurs several times, the last one counts, as on import. The name keeps its first spelling,
        // as in the registry.
        values.insert(name.clone(), (after, line));
    }
}

/// Returns a key that an earlier step changed in another control set, and whose change contradicts the step for
/// `named`: one of the two steps deletes the key or a key above it, and the other step does not. `deletes` says whether
/// the step for `named` deletes. Returns `None` if there is no contradiction.
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

/// Returns `path` with `CurrentControlSet` in place of a numbered control set, and adds a warning if there was one.
/// Also returns the name of the control set as `path` spells it, a numbered one or `CurrentControlSet`; `None` if
/// `path` is in no control set.
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

/// Returns the error that the file gives the key or value `what` different states in two control sets: in `set` at
/// `line`, and in the control set and line `before`. A spec can only describe the current control set.
fn sets_differ(what: &str, set: &str, line: usize, before: (&str, usize), file: &File<'_>) -> Diagnostic {
    let (other, at) = before;
    let message = format!(
        "{what} differs between `{set}` and `{other}` (line {at}); a spec can only describe the \
            current control set"
    );
    let hint = "keep only the lines of the machine's current control set: the value Current of HKLM\\SYSTEM\\Select \
        contains its number";
    Diagnostic::error(Code::IMPORT_CONTROL_SET, message).at(file.place(line)).hint(hint)
}
