//! One waiver: a deviation that is accepted for a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Accepts, for a limited time and on some machines, that a spec is not satisfied. Reports still show the deviation,
/// but no changes are planned for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The id of the spec. Without `rule`, `key` and `value`, the waiver applies to everything that the spec requires,
    /// even if the spec is blocked.
    pub spec: String,
    /// The `id` of a rule or value in the spec. The waiver applies only to this rule or value, in its registry view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// A key, as the spec or the report writes it. The waiver applies only to this key, in both registry views, and to
    /// the subkeys that a rule for this key deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A value name; empty for the default value. The waiver applies only to values with this name: in `key`, or in
    /// every key of the spec if `key` is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The names of the machines in the fleet to which the waiver applies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<String>,
    /// The groups of machines to which the waiver applies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The reason why the deviation is accepted.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// The person who accepted the deviation.
    #[schemars(length(min = 1))]
    pub by: String,
    /// The last day on which the waiver is valid, as year-month-day, in UTC.
    pub expires: String,
}
