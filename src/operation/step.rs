//! The steps of an apply outside the registry: installing the package of a hotfix, and restarting services.
//!
//! Steps are done only on request. Each step that was done is a [`Step`] of the report. No step can be rolled back.
//! Therefore the plan names all steps, each kind has its own option, and steps are possible only on the target `local`.

use schemars::JsonSchema;
use serde::Serialize;

/// A step outside the registry that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// The step that was done.
    pub action: StepKind,
    /// The package's file, or the service.
    pub name: String,
    /// The id of the spec for which it was done; missing if it was done for several specs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// The result of the step.
    pub result: StepResult,
    /// Details for people.
    pub detail: String,
}

/// The kinds of steps outside the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Action")]
pub enum StepKind {
    /// A package was run.
    InstallHotfix,
    /// A service was stopped.
    StopService,
    /// A service was started.
    StartService,
    /// A service was paused again, as it was before.
    PauseService,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Result")]
pub enum StepResult {
    /// The step was done.
    Done,
    /// The step was done, and the computer must be restarted.
    RestartNeeded,
    /// The step was done, and it has begun to restart the computer.
    RestartBegun,
    /// There was nothing to do.
    Skipped,
    /// The step failed.
    Failed,
}

impl StepKind {
    /// Returns the words for the result in messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::InstallHotfix => "install hotfix",
            Self::StopService => "stop service",
            Self::StartService => "start service",
            Self::PauseService => "pause service",
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let result = match self.result {
            StepResult::Done => "done",
            StepResult::RestartNeeded => "done, restart required",
            StepResult::RestartBegun => "done, restart in progress",
            StepResult::Skipped => "skipped",
            StepResult::Failed => "failed",
        };
        write!(f, "{} {}: {result}", self.action.words(), self.name)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ", {}", self.detail) }
    }
}
