//! Finds the numbers in a spec that stand for registry data, also those in quotes.

use crate::{
    diag::{Code, text::shorten},
    registry::{Data, Decoded, ValueType},
    spec::{
        document::{Literal, Scalar},
        shape::wording::same_bits,
    },
};

/// Returns the number that a scalar is, or that its string contains in decimal or `0x…`; `None` if there is no number.
pub(super) fn number(scalar: &Scalar) -> Option<u64> {
    match scalar {
        Scalar::Number(number) => Some(*number),
        Scalar::Text(text) => number_in(text),
    }
}

/// Returns the number that a literal is, or that its string contains in decimal or `0x…`. Returns `None` for a list,
/// and for a string that is not a number.
pub(super) fn number_of(literal: &Literal) -> Option<u64> {
    match literal {
        Literal::Number(number) => Some(*number),
        Literal::Text(text) => number_in(text),
        Literal::List(_) => None,
    }
}

/// Returns the string of a scalar, or its number in decimal.
pub(super) fn text_of(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
    }
}

/// Parses a number of at most 64 bits in decimal or `0x…`. Returns `None` for any other text, and for a decimal number
/// with a leading zero, because the author may mean an octal number.
pub(super) fn number_in(text: &str) -> Option<u64> {
    let (digits, radix) = digits_of(text)?;
    u64::from_str_radix(digits, radix).ok()
}

/// Returns the digits of a number of any size in decimal or `0x…`, and their radix: 10 or 16. Returns `None` if `text`
/// is not a number, or is a decimal number with a leading zero.
fn digits_of(text: &str) -> Option<(&str, u32)> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    // `from_str_radix` would accept a sign, but a registry number has none.
    let all_digits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    let doubtful = radix == 10 && digits.len() > 1 && digits.starts_with('0');
    (all_digits && !doubtful).then_some((digits, radix))
}

/// The reason why a text is not a number that a registry value can have.
pub(super) struct NoNumber {
    /// The stable code of the error.
    pub code: Code,
    /// The end of the sentence `TEXT is …` in the error message, such as `not a number`.
    pub what: &'static str,
    /// A hint that says how to correct the text.
    pub hint: String,
}

impl NoNumber {
    /// Returns the reason why `text`, in which [`number_in`] finds no number, is not a number of the type `value_type`.
    /// The type is `None` if it is not known.
    pub(super) fn of(text: &str, value_type: Option<ValueType>) -> Self {
        if digits_of(text).is_some() {
            let hint = "a REG_QWORD goes up to 18446744073709551615".to_owned();
            return Self { code: Code::NUMBER_TOO_LARGE, what: "larger than any registry type can hold", hint };
        }
        if text.strip_prefix('-').is_some_and(|digits| digits != "0" && digits_of(digits).is_some()) {
            let bits = value_type.map(|value_type| if value_type == ValueType::QWORD { 64 } else { 32 });
            let hint = text.parse().map_or_else(
                |_| "registry numbers are unsigned; write a number that is not negative".to_owned(),
                |n| same_bits(n, bits),
            );
            return Self { code: Code::OUT_OF_RANGE, what: "below 0", hint };
        }
        let is_fraction = text.split_once('.').is_some_and(|(whole, rest)| {
            [whole, rest].into_iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        });
        let what = if is_fraction { "not a whole number" } else { "not a number" };
        Self { code: Code::DATA_KIND, what, hint: number_hint(text, value_type) }
    }

    /// Returns the error message about the text.
    pub(super) fn message(&self, text: &str) -> String {
        format!("`{}` is {}", shorten(text), self.what)
    }
}

/// Returns a hint that says how to write `text` as a number: `dword:…` becomes `0x…`, and leading zeros are removed. If
/// `text` has another form, the hint says which numbers kbfix accepts.
fn write_number(text: &str) -> String {
    if let Some(hex) = text.strip_prefix("dword:").filter(|hex| number_in(&format!("0x{hex}")).is_some()) {
        return format!("write 0x{hex}");
    }
    let digits = text.trim_start_matches('0');
    if digits.len() == text.len() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return "write the number in decimal, or as 0x…: whole, not negative, and of at most 64 bits".to_owned();
    }
    let decimal = if digits.is_empty() { "0" } else { digits };
    match u64::from_str_radix(text, 8) {
        Ok(octal) if octal > 7 => {
            format!("write {} if it is a decimal number, {octal} if it is an octal number", shorten(decimal))
        }
        _ => format!("write {}, without the leading zero", shorten(decimal)),
    }
}

/// Returns a hint for text that is not a number. It offers a number if `text` is a number such as `5.0`, or bytes of
/// the type `value_type` such as `hex:05,00`.
fn number_hint(text: &str, value_type: Option<ValueType>) -> String {
    let whole = text.split_once('.').filter(|(_, rest)| !rest.is_empty() && rest.bytes().all(|b| b == b'0'));
    if let Some(number) = whole.and_then(|(whole, _)| number_in(whole)) {
        return format!("write {number}");
    }
    let data = value_type.and_then(|value_type| Some(Data::new(value_type, of_reg_notation(text)?)));
    match data.map(|data| data.decode()) {
        Some(Decoded::Number(number)) => format!("write {number}, which has these bytes"),
        _ => write_number(text),
    }
}

/// Parses the bytes in `hex:00,01` or `hex(7):00,01`, the notation of .reg files and of win_regedit. Returns `None` for
/// text in another form.
pub(super) fn of_reg_notation(text: &str) -> Option<Vec<u8>> {
    let (prefix, digits) = text.split_once(':')?;
    let number = prefix.strip_prefix("hex")?;
    let is_prefix = number.is_empty() || (number.starts_with('(') && number.ends_with(')'));
    let digits: String = digits.chars().filter(|c| *c != ',' && !c.is_ascii_whitespace()).collect();
    is_prefix.then(|| crate::registry::notation::parse_hex_digits(&digits)).flatten()
}
