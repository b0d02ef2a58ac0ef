//! An event from an event log, with the fields that kbfix uses.
//!
//! The modules [`super::evt`] and [`super::evtx`], which read the two formats of logs, and [`super::event_xml`] all
//! produce this type.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How severe an event in an event log is.
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
    /// Returns the level for a level number in an event's XML.
    ///
    /// Level 0, and the levels that a program defines itself, are information, as in Event Viewer.
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

    /// Returns the name of the level, which specs, JSON documents and messages use.
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
    /// The program or component that logged the event. Event Viewer calls it source; the XML calls it provider.
    pub source: String,
    /// The name of the source in the event logs before Windows Vista (`EventSourceName` in the XML); `None` if the
    /// event contains no such name. It can be equal to `source`.
    pub old_source: Option<String>,
    /// The event ID, as Event Viewer shows it.
    pub id: u32,
    /// The level, which says how severe the event is.
    pub level: EventLevel,
    /// The time at which the event was logged, in UTC.
    pub time: Timestamp,
}

/// The damaged parts of an event log: their number, and a description of the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    parts: usize,
    first: String,
    /// Whether the rest of the log was not read, because too many parts before it are unreadable.
    is_cut: bool,
}

impl Damage {
    /// The number of damaged parts after which reading of the log stops.
    const MOST: usize = 10_000;

    /// Returns true if 10,000 or more parts are damaged, so that the rest of the log must not be read. Also records
    /// this answer for [`Damage::sentence`]. Call this only if there is a rest.
    pub fn leaves_rest(&mut self) -> bool {
        self.is_cut |= self.parts >= Self::MOST;
        self.is_cut
    }

    /// Counts a damaged part. `what` returns a description of where the part is and what is wrong with it; only the
    /// description of the first part is kept.
    pub fn add(&mut self, what: impl FnOnce() -> String) {
        if self.parts == 0 {
            self.first = what();
        }
        self.parts += 1;
    }

    /// Describes the damage: the first damaged part, and then the number of the other damaged parts, or the statement
    /// that the rest of the log was not read. Returns `None` if no part is damaged.
    pub fn sentence(&self) -> Option<String> {
        match self.parts {
            0 => None,
            1 => Some(self.first.clone()),
            _ if self.is_cut => {
                Some(format!("{}, and there are so many errors that the rest was not read", self.first))
            }
            n => Some(format!("{}, and {} more", self.first, n - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Damage;

    #[test]
    fn the_rest_was_not_read_only_if_there_is_a_rest() {
        let mut damage = Damage::default();
        for n in 1..=Damage::MOST {
            assert!(!damage.leaves_rest());
            damage.add(|| format!("part {n}"));
        }
        assert_eq!(damage.sentence().unwrap(), "part 1, and 9999 more");
        assert!(damage.leaves_rest());
        assert_eq!(damage.sentence().unwrap(), "part 1, and there are so many errors that the rest was not read");
    }
}
