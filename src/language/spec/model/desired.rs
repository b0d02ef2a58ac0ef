//! The rules of a checked spec: the desired state of keys and values.

use std::collections::BTreeSet;

use super::{
    Condition, Joined, KeyPattern, Label, Replacement,
    keep::{Bounds, Keep},
};
use crate::{
    registry::{Data, ValueName, ValueType, name::upcase},
    spec::document::{Exclusive, OnSubkeys},
};

/// A key, and the state that a spec requires of it and of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRule {
    /// The key or keys to which the rule applies.
    pub key: KeyPattern,
    /// The condition under which the rule applies; `None` if the rule has no condition.
    pub when: Option<Box<Condition>>,
    /// For a trigger: the condition that is true after Windows has acted on the rule. `None` for any other rule.
    pub done_when: Option<Box<Condition>>,
    /// Whether the key must exist even if the rule requires no value in it.
    pub must_exist: bool,
    /// The desired state of the key.
    pub desired: DesiredKey,
    /// Says whether the values (and subkeys) of the key that the spec does not name must be deleted; `None` if they
    /// stay.
    pub exclusive: Option<Exclusive>,
    /// The rule's id in findings, its severity and its controls; `None` if the spec gives none of them.
    pub label: Option<Box<Label>>,
}

/// The desired state of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum DesiredKey {
    /// The key is absent, with everything below it. The field says what happens to a key that has subkeys.
    Absent(OnSubkeys),
    /// The key exists.
    Present,
    /// The values of the key satisfy these rules. The key must exist if one of the rules requires a value to exist.
    Values(Vec<ValueRule>),
}

/// A value, and its desired state.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRule {
    /// The value name.
    pub name: ValueName,
    /// The condition under which the rule for this value applies, in addition to the condition of the rule for its key;
    /// `None` if it has no condition of its own.
    pub when: Option<Box<Condition>>,
    /// The desired state of the value.
    pub desired: Desired,
    /// The states that the rule can require, if `desired` or `if_absent` depends on a parameter without data, so that
    /// kbfix cannot plan changes for the rule. Then `desired` and `if_absent` contain example data for this parameter.
    /// `None` if they depend on no such parameter.
    pub varying: Option<Box<Varying>>,
    /// The data that Windows uses if the value is absent; `None` if the spec does not give it. If this data satisfies
    /// `desired`, an absent value does too, and kbfix does not create the value.
    pub if_absent: Option<Data>,
    /// Whether the data is sensitive, so that messages, diffs and reports do not show it.
    pub is_sensitive: bool,
    /// The value's id in findings, its severity and its controls. If the spec gives the value only some of these, a
    /// missing severity and missing controls are copied from the rule for its key. `None` if the spec gives the value
    /// none of them: then the label of the rule for its key applies.
    pub label: Option<Box<Label>>,
}

/// The states that a rule can require of a value, if the rule depends on a parameter without data.
#[derive(Debug, Clone, PartialEq)]
pub enum Varying {
    /// One of these states. There is one state for each data that the parameter allows, or a single state if only
    /// `if_absent` depends on the parameter.
    Each(Vec<Desired>),
    /// Data of one of these types. If there are bounds, the data is a number within them.
    Of(Vec<ValueType>, Option<Bounds>),
}

/// The desired state of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// The value is absent.
    Absent,
    /// The data equals one item of this list in type and bytes. Otherwise kbfix writes the first item.
    OneOf(Vec<Data>),
    /// The data is one of `choices`, or has the type of one of `choices` and passes the test `keep`. Otherwise kbfix
    /// writes the first of `choices`.
    Kept {
        /// The data that the rule requires, once for each accepted type.
        choices: Vec<Data>,
        /// The test for existing data that stays as it is.
        keep: Box<Keep>,
    },
    /// The value is a string that contains a list separated by commas, with the same items as `text`. Order and letter
    /// case do not matter.
    CommaSet {
        /// The type of the value: REG_SZ or REG_EXPAND_SZ.
        value_type: ValueType,
        /// The desired list as a string. kbfix writes this string if the value is not in the desired state.
        text: String,
    },
    /// The value is a number of this type in which the `set` bits are 1 and the `clear` bits are 0.
    Bits {
        /// The type of the value: REG_DWORD or REG_QWORD.
        value_type: ValueType,
        /// The bits that must be 1.
        set: u64,
        /// The bits that must be 0.
        clear: u64,
    },
    /// The value is a REG_MULTI_SZ that contains all strings of `add` and no string of `remove`. Letter case does not
    /// matter. If `add` is empty, the value can also be absent.
    List {
        /// The strings that the list must contain.
        add: Vec<String>,
        /// The strings that the list must not contain.
        remove: Vec<String>,
    },
    /// The value is a string that contains a list with separators. The list contains each item that `edit` adds, and no
    /// item that `edit` removes. If kbfix creates the value, the value gets the first of `types`. If `edit` adds no
    /// item, the value can also be absent.
    Joined {
        /// The accepted types: REG_SZ, REG_EXPAND_SZ or both.
        types: Vec<ValueType>,
        /// The separator of the list, the items that the list must contain, and those that it must not contain.
        edit: Box<Joined>,
    },
    /// The value is a string in which `edit` has replaced one part.
    Replaced {
        /// The accepted types: REG_SZ, REG_EXPAND_SZ or both.
        types: Vec<ValueType>,
        /// The pattern that finds the part, and the text that replaces the part.
        edit: Box<Replacement>,
    },
}

impl KeyRule {
    /// Returns whether the rule does not always apply: it has a condition, or is a trigger.
    pub fn is_conditional(&self) -> bool {
        self.when.is_some() || self.done_when.is_some()
    }

    /// Returns whether the rule requires the key to exist, at least if each `when` of its values is true.
    pub fn may_need_key(&self) -> bool {
        self.must_exist || self.values().iter().any(|value| !value.may_be_absent())
    }

    /// Returns whether the rule requires the key to exist even if each `when` of its values is false.
    pub fn needs_key(&self) -> bool {
        self.must_exist || self.values().iter().any(|value| value.when.is_none() && !value.may_be_absent())
    }

    /// Returns the rules for the values of the key; empty if there are none.
    pub fn values(&self) -> &[ValueRule] {
        match &self.desired {
            DesiredKey::Values(values) => values,
            DesiredKey::Absent(_) | DesiredKey::Present => &[],
        }
    }

    /// Returns whether the rule, or the rule for one of its values, has an id, a severity or controls.
    pub fn is_labelled(&self) -> bool {
        self.label.is_some() || self.values().iter().any(|value| value.label.is_some())
    }
}

impl DesiredKey {
    /// Returns whether the key must be absent.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }
}

impl ValueRule {
    /// Returns whether an absent value can satisfy this rule.
    pub fn may_be_absent(&self) -> bool {
        match &self.desired {
            Desired::Absent => true,
            Desired::List { .. } | Desired::Joined { .. } if self.varying.is_some() => true,
            Desired::List { add, .. } => add.is_empty(),
            Desired::Joined { edit, .. } => edit.add.is_empty(),
            desired => {
                let agrees = |meant: &Data| desired.agrees_with(&Desired::OneOf(vec![meant.clone()]));
                self.if_absent.as_ref().is_some_and(|meant| self.varying.is_some() || agrees(meant))
            }
        }
    }
}

impl Desired {
    /// Returns the types that the value may have; empty if the value must be absent.
    pub(in crate::spec) fn types(&self) -> Vec<ValueType> {
        match self {
            Self::Absent => Vec::new(),
            Self::OneOf(all) | Self::Kept { choices: all, .. } => all.iter().map(|data| data.value_type).collect(),
            Self::CommaSet { value_type, .. } | Self::Bits { value_type, .. } => vec![*value_type],
            Self::List { .. } => vec![ValueType::MULTI_SZ],
            Self::Joined { types, .. } | Self::Replaced { types, .. } => types.clone(),
        }
    }
}

/// Splits a string into the items of a list separated by commas. Returns each item that is not empty once, as UTF-16 in
/// upper case and without spaces around it. Spaces around `=` are removed as well, because Windows accepts them in UNC
/// hardening flags (`RequireIntegrity = 1`).
pub fn comma_set(text: &str) -> BTreeSet<Vec<u16>> {
    let tidy = |item: &str| item.split('=').map(str::trim).collect::<Vec<_>>().join("=");
    let items = text.split(',').map(tidy).filter(|item| !item.is_empty());
    items.map(|item| item.encode_utf16().map(upcase).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_rules_want_agrees_where_a_value_can_be_both() {
        let set = |text: &str| Desired::CommaSet { value_type: ValueType::SZ, text: text.to_owned() };
        let list = |add: &[&str]| Desired::List { add: add.iter().map(ToString::to_string).collect(), remove: vec![] };
        let bits = Desired::Bits { value_type: ValueType::DWORD, set: 2, clear: 1 };
        assert!(set("A=1, b=1").agrees_with(&set("B = 1,a = 1")));
        assert!(set("A=1, B=1").agrees_with(&Desired::OneOf(vec![Data::sz("b =1,a=1")])));
        assert!(!set("A=1").agrees_with(&set("A=1,B=1")));
        assert!(!set("ß").agrees_with(&set("SS")));
        let joined = |separator: &str, add: &[&str], remove: &[&str]| {
            let strings = |all: &[&str]| all.iter().map(ToString::to_string).collect();
            let edit = Joined { separator: separator.to_owned(), add: strings(add), remove: strings(remove) };
            Desired::Joined { types: vec![ValueType::EXPAND_SZ, ValueType::SZ], edit: Box::new(edit) }
        };
        let replaced = |pattern: &str, with: &str| {
            let edit =
                Replacement { pattern: crate::spec::model::Expression::new(pattern).unwrap(), with: with.to_owned() };
            Desired::Replaced { types: vec![ValueType::SZ], edit: Box::new(edit) }
        };
        for (edit, agrees) in [
            (joined(",", &["b=1"], &["C"]), true),
            (joined(",", &["C"], &[]), false),
            (joined(",", &[], &["a=1"]), false),
            (joined(";", &["a=1"], &[]), false),
            (replaced("B=(?<part>[01])", "1"), true),
            (replaced("B=(?<part>[01])", "0"), false),
            (replaced("C=(?<part>[01])", "1"), false),
        ] {
            let both = (edit.agrees_with(&set("A=1,B=1")), set("A=1,B=1").agrees_with(&edit));
            assert_eq!(both, (agrees, agrees), "{edit:?}");
        }
        assert!(list(&["a"]).agrees_with(&Desired::OneOf(vec![Data::multi_sz(["b", "A"])])));
        // Programs read the list only up to the first empty string.
        assert!(!list(&["a"]).agrees_with(&Desired::OneOf(vec![Data::multi_sz(["b", "", "a"])])));
        assert!(bits.agrees_with(&Desired::OneOf(vec![Data::dword(6)])));
        assert!(!bits.agrees_with(&Desired::OneOf(vec![Data::dword(7), Data::qword(6)])));
    }
}
