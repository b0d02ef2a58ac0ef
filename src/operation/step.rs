//! What an apply does beside the registry, and only when asked: installing a hotfix's package, restarting services.
//!
//! Each thing done is a [`Step`] of the report. None can be rolled back; that is why the plan names them, the operator asks
//! for each kind by an option of its own, and all of it is of the target `local` only.

use schemars::JsonSchema;
use serde::Serialize;

/// Something that was done beside the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// What was done.
    pub action: StepKind,
    /// The package's file, or the service.
    pub name: String,
    /// The spec that it was done for; none where it is for several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// What came of it.
    pub result: StepResult,
    /// More of it, for people.
    pub detail: String,
}

/// The kinds of step.
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

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Result")]
pub enum StepResult {
    /// It was done.
    Done,
    /// It was done, and the computer must be restarted.
    RestartNeeded,
    /// It was done, and has begun to restart the computer.
    RestartBegun,
    /// There was nothing to do.
    Skipped,
    /// It failed.
    Failed,
}

impl StepKind {
    /// The words of messages.
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
            StepResult::RestartNeeded => "done, restart needed",
            StepResult::RestartBegun => "done, restart begun",
            StepResult::Skipped => "skipped",
            StepResult::Failed => "failed",
        };
        write!(f, "{} {}: {result}", self.action.words(), self.name)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ", {}", self.detail) }
    }
}
