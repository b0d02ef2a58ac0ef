//! Turns a spec's registry rules into changes of keys, and a list of the keys and values that are already in the
//! required state.

use std::collections::{BTreeSet, HashSet};

use crate::{
    diag::{number_of, text::first_few},
    observe::Reader,
    registry::Key,
    small_map::SmallSet,
    spec::{
        Spec,
        document::OnSubkeys,
        model::{Condition, DesiredKey, KeyPattern, KeyRule},
    },
    targets::{Answer, KeyChange},
};

use super::{
    Check, Evidence, Part, Truth, condition,
    desired_state::{DesiredState, by_value, within},
    evaluation::Evaluation,
    exclusive, expand,
    keys::{WantedKey, delete, in_deleted, one_key},
    named, trigger,
};

/// Marks the values that the spec declares as sensitive, including those whose rules do not apply.
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

/// Evaluates all registry rules of a spec.
pub(super) fn evaluate<'a>(spec: &'a Spec, reader: &Reader<'_>) -> Evaluation<'a> {
    let mut result = Evaluation::default();
    for rule in &spec.rules {
        one_rule(rule, spec, reader, &mut result);
    }
    let wants = std::mem::take(&mut result.wants);
    for key in &wants.absent_if_empty {
        let said = result.unknown.len();
        result.add_check(without_subkeys(key, &wants, reader), key);
        result.give_to_user(said, key);
    }
    // In sorted order a key follows the keys above it. So each key is deleted only once, with the topmost deleted key.
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
    let mut created = HashSet::new();
    let keys: BTreeSet<&Key> = wants.values.keys().chain(&wants.present).chain(&rest.values).collect();
    // Both are in sorted order, so the rules of a key are the next ones.
    let mut rules = wants.values.iter().peekable();
    for key in keys {
        let values = by_value(rules.next_if(|(of, _)| *of == key).map_or(&[], |(_, rules)| rules));
        let wanted = WantedKey {
            key,
            must_exist: wants.present.contains(key),
            exclusive: rest.values.contains(key),
            spared: wants.spared.get(key),
            values: &values,
        };
        let said = result.unknown.len();
        match within(key, &deleted) {
            Some(gone) => in_deleted(&wanted, &gone, reader, &mut result),
            None => one_key(&wanted, &mut created, reader, &mut result),
        }
        result.give_to_user(said, key);
    }
    result.leave_out_users();
    result.changes.shrink_to_fit();
    result.unknown.append(&mut result.refused);
    result.by_star = by_star(&result.changes, &result.starred);
    result.wants = wants;
    result
}

/// Reads the keys and values of one rule. For each key to which the rule applies, adds its requirements to the desired
/// state.
fn one_rule<'a>(rule: &'a KeyRule, spec: &Spec, reader: &Reader<'_>, result: &mut Evaluation<'a>) {
    result.rules.of += match &rule.desired {
        DesiredKey::Values(values) => values.len(),
        DesiredKey::Absent(_) | DesiredKey::Present => 1,
    };
    // A condition on the rule's own key, or on that key's user, can have a different result for each key.
    let is_own = |key: &&KeyPattern| key.own.is_some() || key.same_user;
    let by_key = rule.when.as_deref().is_some_and(|when| when.keys().iter().any(is_own));
    let always = by_key || when(rule.when.as_deref(), None, spec, reader, &mut result.unknown);
    let conditions = rule.values().iter().filter_map(|value| value.when.as_deref());
    let conditions = conditions.chain(rule.when.as_deref()).chain(rule.done_when.as_deref());
    result.without_hive.extend(expand::without_hive(conditions, reader));
    // Read the facts that the rule needs even if it does not apply, so that a snapshot also serves other parameters.
    let by_user = match expand::keys_by_user(&rule.key, reader) {
        Ok((by_user, without_hive)) => {
            result.without_hive.extend(without_hive);
            by_user
        }
        Err(why) => {
            if always {
                result.unknown.push(format!("{}: {why}", rule.key));
            }
            return;
        }
    };
    let mut keys = Vec::new();
    for (user, found) in by_user {
        match (user, found) {
            (_, Ok(found)) if keys.is_empty() => keys = found,
            (_, Ok(found)) => keys.extend(found),
            (_, Err(_)) if !always => {}
            (Some(sid), Err(why)) => result.unread_users.entry(sid).or_default().push(format!("{}: {why}", rule.key)),
            (None, Err(why)) => result.unknown.push(format!("{}: {why}", rule.key)),
        }
    }
    keys.sort();
    // Indexes of the rule's values that apply to at least one key; index 0 if the rule is about the key itself.
    let mut here = SmallSet::default();
    let mut held = Vec::new();
    if rule.key.has_star() {
        result.starred.extend(keys.iter().cloned());
    }
    for key in keys {
        let (said, place) = (result.unknown.len(), key.clone());
        let holds = match by_key {
            true => when(rule.when.as_deref(), Some(&key), spec, reader, &mut result.unknown),
            false => always,
        };
        // Whether the rule is a trigger that need not be written now. It requires nothing, but names its values.
        let mut is_named_only = false;
        let holds = match &rule.done_when {
            Some(done_when) => {
                let (is_required, check) = trigger::check(rule, done_when, &key, spec, reader);
                if holds {
                    result.add_check(check, &key);
                }
                is_named_only = holds && !is_required;
                holds && is_required
            }
            None => holds,
        };
        if is_named_only {
            result.wants.spare(&key, rule.desired.is_absent());
        }
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
                    let mut unseen = Vec::new();
                    let unknown = if holds { &mut result.unknown } else { &mut unseen };
                    let value_holds = when(value.when.as_deref(), Some(&key), spec, reader, unknown);
                    if holds && value_holds {
                        here.insert(at);
                        applying.push(value);
                    } else {
                        if is_named_only && (value_holds || !unseen.is_empty()) {
                            result.wants.spare_value(&key, &value.name);
                        }
                        reader.value(&key, &value.name);
                        drop(reader.policies(&key, &value.name));
                    }
                }
                if !applying.is_empty() {
                    // Combine the rules about one key into one change, so that the key is opened once.
                    result.wants.values.entry(key.clone()).or_default().extend(&applying);
                }
                held.extend((holds && rule.is_labelled()).then_some((key, applying)));
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
    result.rules.here += here.len();
}

/// Returns the check that the key has no subkeys except those that the spec deletes too.
fn without_subkeys(key: &Key, wants: &DesiredState<'_>, reader: &Reader<'_>) -> Check {
    let (answer, planned_by) = reader.planned_by(|| reader.subkeys(key));
    let (result, found) = match answer {
        Answer::Absent => (Truth::Met, "absent".to_owned()),
        Answer::Unread(why) => (Truth::Unknown, why.to_string()),
        Answer::Present(names) => {
            let others: Vec<_> = names.iter().filter(|name| !wants.absent.contains(&key.child(name))).collect();
            match others.len() {
                0 => (Truth::Met, "no subkeys".to_owned()),
                n => {
                    let shown = first_few(others.iter().map(ToString::to_string));
                    (Truth::Unmet, format!("{}: {shown}", number_of(n, "subkey")))
                }
            }
        }
    };
    let wanted = "no subkeys".to_owned();
    let evidence = vec![Evidence { place: key.to_string(), wanted, found, result, planned_by }];
    Check { part: Part::Deletion, title: "deletion".to_owned(), evidence, result }
}

/// Returns the number of keys and values that change because of a `*`: those in or below the keys that a `*` matches.
fn by_star(changes: &[KeyChange], starred: &BTreeSet<Key>) -> usize {
    if starred.is_empty() {
        return 0;
    }
    let through_star = |change: &&KeyChange| within(&change.key, starred).is_some();
    changes.iter().filter(through_star).map(KeyChange::size).sum()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        spec::{self, Settings},
        targets::{Facts, KeyQuery, ValueSelection},
    };

    /// The condition of the first rule does not hold, so nothing is unknown although the list of users is not read.
    #[test]
    fn a_rule_for_users_counts_even_if_the_list_of_users_is_unreadable() {
        let text = r"{ kbfix: 1, id: S, title: t, registry: [
            { key: HKCU\Software\V, when: { registry: { key: HKLM\SYSTEM\Other } },
              values: { a: { type: REG_DWORD, data: 1 }, b: { type: REG_DWORD, data: 1 } } },
            { key: HKLM\SOFTWARE\V\W, ensure: absent } ] }";
        let spec = spec::load("s.yaml", text.as_bytes(), &Settings::for_validation()).spec.unwrap();
        let mut facts = Facts::default();
        for key in [r"HKLM\SYSTEM\Other", r"HKLM\SOFTWARE\V\W"] {
            let query = KeyQuery { key: Key::new(key.parse().unwrap()), values: ValueSelection::All, subkeys: true };
            facts.record_key(&query, Answer::Absent);
        }
        let result = evaluate(&spec, &Reader::new(&facts));
        assert_eq!(result.unknown, [""; 0]);
        assert_eq!((result.rules.here, result.rules.of), (1, 3));
    }
}
