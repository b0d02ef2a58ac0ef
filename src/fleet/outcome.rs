//! How a spec, or a whole machine, stands in a fleet.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{diag::Exit, plan::Outcome};

/// How a spec stands on a machine, or a machine as a whole. The order is that of severity, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FleetOutcome {
    /// The article does not apply.
    NotApplicable,
    /// Everything is as the spec requires.
    InDesiredState,
    /// Something is not as the spec requires, and a waiver accepts that.
    Waived,
    /// Something has to change.
    ChangesPending,
    /// The hotfix waits for the next start of the computer.
    PendingRestart,
    /// Something that is needed first is missing.
    Blocked,
    /// A parameter without a default is not set.
    NeedsParameter,
    /// The machine's facts cannot answer.
    Unknown,
    /// The machine could not be read.
    Unreadable,
}

impl FleetOutcome {
    /// All outcomes, in the order of severity.
    pub const ALL: [Self; 9] = [
        Self::NotApplicable,
        Self::InDesiredState,
        Self::Waived,
        Self::ChangesPending,
        Self::PendingRestart,
        Self::Blocked,
        Self::NeedsParameter,
        Self::Unknown,
        Self::Unreadable,
    ];

    /// Returns the word for it in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::InDesiredState => "in_desired_state",
            Self::Waived => "waived",
            Self::ChangesPending => "changes_pending",
            Self::PendingRestart => "pending_restart",
            Self::Blocked => "blocked",
            Self::NeedsParameter => "needs_parameter",
            Self::Unknown => "unknown",
            Self::Unreadable => "unreadable",
        }
    }

    /// Returns the words for it in messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotApplicable => "not applicable",
            Self::InDesiredState => "in desired state",
            Self::Waived => "waived",
            Self::ChangesPending => "changes pending",
            Self::PendingRestart => "pending restart",
            Self::Blocked => "blocked",
            Self::NeedsParameter => "needs parameter",
            Self::Unknown => "unknown",
            Self::Unreadable => "unreadable",
        }
    }

    /// Returns the exit code of a command that found it.
    pub fn exit(self) -> Exit {
        match self {
            Self::NotApplicable | Self::InDesiredState | Self::Waived => Exit::Done,
            Self::ChangesPending => Exit::Differences,
            Self::Unreadable => Exit::Unusable,
            Self::PendingRestart | Self::Blocked | Self::NeedsParameter | Self::Unknown => Exit::Blocked,
        }
    }

    /// Returns whether a reviewer has to look at it one by one.
    pub fn is_exception(self) -> bool {
        self >= Self::PendingRestart
    }
}

impl From<Outcome> for FleetOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NotApplicable => Self::NotApplicable,
            Outcome::InDesiredState | Outcome::Changed => Self::InDesiredState,
            Outcome::ChangesPending | Outcome::RolledBack | Outcome::Failed => Self::ChangesPending,
            Outcome::PendingRestart => Self::PendingRestart,
            Outcome::Blocked => Self::Blocked,
            Outcome::NeedsParameter => Self::NeedsParameter,
            Outcome::Unknown => Self::Unknown,
        }
    }
}
