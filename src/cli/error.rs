//! Why a command did not get to its result.

use std::io;

use kbfix::{
    diag::{Code, Diagnostic},
    journal::FolderError,
    operation::{PlanRefusal, StartError},
    plan::file::PlanError,
    targets::{AddressError, Moved, TargetError, smb::Trouble},
};

/// Exit code: wrong usage, or an invalid spec or plan.
pub(super) const USAGE: u8 = 2;
/// Exit code: the target could not be read.
pub(super) const UNREADABLE: u8 = 3;

/// Why a command did not get to its result. Nothing was changed.
#[derive(Debug)]
pub(super) struct CommandError {
    /// The exit code.
    pub(super) code: u8,
    /// What to tell.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What has moved since a plan was made.
    pub(super) moved: Vec<Moved>,
}

impl CommandError {
    /// With one diagnostic.
    pub(super) fn new(code: u8, diagnostic: Diagnostic) -> Self {
        Self::all(code, vec![diagnostic])
    }

    /// With these diagnostics.
    pub(super) fn all(code: u8, diagnostics: Vec<Diagnostic>) -> Self {
        Self { code, diagnostics, moved: Vec::new() }
    }

    /// The same, naming the plan's file where it is about the plan.
    pub(super) fn of_plan(mut self, name: &str) -> Self {
        for diagnostic in self.diagnostics.iter_mut().filter(|d| d.code.as_str().starts_with("plan-")) {
            diagnostic.message = format!("{name}: {}", diagnostic.message);
        }
        self
    }

    /// The same with another way on.
    pub(super) fn with_hint(mut self, hint: &str) -> Self {
        self.diagnostics.iter_mut().for_each(|diagnostic| diagnostic.hint = Some(hint.to_owned()));
        self
    }

    /// Wrong usage.
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(USAGE, Diagnostic::error(Code::USAGE, message).hint(hint))
    }

    /// A file that cannot be read or written.
    pub(super) fn file(path: &str, error: &io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "see how it is spelled, and that its folder is there",
            io::ErrorKind::PermissionDenied => "see who may read it, or write in its folder",
            io::ErrorKind::AlreadyExists => "name one that is not there yet",
            io::ErrorKind::IsADirectory => "name a file; this is a folder",
            io::ErrorKind::FileTooLarge => "see that it is the file that was meant",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room there, or name another place",
            _ => "see that it is a file, and that you may use it",
        };
        Self::new(USAGE, Diagnostic::error(Code::FILE_ACCESS, format!("{path}: {error}")).hint(hint))
    }
}

impl From<TargetError> for CommandError {
    fn from(error: TargetError) -> Self {
        let (code, hint) = match &error {
            TargetError::Locked { .. } => (Code::TARGET_LOCKED, "wait until it has ended, and try again"),
            TargetError::Malformed { .. } => (Code::TARGET_MALFORMED, "give a whole and undamaged file"),
            TargetError::Unsupported { .. } => (Code::TARGET_UNSUPPORTED, "use another kind of target"),
            TargetError::Io { .. } => (Code::TARGET_UNREADABLE, "see that it exists and that you may read it"),
            TargetError::NoLock { source, .. } => match source.kind() {
                io::ErrorKind::AlreadyExists => {
                    (Code::TARGET_LOCK, "see who put it there, and move it away: kbfix needs that name for its lock")
                }
                _ => (Code::TARGET_LOCK, "see that you may write in its folder: a lock is a file beside what it locks"),
            },
            TargetError::Remote { trouble, .. } => (remote(trouble), trouble.hint()),
        };
        Self::new(UNREADABLE, Diagnostic::error(code, error.to_string()).hint(hint))
    }
}

fn remote(trouble: &Trouble) -> Code {
    match trouble {
        Trouble::Program { .. } => Code::TARGET_PROGRAM,
        Trouble::Settings(_) => Code::TARGET_CREDENTIALS,
        Trouble::Unreachable(_) | Trouble::Protocol(_) | Trouble::Broken(_) | Trouble::Service(_) => {
            Code::TARGET_UNREACHABLE
        }
        Trouble::Logon(_) => Code::TARGET_LOGON,
        Trouble::Denied(_) => Code::TARGET_DENIED,
        Trouble::Silent(_) => Code::TARGET_SILENT,
        Trouble::Failed(_) => Code::TARGET_UNREADABLE,
    }
}

impl From<AddressError> for CommandError {
    fn from(error: AddressError) -> Self {
        Self::new(USAGE, Diagnostic::error(Code::TARGET_ADDRESS, error.to_string()))
    }
}

impl From<PlanError> for CommandError {
    fn from(error: PlanError) -> Self {
        let (code, hint) = match error {
            PlanError::Json(_) | PlanError::Shape(_) => {
                (Code::PLAN_INVALID, "make a plan with `kbfix diff --out FILE`")
            }
            PlanError::Inconsistent(_) => (
                Code::PLAN_INCONSISTENT,
                "it was edited after it was made: make the plan anew with `kbfix diff --out FILE`, and have it reviewed",
            ),
            PlanError::Altered { .. } => (Code::PLAN_ALTERED, "make the plan anew, and have it reviewed"),
            PlanError::Other { .. } => {
                (Code::PLAN_DIGEST, "apply the plan that was approved, or have this one reviewed")
            }
        };
        Self::new(USAGE, Diagnostic::error(code, error.to_string()).hint(hint))
    }
}

impl From<PlanRefusal> for CommandError {
    fn from(error: PlanRefusal) -> Self {
        let message = error.to_string();
        match error {
            PlanRefusal::Target(error) => error.into(),
            PlanRefusal::OtherMachine { .. } => {
                let hint = "make a plan from a snapshot of this machine, which knows its name";
                Self::new(USAGE, Diagnostic::error(Code::PLAN_OTHER_MACHINE, message).hint(hint))
            }
            PlanRefusal::Stale(moved) => {
                let lines: Vec<_> = moved.iter().map(|m| format!("{}: was {}, is {}", m.place, m.was, m.is)).collect();
                let message = format!("{message}: {}", lines.join("; "));
                let hint = "make the plan anew with `kbfix diff --out FILE`, and have it reviewed";
                let mut stop = Self::new(USAGE, Diagnostic::error(Code::PLAN_STALE, message).hint(hint));
                stop.moved = moved;
                stop
            }
        }
    }
}

/// What to do about a state folder or journal that others may write.
#[cfg(unix)]
const UNTRUSTED_HINT: &str = "look at what is there; where it is your own, take the rights of others away (`chmod go-w`, `chown`); or name \
                              another state folder with --state-dir, and copy a journal that you trust";
/// What to do about a state folder or journal that others may write.
#[cfg(not(unix))]
const UNTRUSTED_HINT: &str = "look at what is there; where it is your own, take the rights of others away (`icacls`); or name another state \
                              folder with --state-dir, and copy a journal that you trust";

impl From<FolderError> for CommandError {
    fn from(error: FolderError) -> Self {
        let (code, hint) = match error {
            FolderError::Io { .. } => {
                (Code::JOURNAL_ACCESS, "see that you may use the state folder, or name another with --state-dir")
            }
            FolderError::Untrusted { .. } => (Code::JOURNAL_UNTRUSTED, UNTRUSTED_HINT),
            FolderError::LastOfAll { .. } => (Code::JOURNAL_ACCESS, "move that file elsewhere"),
            FolderError::Missing { .. } => (Code::JOURNAL_MISSING, "`kbfix journal list` shows what there is"),
            FolderError::Malformed { .. } => (Code::JOURNAL_MALFORMED, "`kbfix journal list` names the whole ones"),
        };
        Self::new(USAGE, Diagnostic::error(code, error.to_string()).hint(hint))
    }
}

impl From<StartError> for CommandError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Journal(error) => Self { code: UNREADABLE, ..error.into() },
            StartError::Target(error) => error.into(),
        }
    }
}
