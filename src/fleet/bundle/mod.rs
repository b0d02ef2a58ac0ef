//! The fleet plan: the plans of all machines in one file, with one digest.
//!
//! The file has one line for the fleet, followed by one line for each machine that has a plan. The first line contains
//! the SHA-256 of each other line, and a digest of its own content without this digest. So this one digest covers the
//! content of the whole file. Reading the file needs memory only for the first line and for two plans.

mod identity;
mod read;
mod write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{Machine, file::digest};

pub use identity::choose;
pub use read::{is_bundle, read};
pub use write::{Draft, PlanLine};

/// The first line of a fleet plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kbfix fleet plan, version 1")]
pub struct Bundle {
    /// The version of the format of fleet plans: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_fleet_plan: u32,
    /// The specs, in the order in which they were given.
    pub specs: Vec<BundleSpec>,
    /// The groups of each wave, in order. Machines that are in no wave come last.
    pub waves: Vec<Vec<String>>,
    /// The machines, ordered by name. Their plans follow in the same order, one on each line.
    pub machines: Vec<BundleMachine>,
    /// The names of the machines that could not be read, and therefore have no plan.
    pub unreadable: Vec<String>,
    /// The names of the machines that have no plan, because each spec is waived on them, at least in part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<String>,
    /// The digest: `sha256:` and the SHA-256 in hex digits of the rest of this line as canonical JSON (RFC 8785).
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: String,
}

/// A spec for which a fleet plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleSpec {
    /// The spec's id.
    pub id: String,
    /// The SHA-256 of the spec's file, in hex digits.
    pub sha256: String,
}

/// A machine for which a fleet plan contains a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleMachine {
    /// The name of the machine in the fleet.
    pub name: String,
    /// The computer name and the MachineGuid of the machine, as far as its target contains them.
    pub machine: Machine,
    /// The groups to which the machine belongs.
    pub groups: Vec<String>,
    /// The number of the machine's wave, from 1; null if the fleet has no waves. Machines that are in no wave have the
    /// number after that of the last wave.
    pub wave: Option<usize>,
    /// The ids of the specs that are not in the machine's plan, because they are waived on the machine, at least in
    /// part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<String>,
    /// The number of keys and values that the machine's plan changes.
    pub changes: usize,
    /// The digest of the machine's plan.
    pub plan: String,
    /// The SHA-256, in hex digits, of the line with the machine's plan, without the line break.
    pub sha256: String,
    /// The URI of the target for which the machine's plan was made.
    pub target: String,
}

impl Bundle {
    /// Returns the digest of this first line of a fleet plan, without its field `digest`.
    fn content_digest(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(members) = value.as_object_mut() {
            members.remove("digest");
        }
        digest(&value)
    }

    /// Returns the fleet plan's first line as text, without its line break.
    fn line(&self) -> String {
        // A string, a number, or a list of these can always be written as JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The reason why a fleet plan cannot be used: it cannot be read or trusted, or it has no plan for the machine.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The file is not a fleet plan of version 1.
    #[error("the file is not a fleet plan of version 1: {0}")]
    Shape(String),
    /// The content of the file does not match the digests in it.
    #[error("the fleet plan was altered after it was made: {0}")]
    Altered(String),
    /// The fleet plan is not the one that was approved.
    #[error("this is not the plan that was approved: its digest is {found}, but the approved digest is {wanted}")]
    Other {
        /// The digest of the file.
        found: String,
        /// The digest that was approved.
        wanted: String,
    },
    /// The fleet plan has no plan for the machine of the target.
    #[error("the fleet plan contains no plan for {machine}")]
    Missing {
        /// The machine of the target, for messages: its computer name and MachineGuid as far as they are known, or else
        /// a text with the URI of the target.
        machine: String,
        /// Whether the machine is in the fleet but could not be read when the plan was made.
        unreadable: bool,
    },
    /// The fleet plan has several plans that match the machine of the target.
    #[error("the fleet plan contains {} plans for {machine}: {}", .names.len(), .names.join(", "))]
    Twice {
        /// The machine of the target, for messages: its computer name and MachineGuid as far as they are known, or else
        /// a text with the URI of the target.
        machine: String,
        /// The names of the matching machines in the fleet.
        names: Vec<String>,
    },
    /// The plan for the machine of the target is refused, for example because its content does not match its digest.
    #[error(transparent)]
    Plan(#[from] crate::plan::file::PlanError),
}
