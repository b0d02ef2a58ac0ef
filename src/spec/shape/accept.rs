//! Accepts a document that certainly matches the schema, without compiling the schema.
//!
//! Compiling the schema takes longer than everything else that a small spec needs, and only a document with an error
//! needs the explanations of the crate jsonschema. This code reads the schema from its file, knows the few keywords
//! that it uses, and accepts a document only if it certainly matches. A test checks that it never disagrees with
//! jsonschema.

use std::{borrow::Cow, collections::BTreeMap, sync::OnceLock};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

/// The schema as `schema()` generates it; a test checks the file against the types.
const SCHEMA: &str = include_str!("../../../schema/spec.v1.schema.json");

/// A schema or subschema. If it contains a keyword that is not a field here, the whole schema is unreadable, and
/// nothing is accepted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Form<'s> {
    #[serde(rename = "$schema", default)]
    _schema: IgnoredAny,
    #[serde(rename = "$id", default)]
    _id: IgnoredAny,
    #[serde(rename = "title", default)]
    _title: IgnoredAny,
    #[serde(rename = "description", default)]
    _description: IgnoredAny,
    // In draft 2020-12, `format` is only an annotation.
    #[serde(rename = "format", default)]
    _format: IgnoredAny,
    #[serde(rename = "default", default)]
    _default: IgnoredAny,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    #[serde(rename = "$ref", borrow)]
    reference: Option<&'s str>,
    #[serde(borrow)]
    properties: Option<BTreeMap<&'s str, Form<'s>>>,
    #[serde(borrow)]
    required: Option<Vec<&'s str>>,
    #[serde(borrow)]
    additional_properties: Option<Additional<'s>>,
    min_properties: Option<usize>,
    #[serde(borrow)]
    items: Option<Box<Form<'s>>>,
    min_items: Option<usize>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    #[serde(borrow)]
    pattern: Option<Pattern<'s>>,
    minimum: Option<u32>,
    maximum: Option<u32>,
    #[serde(rename = "const")]
    constant: Option<Value>,
    #[serde(rename = "enum")]
    choices: Option<Vec<Value>>,
    #[serde(borrow)]
    any_of: Option<Vec<Form<'s>>>,
    one_of: Option<Vec<Word>>,
    #[serde(rename = "$defs", borrow, default)]
    definitions: BTreeMap<&'s str, Form<'s>>,
}

/// A branch of a `oneOf`: one string. At most one branch can match, so one match is enough.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    #[serde(rename = "description", default)]
    _description: IgnoredAny,
    #[serde(rename = "type")]
    _kind: Kind,
    #[serde(rename = "const")]
    constant: String,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Object,
    Array,
    String,
    Integer,
    Boolean,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Additional<'s> {
    Allowed(bool),
    #[serde(borrow)]
    Of(Box<Form<'s>>),
}

#[derive(Deserialize)]
struct Pattern<'s>(#[serde(borrow)] Cow<'s, str>);

impl Pattern<'_> {
    /// Returns whether the text certainly matches. Only ASCII is certain, because regular expression engines differ in
    /// what else `\d` and `\S` match.
    fn accepts(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match &*self.0 {
            r"^[A-Za-z0-9._-]+$" => {
                !bytes.is_empty() && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
            }
            r"^https?://\S+$" => {
                let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
                rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
            }
            r"^\d{4}-\d{2}-\d{2}$" => {
                let fits = |(at, b): (usize, &u8)| if at == 4 || at == 7 { *b == b'-' } else { b.is_ascii_digit() };
                bytes.len() == 10 && bytes.iter().enumerate().all(fits)
            }
            r"^[0-9A-Fa-f]{64}$" => bytes.len() == 64 && bytes.iter().all(u8::is_ascii_hexdigit),
            _ => false,
        }
    }
}

/// Returns whether the document certainly matches the schema.
pub(in crate::spec) fn accepts(document: &Value) -> bool {
    static FORM: OnceLock<Option<Form<'static>>> = OnceLock::new();
    let form = FORM.get_or_init(|| serde_json::from_str(SCHEMA).ok());
    form.as_ref().is_some_and(|form| form.accepts(document, &form.definitions))
}

impl<'s> Form<'s> {
    fn accepts(&self, value: &Value, definitions: &BTreeMap<&'s str, Self>) -> bool {
        let referred = || {
            let Some(reference) = self.reference else { return true };
            let name = reference.strip_prefix("#/$defs/");
            name.and_then(|name| definitions.get(name)).is_some_and(|form| form.accepts(value, definitions))
        };
        self.kind.is_none_or(|kind| kind.is_of(value))
            && self.constant.as_ref().is_none_or(|constant| constant == value)
            && self.choices.as_ref().is_none_or(|choices| choices.contains(value))
            && self.one_of.as_ref().is_none_or(|words| words.iter().any(|word| word.constant == *value))
            && self.accepts_content(value, definitions)
            && referred()
            && self.any_of.as_ref().is_none_or(|forms| forms.iter().any(|form| form.accepts(value, definitions)))
    }

    fn accepts_content(&self, value: &Value, definitions: &BTreeMap<&'s str, Self>) -> bool {
        match value {
            Value::Object(fields) => {
                let of_field = |(name, value): (&String, &Value)| {
                    let known = self.properties.as_ref().and_then(|known| known.get(name.as_str()));
                    match (known, &self.additional_properties) {
                        (Some(form), _) => form.accepts(value, definitions),
                        (None, Some(Additional::Of(form))) => form.accepts(value, definitions),
                        (None, Some(Additional::Allowed(allowed))) => *allowed,
                        (None, None) => true,
                    }
                };
                self.min_properties.is_none_or(|least| fields.len() >= least)
                    && self.required.iter().flatten().all(|name| fields.contains_key(*name))
                    && fields.iter().all(of_field)
            }
            Value::Array(items) => {
                self.min_items.is_none_or(|least| items.len() >= least)
                    && self.items.as_ref().is_none_or(|form| items.iter().all(|item| form.accepts(item, definitions)))
            }
            Value::String(text) => {
                let length = || text.chars().count();
                self.min_length.is_none_or(|least| length() >= least)
                    && self.max_length.is_none_or(|most| length() <= most)
                    && self.pattern.as_ref().is_none_or(|pattern| pattern.accepts(text))
            }
            Value::Number(number) => {
                // Exact for the limits in the schema, which are 0 and the limits of 32-bit numbers.
                let number = number.as_f64().unwrap_or(f64::NAN);
                self.minimum.is_none_or(|least| number >= f64::from(least))
                    && self.maximum.is_none_or(|most| number <= f64::from(most))
            }
            Value::Bool(_) | Value::Null => true,
        }
    }
}

impl Kind {
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::String => value.is_string(),
            // 1.0 is an integer as well.
            Self::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::Boolean => value.is_boolean(),
        }
    }
}

#[cfg(test)]
mod tests;
