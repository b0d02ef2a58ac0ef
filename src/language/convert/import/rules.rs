//! Converts the final state of the keys in an imported file to the rules of a spec.

use crate::{
    diag::{Code, Diagnostic, number_of},
    registry::{Data, Decoded, KeyPath, RootKey, ValueType, View, name, notation},
    spec::{
        document::{
            Condition, DataExpression, Ensure, Exclusive, KeyRule, Literal, RegistryTest, TypeChoice, TypeName,
            ValueRule, ViewChoice,
        },
        model::KeyPattern,
    },
};

use super::{
    File,
    keys::{Keys, Left, LeftValue, Others, State},
};

/// Returns a rule for each key, with the number of the line that names the key. The rules are in the order in which the
/// file names the keys. Adds findings for what the author must check, and for data that a spec cannot express.
pub(super) fn rules(keys: &Keys, file: &File<'_>, findings: &mut Vec<Diagnostic>) -> Vec<(KeyRule, usize)> {
    let mut lefts: Vec<&Left> = keys.iter().collect();
    lefts.sort_by_key(|left| left.named.order);
    let mut each_user = false;
    let mut out = Vec::new();
    for left in lefts {
        let line = left.named.line;
        if file.is_of_one_user && left.named.path.root() == RootKey::Hkcu && !each_user {
            each_user = true;
            let message = "in this file HKEY_CURRENT_USER means the user who imports it; in a spec it means each user of the \
                machine";
            let hint = "check that the spec should apply to every user";
            findings.push(Diagnostic::warning(Code::IMPORT_EACH_USER, message).at(file.place(line)).hint(hint));
        }
        out.push((rule(left, file, findings), line));
    }
    out
}

fn rule(left: &Left, file: &File<'_>, findings: &mut Vec<Diagnostic>) -> KeyRule {
    let (key, view) = in_its_view(&left.named.path);
    let mut rule = KeyRule {
        key: KeyPattern::of(&key).to_string(),
        view: (view == View::Bits32).then_some(ViewChoice::Bits32),
        ..KeyRule::default()
    };
    match &left.state {
        State::Absent => rule.ensure = Some(Ensure::Absent),
        State::Present { values, others, created } => {
            for (name, (left, line)) in values {
                let data = match left {
                    LeftValue::Data(data) | LeftValue::IfAbsent(data) => Some(data),
                    LeftValue::Deleted => None,
                };
                let ended = data.and_then(with_list_end);
                if ended.is_some() {
                    let message = format!(
                        "{} is a list without the second NUL at its end; the spec adds it, and programs read the \
                            same list",
                        notation::value_name(name)
                    );
                    let warning = Diagnostic::warning(Code::IMPORT_LIST_END, message).at(file.place(*line));
                    findings.push(warning.hint("check that the list in the spec has the strings that you intend"));
                }
                let data = ended.as_ref().or(data);
                match data.map_or_else(|| Ok(absent()), value) {
                    Ok(mut value) => {
                        if matches!(left, LeftValue::IfAbsent(_)) {
                            value.when = Some(own_key(Some(name.to_string()), Some(false)));
                        }
                        rule.values.insert(name.to_string(), Box::new(value));
                    }
                    Err(why) => {
                        let message =
                            format!("a spec cannot express the data of {}: {why}", notation::value_name(name));
                        let hint = match data.map(Data::decode) {
                            Some(Decoded::Malformed(_)) => {
                                "a spec can contain only data that is valid for its type: for example, a string \
                                    ends with one NUL, a list with two; correct the data, or remove the value"
                            }
                            _ => "remove the value from the file, and mention it under `notes` of the spec",
                        };
                        let place = file.place(*line);
                        findings.push(Diagnostic::error(Code::IMPORT_DATA, message).at(place).hint(hint));
                    }
                }
            }
            let sets_none = values.values().all(|(left, _)| *left == LeftValue::Deleted);
            if *created && sets_none {
                rule.ensure = Some(Ensure::Present);
            }
            rule.exclusive = match others {
                Others::Gone => Some(Exclusive::Tree),
                Others::ValuesGone => Some(Exclusive::Values),
                Others::GoneAbove | Others::Stay => None,
            };
            // Without values, the rule would require the key.
            if !created && values.is_empty() {
                rule.when = Some(own_key(None, None));
            }
        }
    }
    rule
}

/// Returns a condition on the key of the rule that contains the condition. With a `name`, the condition is about this
/// value of the key. The key or value must be absent if `exists` is `Some(false)`, and must exist otherwise.
fn own_key(name: Option<String>, exists: Option<bool>) -> Box<Condition> {
    let test = RegistryTest { key: ".".to_owned(), name, exists, ..RegistryTest::default() };
    Box::new(Condition { registry: Some(Box::new(test)), ..Condition::default() })
}

/// Returns the path and the view in which a spec names the key at `path`, which is a path in the 64-bit view. If `path`
/// is in the part that 32-bit programs see (`Wow6432Node`), this is the path without `Wow6432Node`, in the 32-bit view.
/// Otherwise it is `path` itself, in the 64-bit view.
fn in_its_view(path: &KeyPath) -> (KeyPath, View) {
    let names: Vec<&str> = path.names().collect();
    let wow = names.iter().position(|n| name::compare(n, "Wow6432Node").is_eq());
    let without = wow.and_then(|wow| {
        let rest: Vec<&str> = names.iter().enumerate().filter(|(at, _)| *at != wow).map(|(_, n)| *n).collect();
        KeyPath::from_parts(path.root(), &rest.join("\\")).ok()
    });
    match without {
        Some(key) if View::Bits32.stored_at(&key) == *path => (key, View::Bits32),
        _ => (path.clone(), View::Bits64),
    }
}

/// Returns the data with one more NUL at its end, if it is a REG_MULTI_SZ that is malformed only because this NUL is
/// missing. Otherwise returns `None`.
fn with_list_end(data: &Data) -> Option<Data> {
    let ended = || Data::new(data.value_type, [data.bytes.as_slice(), &[0, 0]].concat());
    let lacks = data.value_type == ValueType::MULTI_SZ
        && !data.bytes.is_empty()
        && matches!(data.decode(), Decoded::Malformed(_));
    lacks.then(ended).filter(|ended| matches!(ended.decode(), Decoded::List(_)))
}

fn absent() -> ValueRule {
    ValueRule { ensure: Some(Ensure::Absent), ..ValueRule::default() }
}

/// Returns the value rule that requires exactly this data. The error is the reason why a spec cannot require the data.
fn value(data: &Data) -> Result<ValueRule, String> {
    let unknown = || format!("the spec language has no name for the value type 0x{:x}", data.value_type.0);
    let type_name = type_name(data.value_type).ok_or_else(unknown)?;
    let literal = match data.decode() {
        Decoded::Number(number) => Literal::Number(number),
        Decoded::Text(text) => Literal::Text(text),
        Decoded::List(list) => Literal::List(list),
        Decoded::Bytes => Literal::Text(notation::hex_digits(&data.bytes)),
        Decoded::Malformed(why) => return Err(format!("{why} (the data has {})", number_of(data.bytes.len(), "byte"))),
    };
    Ok(ValueRule {
        types: Some(TypeChoice::One(type_name)),
        data: Some(DataExpression::Literal(literal)),
        ..ValueRule::default()
    })
}

fn type_name(value_type: ValueType) -> Option<TypeName> {
    Some(match value_type {
        ValueType::SZ => TypeName::RegSz,
        ValueType::EXPAND_SZ => TypeName::RegExpandSz,
        ValueType::MULTI_SZ => TypeName::RegMultiSz,
        ValueType::DWORD => TypeName::RegDword,
        ValueType::DWORD_BIG_ENDIAN => TypeName::RegDwordBigEndian,
        ValueType::QWORD => TypeName::RegQword,
        ValueType::BINARY => TypeName::RegBinary,
        ValueType::NONE => TypeName::RegNone,
        ValueType::LINK => TypeName::RegLink,
        ValueType::RESOURCE_LIST => TypeName::RegResourceList,
        ValueType::FULL_RESOURCE_DESCRIPTOR => TypeName::RegFullResourceDescriptor,
        ValueType::RESOURCE_REQUIREMENTS_LIST => TypeName::RegResourceRequirementsList,
        _ => return None,
    })
}
