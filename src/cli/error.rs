//! The error of a command that stopped before it had a result.

use std::io;

use kbfix::{
    diag::{Code, Diagnostic, Exit, Hint},
    journal::StoreError,
    operation,
    plan::file::PlanError,
    targets::{AddressError, Drift, TargetError},
};

/// The reason why a command stopped before it had a result. No target was changed.
#[derive(Debug)]
pub(super) struct CommandError {
    /// The exit code of the command.
    pub(super) exit: Exit,
    /// The messages to print.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The facts that have changed since a saved plan was made; empty if the command stopped for another reason.
    pub(super) moved: Vec<Drift>,
}

impl CommandError {
    /// Returns an error with one diagnostic.
    pub(super) fn new(exit: Exit, diagnostic: Diagnostic) -> Self {
        Self::all(exit, vec![diagnostic])
    }

    /// Returns an error with these diagnostics.
    pub(super) fn all(exit: Exit, diagnostics: Vec<Diagnostic>) -> Self {
        Self { exit, diagnostics, moved: Vec::new() }
    }

    /// Puts the name of the plan's file before each message whose code begins with `plan-`.
    pub(super) fn of_plan(mut self, name: &str) -> Self {
        for diagnostic in self.diagnostics.iter_mut().filter(|d| d.code.as_str().starts_with("plan-")) {
            diagnostic.message = format!("{name}: {}", diagnostic.message);
        }
        self
    }

    /// Replaces the hint of each diagnostic of the error with `hint`.
    pub(super) fn with_hint(mut self, hint: &str) -> Self {
        self.diagnostics.iter_mut().for_each(|diagnostic| diagnostic.set_hint(hint));
        self
    }

    /// Returns the error for wrong usage of the command line, with [`Exit::Refused`]. This includes a request that the
    /// chosen format or file cannot satisfy.
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<Hint>) -> Self {
        Self::new(Exit::Refused, Diagnostic::error(Code::USAGE, message).hint(hint))
    }

    /// Returns the error for a file, folder or stream that cannot be read or written. `path` is its path, or its name
    /// in messages.
    pub(super) fn file(path: &str, error: &io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "check the spelling of the name, and that the folder exists",
            io::ErrorKind::PermissionDenied => "check that you may read the file, or write to its folder",
            io::ErrorKind::AlreadyExists => "give another name, because a file or folder with this name already exists",
            io::ErrorKind::IsADirectory => "name a file; this is a folder",
            io::ErrorKind::FileTooLarge => "check that this is the right file",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space on that disk, or name \
                another folder"
            }
            _ => "check that the path is correct and that you may use the file or folder",
        };
        Self::new(Exit::Refused, Diagnostic::error(Code::FILE_ACCESS, format!("{path}: {error}")).hint(hint))
    }
}

impl From<AddressError> for CommandError {
    fn from(error: AddressError) -> Self {
        Self::new(Exit::Refused, Diagnostic::error(Code::TARGET_ADDRESS, error.to_string()))
    }
}

impl From<PlanError> for CommandError {
    fn from(error: PlanError) -> Self {
        let (code, hint) = match error {
            PlanError::Json(_) | PlanError::Shape(_) => {
                (Code::PLAN_INVALID, Hint::new("make a new plan with this kbfix").option("out", "FILE"))
            }
            PlanError::Inconsistent(_) => (
                Code::PLAN_INCONSISTENT,
                Hint::new("the plan was edited after it was made: make a new plan, and have it reviewed")
                    .option("out", "FILE"),
            ),
            PlanError::Altered { .. } => (Code::PLAN_ALTERED, "make a new plan, and have it reviewed".into()),
            PlanError::Other { .. } => {
                (Code::PLAN_DIGEST, "apply the plan that was approved, or have this one reviewed".into())
            }
        };
        Self::new(Exit::Refused, Diagnostic::error(code, error.to_string()).hint(hint))
    }
}

impl From<operation::Error> for CommandError {
    fn from(error: operation::Error) -> Self {
        Self { exit: error.exit, diagnostics: error.diagnostics, moved: error.moved }
    }
}

impl From<TargetError> for CommandError {
    fn from(error: TargetError) -> Self {
        operation::Error::from(error).into()
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        operation::Error::from(error).into()
    }
}
