//! Plans specs only once for machines whose snapshots have the same facts, if [`SharedPlans`](crate::plan::SharedPlans)
//! cannot be used.
//!
//! A plan depends only on the specs and the facts. The computer name and the MachineGuid are different on every
//! machine. If no spec needs these two, machines whose other facts are the same have the same cases.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use sha2::{Digest as _, Sha256};

use super::Case;
use crate::{
    plan::{Plan, machine_values},
    registry::{Key, ValueName},
    targets::{Facts, SnapshotTarget, Target as _},
};

/// The cases of one machine, in the order of the specs. Machines with the same facts can share one such list.
pub(super) type MachineCases = Arc<[Arc<Case>]>;

/// The SHA-256 of the facts in a snapshot without the computer name and the MachineGuid, of the index of the list of
/// specs, and of whether the machine has policy stores. Machines with the same hash have the same cases if no spec
/// needs the two left-out values.
pub(super) type Likeness = [u8; 32];

/// The cases of machines that were already planned. A later machine with the same hash ([`Likeness`]) gets the same
/// cases.
pub(super) struct Alike {
    known: Mutex<HashMap<Likeness, MachineCases>>,
    /// The facts of the first plan that was kept. For other machines, the keys and files in these facts are read first.
    asked: OnceLock<Facts>,
    /// The keys and names of the values that contain the computer name and the MachineGuid.
    own: Vec<(Key, ValueName)>,
}

impl Alike {
    pub(super) fn new() -> Self {
        let own = machine_values("CurrentControlSet").into_iter().flatten().collect();
        Self { known: Mutex::default(), asked: OnceLock::new(), own }
    }

    /// Returns the hash for a snapshot; `None` if its facts cannot be written as JSON. `list` is the index of the list
    /// of specs that is planned on the snapshot.
    pub(super) fn likeness(&self, target: &SnapshotTarget, list: usize) -> Option<Likeness> {
        let mut facts: Facts = target.snapshot().facts.clone();
        self.own.iter().for_each(|(key, name)| facts.forget(key, name));
        let mut digest = Sha256::new();
        // The address of the machine shows whether it has policy stores.
        digest.update(format!("{list} {:?} ", target.policy_stores()));
        digest.update(serde_json::to_vec(&facts).ok()?);
        Some(digest.finalize().into())
    }

    /// Returns whether [`Self::keep`] has kept the cases of at least one machine.
    pub(super) fn has_any(&self) -> bool {
        !self.known().is_empty()
    }

    /// Returns the cases of an earlier machine with the same hash; `None` if there was no such machine.
    pub(super) fn find(&self, likeness: &Likeness) -> Option<MachineCases> {
        self.known().get(likeness).cloned()
    }

    /// Returns the facts of the first plan that was kept; `None` as long as no plan was kept.
    pub(super) fn asked(&self) -> Option<&Facts> {
        self.asked.get()
    }

    /// Keeps the cases of a machine for later machines with the same hash. Does nothing if the facts of `plan` contain
    /// the computer name or the MachineGuid. `plan` must contain only facts that its specs need.
    pub(super) fn keep(&self, likeness: Likeness, plan: Plan, cases: &MachineCases) {
        if self.own.iter().all(|(key, name)| plan.facts.value(key, name).is_none()) {
            self.known().insert(likeness, cases.clone());
            self.asked.get_or_init(|| plan.facts);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Likeness, MachineCases>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
