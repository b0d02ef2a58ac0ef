//! The outcomes of specs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diag::Exit;

/// The outcome of a spec. The order is that of the exit codes, and the worst outcome is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The article does not apply to this target.
    NotApplicable,
    /// Everything is in the state that the spec requires.
    InDesiredState,
    /// The changes were made.
    Changed,
    /// A key or value must be changed (by a rollback or retirement: restored), or a hotfix must be installed. Also if
    /// an apply has already installed the hotfix, and the registry needs no change.
    ChangesPending,
    /// The hotfix is installed, but its files are replaced only when the computer restarts. Nothing is changed.
    PendingRestart,
    /// A prerequisite or the hotfix is missing, a trigger is not done, a key that must be deleted has subkeys, or the
    /// spec conflicts with an earlier one; or a rollback or retirement can restore nothing. The registry is unchanged.
    Blocked,
    /// A parameter of the spec has no value and no default. Nothing is changed.
    NeedsParameter,
    /// The outcome cannot be decided, for example because a fact could not be read, because rules of the spec
    /// contradict each other, or because kbfix refuses to delete a key. Nothing is changed for the spec.
    Unknown,
    /// Writing was refused or failed, or reading back failed; everything that had been written was restored.
    RolledBack,
    /// Writing or reading back failed, and not everything could be restored; or the package of the hotfix failed, and
    /// the registry was not changed; or a rollback or a retirement kept keys and values that someone else had changed.
    Failed,
}

impl Outcome {
    /// Returns the name of the outcome in documents and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::InDesiredState => "in_desired_state",
            Self::Changed => "changed",
            Self::ChangesPending => "changes_pending",
            Self::PendingRestart => "pending_restart",
            Self::Blocked => "blocked",
            Self::NeedsParameter => "needs_parameter",
            Self::Unknown => "unknown",
            Self::RolledBack => "rolled_back",
            Self::Failed => "failed",
        }
    }

    /// Returns the exit code of a run whose worst outcome is this one.
    pub fn exit(self) -> Exit {
        match self {
            Self::NotApplicable | Self::InDesiredState | Self::Changed => Exit::Done,
            Self::ChangesPending => Exit::Differences,
            Self::PendingRestart | Self::Blocked | Self::NeedsParameter | Self::Unknown => Exit::Blocked,
            Self::RolledBack => Exit::RolledBack,
            Self::Failed => Exit::Failed,
        }
    }
}
