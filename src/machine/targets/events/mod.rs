//! Counts events in the event logs of a target: how often an event was logged, and when.
//!
//! The answer covers the events that the log still contains. Older events may have been overwritten or cleared; the
//! time of the oldest event in the log shows how far back it reaches.

mod batch;
mod file;
mod place;
mod tally;

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::format::event::{Event, EventLevel};

pub(super) use batch::answers;
pub(super) use file::facts;
pub(super) use place::place;
#[cfg_attr(not(windows), allow(unused_imports, reason = "only the code for a running Windows uses it"))]
pub(super) use tally::Tally;

/// A query for the events in one log that have the same source, event ID and, if given, level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// The name of the event log.
    pub log: String,
    /// The source: the program or component that logs the event.
    pub source: String,
    /// The event ID.
    pub id: u32,
    /// The level of the event; null for any level.
    pub level: Option<EventLevel>,
}

/// The number and times of the events that match a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventFacts {
    /// The number of matching events in the log.
    pub count: u64,
    /// The time at which the first matching event was logged, as RFC 3339 in UTC; null if there is none.
    #[schemars(with = "Option<String>")]
    pub first: Option<Timestamp>,
    /// The time at which the last matching event was logged, as RFC 3339 in UTC; null if there is none.
    #[schemars(with = "Option<String>")]
    pub last: Option<Timestamp>,
    /// The times of the newest matching events, at most 1000, newest first.
    #[schemars(with = "Vec<String>")]
    pub times: Vec<Timestamp>,
    /// The time at which the oldest event of any kind in the log was logged; null if the log is empty, or no event in
    /// it can be read.
    #[schemars(with = "Option<String>")]
    pub log_begins: Option<Timestamp>,
    /// The time at which the newest event of any kind in the log was logged; null if the log is empty, or no event in
    /// it can be read.
    #[schemars(with = "Option<String>")]
    pub log_ends: Option<Timestamp>,
    /// A description of what could not be read in the log. If there is one, there may be more events than were counted.
    /// Missing if everything was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

/// A query for events, and the answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventAnswer {
    /// The query that was answered.
    pub event: EventQuery,
    /// The events that match the query; absent if there is no such log.
    pub found: Answer<EventFacts>,
}

impl EventQuery {
    /// Returns whether the event matches the query.
    ///
    /// The query can name the source in three ways: by its full name, by the full name without `Microsoft-Windows-` (as
    /// in Event Viewer), or by the name under which the source was registered before Windows Vista. Upper and lower
    /// case do not matter.
    fn fits(&self, event: &Event) -> bool {
        let same = |name: &str| name.eq_ignore_ascii_case(&self.source);
        let short = |name: &str| {
            const MAKER: &str = "Microsoft-Windows-";
            let (maker, rest) = name.split_at_checked(MAKER.len()).unwrap_or(("", ""));
            maker.eq_ignore_ascii_case(MAKER) && same(rest)
        };
        let is_level = self.level.is_none_or(|level| level == event.level);
        let is_source = || same(&event.source) || short(&event.source) || event.old_source.as_deref().is_some_and(same);
        event.id == self.id && is_level && is_source()
    }
}

impl fmt::Display for EventQuery {
    /// Writes the query as text, such as `event 1000 of EXPROX in the log Application, warning`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log, source, id, .. } = self;
        write!(f, "event {id} of {source} in the log {log}")?;
        self.level.iter().try_for_each(|level| write!(f, ", {}", level.as_str()))
    }
}

impl EventFacts {
    /// Returns the number of matching events that were logged at or after `time`. Before the comparison, `time` is
    /// rounded down to a whole second, because logs from before Windows Vista store only whole seconds.
    pub fn since(&self, time: Timestamp) -> Since {
        let second = time.as_second();
        let known = self.times.iter().filter(|logged| logged.as_second() >= second).count() as u64;
        Since { count: known, or_more: known == self.times.len() as u64 && known < self.count }
    }
}

/// The number of events at or after a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The number of events. If `or_more` is true, there may be more.
    pub count: u64,
    /// Whether there may be more events than `count`, because not all times were stored.
    pub or_more: bool,
}

#[cfg(test)]
mod tests;
