//! Finds the plan for one machine in a fleet plan.

use super::{Bundle, BundleError, BundleMachine};
use crate::plan::Machine;

/// Returns the index of the entry in the fleet plan that is for `machine`. An entry is for it if the MachineGuids are
/// the same. If the entry or `machine` has no MachineGuid, the computer names must be the same. If the entry and
/// `machine` have neither a MachineGuid nor a name, the entry's target must be `uri`. Letter case does not matter in
/// MachineGuids and names.
///
/// # Errors
/// Returns [`BundleError::Missing`] if no plan matches the machine, and [`BundleError::Twice`] if several plans match.
pub fn choose(bundle: &Bundle, machine: &Machine, uri: &str) -> Result<usize, BundleError> {
    let found: Vec<usize> =
        (0..bundle.machines.len()).filter(|at| is_same(&bundle.machines[*at], machine, uri)).collect();
    let name = || match (&machine.computer_name, &machine.machine_guid) {
        (Some(name), Some(guid)) => format!("{name} ({guid})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => format!("a machine without a known name ({uri})"),
    };
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let known = machine.computer_name.as_deref().unwrap_or_default();
            let unreadable = bundle.unreadable.iter().any(|name| name.eq_ignore_ascii_case(known));
            Err(BundleError::Missing { machine: name(), unreadable })
        }
        several => {
            let names = several.iter().map(|at| bundle.machines[*at].name.clone()).collect();
            Err(BundleError::Twice { machine: name(), names })
        }
    }
}

fn is_same(entry: &BundleMachine, found: &Machine, uri: &str) -> bool {
    let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) => Some(a.eq_ignore_ascii_case(b)),
        _ => None,
    };
    let wanted = &entry.machine;
    match (same(&wanted.machine_guid, &found.machine_guid), same(&wanted.computer_name, &found.computer_name)) {
        (Some(by_guid), _) => by_guid,
        (None, Some(by_name)) => by_name,
        (None, None) => *wanted == Machine::default() && *found == Machine::default() && entry.target == uri,
    }
}
