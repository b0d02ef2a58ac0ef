//! What one value has to become.

use crate::{
    registry::{Data, Decoded, ValueType, name},
    spec::model::{Desired, ValueRule},
};

/// What a value must be after, given what it is before (`None`: absent). Equal to `before`: nothing changes.
pub(super) fn after(rule: &ValueRule, before: Option<&Data>) -> Option<Data> {
    if before.is_none()
        && rule.if_absent.as_ref().is_some_and(|meant| wanted(&rule.desired, Some(meant)).as_ref() == Some(meant))
    {
        return None;
    }
    let base = before.or(match rule.desired {
        // Bits are changed in what Windows takes the absent value for.
        Desired::Bits { .. } => rule.if_absent.as_ref(),
        _ => None,
    });
    wanted(&rule.desired, base)
}

fn wanted(desired: &Desired, before: Option<&Data>) -> Option<Data> {
    match desired {
        Desired::Absent => None,
        Desired::OneOf(choices) => match before {
            Some(data) if choices.contains(data) => Some(data.clone()),
            _ => choices.first().cloned(),
        },
        Desired::Kept { choices, keep } => {
            let types = || choices.iter().map(|data| data.value_type);
            before.filter(|found| keep.keeps(types(), found)).or(choices.first()).cloned()
        }
        Desired::CommaSet { value_type, text } => {
            let same = |data: &&Data| {
                data.value_type == *value_type
                    && matches!(data.decode(), Decoded::Text(found) if comma_set(&found) == comma_set(text))
            };
            Some(before.filter(same).cloned().unwrap_or_else(|| Data::text(*value_type, text)))
        }
        Desired::Bits { value_type, set, clear } => {
            // A number of another type keeps its bits; anything that is no number has none to keep.
            let number = match before.map(Data::decode) {
                Some(Decoded::Number(number)) => number,
                _ => 0,
            };
            let number = (number | set) & !clear;
            Some(if *value_type == ValueType::QWORD { Data::qword(number) } else { Data::dword(number as u32) })
        }
        Desired::List { add, remove } => {
            let found = match before.map(Data::decode) {
                Some(Decoded::List(list)) => Some(list),
                _ => None,
            };
            if before.is_none() && add.is_empty() {
                return None;
            }
            let mut list = found.unwrap_or_default();
            list.retain(|item| !contains(remove, item));
            for item in add {
                if !contains(&list, item) {
                    list.push(item.clone());
                }
            }
            Some(Data::multi_sz(list))
        }
    }
}

fn contains(list: &[String], item: &str) -> bool {
    list.iter().any(|one| name::compare(one, item).is_eq())
}

/// The items between commas, without blanks around them, in upper case, in order, each once. A blank around `=` does not
/// matter either, as UNC hardening flags are written (`RequireIntegrity = 1`).
fn comma_set(text: &str) -> std::collections::BTreeSet<String> {
    let tidy = |item: &str| item.split('=').map(str::trim).collect::<Vec<_>>().join("=").to_uppercase();
    text.split(',').map(tidy).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::ValueName;

    fn rule(desired: Desired) -> ValueRule {
        ValueRule { name: ValueName::new("v").unwrap(), when: None, desired, if_absent: None }
    }

    #[test]
    fn type_and_every_byte_count() {
        let rule = rule(Desired::OneOf(vec![Data::dword(1), Data::sz("1")]));
        assert_eq!(after(&rule, None), Some(Data::dword(1)));
        assert_eq!(after(&rule, Some(&Data::sz("1"))), Some(Data::sz("1")));
        assert_eq!(after(&rule, Some(&Data::new(ValueType::SZ, *b"1\0"))), Some(Data::dword(1)));
        assert_eq!(after(&rule, Some(&Data::new(ValueType::DWORD, [1, 0, 0]))), Some(Data::dword(1)));
    }

    #[test]
    fn bits_keep_the_rest() {
        let options =
            rule(Desired::Bits { value_type: ValueType::QWORD, set: 0x1_0000_0000_0000, clear: 0x2_0000_0000_0000 });
        assert_eq!(after(&options, Some(&Data::qword(0x1000))), Some(Data::qword(0x1_0000_0000_1000)));
        assert_eq!(after(&options, None), Some(Data::qword(0x1_0000_0000_0000)));
        assert_eq!(after(&options, Some(&Data::dword(0x1000))), Some(Data::qword(0x1_0000_0000_1000)));
    }

    #[test]
    fn lists_keep_what_is_there_and_a_wrong_type_is_replaced() {
        let hosts = rule(Desired::List { add: vec!["a".into(), "B".into()], remove: vec!["x".into()] });
        assert_eq!(after(&hosts, Some(&Data::multi_sz(["z", "X", "b"]))), Some(Data::multi_sz(["z", "b", "a"])));
        assert_eq!(after(&hosts, Some(&Data::dword(1))), Some(Data::multi_sz(["a", "B"])));
        let removal = rule(Desired::List { add: vec![], remove: vec!["x".into()] });
        assert_eq!(after(&removal, None), None);
    }

    #[test]
    fn comma_sets_compare_as_sets() {
        let text = "RequireMutualAuthentication=1, RequireIntegrity=1".to_owned();
        let rule = rule(Desired::CommaSet { value_type: ValueType::SZ, text: text.clone() });
        let other = Data::sz("requireintegrity=1,RequireMutualAuthentication = 1");
        assert_eq!(after(&rule, Some(&other)), Some(other.clone()));
        assert_eq!(after(&rule, Some(&Data::sz("RequireIntegrity=1"))), Some(Data::sz(&text)));
        let expand = Data::text(ValueType::EXPAND_SZ, &text);
        assert_eq!(after(&rule, Some(&expand)), Some(Data::sz(&text)));
    }

    #[test]
    fn an_absent_value_that_means_the_desired_data_is_in_desired_state() {
        let mut rule = rule(Desired::OneOf(vec![Data::dword(0)]));
        rule.if_absent = Some(Data::dword(0));
        assert_eq!(after(&rule, None), None);
        rule.if_absent = Some(Data::dword(1));
        assert_eq!(after(&rule, None), Some(Data::dword(0)));
        rule.desired = Desired::Bits { value_type: ValueType::DWORD, set: 2, clear: 0 };
        assert_eq!(after(&rule, None), Some(Data::dword(3)));
    }
}
