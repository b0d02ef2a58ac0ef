//! How a YAML reader interprets an unquoted scalar. Also recognizes the words that all readers interpret in the same
//! way.

/// How a YAML reader interprets an unquoted scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::spec) enum Reading {
    /// The scalar means null.
    Null,
    /// The scalar means true or false.
    Bool,
    /// The scalar is a whole number; `None` if the number does not fit into 128 bits.
    Int(Option<i128>),
    /// The scalar is a number with a fraction or exponent, an infinity, or "not a number".
    Float,
    /// The scalar is a date or a time.
    Time,
    /// The scalar is `<<` or `=`, which have a special meaning.
    Special,
    /// The scalar is a string.
    Text,
}

impl Reading {
    /// Returns words for a message, such as `the number 5`.
    pub(in crate::spec) fn word(self) -> String {
        match self {
            Self::Null => "nothing".into(),
            Self::Bool => "true or false".into(),
            Self::Int(Some(number)) => format!("the number {number}"),
            Self::Int(None) => "a number".into(),
            Self::Float => "a floating-point number".into(),
            Self::Time => "a date or time".into(),
            Self::Special => "a YAML instruction".into(),
            Self::Text => "a string".into(),
        }
    }
}

/// Interprets the words for null, true, false, infinities and "not a number" that YAML 1.2 and the crate yaml_serde
/// interpret in the same way. Empty text means null. Returns `None` for any other text.
pub(super) fn word(text: &str) -> Option<Reading> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(Reading::Null),
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Some(Reading::Bool),
        _ => special_float(text),
    }
}

/// Splits the sign from a number. Returns -1 for the sign `-`, and 1 for `+` or no sign, with the text after the sign.
pub(super) fn signed(text: &str) -> (i128, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    }
}

pub(super) fn special_float(text: &str) -> Option<Reading> {
    let (_, word) = signed(text);
    let infinite = matches!(word, ".inf" | ".Inf" | ".INF");
    (infinite || matches!(text, ".nan" | ".NaN" | ".NAN")).then_some(Reading::Float)
}
