//! Why an operation did not get to its result, and what to do about it.

use std::io;

use super::{execute::StartError, plan::PlanRefusal};
use crate::{
    diag::{Code, Diagnostic, Exit},
    journal::StoreError,
    targets::{Drift, TargetError, smb::Trouble},
};

/// Why an operation did not get to its result. Nothing was changed.
#[derive(Debug)]
pub struct Error {
    /// The exit code of a command that ends with it.
    pub exit: Exit,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// What has moved since a plan was made.
    pub moved: Vec<Drift>,
}

impl Error {
    /// Returns an error of one diagnostic.
    pub fn new(exit: Exit, diagnostic: Diagnostic) -> Self {
        Self { exit, diagnostics: vec![diagnostic], moved: Vec::new() }
    }

    /// Returns the same error with another hint.
    #[must_use]
    pub fn with_hint(mut self, hint: &str) -> Self {
        self.diagnostics.iter_mut().for_each(|diagnostic| diagnostic.hint = Some(hint.to_owned()));
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let messages: Vec<&str> = self.diagnostics.iter().map(|diagnostic| &*diagnostic.message).collect();
        f.write_str(&messages.join("; "))
    }
}

impl std::error::Error for Error {}

impl From<TargetError> for Error {
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
        Self::new(Exit::Unusable, Diagnostic::error(code, error.to_string()).hint(hint))
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

impl From<PlanRefusal> for Error {
    fn from(error: PlanRefusal) -> Self {
        let message = error.to_string();
        match error {
            PlanRefusal::Target(error) => error.into(),
            PlanRefusal::OtherMachine { .. } => {
                let hint = "make a plan from a snapshot of this machine, which knows its name";
                Self::new(Exit::Refused, Diagnostic::error(Code::PLAN_OTHER_MACHINE, message).hint(hint))
            }
            PlanRefusal::Stale(moved) => {
                let lines: Vec<_> = moved.iter().map(|m| format!("{}: was {}, is {}", m.place, m.was, m.is)).collect();
                let message = format!("{message}: {}", lines.join("; "));
                let hint = "make the plan anew with `kbfix diff --out FILE`, and have it reviewed";
                let mut stop = Self::new(Exit::Refused, Diagnostic::error(Code::PLAN_STALE, message).hint(hint));
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

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (code, hint) = match error {
            StoreError::Io { .. } => {
                (Code::JOURNAL_ACCESS, "see that you may use the state folder, or name another with --state-dir")
            }
            StoreError::Untrusted { .. } => (Code::JOURNAL_UNTRUSTED, UNTRUSTED_HINT),
            StoreError::LastOfAll { .. } => (Code::JOURNAL_ACCESS, "move that file elsewhere"),
            StoreError::Missing { .. } => (Code::JOURNAL_MISSING, "`kbfix journal list` shows what there is"),
            StoreError::Malformed { .. } => (Code::JOURNAL_MALFORMED, "`kbfix journal list` names the whole ones"),
        };
        Self::new(Exit::Refused, Diagnostic::error(code, error.to_string()).hint(hint))
    }
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Journal(error) => Self { exit: Exit::Unusable, ..error.into() },
            StartError::Target(error) => error.into(),
            StartError::ControlSet(_) => {
                let hint = "see that you may read HKLM\\SYSTEM\\CurrentControlSet and HKLM\\SYSTEM\\Select; nothing was changed";
                Self::new(Exit::Unusable, Diagnostic::error(Code::TARGET_UNREADABLE, error.to_string()).hint(hint))
            }
        }
    }
}
