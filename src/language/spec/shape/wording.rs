//! Functions that describe data and fields in findings about the structure of a document.

use serde_json::Value;

use crate::{diag::text::shorten, spec::source::path::Path};

/// The range of a REG_DWORD, as a hint.
pub(in crate::spec) const RANGE_OF_DWORD: &str = "numbers of this type are from 0 to 4294967295 (0xFFFFFFFF)";

/// Returns the hint for a negative number as registry data: the unsigned number with the same bits. `bits` is the size
/// of the registry type, 32 or 64; `None` means 32, or 64 if the number needs more. If `bits` is `Some(32)` and the
/// number needs more, the hint gives the range of the type instead.
pub(in crate::spec) fn same_bits(number: i64, bits: Option<u32>) -> String {
    let shown = match (bits, i32::try_from(number)) {
        (None | Some(32), Ok(number)) => format!("0x{number:X}"),
        (Some(32), Err(_)) => return format!("registry numbers are unsigned; {RANGE_OF_DWORD}"),
        _ => format!("0x{number:X}"),
    };
    format!("registry numbers are unsigned; the same bits are {shown}")
}

/// Returns words for the kind of data that the schema keyword `type` calls `name`, such as `a string`.
pub(in crate::spec) fn kind_word(name: &str) -> &'static str {
    match name {
        "string" => "a string",
        "integer" | "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a mapping",
        _ => "nothing",
    }
}

/// Returns words for the kind of this data, such as `a list`.
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

/// Returns words for the kind of this data. For a scalar, they contain the data, as in `the number 5`.
pub(in crate::spec) fn kind_and_data(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) | Value::Null => kind_of(value).to_owned(),
        Value::String(_) => format!("the string {}", show(value)),
        Value::Number(_) => format!("the number {value}"),
        Value::Bool(_) => value.to_string(),
    }
}

/// Formats data for a message: in backticks, and shortened if it is long. A list or mapping is not written out.
pub(in crate::spec) fn show(value: &Value) -> String {
    format!("`{}`", plain(value))
}

/// Formats data for a message, without backticks, and shortened if it is long. A list becomes `a list`, and a mapping
/// `a mapping`.
pub(in crate::spec) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => shorten(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

/// Returns words for the node at `path`, for the start of a sentence: `a spec` for the whole document, otherwise the
/// path.
pub(in crate::spec) fn owner(path: &Path) -> String {
    if path.0.is_empty() { "a spec".to_owned() } else { format!("`{}`", shorten(&path.to_string())) }
}

/// Describes the text that the field at `path` accepts.
pub(in crate::spec) fn form(path: &Path) -> &'static str {
    match path.last_field() {
        Some("id") => "an id: letters (A to Z, a to z), digits, `.`, `_`, `-`",
        Some("reviewed" | "expires") => "a date: year-month-day, with 4, 2 and 2 digits",
        Some("sha256") => "a SHA-256: 64 hex digits",
        Some("url") => "an address that begins with http:// or https:// and has no spaces",
        _ => "in the form that the schema requires",
    }
}

/// Returns a hint with an example of valid text for the field at `path`; `None` if there is no example.
pub(in crate::spec) fn example(path: &Path) -> Option<String> {
    let example = match path.last_field() {
        Some("id") => "KB909094",
        Some("reviewed") => "2008-05-13",
        Some("expires") => "2027-01-31",
        Some("url") => "https://support.microsoft.com/kb/909094",
        _ => return None,
    };
    Some(format!("for example {example}"))
}

/// Formats names as a list: each in backticks, with commas between them.
pub(in crate::spec) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Formats kinds of data as a list, with `or` before the last one; `something else` if there are none.
pub(in crate::spec) fn list_or(kinds: &[&str]) -> String {
    match kinds {
        [] => "something else".to_owned(),
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        [last, ..] => (*last).to_owned(),
    }
}
