//! Finds rules that apply to no machine, because their conditions contradict each other.
//!
//! This module finds only three kinds of contradictions: between versions and products of Windows, between a condition
//! and its own negation, and between two tests of one key or value. It assumes that all other conditions can be true
//! together.

use super::{Context, Part, Path};
use crate::{
    diag::Code,
    registry::RootKey,
    spec::{
        document::Product,
        model::{Condition, KeyPattern, OsTest, ValueTest},
    },
};

/// The maximum number of conditions in a condition that is compared with others. The condition itself and all
/// conditions nested in it count. Comparing larger conditions would take too long.
const MOST: usize = 200;

/// Warns if it is certain that no machine satisfies all of `conditions` and the spec's `applicable`. Not every
/// contradiction is found. `path` is the path of the last condition.
pub(super) fn dead_rule(cx: &mut Context<'_>, conditions: &[&Condition], path: &Path) {
    let Some((last, above)) = conditions.split_last() else { return };
    let applicable = cx.applicable.clone();
    let all: Vec<&Condition> = applicable.iter().chain(above.iter().copied()).chain([*last]).collect();
    if !conditions.iter().all(|condition| is_compared(condition)) || !excluded(&all) {
        return;
    }
    let message = if excluded(&[last]) {
        "`when` is never true: its parts contradict each other"
    } else if excluded(conditions) {
        "the `when` of the value and the `when` of its rule are never both true"
    } else if excluded(&applicable.iter().chain([*last]).collect::<Vec<_>>()) {
        "`when` is never true on a machine to which the spec applies"
    } else {
        "the `when` of the value and the `when` of its rule are never both true on a machine to which the spec applies"
    };
    let hint = "correct one of the conditions, or remove the rule or value";
    cx.warning(Code::DEAD_RULE, path, Part::Name, message, hint);
}

/// Returns whether the condition can be true on a Windows whose version is from `first` to `last`, inclusive. Returns
/// `true` for a condition with too many parts to be compared.
pub(in crate::spec) fn may_hold(condition: &Condition, first: [u32; 4], last: [u32; 4]) -> bool {
    let range = Versions(vec![(version(first), version(last).saturating_add(1))]);
    !is_compared(condition) || Systems::may_pass(condition).0.iter().any(|versions| !versions.and(&range).0.is_empty())
}

/// Returns whether a condition is small enough to be compared with others in a short time.
pub(super) fn is_compared(condition: &Condition) -> bool {
    parts(condition) <= MOST
}

fn parts(condition: &Condition) -> usize {
    match condition {
        Condition::All(all) | Condition::Any(all) => 1 + all.iter().map(parts).sum::<usize>(),
        Condition::Not(one) => 1 + parts(one),
        _ => 1,
    }
}

/// Returns whether it is certain that no machine satisfies all conditions. Not every contradiction is found.
fn excluded(conditions: &[&Condition]) -> bool {
    let systems =
        conditions.iter().fold(Systems::all(), |systems, condition| systems.and(&Systems::may_pass(condition)));
    if systems.is_empty() {
        return true;
    }
    let mut each = Vec::new();
    conditions.iter().for_each(|condition| conjuncts(condition, &mut each));
    each.iter().enumerate().any(|(at, a)| each[..at].iter().any(|b| exclude(a, b) || exclude(b, a)))
}

/// Adds `condition` to `out`. For an `all`, adds the conditions in it instead, because they must all be true.
fn conjuncts<'c>(condition: &'c Condition, out: &mut Vec<&'c Condition>) {
    match condition {
        Condition::All(all) => all.iter().for_each(|one| conjuncts(one, out)),
        one => out.push(one),
    }
}

/// Returns whether it is certain that the two conditions are never both true. Some contradictions are found only in one
/// order of `a` and `b`, so the caller tries both orders.
fn exclude(a: &Condition, b: &Condition) -> bool {
    match (a, b) {
        (Condition::Not(a), b) => **a == *b,
        (Condition::Key { key: a, exists: true }, Condition::Key { key: b, exists: false }) => is_one(a) && a == b,
        (Condition::Value { at: a, test }, Condition::Value { at: b, test: other }) if is_one(&a.key) && a == b => {
            match (test, other) {
                (ValueTest::OneOf(some), ValueTest::OneOf(others)) => !some.iter().any(|data| others.contains(data)),
                (ValueTest::Exists(false), other) => *other != ValueTest::Exists(false),
                _ => false,
            }
        }
        (Condition::Value { at, .. }, Condition::Key { key, exists: false }) => {
            is_one(key) && at.key == *key && {
                // If a key is absent, its values are absent as well.
                !matches!(a, Condition::Value { test: ValueTest::Exists(false), .. })
            }
        }
        _ => false,
    }
}

/// Returns whether the pattern matches only one key. Then two tests of the pattern are about the same key.
fn is_one(key: &KeyPattern) -> bool {
    key.own.is_some() || !key.has_star() && (key.root != RootKey::Hkcu || key.same_user)
}

/// A version of Windows: its four 32-bit numbers combined into one number.
type Version = u128;

fn version(numbers: [u32; 4]) -> Version {
    numbers.iter().fold(0, |all, number| all << 32 | Version::from(*number))
}

/// Ranges of Windows versions, sorted and disjoint. A range includes its start but not its end.
#[derive(Debug, Clone, PartialEq)]
struct Versions(Vec<(Version, Version)>);

impl Versions {
    fn all() -> Self {
        Self(vec![(0, Version::MAX)])
    }

    fn and(&self, other: &Self) -> Self {
        let both = self.0.iter().flat_map(|a| other.0.iter().map(|b| (a.0.max(b.0), a.1.min(b.1))));
        Self(both.filter(|(from, to)| from < to).collect())
    }

    fn not(&self) -> Self {
        let ends = self.0.iter().map(|(_, to)| *to);
        let begins = self.0.iter().map(|(from, _)| *from).chain([Version::MAX]);
        Self(std::iter::once(0).chain(ends).zip(begins).filter(|(from, to)| from < to).collect())
    }
}

/// A set of Windows versions for each kind of Windows in [`PRODUCTS`].
#[derive(Debug, Clone, PartialEq)]
struct Systems([Versions; 3]);

const PRODUCTS: [Product; 3] = [Product::Client, Product::Server, Product::DomainController];

impl Systems {
    fn all() -> Self {
        Self(PRODUCTS.map(|_| Versions::all()))
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|versions| versions.0.is_empty())
    }

    fn and(&self, other: &Self) -> Self {
        let [a, b, c] = &self.0;
        let [x, y, z] = &other.0;
        Self([a.and(x), b.and(y), c.and(z)])
    }

    fn not(&self) -> Self {
        Self(self.0.each_ref().map(Versions::not))
    }

    /// Returns the products and versions of Windows on which the condition may be true.
    fn may_pass(condition: &Condition) -> Self {
        match condition {
            Condition::Os(test) => Self::of(test),
            Condition::All(all) => all.iter().fold(Self::all(), |out, one| out.and(&Self::may_pass(one))),
            Condition::Any(any) => any.iter().fold(Self::all(), |out, one| out.and(&Self::may_pass(one).not())).not(),
            Condition::Not(one) => Self::pass(one).not(),
            Condition::Key { .. } | Condition::Value { .. } | Condition::File { .. } => Self::all(),
        }
    }

    /// Returns the products and versions of Windows on which the condition is certainly true.
    fn pass(condition: &Condition) -> Self {
        match condition {
            Condition::Os(test) if test.editions.is_empty() && test.service_pack.is_none() => Self::of(test),
            Condition::All(all) => all.iter().fold(Self::all(), |out, one| out.and(&Self::pass(one))),
            Condition::Any(any) => any.iter().fold(Self::all(), |out, one| out.and(&Self::pass(one).not())).not(),
            Condition::Not(one) => Self::may_pass(one).not(),
            _ => Self::all().not(),
        }
    }

    fn of(test: &OsTest) -> Self {
        let from = test.at_least.map_or(0, version);
        let to = test.below.map_or(Version::MAX, version);
        Self(PRODUCTS.map(|product| {
            let counts = test.products.is_empty() || test.products.contains(&product);
            Versions(if counts { vec![(from, to)] } else { Vec::new() })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(at_least: Option<[u32; 4]>, below: Option<[u32; 4]>, products: &[Product]) -> Condition {
        Condition::Os(OsTest { at_least, below, products: products.to_vec(), ..OsTest::default() })
    }

    #[test]
    fn versions_and_products_exclude_each_other() {
        let seven = os(Some([6, 1, 0, 0]), Some([6, 2, 0, 0]), &[]);
        let ten = os(Some([10, 0, 0, 0]), None, &[]);
        let server = os(None, None, &[Product::Server]);
        let not = |one: &Condition| Condition::Not(Box::new(one.clone()));
        assert!(excluded(&[&seven, &ten]));
        assert!(!excluded(&[&seven, &server]));
        assert!(excluded(&[&server, &os(None, None, &[Product::Client])]));
        assert!(excluded(&[&ten, &not(&os(Some([6, 1, 0, 0]), None, &[]))]));
        assert!(!excluded(&[&ten, &not(&os(Some([6, 1, 0, 0]), None, &[Product::Client]))]));
        assert!(!excluded(&[&Condition::Any(vec![seven.clone(), ten.clone()]), &ten]));
        assert!(excluded(&[&Condition::Any(vec![seven.clone(), ten.clone()]), &not(&ten), &not(&seven)]));
        // The negation can be true on a system whose service pack is too low.
        let with_pack = Condition::Os(OsTest { service_pack: Some(1), ..OsTest::default() });
        assert!(!excluded(&[&ten, &not(&with_pack)]));
    }
}
