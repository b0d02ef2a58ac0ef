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
}
