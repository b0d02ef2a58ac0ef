//! Adds colours to text for terminals that can show them.

use anstyle::{AnsiColor, Style};

use crate::{
    fleet::FleetOutcome,
    plan::{Outcome, Truth},
};

/// Adds colours to text, or returns the text unchanged.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// Whether colours are added.
    pub colour: bool,
}

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Returns text in the colour of an added line.
    pub(super) fn added(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    /// Returns text in the colour of a removed line.
    pub(super) fn removed(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default(), text)
    }

    /// Returns text in the colour of the heading of a diff section.
    pub(super) fn head(self, text: &str) -> String {
        self.with(AnsiColor::Cyan.on_default(), text)
    }

    /// Returns text in bold.
    pub(super) fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    /// Returns the name of an outcome in its colour.
    pub(super) fn outcome(self, outcome: Outcome) -> String {
        let text = outcome.as_str().replace('_', " ");
        let colour = match outcome {
            Outcome::InDesiredState | Outcome::Changed => AnsiColor::Green,
            Outcome::NotApplicable => AnsiColor::BrightBlack,
            Outcome::ChangesPending | Outcome::PendingRestart => AnsiColor::Yellow,
            Outcome::Blocked | Outcome::NeedsParameter | Outcome::Unknown | Outcome::RolledBack | Outcome::Failed => {
                AnsiColor::Red
            }
        };
        self.with(colour.on_default().bold(), &text)
    }

    /// Returns the name of an outcome in a fleet report, in its colour.
    pub(super) fn fleet(self, outcome: FleetOutcome) -> String {
        let colour = match outcome {
            FleetOutcome::InDesiredState => AnsiColor::Green,
            FleetOutcome::NotApplicable => AnsiColor::BrightBlack,
            FleetOutcome::Waived => AnsiColor::Blue,
            FleetOutcome::ChangesPending => AnsiColor::Yellow,
            _ => AnsiColor::Red,
        };
        self.with(colour.on_default().bold(), outcome.words())
    }

    /// Returns the result of a test as a coloured word of fixed width.
    pub(super) fn truth(self, truth: Truth) -> String {
        match truth {
            Truth::Met => self.added("met    "),
            Truth::Unmet => self.removed("unmet  "),
            Truth::Unknown => self.removed("unknown"),
        }
    }
}
