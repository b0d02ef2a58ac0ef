//! The additional data of a plan that retires specs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The specs that a plan retires. Their changes are undone, except where other specs still require them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retirement {
    /// The ids of the retired specs.
    pub specs: Vec<String>,
    /// The ids of the specs that still require some of the changes, so that these are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_for: Vec<String>,
    /// The id of the target's newest journal when the plan was made. The plan is stale if there is a newer journal.
    pub journal: String,
    /// The keys and values that are kept because someone else has changed them since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
}

/// A key or value that is neither in the state that the apply left nor in the state before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// The key, with the value name if the conflict is about a value.
    pub place: String,
    /// The data or state that the apply left there.
    pub left: String,
    /// The data or state that is there now.
    pub found: String,
    /// The data or state that was there before the apply.
    pub before: String,
    /// Whether `--force` restores the key or value. It does not restore a key that contains something made by someone
    /// else.
    pub forcible: bool,
}
