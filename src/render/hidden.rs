//! Formats documents as JSON without sensitive data.

use serde::Serialize;

use crate::plan::hidden::hide;

/// Formats the document as indented JSON. `is_sensitive` says whether the document contains sensitive data: then only
/// the type of this data is shown.
pub(super) fn json(document: &impl Serialize, is_sensitive: bool) -> String {
    if !is_sensitive {
        return super::json(document);
    }
    let mut value = serde_json::to_value(document).unwrap_or_default();
    hide(&mut value);
    super::json(&value)
}
