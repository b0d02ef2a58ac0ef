//! Tests random histories of applies, writes by others, spec upgrades, rollbacks and retirements. Specs are about the
//! machine and about each user's hive, and some writes fail.
//!
//! The model reads the registry before and after each step. For each key and value it keeps the state without kbfix,
//! which is the last state that someone else wrote. A retirement must restore that state, except for what the specs
//! that still apply want. Someone else never writes the same data twice, so that each of these writes differs from what
//! kbfix left. Only if a write failed and was not undone, the model uses the changes that the run tried, because it is
//! not known which of them were made.

mod past;
mod world;

use std::{collections::BTreeSet, path::Path};

use kbfix::{
    journal::{Operation, Status, Store},
    operation::{self, ApplyOptions, Request, RetireOptions, Retired, RollbackOptions, report::Report},
    plan::Plan,
    registry::Data,
    spec::Spec,
    targets::{Address, ChangeAction, KeyChange},
};
use proptest::prelude::*;

use super::model::{Fault, Keys, Model};
use past::{Failing, IDS, Past, Step, Wants, key, name, spec};
use world::{Place, Way, World, state};

struct Run {
    target: Model,
    store: Store,
    world: World,
    wants: Vec<Wants>,
    /// The specs, loaded from these files.
    specs: Vec<Spec>,
    foreign: u32,
    /// How many retirements changed, kept or refused something.
    seen: Seen,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    changed: usize,
    kept: usize,
    conflicts: usize,
    /// The number of changes of users' values by retirements.
    of_users: usize,
    /// The number of failed runs that were undone, and of those that were not.
    undone: usize,
    failed: usize,
}

impl std::ops::AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.changed += other.changed;
        self.kept += other.kept;
        self.conflicts += other.conflicts;
        self.of_users += other.of_users;
        self.undone += other.undone;
        self.failed += other.failed;
    }
}

fn address() -> Address {
    Address::new("local", None, None).unwrap()
}

impl Run {
    fn step(&mut self, step: &Step) {
        let before = self.target.keys.clone();
        let keys = &mut self.target.keys;
        match step {
            Step::Upgrade(at, wants) => {
                self.specs[*at] = spec(*at, wants);
                self.wants[*at].clone_from(wants);
            }
            Step::Write(at, value) => {
                if past::is_there(keys, *at) {
                    self.foreign += 1;
                    past::create(keys, *at);
                    keys.get_mut(&key(*at)).unwrap().insert(name(*value), Data::dword(100 + self.foreign));
                }
            }
            Step::Remove(at, value) => {
                // If the value was absent before and is absent again, nobody can see that it existed in between.
                if !self.world.would_not_be_seen(*at, Some(*value)) {
                    keys.get_mut(&key(*at)).and_then(|values| values.remove(&name(*value)));
                }
            }
            Step::RemoveKey(at) => {
                if !self.world.would_not_be_seen(*at, None) {
                    keys.remove(&key(*at));
                }
            }
            Step::NewUser => {
                if let Some(first) = past::second_user(keys) {
                    past::add_user(keys, first);
                }
            }
            Step::Apply(ids, failing) => return self.apply(ids, *failing, &before),
            Step::Rollback(at, force, failing) => return self.roll_back(*at, *force, *failing, &before),
            Step::Retire(ids, force, saved, failing) => return self.retire(ids, *force, *saved, *failing, &before),
        }
        self.world.foreign(&before, &self.target.keys);
    }

    /// Runs an operation that may fail. Returns its report, or `None` if nothing was begun.
    fn run<E: std::fmt::Debug>(
        &mut self,
        failing: Failing,
        operation: impl FnOnce(&mut Model, &Store) -> Result<Report, E>,
    ) -> Option<Report> {
        let before = self.target.keys.clone();
        (self.target.fault, self.target.left) = failing.unwrap_or((Fault::None, 0));
        let report = operation(&mut self.target, &self.store);
        self.target.fault = Fault::None;
        match report {
            Ok(report) => Some(report),
            Err(error) => {
                assert!(failing.is_some() && self.target.keys == before, "{error:?}");
                None
            }
        }
    }

    /// Records what an operation did, and whether that is certain.
    fn note(&mut self, report: &Report, way: Way, before: &Keys, by: impl Fn(&Place) -> BTreeSet<usize>) -> Status {
        let Some(journal) = &report.journal else {
            assert_eq!(self.target.keys, *before, "there is no journal");
            return Status::Done;
        };
        let id = Path::new(journal).file_stem().unwrap().to_str().unwrap().to_owned();
        let journals = self.store.list().unwrap().0;
        let status = journals.iter().find(|journal| journal.header.id == id).unwrap().status();
        self.world.ways.insert(id, way);
        let tried: Vec<KeyChange> = report.specs.iter().flat_map(|spec| spec.changes.clone()).collect();
        let after = &self.target.keys;
        match status {
            Status::Done => self.world.kbfix(way, before, after, None, by),
            Status::Undone => {
                self.seen.undone += 1;
                assert_eq!(after, before, "undone, and is not");
            }
            Status::Failed => {
                self.seen.failed += 1;
                self.world.kbfix(way, before, after, Some(&tried), by);
            }
            other => panic!("{other:?}"),
        }
        status
    }

    fn apply(&mut self, ids: &[usize], failing: Failing, before: &Keys) {
        let request = Request::Specs(ids.iter().map(|at| self.specs[*at].clone()).collect());
        let options = ApplyOptions::default();
        let run =
            self.run(failing, |target, store| operation::apply(request, &options, address(), target, store, &mut ()));
        let Some(report) = run else { return };
        let by = |place: &Place| {
            let about = |at: &usize| {
                let mut changes = report.specs.iter().filter(|spec| spec.id == IDS[*at]).flat_map(|spec| &spec.changes);
                changes.any(|change| match &place.1 {
                    None => change.key == place.0 && change.action == ChangeAction::Create,
                    Some(name) => change.key == place.0 && change.values.iter().any(|value| value.name == *name),
                })
            };
            ids.iter().copied().filter(about).collect()
        };
        self.note(&report, Way::Apply, before, by);
    }

    fn roll_back(&mut self, at: usize, force: bool, failing: Failing, before: &Keys) {
        let journals = self.store.list().unwrap().0;
        let Some(journal) = journals.into_iter().rev().nth(at) else { return };
        let way = match self.world.ways[&journal.header.id] {
            Way::Back => Way::Redo,
            Way::Apply | Way::Redo => Way::Back,
        };
        let ids = journal.header.specs.iter().flat_map(|ids| ids.split('+'));
        let specs: BTreeSet<usize> = ids.map(|id| IDS.iter().position(|one| *one == id).unwrap()).collect();
        let options = RollbackOptions { force, force_machine: true, ..RollbackOptions::default() };
        let run = self.run(failing, |target, store| {
            operation::rollback(journal, None, options, address(), target, store, &mut ())
        });
        if let Some(report) = run {
            self.note(&report, way, before, |_| specs.clone());
        }
    }

    /// Returns the specs that are applied, in the order of their last applies, and the specs that are in a journal.
    fn live(&self) -> (Vec<usize>, BTreeSet<usize>) {
        let mut live: Vec<usize> = Vec::new();
        let mut known = BTreeSet::new();
        let at = |id: &String| IDS.iter().position(|one| one == id).unwrap();
        for journal in self.store.list().unwrap().0 {
            let specs: Vec<usize> = match journal.header.action {
                Operation::Rollback(_) => continue,
                _ => journal.header.specs.iter().map(at).collect(),
            };
            let kept: Vec<usize> = journal.header.kept_for.iter().map(at).collect();
            known.extend(specs.iter().copied());
            match (&journal.header.action, journal.status()) {
                (Operation::Apply, Status::Done | Status::RolledBackInPart | Status::Failed) => {
                    live.retain(|at| !specs.contains(at));
                    live.extend(specs);
                }
                (Operation::Retire, Status::Done) => {
                    known.extend(kept.iter().copied());
                    live.retain(|at| !specs.contains(at));
                    live.extend(kept.into_iter().filter(|at| !live.contains(at)).collect::<Vec<_>>());
                }
                _ => {}
            }
        }
        (live, known)
    }

    fn retire(&mut self, ids: &[usize], force: bool, saved: bool, failing: Failing, before: &Keys) {
        let (live, known) = self.live();
        let ids: Vec<usize> = ids.iter().copied().filter(|at| known.contains(at)).collect();
        if ids.is_empty() {
            return;
        }
        let holds = |at: usize| {
            let is_so = |k: &usize, n: usize, data: &Option<u32>| {
                state(before, &(key(*k), Some(name(n)))) == data.map(|data| Some(Data::dword(data)))
            };
            let is_kept =
                |(rule, n): &(usize, usize), data| past::of_rule(*rule, before).iter().all(|k| is_so(k, *n, data));
            self.wants[at].iter().all(|(place, data)| is_kept(place, data))
        };
        let stays: Vec<usize> = live.iter().copied().filter(|at| !ids.contains(at)).collect();
        let is_other = |at: &usize| !live.contains(at) && !ids.contains(at) && holds(*at);
        let satisfied: Vec<usize> = (0..IDS.len()).filter(is_other).collect();
        let (expected, deciding) = self.world.retired(before, &ids, [&stays, &satisfied], &self.wants, force);

        let given = self.specs.clone();
        let retired = Retired::Ids(ids.iter().map(|at| IDS[*at].to_owned()).collect());
        let retire = |options, target: &mut Model, store: &Store| {
            operation::retire(&retired, &given, options, address(), target, store, &mut ())
        };
        let options = RetireOptions { check: true, force, with_plan: true, ..RetireOptions::default() };
        let look = retire(options, &mut self.target, &self.store).unwrap();
        let plan = Plan::from_text(look.plan.as_deref().unwrap(), None).unwrap();
        let run = self.run(failing, |target, store| match saved {
            false => retire(RetireOptions { check: false, ..options }, target, store),
            true => {
                let request = Request::Plan(Box::new(plan.clone()));
                operation::apply(request, &ApplyOptions::default(), address(), target, store, &mut ())
            }
        });
        let Some(report) = run else { return };
        assert_eq!(report.digest, Some(plan.digest()));
        if self.note(&report, Way::Back, before, |_| BTreeSet::new()) != Status::Done {
            return;
        }
        assert_eq!(self.target.keys, expected, "{ids:?}, force {force}; {:#?}", report.specs);
        assert_eq!(report.changed, expected != *before);
        let deciding: BTreeSet<&str> = deciding.into_iter().map(|at| IDS[at]).collect();
        let kept: BTreeSet<&str> =
            plan.retires.iter().flat_map(|retires| &retires.kept_for).map(String::as_str).collect();
        // If a parent key is absent, the earlier state cannot be assumed, and no spec decides about the key.
        assert!(kept == deciding || !look.conflicts.is_empty(), "{kept:?}, {deciding:?}: {:#?}", report.specs);
        self.seen.changed += usize::from(report.changed);
        self.seen.kept += usize::from(!kept.is_empty());
        self.seen.conflicts += usize::from(!look.conflicts.is_empty());
        self.seen.of_users += plan.changes().filter(|change| change.key.to_string().starts_with("HKU")).count();

        let options = RetireOptions { force, ..RetireOptions::default() };
        let again = retire(options, &mut self.target, &self.store).unwrap();
        assert!(!again.changed && self.target.keys == expected, "{:#?}", again.specs);
        self.note(&again, Way::Back, &expected, |_| BTreeSet::new());
    }
}

/// Returns a folder on a file system on which journals are written fast, if there is one.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn run(history: &Past) -> Seen {
    let folder = folder();
    let mut target = Model::new(&[]);
    target.keys = history.keys();
    let store = Store::new(Some(folder.path())).unwrap();
    let wants = history.specs.clone();
    let specs = wants.iter().enumerate().map(|(at, wants)| spec(at, wants)).collect();
    let mut run = Run { target, store, world: World::default(), wants, specs, foreign: 0, seen: Seen::default() };
    history.steps.iter().for_each(|step| run.step(step));
    run.seen
}

proptest! {
    // 10,000 histories with KBFIX_HISTORIES=10000.
    #![proptest_config(ProptestConfig {
        cases: std::env::var("KBFIX_HISTORIES").map_or(120, |number| number.parse().unwrap()),
        ..super::config()
    })]

    #[test]
    fn a_retirement_leads_to_the_world_without_the_spec(history in past::history()) {
        run(&history);
    }
}

/// Found by the property: C fails before it creates a key that A also wants. The retirement of C does not create the
/// key.
#[test]
fn what_a_failed_apply_did_not_make_is_not_made_by_its_retirement() {
    let wants = |rule, name, data| Wants::from([((rule, name), data)]);
    let deep = Wants::from([((2, 0), Some(0)), ((3, 0), Some(0))]);
    let steps = vec![
        Step::Apply(vec![0], None),
        Step::Apply(vec![1, 2], Some((Fault::Writes, 1))),
        Step::Upgrade(0, wants(5, 0, Some(0))),
        Step::Retire(vec![2], false, false, None),
    ];
    let seen = run(&Past::new(vec![wants(0, 0, Some(0)), deep, wants(5, 1, Some(0))], steps));
    assert!(seen.failed == 1 && seen.changed == 0, "{seen:?}");
}

/// Found by the property: the rollback of the first of two applies removes the key that the second one changed.
#[test]
fn what_was_in_a_key_that_a_rollback_removed_is_a_conflict() {
    let wants = Wants::from([((1, 0), Some(0)), ((2, 0), Some(0))]);
    for force in [false, true] {
        let steps = vec![
            Step::Apply(vec![0], None),
            Step::Write(2, 0),
            Step::Apply(vec![0], None),
            Step::Rollback(1, false, None),
            Step::Retire(vec![0], force, false, None),
        ];
        let other = Wants::from([((0, 0), None)]);
        let seen = run(&Past::new(vec![wants.clone(), other.clone(), other], steps));
        assert!(seen.conflicts == 1 && seen.changed == 0, "{force}: {seen:?}");
    }
}

/// The property tests nothing if the histories do not contain each kind of retirement.
#[test]
fn the_histories_have_retirements_of_each_kind() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut all = Seen::default();
    for _ in 0..120 {
        let history = past::history().new_tree(&mut runner).unwrap().current();
        println!("{history:?}");
        all += run(&history);
    }
    println!("of 120 histories: {all:?}");
    assert!(all.changed > 30 && all.kept > 8 && all.conflicts > 0 && all.of_users > 20, "{all:?}");
    assert!(all.undone > 10 && all.failed > 10, "{all:?}");
}
