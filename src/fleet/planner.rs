//! Plans the snapshots of a fleet. If several snapshots have the same plan, the plan is usually made only once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Case, Note, Waivers,
    alike::{Alike, MachineCases},
    one::planned,
};
use crate::{
    observe::{Query, observe},
    operation::{assemble, make_plan_like},
    plan::{Answers, Plan, SharedPlan, SharedPlans},
    spec::Spec,
    targets::{Drift, Facts, PolicyStores, SnapshotTarget, Target},
};

/// Plans lists of specs on many snapshots.
pub(super) struct Planner<'a> {
    lists: Vec<List<'a>>,
    alike: Alike,
}

/// One list of specs, with the plans and cases that were already made for it and that several machines can share.
struct List<'a> {
    specs: &'a [Spec],
    /// The plans that several machines can share; `None` if they cannot be shared, for example because a spec has
    /// sensitive values.
    shared: Option<SharedPlans<'a>>,
    /// The cases that were already made from plans in `shared`, each by the id of its plan.
    cases: Mutex<HashMap<usize, Arc<Case>>>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(lists: &'a [Vec<Spec>]) -> Self {
        let list = |specs: &'a Vec<Spec>| List { specs, shared: SharedPlans::new(specs), cases: Mutex::default() };
        Self { lists: lists.iter().map(list).collect(), alike: Alike::new() }
    }

    /// Returns the cases of a snapshot. `index` selects the list of specs to plan.
    ///
    /// # Errors
    /// Returns the reason why nothing of the snapshot can be read.
    pub(super) fn cases(&self, snapshot: &mut SnapshotTarget, index: usize) -> Result<MachineCases, String> {
        let list = &self.lists[index];
        let like = |target: &SnapshotTarget| self.alike.likeness(target, index);
        // If a machine with the same facts could not share its plans, this machine cannot share them either.
        let known = self.alike.has_any().then(|| like(snapshot)).flatten();
        if let Some(cases) = known.as_ref().and_then(|likeness| self.alike.find(likeness)) {
            return Ok(cases);
        }
        if let Some(plans) = self.shared(snapshot, index) {
            return Ok(list.cases(&plans, snapshot));
        }
        let likeness = known.or_else(|| like(snapshot));
        let asked = self.alike.asked();
        let make = |target: &mut dyn Target, specs: &[Spec]| make_plan_like(asked, target, specs);
        let (plan, cases) = planned(snapshot, list.specs, &Waivers::default(), &[], make)?;
        let cases: MachineCases = cases.into_iter().map(Arc::new).collect();
        if let Some(likeness) = likeness {
            self.alike.keep(likeness, plan, &cases);
        }
        Ok(cases)
    }

    /// Returns the whole plan and the cases of a snapshot. `index` selects the list of specs. Returns `None` if plans
    /// of these specs cannot be shared, or the snapshot lacks a fact that the specs need.
    ///
    /// # Errors
    /// Returns the reason why nothing of the snapshot can be read.
    pub(super) fn plan(
        &self,
        snapshot: &mut SnapshotTarget,
        index: usize,
    ) -> Result<Option<(Plan, MachineCases)>, String> {
        let list = &self.lists[index];
        let Some((shared, plans)) = list.shared.as_ref().zip(self.shared(snapshot, index)) else { return Ok(None) };
        let specs = plans.iter().map(|shared| shared.plan.clone()).collect();
        let plan = assemble(specs, &shared.queries(&plans), snapshot).map_err(|error| error.to_string())?;
        let cases = list.cases(&plans, snapshot);
        Ok(Some((plan, cases)))
    }

    /// Returns the cases of two snapshots of one machine, and the facts that differ between the snapshots. Only facts
    /// on which the plans depend are compared. Returns `None` if plans of these specs cannot be shared, or a snapshot
    /// lacks a fact that the specs need.
    ///
    /// # Errors
    /// Returns the reason if nothing of one of the snapshots can be read. A single fact that cannot be read is no
    /// error.
    pub(super) fn moved(
        &self,
        old: &mut SnapshotTarget,
        new: &mut SnapshotTarget,
        index: usize,
    ) -> Result<Option<(MachineCases, MachineCases, Vec<Drift>)>, String> {
        let list = &self.lists[index];
        let Some(shared) = &list.shared else { return Ok(None) };
        let [Some(before), Some(after)] = [&*old, &*new].map(|target| self.shared(target, index)) else {
            return Ok(None);
        };
        let cases = (list.cases(&before, old), list.cases(&after, new));
        let [before, after] = shared.differing([(answers(old), before), (answers(new), after)]);
        let read = |target: &mut SnapshotTarget, queries: &[Query]| {
            observe(target, |reader| queries.iter().for_each(|query| reader.ask(query)))
                .map_err(|error| error.to_string())
        };
        Ok(Some((cases.0, cases.1, read(old, &before)?.changed(&read(new, &after)?))))
    }

    /// Returns the shared plans of a snapshot; `None` if plans of these specs cannot be shared, or the snapshot lacks a
    /// fact that the specs need.
    fn shared(&self, snapshot: &SnapshotTarget, index: usize) -> Option<Vec<Arc<SharedPlan<'a>>>> {
        let shared = self.lists[index].shared.as_ref()?;
        let mut answers = answers(snapshot);
        shared.known(&mut answers).or_else(|| shared.plan(&mut answers))
    }
}

fn answers(snapshot: &SnapshotTarget) -> Answers<'_> {
    Answers::new(&snapshot.snapshot().facts, snapshot.policy_stores() == PolicyStores::Here)
}

impl List<'_> {
    /// Returns the cases of the machine with the snapshot `target`: one for each of `plans`, its shared plans. If an
    /// earlier machine had the same plan, its case is used again.
    fn cases(&self, plans: &[Arc<SharedPlan<'_>>], target: &SnapshotTarget) -> MachineCases {
        let facts: &Facts = &target.snapshot().facts;
        let mut known = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        let case = |shared: &SharedPlan<'_>| {
            let notes = Note::of(&shared.plan, facts, target);
            Arc::new(Case::of(shared.plan.clone(), notes, &Waivers::default(), &[]))
        };
        plans.iter().map(|plan| known.entry(plan.id).or_insert_with(|| case(plan)).clone()).collect()
    }
}
