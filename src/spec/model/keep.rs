//! Existing data that stays as it is: the `keep` of a value.

use crate::registry::{Data, Decoded, ValueType, notation};

/// Bounds of a number, inclusive; a missing bound does not restrict it.
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
    /// Any data that is well-formed for its type.
    Any,
    /// Numbers within these bounds, also as decimal strings.
    Between(Bounds),
    /// Each of these, compared by type and bytes.
    OneOf(Vec<Data>),
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
        }
    }
}

impl Keep {
    /// Returns whether `found` stays as it is; `types` are the accepted types. Data of another type never stays.
    pub fn keeps(&self, types: impl IntoIterator<Item = ValueType>, found: &Data) -> bool {
        let decoded = found.decode();
        types.into_iter().any(|t| t == found.value_type)
            && match self {
                Self::Any => !matches!(decoded, Decoded::Malformed(_)),
                Self::Between(bounds) => number(&decoded).is_some_and(|number| bounds.hold(number)),
                Self::OneOf(all) => all.contains(found),
            }
    }
}

/// Returns the number in the data: that of a number type, or a decimal string without sign, spaces or leading zeros.
fn number(decoded: &Decoded) -> Option<u64> {
    match decoded {
        Decoded::Number(number) => Some(*number),
        Decoded::Text(text) => text.parse().ok().filter(|number: &u64| number.to_string() == *text),
        _ => None,
    }
}
