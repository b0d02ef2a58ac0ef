//! The labels of rules and values in findings: their id, severity and controls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::document::{self, ControlIds, Severity};

/// The id of a rule or value in findings and waivers, its severity, and the controls that it implements.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The id; `None` if the spec gives no id. It is unique in a run, without regard to letter case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The severity; `None` if the spec gives no severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The controls of security catalogues that the rule or value implements.
    #[serde(default, skip_serializing_if = "Controls::is_empty")]
    pub controls: Controls,
}

/// The controls of security catalogues that a rule or value implements. Each field contains the identifiers of one
/// catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// The identifiers of rules of DISA's Security Technical Implementation Guides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stig: Vec<String>,
    /// The identifiers of recommendations of a CIS benchmark.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cis: Vec<String>,
    /// The identifiers of the Common Configuration Enumeration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cce: Vec<String>,
    /// The identifiers of controls of NIST SP 800-53.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nist: Vec<String>,
}

impl Controls {
    /// Returns whether there are no controls.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the names of all four catalogues, each with the identifiers of its controls, which can be none.
    pub fn by_catalogue(&self) -> [(&'static str, &[String]); 4] {
        [("STIG", &self.stig), ("CIS", &self.cis), ("CCE", &self.cce), ("NIST", &self.nist)]
    }
}

impl From<&document::Controls> for Controls {
    fn from(from: &document::Controls) -> Self {
        let ids = |ids: &Option<ControlIds>| ids.as_ref().map(|ids| ids.all().to_vec()).unwrap_or_default();
        Self { stig: ids(&from.stig), cis: ids(&from.cis), cce: ids(&from.cce), nist: ids(&from.nist) }
    }
}

impl Label {
    /// Returns the label with these fields; `None` if all of them are `None` or empty.
    pub(in crate::spec) fn new(
        id: Option<&String>,
        severity: Option<Severity>,
        controls: Option<&document::Controls>,
    ) -> Option<Self> {
        let label = Self { id: id.cloned(), severity, controls: controls.map(Controls::from).unwrap_or_default() };
        (label != Self::default()).then_some(label)
    }

    /// Returns this label of a value. If it has no severity or no controls, they are taken from `rule`, the label of
    /// the rule for the value's key.
    pub(in crate::spec) fn within(self, rule: Option<&Self>) -> Self {
        let Some(rule) = rule else { return self };
        let controls = if self.controls.is_empty() { rule.controls.clone() } else { self.controls };
        Self { id: self.id, severity: self.severity.or(rule.severity), controls }
    }
}

impl std::fmt::Display for Label {
    /// Formats the label as `SRV-0012, high, STIG V-254372, NIST AC-17(2)`, without the parts that it does not have.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let severity = self.severity.map(|severity| match severity {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        });
        let controls = self.controls.by_catalogue();
        let controls = controls.iter().filter(|(_, ids)| !ids.is_empty());
        let controls = controls.map(|(name, ids)| format!("{name} {}", ids.join(" ")));
        let parts = self.id.iter().cloned().chain(severity.map(str::to_owned)).chain(controls);
        f.write_str(&parts.collect::<Vec<_>>().join(", "))
    }
}
