//! The existing data that a value may keep: the field `keep`.

use std::collections::HashSet;

use super::Expression;
use crate::registry::{Data, Decoded, ValueType, name::folded, notation};

/// Inclusive bounds for a number. A missing bound does not limit the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The lowest number.
    pub least: Option<u64>,
    /// The highest number.
    pub most: Option<u64>,
}

/// The existing data that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Any data stays that is well-formed for its type.
    Any,
    /// Numbers within these bounds stay, also as decimal strings.
    Between(Bounds),
    /// Data stays that equals one of these in type and bytes.
    OneOf(Vec<Data>),
    /// Any well-formed data stays that is not one of these.
    NoneOf(Vec<Data>),
    /// Lists stay that contain each of these strings. Without a separator, strings stay that contain each of these
    /// texts.
    Contains(Items),
    /// Lists stay that contain no other strings than these.
    Subset(Items),
    /// Strings stay in which this regular expression matches.
    Matches(Expression),
}

/// Strings to look for in a list. The list may be a single string with separators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items {
    /// The strings to look for.
    pub items: Vec<String>,
    /// The text between the items of a REG_SZ or REG_EXPAND_SZ.
    pub separator: Option<String>,
    /// Whether the items of a list are compared in any letter case, like names.
    pub ignore_case: bool,
}

impl Items {
    /// Returns the items of a list in the form that is compared; `None` if the data is not a list.
    fn of(&self, decoded: &Decoded) -> Option<HashSet<Vec<u16>>> {
        match (decoded, &self.separator) {
            (Decoded::List(list), _) => Some(list.iter().map(|item| self.compared(item)).collect()),
            (Decoded::Text(text), Some(separator)) => {
                let items = text.split(separator.as_str()).map(str::trim).filter(|item| !item.is_empty());
                Some(items.map(|item| self.compared(item)).collect())
            }
            _ => None,
        }
    }

    fn compared(&self, item: &str) -> Vec<u16> {
        if self.ignore_case { folded(item) } else { item.encode_utf16().collect() }
    }

    fn contained_in(&self, decoded: &Decoded) -> bool {
        match (self.of(decoded), decoded) {
            (Some(found), _) => self.items.iter().all(|item| found.contains(&self.compared(item))),
            (None, Decoded::Text(text)) => self.items.iter().all(|item| text.contains(item)),
            _ => false,
        }
    }

    fn contain_all_of(&self, decoded: &Decoded) -> bool {
        let own: HashSet<_> = self.items.iter().map(|item| self.compared(item)).collect();
        self.of(decoded).is_some_and(|found| found.is_subset(&own))
    }
}

impl std::fmt::Display for Items {
    /// Formats the strings as `"a", "b"`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.items.iter().map(|item| notation::quoted(item)).collect::<Vec<_>>().join(", "))?;
        f.write_str(if self.ignore_case { "" } else { " in this letter case" })
    }
}

impl Bounds {
    /// Returns whether `number` is within the bounds.
    pub fn hold(self, number: u64) -> bool {
        self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
    }

    /// Returns whether every number within `other` is within these bounds.
    pub(super) fn contain(self, other: Self) -> bool {
        let least = self.least.is_none_or(|least| other.least.is_some_and(|other| other >= least));
        least && self.most.is_none_or(|most| other.most.is_some_and(|other| other <= most))
    }
}

impl std::fmt::Display for Bounds {
    /// Formats the bounds as `3 or higher`, `900 or lower` or `from 1 to 900`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.least, self.most) {
            (Some(least), Some(most)) => write!(f, "from {least} to {most}"),
            (Some(least), None) => write!(f, "{least} or higher"),
            (None, Some(most)) => write!(f, "{most} or lower"),
            (None, None) => f.write_str("a number"),
        }
    }
}

impl std::fmt::Display for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("whatever the data"),
            Self::Between(bounds) => bounds.fmt(f),
            Self::OneOf(all) => f.write_str(&all.iter().map(notation::data).collect::<Vec<_>>().join(" or ")),
            Self::NoneOf(all) => {
                write!(f, "anything but {}", all.iter().map(notation::data).collect::<Vec<_>>().join(" or "))
            }
            Self::Contains(items) => write!(f, "containing {items}"),
            Self::Subset(items) => write!(f, "containing only {items}"),
            Self::Matches(expression) => write!(f, "matching {}", notation::quoted(expression.as_str())),
        }
    }
}

impl Keep {
    /// Returns whether the data `found` stays as it is. `types` are the accepted types; data of another type never
    /// stays.
    pub fn keeps(&self, types: impl IntoIterator<Item = ValueType>, found: &Data) -> bool {
        let decoded = found.decode();
        types.into_iter().any(|t| t == found.value_type)
            && match self {
                Self::Any => !matches!(decoded, Decoded::Malformed(_)),
                Self::Between(bounds) => number(&decoded).is_some_and(|number| bounds.hold(number)),
                Self::OneOf(all) => all.contains(found),
                Self::NoneOf(all) => !matches!(decoded, Decoded::Malformed(_)) && !all.contains(found),
                Self::Contains(items) => items.contained_in(&decoded),
                Self::Subset(items) => items.contain_all_of(&decoded),
                Self::Matches(expression) => {
                    matches!(&decoded, Decoded::Text(text) if expression.occurs_in(text))
                }
            }
    }
}

/// Returns the number that the data contains: in a number type, or in a decimal string without sign, spaces or leading
/// zeros.
pub(super) fn number(decoded: &Decoded) -> Option<u64> {
    match decoded {
        Decoded::Number(number) => Some(*number),
        Decoded::Text(text) => text.parse().ok().filter(|number: &u64| number.to_string() == *text),
        _ => None,
    }
}
