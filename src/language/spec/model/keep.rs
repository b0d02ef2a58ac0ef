//! The field `keep` of a value rule in a checked spec: the test for existing data that stays as it is.

use std::collections::HashSet;

use super::Expression;
use crate::{
    diag::text::{first_few, shorten},
    registry::{Data, Decoded, ValueType, name::folded, notation},
};

/// The lowest and the highest number that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The lowest accepted number; `None` if there is no lower limit.
    pub least: Option<u64>,
    /// The highest accepted number; `None` if there is no upper limit.
    pub most: Option<u64>,
}

/// The test that decides whether existing data of a value stays as it is. The data must also have a type that the value
/// rule accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Data stays if it is well-formed for its type.
    Any,
    /// A number within these bounds stays, also if it is a decimal number in a string.
    Between(Bounds),
    /// Data stays if it equals one item of this list in type and bytes.
    OneOf(Vec<Data>),
    /// Data stays if it is well-formed and equals no item of this list.
    NoneOf(Vec<Data>),
    /// A list stays if it contains each of these strings. Without a separator, a REG_SZ or REG_EXPAND_SZ is not a list:
    /// it stays if each of these strings is a part of it.
    Contains(Items),
    /// A list stays if it contains no strings other than these. Without a separator, a REG_SZ or REG_EXPAND_SZ is not a
    /// list, and does not stay.
    Subset(Items),
    /// A string stays if this regular expression matches a part of it.
    Matches(Expression),
}

/// The strings of [`Keep::Contains`] or [`Keep::Subset`]. The list that they are compared with is a REG_MULTI_SZ, or a
/// string with separators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items {
    /// The strings that the existing data must contain ([`Keep::Contains`]), or besides which it must contain no others
    /// ([`Keep::Subset`]).
    pub items: Vec<String>,
    /// The text between the items of a list in a REG_SZ or REG_EXPAND_SZ; `None` if such a string is not a list.
    pub separator: Option<String>,
    /// Whether the items of a list are compared without regard to letter case. In a string that is not a list, letter
    /// case always matters.
    pub ignore_case: bool,
}

impl Items {
    /// Returns the items of the list in the data, as UTF-16, and in upper case if letter case is ignored. Returns
    /// `None` if the data is not a list.
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

/// Joins the texts. In the short form (`{:#}`), cuts each text, and a list after its first five texts.
fn joined(texts: impl Iterator<Item = String>, between: &str, is_short: bool) -> String {
    let texts: Vec<String> = if is_short { texts.map(|text| shorten(&text)).collect() } else { texts.collect() };
    if is_short && texts.len() > 5 { first_few(texts) } else { texts.join(between) }
}

impl std::fmt::Display for Items {
    /// Formats the strings as `"a", "b"`, followed by a note if `ignore_case` is false. `{:#}` gives a short form.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&joined(self.items.iter().map(|item| notation::quoted(item)), ", ", f.alternate()))?;
        f.write_str(if self.ignore_case { "" } else { " in this letter case" })
    }
}

impl Bounds {
    /// Returns whether `number` is within the bounds.
    pub fn hold(self, number: u64) -> bool {
        self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
    }

    /// Returns whether every number within the bounds `other` is also within these bounds.
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
    /// Formats the test as words that follow the type, such as `REG_DWORD, 3 or higher`. `{:#}` gives a short form for
    /// messages, in which no type is before the words: it contains at most five items of a list, and the beginning of a
    /// long text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let or = |all: &[Data]| joined(all.iter().map(notation::data), " or ", f.alternate());
        let (containing, matching) = match f.alternate() {
            true => ("data that contains", "data that matches"),
            false => ("containing", "matching"),
        };
        match self {
            Self::Any => f.write_str("whatever the data"),
            Self::Between(bounds) => bounds.fmt(f),
            Self::OneOf(all) => f.write_str(&or(all)),
            Self::NoneOf(all) => write!(f, "anything but {}", or(all)),
            Self::Contains(items) => write!(f, "{containing} ").and_then(|()| items.fmt(f)),
            Self::Subset(items) => write!(f, "{containing} only ").and_then(|()| items.fmt(f)),
            Self::Matches(expression) => {
                let quoted = std::iter::once(notation::quoted(expression.as_str()));
                write!(f, "{matching} {}", joined(quoted, "", f.alternate()))
            }
        }
    }
}

impl Keep {
    /// Returns whether the existing data `found` stays as it is. The type of the data must be one of `types`, and the
    /// data must pass this test.
    pub fn keeps(&self, types: impl IntoIterator<Item = ValueType>, found: &Data) -> bool {
        let decoded = found.decode_as_read();
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

/// Returns the number that the data contains: data of a number type, or a decimal number in a string, without sign,
/// spaces or leading zeros. Returns `None` for other data, and for a number of more than 64 bits.
pub(super) fn number(decoded: &Decoded) -> Option<u64> {
    match decoded {
        Decoded::Number(number) => Some(*number),
        Decoded::Text(text) => text.parse().ok().filter(|number: &u64| number.to_string() == *text),
        _ => None,
    }
}
