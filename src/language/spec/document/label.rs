//! The labels of rules and values in findings: `id`, `severity` and `controls`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How serious it is for a machine if a rule is not satisfied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Low, for example for an additional protection; the same as STIG category III.
    Low,
    /// Medium; the same as STIG category II.
    Medium,
    /// High; the same as STIG category I.
    High,
    /// Critical, for example for a weakness that attackers use, or for one that gives attackers control of the machine.
    Critical,
}

/// The controls (requirements of security catalogues, such as STIG) that a rule implements, by their identifiers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct Controls {
    /// Rules of DISA's Security Technical Implementation Guides, such as V-254372 or WN22-SO-000220.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stig: Option<ControlIds>,
    /// Recommendations of a CIS benchmark, such as 2.3.7.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cis: Option<ControlIds>,
    /// Common Configuration Enumeration identifiers, such as CCE-37345-4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cce: Option<ControlIds>,
    /// Controls of NIST SP 800-53, such as AC-17(2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nist: Option<ControlIds>,
}

/// One identifier of a control, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ControlIds {
    /// One identifier, in quotes if it looks like a number: "2.3".
    One(#[schemars(length(min = 1))] String),
    /// Several identifiers.
    Several(#[schemars(length(min = 1))] Vec<String>),
}

impl ControlIds {
    /// Returns the identifiers as a list.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(all) => all,
        }
    }
}
