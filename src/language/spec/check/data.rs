//! Converts data as a spec writes it into the bytes that the registry stores for its type.

use crate::{
    diag::{Code, Hint, text::shorten},
    registry::{Data, Decoded, ValueType},
    spec::{
        document::{DataExpression, Literal, Scalar, TypeName},
        shape::{hints::ONE_STRING, wording::bits_of},
    },
};

use super::{Context, Path, parameter::Resolved};

/// The reason why data cannot be stored with a type.
pub(super) struct Misfit {
    /// The stable code of the error.
    pub code: Code,
    /// A description of the error.
    pub message: String,
    /// The instruction for the author to correct it.
    pub hint: Hint,
    /// The wrong part of a string, if not the whole string is wrong.
    pub part: Option<String>,
}

fn misfit(code: Code, message: impl Into<String>, hint: impl Into<Hint>) -> Misfit {
    Misfit { code, message: message.into(), hint: hint.into(), part: None }
}

/// Returns the registry type that a spec's type name means.
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

/// Returns the number in a scalar. A string in decimal or `0x…` form counts as a number.
pub(super) fn number(scalar: &Scalar) -> Option<u64> {
    match scalar {
        Scalar::Number(number) => Some(*number),
        Scalar::Text(text) => number_in(text),
    }
}

/// Parses a number in decimal or `0x…`. Rejects decimal digits after a leading zero, because they may be octal.
pub(super) fn number_in(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    // `from_str_radix` would accept a sign, but a registry number has none.
    let all_digits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    let doubtful = radix == 10 && digits.len() > 1 && digits.starts_with('0');
    (all_digits && !doubtful).then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

/// Returns a hint that says how to write the number that `text` was probably meant to be.
pub(super) fn write_number(text: &str) -> String {
    if let Some(hex) = text.strip_prefix("dword:").filter(|hex| number_in(&format!("0x{hex}")).is_some()) {
        return format!("write 0x{hex}");
    }
    let digits = text.trim_start_matches('0');
    if digits.len() == text.len() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return "write it in decimal, or as 0x…".to_owned();
    }
    let decimal = if digits.is_empty() { "0" } else { digits };
    match u64::from_str_radix(text, 8) {
        Ok(octal) if octal > 7 => {
            format!("write 0x{octal:x} if the number is octal, {} if it is decimal", shorten(decimal))
        }
        _ => format!("write {}, without the zero", shorten(decimal)),
    }
}

/// Returns a hint for a number of `value_type` that was written as a negative number, with a zero fraction, or as
/// bytes.
fn number_hint(text: &str, value_type: ValueType) -> String {
    let negative = text.parse::<i64>().ok().filter(|number| *number < 0);
    if let Some(number) = negative {
        let bits = bits_of(number, value_type == ValueType::QWORD);
        return format!("registry numbers are unsigned; the same bits are {bits}");
    }
    let whole = text.split_once('.').filter(|(_, rest)| !rest.is_empty() && rest.bytes().all(|b| b == b'0'));
    if let Some(number) = whole.and_then(|(whole, _)| number_in(whole)) {
        return format!("write {number}");
    }
    match of_reg_notation(text).map(|bytes| Data::new(value_type, bytes).decode()) {
        Some(Decoded::Number(number)) => format!("write {number}, which has these bytes"),
        _ => write_number(text),
    }
}

/// Parses the bytes of `hex:00,01` or `hex(7):00,01`, as a .reg file and win_regedit write them.
fn of_reg_notation(text: &str) -> Option<Vec<u8>> {
    let (prefix, digits) = text.split_once(':')?;
    let number = prefix.strip_prefix("hex")?;
    let is_prefix = number.is_empty() || (number.starts_with('(') && number.ends_with(')'));
    let digits: String = digits.chars().filter(|c| *c != ',' && !c.is_ascii_whitespace()).collect();
    is_prefix.then(|| crate::registry::notation::parse_hex_digits(&digits)).flatten()
}

/// Formats a scalar for a message.
pub(super) fn show_scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => shorten(text),
    }
}

/// Formats data for a message.
pub(super) fn show(literal: &Literal) -> String {
    match literal {
        Literal::Number(number) => number.to_string(),
        Literal::Text(text) => shorten(text),
        Literal::List(list) => shorten(&format!("[{}]", list.join(", "))),
    }
}

/// Converts `literal` to data of `value_type`.
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
            let message = format!("{value_type} takes a number, but `{}` is not one", shorten(text));
            misfit(Code::DATA_KIND, message, number_hint(text, value_type))
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
        return Err(misfit(Code::DATA_RANGE, message, "its range is 0 to 4294967295 (0xFFFFFFFF)"));
    };
    if value_type == ValueType::DWORD { Ok(Data::dword(small)) } else { Ok(Data::new(value_type, small.to_be_bytes())) }
}

fn text(literal: &Literal, value_type: ValueType) -> Result<Data, Misfit> {
    match literal {
        Literal::Text(text) if text.contains('\0') => {
            let message = format!("a {value_type} cannot contain a NUL");
            Err(misfit(Code::DATA_TEXT, message, "for such bytes, use REG_BINARY"))
        }
        Literal::Text(text) => Ok(Data::text(value_type, text)),
        Literal::Number(number) => {
            let message = format!("{value_type} takes a string, but {number} without quotes is a number");
            Err(misfit(Code::DATA_KIND, message, Hint::quote(&format!("\"{number}\""))))
        }
        Literal::List(_) => {
            let message = format!("{value_type} takes one string, not a list");
            Err(misfit(Code::DATA_KIND, message, ONE_STRING))
        }
    }
}

fn list(literal: &Literal) -> Result<Data, Misfit> {
    match literal {
        Literal::List(list) if list.iter().any(|item| item.contains('\0')) => {
            Err(misfit(Code::DATA_TEXT, "a string of a REG_MULTI_SZ cannot contain a NUL", "write two strings"))
        }
        Literal::List(list) => Ok(Data::multi_sz(list)),
        other => {
            let shown = show(other);
            let message = format!("REG_MULTI_SZ takes a list of strings, but `{shown}` is not one");
            let strings = match other {
                Literal::Text(text) => {
                    of_reg_notation(text).map(|bytes| Data::new(ValueType::MULTI_SZ, bytes).decode())
                }
                _ => None,
            };
            let hint = match strings {
                Some(Decoded::List(list)) => {
                    let list: Vec<_> = list.iter().map(|string| crate::registry::notation::quoted(string)).collect();
                    format!("write the strings that these bytes are: {}", shorten(&format!("[{}]", list.join(", "))))
                }
                _ => format!("write it as a list: [\"{shown}\"]"),
            };
            Err(misfit(Code::DATA_KIND, message, hint))
        }
    }
}

fn hex(literal: &Literal, value_type: ValueType) -> Result<Data, Misfit> {
    let text = match literal {
        Literal::Text(text) => text,
        Literal::Number(number) => {
            let message = format!("{value_type} takes bytes in hex digits, but {number} without quotes is a number");
            return Err(misfit(Code::DATA_KIND, message, format!("write the bytes in quotes: \"{number}\"")));
        }
        Literal::List(_) => {
            let message = format!("{value_type} takes bytes in hex digits, not a list");
            return Err(misfit(Code::DATA_KIND, message, "write them in one string: \"01 00 ff\""));
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
                let message = format!("`{}` has {} hex digits, but each byte has two", shorten(group), group.len());
                let hint = "put a 0 before a single digit: \"0f\"";
                return Err(Misfit { part: Some(group.to_owned()), ..misfit(Code::DATA_HEX, message, hint) });
            }
        }
    }
    Ok(Data::new(value_type, bytes))
}

/// The data that an expression stands for in this run. If it is a parameter, also all other data that it could stand
/// for.
pub(super) struct Meaning {
    /// The data that is used in this run.
    pub chosen: Literal,
    /// The other data that the parameter allows; for a range, its two ends.
    pub others: Vec<Literal>,
    /// The parameter that the data comes from.
    pub parameter: Option<String>,
    /// Whether the operator chose the data.
    pub is_set: bool,
}

/// Determines what `expression` means in this run.
pub(super) fn meaning(cx: &mut Context<'_>, expression: &DataExpression, path: &Path) -> Option<Meaning> {
    match expression {
        DataExpression::Literal(literal) => {
            Some(Meaning { chosen: literal.clone(), others: Vec::new(), parameter: None, is_set: false })
        }
        DataExpression::Parameter(reference) => {
            let resolved: Resolved = cx.parameter(&reference.parameter, &path.field("parameter"))?;
            let (chosen, others) = resolved.possible();
            let parameter = Some(reference.parameter.clone());
            Some(Meaning { chosen, others, parameter, is_set: resolved.is_set })
        }
    }
}

/// Converts `expression` to data of `value_type`. All other data that its parameter allows must be valid for the type
/// as well.
pub(super) fn evaluate(
    cx: &mut Context<'_>,
    expression: &DataExpression,
    value_type: ValueType,
    path: &Path,
) -> Option<Data> {
    let meaning = meaning(cx, expression, path)?;
    fit(cx, &meaning, value_type, path)
}

/// Converts `literal` to data of each type for which it is valid. Reports an error if it is valid for none of them.
pub(super) fn of_types(cx: &mut Context<'_>, literal: &Literal, types: &[ValueType], path: &Path) -> Option<Vec<Data>> {
    let all: Vec<Data> = types.iter().filter_map(|value_type| convert(literal, *value_type).ok()).collect();
    if all.is_empty() {
        let meaning = Meaning { chosen: literal.clone(), others: Vec::new(), parameter: None, is_set: false };
        fit(cx, &meaning, *types.first()?, path)?;
    }
    Some(all)
}

/// Converts `meaning` to data of `value_type`. Reports data that is not valid for the type.
pub(super) fn fit(cx: &mut Context<'_>, meaning: &Meaning, value_type: ValueType, path: &Path) -> Option<Data> {
    let all = std::iter::once(&meaning.chosen).chain(&meaning.others);
    for (at, literal) in all.enumerate() {
        if let Err(Misfit { code, message, hint, part }) = convert(literal, value_type) {
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
