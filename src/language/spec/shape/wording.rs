//! Words for findings about the structure of a document: the kinds of data, and what a field accepts.

use jsonschema::error::TypeKind;
use serde_json::Value;

use crate::{diag::text::shorten, spec::source::path::Path};

/// Returns a hint for a field without data.
pub(in crate::spec) fn remove(path: &Path) -> Option<String> {
    path.last_field().map(|name| format!("give it data, or remove `{name}`"))
}

/// Formats the bits of a negative number in hexadecimal digits: 32 bits, or 64 if the number needs them or `is_long` is
/// set.
pub(in crate::spec) fn bits_of(number: i64, is_long: bool) -> String {
    match i32::try_from(number) {
        Ok(number) if !is_long => format!("0x{number:X}"),
        _ => format!("0x{number:X}"),
    }
}

/// Returns the kinds of data that a schema allows.
pub(in crate::spec) fn kinds(kind: &TypeKind) -> Vec<&'static str> {
    let names: Vec<String> = match kind {
        TypeKind::Single(kind) => vec![kind.to_string()],
        TypeKind::Multiple(set) => set.iter().map(|kind| kind.to_string()).collect(),
    };
    let word = |name: &String| match name.as_str() {
        "string" => "a string",
        "integer" | "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a mapping",
        _ => "nothing",
    };
    names.iter().map(word).collect()
}

/// Returns the kind of data.
pub(in crate::spec) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// Returns the kind of data, with the data itself if it is a scalar.
pub(in crate::spec) fn kind_and_data(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) | Value::Null => kind_of(value).to_owned(),
        Value::String(_) => format!("the string {}", show(value)),
        Value::Number(_) => format!("the number {value}"),
        Value::Bool(_) => value.to_string(),
    }
}

/// Formats data for a message: shortened, in backticks.
pub(in crate::spec) fn show(value: &Value) -> String {
    format!("`{}`", plain(value))
}

/// Formats data as plain text, shortened.
pub(in crate::spec) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => shorten(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

/// Returns a name for the node at a path, to be used at the start of a sentence.
pub(in crate::spec) fn owner(path: &Path) -> String {
    if path.0.is_empty() { "a spec".to_owned() } else { format!("`{}`", shorten(&path.to_string())) }
}

/// Describes the form that the text of a field must have.
pub(in crate::spec) fn form(path: &Path) -> &'static str {
    match path.last_field() {
        Some("id") => "an id: letters, digits, `.`, `_`, `-`",
        Some("reviewed" | "expires") => "a date: year-month-day",
        Some("sha256") => "a SHA-256: 64 hex digits",
        Some("url") => "an address: http:// or https://",
        _ => "in the form that the schema requires",
    }
}

/// Returns an example for the text of a field.
pub(in crate::spec) fn example(path: &Path) -> Option<String> {
    let example = match path.last_field() {
        Some("id") => "KB909094",
        Some("reviewed") => "2008-05-13",
        Some("url") => "https://support.microsoft.com/kb/909094",
        _ => return None,
    };
    Some(format!("for example {example}"))
}

/// Joins names, in backticks, with commas.
pub(in crate::spec) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Joins kinds of data, with `or` before the last.
pub(in crate::spec) fn list_or(kinds: &[&str]) -> String {
    match kinds {
        [] => "something else".to_owned(),
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        [last, ..] => (*last).to_owned(),
    }
}
