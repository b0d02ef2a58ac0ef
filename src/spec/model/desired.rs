//! The rules: keys and values as they must be.

use super::{
    Condition, KeyPattern,
    keep::{Choice, Keep},
};
use crate::registry::{Data, Decoded, ValueName, ValueType, name::compare};

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
}

/// What must hold of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum DesiredKey {
    /// It is absent, with all below it.
    Absent,
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
                all.iter().any(|data| match data.decode() {
                    Decoded::Number(n) => data.value_type == *value_type && n & set == *set && n & clear == 0,
                    _ => false,
                })
            }
            (Bits { value_type: a, set, clear }, Bits { value_type: b, set: set_too, clear: clear_too }) => {
                a == b && set & clear_too == 0 && clear & set_too == 0
            }
            (List { add, remove }, List { add: add_too, remove: remove_too }) => {
                !meet(add, remove_too) && !meet(remove, add_too)
            }
            (OneOf(all), List { add, remove }) | (List { add, remove }, OneOf(all)) => {
                all.iter().any(|data| match data.decode() {
                    Decoded::List(found) => add.iter().all(|a| has(&found, a)) && !meet(&found, remove),
                    _ => false,
                })
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

/// The items of a list separated by commas: without blanks around them and without case, sorted, each once.
pub fn comma_set(text: &str) -> Vec<String> {
    let items = text.split(',').map(|item| item.trim().to_lowercase()).filter(|item| !item.is_empty());
    let mut items: Vec<String> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|item| compare(item, wanted).is_eq())
}

fn meet(a: &[String], b: &[String]) -> bool {
    a.iter().any(|item| has(b, item))
}
