//! The rules: the desired state of keys and values.

use std::collections::BTreeSet;

use super::{Condition, Joined, KeyPattern, Label, Replacement, keep::Keep};
use crate::{
    registry::{Data, ValueName, ValueType, name::upcase},
    spec::document::{Exclusive, OnSubkeys},
};

/// A key and what must hold in it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRule {
    /// The key.
    pub key: KeyPattern,
    /// The condition under which the rule applies.
    pub when: Option<Condition>,
    /// If the rule is a trigger: the condition that says that it is done.
    pub done_when: Option<Condition>,
    /// Whether the key must exist even if all of its values must be absent.
    pub must_exist: bool,
    /// The desired state.
    pub desired: DesiredKey,
    /// The extent to which the key may hold nothing else.
    pub exclusive: Option<Exclusive>,
    /// Whether the rule's key or conditions depend on a parameter that is not set.
    pub is_open: bool,
    /// The rule's name in findings, its severity and controls, if the spec gives any.
    pub label: Option<Label>,
}

/// The desired state of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum DesiredKey {
    /// The key is absent with everything below it; the setting says what to do if it has subkeys.
    Absent(OnSubkeys),
    /// The key exists.
    Present,
    /// These rules hold for its values; the key exists if one of them requires a value.
    Values(Vec<ValueRule>),
}

/// A value and its desired state.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRule {
    /// The value name.
    pub name: ValueName,
    /// The condition under which the rule applies.
    pub when: Option<Condition>,
    /// The desired state.
    pub desired: Desired,
    /// The data that Windows assumes when the value is absent.
    pub if_absent: Option<Data>,
    /// Whether the data is shown to nobody.
    pub is_sensitive: bool,
    /// The value's name in findings, if the spec gives it a label; with the rule's severity and controls where it has
    /// none of its own.
    pub label: Option<Label>,
}

/// The desired state of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// The value is absent.
    Absent,
    /// The value is one of these, compared by type and bytes. The first is written.
    OneOf(Vec<Data>),
    /// The value is one of `choices`, or data of one of their types that `keep` accepts. The first choice is written.
    Kept {
        /// The data, once for each accepted type.
        choices: Vec<Data>,
        /// The existing data that stays.
        keep: Keep,
    },
    /// The value is a string of this type with exactly the items of `text`, as lists separated by commas.
    CommaSet {
        /// REG_SZ or REG_EXPAND_SZ.
        value_type: ValueType,
        /// The string that is written.
        text: String,
    },
    /// The value is a number of this type in which the `set` bits are 1 and the `clear` bits are 0.
    Bits {
        /// REG_DWORD or REG_QWORD.
        value_type: ValueType,
        /// Bits that are 1.
        set: u64,
        /// Bits that are 0.
        clear: u64,
    },
    /// The value is a REG_MULTI_SZ that has the `add` strings and not the `remove` strings.
    List {
        /// Strings that are in the list.
        add: Vec<String>,
        /// Strings that are not in the list.
        remove: Vec<String>,
    },
    /// The value is a string of one of these types, a list with separators that has some items and not others. The first
    /// type is written.
    Joined {
        /// REG_SZ, REG_EXPAND_SZ or both.
        types: Vec<ValueType>,
        /// The items.
        edit: Joined,
    },
    /// The value is a string of one of these types with a part that is as given.
    Replaced {
        /// REG_SZ, REG_EXPAND_SZ or both.
        types: Vec<ValueType>,
        /// The part.
        edit: Replacement,
    },
}

impl KeyRule {
    /// Returns whether the rule applies only under a condition or on request.
    pub fn is_conditional(&self) -> bool {
        self.when.is_some() || self.done_when.is_some()
    }

    /// Returns the rules about the key's values.
    pub fn values(&self) -> &[ValueRule] {
        match &self.desired {
            DesiredKey::Values(values) => values,
            DesiredKey::Absent(_) | DesiredKey::Present => &[],
        }
    }

    /// Returns whether the rule or one of its values has a label.
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
    /// Returns whether this rule alone allows the value to be absent.
    pub fn may_be_absent(&self) -> bool {
        match &self.desired {
            Desired::Absent => true,
            Desired::List { add, .. } => add.is_empty(),
            Desired::Joined { edit, .. } => edit.add.is_empty(),
            desired => {
                self.if_absent.as_ref().is_some_and(|meant| desired.agrees_with(&Desired::OneOf(vec![meant.clone()])))
            }
        }
    }
}

/// Returns the items of a list separated by commas: without spaces around them, each once, in upper case like names. A
/// space around `=` is dropped too, because UNC hardening flags can be written with one (`RequireIntegrity = 1`).
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
        assert!(list(&["a"]).agrees_with(&Desired::OneOf(vec![Data::multi_sz(["b", "A"])])));
        // Programs read the list only up to an empty string.
        assert!(!list(&["a"]).agrees_with(&Desired::OneOf(vec![Data::multi_sz(["b", "", "a"])])));
        assert!(bits.agrees_with(&Desired::OneOf(vec![Data::dword(6)])));
        assert!(!bits.agrees_with(&Desired::OneOf(vec![Data::dword(7), Data::qword(6)])));
    }
}
