//! Finds machines that occur in a fleet more than once.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::{Code, Diagnostic, number_of, text::shorten},
    plan::Machine,
};

/// Machines of a fleet whose computer name or MachineGuid is the same, so that they seem to be one machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct SameMachine {
    /// The names of the machines in the fleet.
    pub machines: Vec<Arc<str>>,
    /// The property that is the same: `computer_name` or `machine_guid`.
    pub by: &'static str,
    /// The common computer name or MachineGuid, spelled as on the first of the machines.
    pub identity: String,
}

/// Returns the sets of machines that have the same MachineGuid or computer name, and so are probably one machine. The
/// sets are ordered by the names of their machines in the fleet. `rows` contains, for each machine, its name in the
/// fleet, and its MachineGuid and computer name.
pub(super) fn same_machines(rows: &[(Arc<str>, Machine)]) -> Vec<SameMachine> {
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for by in ["machine_guid", "computer_name"] {
        let identity = |machine: &Machine| match by {
            "machine_guid" => machine.machine_guid.clone(),
            _ => machine.computer_name.clone(),
        };
        let mut groups: BTreeMap<String, Vec<&(Arc<str>, Machine)>> = BTreeMap::new();
        for row in rows {
            if let Some(text) = identity(&row.1) {
                groups.entry(text.to_ascii_lowercase()).or_default().push(row);
            }
        }
        for found in groups.into_values().filter(|found| found.len() > 1) {
            let machines: Vec<Arc<str>> = found.iter().map(|(name, _)| name.clone()).collect();
            // A machine that occurs twice has the same computer name and MachineGuid, and is reported only once.
            if known.insert(machines.clone()) {
                let identity = identity(&found[0].1).unwrap_or_default();
                all.push(SameMachine { machines, by, identity });
            }
        }
    }
    all.sort();
    all
}

impl SameMachine {
    /// Returns a warning that these machines seem to be one machine.
    pub fn warning(&self) -> Diagnostic {
        const MOST: usize = 5;
        let mut names: Vec<String> = self.machines.iter().take(MOST).map(|name| shorten(name)).collect();
        if self.machines.len() > MOST {
            names.push(format!("{} more", self.machines.len() - MOST));
        }
        let what = if self.by == "machine_guid" { "MachineGuid" } else { "computer name" };
        let count = number_of(self.machines.len(), "machine");
        let message = format!("{count} have the same {what} {}: {}", shorten(&self.identity), names.join(", "));
        let hint = match self.by {
            "machine_guid" => {
                "keep only the newest snapshot of each machine; if these are clones, give each its own MachineGuid \
                 (sysprep)"
            }
            _ => "keep only the newest snapshot of each machine; if these are different machines, ignore this warning",
        };
        Diagnostic::warning(Code::FLEET_SAME_MACHINE, message).hint(hint)
    }
}
