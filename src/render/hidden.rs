//! Formats documents as JSON without sensitive data.

use serde::Serialize;

use crate::plan::hidden::hide;

/// Formats the document as indented JSON. If `is_sensitive` is true, sensitive data is left out, and only its type is
/// included.
pub(super) fn json(document: &impl Serialize, is_sensitive: bool) -> String {
    if !is_sensitive {
        return super::json(document);
    }
    let mut value = serde_json::to_value(document).unwrap_or_default();
    hide(&mut value);
    super::json(&value)
}
