//! The steps of an apply outside the registry: installing the package of a hotfix, and restarting services.
//!
//! Steps are done only if the user requests them, and none can be rolled back. Therefore the plan names all steps, each
//! kind of step has an option of its own, and steps are possible only on the target `local`. The report contains each
//! step that was done, tried or skipped, as a [`Step`].

use schemars::JsonSchema;
use serde::Serialize;

/// A step outside the registry that was done, tried or skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// The kind of the step.
    pub action: StepKind,
    /// The file of the package, or the name of the service.
    pub name: String,
    /// The id of the spec whose hotfix the package installs; missing for a service, which several specs can require.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// Whether the step was done, was not necessary, or failed.
    pub result: StepResult,
    /// Details about the result, for people.
    pub detail: String,
}

/// The kinds of steps outside the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Action")]
pub enum StepKind {
    /// The package of a hotfix is run.
    InstallHotfix,
    /// A service is stopped.
    StopService,
    /// A service is started.
    StartService,
    /// A service is paused again, as it was before.
    PauseService,
}

/// The result of running a package, or of stopping, starting or pausing a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Result")]
pub enum StepResult {
    /// The package ended with an exit code that means success, or the service is in the state that the step sets.
    Done,
    /// The step was done, and the computer must be restarted.
    RestartNeeded,
    /// The step was done, and the package has begun to restart the computer.
    RestartBegun,
    /// The step was not necessary, for example because the service was not running.
    Skipped,
    /// The step did not succeed, or not within its time limit; `detail` says why.
    Failed,
}

impl StepKind {
    /// Returns the words that messages use for this kind of step.
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
