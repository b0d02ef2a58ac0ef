//! The rules: keys and values as they must be.

use std::collections::{BTreeSet, HashSet};

use super::{
    Condition, KeyPattern,
    keep::{Choice, Keep},
};
use crate::{
    registry::{
        Data, Decoded, ValueName, ValueType,
        name::{folded, upcase},
    },
    spec::document::{Exclusive, OnSubkeys},
};

/// A key and what must hold in it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRule {
    /// The key.
    pub key: KeyPattern,
    /// Counts only where this holds.
    pub when: Option<Condition>,
    /// The key must exist, also where all of its values must be absent.
    pub must_exist: bool,
    /// What must hold.
    pub desired: DesiredKey,
    /// How far the key holds nothing else.
    pub exclusive: Option<Exclusive>,
    /// It depends on a parameter that is not set.
    pub is_open: bool,
}

/// What must hold of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum DesiredKey {
    /// It is absent, with all below it, or only where nothing is.
    Absent(OnSubkeys),
    /// It exists.
    Present,
    /// These hold of its values; it exists where one of them must.
    Values(Vec<ValueRule>),
}

/// A value and what must hold of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRule {
    /// The value name.
    pub name: ValueName,
    /// Counts only where this holds.
    pub when: Option<Condition>,
    /// What must hold.
    pub desired: Desired,
    /// What an absent value means to Windows.
    pub if_absent: Option<Data>,
    /// Whether its data is shown to nobody.
    pub is_sensitive: bool,
}

/// What must hold of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// It is absent.
    Absent,
    /// It is one of these, type and bytes. The first is written.
    OneOf(Vec<Data>),
    /// It is one of `choices`, or data of their types that `keep` keeps. The first choice is written.
    Kept {
        /// The data, by each type that will do.
        choices: Vec<Data>,
        /// What stays as it is.
        keep: Keep,
    },
    /// It is a string of this type that, as a list separated by commas, has just the items of `text`.
    CommaSet {
        /// REG_SZ or REG_EXPAND_SZ.
        value_type: ValueType,
        /// What is written.
        text: String,
    },
    /// It is a number of this type in which these bits are 1 and those are 0.
    Bits {
        /// REG_DWORD or REG_QWORD.
        value_type: ValueType,
        /// Bits that are 1.
        set: u64,
        /// Bits that are 0.
        clear: u64,
    },
    /// It is a REG_MULTI_SZ that has these strings and not those.
    List {
        /// Strings that are in it.
        add: Vec<String>,
        /// Strings that are not in it.
        remove: Vec<String>,
    },
}

impl DesiredKey {
    /// Whether the key is to be absent.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }
}

impl ValueRule {
    /// Whether the value may be absent, as far as the rule alone says.
    pub fn may_be_absent(&self) -> bool {
        match &self.desired {
            Desired::Absent => true,
            Desired::List { add, .. } => add.is_empty(),
            desired => {
                self.if_absent.as_ref().is_some_and(|meant| desired.agrees_with(&Desired::OneOf(vec![meant.clone()])))
            }
        }
    }
}

impl Desired {
    /// Whether a value can be what this and `other` ask for, at the same time.
    pub fn agrees_with(&self, other: &Self) -> bool {
        use Desired::{Absent, Bits, CommaSet, Kept, List, OneOf};
        match (self, other) {
            (Absent, Absent) => true,
            (Kept { choices, keep }, other) | (other, Kept { choices, keep }) => {
                let choice = Choice { choices, keep: Some(keep) };
                match other {
                    Absent => false,
                    OneOf(choices) => choice.agrees_with(&Choice { choices, keep: None }),
                    Kept { choices, keep } => choice.agrees_with(&Choice { choices, keep: Some(keep) }),
                    edit => choice.agrees_with_edit(edit),
                }
            }
            (OneOf(a), OneOf(b)) => a.iter().any(|data| b.contains(data)),
            (OneOf(all), Bits { value_type, set, clear }) | (Bits { value_type, set, clear }, OneOf(all)) => {
                let same = |n: u64| n & set == *set && n & clear == 0;
                all.iter()
                    .any(|data| data.value_type == *value_type && data.as_read_number(*value_type).is_ok_and(same))
            }
            (Bits { value_type: a, set, clear }, Bits { value_type: b, set: set_too, clear: clear_too }) => {
                a == b && set & clear_too == 0 && clear & set_too == 0
            }
            (List { add, remove }, List { add: add_too, remove: remove_too }) => {
                !meet(add, remove_too) && !meet(remove, add_too)
            }
            (OneOf(all), List { add, remove }) | (List { add, remove }, OneOf(all)) => {
                let same = |found: Vec<String>| {
                    let there: HashSet<_> = found.iter().map(|item| folded(item)).collect();
                    add.iter().all(|item| there.contains(&folded(item))) && !meet(&found, remove)
                };
                all.iter().any(|data| data.value_type == ValueType::MULTI_SZ && data.as_read_list().is_ok_and(same))
            }
            (CommaSet { value_type: a, text }, CommaSet { value_type: b, text: other }) => {
                a == b && comma_set(text) == comma_set(other)
            }
            (OneOf(all), CommaSet { value_type, text }) | (CommaSet { value_type, text }, OneOf(all)) => {
                all.iter().any(|data| match data.decode() {
                    Decoded::Text(found) => data.value_type == *value_type && comma_set(&found) == comma_set(text),
                    _ => false,
                })
            }
            _ => false,
        }
    }
}

/// The items of a list separated by commas: without spaces around them, each once, in upper case as names have it. A space
/// around `=` does not matter either, as UNC hardening flags are written (`RequireIntegrity = 1`).
pub fn comma_set(text: &str) -> BTreeSet<Vec<u16>> {
    let tidy = |item: &str| item.split('=').map(str::trim).collect::<Vec<_>>().join("=");
    let items = text.split(',').map(tidy).filter(|item| !item.is_empty());
    items.map(|item| item.encode_utf16().map(upcase).collect()).collect()
}

fn meet(a: &[String], b: &[String]) -> bool {
    let there: HashSet<_> = b.iter().map(|item| folded(item)).collect();
    a.iter().any(|item| there.contains(&folded(item)))
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
        // Programs read up to the empty string.
        assert!(!list(&["a"]).agrees_with(&Desired::OneOf(vec![Data::multi_sz(["b", "", "a"])])));
        assert!(bits.agrees_with(&Desired::OneOf(vec![Data::dword(6)])));
        assert!(!bits.agrees_with(&Desired::OneOf(vec![Data::dword(7), Data::qword(6)])));
    }
}
