//! Checks that the parts of a loaded plan do not contradict each other.
//!
//! The digest shows that a plan was not altered by accident, but anyone who edits the file can compute a new digest. So
//! kbfix rejects a plan that it cannot have written itself, as far as the plan alone shows this. Examples are a plan
//! whose outcome hides changes, a change that no fact supports (it would be made whatever the state of the target is),
//! and the deletion of a protected key.

use std::collections::BTreeSet;

use super::{
    Outcome, Part, Plan, Satisfied, SpecPlan, Truth, build, canonical,
    evaluation::{is_of_users, user_of},
    evidence, gate, named, pending, policy, sensitive, unsettled,
};
use crate::{
    observe::Reader,
    registry::{Data, Key, ValueName, notation},
    spec::is_protected,
    targets::{Answer, ChangeAction, KeyChange, Reason, Unread},
};

/// Checks the plan for contradictions.
///
/// # Errors
///
/// Returns the first contradiction, as a sentence. If it concerns one spec, the sentence names the spec.
pub(super) fn check(plan: &Plan) -> Result<(), String> {
    let has_stores = plan.facts.has_policies() && plan.retires.is_none();
    let reader = Reader::new(&plan.facts).with_policies(has_stores).through_policy(plan.through_policy);
    // `retire --out` writes a plan without specs if there is nothing to retire.
    if plan.specs.is_empty() && plan.retires.is_some() {
        return Err("it does not contain a spec".to_owned());
    }
    let machine = build::machine(&reader);
    // If the facts lack the answer altogether, the last check reports that.
    if reader.unanswered().is_none() && machine != plan.machine {
        return Err("the machine that the plan names is not the machine that its facts describe".to_owned());
    }
    // First, because the other checks show data that the facts do not mark as sensitive.
    refuse(sensitive::fault(plan))?;
    let mut ids = BTreeSet::new();
    for spec in &plan.specs {
        if !ids.insert(spec.id.to_ascii_lowercase()) {
            return Err(format!("it contains the spec {} twice", spec.id));
        }
        check_spec(spec, plan.retires.is_some(), &reader).map_err(|fault| format!("{}: {fault}", spec.id))?;
    }
    refuse(unsettled::fault(plan))?;
    match reader.unanswered() {
        None => Ok(()),
        Some(place) => Err(format!("its facts do not contain {place}, on which it depends")),
    }
}

/// Checks the plan of one spec. After this call, the reader answers as if the spec's changes had been made. `retires`
/// is true if the plan retires specs.
fn check_spec(spec: &SpecPlan, retires: bool, reader: &Reader<'_>) -> Result<(), String> {
    refuse(outcome_fault(spec, retires))?;
    refuse(spec.checks.iter().find_map(|check| evidence::fault(check, reader)))?;
    refuse(install_fault(spec, reader))?;
    refuse(pending::fault(spec, reader))?;
    refuse(named::fault(&spec.named, &spec.changes))?;
    refuse(policy::fault(spec, reader))?;
    let mut absent_later = Vec::new();
    for one in &spec.satisfied {
        refuse(planned_by_fault(one, reader))?;
        match satisfied_fault(one, reader) {
            // A value that must be absent may be deleted together with its key, so it is checked again after the
            // changes.
            Some(_) if one.name.is_some() && one.data.is_none() => absent_later.push(one),
            fault => refuse(fault)?,
        }
    }
    let mut keys = BTreeSet::new();
    for change in &spec.changes {
        if !keys.insert(&change.key) {
            return Err(format!("{} has two changes", change.key));
        }
        refuse(change_fault(change, retires, reader))?;
        reader.pretend(change);
    }
    reader.planned_for(&spec.id, &spec.changes);
    refuse(absent_later.into_iter().find_map(|one| satisfied_fault(one, reader)))
}

fn refuse(fault: Option<String>) -> Result<(), String> {
    fault.map_or(Ok(()), Err)
}

/// Returns a sentence if the outcome contradicts the rest of the spec's plan, or if `sha256` or `rules` cannot be
/// right; `None` if there is no fault.
fn outcome_fault(spec: &SpecPlan, retires: bool) -> Option<String> {
    let outcome = spec.outcome.as_str();
    let must_act = match spec.outcome {
        Outcome::ChangesPending => true,
        Outcome::InDesiredState
        | Outcome::NotApplicable
        | Outcome::PendingRestart
        | Outcome::Blocked
        | Outcome::NeedsParameter
        | Outcome::Unknown => false,
        Outcome::Changed | Outcome::RolledBack | Outcome::Failed => {
            return Some(format!("its outcome is {outcome}, which only a finished run can have"));
        }
    };
    let counts = gate::counts(spec.outcome);
    let gate = gate::gate(&spec.checks, spec.install.is_some(), spec.run_triggers);
    let fits = match (gate, spec.outcome) {
        // A missing parameter takes precedence over everything except applicability.
        (gate, Outcome::NeedsParameter) => gate != Some(Outcome::NotApplicable),
        (gate, Outcome::PendingRestart) => {
            let without_hotfix = gate::gate(&spec.checks, true, spec.run_triggers);
            let waits = spec.pending_restart.as_ref().is_some_and(|pending| pending.installs(&spec.checks));
            gate == Some(Outcome::Blocked) && without_hotfix.is_none() && waits
        }
        (Some(gate), outcome) => gate == outcome,
        (None, outcome) => outcome != Outcome::NotApplicable,
    };
    if must_act != spec.does_something() {
        let has = if must_act { "neither changes nor an installation" } else { "changes or an installation" };
        Some(format!("its outcome is {outcome}, but it has {has}"))
    } else if !fits {
        Some(format!("its outcome is {outcome}, but its checks lead to another outcome"))
    } else if counts && !retires && !spec.reasons.iter().all(|reason| is_of_users(reason, &spec.unread_users)) {
        Some(format!("its outcome is {outcome}, but it has reasons for another outcome"))
    } else if let Some(sid) = changed_users(spec).find(|sid| spec.unread_users.contains(sid)) {
        Some(format!("it changes keys of user {sid}, although `unread_users` says that this user is left out"))
    } else if !(counts || spec.satisfied.is_empty() && spec.named.is_empty()) {
        Some(format!(
            "its outcome is {outcome}, so `satisfied` and `named` must be empty, but at least one of them has entries"
        ))
    } else if counts && spec.by_star > spec.changes.iter().map(KeyChange::size).sum() {
        Some(format!(
            "`by_star` says that {} keys and values change through a `*`, but the spec has fewer changes",
            spec.by_star
        ))
    } else if spec.rules.is_some_and(|rules| rules.here >= rules.of) {
        Some("`rules` says that some rules do not apply, but counts all of them as applying".to_owned())
    } else if retires {
        // A plan that retires specs covers several specs, and does not depend on their files.
        (!spec.sha256.is_empty()).then(|| "it retires specs, but `sha256` is not empty".to_owned())
    } else if spec.sha256.len() != 64 || notation::parse_hex_digits(&spec.sha256).is_none() {
        Some("`sha256` is not a SHA-256 in hex digits".to_owned())
    } else {
        None
    }
}

/// Returns the SIDs of the users whose hives the spec changes.
fn changed_users(spec: &SpecPlan) -> impl Iterator<Item = String> {
    spec.changes.iter().filter_map(|change| user_of(&change.key))
}

/// Returns a sentence if the plan installs a hotfix, although the checks or the facts do not show that the hotfix is
/// missing; `None` if there is no such fault.
fn install_fault(spec: &SpecPlan, reader: &Reader<'_>) -> Option<String> {
    let install = spec.install.as_ref()?;
    let truth = |part: Part| Truth::all(spec.checks.iter().filter(|c| c.part == part).map(|c| c.result));
    if truth(Part::Hotfix) != Truth::Unmet {
        return Some("it installs a hotfix, but its checks do not show that the hotfix is missing".to_owned());
    }
    let is_missing = |answer| match answer {
        (file, Answer::Present(facts)) => !super::InstalledFile::judge(file, &facts).2,
        (_, Answer::Absent) => true,
        (_, Answer::Unread(_)) => false,
    };
    let missing =
        install.files.iter().map(|file| (file, reader.file(&file.path))).filter(|(f, a)| is_missing((*f, a.clone())));
    (missing.count() == 0).then(|| {
        "it installs a hotfix, but its facts do not show that any of its files is missing \
        or too old"
            .to_owned()
    })
}

fn satisfied_fault(one: &Satisfied, reader: &Reader<'_>) -> Option<String> {
    let Some(name) = &one.name else {
        // Only the spec knows whether the key must be present or absent, so it is enough that its state is known.
        return reader.key(&one.key).known().err().map(|why| format!("{}: {why}", one.key));
    };
    let found = reader.value(&one.key, name);
    value_fault(&one.key, name, one.data.as_ref(), &found, reader)
}

fn planned_by_fault(one: &Satisfied, reader: &Reader<'_>) -> Option<String> {
    let by = reader.planned_by(|| match &one.name {
        Some(name) => drop(reader.value(&one.key, name)),
        None => drop(reader.key(&one.key)),
    });
    let text = |id: &Option<String>| id.as_ref().map_or("no earlier spec".to_owned(), Clone::clone);
    (by.1 != one.planned_by).then(|| {
        format!("`planned_by` of {} is {}, but this state comes from {}", one.key, text(&one.planned_by), text(&by.1))
    })
}

fn change_fault(change: &KeyChange, retires: bool, reader: &Reader<'_>) -> Option<String> {
    let key = &change.key;
    let one_name = key.one_name(false);
    if one_name != *key && canonical::one_name(key, reader).as_ref() != Ok(key) {
        return Some(format!("it changes {key}, whose canonical name is {one_name}"));
    }
    let mut names = BTreeSet::new();
    for value in &change.values {
        if !names.insert(&value.name) {
            return Some(format!("{} has two changes", change.place(&value.name)));
        }
        if value.before == value.after {
            return Some(format!("{} has the same data before and after", change.place(&value.name)));
        }
    }
    let there = match reader.key(key).holds_values() {
        Ok(there) => there,
        Err(why) => return Some(format!("its facts do not show whether {key} exists: {why}")),
    };
    match (change.action, there) {
        (ChangeAction::Create, true) => {
            return Some(format!("it creates {key}, which exists according to the facts of the plan"));
        }
        (ChangeAction::Update | ChangeAction::Delete, false) => {
            return Some(format!("it changes {key}, which is absent according to the facts of the plan"));
        }
        _ => {}
    }
    match change.action {
        ChangeAction::Create => create_fault(change, retires, reader),
        ChangeAction::Update => update_fault(change, reader),
        ChangeAction::Delete => delete_fault(change, retires, reader),
    }
}

fn create_fault(change: &KeyChange, retires: bool, reader: &Reader<'_>) -> Option<String> {
    let key = &change.key;
    if change.properties.is_some() && !retires {
        return Some(format!(
            "it sets the class name or security descriptor of the new key {key}, which only a plan that retires \
                specs can do"
        ));
    }
    if let Some(value) = change.values.iter().find(|value| value.before.is_some() || value.after.is_none()) {
        return Some(format!("{} cannot have data before the change that creates its key", change.place(&value.name)));
    }
    let Some(parent) = key.parent() else { return Some(format!("it creates the root key {key}, which always exists")) };
    match canonical::one_name(&parent, reader).and_then(|parent| reader.key(&parent).holds_values()) {
        Ok(true) => None,
        Ok(false) => Some(format!("it creates {key}, but {parent} is absent according to the facts of the plan")),
        Err(why) => Some(format!("its facts do not show whether {parent} exists: {why}")),
    }
}

fn update_fault(change: &KeyChange, reader: &Reader<'_>) -> Option<String> {
    if change.properties.is_some() {
        return Some(format!(
            "it changes the class name or security descriptor of the existing key {}, which kbfix \
            never does",
            change.key
        ));
    }
    if change.values.is_empty() {
        return Some(format!("it changes nothing in {}", change.key));
    }
    change.values.iter().find_map(|value| {
        let found = reader.value(&change.key, &value.name);
        value_fault(&change.key, &value.name, value.before.as_ref(), &found, reader)
    })
}

fn delete_fault(change: &KeyChange, retires: bool, reader: &Reader<'_>) -> Option<String> {
    let key = &change.key;
    // A plan that retires specs may delete a key that kbfix has created. When it is applied, the journals must show
    // this.
    if is_protected(key) && !retires {
        return Some(format!("it deletes {key}, a key that Windows needs"));
    }
    if let Some(value) = change.values.iter().find(|value| value.after.is_some()) {
        return Some(format!(
            "it deletes the key of {}, but gives this value data after the change",
            change.place(&value.name)
        ));
    }
    let (found, subkeys) = match (reader.all_values(key).known(), reader.subkeys(key).known()) {
        (Ok(found), Ok(subkeys)) => (found.unwrap_or_default(), subkeys.unwrap_or_default()),
        (Err(why), _) | (_, Err(why)) => return Some(format!("its facts do not list everything in {key}: {why}")),
    };
    if let Some(subkey) = subkeys.first() {
        return Some(format!(
            "it deletes {key} but not its subkey {subkey}, which exists according to the facts of the plan"
        ));
    }
    let listed: BTreeSet<&ValueName> = change.values.iter().map(|value| &value.name).collect();
    if let Some(left) = found.keys().find(|name| !listed.contains(name)) {
        return Some(format!("it deletes {key}, but does not list {}", change.place(left)));
    }
    let properties = match reader.properties(key).known() {
        Ok(properties) => properties,
        // The target does not store these properties, for example if it is an export.
        Err(Unread { reason: Reason::Unknown, .. }) => None,
        Err(why) => return Some(format!("{key}: {why}")),
    };
    if properties != change.properties {
        return Some(format!("the class name or security descriptor of {key} differs from the facts of the plan"));
    }
    change.values.iter().find_map(|value| {
        let answer = found.get(&value.name).cloned().unwrap_or(Answer::Absent);
        value_fault(key, &value.name, value.before.as_ref(), &answer, reader)
    })
}

/// Returns a sentence if `before`, the present data of a value according to the plan, differs from `found`, its data in
/// the facts; `None` if not.
fn value_fault(
    key: &Key,
    name: &ValueName,
    before: Option<&Data>,
    found: &Answer<Data>,
    reader: &Reader<'_>,
) -> Option<String> {
    let same = found.clone().state().is_ok_and(|found| found.as_ref() == before);
    (!same).then(|| {
        let is_hidden = reader.is_hidden(key, name);
        let before = notation::message(before, is_hidden);
        let found = match found {
            Answer::Present(data) => notation::message(Some(data), is_hidden),
            Answer::Absent => "absent".to_owned(),
            Answer::Unread(why) => why.to_string(),
        };
        format!("{key} {}: the plan says {before}, but its facts say {found}", notation::value_name(name))
    })
}
