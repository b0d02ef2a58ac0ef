//! The data that is only in plans that retire specs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The specs that a plan retires. Their changes are undone, except where other specs still require them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retirement {
    /// The ids of the retired specs.
    pub specs: Vec<String>,
    /// The ids of the specs that still require some of the changes. These changes are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_for: Vec<String>,
    /// The id of the newest journal of the target when the plan was made. If a newer journal exists, the plan is stale,
    /// or was already applied.
    pub journal: String,
    /// The keys and values that are kept because someone else has changed them after kbfix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
}

/// A key or value that is neither in the state that the apply left nor in the state before the apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// The key; if the conflict is about a value, also the value name.
    pub place: String,
    /// The data or state that the apply left there.
    pub left: String,
    /// The data or state that is there now.
    pub found: String,
    /// The data or state that was there before the apply.
    pub before: String,
    /// Whether `--force` restores the key or value. `--force` never deletes a key or value that someone else created,
    /// or a key in which someone else created one. It also restores nothing in a key whose parent key is absent.
    pub forcible: bool,
}
