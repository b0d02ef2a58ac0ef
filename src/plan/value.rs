//! Computes the new data of one value.

use std::collections::HashSet;

use crate::{
    registry::{Data, Decoded, ValueType, name},
    spec::model::{Desired, ValueRule, comma_set},
    targets::{Reason, Unread},
};

/// Returns the data that the rule gives to a value; `before` is the present data of the value. In both cases, `None`
/// means that the value is absent. If the returned data equals `before`, nothing changes.
///
/// # Errors
///
/// Fails if the rule changes only a part of the existing data, but this data is not known, or the rule cannot change
/// it: for example, it has another form, or the value is absent and the rule replaces text in it.
pub(super) fn after(rule: &ValueRule, before: Option<&Data>) -> Result<Option<Data>, Unread> {
    if before.is_some_and(Data::is_not_configured)
        && matches!(
            rule.desired,
            Desired::Bits { .. } | Desired::List { .. } | Desired::Joined { .. } | Desired::Replaced { .. }
        )
    {
        let why = "the spec changes only a part of this value, but the policy file does not set the value, so the rest of its data is not known";
        return Err(Unread::new(Reason::NotConfigured, why));
    }
    if before.is_none()
        && let Some(meant) = &rule.if_absent
        && wanted(&rule.desired, Some(meant))?.as_ref() == Some(meant)
    {
        return Ok(None);
    }
    let base = before.or(match rule.desired {
        // Windows assumes this data if the value is absent, so the change starts from it.
        Desired::Bits { .. } | Desired::List { .. } | Desired::Joined { .. } | Desired::Replaced { .. } => {
            rule.if_absent.as_ref()
        }
        _ => None,
    });
    wanted(&rule.desired, base)
}

fn wanted(desired: &Desired, before: Option<&Data>) -> Result<Option<Data>, Unread> {
    let malformed =
        |why: String| Unread::new(Reason::Malformed, format!("{why}, so kbfix cannot change only a part of the data"));
    Ok(match desired {
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
            let found = before.map_or(Ok(0), |data| data.as_read_number(*value_type)).map_err(malformed)?;
            let number = (found | set) & !clear;
            Some(if *value_type == ValueType::QWORD { Data::qword(number) } else { Data::dword(number as u32) })
        }
        Desired::List { add, remove } => {
            let Some(data) = before else {
                return Ok((!add.is_empty()).then(|| Data::multi_sz(add)));
            };
            let found = match data.decode() {
                // A number contains no strings that could be lost. KB926642 deletes a REG_DWORD that stands in the
                // place of a list.
                Decoded::Number(_) if !add.is_empty() => Vec::new(),
                _ => data.as_read_list().map_err(malformed)?,
            };
            let removed: HashSet<_> = remove.iter().map(|item| name::folded(item)).collect();
            let mut list = found.clone();
            list.retain(|item| !removed.contains(&name::folded(item)));
            let mut there: HashSet<_> = list.iter().map(|item| name::folded(item)).collect();
            list.extend(add.iter().filter(|item| there.insert(name::folded(item))).cloned());
            // A list that already has the right strings is kept byte for byte, even if the final NULs are missing.
            let same = list == found && data.value_type == ValueType::MULTI_SZ;
            Some(if same { data.clone() } else { Data::multi_sz(list) })
        }
        Desired::Joined { types, edit } => {
            let Some(data) = before else {
                let text = edit.edit("");
                return Ok(types.first().filter(|_| !edit.add.is_empty()).map(|first| Data::text(*first, &text)));
            };
            let (found, value_type) = read_string(data, types).map_err(malformed)?;
            Some(edited(data, &found, edit.edit(&found), value_type))
        }
        Desired::Replaced { types, edit } => {
            let Some(data) = before else {
                return Err(malformed("the value is absent and there is nothing to replace".to_owned()));
            };
            let (found, value_type) = read_string(data, types).map_err(malformed)?;
            Some(edited(data, &found, edit.edit(&found).map_err(malformed)?, value_type))
        }
    })
}

/// Returns the string in the data as programs read it, and the type that the value will have. This is its present type
/// if `types` contains it, or else the first of `types`. The error is a text that says why this is not possible.
fn read_string(data: &Data, types: &[ValueType]) -> Result<(String, ValueType), String> {
    let whole = match data.decode() {
        Decoded::Text(text) => Some(text),
        // Without a terminating NUL, a string extends to the end of the data.
        _ => data.as_read_text().filter(|text| text.encode_utf16().count() * 2 == data.bytes.len()),
    };
    let Some(text) = whole else { return Err(format!("{data:?} is not a string, or contains a NUL")) };
    match types.first() {
        _ if types.contains(&data.value_type) => Ok((text, data.value_type)),
        // The two types differ only in the meaning of `%`.
        Some(first) if !text.contains('%') => Ok((text, *first)),
        _ => Err(format!(
            "a {} that contains `%` cannot become another type, because its meaning would change",
            data.value_type
        )),
    }
}

/// Returns data with the string `edited` and the type `value_type`. If these are the present string (`found`) and type,
/// returns the present data, byte for byte.
fn edited(data: &Data, found: &str, edited: String, value_type: ValueType) -> Data {
    if edited == found && value_type == data.value_type { data.clone() } else { Data::text(value_type, &edited) }
}

#[cfg(test)]
mod tests {
    use crate::plan::value::*;
    use crate::registry::ValueName;

    fn rule(desired: Desired) -> ValueRule {
        ValueRule {
            name: ValueName::new("v").unwrap(),
            when: None,
            desired,
            varying: None,
            if_absent: None,
            is_sensitive: false,
            label: None,
        }
    }

    fn known(rule: &ValueRule, before: Option<&Data>) -> Option<Data> {
        after(rule, before).unwrap()
    }

    #[test]
    fn type_and_every_byte_count() {
        let rule = rule(Desired::OneOf(vec![Data::dword(1), Data::sz("1")]));
        assert_eq!(known(&rule, None), Some(Data::dword(1)));
        assert_eq!(known(&rule, Some(&Data::sz("1"))), Some(Data::sz("1")));
        assert_eq!(known(&rule, Some(&Data::new(ValueType::SZ, *b"1\0"))), Some(Data::dword(1)));
        assert_eq!(known(&rule, Some(&Data::new(ValueType::DWORD, [1, 0, 0]))), Some(Data::dword(1)));
    }

    #[test]
    fn bits_keep_the_rest() {
        let options =
            rule(Desired::Bits { value_type: ValueType::QWORD, set: 0x1_0000_0000_0000, clear: 0x2_0000_0000_0000 });
        assert_eq!(known(&options, Some(&Data::qword(0x1000))), Some(Data::qword(0x1_0000_0000_1000)));
        assert_eq!(known(&options, None), Some(Data::qword(0x1_0000_0000_0000)));
        assert_eq!(known(&options, Some(&Data::dword(0x1000))), Some(Data::qword(0x1_0000_0000_1000)));
        let bytes = Data::new(ValueType::BINARY, 0x1000_u64.to_le_bytes());
        assert_eq!(known(&options, Some(&bytes)), Some(Data::qword(0x1_0000_0000_1000)));
        for other in
            [Data::sz("4096"), Data::new(ValueType::QWORD, [0, 16]), Data::new(ValueType::BINARY, [0, 16, 0, 0])]
        {
            assert_eq!(after(&options, Some(&other)).unwrap_err().reason, Reason::Malformed);
        }
    }

    #[test]
    fn lists_keep_what_is_there() {
        let hosts = rule(Desired::List { add: vec!["a".into(), "B".into()], remove: vec!["x".into()] });
        assert_eq!(known(&hosts, Some(&Data::multi_sz(["z", "X", "b"]))), Some(Data::multi_sz(["z", "b", "a"])));
        assert_eq!(known(&hosts, Some(&Data::sz("z"))), Some(Data::multi_sz(["z", "a", "B"])));
        assert_eq!(known(&hosts, Some(&Data::dword(1))), Some(Data::multi_sz(["a", "B"])));
        let bytes = Data::new(ValueType::BINARY, *b"z\0\0\0");
        assert_eq!(after(&hosts, Some(&bytes)).unwrap_err().reason, Reason::Malformed);
        let removal = rule(Desired::List { add: vec![], remove: vec!["x".into()] });
        assert_eq!(known(&removal, None), None);
        assert_eq!(after(&removal, Some(&Data::dword(1))).unwrap_err().reason, Reason::Malformed);
        assert_eq!(known(&removal, Some(&Data::sz("z"))), Some(Data::multi_sz(["z"])));
        let without_nuls = Data::new(ValueType::MULTI_SZ, *b"z\0");
        assert_eq!(known(&removal, Some(&without_nuls)), Some(without_nuls.clone()));
        assert_eq!(known(&hosts, Some(&without_nuls)), Some(Data::multi_sz(["z", "a", "B"])));
    }

    #[test]
    fn a_list_is_edited_in_what_the_absent_value_means() {
        let mut rule = rule(Desired::List { add: vec!["b".into()], remove: vec!["x".into()] });
        rule.if_absent = Some(Data::multi_sz(["a", "x"]));
        assert_eq!(known(&rule, None), Some(Data::multi_sz(["a", "b"])));
        rule.if_absent = Some(Data::multi_sz(["B", "a"]));
        assert_eq!(known(&rule, None), None);
    }

    #[test]
    fn comma_sets_compare_as_sets() {
        let text = "RequireMutualAuthentication=1, RequireIntegrity=1".to_owned();
        let rule = rule(Desired::CommaSet { value_type: ValueType::SZ, text: text.clone() });
        let other = Data::sz("requireintegrity=1,RequireMutualAuthentication = 1");
        assert_eq!(known(&rule, Some(&other)), Some(other.clone()));
        assert_eq!(known(&rule, Some(&Data::sz("RequireIntegrity=1"))), Some(Data::sz(&text)));
        let expand = Data::text(ValueType::EXPAND_SZ, &text);
        assert_eq!(known(&rule, Some(&expand)), Some(Data::sz(&text)));
    }

    #[test]
    fn an_absent_value_that_means_the_desired_data_is_in_desired_state() {
        let mut rule = rule(Desired::OneOf(vec![Data::dword(0)]));
        rule.if_absent = Some(Data::dword(0));
        assert_eq!(known(&rule, None), None);
        rule.if_absent = Some(Data::dword(1));
        assert_eq!(known(&rule, None), Some(Data::dword(0)));
        rule.desired = Desired::Bits { value_type: ValueType::DWORD, set: 2, clear: 0 };
        assert_eq!(known(&rule, None), Some(Data::dword(3)));
    }
}
