//! Checks a document against the JSON schema of specs without compiling the schema. It only accepts documents: it never
//! explains an error.
//!
//! Compiling the schema takes longer than everything else that kbfix does to read a small spec. Almost only a document
//! with an error needs the crate jsonschema, which explains the error. This module knows the few schema keywords that
//! kbfix uses. One test generates the module `form` from the schema, and other tests check many documents with this
//! module and with jsonschema. The only known difference is that this module does not accept addresses with characters
//! other than ASCII.

use crate::spec::source::data::{Look, Tree};

#[rustfmt::skip]
mod form;

/// A JSON schema or a part of one, without the keywords that do not restrict documents (such as `format` in draft
/// 2020-12).
///
/// The module `form` contains these values for the schema of specs as static data, so that a process does not parse the
/// schema.
struct Form {
    kind: Option<Kind>,
    reference: Option<&'static Form>,
    properties: &'static [(&'static str, &'static Form)],
    required: &'static [&'static str],
    additional: Additional,
    min_properties: usize,
    items: Option<&'static Form>,
    min_items: usize,
    min_length: usize,
    max_length: usize,
    pattern: Option<Pattern>,
    minimum: Option<u32>,
    maximum: Option<u32>,
    /// The only data that `const`, `enum` or a `oneOf` of strings allows; empty if any data is allowed.
    choices: &'static [Constant],
    any_of: &'static [&'static Form],
}

/// A [`Form`] that accepts any document.
const ANY: Form = Form {
    kind: None,
    reference: None,
    properties: &[],
    required: &[],
    additional: Additional::Allowed,
    min_properties: 0,
    items: None,
    min_items: 0,
    min_length: 0,
    max_length: usize::MAX,
    pattern: None,
    minimum: None,
    maximum: None,
    choices: &[],
    any_of: &[],
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    String,
    Integer,
    Boolean,
}

/// The schema keyword `additionalProperties`: whether a mapping may have fields that the schema does not name.
enum Additional {
    Allowed,
    Forbidden,
    Of(&'static Form),
}

enum Constant {
    Text(&'static str),
    Number(u64),
    Bool(bool),
}

/// The regular expressions that the schema uses.
enum Pattern {
    /// The expression `^[A-Za-z0-9._-]+$`.
    Id,
    /// The expression `^https?://\S+$`.
    Url,
    /// The expression `^\d{4}-\d{2}-\d{2}$`.
    Day,
    /// The expression `^[0-9A-Fa-f]{64}$`.
    Sha256,
}

impl Pattern {
    /// Returns whether the text certainly matches the expression. Returns `false` for text with other characters than
    /// ASCII, because regular expression engines differ in whether `\d` and `\S` match them.
    fn accepts(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match self {
            Self::Id => !bytes.is_empty() && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b)),
            Self::Url => {
                let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
                rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
            }
            Self::Day => {
                let fits = |(at, b): (usize, &u8)| if at == 4 || at == 7 { *b == b'-' } else { b.is_ascii_digit() };
                bytes.len() == 10 && bytes.iter().enumerate().all(fits)
            }
            Self::Sha256 => bytes.len() == 64 && bytes.iter().all(u8::is_ascii_hexdigit),
        }
    }
}

/// Returns `true` if the document certainly matches the schema. `false` means that it does not match, or that this
/// function cannot decide.
pub(in crate::spec) fn accepts<'d>(document: impl Tree<'d>) -> bool {
    form::DOCUMENT.accepts(document)
}

impl Form {
    fn accepts<'d>(&self, data: impl Tree<'d>) -> bool {
        let look = data.look();
        self.kind.is_none_or(|kind| kind.is_of(look))
            && (self.choices.is_empty() || self.choices.iter().any(|choice| choice.is(look)))
            && self.accepts_content(look, data)
            && self.reference.is_none_or(|form| form.accepts(data))
            && (self.any_of.is_empty() || self.any_of.iter().any(|form| form.accepts(data)))
    }

    fn accepts_content<'d, T: Tree<'d>>(&self, look: Look<'d>, data: T) -> bool {
        match look {
            Look::Fields => {
                let of_field = |(name, value): (&str, T)| match (
                    self.properties.iter().find(|(known, _)| *known == name),
                    &self.additional,
                ) {
                    (Some((_, form)), _) | (None, Additional::Of(form)) => form.accepts(value),
                    (None, Additional::Allowed) => true,
                    (None, Additional::Forbidden) => false,
                };
                data.len() >= self.min_properties
                    && self.required.iter().all(|name| data.fields().any(|(field, _)| field == *name))
                    && data.fields().all(of_field)
            }
            Look::List => {
                data.len() >= self.min_items
                    && self.items.is_none_or(|form| data.items().all(|item| form.accepts(item)))
            }
            Look::Text(text) => {
                let length = || text.chars().count();
                (self.min_length == 0 || length() >= self.min_length)
                    && (self.max_length == usize::MAX || length() <= self.max_length)
                    && self.pattern.as_ref().is_none_or(|pattern| pattern.accepts(text))
            }
            Look::Bool(_) | Look::Null => true,
            number => {
                // Exact for the limits in the schema, which are 0 and the limits of 32-bit numbers.
                let number = float(number).unwrap_or(f64::NAN);
                self.minimum.is_none_or(|least| number >= f64::from(least))
                    && self.maximum.is_none_or(|most| number <= f64::from(most))
            }
        }
    }
}

/// Returns a number as a float, which may be rounded; `None` if the data is not a number.
#[allow(clippy::cast_precision_loss, reason = "the callers do not need the exact number")]
fn float(look: Look<'_>) -> Option<f64> {
    match look {
        Look::Unsigned(number) => Some(number as f64),
        Look::Signed(number) => Some(number as f64),
        Look::Other(number) => Some(number),
        _ => None,
    }
}

impl Constant {
    fn is(&self, look: Look<'_>) -> bool {
        match (self, look) {
            (Self::Text(text), Look::Text(found)) => *text == found,
            (Self::Number(number), Look::Unsigned(found)) => *number == found,
            (Self::Bool(truth), Look::Bool(found)) => *truth == found,
            _ => false,
        }
    }
}

impl Kind {
    fn is_of(self, look: Look<'_>) -> bool {
        match self {
            Self::Object => matches!(look, Look::Fields),
            Self::Array => matches!(look, Look::List),
            Self::String => matches!(look, Look::Text(_)),
            // 1.0 is an integer as well.
            Self::Integer => float(look).is_some_and(|number| number.fract() == 0.0),
            Self::Boolean => matches!(look, Look::Bool(_)),
        }
    }
}

#[cfg(test)]
mod generate;
#[cfg(test)]
mod tests;
