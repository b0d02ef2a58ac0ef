//! Finds, in the journals, the last apply of each spec to a target, or the retirement that followed it.

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::{Diagnostic, Severity},
    journal::{EventKind, Header, Journal, Operation, Status, Store},
    operation::error::Error,
    plan::Machine,
    targets::{Answer, Reason},
};

/// An apply whose changes were neither rolled back nor retired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastApply {
    /// The time at which the changes were made and read back (or made again, because their rollback was rolled back),
    /// as RFC 3339 in UTC.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// The id of the apply's journal.
    pub journal: String,
}

/// A retirement of a spec that has not been applied since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Retirement {
    /// The time at which the changes of the spec were undone, as RFC 3339 in UTC.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// The id of the retirement's journal.
    pub journal: String,
}

/// The last apply or retirement of a spec on a target, without those that were rolled back.
pub(super) enum Last {
    Apply(LastApply),
    Retirement(Retirement),
}

/// The applies to one target, and the retirements on it, that succeeded and were not rolled back, not even in part.
pub(super) struct Applies {
    /// The journals of these applies and retirements, oldest first.
    journals: Vec<Journal>,
    /// The paths of the journals or of the journal folder that could not be read, each with the reason.
    damaged: Vec<(PathBuf, String)>,
    /// Warnings for the operator about journals that could not be read.
    pub(super) warnings: Vec<Diagnostic>,
}

impl Applies {
    /// Reads the journals of the applies to a machine and of the retirements on it (see [`is_of`]). If `store` is
    /// `None`, there are none.
    pub(super) fn read(store: Option<&Store>, machine: &Machine, uri: &str) -> Self {
        let (mut journals, damaged) = match store.map(Store::list) {
            None => (Vec::new(), Vec::new()),
            Some(Ok(found)) => found,
            Some(Err(why)) => (Vec::new(), vec![why]),
        };
        journals.retain(|journal| {
            matches!(journal.header.action, Operation::Apply | Operation::Retire)
                && journal.status() == Status::Done
                && is_of(&journal.header, machine, uri)
        });
        let names = damaged.iter().map(|why| (why.path().to_owned(), why.to_string())).collect();
        let mut warnings: Vec<_> = damaged.into_iter().flat_map(|why| Error::from(why).diagnostics).collect();
        warnings.iter_mut().for_each(|warning| warning.severity = Severity::Warning);
        Self { journals, damaged: names, warnings }
    }

    /// Returns the last apply or retirement of a spec that was not rolled back; absent if there is none; unknown if a
    /// journal that may be newer cannot be read, or if the journal of the result contains no valid time.
    pub(super) fn last(&self, id: &str) -> Answer<Last> {
        let is_of_spec = |journal: &&Journal| journal.header.specs.iter().any(|spec| spec.eq_ignore_ascii_case(id));
        let last = self.journals.iter().rev().find(is_of_spec);
        let is_newer =
            |(path, _): &&(PathBuf, String)| last.is_none_or(|last| path.file_name() > last.path.file_name());
        if let Some((_, why)) = self.damaged.iter().find(is_newer) {
            return Answer::unread(Reason::Unknown, format!("a journal cannot be read: {why}"));
        }
        let Some(last) = last else { return Answer::Absent };
        let done = last.events.iter().rev().find(|event| event.event == EventKind::Done);
        match done.map(|done| done.time.parse()) {
            Some(Ok(time)) => {
                let journal = last.header.id.clone();
                Answer::Present(match last.header.action {
                    Operation::Retire => Last::Retirement(Retirement { time, journal }),
                    _ => Last::Apply(LastApply { time, journal }),
                })
            }
            _ => Answer::unread(Reason::Malformed, format!("the journal {} does not contain a time", last.header.id)),
        }
    }
}

/// Returns whether a journal belongs to this machine. A snapshot or a copy of a disk belongs to the machine from which
/// it was made.
///
/// The MachineGuids must be the same. If one of them is not known, it is enough that the computer names are the same;
/// if the names cannot be compared either, the URI of the target must be the same. A machine with another name counts
/// only if the MachineGuid and the URI of the target are the same.
fn is_of(header: &Header, machine: &Machine, uri: &str) -> bool {
    let same =
        |a: &Option<String>, b: &Option<String>| a.as_ref().zip(b.as_ref()).map(|(a, b)| a.eq_ignore_ascii_case(b));
    let guid = same(&header.machine.machine_guid, &machine.machine_guid);
    let name = same(&header.machine.computer_name, &machine.computer_name);
    let same_uri = header.target.uri == uri;
    match (guid, name) {
        (Some(false), _) => false,
        // The name differs: with the same URI the machine was renamed, otherwise it may be a clone.
        (_, Some(false)) => same_uri && guid == Some(true),
        (Some(true), _) | (None, Some(true)) => true,
        (None, None) => same_uri,
    }
}
