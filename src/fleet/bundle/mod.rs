//! The fleet plan: the plans of all machines in one file, with one digest.
//!
//! The file has one line for the fleet and one for each machine's plan. The first line has the SHA-256 of each other line,
//! and its own digest, so the digest is about every byte. Reading it takes the memory of the first line and of one plan.

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
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_fleet_plan: u32,
    /// The specs, in the order given.
    pub specs: Vec<BundleSpec>,
    /// The groups of each wave, in order; machines that no wave names come last.
    pub waves: Vec<Vec<String>>,
    /// The machines whose plans follow, one a line, in this order: that of their names.
    pub machines: Vec<BundleMachine>,
    /// The names of the machines that could not be read, and have no plan.
    pub unreadable: Vec<String>,
    /// The names of the machines of which everything is waived, and that have no plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<String>,
    /// `sha256:` and the SHA-256 of all the rest of this line as canonical JSON (RFC 8785), in hex digits.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: String,
}

/// A spec of a fleet plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleSpec {
    /// The spec's id.
    pub id: String,
    /// The SHA-256 of the spec's file, in hex digits.
    pub sha256: String,
}

/// A machine of a fleet plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleMachine {
    /// Its name in the fleet.
    pub name: String,
    /// The identity of the machine, as far as its registry says.
    pub machine: Machine,
    /// The groups that it belongs to.
    pub groups: Vec<String>,
    /// The number of its wave, from 1; null where the fleet has no waves.
    pub wave: Option<usize>,
    /// The specs that are not in its plan, since something of them is waived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<String>,
    /// How many keys and values its plan changes.
    pub changes: usize,
    /// The digest of its plan.
    pub plan: String,
    /// The SHA-256 of the bytes of its line, without the line break, in hex digits.
    pub sha256: String,
    /// The URI of the target that its plan was made from.
    pub target: String,
}

impl Bundle {
    /// Returns the digest of the content.
    fn content_digest(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(members) = value.as_object_mut() {
            members.remove("digest");
        }
        digest(&value)
    }

    /// Returns the line, without its line break.
    fn line(&self) -> String {
        // Strings, numbers and lists of them can always be written as JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A file is not a fleet plan that can be trusted, or has no plan for a machine.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not a fleet plan of version 1.
    #[error("it is not a fleet plan of version 1: {0}")]
    Shape(String),
    /// The content does not have the digests that the file states.
    #[error("it was altered after it was made: {0}")]
    Altered(String),
    /// It is not the one that was approved.
    #[error("it is not the plan that was approved: its digest is {found}, the approved one is {wanted}")]
    Other {
        /// The file's digest.
        found: String,
        /// The approved digest.
        wanted: String,
    },
    /// It has no plan for the machine.
    #[error("it has no plan for {machine}")]
    Missing {
        /// The machine.
        machine: String,
        /// Whether the machine is in the fleet, and could not be read when the plan was made.
        unreadable: bool,
    },
    /// It has several plans for the machine.
    #[error("it has {} plans for {machine}: {}", .names.len(), .names.join(", "))]
    Twice {
        /// The machine.
        machine: String,
        /// The names in the fleet.
        names: Vec<String>,
    },
    /// The plan of the machine cannot be trusted.
    #[error(transparent)]
    Plan(#[from] crate::plan::file::PlanError),
}
