//! Shows the progress of an operation to the person who waits for it.

use crate::{diag::Diagnostic, targets::Target};

/// Receives the progress of an operation, to show it to a person. The implementation for `()` shows nothing.
pub trait Progress {
    /// Runs `work`, which can take long, and returns its result. `what` describes the work to people.
    fn during<T>(&mut self, what: &str, work: impl FnOnce() -> T) -> T {
        let _ = what;
        work()
    }

    /// Shows a text about the progress, in place of the text that was shown before.
    fn show(&mut self, text: &str) {
        let _ = text;
    }

    /// Removes the text that [`show`](Self::show) displayed.
    fn end(&mut self) {}

    /// Shows a warning that is not in the report.
    fn warn(&mut self, warning: &Diagnostic) {
        let _ = warning;
    }
}

impl Progress for () {}

/// Returns a text for people: that a target is being read.
pub fn reading(target: &dyn Target) -> String {
    format!("reading {}", target.uri())
}

/// Returns a text for people: that the event logs of a target are being read.
pub fn reading_logs(target: &dyn Target) -> String {
    format!("reading the event logs of {}", target.uri())
}

/// Returns a text for people: that a target is being changed.
pub fn changing(target: &dyn Target) -> String {
    format!("changing {}", target.uri())
}
