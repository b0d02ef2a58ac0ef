//! The spec language, version 1, as it is written in a file: the types that serde reads and schemars turns into
//! `schema/`.
//!
//! An editor shows their doc comments to the author. Alternatives are optional fields of one struct rather than
//! untagged enums, so that a mistake is reported at its place and an editor can complete each field; `check` ensures
//! that exactly one of them is given. Its results are the types of [`super::model`].

mod condition;
mod data;
mod file;
mod label;
mod rule;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::format::event::EventLevel;
pub use condition::{
    Condition, Location, OneView, OsTest, Prerequisite, Product, RegistryTest, ValuePlace, VersionRange,
};
pub use data::{
    Allowed, DataExpression, Literal, NumberRange, Parameter, ParameterReference, ParameterType, Scalar, TypeChoice,
    TypeName,
};
pub use file::{Branch, FileTest, Hotfix, HotfixFile, Package, PlatformName};
pub use label::{ControlIds, Controls, Severity};
pub use rule::{
    Bits, Compare, Ensure, Exclusive, Keep, KeepWhich, KeepWord, KeyRule, ListEdit, OnSubkeys, Replace, Trigger,
    ValueRule, ViewChoice,
};

/// A spec: which product it applies to, what must be installed, and which registry values must hold.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kbfix spec, version 1")]
pub struct Document {
    /// The version of the spec language: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix: u32,
    /// The article's number, such as `KB909094`, or another name: letters, digits, `.`, `_`, `-`.
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub id: String,
    /// The article's title.
    #[schemars(length(min = 1))]
    pub title: String,
    /// Other names of the same issue: security bulletins, CVE numbers, further articles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The article that this spec follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub article: Option<Article>,
    /// The products that the article lists under "Applies to". They are for people; `applicable` is tested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies_to: Vec<String>,
    /// The reason for the change, in a few lines, for the reviewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// More for the reviewer: what is inferred, and what the article leaves open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The sources of the facts in this spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Choices for the operator, made with `--set name=data` or in the playbook.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
    /// Names for folders that the target itself knows; `{name}` stands for one in a file's path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locations: BTreeMap<String, Location>,
    /// The condition under which the spec applies. If it does not hold, nothing is done and nothing fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applicable: Option<Condition>,
    /// Conditions that must hold before anything is changed. If one does not, the spec is blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
    /// The update that must be installed. If a file is missing or older, the spec is blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hotfix: Option<Hotfix>,
    /// The keys and values that must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub registry: Vec<KeyRule>,
    /// What the article asks for beside the registry: permissions, files, tasks, features. kbfix prints these steps, and
    /// does not take them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub manual_steps: Vec<ManualStep>,
    /// Restarts that are needed for the change to take effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// Signs of the problem on a machine, or of the remedy. `kbfix symptoms` looks for them; they decide nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symptoms: Vec<Symptom>,
}

/// The article that a spec follows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Article {
    /// The address of the article.
    #[schemars(regex(pattern = r"^https?://\S+$"))]
    pub url: String,
    /// The revision, in quotes: "4.1".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The day of the last review, as year-month-day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub reviewed: Option<String>,
}

/// The source of a fact.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// How close the source is to Microsoft's own text.
    pub level: SourceLevel,
    /// What the source says.
    pub what: String,
    /// The address of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://\S+$"))]
    pub url: Option<String>,
}

/// How close a source is to Microsoft's own text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceLevel {
    /// A page of Microsoft's.
    Microsoft,
    /// A copy of such a page.
    Mirror,
    /// Somebody else's text, script or scanner.
    Secondary,
    /// Follows from the other sources; none of them says it.
    Inference,
}

/// A step that kbfix does not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualStep {
    /// What to do.
    #[schemars(length(min = 1))]
    pub what: String,
    /// Whether it comes `before` or `after` (the default) the changes in the registry.
    #[serde(default, skip_serializing_if = "StepOrder::is_after")]
    pub order: StepOrder,
    /// The address of a page that describes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://\S+$"))]
    pub url: Option<String>,
}

/// When a step is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOrder {
    /// Before the changes in the registry.
    Before,
    /// After them.
    #[default]
    After,
}

impl std::fmt::Display for ManualStep {
    /// Formats the step as `before the changes: …`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let order = match self.order {
            StepOrder::Before => "before",
            StepOrder::After => "after",
        };
        let what = self.what.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(f, "{order} the changes: {what}")?;
        self.url.iter().try_for_each(|url| write!(f, " <{url}>"))
    }
}

impl StepOrder {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_after(&self) -> bool {
        *self == Self::After
    }
}

/// Restarts that a change needs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Whether the computer must be restarted. kbfix never does that; it reports it.
    pub computer: ComputerRestart,
    /// The services to restart, by service name. kbfix does that only when asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// A note for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Whether the computer must be restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComputerRestart {
    /// Not needed.
    Never,
    /// The sources do not say.
    Unknown,
    /// Needed.
    Required,
}

/// A sign that can be seen on a machine.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Symptom {
    /// An event in a log.
    pub event: Event,
    /// The effect of the remedy: `gone` (the default) or `appears`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expectation>,
    /// A note for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The effect of the remedy on a symptom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// It does not occur any more.
    #[default]
    Gone,
    /// It occurs from then on.
    Appears,
}

/// An event in a Windows event log.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The log, such as Application or Microsoft-Windows-SMBClient/Security.
    #[schemars(length(min = 1))]
    pub log: String,
    /// The source, as Event Viewer shows it, or the name of the provider.
    #[schemars(length(min = 1))]
    pub source: String,
    /// The event ID, as Event Viewer shows it.
    pub id: u32,
    /// The level; without one, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<EventLevel>,
}
