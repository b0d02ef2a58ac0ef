//! The table of exit codes.
//!
//! It is in the library because a report carries its exit code, and because the outcome of a spec decides it. The help of
//! the command line prints this table, and a test checks `docs/reference/exit-codes.md` against it.

use serde::{Serialize, Serializer};

/// The exit code of a command. If several apply, the highest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// All is as it should be.
    Done = 0,
    /// Something differs.
    Differences = 1,
    /// The input is refused.
    Refused = 2,
    /// The target cannot be used.
    Unusable = 3,
    /// A spec cannot be applied here, or nobody can tell.
    Blocked = 4,
    /// A write failed, and nothing was changed.
    RolledBack = 5,
    /// Something failed, and not everything is as it was.
    Failed = 6,
    /// The changes were made, and a service is down.
    NotRestarted = 7,
    /// The changes were made, and the report is lost.
    ReportLost = 8,
}

impl Exit {
    /// All exit codes, in their order.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::Differences,
        Self::Refused,
        Self::Unusable,
        Self::Blocked,
        Self::RolledBack,
        Self::Failed,
        Self::NotRestarted,
        Self::ReportLost,
    ];

    /// Returns the number that the process ends with.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns what the code means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "in desired state, not applicable, or done",
            Self::Differences => "`diff` or `--check`: something would change; `hive check`: the hive has an error",
            Self::Refused => "wrong usage, or a spec, a plan or a journal is refused",
            Self::Unusable => "the target cannot be read or is locked, or the journal cannot be written",
            Self::Blocked => {
                "a spec is blocked or unknown, or needs a restart or a parameter; a warning that `--fail-on` names; \
                  `rollback --check`, `retire --check`: something would be kept; \
                 `symptoms`: something could not be read"
            }
            Self::RolledBack => "a write failed, and everything was put back",
            Self::Failed => {
                "a write failed and not everything was put back, a rollback or a retirement kept something, or a package failed"
            }
            Self::NotRestarted => "done, but a service that was to be restarted is not running",
            Self::ReportLost => "done, but the report could not be written to standard output",
        }
    }

    /// Returns what was changed on the target.
    pub fn changed(self) -> &'static str {
        match self {
            Self::Done => "what the report says",
            Self::Differences | Self::Refused | Self::Unusable | Self::RolledBack => "nothing",
            Self::Blocked => "nothing for that spec; the other specs of the run went ahead",
            Self::Failed => "what the journal says, whose path is printed",
            Self::NotRestarted => "all changes of the registry",
            Self::ReportLost => "all changes; standard error names the journal",
        }
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}
