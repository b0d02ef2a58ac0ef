//! Compares rules for values that depend on a parameter without data.

use super::{
    desired::{Desired, ValueRule, Varying},
    keep::{Bounds, number},
};
use crate::registry::Data;

impl Varying {
    /// Returns whether some data of the parameter makes the rule require a state that agrees with `other`, a desired
    /// state that depends on no parameter. `example` is the state that the rule requires with example data.
    fn may_agree_with(&self, example: &Desired, other: &Desired) -> bool {
        match self {
            Self::Each(all) => all.iter().any(|one| one.agrees_with(other)),
            Self::Of(types, bounds) => match (other, bounds) {
                // If the operator adds no string to the list, an absent value stays absent.
                (Desired::Absent, _) => matches!(example, Desired::List { .. } | Desired::Joined { .. }),
                (Desired::OneOf(all), Some(bounds)) => {
                    let fits = |data: &Data| {
                        types.contains(&data.value_type)
                            && number(&data.decode()).is_some_and(|number| bounds.hold(number))
                    };
                    all.iter().any(fits)
                }
                _ => other.types().iter().any(|value_type| types.contains(value_type)),
            },
        }
    }
}

impl ValueRule {
    /// Returns whether this rule and `other` are compatible, as [`Desired::agrees_with`] says. If a rule depends on a
    /// parameter without data, returns `false` only if the rules are incompatible whatever data the parameter gets.
    pub fn may_agree_with(&self, other: &Self) -> bool {
        match (self.varying.as_deref(), other.varying.as_deref()) {
            (None, None) => self.desired.agrees_with(&other.desired),
            (Some(varying), None) => varying.may_agree_with(&self.desired, &other.desired),
            (None, Some(varying)) => varying.may_agree_with(&other.desired, &self.desired),
            (Some(varying), Some(Varying::Each(all))) => {
                all.iter().any(|one| varying.may_agree_with(&self.desired, one))
            }
            (Some(Varying::Each(all)), Some(varying)) => {
                all.iter().any(|one| varying.may_agree_with(&other.desired, one))
            }
            (Some(Varying::Of(types, bounds)), Some(Varying::Of(others, other_bounds))) => {
                let meet = |a: &Bounds, b: &Bounds| {
                    a.least.max(b.least).unwrap_or(0) <= a.most.unwrap_or(u64::MAX).min(b.most.unwrap_or(u64::MAX))
                };
                let types_meet = types.iter().any(|value_type| others.contains(value_type));
                types_meet && bounds.iter().zip(other_bounds).all(|(a, b)| meet(a, b))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{ValueName, ValueType};

    fn rule(desired: Desired, varying: impl Into<Option<Varying>>) -> ValueRule {
        let name = ValueName::new("v").unwrap();
        let varying = varying.into().map(Box::new);
        ValueRule { name, when: None, desired, varying, if_absent: None, is_sensitive: false, label: None }
    }

    #[test]
    fn a_rule_with_an_open_parameter_agrees_if_some_data_does() {
        let exactly = |n: u32| Desired::OneOf(vec![Data::dword(n)]);
        let text = Desired::OneOf(vec![Data::sz("5")]);
        let bits = Desired::Bits { value_type: ValueType::DWORD, set: 4, clear: 0 };
        let each = |all: &[u32]| Varying::Each(all.iter().map(|n| exactly(*n)).collect());
        let within = |least: u64, most: u64| {
            Varying::Of(vec![ValueType::DWORD], Some(Bounds { least: Some(least), most: Some(most) }))
        };
        let any = |value_type| Varying::Of(vec![value_type], None);
        let list = Desired::List { add: Vec::new(), remove: vec!["x".to_owned()] };
        for (varying, other, agrees) in [
            (each(&[1, 2]), rule(exactly(2), None), true),
            (each(&[1, 2]), rule(exactly(3), None), false),
            (each(&[1, 2]), rule(bits.clone(), None), false),
            (each(&[1, 6]), rule(bits.clone(), None), true),
            (each(&[1, 2]), rule(Desired::Absent, None), false),
            (each(&[1, 2]), rule(exactly(3), each(&[2, 3])), true),
            (each(&[1, 2]), rule(exactly(3), each(&[3, 4])), false),
            (each(&[1, 2]), rule(exactly(0), within(3, 9)), false),
            (within(3, 9), rule(exactly(9), None), true),
            (within(3, 9), rule(exactly(2), None), false),
            (within(3, 9), rule(bits, None), true),
            (within(3, 9), rule(text.clone(), None), false),
            (within(3, 9), rule(exactly(0), within(9, 20)), true),
            (within(3, 9), rule(exactly(0), within(10, 20)), false),
            (any(ValueType::SZ), rule(text.clone(), None), true),
            (any(ValueType::SZ), rule(exactly(2), None), false),
            (any(ValueType::SZ), rule(Desired::Absent, None), false),
            (any(ValueType::SZ), rule(text, any(ValueType::SZ)), true),
            (any(ValueType::DWORD), rule(list, any(ValueType::MULTI_SZ)), false),
        ] {
            let first = rule(exactly(1), varying);
            assert_eq!(
                (first.may_agree_with(&other), other.may_agree_with(&first)),
                (agrees, agrees),
                "{first:?} {other:?}"
            );
        }
    }
}
