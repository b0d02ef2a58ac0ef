//! An event from an event log, with the fields that kbfix uses. The readers of both log formats return it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The level of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are Windows' own")]
pub enum EventLevel {
    Critical,
    Error,
    Warning,
    Information,
    Verbose,
}

impl EventLevel {
    /// Returns the level with this number in an event's XML. Event Viewer shows level 0, and the levels that a program
    /// defines itself, as information.
    ///
    /// Source: Microsoft, "Event schema", winmeta.xml.
    pub fn of_number(number: u8) -> Self {
        match number {
            1 => Self::Critical,
            2 => Self::Error,
            3 => Self::Warning,
            5 => Self::Verbose,
            _ => Self::Information,
        }
    }

    /// Returns the name of the level in specs, documents and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
            Self::Verbose => "verbose",
        }
    }
}

/// An event in an event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The source. In the XML it is called the provider.
    pub source: String,
    /// The name under which the source was registered before Windows Vista, if it is different.
    pub old_source: Option<String>,
    /// The event ID, as Event Viewer shows it.
    pub id: u32,
    /// The level.
    pub level: EventLevel,
    /// The time at which it was logged, in UTC.
    pub time: Timestamp,
}

/// The parts of a log that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    parts: usize,
    first: String,
}

impl Damage {
    /// The number of unreadable parts after which a reader stops.
    const MOST: usize = 10_000;

    /// Returns whether there are so many unreadable parts that the rest is not read.
    pub fn is_too_much(&self) -> bool {
        self.parts >= Self::MOST
    }

    /// Adds an unreadable part. `what` describes where it is and what is wrong.
    pub fn add(&mut self, what: impl FnOnce() -> String) {
        if self.parts == 0 {
            self.first = what();
        }
        self.parts += 1;
    }

    /// Returns the number of unreadable parts, with a description of the first; `None` if everything was read.
    pub fn sentence(&self) -> Option<String> {
        match self.parts {
            0 => None,
            1 => Some(self.first.clone()),
            _ if self.is_too_much() => {
                Some(format!("{}, and there are so many errors that the rest was not read", self.first))
            }
            n => Some(format!("{}, and {} more", self.first, n - 1)),
        }
    }
}
