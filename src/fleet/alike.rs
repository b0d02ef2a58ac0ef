//! Plans specs only once for machines whose snapshots have the same facts, where [`SharedPlans`](crate::plan::SharedPlans)
//! cannot be used.
//!
//! A plan follows from the specs and the facts alone. What differs between all machines is the computer name and the
//! MachineGuid. Where no spec asks for these, two snapshots that have the same facts otherwise have the same plans.

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

/// The cases of one machine, in the order of the specs. Machines with the same facts share them.
pub(super) type MachineCases = Arc<[Arc<Case>]>;

/// The SHA-256 of all that the plans of a machine follow from.
pub(super) type Likeness = [u8; 32];

/// The cases of the machines that were planned, by what they follow from.
pub(super) struct Alike {
    known: Mutex<HashMap<Likeness, MachineCases>>,
    /// The facts of the first plan that was kept, from which follows what to ask the other machines. Later plans have these
    /// and their own.
    asked: OnceLock<Facts>,
    /// The values that say which machine it is.
    own: Vec<(Key, ValueName)>,
}

impl Alike {
    pub(super) fn new() -> Self {
        let own = machine_values("CurrentControlSet").into_iter().flatten().collect();
        Self { known: Mutex::default(), asked: OnceLock::new(), own }
    }

    /// Returns what the plans of a snapshot follow from. `list` is the index of the list of specs.
    pub(super) fn likeness(&self, target: &SnapshotTarget, list: usize) -> Option<Likeness> {
        let mut facts: Facts = target.snapshot().facts.clone();
        self.own.iter().for_each(|(key, name)| facts.forget(key, name));
        let mut digest = Sha256::new();
        // Whether there are policy stores is known from the address of the machine.
        digest.update(format!("{list} {:?} ", target.policy_stores()));
        digest.update(serde_json::to_vec(&facts).ok()?);
        Some(digest.finalize().into())
    }

    /// Returns whether the cases of any machine were kept.
    pub(super) fn has_any(&self) -> bool {
        !self.known().is_empty()
    }

    /// Returns the cases of a machine that is like this one, if any was planned.
    pub(super) fn find(&self, likeness: &Likeness) -> Option<MachineCases> {
        self.known().get(likeness).cloned()
    }

    /// Returns facts that were asked of another machine; `None` as long as no plan was kept.
    pub(super) fn asked(&self) -> Option<&Facts> {
        self.asked.get()
    }

    /// Keeps the cases of a plan, unless its specs ask for what each machine has for itself. The plan must have no facts but
    /// those that specs ask for.
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
