//! Compares how different YAML readers interpret an unquoted scalar.
//!
//! There are three kinds of readers: readers of the YAML 1.2 core schema, such as editors; readers of YAML 1.1, such as
//! PyYAML, which Ansible uses to pass data to kbfix; and the crate yaml_serde, which kbfix itself uses, and which
//! follows neither version exactly.
//!
//! Sources: YAML 1.2.2, 10.3.2 (tag resolution of the core schema); YAML 1.1 type repository (bool, int, float,
//! timestamp, merge, value); PyYAML's resolver.py and constructor.py.

use super::{
    reading::{Reading, signed, word},
    yaml11::yaml11,
};
use crate::diag::{Hint, text::shorten};

/// Returns a hint to write `text` in double quotes; `None` if `text` contains `"` or a backslash, which need escapes
/// there.
pub(in crate::spec) fn quote_hint(text: &str) -> Option<Hint> {
    (!text.contains(['"', '\\'])).then(|| Hint::quote(&format!("\"{}\"", shorten(text))))
}

/// How three kinds of YAML readers interpret an unquoted scalar: the crate yaml_serde, which kbfix uses; readers of
/// YAML 1.2; and readers of YAML 1.1.
#[derive(Clone, Copy)]
pub(in crate::spec) struct Readings {
    here: Reading,
    new: Reading,
    /// How readers of YAML 1.1 interpret the unquoted scalar.
    pub(in crate::spec) old: Reading,
}

impl Readings {
    /// Returns how yaml_serde, readers of YAML 1.2 and readers of YAML 1.1 interpret the unquoted scalar `text`.
    pub(in crate::spec) fn of(text: &str) -> Self {
        if is_plainly_text(text) {
            return Self { here: Reading::Text, new: Reading::Text, old: Reading::Text };
        }
        if let Some(number) = plain_number(text) {
            let number = Reading::Int(Some(number));
            return Self { here: number, new: number, old: number };
        }
        Self { here: here(text), new: yaml12(text), old: yaml11(text) }
    }

    /// Returns the interpretation if all readers have the same; `None` if they differ.
    pub(in crate::spec) fn agreed(self) -> Option<Reading> {
        (self.here == self.new && self.new == self.old).then_some(self.new)
    }

    /// Returns an error message which says how the readers interpret `text` differently.
    pub(in crate::spec) fn message(self, text: &str) -> String {
        let (shown, new, old) = (shorten(text), self.new.word(), self.old.word());
        if self.new == self.old {
            return format!(
                "`{shown}` without quotes is {new} in YAML, and {} to the parser of kbfix",
                self.here.word()
            );
        }
        // The only such text of one character is `=`. PyYAML, which Ansible uses, reports an error for it.
        let reader = if text.len() == 1 { "YAML 1.1" } else { "YAML 1.1, which Ansible reads" };
        format!("`{shown}` without quotes is {new} in YAML 1.2 and {old} in {reader}")
    }

    /// Returns the whole numbers that readers interpret the scalar as, each number once; empty if no reader interprets
    /// it as a whole number that fits into 128 bits.
    pub(in crate::spec) fn numbers(self) -> Vec<i128> {
        let mut numbers: Vec<i128> = Vec::new();
        for reading in [self.new, self.old, self.here] {
            if let Reading::Int(Some(number)) = reading
                && !numbers.contains(&number)
            {
                numbers.push(number);
            }
        }
        numbers
    }

    /// Returns a hint for a scalar that the readers interpret differently. The hint says to write the scalar in quotes.
    /// If the scalar can be a number and has no `:`, the hint also offers one or two numbers that it can mean, in
    /// decimal. Returns `None` if `text` needs quotes with escapes.
    pub(in crate::spec) fn hint(self, text: &str) -> Option<Hint> {
        match self.numbers().as_slice() {
            _ if text.contains(':') => quote_hint(text),
            [] => quote_hint(text),
            [one] => {
                let string = shorten(text);
                Some(format!("write {one} if it is a number, or \"{string}\" (with quotes) if it is a string").into())
            }
            [decimal, octal, ..] => {
                let string = shorten(text);
                let hint = format!(
                    "write {decimal} if it is a decimal number, {octal} if it is an octal number, or \"{string}\" (with \
                     quotes) if it is a string"
                );
                Some(hint.into())
            }
        }
    }
}

/// Returns whether a quick test shows that all readers in [`Readings`] interpret the unquoted `text` as a string. Most
/// text passes: it begins with a letter, and is not a word such as `False`.
pub(in crate::spec) fn is_plainly_text(text: &str) -> bool {
    const WORDS: [&str; 7] = ["null", "true", "false", "yes", "no", "on", "off"];
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && (text.len() > "false".len() || !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)))
}

/// Returns the number if `text` has only decimal digits without a leading zero, which every reader interprets as this
/// number. Otherwise returns `None`.
fn plain_number(text: &str) -> Option<i128> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    if is_plain { text.parse().ok() } else { None }
}

/// Returns whether every reader interprets the unquoted `text` as a string.
pub(crate) fn is_text(text: &str) -> bool {
    // Some YAML 1.1 parsers, but not PyYAML, read `y` and `n` as true and false. kbfix reads them as text, and writes
    // them in quotes.
    !matches!(text, "y" | "Y" | "n" | "N") && Readings::of(text).agreed() == Some(Reading::Text)
}

/// Returns how readers of the YAML 1.2 core schema interpret the unquoted `text`.
fn yaml12(text: &str) -> Reading {
    if let Some(word) = word(text) {
        return word;
    }
    let whole = |digits: &str, radix: u32| {
        (!digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
            .then(|| Reading::Int(i128::from_str_radix(digits, radix).ok()))
    };
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return whole(digits, radix).unwrap_or(Reading::Text);
        }
    }
    let (sign, digits) = signed(text);
    if let Some(number) = whole(digits, 10) {
        return match number {
            Reading::Int(Some(number)) => Reading::Int(Some(sign * number)),
            other => other,
        };
    }
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (digits, None),
    };
    let exponent_fits = exponent.is_none_or(|e| !e.is_empty() && all_digits(e));
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, rest)) => all_digits(whole) && all_digits(rest) && !(whole.is_empty() && rest.is_empty()),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    if exponent_fits && mantissa_fits { Reading::Float } else { Reading::Text }
}

/// Returns how the crate yaml_serde, which kbfix uses, interprets the unquoted `text`.
pub(in crate::spec) fn here(text: &str) -> Reading {
    if is_plainly_text(text) { Reading::Text } else { uncommon_here(text) }
}

/// Returns how the crate yaml_serde interprets the unquoted `text`, for which [`is_plainly_text`] returns `false`.
fn uncommon_here(text: &str) -> Reading {
    if let Some(word) = word(text) {
        return word;
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
            ("Null", Null, Null),
            ("nULL", Text, Text),
            ("true", Bool, Bool),
            ("tRUE", Text, Text),
            ("on", Text, Bool),
            ("No", Text, Bool),
            ("OFF", Text, Bool),
            ("oFF", Text, Text),
            ("y", Text, Text),
            ("0", int(0), int(0)),
            ("-1", int(-1), int(-1)),
            ("+1", int(1), int(1)),
            ("00", int(0), int(0)),
            ("0_", Text, int(0)),
            ("0777", int(777), int(511)),
            ("-0777", int(-777), int(-511)),
            ("08", int(8), Text),
            ("0888", int(888), Text),
            ("0o7", int(7), Text),
            ("+0o7", Text, Text),
            ("0o8", Text, Text),
            ("0x1F", int(31), int(31)),
            ("+0x10", Text, int(16)),
            ("0x1_0", Text, int(16)),
            ("0X1F", Text, Text),
            ("0xZ", Text, Text),
            ("0b11", Text, int(3)),
            ("0b_", Text, Int(None)),
            ("1_000", Text, int(1000)),
            ("_1", Text, Text),
            ("1:30", Text, int(90)),
            ("-1:30", Text, int(-90)),
            ("1:30:00", Text, int(5400)),
            ("1:75", Text, Text),
            ("0:30", Text, Text),
            ("190:20:30.15", Text, Float),
            ("4.1", Float, Float),
            (".5", Float, Float),
            (".", Text, Text),
            ("1.", Float, Float),
            ("1_0.5", Text, Float),
            ("1e3", Float, Text),
            ("1.e3", Float, Text),
            ("1e400", Float, Text),
            ("1.0e+3", Float, Float),
            ("1e", Text, Text),
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
            ("2001-12-14 21:59:43 Z", Text, Time),
            ("2001-12-14 21:59:43 crash", Text, Text),
            ("2001-12-14 21:59", Text, Text),
            ("=", Text, Special),
            ("<<", Text, Special),
            ("KB909094", Text, Text),
            ("C:\\x", Text, Text),
            ("18446744073709551616", int(1 << 64), int(1 << 64)),
        ] {
            assert_eq!((yaml12(text), yaml11(text)), (new, old), "{text}");
        }
    }

    #[test]
    fn what_is_plainly_text_is_text_to_every_reader() {
        let letters = [
            "true",
            "False",
            "NULL",
            "yes",
            "No",
            "ON",
            "off",
            "inf",
            "nan",
            "e5",
            "x0",
            "T1:30",
            "Z2008-05-13",
            "_1",
            "y",
            "N",
            "key",
            "a",
        ];
        let endings = ["", "1", "_", " ", "e", "E+5", ".inf", ":30", "-05-13", "true", "=", "0x10", "\u{e9}"];
        let (mut plain, mut other) = (0, 0);
        for text in letters.iter().flat_map(|first| endings.iter().map(move |rest| format!("{first}{rest}"))) {
            if is_plainly_text(&text) {
                assert_eq!(
                    (uncommon_here(&text), yaml12(&text), yaml11(&text)),
                    (Reading::Text, Reading::Text, Reading::Text)
                );
                plain += 1;
            } else {
                other += 1;
            }
        }
        for text in ["0", "7", "10", "4294967296", "18446744073709551616", "", "00", "07", "-1", "1_0", "1:30"] {
            if let Some(number) = plain_number(text) {
                let number = Reading::Int(Some(number));
                assert_eq!((uncommon_here(text), yaml12(text), yaml11(text)), (number, number, number));
                plain += 1;
            }
        }
        assert!(plain > 50 && other > 10, "{plain} plain, {other} other");
    }

    #[test]
    fn each_way_to_write_a_number_is_read_alike_or_refused() {
        let refused = |text: &str| Readings::of(text).agreed().is_none();
        for text in "0b100 +0x10 -0x10 08 -08 0777 00 0o17 -0o17 1_000 1e3 1e400 1:30 0x1_0".split(' ') {
            assert!(refused(text), "{text}");
        }
        for text in "0 7 -7 +7 0x10 0xFFFFFFFF 1.5 .5 ~ null true 1.2.3 0X10 0xG".split(' ') {
            assert!(!refused(text), "{text}");
        }
    }

    #[test]
    fn what_is_read_here_is_what_the_parser_gives() {
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
            assert_eq!(here(text), read, "{text}");
        }
    }
}
