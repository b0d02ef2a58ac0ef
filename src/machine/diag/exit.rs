//! The table of exit codes.
//!
//! It is in the library because a report carries its exit code, and because the outcome of a spec decides it. The help
//! of the command line prints this table, and a test checks `docs/reference/exit-codes.md` against it.

use serde::{Serialize, Serializer};

/// The exit code of a command. If several apply, the highest is used; but [`Exit::ReportLost`] replaces only the codes
/// 0 to 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// The command did everything that it was told to do, or there was nothing to do.
    Done = 0,
    /// A command that changes nothing found that something must be changed, that two states differ, or that a hive has
    /// an error.
    Differences = 1,
    /// kbfix refused the input, such as the command line or a spec, or could not read or write a file.
    Refused = 2,
    /// The target cannot be read or used, for example because it is locked; or the journal cannot be written.
    Unusable = 3,
    /// For example, a spec cannot be applied to the target or is unknown, or a rollback cannot be done.
    /// [`Exit::meaning`] names the other cases.
    Blocked = 4,
    /// A change could not be written, and all earlier changes were undone; or a dry run found that a change could not
    /// be written.
    RolledBack = 5,
    /// For example, a write failed and not everything was restored, a rollback or retirement did not restore
    /// everything, or a hotfix package failed.
    Failed = 6,
    /// The changes were made, but a service could not be restarted or is not running.
    NotRestarted = 7,
    /// The changes were made, but the report could not be written.
    ReportLost = 8,
}

impl Exit {
    /// All exit codes, in ascending order.
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

    /// Returns the number of the exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns the meaning of the exit code, as text for the table of exit codes.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "everything is done, or there was nothing to do",
            Self::Differences => {
                "`diff`, `fleet diff`, `fleet plan`, `--check` and `retire --out`: something must be changed; `fleet \
                 impact` and `fleet drift`: they found a difference; `hive check`: the hive has an error"
            }
            Self::Refused => {
                "the command line is wrong, kbfix refuses a spec, a plan or a journal, or a file cannot be read or \
                 written"
            }
            Self::Unusable => {
                "the target cannot be read, is locked or is not supported, or the journal cannot be written"
            }
            Self::Blocked => {
                "a spec could not be applied, or could not be applied for some users (blocked, unknown, pending \
                 restart, needs parameter); `rollback` or `retire` could not be done; `rollback --check`, `retire \
                 --check` or `retire --out` found something that would not be restored, because someone else has \
                 changed it; there was a warning that `--fail-on` names; or `symptoms` could not read a log or a journal"
            }
            Self::RolledBack => {
                "a write failed or was refused, and everything that had been written was restored; `--check` and \
                 `retire --out`: a write would be refused"
            }
            Self::Failed => {
                "a write failed and not everything was restored; or `rollback` or `retire` did not restore everything; \
                 or a hotfix package failed, or there was an error after a package was installed"
            }
            Self::NotRestarted => {
                "the changes that the report shows are made, but a service could not be restarted, or is not running"
            }
            Self::ReportLost => "changes were made, but the report could not be written to standard output",
        }
    }

    /// Returns a text for the table of exit codes: what was changed on the target when a command ends with this code.
    pub fn changed(self) -> &'static str {
        match self {
            Self::Done => "the changes that the report shows",
            Self::Differences | Self::Refused | Self::Unusable => "nothing",
            Self::RolledBack => "nothing; but a hotfix that the run has already installed stays installed",
            Self::Blocked => {
                "the changes that the report shows; for a spec that could not be applied, at most its hotfix"
            }
            Self::Failed => {
                "some of the changes that the journal lists; a failed package can have changed other things"
            }
            Self::NotRestarted => "the changes that the report shows",
            Self::ReportLost => "the changes that the journal lists; standard error names the journal",
        }
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}
