//! How far an operation is, for whoever waits for it.

use crate::{diag::Diagnostic, targets::Target};

/// Follows an operation. `()` follows nothing.
pub trait Progress {
    /// Does long work. `what` says what it is, for people.
    fn during<T>(&mut self, what: &str, work: impl FnOnce() -> T) -> T {
        let _ = what;
        work()
    }

    /// Shows how far the operation is; each text replaces the one before.
    fn show(&mut self, text: &str) {
        let _ = text;
    }

    /// Takes away what [`show`](Self::show) shows.
    fn end(&mut self) {}

    /// Shows a warning that is not in the report.
    fn warn(&mut self, warning: &Diagnostic) {
        let _ = warning;
    }
}

impl Progress for () {}

/// Returns what goes on while a target is read, for people.
pub fn reading(target: &dyn Target) -> String {
    format!("reading {}", target.uri())
}

/// Returns what goes on while the event logs of a target are read, for people.
pub fn reading_logs(target: &dyn Target) -> String {
    format!("reading the event logs of {}", target.uri())
}

/// Returns what goes on while a target is changed, for people.
pub fn changing(target: &dyn Target) -> String {
    format!("changing {}", target.uri())
}
