//! The saved plan: a JSON file with its own digest.
//!
//! The digest is the SHA-256 of the plan in canonical JSON (RFC 8785). So it does not depend on spaces, line breaks or
//! the order of members.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, error::Category};
use sha2::{Digest, Sha256};

use super::{Plan, consistent};
use crate::{
    format::{
        canonical::{in_parts, without},
        json,
    },
    registry::notation::hex_digits,
};

/// The reason why a file is not a plan that can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file is not JSON.
    #[error("it is not JSON: {}", json::explain(.0))]
    Json(serde_json::Error),
    /// The file is JSON, but not a plan of version 1.
    #[error("it is not a plan of version 1: {0}")]
    Shape(String),
    /// The digest of the content differs from the digest in the file.
    #[error(
        "the plan was altered after it was made: it contains the digest {written}, but the digest of its content is {content}"
    )]
    Altered {
        /// The digest in the file.
        written: String,
        /// The digest of the content.
        content: String,
    },
    /// The parts of the plan contradict each other, so kbfix did not write it in this form.
    #[error("the plan is inconsistent: {0}")]
    Inconsistent(String),
    /// The plan is not the one that was approved.
    #[error("this is not the plan that was approved: its digest is {found}, but the approved digest is {wanted}")]
    Other {
        /// The digest of the file.
        found: String,
        /// The approved digest.
        wanted: String,
    },
}

/// The name of the JSON member that contains a document's digest.
const DIGEST: &str = "digest";

/// The JSON member that contains the version of the plan format.
#[derive(Deserialize)]
struct Version {
    kbfix_plan: Option<Value>,
}

impl Plan {
    /// Returns the plan's digest: `sha256:` and 64 hex digits.
    pub fn digest(&self) -> String {
        digest(self)
    }

    /// Returns the text of the plan file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(&seal(self)).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Returns the text of the plan on one line, without a line break at the end, and the plan's digest.
    pub fn to_line(&self) -> (String, String) {
        let sealed = seal(self);
        (serde_json::to_string(&sealed).unwrap_or_default(), sealed.digest)
    }

    /// Reads the text of a plan file, and checks its digest, the digest `approved` if there is one, and its
    /// consistency. The digest `approved` may lack the prefix `sha256:`.
    ///
    /// # Errors
    ///
    /// Returns [`PlanError`] if the file is not a plan that can be trusted.
    pub fn from_text(text: &str, approved: Option<&str>) -> Result<Self, PlanError> {
        json::check(text).map_err(|error| match error.classify() {
            Category::Data => PlanError::Shape(json::explain(&error)),
            _ => PlanError::Json(error),
        })?;
        let not_one = || PlanError::Shape("`kbfix_plan` is not 1".to_owned());
        let (digest, rest) = without(text, DIGEST).map_err(|_| not_one())?;
        match serde_json::from_slice::<Version>(&rest) {
            Ok(Version { kbfix_plan: Some(version) }) if version == 1 => {}
            _ => return Err(not_one()),
        }
        let Some(Value::String(written)) = digest else {
            return Err(PlanError::Shape("it has no member `digest`, or this member is not a string".to_owned()));
        };
        let content = digest_of(&rest);
        if content != written {
            return Err(PlanError::Altered { written, content });
        }
        if let Some(wanted) = approved.filter(|wanted| !same_digest(wanted, &content)) {
            return Err(PlanError::Other { found: content, wanted: wanted.to_owned() });
        }
        let plan: Self = from_canonical(&rest).map_err(PlanError::Shape)?;
        if plan.digest() != content {
            let trees = (serde_json::from_slice(&rest), serde_json::to_value(&plan));
            let place = if let (Ok(was), Ok(is)) = trees { difference(&was, &is, "") } else { None };
            return Err(PlanError::Shape(format!(
                "{} is not in the form that kbfix writes",
                place.unwrap_or_default()
            )));
        }
        consistent::check(&plan).map_err(PlanError::Inconsistent)?;
        Ok(plan)
    }
}

/// Returns the JSON schema of the plan file: the plan and its digest.
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

/// Returns whether two digests are the same. Each may lack the prefix `sha256:`. The case of letters and spaces at both
/// ends are ignored.
pub(crate) fn same_digest(a: &str, b: &str) -> bool {
    let bare = |d: &str| {
        let lower = d.trim().to_ascii_lowercase();
        lower.strip_prefix("sha256:").map(str::to_owned).unwrap_or(lower)
    };
    bare(a) == bare(b)
}

/// A document to which its digest is added as a further JSON member.
#[derive(Serialize)]
pub(crate) struct Sealed<'a, T: Serialize> {
    #[serde(flatten)]
    document: &'a T,
    digest: String,
}

/// Adds the digest to the document, as the member `digest`.
pub(crate) fn seal<T: Serialize>(document: &T) -> Sealed<'_, T> {
    Sealed { document, digest: digest(document) }
}

/// Returns the document as canonical JSON, with its digest as the last member.
///
/// # Errors
///
/// Returns an error if the document cannot be written as JSON.
pub(crate) fn sealed_text(document: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    in_parts(document, |part| text.extend(part))?;
    let digest = digest_of(&text);
    text.pop();
    text.extend(format!(",\"{DIGEST}\":\"{digest}\"}}").as_bytes());
    Ok(text)
}

/// Separates a document from its digest. Returns the digest in the document, the digest of the rest, and the rest as
/// canonical JSON. Returns `None` if the text is not a JSON object with a digest.
pub(crate) fn unseal(document: &str) -> Option<(String, String, Vec<u8>)> {
    let (Some(Value::String(written)), rest) = without(document, DIGEST).ok()? else { return None };
    Some((written, digest_of(&rest), rest))
}

/// Reads a document from canonical JSON. An error message contains no line and column, because users never see
/// canonical JSON.
pub(crate) fn from_canonical<T: DeserializeOwned>(document: &[u8]) -> Result<T, String> {
    serde_json::from_slice(document).map_err(|error| json::fault(&error))
}

/// Returns the place of the first difference between `a` and `b`, as a JSON pointer (RFC 6901); `None` if they are the
/// same. `at` is the pointer to `a` and `b` themselves.
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

/// Returns the digest of a document: `sha256:`, and the SHA-256 of its canonical JSON in hex digits. Returns an empty
/// string if the document cannot be written as JSON.
pub fn digest(document: &impl Serialize) -> String {
    let mut hash = Sha256::new();
    match in_parts(document, |part| hash.update(part)) {
        Ok(()) => format!("sha256:{}", hex_digits(&hash.finalize())),
        Err(_) => String::new(),
    }
}

fn digest_of(canonical: &[u8]) -> String {
    format!("sha256:{}", sha256(canonical))
}

/// Returns the SHA-256 of bytes, in lower-case hex digits without the prefix `sha256:`.
pub fn sha256(bytes: &[u8]) -> String {
    hex_digits(&Sha256::digest(bytes))
}
