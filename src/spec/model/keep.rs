//! Data that stays as it is where it is found: what `keep` says of a value.

use crate::registry::{Data, Decoded, ValueType, notation};

/// Numbers between two, both included; a bound that is not there does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The lowest.
    pub least: Option<u64>,
    /// The highest.
    pub most: Option<u64>,
}

/// Which data stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Data of every kind that its type allows.
    Any,
    /// Numbers between these, also in decimal as text.
    Between(Bounds),
    /// Each of these, type and bytes.
    OneOf(Vec<Data>),
}

impl Bounds {
    /// Whether `number` is between them.
    pub fn hold(self, number: u64) -> bool {
        self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
    }

    /// Whether every number between the others is between these, too.
    pub(super) fn contain(self, other: Self) -> bool {
        let least = self.least.is_none_or(|least| other.least.is_some_and(|other| other >= least));
        least && self.most.is_none_or(|most| other.most.is_some_and(|other| other <= most))
    }
}

impl std::fmt::Display for Bounds {
    /// As `3 or higher`, `900 or lower`, `from 1 to 900`.
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
    /// Whether `found` stays as it is, where `types` are those that will do. Bytes that their type does not allow never do.
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

/// The number that data is: that of a number type, or text in decimal without sign, spaces or leading zeros.
fn number(decoded: &Decoded) -> Option<u64> {
    match decoded {
        Decoded::Number(number) => Some(*number),
        Decoded::Text(text) => text.parse().ok().filter(|number: &u64| number.to_string() == *text),
        _ => None,
    }
}
