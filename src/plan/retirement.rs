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
    /// The path of the target's newest journal when the plan was made. The plan is stale if there is a newer journal.
    pub journal: String,
}
