//! The saved plan: a JSON file with its own digest.
//!
//! The digest is the SHA-256 of the plan as canonical JSON (RFC 8785: members sorted, no blanks; the plan has no numbers
//! beyond 2^53 and no fractions), so it does not depend on how the file is laid out.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Plan;
use crate::registry::notation::hex_digits;

/// Why a file is not a plan that can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    Json(serde_json::Error),
    /// It is JSON, and not a plan of version 1.
    #[error("it is not a plan of version 1: {0}")]
    Shape(String),
    /// Its content is not what its digest was made of.
    #[error("it was altered after it was made: its digest says {written}, its content gives {content}")]
    Altered {
        /// The digest in the file.
        written: String,
        /// The digest of what is in it.
        content: String,
    },
    /// It is not the plan that was approved.
    #[error("it is not the plan that was approved: its digest is {found}, the approved one is {wanted}")]
    Other {
        /// The file's digest.
        found: String,
        /// The digest asked for.
        wanted: String,
    },
}

impl Plan {
    /// `sha256:` and 64 hex digits.
    pub fn digest(&self) -> String {
        serde_json::to_value(self).map_or_else(|_| String::new(), |value| digest(&value))
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let value = seal(serde_json::to_value(self).unwrap_or_default());
        let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a plan file, and holds it against the digest that was approved, if one is given.
    ///
    /// # Errors
    /// [`PlanError`]
    pub fn from_text(text: &str, approved: Option<&str>) -> Result<Self, PlanError> {
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
        serde_json::from_value(value).map_err(|e| PlanError::Shape(e.to_string()))
    }
}

/// The schema of the file: a plan, and its digest.
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

/// Digests are given with or without `sha256:`, in either case of the letters.
fn same_digest(a: &str, b: &str) -> bool {
    let bare = |d: &str| {
        let lower = d.trim().to_ascii_lowercase();
        lower.strip_prefix("sha256:").map(str::to_owned).unwrap_or(lower)
    };
    bare(a) == bare(b)
}

/// The document with its digest as a further member.
pub(crate) fn seal(mut document: Value) -> Value {
    let digest = digest(&document);
    if let Value::Object(members) = &mut document {
        members.insert("digest".to_owned(), digest.into());
    }
    document
}

/// Takes the digest out of a document: the one that is written there, and that of the rest. None where none is written.
pub(crate) fn unseal(document: &mut Value) -> Option<(String, String)> {
    let Some(Value::String(written)) = document.as_object_mut()?.remove("digest") else { return None };
    Some((written, digest(document)))
}

/// The SHA-256 of a JSON value in canonical form.
pub fn digest(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    format!("sha256:{}", sha256(sorted.to_string().as_bytes()))
}

/// The SHA-256 of bytes, in hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex_digits(&Sha256::digest(bytes))
}
