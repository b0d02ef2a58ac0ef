//! What a plan says beside its changes when it retires specs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The specs that a plan retires: what they did is put back, less what other specs still want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retirement {
    /// The ids of the retired specs.
    pub specs: Vec<String>,
    /// The ids of the specs for which something is kept that a retired spec changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_for: Vec<String>,
    /// The newest journal of the target when the plan was made. The plan is stale once there is a newer one.
    pub journal: String,
    /// The places that somebody else changed since, and that are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
}

/// A place that is neither as the apply left it nor as it was before.
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
    /// Whether `--force` puts it back. A key that contains something else that somebody made stays even then.
    pub forcible: bool,
}
