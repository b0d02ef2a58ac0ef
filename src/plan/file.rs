//! The saved plan: a JSON file with its own digest.
//!
//! The digest is the SHA-256 of the plan as canonical JSON (RFC 8785; a plan has no fractions), so it does not depend
//! on the file's layout.

use serde::Deserialize as _;
use serde_json::{Value, error::Category};
use sha2::{Digest, Sha256};

use super::{Plan, consistent};
use crate::{format::json, registry::notation::hex_digits};

/// A file is not a plan that can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file is not JSON.
    #[error("it is not JSON: {0}")]
    Json(serde_json::Error),
    /// The file is JSON, but not a plan of version 1.
    #[error("it is not a plan of version 1: {0}")]
    Shape(String),
    /// The content does not have the digest that the file states.
    #[error(
        "it was altered after it was made: it says that its digest is {written}, but the digest of its content is {content}"
    )]
    Altered {
        /// The digest in the file.
        written: String,
        /// The digest of the content.
        content: String,
    },
    /// The plan's parts contradict each other, so kbfix did not write it like this.
    #[error("its parts contradict each other: {0}")]
    Inconsistent(String),
    /// The plan is not the one that was approved.
    #[error("it is not the plan that was approved: its digest is {found}, the approved one is {wanted}")]
    Other {
        /// The file's digest.
        found: String,
        /// The approved digest.
        wanted: String,
    },
}

impl Plan {
    /// Returns the plan's digest: `sha256:` and 64 hex digits.
    pub fn digest(&self) -> String {
        serde_json::to_value(self).map_or_else(|_| String::new(), |value| digest(&value))
    }

    /// Returns the content of the plan file.
    pub fn to_text(&self) -> String {
        let value = seal(serde_json::to_value(self).unwrap_or_default());
        let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Returns the same content on one line without a line break, and the digest.
    pub fn to_line(&self) -> (String, String) {
        let value = seal(serde_json::to_value(self).unwrap_or_default());
        let digest = value.get("digest").and_then(Value::as_str).unwrap_or_default().to_owned();
        (value.to_string(), digest)
    }

    /// Reads a plan file, and checks it against the approved digest, if one is given, and against itself. The returned
    /// plan has the digest that the file states.
    ///
    /// # Errors
    /// [`PlanError`]
    pub fn from_text(text: &str, approved: Option<&str>) -> Result<Self, PlanError> {
        json::check(text).map_err(|error| match error.classify() {
            Category::Data => PlanError::Shape(error.to_string()),
            _ => PlanError::Json(error),
        })?;
        let mut value: Value = serde_json::from_str(text).map_err(PlanError::Json)?;
        if value.get("kbfix_plan") != Some(&1.into()) {
            return Err(PlanError::Shape("`kbfix_plan` is not 1".to_owned()));
        }
        let (written, content) = unseal(&mut value).ok_or_else(|| PlanError::Shape("it has no `digest`".to_owned()))?;
        if content != written {
            return Err(PlanError::Altered { written, content });
        }
        if let Some(wanted) = approved.filter(|wanted| !same_digest(wanted, &content)) {
            return Err(PlanError::Other { found: content, wanted: wanted.to_owned() });
        }
        let plan = Self::deserialize(&value).map_err(|e| PlanError::Shape(e.to_string()))?;
        if plan.digest() != content {
            let place = serde_json::to_value(&plan).ok().and_then(|read| difference(&value, &read, ""));
            let place = place.unwrap_or_default();
            return Err(PlanError::Shape(format!("{place} is not written as kbfix writes it")));
        }
        consistent::check(&plan).map_err(PlanError::Inconsistent)?;
        Ok(plan)
    }
}

/// Returns the JSON schema of the file: a plan and its digest.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Plan).to_value();
    let digest = serde_json::json!({
        "description": "`sha256:` and the SHA-256 of all the rest as canonical JSON (RFC 8785), in hex digits.",
        "type": "string",
        "pattern": "^sha256:[0-9a-f]{64}$",
    });
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("digest".to_owned(), digest);
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.push("digest".into());
    }
    schema
}

/// Compares digests, which may be given without `sha256:` and in either letter case.
pub(crate) fn same_digest(a: &str, b: &str) -> bool {
    let bare = |d: &str| {
        let lower = d.trim().to_ascii_lowercase();
        lower.strip_prefix("sha256:").map(str::to_owned).unwrap_or(lower)
    };
    bare(a) == bare(b)
}

/// Adds the document's digest to it, as the member `digest`.
pub(crate) fn seal(mut document: Value) -> Value {
    let digest = digest(&document);
    if let Value::Object(members) = &mut document {
        members.insert("digest".to_owned(), digest.into());
    }
    document
}

/// Removes the digest from a document. Returns the digest that was in it, and that of the rest; `None` if it has none.
pub(crate) fn unseal(document: &mut Value) -> Option<(String, String)> {
    let Some(Value::String(written)) = document.as_object_mut()?.remove("digest") else { return None };
    Some((written, digest(document)))
}

/// Returns the place, as a JSON pointer (RFC 6901), of the first difference between `a` and `b`.
fn difference(a: &Value, b: &Value, at: &str) -> Option<String> {
    let below = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let changed = a.iter().find_map(|(name, value)| match b.get(name) {
                Some(other) => difference(value, other, &below(name)),
                None => Some(below(name)),
            });
            changed.or_else(|| b.keys().find(|name| !a.contains_key(*name)).map(|name| below(name)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(i, (a, b))| difference(a, b, &below(&i.to_string())))
        }
        _ => (a != b).then(|| at.to_owned()),
    }
}

/// Returns the SHA-256 of a JSON value in canonical form.
pub fn digest(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    format!("sha256:{}", sha256(text.as_bytes()))
}

/// Appends a JSON value as RFC 8785 defines it: no spaces, members sorted by the UTF-16 units of their names, strings
/// and whole numbers as ECMAScript writes them (as serde_json does, except for numbers that a 64-bit float cannot
/// hold).
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                canonical(&Value::String(name.clone()), out);
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        Value::Number(number) => match number.as_u64() {
            Some(large) if large > 1 << 53 => out.push_str(&(large as f64).to_string()),
            _ => out.push_str(&number.to_string()),
        },
        Value::Null | Value::Bool(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

/// Returns the SHA-256 of bytes, in hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex_digits(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    fn canonical(json: &str) -> String {
        let mut out = String::new();
        super::canonical(&serde_json::from_str(json).unwrap(), &mut out);
        out
    }

    #[test]
    fn the_examples_of_rfc_8785() {
        let sorted = r#"{"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7}"#;
        assert_eq!(
            canonical(sorted),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
        let text = r#"{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#;
        let wanted = r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(canonical(text), wanted);
        assert_eq!(canonical(r#"["\b\t\f\u007f\u2028", {}, []]"#), "[\"\\b\\t\\f\u{7f}\u{2028}\",{},[]]");
    }

    #[test]
    fn numbers_are_written_as_ecmascript_writes_them() {
        let numbers = "[0, -1, 4294967295, 9007199254740992, 9007199254740993, 18446744073709551615]";
        let wanted = "[0,-1,4294967295,9007199254740992,9007199254740992,18446744073709552000]";
        assert_eq!(canonical(numbers), wanted);
    }
}
