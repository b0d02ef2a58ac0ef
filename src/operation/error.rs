//! Errors that stop an operation before it has a result, with a hint about what to do.

use std::io;

use super::{execute::StartError, plan::PlanRefusal};
use crate::{
    diag::{Code, Diagnostic, Exit, Hint},
    files::read,
    journal::StoreError,
    targets::{Drift, TargetError, smb::Trouble},
};

/// An error that stopped an operation before it had a result. Nothing was changed.
#[derive(Debug)]
pub struct Error {
    /// The exit code for a command that stops with this error.
    pub exit: Exit,
    /// The errors, as diagnostics.
    pub diagnostics: Vec<Diagnostic>,
    /// The facts that changed after the plan was made; empty if the operation stopped for another reason.
    pub moved: Vec<Drift>,
}

impl Error {
    /// Returns an error with one diagnostic.
    pub fn new(exit: Exit, diagnostic: Diagnostic) -> Self {
        Self { exit, diagnostics: vec![diagnostic], moved: Vec::new() }
    }

    /// Returns the same error with another hint.
    #[must_use]
    pub fn with_hint(mut self, hint: &str) -> Self {
        self.diagnostics.iter_mut().for_each(|diagnostic| diagnostic.set_hint(hint));
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
        let (code, hint): (Code, Hint) = match &error {
            TargetError::Locked { .. } => {
                (Code::TARGET_LOCKED, "wait until the other run of kbfix has ended, and try again".into())
            }
            TargetError::Malformed { hint, .. } => {
                (Code::TARGET_MALFORMED, hint.clone().unwrap_or_else(|| "use a complete and undamaged file".into()))
            }
            TargetError::WrongKind { hint, .. } => (Code::TARGET_MALFORMED, (*hint).into()),
            TargetError::Unsupported { what, .. } if what == "local" => (
                Code::TARGET_UNSUPPORTED,
                "name an image, a hive, an export, a policy file, a snapshot or another machine".into(),
            ),
            TargetError::Unsupported { .. } => (
                Code::TARGET_UNSUPPORTED,
                "use another kind of target, or leave out the option that does not fit".into(),
            ),
            TargetError::TooMuch { .. } => (
                Code::TARGET_UNSUPPORTED,
                "check whether the target is damaged; if it is not, apply fewer specs at once, or specs that need fewer keys"
                    .into(),
            ),
            TargetError::Io { source, .. } => {
                let hint = read::hint(source).unwrap_or("check that the target exists and that you may read it");
                (Code::TARGET_UNREADABLE, hint.into())
            }
            TargetError::NoLock { source, .. } => match source.kind() {
                io::ErrorKind::AlreadyExists => {
                    let hint = "find out who created this file, and move the file away, because kbfix needs this name for the lock";
                    (Code::TARGET_LOCK, hint.into())
                }
                _ => {
                    let hint = "check that you may write to the folder of the target, because the lock is a file next to the target";
                    (Code::TARGET_LOCK, hint.into())
                }
            },
            TargetError::Remote { trouble, .. } => (remote(trouble), trouble.hint().into()),
        };
        let message = match error {
            TargetError::WrongKind { what, detail, .. } => format!("{what}: {detail}"),
            other => other.to_string(),
        };
        Self::new(Exit::Unusable, Diagnostic::error(code, message).hint(hint))
    }
}

fn remote(trouble: &Trouble) -> Code {
    match trouble {
        Trouble::Program { .. } => Code::TARGET_PROGRAM,
        Trouble::Settings(_) => Code::TARGET_CREDENTIALS,
        Trouble::Unreachable(_) | Trouble::Protocol(_) | Trouble::Broken(_) | Trouble::Service(_) => {
            Code::TARGET_UNREACHABLE
        }
        Trouble::Logon(_) | Trouble::NotTried(_) => Code::TARGET_LOGON,
        Trouble::Denied(_) => Code::TARGET_DENIED,
        Trouble::Silent(_) => Code::TARGET_SILENT,
        Trouble::Local(_) | Trouble::Failed(_) => Code::TARGET_UNREADABLE,
    }
}

impl From<PlanRefusal> for Error {
    fn from(error: PlanRefusal) -> Self {
        let message = error.to_string();
        match error {
            PlanRefusal::Target(error) => error.into(),
            PlanRefusal::OtherMachine { .. } => {
                let hint = "name the target for which the plan was made; or make a new plan for this target, and have it reviewed";
                Self::new(Exit::Refused, Diagnostic::error(Code::PLAN_OTHER_MACHINE, message).hint(hint))
            }
            PlanRefusal::OtherPlace { through_policy } => {
                Self::new(Exit::Refused, Diagnostic::error(Code::OTHER_PLACE, message).hint(place_hint(through_policy)))
            }
            PlanRefusal::Stale(moved) => {
                let lines: Vec<_> = moved.iter().map(|m| format!("{}: was {}, is {}", m.place, m.was, m.is)).collect();
                let message = format!("{message}: {}", lines.join("; "));
                let hint = Hint::new("make a new plan, and have it reviewed").option("out", "FILE");
                let mut stop = Self::new(Exit::Refused, Diagnostic::error(Code::PLAN_STALE, message).hint(hint));
                stop.moved = moved;
                stop
            }
        }
    }
}

/// Returns the hint for a plan or journal that does not fit the command: one of the two is for the local GPO, the other
/// for the registry. `through_policy` is true if the plan or journal is for the local GPO. The command then needs the
/// option `--through-policy`, and otherwise must not have it.
pub(super) fn place_hint(through_policy: bool) -> Hint {
    match through_policy {
        true => Hint::new("name an image as the target, and choose its local GPO").bare_option("through-policy"),
        false => Hint::new("leave out the option that chooses the local GPO").bare_option("through-policy"),
    }
}

/// The hint for a state folder or journal that other users own or can write to.
#[cfg(unix)]
const UNTRUSTED_HINT: &str = "check the content; if the file or folder is yours, remove the rights of others (`chmod \
    go-w`, `chown`); or copy a journal that you trust to another state folder, and use that folder";
/// The hint for a state folder or journal that other users own or can write to.
#[cfg(not(unix))]
const UNTRUSTED_HINT: &str = "check the content; if the file or folder is yours, remove the rights of others \
    (`icacls`); or copy a journal that you trust to another state folder, and use that folder";

/// The hint for a state folder that does not exist; the option `state-dir` belongs to it.
pub(super) const SAME_FOLDER: &str = "give the same state folder as for the apply";

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let another = |text: &str| Hint::new(text).option("state-dir", "DIR");
        let (code, hint) = match error {
            StoreError::Io { ref source, .. } => {
                let of_folder = || another("check that you may read and write the state folder, or use another one");
                (Code::JOURNAL_ACCESS, read::hint(source).map_or_else(of_folder, Hint::from))
            }
            StoreError::Untrusted { .. } => (Code::JOURNAL_UNTRUSTED, another(UNTRUSTED_HINT)),
            StoreError::LastOfAll { .. } => (Code::JOURNAL_ACCESS, "move that file elsewhere".into()),
            StoreError::NotUnicode { .. } => {
                (Code::JOURNAL_ACCESS, "name the folder by another path, such as that of a link to it".into())
            }
            StoreError::Missing { has_folder: false, .. } => (Code::JOURNAL_MISSING, another(SAME_FOLDER)),
            StoreError::Missing { .. } => (Code::JOURNAL_MISSING, "`kbfix journal list` lists the journals".into()),
            StoreError::Malformed { .. } => (
                Code::JOURNAL_MALFORMED,
                "use an undamaged copy of the file; `kbfix journal list` lists the undamaged journals".into(),
            ),
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
                let hint = "check that you may read HKLM\\SYSTEM\\CurrentControlSet and HKLM\\SYSTEM\\Select";
                Self::new(Exit::Unusable, Diagnostic::error(Code::TARGET_UNREADABLE, error.to_string()).hint(hint))
            }
        }
    }
}
