//! Reduces specs to a list of keys and values, and reports what is lost.

use std::collections::BTreeSet;

use crate::{
    registry::{Data, KeyPath, RootKey, ValueName, View, notation},
    spec::{
        Spec,
        document::{Exclusive, OnSubkeys},
        model::{Desired, DesiredKey, Joined, KeyPattern, KeyRule, ValueRule},
    },
};

use super::Loss;

/// The desired state of one key.
pub(super) struct ExportedKey<'a> {
    /// The spec that asks for it.
    pub(super) spec: &'a Spec,
    /// The key, at the place where the 64-bit view stores it.
    pub(super) path: KeyPath,
    /// The desired state.
    pub(super) state: KeyState,
    /// The names of its values whose data is shown to nobody.
    pub(super) sensitive: BTreeSet<ValueName>,
    /// The extent to which the key may hold nothing else.
    pub(super) exclusive: Option<Exclusive>,
    /// Whether the list includes everything that the spec says of the key and the keys below it.
    pub(super) is_whole: bool,
}

impl ExportedKey<'_> {
    /// Reports that other contents of the key stay, if the spec deletes them.
    pub(super) fn lose_rest(&self, lose: &mut impl FnMut(String)) {
        let what = match self.exclusive {
            Some(Exclusive::Values) => "values",
            Some(Exclusive::Tree) => "values and subkeys",
            None => return,
        };
        lose(format!("{}: other {what} in it stay, which the spec deletes", self.path));
    }
}

/// The desired state of a key.
pub(super) enum KeyState {
    /// The key is absent.
    Absent,
    /// The key exists, if `must_exist` or one of the values has data; its values are these, or absent.
    Present {
        /// Whether the key must exist whatever its values.
        must_exist: bool,
        /// The values; `None` for one that is absent.
        values: Vec<(ValueName, Option<Data>)>,
    },
}

/// Returns the desired state by all specs. Deletions of keys come first, as when kbfix applies them.
pub(super) fn exported_keys<'a>(specs: &'a [Spec], losses: &mut Vec<Loss>) -> Vec<ExportedKey<'a>> {
    let mut all = Vec::new();
    for spec in specs {
        let mut lose = |what: String| losses.push(Loss { spec: spec.id.clone(), what });
        gate(spec, &mut lose);
        for rule in &spec.rules {
            if let Some((path, state)) = key(rule, &mut lose) {
                let is_whole = spec.rules.iter().all(|other| is_sayable(other) || !may_be_within(other, rule));
                let hidden = rule.values().iter().filter(|value| value.is_sensitive);
                let sensitive = hidden.map(|value| value.name.clone()).collect();
                all.push(ExportedKey { spec, path, state, sensitive, exclusive: rule.exclusive, is_whole });
            }
        }
    }
    all.sort_by_key(|key| !matches!(key.state, KeyState::Absent));
    all
}

/// Returns whether the list includes the whole rule.
fn is_sayable(rule: &KeyRule) -> bool {
    let is_value = |value: &ValueRule| {
        let is_edit = matches!(
            value.desired,
            Desired::Bits { .. } | Desired::List { .. } | Desired::Joined { .. } | Desired::Replaced { .. }
        );
        value.when.is_none() && !is_edit
    };
    !rule.is_conditional() && rule.key.path().is_some() && rule.values().iter().all(is_value)
}

/// Returns whether a key of `rule` can be the key of `above`, or below it.
fn may_be_within(rule: &KeyRule, above: &KeyRule) -> bool {
    let (place, above) = (rule.key.one_name(), above.key.one_name());
    let names = place.names.get(..above.names.len()).map(<[_]>::to_vec);
    names.is_some_and(|names| KeyPattern { names, ..place }.may_meet(&above))
}

fn gate(spec: &Spec, lose: &mut impl FnMut(String)) {
    if spec.applicable.is_some() {
        lose("the file does not test whether it applies to a machine; use it only where it does".to_owned());
    }
    for prerequisite in &spec.prerequisites {
        lose(format!("the file does not test the prerequisite {}", prerequisite.title));
    }
    if let Some(hotfix) = &spec.hotfix {
        lose(format!("the file does not test whether the hotfix {} is installed", hotfix.title));
    }
    for step in &spec.document.manual_steps {
        lose(format!("a step by hand is left out: {step}"));
    }
    if spec.rules.iter().any(KeyRule::is_labelled) {
        lose("the ids, severities and controls of its rules are not in the file".to_owned());
    }
    if spec.rules.iter().any(|rule| rule.key.view == View::Bits32) {
        let what = "the 32-bit view is written where 64-bit Windows keeps it; the file is not for 32-bit Windows";
        lose(what.to_owned());
    }
}

fn key(rule: &KeyRule, lose: &mut impl FnMut(String)) -> Option<(KeyPath, KeyState)> {
    let key = &rule.key;
    if rule.done_when.is_some() {
        lose(format!("{key}: left out: it is a trigger, which is written only on request"));
        return None;
    }
    if rule.when.is_some() {
        lose(format!("{key}: left out: it applies only under a condition"));
        return None;
    }
    let Some(path) = key.path() else {
        lose(format!("{key}: left out: `*` stands for every existing subkey"));
        return None;
    };
    if key.root == RootKey::Hkcu {
        lose(format!("{key}: written for the user to whom the file is applied only, not for each user"));
        if key.default_profile {
            lose(format!("{key}: not written for the Default profile, which is copied for new users"));
        }
    }
    let what = match &rule.desired {
        DesiredKey::Absent(on_subkeys) => {
            if *on_subkeys == OnSubkeys::Refuse {
                lose(format!(
                    "{key}: the file deletes it with its subkeys; the spec refuses to delete it if it has any"
                ));
            }
            KeyState::Absent
        }
        DesiredKey::Present => KeyState::Present { must_exist: true, values: Vec::new() },
        DesiredKey::Values(rules) => {
            let values: Vec<_> = rules.iter().filter_map(|value| self::value(rule, value, lose)).collect();
            if values.is_empty() && !rule.must_exist {
                return None;
            }
            KeyState::Present { must_exist: rule.must_exist, values }
        }
    };
    Some((key.view.stored_at(&path), what))
}

fn value(rule: &KeyRule, value: &ValueRule, outer: &mut impl FnMut(String)) -> Option<(ValueName, Option<Data>)> {
    let place = format!("{} {}", rule.key, notation::value_name(&value.name));
    if value.when.is_some() {
        outer(format!("{place}: left out: it applies only under a condition"));
        return None;
    }
    let mut lose = |what: String| {
        // A detailed loss would reveal sensitive data.
        let hidden = || format!("{place}: the spec says more about its sensitive data than the file can");
        outer(if value.is_sensitive { hidden() } else { what });
    };
    let data = match &value.desired {
        Desired::Absent => None,
        Desired::OneOf(all) => {
            let (first, others) = all.split_first()?;
            for other in others {
                lose(format!("{place}: {other:?} is correct too, but the file replaces it"));
            }
            Some(first.clone())
        }
        Desired::Kept { choices, keep } => {
            lose(format!("{place}: what may stay as it is ({keep}) is replaced"));
            Some(choices.first()?.clone())
        }
        Desired::CommaSet { value_type, text } => {
            lose(format!("{place}: the same items in another order are correct too, but the file replaces them"));
            Some(Data::text(*value_type, text))
        }
        Desired::Bits { value_type, set, clear } => {
            let what = format!("the bits 0x{set:x} are to be set and 0x{clear:x} cleared in the existing data");
            lose(format!("{place}: left out: {what} ({value_type})"));
            return None;
        }
        Desired::Replaced { edit, .. } => {
            let (pattern, with) = (notation::quoted(edit.pattern.as_str()), notation::quoted(&edit.with));
            lose(format!("{place}: left out: what {pattern} finds in the existing string is to become {with}"));
            return None;
        }
        Desired::List { add, remove } | Desired::Joined { edit: Joined { add, remove, .. }, .. } => {
            let quoted = |list: &[String]| list.iter().map(|s| notation::quoted(s)).collect::<Vec<_>>().join(", ");
            let add = (!add.is_empty()).then(|| format!("{} are to be added", quoted(add)));
            let remove = (!remove.is_empty()).then(|| format!("{} are to be removed", quoted(remove)));
            let what = add.into_iter().chain(remove).collect::<Vec<_>>().join(" and ");
            lose(format!("{place}: left out: {what} in the existing list"));
            return None;
        }
    };
    if value.if_absent.is_some() && value.if_absent == data {
        lose(format!("{place}: absent is correct too, but the file writes it"));
    }
    if value.is_sensitive && data.is_some() {
        outer(format!("{place}: its data is sensitive, but everybody who has the file can read it"));
    }
    Some((value.name.clone(), data))
}
