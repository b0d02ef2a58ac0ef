//! The registry rules of a checked spec: the desired state of keys and values.

use std::collections::BTreeSet;

use super::{Condition, Joined, KeyPattern, Label, Replacement, keep::Keep};
use crate::{
    registry::{Data, ValueName, ValueType, name::upcase},
    spec::document::{Exclusive, OnSubkeys},
};

/// A key, and the state that a spec requires of it and of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRule {
    /// The key.
    pub key: KeyPattern,
    /// The condition under which the rule applies; `None` if it always applies.
    pub when: Option<Box<Condition>>,
    /// For a trigger: the condition that is true when the trigger is done. `None` for any other rule.
    pub done_when: Option<Box<Condition>>,
    /// Whether the key must exist even if all of its values must be absent.
    pub must_exist: bool,
    /// The desired state of the key.
    pub desired: DesiredKey,
    /// Whether other content of the key must be deleted.
    pub exclusive: Option<Exclusive>,
    /// Whether the rule's key or conditions depend on an unset parameter.
    pub is_open: bool,
    /// The rule's id in findings, its severity and its controls, if the spec gives any.
    pub label: Option<Box<Label>>,
}

/// The desired state of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum DesiredKey {
    /// The key is absent, together with everything below it. The field says what to do if the key has subkeys.
    Absent(OnSubkeys),
    /// The key exists.
    Present,
    /// The values of the key satisfy these rules. The key must exist if one of the rules requires a value.
    Values(Vec<ValueRule>),
}

/// A value, and its desired state.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRule {
    /// The value name.
    pub name: ValueName,
    /// The condition under which the rule for this value applies; `None` if it always applies.
    pub when: Option<Box<Condition>>,
    /// The desired state.
    pub desired: Desired,
    /// The data that Windows uses if the value is absent.
    pub if_absent: Option<Data>,
    /// Whether the data is sensitive, so that it is never shown.
    pub is_sensitive: bool,
    /// The value's id in findings, its severity and its controls. Severity and controls are those of the rule if the
    /// value has none. `None` if the spec gives no label.
    pub label: Option<Box<Label>>,
}

/// The desired state of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// The value is absent.
    Absent,
    /// The data equals one of these in type and bytes. If not, the first is written.
    OneOf(Vec<Data>),
    /// The data is one of `choices`, or data of one of their types that `keep` accepts. If not, the first choice is
    /// written.
    Kept {
        /// The required data, once for each accepted type.
        choices: Vec<Data>,
        /// The existing data that stays as it is.
        keep: Keep,
    },
    /// The value is a string of this type. As a list separated by commas, it has the same items as `text`.
    CommaSet {
        /// The type: REG_SZ or REG_EXPAND_SZ.
        value_type: ValueType,
        /// The string that is written if the items differ.
        text: String,
    },
    /// The value is a number of this type in which the `set` bits are 1 and the `clear` bits are 0.
    Bits {
        /// The type: REG_DWORD or REG_QWORD.
        value_type: ValueType,
        /// The bits that must be 1.
        set: u64,
        /// The bits that must be 0.
        clear: u64,
    },
    /// The value is a REG_MULTI_SZ that contains all strings of `add` and no string of `remove`.
    List {
        /// The strings that the list must contain.
        add: Vec<String>,
        /// The strings that the list must not contain.
        remove: Vec<String>,
    },
    /// The value is a string of one of these types, and is read as a list with separators. The list must contain some
    /// items and must not contain others. A new value gets the first type.
    Joined {
        /// The accepted types: REG_SZ, REG_EXPAND_SZ or both.
        types: Vec<ValueType>,
        /// The items that the list must and must not contain.
        edit: Joined,
    },
    /// The value is a string of one of these types, in which one part is as required.
    Replaced {
        /// The accepted types: REG_SZ, REG_EXPAND_SZ or both.
        types: Vec<ValueType>,
        /// The part, and what it must be.
        edit: Replacement,
    },
}

impl KeyRule {
    /// Returns whether the rule applies only under a condition or only on request.
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

    /// Returns whether the spec gives the rule, or one of its values, an id, a severity or controls.
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

/// Splits a list separated by commas into its items. Each item is returned once, without spaces around it, and in upper
/// case like a name. Spaces around `=` are dropped as well, because UNC hardening flags can be written with them
/// (`RequireIntegrity = 1`).
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
        // Programs read the list only up to the first empty string.
        assert!(!list(&["a"]).agrees_with(&Desired::OneOf(vec![Data::multi_sz(["b", "", "a"])])));
        assert!(bits.agrees_with(&Desired::OneOf(vec![Data::dword(6)])));
        assert!(!bits.agrees_with(&Desired::OneOf(vec![Data::dword(7), Data::qword(6)])));
    }
}
