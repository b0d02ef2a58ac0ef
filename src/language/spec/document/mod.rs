//! The types of the spec language, version 1. serde reads a spec file into these types, and schemars generates the JSON
//! schema in `schema/` from them.
//!
//! An editor shows the doc comments of these types to the author. Alternatives, such as `data` or `bits`, are optional
//! fields of one struct, not variants of an untagged enum. So kbfix can report a mistake at its place, and an editor
//! can complete each field. The module `check` ensures that exactly one alternative is given, and converts a document
//! into the types of [`super::model`].

mod condition;
mod data;
mod file;
mod label;
mod rule;
mod value_rule;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::format::event::EventLevel;
pub use condition::{
    Comparison, Condition, Location, OneView, OsTest, OtherValue, Prerequisite, Product, RegistryTest, ValuePlace,
    VersionRange,
};
pub use data::{
    Allowed, DataExpression, Literal, NumberRange, Parameter, ParameterReference, ParameterType, Scalar, TypeChoice,
    TypeName,
};
pub use file::{Branch, FileTest, Hotfix, HotfixFile, Package, PlatformName};
pub use label::{ControlIds, Controls, Severity};
pub use rule::{Exclusive, KeyRule, OnSubkeys, Trigger, ViewChoice};
pub use value_rule::{Bits, Compare, Ensure, Keep, KeepWhich, KeepWord, ListEdit, Replace, ValueRule};

/// A spec: to which product it applies, which update must be installed, and which registry values are required. It must
/// contain `registry` or `hotfix`, or both.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kbfix spec, version 1")]
pub struct Document {
    /// The version of the spec language: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix: u32,
    /// The id of the spec: the number of the article, such as `KB909094`, or another name of letters, digits, `.`, `_`
    /// and `-`.
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
    /// The products that the article lists under "Applies to". This field is only for people: the field `applicable`
    /// decides whether the spec applies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies_to: Vec<String>,
    /// The reason for the changes, in a few lines, for the person who reviews the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Further notes for the person who reviews the spec: what is inferred, and what the article leaves open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The sources of the facts in this spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// The settings that the operator can choose, with `--set name=data` or, in Ansible, with the option `parameters`.
    /// A name has lowercase letters, digits and `_`, and does not begin with a digit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
    /// Names for folders whose paths are in the registry of the target. In `hotfix` and in conditions, the `path` of a
    /// file can begin with such a name in braces, as in `{exchange}\bin\exprox.dll`. The name of a location has the
    /// same form as the name of a parameter.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locations: BTreeMap<String, Location>,
    /// The condition under which the spec applies. Without this field, the spec always applies.
    ///
    /// If the condition is false, kbfix changes nothing for the spec, and the outcome is "not applicable". Otherwise,
    /// if a parameter is not set and has no default, the outcome is "needs parameter". Otherwise, if the condition is
    /// unknown, the outcome is unknown. If the condition is true, the rest of the spec decides the outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applicable: Option<Condition>,
    /// A condition that tests whether the target has the cause that the article names. kbfix only reports the result,
    /// and makes the changes whether the condition is true, false or unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Prerequisite>,
    /// Conditions that must be true before anything is changed. If one of these conditions is false, the outcome is
    /// blocked. If none is false, but one is unknown, the outcome is unknown, or blocked if something else blocks the
    /// spec, such as a missing hotfix.
    ///
    /// kbfix looks at `applicable` and the parameters first: these outcomes, and those of `hotfix`, are possible only
    /// if `applicable` is true and no parameter is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
    /// The update that must be installed. If one of its files is missing or too old, the outcome is blocked. If Windows
    /// replaces each such file at its next start, and nothing else blocks the spec, the outcome is pending restart
    /// instead. If no file is missing or too old, but one cannot be read, the outcome is unknown. If `package` is
    /// given, the operator can let kbfix install the update with `--install-hotfix`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hotfix: Option<Hotfix>,
    /// The required keys and values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub registry: Vec<KeyRule>,
    /// The steps that the article requires in addition to the registry: permissions, files, tasks, features. kbfix
    /// prints these steps but does not do them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub manual_steps: Vec<ManualStep>,
    /// The restarts that are needed before the changes take effect. Without this field, kbfix reports that it is not
    /// known whether the computer must be restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// Events that are a sign of the problem, or a sign that the remedy is in place. `kbfix symptoms` counts these
    /// events. The outcome of the spec does not depend on these events.
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
    /// The revision of the article, as text in quotes: "4.1".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The day of the article's last review by Microsoft, as year-month-day: 2008-05-13.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub reviewed: Option<String>,
}

/// A source of facts in the spec.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The kind of the source: a page of Microsoft, a copy of such a page, another source, or a conclusion of the
    /// author.
    pub level: SourceLevel,
    /// The facts in the spec that come from this source.
    pub what: String,
    /// The address of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://\S+$"))]
    pub url: Option<String>,
}

/// The kind of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceLevel {
    /// A page of Microsoft.
    Microsoft,
    /// A copy of a page of Microsoft.
    Mirror,
    /// A text, script or scanner that is not from Microsoft.
    Secondary,
    /// No source states the fact: the author of the spec concluded it from other sources.
    Inference,
}

/// A step that a person must do, because kbfix does not do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualStep {
    /// A description of the step.
    #[schemars(length(min = 1))]
    pub what: String,
    /// Whether a person must do the step `before` or `after` (the default) kbfix changes the registry. kbfix does not
    /// wait for the step, and does not check it.
    #[serde(default, skip_serializing_if = "StepOrder::is_after")]
    pub order: StepOrder,
    /// The address of a page that describes the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://\S+$"))]
    pub url: Option<String>,
}

/// Whether a step must be done before or after the changes in the registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOrder {
    /// Before the changes in the registry.
    Before,
    /// After the changes in the registry.
    #[default]
    After,
}

impl std::fmt::Display for ManualStep {
    /// Formats the step as `before the changes: …` or `after the changes: …`.
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

/// The restarts that are needed before the changes of the spec take effect.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Whether the computer must be restarted. kbfix only reports this and never restarts the computer.
    pub computer: ComputerRestart,
    /// The services to restart, by service name, such as `IISADMIN`. kbfix restarts them only on the target `local`,
    /// only in an apply with `--restart-services`, and only if this apply has changed something for the spec. Running
    /// services that depend on them are restarted too. kbfix does not start a service that was not running.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// A note for the operator about the restarts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Whether the computer must be restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComputerRestart {
    /// The computer need not be restarted.
    Never,
    /// The sources do not say whether a restart is needed.
    Unknown,
    /// The computer must be restarted.
    Required,
}

/// An event that is a sign of the problem, or a sign that the remedy is in place. The remedy is what the article
/// requires. `kbfix symptoms` counts these events in the event logs of the target. These events do not affect any
/// outcome.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Symptom {
    /// The event in an event log.
    pub event: Event,
    /// What the remedy does to the event: after the remedy, the event is `gone` (the default), or the event `appears`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expectation>,
    /// A note for the operator about the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The effect of the remedy on a symptom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// The symptom no longer occurs after the remedy.
    #[default]
    Gone,
    /// The symptom occurs only after the remedy.
    Appears,
}

/// An event in a Windows event log.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The name of the log, such as Application or Microsoft-Windows-SMBClient/Security.
    #[schemars(length(min = 1))]
    pub log: String,
    /// The source of the event, as Event Viewer shows it, or the name of the provider.
    #[schemars(length(min = 1))]
    pub source: String,
    /// The event ID, as Event Viewer shows it.
    pub id: u32,
    /// The level of the event. Without this field, kbfix counts events of any level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<EventLevel>,
}
