//! Turns a spec's registry rules into changes of keys, and a list of what already holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    diag::number_of,
    observe::{KeyImage, Reader},
    registry::{Data, Key, RootKey, ValueName, sid},
    spec::{
        Spec,
        document::OnSubkeys,
        is_protected,
        model::{Condition, DesiredKey, KeyPattern},
    },
    targets::{Answer, ChangeAction, KeyChange, Unread, ValueChange},
};

use super::{
    Check, Evidence, Part, RulesHere, Satisfied, Truth, canonical, condition,
    desired_state::{DesiredState, OneValue, by_value, within},
    exclusive, expand, named, trigger,
};

/// The result of a spec's registry rules.
#[derive(Default)]
pub(super) struct Evaluation<'a> {
    /// The changes of keys: deletions first, each subkey before its parent; then updates and creations, each parent
    /// before its subkeys.
    pub changes: Vec<KeyChange>,
    /// How many keys and values in `changes` are in, or below, keys that a `*` matches.
    pub by_star: usize,
    /// How many rules about keys and values there are, and how many apply to this target.
    pub rules: RulesHere,
    /// Everything that already holds.
    pub satisfied: Vec<Satisfied>,
    /// Places that could not be read, each with the reason.
    pub unknown: Vec<String>,
    /// Requests that kbfix refuses, and contradictions between rules; appended to `unknown` at the end.
    refused: Vec<String>,
    /// What could not be read in a user's hive, by SID. Nothing is planned for that user.
    pub unread_users: BTreeMap<String, Vec<String>>,
    /// The SIDs of users who have a profile and no hive.
    pub without_hive: BTreeSet<String>,
    /// For each trigger how it stands, and for each key that may be deleted only without subkeys, whether it has none.
    pub checks: Vec<Check>,
    /// The rules with a label that apply, in the order of the spec.
    pub held: Vec<named::Held<'a>>,
    /// The required state, against which the changes of later specs are checked.
    pub wants: DesiredState<'a>,
}

/// Marks the values that the spec calls sensitive, whether or not their rules apply.
pub(super) fn hide(spec: &Spec, reader: &Reader<'_>) {
    for rule in &spec.rules {
        let mut sensitive = rule.values().iter().filter(|value| value.is_sensitive).peekable();
        if sensitive.peek().is_some() {
            let by_user = expand::keys_by_user(&rule.key, reader).map(|(by_user, _)| by_user).unwrap_or_default();
            let keys: Vec<Key> = by_user.into_iter().filter_map(|(_, found)| found.ok()).flatten().collect();
            sensitive.for_each(|value| keys.iter().for_each(|key| reader.hide(key, &value.name)));
        }
    }
}

/// Evaluates all rules.
pub(super) fn evaluate<'a>(spec: &'a Spec, reader: &Reader<'_>) -> Evaluation<'a> {
    let mut result = Evaluation::default();
    let mut starred: BTreeSet<Key> = BTreeSet::new();
    for rule in &spec.rules {
        // A condition on the rule's own key, or on that key's user, can differ from key to key.
        let is_own = |key: &&KeyPattern| key.own.is_some() || key.same_user;
        let by_key = rule.when.as_ref().is_some_and(|when| when.keys().iter().any(is_own));
        let always = by_key || when(rule.when.as_ref(), None, spec, reader, &mut result.unknown);
        // Read what the rule needs even if it does not apply, so that a snapshot can also serve other parameters.
        let by_user = match expand::keys_by_user(&rule.key, reader) {
            Ok((by_user, without_hive)) => {
                result.without_hive.extend(without_hive);
                by_user
            }
            Err(why) => {
                if always {
                    result.unknown.push(format!("{}: {why}", rule.key));
                }
                continue;
            }
        };
        let mut keys = Vec::new();
        for (user, found) in by_user {
            match (user, found) {
                (_, Ok(found)) => keys.extend(found),
                (_, Err(_)) if !always => {}
                (Some(sid), Err(why)) => {
                    result.unread_users.entry(sid).or_default().push(format!("{}: {why}", rule.key))
                }
                (None, Err(why)) => result.unknown.push(format!("{}: {why}", rule.key)),
            }
        }
        keys.sort();
        // Indexes of the rule's values that apply to at least one key; index 0 if the rule is about the key itself.
        let mut here = BTreeSet::new();
        let mut held = Vec::new();
        if rule.key.has_star() {
            starred.extend(keys.iter().cloned());
        }
        for key in keys {
            let (said, place) = (result.unknown.len(), key.clone());
            let holds = match by_key {
                true => when(rule.when.as_ref(), Some(&key), spec, reader, &mut result.unknown),
                false => always,
            };
            let holds = match &rule.done_when {
                Some(done_when) => {
                    let (is_due, check) = trigger::check(rule, done_when, &key, spec, reader);
                    result.checks.extend(holds.then_some(check));
                    holds && is_due
                }
                None => holds,
            };
            if holds && rule.must_exist {
                result.wants.present.insert(key.clone());
            }
            if let Some(how) = rule.exclusive {
                exclusive::ask(&key, how, reader);
                if holds {
                    result.wants.hold_only(&key, how);
                }
            }
            match &rule.desired {
                DesiredKey::Absent(on_subkeys) if holds => {
                    here.insert(0);
                    if *on_subkeys == OnSubkeys::Refuse {
                        result.wants.absent_if_empty.insert(key.clone());
                    }
                    result.wants.absent.insert(key.clone());
                    held.push((key, Vec::new()));
                }
                DesiredKey::Values(values) => {
                    let mut applying = Vec::new();
                    for (at, value) in values.iter().enumerate() {
                        let unknown = if holds { &mut result.unknown } else { &mut Vec::new() };
                        let value_holds = when(value.when.as_ref(), Some(&key), spec, reader, unknown);
                        if holds && value_holds {
                            here.insert(at);
                            applying.push(value);
                            // Rules about one key become one change, so that the key is opened once.
                            result.wants.values.entry(key.clone()).or_default().push(value);
                        } else {
                            reader.value(&key, &value.name);
                        }
                    }
                    held.extend(holds.then_some((key, applying)));
                }
                _ => {
                    reader.key(&key);
                    if holds {
                        here.insert(0);
                        held.push((key, Vec::new()));
                    }
                }
            }
            result.give_to_user(said, &place);
        }
        if rule.is_labelled() {
            result.held.extend(held.into_iter().map(|(key, values)| named::Held { rule, key, values }));
        }
        result.rules.of += match &rule.desired {
            DesiredKey::Values(values) => values.len(),
            DesiredKey::Absent(_) | DesiredKey::Present => 1,
        };
        result.rules.here += here.len();
    }
    let wants = std::mem::take(&mut result.wants);
    let deletions = wants.absent_if_empty.iter().map(|key| without_subkeys(key, &wants, reader));
    result.checks.extend(deletions);
    // In sorted order a key follows the keys above it, so it is deleted once, together with the topmost.
    let mut deleted: BTreeSet<Key> = BTreeSet::new();
    let rest = exclusive::rest(&wants, reader);
    result.refused.extend(rest.refused);
    for (key, why) in rest.unknown {
        let said = result.unknown.len();
        result.unknown.push(why);
        result.give_to_user(said, &key);
    }
    for key in wants.absent.iter().chain(&rest.keys).collect::<BTreeSet<_>>() {
        if within(key, &deleted).is_none() {
            let said = result.unknown.len();
            delete(key, reader, &mut result);
            result.give_to_user(said, key);
            deleted.insert(key.clone());
        }
    }
    let mut created = BTreeSet::new();
    let keys: BTreeSet<&Key> = wants.values.keys().chain(&wants.present).chain(&rest.values).collect();
    for key in keys {
        let values = by_value(wants.values.get(key).map_or(&[], Vec::as_slice));
        let wanted = WantedKey {
            key,
            must_exist: wants.present.contains(key),
            exclusive: rest.values.contains(key),
            values: &values,
        };
        let said = result.unknown.len();
        match within(key, &deleted) {
            Some(gone) => in_deleted(&wanted, &gone, &mut result),
            None => one_key(&wanted, &mut created, reader, &mut result),
        }
        result.give_to_user(said, key);
    }
    result.leave_out_users();
    result.unknown.append(&mut result.refused);
    result.by_star = by_star(&result.changes, &starred);
    result.wants = wants;
    result
}

impl Evaluation<'_> {
    /// Moves what was reported since `said`, if `key` is in a user's hive, to that user.
    fn give_to_user(&mut self, said: usize, key: &Key) {
        if let Some(sid) = user_of(key).filter(|_| said < self.unknown.len()) {
            let of_user = self.unknown.split_off(said);
            self.unread_users.entry(sid).or_default().extend(of_user);
        }
    }

    /// Drops everything planned for a user for whom something could not be read.
    fn leave_out_users(&mut self) {
        let is_left_out = |key: &Key| user_of(key).is_some_and(|sid| self.unread_users.contains_key(&sid));
        self.changes.retain(|change| !is_left_out(&change.key));
        self.satisfied.retain(|one| !is_left_out(&one.key));
        self.held.retain(|held| !is_left_out(&held.key));
    }
}

/// Returns the SID of the person in whose hive the key is; the key must have its canonical name.
fn user_of(key: &Key) -> Option<String> {
    let sid = key.path.names().next().filter(|sid| key.path.root() == RootKey::Hku && sid::is_person(sid));
    sid.map(str::to_ascii_uppercase)
}

/// A key with the rules that it, or its values, must satisfy.
struct WantedKey<'a> {
    key: &'a Key,
    must_exist: bool,
    /// Whether the key may have no other values.
    exclusive: bool,
    values: &'a [OneValue<'a>],
}

/// Evaluates a key that is deleted itself or with a key above it. Values that must be absent will be; anything else is
/// a contradiction.
fn in_deleted(wanted: &WantedKey<'_>, gone: &Key, result: &mut Evaluation<'_>) {
    let &WantedKey { key, must_exist, values, .. } = wanted;
    if must_exist || values.iter().any(|value| value.after(None) != Ok(Some(None))) {
        result.refused.push(format!("{key} is to be there, and {gone} is to be absent"));
        return;
    }
    let absent = |value: &OneValue<'_>| Satisfied {
        key: key.clone(),
        name: Some(value.name.clone()),
        data: None,
        planned_by: None,
        sensitive: false,
    };
    result.satisfied.extend(values.iter().map(absent));
}

/// Checks that the key has no subkeys except those that the spec deletes as well.
fn without_subkeys(key: &Key, wants: &DesiredState<'_>, reader: &Reader<'_>) -> Check {
    /// How many names the evidence shows; the total is always given.
    const MOST: usize = 5;
    let (answer, planned_by) = reader.planned_by(|| reader.subkeys(key));
    let (result, found) = match answer {
        Answer::Absent => (Truth::Met, "absent".to_owned()),
        Answer::Unread(why) => (Truth::Unknown, why.to_string()),
        Answer::Present(names) => {
            let others: Vec<_> = names.iter().filter(|name| !wants.absent.contains(&key.child(name))).collect();
            let shown: Vec<_> = others.iter().take(MOST).map(ToString::to_string).collect();
            let more = if others.len() > MOST { ", …" } else { "" };
            match others.len() {
                0 => (Truth::Met, "no subkeys".to_owned()),
                n => (Truth::Unmet, format!("{}: {}{more}", number_of(n, "subkey"), shown.join(", "))),
            }
        }
    };
    let wanted = "no subkeys".to_owned();
    let evidence = vec![Evidence { place: key.to_string(), wanted, found, result, planned_by }];
    Check { part: Part::Deletion, title: "deletion".to_owned(), evidence, result }
}

/// Returns how many keys and values change in, or below, the keys that a `*` stands for.
fn by_star(changes: &[KeyChange], starred: &BTreeSet<Key>) -> usize {
    if starred.is_empty() {
        return 0;
    }
    let through_star = |change: &&KeyChange| within(&change.key, starred).is_some();
    let size = |change: &KeyChange| change.values.len() + usize::from(change.action != ChangeAction::Update);
    changes.iter().filter(through_star).map(size).sum()
}

fn when(
    condition: Option<&Condition>,
    own: Option<&Key>,
    spec: &Spec,
    reader: &Reader<'_>,
    unknown: &mut Vec<String>,
) -> bool {
    let Some(condition) = condition else { return true };
    let mut evidence = Vec::new();
    match condition::holds(condition, own, spec, reader, &mut evidence) {
        Truth::Met => true,
        Truth::Unmet => false,
        Truth::Unknown => {
            let why = evidence.into_iter().filter(|e| e.result == Truth::Unknown);
            unknown.extend(why.map(|e| format!("when: {}: {}", e.place, e.found)));
            false
        }
    }
}

/// Evaluates one key whose values, or which itself, must hold.
fn one_key(wanted: &WantedKey<'_>, created: &mut BTreeSet<Key>, reader: &Reader<'_>, result: &mut Evaluation<'_>) {
    let &WantedKey { key, must_exist, exclusive, values: wanted } = wanted;
    let mut values: Vec<ValueChange> = Vec::new();
    let mut unread = false;
    for value in wanted {
        let place = || format!("{key} {}", crate::registry::notation::value_name(value.name));
        let read = reader.value(key, value.name).known();
        let after = |before: Option<Data>| {
            let after = value.after(before.as_ref()).map_err(|why| match reader.is_hidden(key, value.name) {
                true => {
                    Unread::new(why.reason, "what is there cannot be kept; its data is sensitive, and is not shown")
                }
                false => why,
            });
            Ok((after?, before))
        };
        match read.and_then(after) {
            Ok((None, _)) => result.refused.push(format!("{}: two rules want different data", place())),
            Ok((Some(after), before)) => {
                // Use the name as found, so that a deleted value comes back under the same name.
                let name = reader.spelled(key, value.name);
                if before == after {
                    result.satisfied.push(Satisfied {
                        key: key.clone(),
                        name: Some(name),
                        data: before,
                        planned_by: None,
                        sensitive: false,
                    });
                } else {
                    values.push(ValueChange { name, before, after });
                }
            }
            Err(why) => {
                unread = true;
                result.unknown.push(format!("{}: {why}", place()));
            }
        }
    }
    if exclusive {
        let names: BTreeSet<&ValueName> = wanted.iter().map(|value| value.name).collect();
        match exclusive::other_values(key, |name| names.contains(name), reader) {
            Ok(others) => values.extend(others),
            Err(why) => {
                unread = true;
                result.unknown.push(format!("{key}, which is to hold no other values: {why}"));
            }
        }
    }
    let exists = match reader.key(key) {
        Answer::Present(()) => true,
        Answer::Absent => false,
        Answer::Unread(why) => {
            if !unread {
                result.unknown.push(format!("{key}: {why}"));
            }
            return;
        }
    };
    match (exists, values.is_empty() && !must_exist) {
        (true, true) => {}
        (true, false) if values.is_empty() => {
            result.satisfied.push(Satisfied {
                key: key.clone(),
                name: None,
                data: None,
                planned_by: None,
                sensitive: false,
            });
        }
        (true, false) => result.changes.push(KeyChange::new(key.clone(), ChangeAction::Update, values)),
        (false, true) => {}
        (false, false) => {
            if let Err((parent, why)) = create_parents(key, created, reader, result) {
                result.unknown.push(format!("{parent}: {why}"));
                return;
            }
            created.insert(key.clone());
            result.changes.push(KeyChange::new(key.clone(), ChangeAction::Create, values));
        }
    }
}

/// Adds a change for each absent key above `key`, topmost first.
fn create_parents(
    key: &Key,
    created: &mut BTreeSet<Key>,
    reader: &Reader<'_>,
    result: &mut Evaluation<'_>,
) -> std::result::Result<(), (Key, Unread)> {
    let mut missing = Vec::new();
    let mut next = key.parent();
    while let Some(parent) = next {
        // The parent of a key that the views keep apart may be one that they share.
        let parent = canonical::one_name(&parent, reader).map_err(|why| (parent, why))?;
        if created.contains(&parent) {
            break;
        }
        match reader.key(&parent).known() {
            Ok(Some(())) => break,
            Ok(None) => {}
            Err(why) => return Err((parent, why)),
        }
        next = parent.parent();
        missing.push(parent);
    }
    for parent in missing.into_iter().rev() {
        created.insert(parent.clone());
        result.changes.push(KeyChange::new(parent, ChangeAction::Create, Vec::new()));
    }
    Ok(())
}

/// Adds the deletion of a key and all keys below it, each subkey before its parent.
fn delete(key: &Key, reader: &Reader<'_>, result: &mut Evaluation<'_>) {
    // Validation refuses the names that a spec writes; what its `*` stands for is known only here.
    if is_protected(key) {
        result.refused.push(format!("{key} is a key that Windows cannot do without; kbfix never deletes it"));
        return;
    }
    match reader.key(key) {
        Answer::Absent => {
            result.satisfied.push(Satisfied {
                key: key.clone(),
                name: None,
                data: None,
                planned_by: None,
                sensitive: false,
            });
            return;
        }
        Answer::Unread(why) => {
            result.unknown.push(format!("{key}: {why}"));
            return;
        }
        Answer::Present(()) => {}
    }
    // A rollback asks whether the parent exists, and a snapshot has only what was asked when it was taken.
    if let Some(parent) = key.parent() {
        reader.key(&parent);
    }
    match reader.tree(key) {
        Ok(tree) => {
            if let Some(below) = tree.iter().find(|image| is_protected(&image.key)) {
                let below = &below.key;
                result.refused.push(format!(
                    "{below}, below {key}, is a key that Windows cannot do without; kbfix never deletes it"
                ));
                return;
            }
            for KeyImage { key, properties, values } in tree.into_iter().rev() {
                let gone = |(name, data): (ValueName, _)| ValueChange { name, before: Some(data), after: None };
                let values = values.into_iter().map(gone).collect();
                result.changes.push(KeyChange { properties, ..KeyChange::new(key, ChangeAction::Delete, values) });
            }
        }
        Err(why) => result.unknown.push(format!("{key}, which is to be deleted: {why}")),
    }
}
