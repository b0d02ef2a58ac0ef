//! Text without quotes that not every reader of YAML takes for the same.
//!
//! kbfix reads by the core schema of YAML 1.2; Ansible hands over what PyYAML read by YAML 1.1. To one of them `on` is a
//! word, to the other it is true; `0777` is text here and 511 there. Such a scalar is refused rather than guessed at.
//! Sources: YAML 1.1 type repository (bool, int, float, timestamp, merge, value); PyYAML's resolver.py.

use super::{
    findings::Findings,
    path::Path,
    places::{Kind, Visited},
    shorten,
};
use crate::diag::Code;

/// What a scalar without quotes is read as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reading {
    /// Nothing.
    Null,
    /// True or false.
    Bool,
    /// A whole number; `None` beyond 128 bits.
    Int(Option<i128>),
    /// A number with a fraction or exponent, an infinity, or not a number.
    Float,
    /// A date or a time.
    Time,
    /// `<<` or `=`.
    Special,
    /// Text.
    Text,
}

impl Reading {
    fn word(self) -> String {
        match self {
            Self::Null => "nothing".into(),
            Self::Bool => "true or false".into(),
            Self::Int(Some(number)) => format!("the number {number}"),
            Self::Int(None) => "a number".into(),
            Self::Float => "a number with a fraction".into(),
            Self::Time => "a date or time".into(),
            Self::Special => "an instruction".into(),
            Self::Text => "text".into(),
        }
    }
}

/// Checks every scalar without quotes.
pub(super) fn check(findings: &mut Findings<'_>) {
    let places = findings.places();
    places.walk(&mut |path, visited| match visited {
        Visited::Name(entry) if entry.plain => name(findings, path, &entry.name),
        Visited::Node(node) => {
            if let Kind::Scalar { text, plain: true } = &node.kind {
                data(findings, path, text);
            }
        }
        Visited::Name(_) => {}
    });
}

fn quote_hint(text: &str) -> Option<String> {
    (!text.contains(['"', '\\'])).then(|| format!("write it in quotes: \"{}\"", shorten(text)))
}

fn ambiguous(text: &str, new: Reading, old: Reading) -> String {
    let (text, new, old) = (shorten(text), new.word(), old.word());
    // PyYAML leaves out the one-letter words of YAML 1.1.
    let reader = if text.len() == 1 { "YAML 1.1" } else { "YAML 1.1, which Ansible reads" };
    format!("`{text}` without quotes is {new} in YAML 1.2 and {old} in {reader}")
}

fn data(findings: &mut Findings<'_>, path: &Path, text: &str) {
    match (yaml12(text), yaml11(text)) {
        (Reading::Float, Reading::Float) => {
            let message =
                format!("`{}` without quotes is a number with a fraction, which no field takes", shorten(text));
            findings.data(Code::UNQUOTED_SCALAR, path, message, quote_hint(text));
        }
        (new @ Reading::Int(Some(number)), old) if new == old => {
            if u64::try_from(number).is_err() && i64::try_from(number).is_err() {
                too_large(findings, path, text);
            }
        }
        (Reading::Int(None), Reading::Int(None)) => too_large(findings, path, text),
        (new, old) if new == old => {}
        // A day is a date object to PyYAML and becomes the same text again on its way to kbfix.
        (Reading::Text, Reading::Time) if is_day(text) && is_review(path) => {}
        _ if findings.only_counts() => {}
        (new, old) => findings.data(Code::AMBIGUOUS_SCALAR, path, ambiguous(text, new, old), quote_hint(text)),
    }
}

fn too_large(findings: &mut Findings<'_>, path: &Path, text: &str) {
    let message = format!("`{}` is larger than any registry type can hold", shorten(text));
    let hint = "a REG_QWORD goes up to 18446744073709551615";
    findings.data(Code::NUMBER_TOO_LARGE, path, message, Some(hint.into()));
}

fn is_review(path: &Path) -> bool {
    path.0.len() == 2 && path.field_at(0) == Some("article") && path.field_at(1) == Some("reviewed")
}

fn name(findings: &mut Findings<'_>, path: &Path, text: &str) {
    let (new, old) = (yaml12(text), yaml11(text));
    let hint = || quote_hint(text);
    match (new, old) {
        (Reading::Text, Reading::Text) => {}
        // Reported as a merge key.
        _ if text == "<<" => {}
        // Only a number in its shortest decimal form is the same name wherever it has been through a number.
        (Reading::Int(Some(a)), Reading::Int(Some(b))) if a == b && a.to_string() == text => {}
        _ if findings.only_counts() => {}
        (new, old) if new == old => {
            let message = format!("`{}` without quotes is {}, not the name of a field", shorten(text), new.word());
            findings.name(Code::UNQUOTED_SCALAR, path, message, hint());
        }
        _ => findings.name(Code::AMBIGUOUS_SCALAR, path, ambiguous(text, new, old), hint()),
    }
}

/// What yaml_serde reads, by the core schema of YAML 1.2.
pub(super) fn yaml12(text: &str) -> Reading {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Reading::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return Reading::Bool,
        _ => {}
    }
    if let Some(special) = special_float(text) {
        return special;
    }
    let (sign, digits) = signed(text);
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)];
    if let Some((digits, radix)) = radix.iter().find_map(|(p, radix)| Some((digits.strip_prefix(p)?, *radix))) {
        if !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)) {
            return Reading::Int(i128::from_str_radix(digits, radix).ok().map(|n| sign * n));
        }
        return Reading::Text;
    }
    let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if all_digits {
        let leading_zero = digits.len() > 1 && digits.starts_with('0');
        return if leading_zero { Reading::Text } else { Reading::Int(digits.parse().ok().map(|n: i128| sign * n)) };
    }
    let floaty = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    match digits.parse::<f64>() {
        Ok(number) if floaty && number.is_finite() => Reading::Float,
        _ => Reading::Text,
    }
}

/// What a reader of YAML 1.1 makes of it.
pub(super) fn yaml11(text: &str) -> Reading {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Reading::Null,
        "<<" | "=" => return Reading::Special,
        _ => {}
    }
    let words = ["yes", "no", "true", "false", "on", "off", "y", "n"];
    if words.contains(&text.to_ascii_lowercase().as_str()) {
        let mut rest = text.chars().skip(1);
        let first_only = rest.clone().all(|c| c.is_ascii_lowercase());
        let all_upper = rest.all(|c| c.is_ascii_uppercase()) && text.starts_with(|c: char| c.is_ascii_uppercase());
        return if first_only || all_upper { Reading::Bool } else { Reading::Text };
    }
    if let Some(special) = special_float(text) {
        return special;
    }
    if is_day(text) || is_time(text) {
        return Reading::Time;
    }
    let (sign, digits) = signed(text);
    let number = |digits: &str, radix: u32| {
        let digits = digits.replace('_', "");
        let fits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        fits.then(|| Reading::Int(i128::from_str_radix(&digits, radix).ok().map(|n| sign * n)))
    };
    for (prefix, radix) in [("0b", 2), ("0x", 16)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return number(digits, radix).unwrap_or(Reading::Text);
        }
    }
    let decimal = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'_')
    };
    if decimal(digits) {
        let octal = digits.len() > 1 && digits.starts_with('0');
        let reading = if octal { number(&digits[1..], 8) } else { number(digits, 10) };
        return reading.unwrap_or(Reading::Text);
    }
    if let Some(sexagesimal) = sexagesimal(digits) {
        return match sexagesimal {
            Reading::Int(Some(n)) => Reading::Int(Some(sign * n)),
            other => other,
        };
    }
    // A float needs a dot; an exponent needs its sign.
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "+0"));
    let exponent =
        exponent.strip_prefix(['+', '-']).is_some_and(|e| !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit()));
    let is_float = exponent
        && mantissa.split_once('.').is_some_and(|(whole, rest)| {
            let rest_fits = rest.bytes().all(|b| b.is_ascii_digit() || b == b'_');
            if whole.is_empty() {
                rest_fits && rest.starts_with(|c: char| c.is_ascii_digit())
            } else {
                rest_fits && decimal(whole)
            }
        });
    if is_float { Reading::Float } else { Reading::Text }
}

fn signed(text: &str) -> (i128, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    }
}

fn special_float(text: &str) -> Option<Reading> {
    let (_, word) = signed(text);
    let infinite = matches!(word, ".inf" | ".Inf" | ".INF");
    (infinite || matches!(text, ".nan" | ".NaN" | ".NAN")).then_some(Reading::Float)
}

/// `1:30` is 90 in YAML 1.1, and `1:30.5` is 90.5.
fn sexagesimal(digits: &str) -> Option<Reading> {
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let (first, rest) = whole.split_once(':')?;
    let first_fits = first.starts_with(|c: char| c.is_ascii_digit())
        && (fraction.is_some() || !first.starts_with('0'))
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut value: Option<i128> = first.replace('_', "").parse().ok();
    for part in rest.split(':') {
        let number =
            part.parse::<i128>().ok().filter(|n| *n < 60 && part.len() <= 2 && !part.starts_with(['+', '-']))?;
        value = value.and_then(|v| v.checked_mul(60)?.checked_add(number));
    }
    if !first_fits {
        return None;
    }
    match fraction {
        None => Some(Reading::Int(value)),
        Some(fraction) => fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_').then_some(Reading::Float),
    }
}

fn digits_of(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// `2008-05-13`.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], [y, m, d] if digits_of(y, 4..=4) && digits_of(m, 2..=2) && digits_of(d, 2..=2))
}

/// A day with a time behind it. What follows the time (a fraction, a zone) does not make it text again.
fn is_time(text: &str) -> bool {
    let Some(split) = text.find(['T', 't', ' ', '\t']) else { return false };
    let parts: Vec<&str> = text[..split].split('-').collect();
    let day = matches!(parts[..], [y, m, d] if digits_of(y, 4..=4) && digits_of(m, 1..=2) && digits_of(d, 1..=2));
    let time: Vec<&str> = text[split + 1..].trim_start().split(':').collect();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count() >= 2;
    day && time.len() >= 3 && digits_of(time[0], 1..=2) && digits_of(time[1], 2..=2) && digits(time[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_versions_of_yaml_read_as_their_texts_say() {
        use Reading::{Bool, Float, Int, Null, Special, Text, Time};
        let int = |n| Int(Some(n));
        for (text, new, old) in [
            ("", Null, Null),
            ("~", Null, Null),
            ("true", Bool, Bool),
            ("on", Text, Bool),
            ("No", Text, Bool),
            ("OFF", Text, Bool),
            ("oFF", Text, Text),
            ("y", Text, Bool),
            ("0", int(0), int(0)),
            ("-1", int(-1), int(-1)),
            ("0777", Text, int(511)),
            ("0888", Text, Text),
            ("0o7", int(7), Text),
            ("0x1F", int(31), int(31)),
            ("0xZ", Text, Text),
            ("0b11", int(3), int(3)),
            ("1_000", Text, int(1000)),
            ("1:30", Text, int(90)),
            ("1:30:00", Text, int(5400)),
            ("1:75", Text, Text),
            ("190:20:30.15", Text, Float),
            ("4.1", Float, Float),
            (".5", Float, Float),
            ("1.", Float, Float),
            ("1e3", Float, Text),
            ("1.0e+3", Float, Float),
            (".inf", Float, Float),
            (".nan", Float, Float),
            ("inf", Text, Text),
            ("nan", Text, Text),
            ("6.5.7651.19", Text, Text),
            ("10.0.17763", Text, Text),
            ("2008-05-13", Text, Time),
            ("2008-5-13", Text, Text),
            ("2001-12-14t21:59:43.10-05:00", Text, Time),
            ("2001-12-14 21:59:43", Text, Time),
            ("=", Text, Special),
            ("KB909094", Text, Text),
            ("C:\\x", Text, Text),
            ("18446744073709551616", int(1 << 64), int(1 << 64)),
        ] {
            assert_eq!((yaml12(text), yaml11(text)), (new, old), "{text}");
        }
    }

    #[test]
    fn yaml12_agrees_with_the_parser_that_gives_the_meaning() {
        let texts = "true True tRue ~ null Null nULL 0 00 007 0o17 0x1f 0X1F 0b101 +5 -5 +0x5 -0x5 1.5 .5 5. 1e5 1E5 1e+5 \
                     -1.5 +.5 .inf -.inf .Inf .NaN .nan inf nan infinity NaN 1_0 1e400 e5 . .. ..5 + +. 1.2.3 0.0 -0 +0 \
                     0x 0o 0b 0o8 0b2 1e 1.e5 18446744073709551615 -9223372036854775808 yes no on off";
        for text in texts.split_whitespace() {
            let read: serde_yaml::Value = serde_yaml::from_str(&format!("a: {text}")).unwrap();
            let read = match read.get("a").unwrap() {
                serde_yaml::Value::Null => Reading::Null,
                serde_yaml::Value::Bool(_) => Reading::Bool,
                serde_yaml::Value::Number(n) if n.is_f64() => Reading::Float,
                serde_yaml::Value::Number(n) => {
                    Reading::Int(n.as_u64().map(i128::from).or_else(|| n.as_i64().map(i128::from)))
                }
                serde_yaml::Value::String(_) => Reading::Text,
                other => panic!("{other:?}"),
            };
            assert_eq!(yaml12(text), read, "{text}");
        }
    }
}
