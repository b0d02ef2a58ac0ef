//! The rows of a fleet report: one for each machine.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Case, FleetOutcome, Note, Waiver};
use crate::plan::Check;

/// The part of a fleet report about one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MachineRow {
    /// The name of the machine in the fleet.
    pub name: Arc<str>,
    /// The target as text, such as `snapshot:snapshots/FE1.json`.
    pub target: String,
    /// The computer name of the machine; null if the target does not contain it or could not be read.
    pub computer_name: Option<String>,
    /// The MachineGuid of the machine; null if the target does not contain it or could not be read.
    pub machine_guid: Option<String>,
    /// The time at which the snapshot was taken, as RFC 3339; null for other targets, and if it could not be read.
    pub taken: Option<String>,
    /// The groups to which the machine belongs.
    pub groups: Vec<String>,
    /// The number of the machine's wave, from 1; null if the fleet has no waves. Machines that are in no wave have the
    /// number after that of the last wave.
    pub wave: Option<usize>,
    /// The worst outcome of all specs on the machine; `unreadable` if the machine could not be read.
    pub outcome: FleetOutcome,
    /// The reason why the machine could not be read; null if it was read.
    pub unreadable: Option<String>,
    /// The ids of the machine's cases, one for each spec, in the order of the specs; empty if the machine could not be
    /// read.
    pub cases: Vec<Arc<str>>,
}

/// One machine of a fleet report, with the results of the specs on it. Programs can read these documents one line at a
/// time.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix fleet machine, version 1")]
pub struct Line<'a> {
    /// The version of the format of these documents: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_fleet_machine: u32,
    /// The name of the machine in the fleet.
    pub name: &'a str,
    /// The target as text, such as `snapshot:snapshots/FE1.json`.
    pub target: &'a str,
    /// The computer name of the machine; null if the target does not contain it or could not be read.
    pub computer_name: Option<&'a str>,
    /// The MachineGuid of the machine; null if the target does not contain it or could not be read.
    pub machine_guid: Option<&'a str>,
    /// The time at which the snapshot was taken, as RFC 3339; null for other targets, and if it could not be read.
    pub taken: Option<&'a str>,
    /// The groups to which the machine belongs.
    pub groups: &'a [String],
    /// The number of the machine's wave, from 1; null if the fleet has no waves. Machines that are in no wave have the
    /// number after that of the last wave.
    pub wave: Option<usize>,
    /// The worst outcome of all specs on the machine; `unreadable` if the machine could not be read.
    pub outcome: FleetOutcome,
    /// The reason why the machine could not be read; null if it was read.
    pub unreadable: Option<&'a str>,
    /// The results of the specs on the machine, in the order of the specs; empty if the machine could not be read.
    pub specs: Vec<LineSpec<'a>>,
}

/// The result of one spec on one machine.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LineSpec<'a> {
    /// The spec's id.
    pub spec: &'a str,
    /// The outcome of the spec on the machine.
    pub outcome: FleetOutcome,
    /// The id of the entry in `cases` of the fleet report, which describes this result.
    pub case: &'a str,
    /// The digest of the changes that the spec requires on the machine; null if there are no changes.
    pub digest: Option<&'a str>,
    /// The number of keys and values that the spec changes on the machine.
    pub changes: usize,
    /// The checks that fail or cannot be decided, except that of `cause`, with the found and the required state.
    pub checks: &'a [Check],
    /// The reasons for the outcome.
    pub reasons: &'a [String],
    /// Additional information for the operator, besides the outcome.
    #[serde(skip_serializing_if = "<[Note]>::is_empty")]
    pub notes: &'a [Note],
    /// The waivers that accept a part of the result.
    pub waivers: Vec<&'a Waiver>,
}

impl<'a> LineSpec<'a> {
    /// Returns the result that a case describes. `waivers` is the report's list of waivers.
    pub fn of(case: &'a Case, waivers: &'a [Waiver]) -> Self {
        Self {
            spec: &case.spec,
            outcome: case.outcome,
            case: &case.id,
            digest: case.digest.as_deref(),
            changes: case.size(),
            checks: &case.checks,
            reasons: &case.reasons,
            notes: &case.notes,
            waivers: case.waivers(waivers),
        }
    }
}
