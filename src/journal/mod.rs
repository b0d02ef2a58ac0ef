//! The journal of an apply, rollback or retirement. It contains the state before the first change.
//!
//! A journal is a file of JSON lines. The first line, the header, lists every change with its data before and after.
//! The header is complete on disk before anything is written to the target. Each later line is an event: how the
//! operation ended, and whether its changes were rolled back. A journal without an event belongs to an operation that
//! still runs or was interrupted. The target can be restored from such a journal too. Format:
//! `docs/reference/journal.md`.

mod error;
mod store;
mod history;
mod restarts;
mod retire;
mod rollback;
mod trust;

use std::{io, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use error::StoreError;
pub use history::History;
pub use restarts::restart_of;
pub use retire::{LiveSpec, RetirePlan, plan_retire};
pub use rollback::{Rollback, plan_rollback};
pub use store::Store;

use crate::{
    plan::{Machine, Restart},
    targets::{Address, KeyChange},
};

/// The first line of a journal, with all changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the format of journals: 1.
    pub kbfix_journal: u32,
    /// The id: the time at which the journal was made, and a random number. It sorts after the ids of all earlier
    /// journals in the same folder.
    pub id: String,
    /// The time at which the journal was made, as RFC 3339.
    pub made: String,
    /// The operation that made the changes.
    pub action: Operation,
    /// The address of the target.
    pub target: Address,
    /// The identity of the machine whose registry was changed.
    pub machine: Machine,
    /// The number of the control set to which `HKLM\SYSTEM\CurrentControlSet` led. Missing if no change is in the
    /// current control set, or if this key is not a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_set: Option<u16>,
    /// The ids of the specs that required the changes; for a retirement, of the retired specs. For a rollback, the list
    /// contains one string: the ids in the journal that the rollback undoes, joined with `+`.
    pub specs: Vec<String>,
    /// The number of entries in `changes` that each spec requires. This list has the order of `specs`, and so have the
    /// entries in `changes`. Missing if there is only one spec, and for a rollback or a retirement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_spec: Vec<usize>,
    /// The ids of the specs for which a retirement kept some changes. After the retirement, these specs count as
    /// applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_for: Vec<String>,
    /// The digest of the plan that was applied.
    pub plan: String,
    /// The restarts that all specs together require.
    pub restart: Restart,
    /// The restarts that each spec requires, in the order of `specs`. Missing if there is only one spec, and for a
    /// rollback or a retirement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<Restart>,
    /// The changes in the order in which they are made, each with the data before and after.
    pub changes: Vec<KeyChange>,
}

/// The operation that a journal records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Action")]
pub enum Operation {
    /// An apply.
    Apply,
    /// The rollback of the journal with this id.
    Rollback(String),
    /// A retirement of specs.
    Retire,
}

/// A line after the first line of a journal. It records an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The time of the event, as RFC 3339.
    pub time: String,
    /// The kind of event.
    pub event: EventKind,
    /// Details about the event, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// An event that concerns all changes of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "What")]
pub enum EventKind {
    /// All changes were made and read back; or they are in place again, because their rollback was rolled back.
    Done,
    /// Writing or reading back failed, and everything that had been written was undone.
    Undone,
    /// Writing or reading back failed, and not everything could be undone.
    Failed,
    /// The changes were rolled back later.
    RolledBack,
    /// The changes were rolled back later, or were made again because their rollback was rolled back. In both cases,
    /// keys and values that someone else had changed were kept.
    RolledBackInPart,
}

/// A journal, as read from disk.
#[derive(Debug, Clone)]
pub struct Journal {
    /// The journal's file.
    pub path: PathBuf,
    /// The content of the first line.
    pub header: Header,
    /// The content of the later lines. An incomplete last line is left out.
    pub events: Vec<Event>,
}

/// The status of a journal's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All changes were made.
    Done,
    /// No result is recorded: the process ended early or still runs. Some, all or none of the changes were made.
    Interrupted,
    /// Writing or reading back failed, and everything that had been written was undone.
    Undone,
    /// Writing or reading back failed, and not everything could be undone.
    Failed,
    /// The changes were rolled back.
    RolledBack,
    /// The changes were rolled back, or were made again because their rollback was rolled back. In both cases, keys and
    /// values that someone else had changed were kept.
    RolledBackInPart,
}

impl Journal {
    /// Returns the status of the journal's changes, according to the last event; [`Status::Interrupted`] if there is
    /// none.
    pub fn status(&self) -> Status {
        match self.events.last().map(|e| e.event) {
            None => Status::Interrupted,
            Some(EventKind::Done) => Status::Done,
            Some(EventKind::Undone) => Status::Undone,
            Some(EventKind::Failed) => Status::Failed,
            Some(EventKind::RolledBack) => Status::RolledBack,
            Some(EventKind::RolledBackInPart) => Status::RolledBackInPart,
        }
    }

    /// Returns whether `rollback --last` may select this journal. It must be the journal of an apply or a retirement,
    /// and some of its changes may still be in place.
    pub fn can_be_rolled_back(&self) -> bool {
        matches!(self.header.action, Operation::Apply | Operation::Retire)
            && matches!(self.status(), Status::Done | Status::Interrupted | Status::Failed | Status::RolledBackInPart)
    }

    /// Records that the changes were rolled back, completely or in part. `by` is the path of the rollback's journal;
    /// `None` if the rollback had nothing to write.
    ///
    /// If this journal itself records a rollback, the changes that it had undone are now in place again. So the older
    /// journal with these changes gets an event too, and so on, back to the journal of an apply or a retirement.
    ///
    /// # Errors
    ///
    /// Fails if the event cannot be written to this journal. An older journal that is missing or cannot be written
    /// stays as it is.
    pub fn add_rollback(&mut self, event: EventKind, by: Option<String>) -> io::Result<()> {
        self.add(event, by)?;
        let detail = format!("{} was rolled back", self.header.id);
        let (mut last, mut in_place) = (self.clone(), true);
        while let Some(mut undone) = last.undone() {
            let event = match (event, in_place) {
                (EventKind::RolledBackInPart, _) => EventKind::RolledBackInPart,
                (_, true) => EventKind::Done,
                (_, false) => EventKind::RolledBack,
            };
            let _ = undone.add(event, Some(detail.clone()));
            (last, in_place) = (undone, !in_place);
        }
        Ok(())
    }

    /// Returns the journal that this rollback undid, from the same folder; `None` if this is not a rollback, or if that
    /// journal cannot be read or is not older.
    fn undone(&self) -> Option<Self> {
        let Operation::Rollback(id) = &self.header.action else { return None };
        // Accept an older journal only, so that following the chain always ends.
        let is_older = !id.contains(['/', '\\']) && *id < self.header.id;
        let path = self.path.with_file_name(format!("{id}.jsonl"));
        if is_older { Store::read(&path).ok() } else { None }
    }

    /// Appends an event to the journal's file.
    ///
    /// # Errors
    ///
    /// Fails if the event cannot be written.
    pub fn add(&mut self, event: EventKind, detail: Option<String>) -> io::Result<()> {
        let event = Event { time: now(), event, detail };
        store::append(&self.path, &event)?;
        self.events.push(event);
        Ok(())
    }
}

impl std::fmt::Display for EventKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Done => "done, and read back",
            Self::Undone => "failed, and undone",
            Self::Failed => "failed, and not completely undone",
            Self::RolledBack => "rolled back",
            Self::RolledBackInPart => "rolled back in part",
        })
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Interrupted => "interrupted",
            Self::Undone => "undone",
            Self::Failed => "failed",
            Self::RolledBack => "rolled back",
            Self::RolledBackInPart => "rolled back in part",
        })
    }
}

/// Returns the present time in UTC as RFC 3339, with milliseconds.
pub fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}
