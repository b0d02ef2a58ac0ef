//! The rows of a fleet: what is kept of each machine.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Case, FleetOutcome, Waiver};
use crate::plan::Check;

/// What is kept of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MachineRow {
    /// Its name in the fleet.
    pub name: Arc<str>,
    /// Its target, as the user named it.
    pub target: String,
    /// The computer name; null if the target does not have it.
    pub computer_name: Option<String>,
    /// The MachineGuid; null if the target does not have it.
    pub machine_guid: Option<String>,
    /// When its snapshot was taken, as RFC 3339; null for other targets.
    pub taken: Option<String>,
    /// The groups that it belongs to.
    pub groups: Vec<String>,
    /// The number of its wave, from 1; null where the fleet has no waves.
    pub wave: Option<usize>,
    /// The worst outcome of its specs.
    pub outcome: FleetOutcome,
    /// Why it could not be read; null where it was.
    pub unreadable: Option<String>,
    /// The ids of its cases, one for each spec, in the order of the specs; empty where it could not be read.
    pub cases: Vec<Arc<str>>,
}

/// One machine with all that the fleet report says of it, for programs that read line by line.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix fleet machine, version 1")]
pub struct Line<'a> {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_fleet_machine: u32,
    /// Its name in the fleet.
    pub name: &'a str,
    /// Its target, as the user named it.
    pub target: &'a str,
    /// The computer name; null if the target does not have it.
    pub computer_name: Option<&'a str>,
    /// The MachineGuid; null if the target does not have it.
    pub machine_guid: Option<&'a str>,
    /// When its snapshot was taken, as RFC 3339; null for other targets.
    pub taken: Option<&'a str>,
    /// The groups that it belongs to.
    pub groups: &'a [String],
    /// The number of its wave, from 1; null where the fleet has no waves.
    pub wave: Option<usize>,
    /// The worst outcome of its specs.
    pub outcome: FleetOutcome,
    /// Why it could not be read; null where it was.
    pub unreadable: Option<&'a str>,
    /// One for each spec, in the order of the specs; empty where the machine could not be read.
    pub specs: Vec<LineSpec<'a>>,
}

/// One spec on one machine.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LineSpec<'a> {
    /// The spec's id.
    pub spec: &'a str,
    /// The outcome.
    pub outcome: FleetOutcome,
    /// The id of the case.
    pub case: &'a str,
    /// The digest of the changes; null without changes.
    pub digest: Option<&'a str>,
    /// How many keys and values change.
    pub changes: usize,
    /// The checks that do not pass, with what was found and wanted.
    pub checks: &'a [Check],
    /// The reasons for the outcome.
    pub reasons: &'a [String],
    /// The waivers that accept something of it.
    pub waivers: Vec<&'a Waiver>,
}

impl<'a> LineSpec<'a> {
    /// Returns the line of a case.
    pub fn of(case: &'a Case, waivers: &'a [Waiver]) -> Self {
        Self {
            spec: &case.spec,
            outcome: case.outcome,
            case: &case.id,
            digest: case.digest.as_deref(),
            changes: case.size(),
            checks: &case.checks,
            reasons: &case.reasons,
            waivers: case.waivers(waivers),
        }
    }
}
