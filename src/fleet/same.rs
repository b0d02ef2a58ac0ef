//! Finds machines that are in a fleet more than once.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::Serialize;

use super::MachineRow;
use crate::diag::{Code, Diagnostic, number_of, text::shorten};

/// Machines of a fleet that say that they are one machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct SameMachine {
    /// The names of the machines in the fleet.
    pub machines: Vec<Arc<str>>,
    /// What they have in common: `computer_name` or `machine_guid`.
    pub by: &'static str,
    /// The common name or MachineGuid, as the first of them has it.
    pub identity: String,
}

/// Returns the machines that are there more than once, in the order of their names.
pub(super) fn same_machines(rows: &[MachineRow]) -> Vec<SameMachine> {
    let mut all = Vec::new();
    for by in ["machine_guid", "computer_name"] {
        let identity =
            |row: &MachineRow| if by == "machine_guid" { row.machine_guid.clone() } else { row.computer_name.clone() };
        let mut groups: BTreeMap<String, Vec<&MachineRow>> = BTreeMap::new();
        for row in rows {
            if let Some(text) = identity(row) {
                groups.entry(text.to_ascii_lowercase()).or_default().push(row);
            }
        }
        for found in groups.into_values().filter(|found| found.len() > 1) {
            let machines: Vec<Arc<str>> = found.iter().map(|row| row.name.clone()).collect();
            // One machine that is there twice has both in common, and is said once.
            if !all.iter().any(|known: &SameMachine| known.machines == machines) {
                let identity = identity(found[0]).unwrap_or_default();
                all.push(SameMachine { machines, by, identity });
            }
        }
    }
    all.sort();
    all
}

impl SameMachine {
    /// Returns the warning about it.
    pub fn warning(&self) -> Diagnostic {
        const MOST: usize = 5;
        let mut names: Vec<String> = self.machines.iter().take(MOST).map(|name| shorten(name)).collect();
        if self.machines.len() > MOST {
            names.push(format!("{} more", self.machines.len() - MOST));
        }
        let what = if self.by == "machine_guid" { "the MachineGuid" } else { "the computer name" };
        let count = number_of(self.machines.len(), "machine");
        let message = format!("{count} have {what} {}: {}", shorten(&self.identity), names.join(", "));
        let hint = "keep the newest snapshot of each machine; clones need a MachineGuid of their own (sysprep)";
        Diagnostic::warning(Code::FLEET_SAME_MACHINE, message).hint(hint)
    }
}
