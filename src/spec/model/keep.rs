//! Data that stays as it is where it is found: what `keep` says of a value.

use super::desired::Desired;
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
    fn contain(self, other: Self) -> bool {
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

/// A value that must be one of `choices`, or data that `keep` keeps in one of their types. The first choice is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    /// What may be written.
    pub choices: &'a [Data],
    /// What else may stay.
    pub keep: Option<&'a Keep>,
}

impl Choice<'_> {
    fn types(&self) -> impl Iterator<Item = ValueType> {
        self.choices.iter().map(|data| data.value_type)
    }

    fn accepts(&self, data: &Data) -> bool {
        self.choices.contains(data) || self.keep.is_some_and(|keep| keep.keeps(self.types(), data))
    }

    fn accepts_what_this_writes(&self, other: &Self) -> bool {
        other.choices.first().is_some_and(|data| self.accepts(data))
    }

    /// Whether everything that `other` accepts is accepted here.
    fn contains(&self, other: &Self) -> bool {
        let kept = match (self.keep, other.keep) {
            (_, None) => true,
            (_, Some(Keep::OneOf(all))) => all.iter().all(|data| self.accepts(data)),
            (Some(Keep::Any), _) => other.types().all(|t| self.types().any(|own| own == t)),
            (Some(Keep::Between(own)), Some(Keep::Between(bounds))) => {
                own.contain(*bounds) && other.types().all(|t| self.types().any(|own| own == t))
            }
            _ => false,
        };
        kept && other.choices.iter().all(|data| self.accepts(data))
    }

    /// Whether, once each of the two was put in order, in either turn, both hold: neither writes what the other does not
    /// accept, unless it never has to write after the other.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let fine = |a: &Self, b: &Self| b.accepts_what_this_writes(a) || a.contains(b);
        fine(self, other) && fine(other, self)
    }

    /// Whether a change of bits, or of the strings of a list, leaves what is kept: what is written here passes it, and what it
    /// makes of data that is kept is kept again.
    pub(super) fn agrees_with_edit(&self, edit: &Desired) -> bool {
        let written = self.choices.first();
        let written_passes = written.is_some_and(|data| Desired::OneOf(vec![data.clone()]).agrees_with(edit));
        let stays = match (self.keep, edit) {
            (Some(Keep::Any), _) => true,
            (Some(Keep::Between(bounds)), Desired::Bits { set, clear, .. }) => {
                (bounds.most.is_none() || *set == 0) && (bounds.least.is_none() || *clear == 0)
            }
            (Some(Keep::OneOf(all)), _) => all.iter().all(|data| Desired::OneOf(vec![data.clone()]).agrees_with(edit)),
            _ => false,
        };
        written_passes && stays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(data: u32, keep: Keep) -> Desired {
        Desired::Kept { choices: vec![Data::dword(data)], keep }
    }

    fn between(least: impl Into<Option<u64>>, most: impl Into<Option<u64>>) -> Keep {
        Keep::Between(Bounds { least: least.into(), most: most.into() })
    }

    #[test]
    fn type_and_form_count_before_the_number() {
        let keep = between(None, 900);
        let keeps = |data: Data| keep.keeps([ValueType::SZ, ValueType::DWORD], &data);
        for data in [Data::sz("900"), Data::sz("0"), Data::dword(900)] {
            assert!(keeps(data.clone()), "{data:?}");
        }
        for text in ["901", "", " 60", "+60", "-1", "060", "0x10", "60 s", "18446744073709551616"] {
            assert!(!keeps(Data::sz(text)), "{text}");
        }
        assert!(!keeps(Data::qword(1)));
        assert!(!keeps(Data::text(ValueType::EXPAND_SZ, "60")));
        assert!(!Keep::Any.keeps([ValueType::DWORD], &Data::new(ValueType::DWORD, [1, 0, 0])));
        assert!(Keep::Any.keeps([ValueType::BINARY], &Data::new(ValueType::BINARY, [1, 0, 0])));
    }

    #[test]
    fn two_specs_agree_where_both_hold_once_each_was_put_in_order() {
        let exactly = |n: u32| Desired::OneOf(vec![Data::dword(n)]);
        let list = |all: &[u32]| Keep::OneOf(all.iter().map(|n| Data::dword(*n)).collect());
        let bits = |set, clear| Desired::Bits { value_type: ValueType::DWORD, set, clear };
        for (a, b, agree) in [
            (kept(3, between(3, None)), exactly(5), true),
            (kept(3, between(3, None)), exactly(3), true),
            (kept(3, between(3, None)), exactly(2), false),
            (kept(3, between(3, None)), kept(5, between(5, None)), true),
            (kept(3, between(3, None)), kept(3, between(None, 3)), true),
            (kept(3, between(3, None)), kept(2, between(None, 2)), false),
            (kept(5, between(3, None)), kept(4, between(None, 4)), false),
            (kept(3, list(&[3, 5])), exactly(5), true),
            (kept(3, list(&[3, 5])), kept(3, between(3, None)), true),
            (kept(3, list(&[3, 5])), kept(4, between(4, None)), false),
            (kept(1, Keep::Any), exactly(7), true),
            (kept(1, Keep::Any), kept(3, between(3, None)), true),
            (kept(1, Keep::Any), bits(1, 0), true),
            (kept(0, Keep::Any), bits(1, 0), false),
            (kept(3, between(3, None)), bits(1, 0), true),
            (kept(4, between(3, None)), bits(0, 1), false),
            (kept(1, list(&[1, 3])), bits(1, 0), true),
            (kept(1, list(&[1, 2])), bits(1, 0), false),
            (kept(1, Keep::Any), Desired::Absent, false),
            (kept(1, Keep::Any), Desired::OneOf(vec![Data::sz("1")]), false),
        ] {
            assert_eq!((a.agrees_with(&b), b.agrees_with(&a)), (agree, agree), "{a:?} {b:?}");
        }
    }
}
