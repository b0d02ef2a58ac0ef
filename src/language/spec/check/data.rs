//! Converts data from the form in which a spec contains it to the bytes of a registry value.

use std::{collections::BTreeSet, rc::Rc};

use crate::{
    diag::{Code, Hint, text::shorten},
    registry::{Data, Decoded, ValueType},
    spec::{
        document::{DataExpression, Literal, Scalar, TypeName},
        shape::{
            hints::{ONE_STRING, split_list},
            wording::RANGE_OF_DWORD,
        },
    },
};

use super::{
    Context, Path,
    numbers::{NoNumber, number_in, of_reg_notation},
    parameter::Resolved,
};

/// The reason why the data in a spec is not valid for the type of the value.
pub(super) struct Misfit {
    /// The stable code of the error.
    pub code: Code,
    /// A description of the error.
    pub message: String,
    /// A hint that says how to correct the data.
    pub hint: Hint,
    /// The part of the string that the error marks in the file; `None` to mark the whole data.
    pub part: Option<String>,
}

fn misfit(code: Code, message: impl Into<String>, hint: impl Into<Hint>) -> Misfit {
    Misfit { code, message: message.into(), hint: hint.into(), part: None }
}

/// Returns the registry type with this name.
pub(super) fn value_type(name: TypeName) -> ValueType {
    match name {
        TypeName::RegSz => ValueType::SZ,
        TypeName::RegExpandSz => ValueType::EXPAND_SZ,
        TypeName::RegMultiSz => ValueType::MULTI_SZ,
        TypeName::RegDword => ValueType::DWORD,
        TypeName::RegDwordBigEndian => ValueType::DWORD_BIG_ENDIAN,
        TypeName::RegQword => ValueType::QWORD,
        TypeName::RegBinary => ValueType::BINARY,
        TypeName::RegNone => ValueType::NONE,
        TypeName::RegLink => ValueType::LINK,
        TypeName::RegResourceList => ValueType::RESOURCE_LIST,
        TypeName::RegFullResourceDescriptor => ValueType::FULL_RESOURCE_DESCRIPTOR,
        TypeName::RegResourceRequirementsList => ValueType::RESOURCE_REQUIREMENTS_LIST,
    }
}

/// Formats a scalar for a message, shortened if it is long.
pub(super) fn show_scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => shorten(text),
    }
}

/// Formats data for a message, shortened if it is long.
pub(super) fn show(literal: &Literal) -> String {
    match literal {
        Literal::Number(number) => number.to_string(),
        Literal::Text(text) => shorten(text),
        Literal::List(list) => shorten(&format!("[{}]", list.join(", "))),
    }
}

/// Converts data of a spec to registry data of the type `value_type`.
///
/// # Errors
/// Returns the reason why the data is not valid for this type.
pub(super) fn convert(literal: &Literal, value_type: ValueType) -> Result<Data, Misfit> {
    match value_type {
        ValueType::DWORD | ValueType::DWORD_BIG_ENDIAN | ValueType::QWORD => numeric(literal, value_type),
        ValueType::SZ | ValueType::EXPAND_SZ => text(literal, value_type),
        ValueType::MULTI_SZ => list(literal),
        _ => hex(literal, value_type),
    }
}

fn numeric(literal: &Literal, value_type: ValueType) -> Result<Data, Misfit> {
    let number = match literal {
        Literal::Number(number) => *number,
        Literal::Text(text) => number_in(text).ok_or_else(|| {
            let NoNumber { code, what, hint } = NoNumber::of(text, Some(value_type));
            let but =
                if code == Code::DATA_KIND { format!("{value_type} takes a number, but ") } else { String::new() };
            misfit(code, format!("{but}`{}` is {what}", shorten(text)), hint)
        })?,
        Literal::List(_) => {
            return Err(misfit(
                Code::DATA_KIND,
                format!("{value_type} takes a number, not a list"),
                "write one number",
            ));
        }
    };
    if value_type == ValueType::QWORD {
        return Ok(Data::qword(number));
    }
    let Ok(small) = u32::try_from(number) else {
        let message = format!("{} is more than a {value_type} can hold", show(literal));
        return Err(misfit(Code::DATA_RANGE, message, RANGE_OF_DWORD));
    };
    if value_type == ValueType::DWORD { Ok(Data::dword(small)) } else { Ok(Data::new(value_type, small.to_be_bytes())) }
}

fn text(literal: &Literal, value_type: ValueType) -> Result<Data, Misfit> {
    match literal {
        Literal::Text(text) if text.contains('\0') => {
            let message = format!("a {value_type} cannot contain a NUL character");
            Err(misfit(Code::DATA_TEXT, message, "for such bytes, use REG_BINARY"))
        }
        Literal::Text(text) => Ok(Data::text(value_type, text)),
        Literal::Number(number) => Err(unquoted(&number.to_string(), value_type)),
        Literal::List(_) => {
            let message = format!("{value_type} takes one string, not a list");
            Err(misfit(Code::DATA_KIND, message, ONE_STRING))
        }
    }
}

fn list(literal: &Literal) -> Result<Data, Misfit> {
    match literal {
        Literal::List(list) if list.iter().any(|item| item.contains('\0')) => {
            Err(misfit(Code::DATA_TEXT, "a REG_MULTI_SZ string cannot contain a NUL character", "write two strings"))
        }
        Literal::List(list) => Ok(Data::multi_sz(list)),
        Literal::Number(number) => Err(unquoted(&number.to_string(), ValueType::MULTI_SZ)),
        Literal::Text(text) => {
            let shown = shorten(text);
            let message = format!("REG_MULTI_SZ takes a list of strings, but `{shown}` is not a list");
            let strings = of_reg_notation(text).map(|bytes| Data::new(ValueType::MULTI_SZ, bytes).decode());
            let hint = match strings {
                Some(Decoded::List(list)) => {
                    let list: Vec<_> = list.iter().map(|string| crate::registry::notation::quoted(string)).collect();
                    format!(
                        "write the strings that these bytes contain: {}",
                        shorten(&format!("[{}]", list.join(", ")))
                    )
                }
                _ => match split_list(text) {
                    Some(items) => format!("write a list: {items}, or [\"{shown}\"] if this is one string"),
                    None => format!("write a list: [\"{shown}\"]"),
                },
            };
            Err(misfit(Code::DATA_KIND, message, hint))
        }
    }
}

/// Returns the reason why a number without quotes is not valid for a type whose data is not a number. `spelling` is the
/// number as it is written in the spec.
fn unquoted(spelling: &str, value_type: ValueType) -> Misfit {
    let spelling = shorten(spelling);
    let but = format!("but {spelling} without quotes is a number");
    match value_type {
        ValueType::SZ | ValueType::EXPAND_SZ => {
            let hint = Hint::quote(&format!("\"{spelling}\""));
            misfit(Code::DATA_KIND, format!("{value_type} takes a string, {but}"), hint)
        }
        ValueType::MULTI_SZ => {
            let hint = format!("write a list: [\"{spelling}\"]");
            misfit(Code::DATA_KIND, format!("{value_type} takes a list of strings, {but}"), hint)
        }
        _ => {
            let digits = spelling.strip_prefix("0x").unwrap_or(&spelling);
            let zero = if digits.len() % 2 == 1 { "0" } else { "" };
            let hint = format!("if these are the hex digits, write them in quotes: \"{zero}{digits}\"");
            misfit(Code::DATA_KIND, format!("{value_type} takes bytes in hex digits, {but}"), hint)
        }
    }
}

fn hex(literal: &Literal, value_type: ValueType) -> Result<Data, Misfit> {
    let text = match literal {
        Literal::Text(text) => text,
        Literal::Number(number) => return Err(unquoted(&number.to_string(), value_type)),
        Literal::List(_) => {
            let message = format!("{value_type} takes bytes in hex digits, not a list");
            return Err(misfit(Code::DATA_KIND, message, "write the bytes in one string: \"01 00 ff\""));
        }
    };
    let plain = text.strip_prefix("0x").or_else(|| of_reg_notation(text).and_then(|_| Some(text.split_once(':')?.1)));
    if let Some(plain) = plain {
        let message = format!("{value_type} takes only bytes in hex digits, without a prefix");
        return Err(misfit(Code::DATA_HEX, message, format!("write only the digits: \"{}\"", shorten(plain))));
    }
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for group in text.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|g| !g.is_empty()) {
        if let Some(wrong) = group.chars().find(|c| !c.is_ascii_hexdigit()) {
            let message = format!("`{wrong}` in `{}` is not a hex digit", shorten(group));
            let hint = "write two hex digits for each byte, with spaces, commas or nothing between: \"01 00 ff\"";
            return Err(Misfit { part: Some(group.to_owned()), ..misfit(Code::DATA_HEX, message, hint) });
        }
        match crate::registry::notation::parse_hex_digits(group) {
            Some(group) => bytes.extend(group),
            None => {
                let message = format!("`{}` has an odd number of hex digits, but each byte has two", shorten(group));
                let hint = "put a 0 before a single digit: \"0f\"";
                return Err(Misfit { part: Some(group.to_owned()), ..misfit(Code::DATA_HEX, message, hint) });
            }
        }
    }
    Ok(Data::new(value_type, bytes))
}

/// The data that a field of a spec means in this run: data in the spec itself, or the data of a parameter.
pub(super) struct Meaning {
    /// The data that this run uses.
    pub chosen: Literal,
    /// For a parameter: the data in its `allowed`, or the two ends of its `range`. Otherwise empty.
    pub others: Rc<[Literal]>,
    /// The name of the parameter that has this data; `None` if the data is in the spec itself.
    pub parameter: Option<String>,
    /// Whether the data comes from a parameter that the operator set.
    pub is_set: bool,
    /// The range of the parameter; `None` if it has none.
    pub range: Option<(u64, u64)>,
}

impl Meaning {
    /// Returns the meaning of data that is written in the spec itself, without a parameter.
    fn of_spec(literal: &Literal) -> Self {
        Self { chosen: literal.clone(), others: Rc::default(), parameter: None, is_set: false, range: None }
    }

    /// Returns the least number in the range of the parameter that is not in `accepted`; `None` if there is none.
    pub(super) fn outside(&self, accepted: &BTreeSet<u64>) -> Option<Literal> {
        let (least, most) = self.range?;
        (least..=most).find(|number| !accepted.contains(number)).map(Literal::Number)
    }
}

/// Returns the data that `expression` means in this run. Returns `None` after reporting an error about its parameter.
pub(super) fn meaning(cx: &mut Context<'_>, expression: &DataExpression, path: &Path) -> Option<Meaning> {
    match expression {
        DataExpression::Literal(literal) => Some(Meaning::of_spec(literal)),
        DataExpression::Parameter(reference) => {
            let resolved: Resolved = cx.parameter(&reference.parameter, &path.field("parameter"))?;
            let (chosen, others) = resolved.possible();
            let parameter = Some(reference.parameter.clone());
            Some(Meaning { chosen, others, parameter, is_set: resolved.is_set, range: resolved.range() })
        }
    }
}

/// Converts the data of `expression` to registry data of the type `value_type`. Reports an error and returns `None` if
/// this data, or data in the `allowed` or `range` of its parameter, is not valid for the type.
pub(super) fn evaluate(
    cx: &mut Context<'_>,
    expression: &DataExpression,
    value_type: ValueType,
    path: &Path,
) -> Option<Data> {
    let meaning = meaning(cx, expression, path)?;
    fit(cx, &meaning, value_type, path)
}

/// Converts `literal` to registry data of each type for which it is valid. If it is valid for none of `types`, reports
/// an error and returns `None`.
pub(super) fn of_types(cx: &mut Context<'_>, literal: &Literal, types: &[ValueType], path: &Path) -> Option<Vec<Data>> {
    let all: Vec<Data> = types.iter().filter_map(|value_type| convert(literal, *value_type).ok()).collect();
    if all.is_empty() {
        fit(cx, &Meaning::of_spec(literal), *types.first()?, path)?;
    }
    Some(all)
}

/// Converts the data of this run to registry data of the type `value_type`. Reports an error and returns `None` if this
/// data, or one of [`Meaning::others`], is not valid for the type.
pub(super) fn fit(cx: &mut Context<'_>, meaning: &Meaning, value_type: ValueType, path: &Path) -> Option<Data> {
    // Many values can use a parameter that allows much data, so this data is tested only once for each type.
    let unfit = meaning.parameter.as_ref().and_then(|name| {
        let first = || meaning.others.iter().position(|literal| convert(literal, value_type).is_err());
        *cx.unfit.entry((name.clone(), value_type)).or_insert_with(first)
    });
    let all = std::iter::once(&meaning.chosen).chain(unfit.and_then(|at| meaning.others.get(at)));
    for (at, literal) in all.enumerate() {
        if let Err(misfit) = convert(literal, value_type) {
            if cx.findings.only_counts() {
                return None;
            }
            // Such as `0x10`, which is not `16` if it is meant as text or bytes.
            let spelling = cx.findings.places().unquoted(path).filter(|_| matches!(literal, Literal::Number(_)));
            let misfit = match spelling.filter(|_| meaning.parameter.is_none() && misfit.code == Code::DATA_KIND) {
                Some(spelling) => unquoted(spelling, value_type),
                None => misfit,
            };
            let Misfit { code, message, hint, part } = misfit;
            match &meaning.parameter {
                None => cx.error_within(code, path, &part.unwrap_or_default(), message, hint),
                Some(name) if meaning.is_set && at == 0 => {
                    cx.setting_error(name, &show(literal), &path.field("parameter"), message, hint);
                }
                Some(name) => {
                    let message = format!("the parameter `{name}` can be `{}`: {message}", show(literal));
                    let hint = format!("correct the parameter `{name}`, or the type here");
                    cx.error(code, &path.field("parameter"), message, hint);
                }
            }
            return None;
        }
    }
    convert(&meaning.chosen, value_type).ok()
}
