//! Converts specs to a list of keys and values, for export formats that consist of such a list. Reports each part of a
//! spec that the list cannot express.

use std::collections::BTreeMap;

use crate::{
    registry::{Data, KeyPath, RootKey, ValueName, View, notation},
    spec::{
        Spec,
        document::{Exclusive, OnSubkeys},
        model::{Desired, DesiredKey, KeyPattern, KeyRule, ValueRule},
    },
};

use super::Loss;

/// The desired state of one key.
pub(super) struct ExportedKey<'a> {
    /// The spec that requires this state.
    pub(super) spec: &'a Spec,
    /// The path at which the key is stored, in the 64-bit view.
    pub(super) path: KeyPath,
    /// The state that the spec requires.
    pub(super) state: KeyState,
    /// The names of the values whose data is sensitive, each with the loss to report if the exported file contains this
    /// data.
    pub(super) sensitive: BTreeMap<ValueName, Loss>,
    /// The rule of the spec for this key.
    rule: &'a KeyRule,
}

impl ExportedKey<'_> {
    /// Returns the loss to report because the exported file contains `data` of the value `name`. Returns `None` if this
    /// data is not sensitive, or if `data` is `None` because the file deletes the value.
    pub(super) fn shown(&self, name: &ValueName, data: Option<&Data>) -> Option<Loss> {
        data.and_then(|_| self.sensitive.get(name).cloned())
    }

    /// Returns what the spec deletes in the key besides its other changes: the values that it does not name, or these
    /// values and the subkeys that it does not name. Returns `None` if it deletes neither.
    pub(super) fn exclusive(&self) -> Option<Exclusive> {
        self.rule.exclusive
    }

    /// Returns whether the exported file may delete all values of this key (with [`Exclusive::Tree`], the whole key)
    /// before it writes what the spec requires: only if the file then satisfies every rule of the spec that can
    /// apply there. `can_write` returns whether the file's format can express data of a value.
    pub(super) fn may_clear(
        &self,
        content: Exclusive,
        can_write: impl Fn(&KeyPath, &ValueName, &Data) -> bool,
    ) -> bool {
        let is_whole = |rule: &KeyRule| is_sayable(rule, &can_write);
        self.spec.rules.iter().all(|other| !may_be_within(other, self.rule, content) || is_whole(other))
    }

    /// If the spec deletes the values (or also the subkeys) of this key that it does not name, reports that the
    /// exported file keeps them. `lose` gets the message.
    pub(super) fn lose_rest(&self, lose: &mut impl FnMut(String)) {
        lose_rest(self.rule, &self.path, lose);
    }
}

/// If `rule` deletes the values (or also the subkeys) of its key that the spec does not name, reports that the exported
/// file keeps them. `key` is the key in the message, which `lose` gets.
fn lose_rest(rule: &KeyRule, key: impl std::fmt::Display, lose: &mut impl FnMut(String)) {
    let what = match rule.exclusive {
        Some(Exclusive::Values) => "values",
        Some(Exclusive::Tree) => "values and subkeys",
        None => return,
    };
    lose(format!("{key}: other {what} in the key stay, although the spec deletes them"));
}

/// The desired state of a key.
pub(super) enum KeyState {
    /// The key is absent.
    Absent,
    /// The key exists if `must_exist` is true, or if one of `values` has data. Otherwise, it may be absent.
    Present {
        /// Whether the key must exist even if none of its values has data.
        must_exist: bool,
        /// The values, each with its data; `None` for a value that must be absent.
        values: Vec<(ValueName, Option<Data>)>,
    },
}

/// The users whose HKCU a file changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Users {
    /// The user to whom the file is applied.
    One,
    /// Each user, also new ones.
    Each,
}

/// Returns the desired states of keys that the specs require, as far as a list of keys and values can express them.
/// Keys that must be absent come first, because kbfix also deletes keys first. Adds to `losses` what the list cannot
/// express.
pub(super) fn exported_keys<'a>(specs: &'a [Spec], users: Users, losses: &mut Vec<Loss>) -> Vec<ExportedKey<'a>> {
    let mut all = Vec::new();
    for spec in specs {
        gate(spec, &mut |what| losses.push(Loss::new(spec.id.clone(), what)));
        for rule in &spec.rules {
            if let Some((path, state)) = key(rule, users, &mut |what| losses.push(Loss::new(spec.id.clone(), what))) {
                all.push(ExportedKey { spec, path, state, sensitive: readable(spec, rule), rule });
            }
        }
    }
    all.sort_by_key(|key| !matches!(key.state, KeyState::Absent));
    all
}

/// Returns the names of the values in `rule` whose data is sensitive, each with the loss to report if the exported file
/// contains this data.
fn readable(spec: &Spec, rule: &KeyRule) -> BTreeMap<ValueName, Loss> {
    let loss = |name: &ValueName| {
        let place = format!("{} {}", rule.key, notation::value_name(name));
        let what = format!("{place}: the data is sensitive, but everybody who has the file can read it");
        Loss { is_secret: true, ..Loss::new(spec.id.clone(), what) }
    };
    let sensitive = rule.values().iter().filter(|value| value.is_sensitive);
    sensitive.map(|value| (value.name.clone(), loss(&value.name))).collect()
}

/// Returns whether a file can satisfy the rule if it first deletes the key or its values. It cannot if the rule has a
/// condition, has a `*` in its key, changes a part of existing data, or requires data for which `can_write` is false.
fn is_sayable(rule: &KeyRule, can_write: impl Fn(&KeyPath, &ValueName, &Data) -> bool) -> bool {
    if rule.is_conditional() || rule.key.path().is_none() {
        return false;
    }
    let Some((path, KeyState::Present { values, .. })) = key(rule, Users::Each, &mut |_| ()) else {
        return rule.values().is_empty();
    };
    let fits = |(name, data): &(ValueName, Option<Data>)| data.as_ref().is_none_or(|data| can_write(&path, name, data));
    values.len() == rule.values().len() && values.iter().all(fits)
}

/// Returns whether a key that matches `rule` can be equal to a key that matches `above`, or with [`Exclusive::Tree`]
/// below such a key.
fn may_be_within(rule: &KeyRule, above: &KeyRule, content: Exclusive) -> bool {
    let (mut place, above) = (rule.key.one_name(), above.key.one_name());
    if (place.root, above.root) == (RootKey::Hku, RootKey::Hkcu) && !place.names.is_empty() {
        // The key of one user, which this user also has below HKCU.
        place.root = RootKey::Hkcu;
        place.names.remove(0);
    }
    if content == Exclusive::Values && place.names.len() != above.names.len() {
        return false;
    }
    let names = place.names.get(..above.names.len()).map(<[_]>::to_vec);
    names.is_some_and(|names| KeyPattern { names, ..place }.may_meet(&above))
}

fn gate(spec: &Spec, lose: &mut impl FnMut(String)) {
    if spec.applicable.is_some() {
        lose(
            "the file does not test whether the article applies to a machine; use the file only on machines to \
            which the article applies"
                .to_owned(),
        );
    }
    if let Some(cause) = &spec.cause {
        lose(format!("the file does not test whether the cause is present: {}", cause.title));
    }
    for prerequisite in &spec.prerequisites {
        lose(format!("the file does not test the prerequisite {}", prerequisite.title));
    }
    if let Some(hotfix) = &spec.hotfix {
        lose(format!("the file does not test whether the hotfix {} is installed", hotfix.title));
    }
    for step in &spec.document.manual_steps {
        lose(format!("a step to do by hand is left out: {step}"));
    }
    if spec.rules.iter().any(KeyRule::is_labelled) {
        lose("the ids, severities and controls of the rules are not in the file".to_owned());
    }
    if spec.rules.iter().any(|rule| rule.key.view == View::Bits32) {
        let what = "keys of the 32-bit view are written where 64-bit Windows stores them, so the file is not for \
            32-bit Windows";
        lose(what.to_owned());
    }
}

fn key(rule: &KeyRule, users: Users, lose: &mut impl FnMut(String)) -> Option<(KeyPath, KeyState)> {
    let key = &rule.key;
    if rule.done_when.is_some() {
        lose(format!("{key}: left out: the rule is a trigger, which only `kbfix apply --trigger` writes"));
        return None;
    }
    if rule.when.is_some() {
        lose(format!("{key}: left out: the rule applies only under a condition"));
        return None;
    }
    let Some(path) = key.path() else {
        lose(format!("{key}: left out: the file cannot express `*`, which stands for every existing subkey"));
        return None;
    };
    if key.root == RootKey::Hkcu && users == Users::One {
        lose(format!("{key}: written only for the user to whom the file is applied, not for each user"));
        if key.default_profile {
            lose(format!("{key}: not written for the Default profile, which is copied for new users"));
        }
    }
    let what = match &rule.desired {
        DesiredKey::Absent(on_subkeys) => {
            if *on_subkeys == OnSubkeys::Refuse {
                lose(format!(
                    "{key}: the file deletes the key with its subkeys, but `on_subkeys: refuse` in the spec forbids \
                        kbfix to delete this key if it has subkeys"
                ));
            }
            KeyState::Absent
        }
        DesiredKey::Present => KeyState::Present { must_exist: true, values: Vec::new() },
        DesiredKey::Values(rules) => {
            let values: Vec<_> = rules.iter().filter_map(|value| self::value(rule, value, lose)).collect();
            if values.is_empty() && !rule.must_exist {
                lose_rest(rule, key, lose);
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
        outer(format!("{place}: left out: the rule applies only under a condition"));
        return None;
    }
    let mut lose = |what: String| {
        // A more detailed message could reveal sensitive data.
        let hidden =
            || format!("{place}: the file cannot express everything that the spec requires of this sensitive data");
        outer(if value.is_sensitive { hidden() } else { what });
    };
    let data = match &value.desired {
        Desired::Absent => None,
        Desired::OneOf(all) => {
            let (first, others) = all.split_first()?;
            for other in others {
                lose(format!("{place}: the spec also accepts {other:?}, but the file replaces it"));
            }
            Some(first.clone())
        }
        Desired::Kept { choices, keep } => {
            lose(format!("{place}: the file replaces data that the spec keeps ({keep})"));
            Some(choices.first()?.clone())
        }
        Desired::CommaSet { value_type, text } => {
            lose(format!(
                "{place}: the spec accepts the items in any order, but the file also overwrites data whose items have another order"
            ));
            Some(Data::text(*value_type, text))
        }
        Desired::Bits { value_type, set, clear } => {
            let what = format!("setting the bits 0x{set:x} and clearing the bits 0x{clear:x} in the existing data");
            lose(format!("{place}: left out: {what} ({value_type})"));
            return None;
        }
        Desired::Replaced { edit, .. } => {
            let (pattern, with) = (notation::quoted(edit.pattern.as_str()), notation::quoted(&edit.with));
            lose(format!("{place}: left out: replacing the one match of {pattern} in the existing string with {with}"));
            return None;
        }
        Desired::List { add, remove } => {
            lose(lost_edit(&place, add, remove));
            return None;
        }
        Desired::Joined { edit, .. } => {
            lose(lost_edit(&place, &edit.add, &edit.remove));
            return None;
        }
    };
    if value.if_absent.is_some() && value.if_absent == data {
        lose(format!("{place}: the spec also accepts that the value is absent, but the file writes the value"));
    }
    Some((value.name.clone(), data))
}

/// Returns the message that the exported file leaves out a change of an existing list: the items to add and to remove.
/// `place` is the key and the name of the value that contains the list.
fn lost_edit(place: &str, add: &[String], remove: &[String]) -> String {
    let quoted = |list: &[String]| list.iter().map(|s| notation::quoted(s)).collect::<Vec<_>>().join(", ");
    let add = (!add.is_empty()).then(|| format!("adding {}", quoted(add)));
    let remove = (!remove.is_empty()).then(|| format!("removing {}", quoted(remove)));
    let what = add.into_iter().chain(remove).collect::<Vec<_>>().join(" and ");
    format!("{place}: left out: a change to the existing list: {what}")
}
