//! Lists the rules and values of a spec that have an id, a severity or controls, with the keys and values that they
//! concern on the target and whether they are met.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Truth;
use crate::{
    registry::{Key, ValueName},
    spec::{
        Spec,
        document::Exclusive,
        model::{KeyRule, Label, ValueRule},
    },
    targets::{ChangeAction, KeyChange},
};

/// A rule or value of a spec that has an id, a severity or controls, and applies to this target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedRule {
    /// The id, the severity and the controls of the rule or value.
    pub label: Label,
    /// Whether the rule or value is met before the changes: `unmet` if one of the `places` is changed, otherwise `met`.
    pub result: Truth,
    /// The keys and values that the rule or value of the spec concerns.
    pub places: Vec<Place>,
}

/// A key or value that a rule concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The key that the rule concerns, or that contains the value.
    #[serde(flatten)]
    pub key: Key,
    /// The value name; missing if the rule concerns the key itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ValueName>,
    /// How much of the key's contents must be absent unless the spec names it: its other values, or also its other
    /// subkeys. Missing if the key may contain anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<Exclusive>,
}

/// A rule that applies to a key of the target, with those of its values that apply to this key.
pub(super) struct Held<'a> {
    /// The rule of the spec, with all its values.
    pub rule: &'a KeyRule,
    /// A key of the target to which the rule applies.
    pub key: Key,
    /// Those values of `rule` whose own `when` is true for `key`, or that have no `when`. Empty for a rule that is only
    /// about the key itself.
    pub values: Vec<&'a ValueRule>,
}

/// Returns the rules and values of the spec that have an id, a severity or controls and apply to the target, in the
/// order of the spec. `held` contains the rules that apply, in the order of the spec.
pub(super) fn named(spec: &Spec, held: &[Held<'_>], changes: &[KeyChange]) -> Vec<NamedRule> {
    let mut out: Vec<NamedRule> = Vec::new();
    let mut add = |label: &Label, places: Vec<Place>| {
        let result = Truth::of(!places.iter().any(|place| place.changes(changes)));
        // A rule for both registry views was split into two. They are joined here if they have an id.
        match out.iter_mut().find(|known| label.id.is_some() && known.label.id == label.id) {
            Some(known) => {
                known.result = Truth::all([known.result, result]);
                known.places.extend(places);
            }
            None => out.push(NamedRule { label: label.clone(), result, places }),
        }
    };
    for rule in spec.rules.iter().filter(|rule| rule.is_labelled()) {
        let here = || held.iter().filter(|held| std::ptr::eq(held.rule, rule));
        if let Some(label) = &rule.label {
            let places: Vec<_> = here().flat_map(Held::places).collect();
            if !places.is_empty() {
                add(label, places);
            }
        }
        for (value, label) in rule.values().iter().filter_map(|value| Some((value, value.label.as_ref()?))) {
            let applies = |held: &&Held<'_>| held.values.iter().any(|one| std::ptr::eq(*one, value));
            let place = |held: &Held<'_>| Place::of_value(&held.key, value);
            let places: Vec<_> = here().filter(applies).map(place).collect();
            if !places.is_empty() {
                add(label, places);
            }
        }
    }
    out
}

impl Held<'_> {
    /// Returns the key, if the rule is about the key itself, and each value of the rule that applies to the key.
    fn places(&self) -> Vec<Place> {
        let is_of_key = self.rule.must_exist || self.rule.desired.is_absent() || self.rule.exclusive.is_some();
        let key = Place { key: self.key.clone(), name: None, exclusive: self.rule.exclusive };
        let values = self.values.iter().map(|value| Place::of_value(&self.key, value));
        is_of_key.then_some(key).into_iter().chain(values).collect()
    }
}

/// Returns a sentence about the first rule in a loaded plan whose `places` is empty, or whose `result` contradicts the
/// changes; `None` if there is no such rule.
pub(super) fn fault(named: &[NamedRule], changes: &[KeyChange]) -> Option<String> {
    let is_wrong = |rule: &&NamedRule| {
        rule.places.is_empty() || rule.result != Truth::of(!rule.places.iter().any(|place| place.changes(changes)))
    };
    named.iter().find(is_wrong).map(|rule| {
        format!("the `result` of the rule {} contradicts the changes, or its `places` is empty", rule.label)
    })
}

impl Place {
    fn of_value(key: &Key, value: &ValueRule) -> Self {
        Self { key: key.clone(), name: Some(value.name.clone()), exclusive: None }
    }

    /// Returns whether one of the changes concerns this key or value.
    pub(super) fn changes(&self, changes: &[KeyChange]) -> bool {
        let is_below = |key: &Key| key.view == self.key.view && key.path.is_within(&self.key.path);
        changes.iter().any(|change| match (&self.name, self.exclusive) {
            (Some(name), _) => change.key == self.key && change.values.iter().any(|value| value.name == *name),
            (None, Some(Exclusive::Tree)) => is_below(&change.key),
            (None, Some(Exclusive::Values)) => change.key == self.key,
            (None, None) => change.key == self.key && change.action != ChangeAction::Update,
        })
    }
}
