//! One waiver.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// That something is accepted on some machines for a time. It is shown, and nothing is planned for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The spec's id. Without `rule`, `key` and `value`, the waiver is about all that the spec asks for, also where it is
    /// blocked.
    pub spec: String,
    /// The `id` of a rule or value of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// A key, as the spec or the report writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A value name; empty for the default value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The names of the machines in the fleet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<String>,
    /// Groups of machines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Why it is accepted.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Who accepted it.
    #[schemars(length(min = 1))]
    pub by: String,
    /// The last day on which it counts, as year-month-day; days are those of UTC.
    pub expires: String,
}
