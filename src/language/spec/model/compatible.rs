//! Checks whether one value can satisfy two rules of specs at the same time.

use std::collections::HashSet;

use super::{
    desired::{Desired, comma_set},
    keep::{self, Keep},
};
use crate::registry::{Data, Decoded, ValueType, name::folded};

/// The data that a rule accepts for a value: each of `choices`, and other data that `keep` accepts. If the value has
/// data that the rule does not accept, kbfix writes the first of `choices`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    /// The data that the rule requires, once for each accepted type.
    pub choices: &'a [Data],
    /// The test for other data that stays as it is; `None` if no other data stays.
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

    /// Returns whether it is certain that this rule accepts all data that the rule `other` accepts.
    fn contains(&self, other: &Self) -> bool {
        let kept = match (self.keep, other.keep) {
            (_, None) => true,
            (_, Some(Keep::OneOf(all))) => all.iter().all(|data| self.accepts(data)),
            (Some(Keep::Any), _) => other.types().all(|t| self.types().any(|own| own == t)),
            (Some(Keep::Between(own)), Some(Keep::Between(bounds))) => {
                own.contain(*bounds) && other.types().all(|t| self.types().any(|own| own == t))
            }
            (Some(Keep::NoneOf(own)), Some(Keep::NoneOf(others))) => own.iter().all(|data| others.contains(data)),
            (Some(Keep::NoneOf(own)), Some(Keep::Between(bounds))) => {
                let is_outside = |data: &Data| !keep::number(&data.decode()).is_some_and(|number| bounds.hold(number));
                own.iter().all(is_outside) && other.types().all(|t| self.types().any(|own| own == t))
            }
            (Some(own), Some(kept)) => own == kept && other.types().all(|t| self.types().any(|own| own == t)),
            _ => false,
        };
        kept && other.choices.iter().all(|data| self.accepts(data))
    }

    /// Returns whether both rules are satisfied after kbfix has applied them one after the other, in either order. In
    /// each order, the second rule must write data that the first rule accepts, or write nothing because it accepts all
    /// data that the first rule accepts. Returns `false` if this is not certain.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let fine = |a: &Self, b: &Self| b.accepts_what_this_writes(a) || a.contains(b);
        fine(self, other) && fine(other, self)
    }

    /// Returns whether this rule is compatible with `edit`, a rule that requires only a part of the data, such as bits
    /// or the items of a list. The data that this rule writes must satisfy `edit`, and data that stays because of
    /// `keep` must still be accepted after `edit` has changed it. Returns `false` if this is not certain.
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

impl Desired {
    /// Returns whether this rule and `other` are compatible: one value can satisfy both. If a rule keeps other data
    /// (`keep`), both rules must also be satisfied after kbfix has applied them one after the other, in either order;
    /// returns `false` if this is not certain. If only the actual string can show whether two edits of a string
    /// conflict, returns `true`.
    pub fn agrees_with(&self, other: &Self) -> bool {
        use Desired::{Absent, Bits, CommaSet, Joined, Kept, List, OneOf, Replaced};
        match (self, other) {
            (Absent, Absent) => true,
            (Absent, List { add, .. }) | (List { add, .. }, Absent) => add.is_empty(),
            (Absent, Joined { edit, .. }) | (Joined { edit, .. }, Absent) => edit.add.is_empty(),
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
                a == b && (text == other || comma_set(text) == comma_set(other))
            }
            (OneOf(all), Joined { types, edit }) | (Joined { types, edit }, OneOf(all)) => {
                texts(all, types).any(|text| edit.edit(&text) == text)
            }
            (OneOf(all), Replaced { types, edit }) | (Replaced { types, edit }, OneOf(all)) => {
                texts(all, types).any(|text| edit.edit(&text).is_ok_and(|edited| edited == text))
            }
            (Joined { types: a, edit }, Joined { types: b, edit: other }) => {
                a.iter().any(|t| b.contains(t))
                    && edit.separator == other.separator
                    && !meet(&edit.add, &other.remove)
                    && !meet(&edit.remove, &other.add)
            }
            // For two edits of parts of one string, only the actual string can show whether they conflict.
            (Replaced { types: a, edit }, Replaced { types: b, edit: other }) => {
                a.iter().any(|t| b.contains(t)) && (edit.pattern != other.pattern || edit.with == other.with)
            }
            (Replaced { types: a, .. }, Joined { types: b, .. })
            | (Joined { types: a, .. }, Replaced { types: b, .. }) => a.iter().any(|t| b.contains(t)),
            // The edit of the string that the other rule writes must leave its items as they are.
            (CommaSet { value_type, text }, Joined { types, edit })
            | (Joined { types, edit }, CommaSet { value_type, text }) => {
                types.contains(value_type) && comma_set(&edit.edit(text)) == comma_set(text)
            }
            (CommaSet { value_type, text }, Replaced { types, edit })
            | (Replaced { types, edit }, CommaSet { value_type, text }) => {
                let stays = |edited: String| comma_set(&edited) == comma_set(text);
                types.contains(value_type) && edit.edit(text).is_ok_and(stays)
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

/// Returns the strings in `all`: the data that is a string and has one of the types `types`.
fn texts<'a>(all: &'a [Data], types: &'a [ValueType]) -> impl Iterator<Item = String> + 'a {
    let of_type = all.iter().filter(|data| types.contains(&data.value_type));
    of_type.filter_map(|data| match data.decode() {
        Decoded::Text(text) => Some(text),
        _ => None,
    })
}

fn meet(a: &[String], b: &[String]) -> bool {
    let there: HashSet<_> = b.iter().map(|item| folded(item)).collect();
    a.iter().any(|item| there.contains(&folded(item)))
}

#[cfg(test)]
mod tests {
    use super::super::keep::Bounds;
    use super::*;

    fn kept(data: u32, keep: Keep) -> Desired {
        Desired::Kept { choices: vec![Data::dword(data)], keep: Box::new(keep) }
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
