//! The journal: what was there before, on disk before the first write.
//!
//! A journal is a file of JSON lines. The first line, the entry, has every change with its data before and after; it is
//! complete on disk before anything is written to the target. Each later line is an event: how the apply ended, and whether
//! it was rolled back since. A journal without an event is of an apply that did not end, and from it the target can be
//! restored just as well. Format: `docs/reference/journal.md`.

mod folder;
mod inverse;
mod trust;

use std::{io, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use folder::{Folder, FolderError};
pub use inverse::{Conflict, Inverse, inverse};

use crate::{
    plan::{Machine, Restart},
    targets::{Address, KeyChange},
};

/// The first line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The version of this format: 1.
    pub kbfix_journal: u32,
    /// The journal's name, which sorts after those of all earlier ones: the time of its making, and a random number.
    pub id: String,
    /// When it was made, as RFC 3339.
    pub made: String,
    /// What was done.
    pub action: Action,
    /// The target.
    pub target: Address,
    /// The machine that the target is.
    pub machine: Machine,
    /// The ids of the specs.
    pub specs: Vec<String>,
    /// The digest of the plan that was carried out.
    pub plan: String,
    /// What has to be restarted, of all its specs together.
    pub restart: Restart,
    /// The changes, in their order, each with its data before and after.
    pub changes: Vec<KeyChange>,
}

/// What a journal is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// An apply.
    Apply,
    /// The rollback of the journal with this id.
    Rollback(String),
}

/// A later line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When, as RFC 3339.
    pub time: String,
    /// What happened.
    pub event: What,
    /// More of it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What happened to the changes of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// All were made, and read back.
    Done,
    /// Writing failed, and what had been written was undone.
    Undone,
    /// Writing failed, and not all of it could be undone.
    Failed,
    /// They were rolled back later.
    RolledBack,
    /// They were rolled back later but for what somebody else had changed since, which was kept.
    RolledBackInPart,
}

/// A journal, as read from disk.
#[derive(Debug, Clone)]
pub struct Journal {
    /// Its file.
    pub path: PathBuf,
    /// Its first line.
    pub entry: Entry,
    /// Its later lines. The last one is left out where it is cut off.
    pub events: Vec<Event>,
}

/// Where the changes of a journal stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All were made.
    Done,
    /// The process ended before it could say: some, all or none were made.
    Interrupted,
    /// Writing failed, and it was undone.
    Undone,
    /// Writing failed, and not all of it could be undone.
    Failed,
    /// They were rolled back.
    RolledBack,
    /// They were rolled back but for what somebody else had changed since.
    RolledBackInPart,
}

impl Journal {
    /// Where its changes stand.
    pub fn status(&self) -> Status {
        match self.events.last().map(|e| e.event) {
            None => Status::Interrupted,
            Some(What::Done) => Status::Done,
            Some(What::Undone) => Status::Undone,
            Some(What::Failed) => Status::Failed,
            Some(What::RolledBack) => Status::RolledBack,
            Some(What::RolledBackInPart) => Status::RolledBackInPart,
        }
    }

    /// Whether `rollback --last` may pick it.
    pub fn can_be_rolled_back(&self) -> bool {
        self.entry.action == Action::Apply
            && matches!(self.status(), Status::Done | Status::Interrupted | Status::Failed | Status::RolledBackInPart)
    }

    /// Notes that its changes were rolled back, wholly or in part. Where they were themselves a rollback, what that had undone is in
    /// place again, and its journal says so; and so on to the first apply.
    ///
    /// # Errors
    /// When it cannot be written to this journal. Another that is not there any more, or cannot be written, stays as it is.
    pub fn add_rollback(&mut self, event: What, by: Option<String>) -> io::Result<()> {
        self.add(event, by)?;
        let detail = format!("{} was rolled back", self.entry.id);
        let (mut last, mut in_place) = (self.clone(), true);
        while let Some(mut undone) = last.undone() {
            let event = match (event, in_place) {
                (What::RolledBackInPart, _) => What::RolledBackInPart,
                (_, true) => What::Done,
                (_, false) => What::RolledBack,
            };
            let _ = undone.add(event, Some(detail.clone()));
            (last, in_place) = (undone, !in_place);
        }
        Ok(())
    }

    /// The journal, in the same folder, whose changes this one undid.
    fn undone(&self) -> Option<Self> {
        let Action::Rollback(id) = &self.entry.action else { return None };
        // An older one: so there is an end.
        let is_older = !id.contains(['/', '\\']) && *id < self.entry.id;
        let path = self.path.with_file_name(format!("{id}.jsonl"));
        if is_older { Folder::read(&path).ok() } else { None }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, event: What, detail: Option<String>) -> io::Result<()> {
        let event = Event { time: now(), event, detail };
        folder::append(&self.path, &event)?;
        self.events.push(event);
        Ok(())
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Done => "done, and read back",
            Self::Undone => "failed, and undone",
            Self::Failed => "failed, and not wholly undone",
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

/// The present time as RFC 3339, in UTC, to the millisecond.
pub fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}
