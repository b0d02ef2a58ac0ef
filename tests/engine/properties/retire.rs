//! Histories of applies, foreign writes, spec upgrades, rollbacks and retirements, made at random.
//!
//! The model knows nothing of journals. It looks at the registry before and after each step, and keeps for each place
//! the state of a world without kbfix: what someone else last made of it. A retirement leads there, less what live
//! specs want. Someone else never writes the same data twice, so that each write can be told from what kbfix left.

use std::collections::{BTreeMap, BTreeSet};

use kbfix::{
    journal::{Operation, Status, Store},
    operation::{self, ApplyOptions, Request, RetireOptions, Retired, RollbackOptions, report::Report},
    plan::Plan,
    registry::{Data, Key, ValueName},
    spec::Spec,
    targets::{Address, ChangeAction},
};
use proptest::prelude::*;

use super::{
    load,
    model::{Keys, Model},
};

const IDS: [&str; 3] = ["A", "B", "C"];
const ROOT: &str = r"HKLM\SOFTWARE\R";
/// Below the root, which is never deleted. Only the last one is deleted by someone else.
const KEYS: [&str; 4] = ["", r"\K", r"\K\S", r"\L"];
const NAMES: [&str; 2] = ["v", "w"];

/// What a spec wants of the values, by key and name: a number, or none where the value is to be absent.
type Wants = BTreeMap<(usize, usize), Option<u32>>;

#[derive(Debug, Clone)]
enum Step {
    /// The spec's file changes.
    Upgrade(usize, Wants),
    Apply(Vec<usize>),
    /// Someone else writes a value of that key, and creates the key where it is absent.
    Write(usize, usize),
    /// Someone else deletes a value.
    Remove(usize, usize),
    /// Someone else deletes the last key.
    RemoveKey,
    /// The rollback of a journal, counted from the newest.
    Rollback(usize, bool),
    Retire(Vec<usize>, bool, bool),
}

/// The first state of each value, the first file of each spec, and what happens then.
#[derive(Debug, Clone)]
struct Past {
    machine: Wants,
    specs: Vec<Wants>,
    steps: Vec<Step>,
}

fn wants() -> impl Strategy<Value = Wants> {
    prop::collection::btree_map((0..KEYS.len(), 0..NAMES.len()), prop::option::weighted(0.8, 0_u32..3), 1..5)
}

fn history() -> impl Strategy<Value = Past> {
    let spec = 0..IDS.len();
    let several = prop::collection::btree_set(0..IDS.len(), 1..3).prop_map(Vec::from_iter);
    let step = prop_oneof![
        1 => (spec, wants()).prop_map(|(at, wants)| Step::Upgrade(at, wants)),
        4 => several.clone().prop_map(Step::Apply),
        4 => (0..KEYS.len(), 0..NAMES.len()).prop_map(|(key, name)| Step::Write(key, name)),
        1 => (0..KEYS.len(), 0..NAMES.len()).prop_map(|(key, name)| Step::Remove(key, name)),
        1 => Just(Step::RemoveKey),
        2 => (0..4_usize, prop::bool::weighted(0.3)).prop_map(|(at, force)| Step::Rollback(at, force)),
        3 => (several, prop::bool::weighted(0.2), any::<bool>()).prop_map(|(ids, force, saved)| Step::Retire(ids, force, saved)),
    ];
    let machine =
        prop::collection::btree_map((0..KEYS.len(), 0..NAMES.len()), prop::option::weighted(0.8, 0_u32..4), 0..5);
    let specs = prop::collection::vec(wants(), IDS.len());
    (machine, specs, prop::collection::vec(step, 4..12)).prop_map(|(machine, specs, steps)| Past {
        machine,
        specs,
        steps,
    })
}

fn key(at: usize) -> Key {
    format!("{ROOT}{}", KEYS[at]).parse().unwrap()
}

fn name(at: usize) -> ValueName {
    ValueName::new(NAMES[at]).unwrap()
}

fn text(id: &str, wants: &Wants) -> String {
    let mut text = format!("kbfix: 1\nid: {id}\ntitle: T\nregistry:\n");
    for (key, path) in KEYS.iter().enumerate() {
        let values: Vec<_> = wants.iter().filter(|((at, _), _)| *at == key).collect();
        if values.is_empty() {
            continue;
        }
        text += &format!("  - key: {ROOT}{path}\n    values:\n");
        for ((_, name), data) in values {
            text += &match data {
                Some(data) => format!("      {}: {{ type: REG_DWORD, data: {data} }}\n", NAMES[*name]),
                None => format!("      {}: {{ ensure: absent }}\n", NAMES[*name]),
            };
        }
    }
    text
}

/// A key, or a value in it.
type Place = (Key, Option<ValueName>);
/// `None`: absent. A key that is there has no data.
type State = Option<Option<Data>>;

fn state(keys: &Keys, (key, name): &Place) -> State {
    let values = keys.get(key)?;
    match name {
        None => Some(None),
        Some(name) => values.get(name).map(|data| Some(data.clone())),
    }
}

fn places() -> Vec<Place> {
    let key = |at| std::iter::once((key(at), None)).chain((0..NAMES.len()).map(move |n| (key(at), Some(name(n)))));
    (0..KEYS.len()).flat_map(key).collect()
}

/// What kbfix did to a place.
#[derive(Debug, Clone)]
struct Mine {
    /// The world without kbfix when kbfix last wrote here.
    base: State,
    left: State,
    specs: BTreeSet<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Apply,
    Redo,
    Back,
}

#[derive(Debug, Default)]
struct World {
    /// The state without kbfix, where it is another one than kbfix first found.
    without: BTreeMap<Place, State>,
    mine: BTreeMap<Place, Mine>,
    /// The places that someone else changed last.
    theirs: BTreeSet<Place>,
    /// By journal.
    ways: BTreeMap<String, Way>,
}

impl World {
    fn kbfix(&mut self, way: Way, before: &Keys, after: &Keys, by: impl Fn(&Place) -> BTreeSet<usize>) {
        for place in places() {
            let (was, is) = (state(before, &place), state(after, &place));
            if was == is {
                continue;
            }
            self.theirs.remove(&place);
            let without = self.without.get(&place).unwrap_or(&was).clone();
            let mine = self.mine.get(&place);
            let settled = mine.is_none_or(|mine| mine.base == mine.left);
            let (base, left) = match way {
                Way::Apply | Way::Redo => (without, is),
                Way::Back if settled => (is.clone(), is),
                Way::Back => (mine.unwrap().base.clone(), is),
            };
            let mut specs = mine.map(|mine| mine.specs.clone()).unwrap_or_default();
            if way == Way::Apply && settled {
                specs.clear();
            }
            specs.extend(by(&place));
            self.without.insert(place.clone(), base.clone());
            self.mine.insert(place, Mine { base, left, specs });
        }
    }

    fn foreign(&mut self, before: &Keys, after: &Keys) {
        for place in places() {
            let is = state(after, &place);
            if state(before, &place) != is {
                self.without.insert(place.clone(), is);
                self.theirs.insert(place);
            }
        }
    }

    /// The registry once the specs are retired; and the specs that decide something. `live`: the others that are
    /// applied, in the order of their last applies, and after these `satisfied`, which no journal shows as applied.
    fn retired(
        &self,
        now: &Keys,
        retired: &[usize],
        [live, satisfied]: [&[usize]; 2],
        specs: &[Wants],
        force: bool,
    ) -> (Keys, BTreeSet<usize>) {
        let staying = [live, satisfied].concat();
        let mut after = now.clone();
        let mut deciding = BTreeSet::new();
        let concerned = |place: &Place| {
            let mine = self.mine.get(place).filter(|mine| mine.base != mine.left)?;
            let is_retired = mine.specs.iter().any(|at| retired.contains(at));
            let is_nobodys = !mine.specs.iter().any(|at| live.contains(at)) && state(now, place) == mine.left;
            (is_retired || is_nobodys).then_some(mine)
        };
        let wants = |at: usize, place: &Place| -> Option<State> {
            let mut found = specs[at].iter().filter(|((k, n), _)| (key(*k), Some(name(*n))) == *place);
            found.next().map(|(_, data)| data.map(|data| Some(Data::dword(data))))
        };
        let needs = |at: usize, above: &Key| {
            specs[at].iter().any(|((k, _), data)| data.is_some() && key(*k).path.is_within(&above.path))
        };
        let mut empty = Vec::new();
        for at in 0..KEYS.len() {
            let place = (key(at), None);
            if let Some(Mine { base: None, .. }) = concerned(&place) {
                let needing: Vec<_> = staying.iter().filter(|spec| needs(**spec, &place.0)).collect();
                deciding.extend(needing.last().copied());
                if needing.is_empty() {
                    empty.push(at);
                }
            }
        }
        for place in places().into_iter().filter(|(_, name)| name.is_some()) {
            let Some(mine) = concerned(&place) else { continue };
            let mut goal = mine.base.clone();
            let mut by = None;
            for spec in &staying {
                if let Some(wanted) = wants(*spec, &place).filter(|wanted| *wanted != goal) {
                    (goal, by) = (wanted, Some(*spec));
                }
            }
            deciding.extend(by);
            let found = state(now, &place);
            // What kbfix left is what is wanted: whoever changed that since did not change what the retired specs did.
            if found == goal || mine.left == goal || found != mine.left && !force {
                continue;
            }
            match goal {
                Some(data) => drop(after.entry(place.0).or_default().insert(place.1.unwrap(), data.unwrap())),
                None => drop(after.get_mut(&place.0).and_then(|values| values.remove(&place.1.unwrap()))),
            }
        }
        // Subkeys come after their keys in the list.
        for at in empty.into_iter().rev() {
            let key = key(at);
            let is_empty = after.get(&key).is_some_and(BTreeMap::is_empty);
            if is_empty && !after.keys().any(|other| *other != key && other.path.is_within(&key.path)) {
                after.remove(&key);
            }
        }
        (after, deciding)
    }
}

struct Run {
    target: Model,
    store: Store,
    world: World,
    wants: Vec<Wants>,
    /// Loaded from them.
    specs: Vec<Spec>,
    foreign: u32,
    /// How many of the histories' retirements changed, kept or refused something.
    seen: Seen,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    changed: usize,
    kept: usize,
    conflicts: usize,
}

fn address() -> Address {
    Address::new("local", None, None).unwrap()
}

impl Run {
    fn step(&mut self, step: &Step) {
        let before = self.target.keys.clone();
        match step {
            Step::Upgrade(at, wants) => {
                self.specs[*at] = spec(*at, wants);
                self.wants[*at].clone_from(wants);
            }
            Step::Write(at, value) => {
                self.foreign += 1;
                let data = Data::dword(100 + self.foreign);
                for above in (0..KEYS.len()).filter(|above| key(*at).path.is_within(&key(*above).path)) {
                    self.target.keys.entry(key(above)).or_default();
                }
                self.target.keys.get_mut(&key(*at)).unwrap().insert(name(*value), data);
                self.world.foreign(&before, &self.target.keys.clone());
            }
            Step::Remove(at, value) => {
                // Absent, absent again: nobody can see that it was there.
                if !self.world.theirs.contains(&(key(*at), Some(name(*value)))) {
                    self.target.keys.get_mut(&key(*at)).and_then(|values| values.remove(&name(*value)));
                    self.world.foreign(&before, &self.target.keys.clone());
                }
            }
            Step::RemoveKey => {
                let last = key(KEYS.len() - 1);
                if !self.world.theirs.iter().any(|(key, _)| *key == last) {
                    self.target.keys.remove(&last);
                    self.world.foreign(&before, &self.target.keys.clone());
                }
            }
            Step::Apply(ids) => self.apply(ids, &before),
            Step::Rollback(at, force) => self.roll_back(*at, *force, &before),
            Step::Retire(ids, force, saved) => self.retire(ids, *force, *saved, &before),
        }
    }

    fn apply(&mut self, ids: &[usize], before: &Keys) {
        let specs: Vec<Spec> = ids.iter().map(|at| self.specs[*at].clone()).collect();
        let options = ApplyOptions::default();
        let request = Request::Specs(specs);
        let report = operation::apply(request, &options, address(), &mut self.target, &self.store, &mut ()).unwrap();
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
        self.note(&report, Way::Apply);
        self.world.kbfix(Way::Apply, before, &self.target.keys, by);
    }

    fn note(&mut self, report: &Report, way: Way) {
        if let Some(journal) = &report.journal {
            let id = std::path::Path::new(journal).file_stem().unwrap().to_str().unwrap().to_owned();
            self.world.ways.insert(id, way);
        }
    }

    fn roll_back(&mut self, at: usize, force: bool, before: &Keys) {
        let journals = self.store.list().unwrap().0;
        let Some(journal) = journals.into_iter().rev().nth(at) else { return };
        let way = match self.world.ways[&journal.header.id] {
            Way::Back => Way::Redo,
            Way::Apply | Way::Redo => Way::Back,
        };
        let options = RollbackOptions { force, force_machine: true, ..RollbackOptions::default() };
        let report =
            operation::rollback(journal, None, options, address(), &mut self.target, &self.store, &mut ()).unwrap();
        self.note(&report, way);
        self.world.kbfix(way, before, &self.target.keys, |_| BTreeSet::new());
    }

    /// The specs that are applied, in the order of their last applies, and whether any journal is about each.
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
                (Operation::Apply, Status::Done | Status::RolledBackInPart) => {
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

    fn retire(&mut self, ids: &[usize], force: bool, saved: bool, before: &Keys) {
        let (live, known) = self.live();
        let ids: Vec<usize> = ids.iter().copied().filter(|at| known.contains(at)).collect();
        if ids.is_empty() {
            return;
        }
        let holds = |at: usize| {
            let state = |k: usize, n: usize| state(before, &(key(k), Some(name(n))));
            self.wants[at].iter().all(|((k, n), data)| state(*k, *n) == data.map(|data| Some(Data::dword(data))))
        };
        let stays: Vec<usize> = live.iter().copied().filter(|at| !ids.contains(at)).collect();
        let is_other = |at: &usize| !live.contains(at) && !ids.contains(at) && holds(*at);
        let satisfied: Vec<usize> = (0..IDS.len()).filter(is_other).collect();
        let (expected, deciding) = self.world.retired(before, &ids, [&stays, &satisfied], &self.wants, force);

        let given = self.specs.clone();
        let retired = Retired::Ids(ids.iter().map(|at| IDS[*at].to_owned()).collect());
        let options = RetireOptions { check: true, force, with_plan: true, ..RetireOptions::default() };
        let mut retire =
            |options| operation::retire(&retired, &given, options, address(), &mut self.target, &self.store, &mut ());
        let look = retire(options).unwrap();
        let plan = Plan::from_text(look.plan.as_deref().unwrap(), None).unwrap();
        let report = match saved {
            false => retire(RetireOptions { check: false, ..options }).unwrap(),
            true => {
                let request = Request::Plan(Box::new(plan.clone()));
                let options = ApplyOptions::default();
                operation::apply(request, &options, address(), &mut self.target, &self.store, &mut ()).unwrap()
            }
        };
        assert_eq!(report.digest, Some(plan.digest()));
        assert_eq!(self.target.keys, expected, "{ids:?}, force {force}; {:#?}", report.specs);
        assert_eq!(report.changed, expected != *before);
        let deciding: BTreeSet<&str> = deciding.into_iter().map(|at| IDS[at]).collect();
        let kept: BTreeSet<&str> =
            plan.retires.iter().flat_map(|retires| &retires.kept_for).map(String::as_str).collect();
        // Where a key above is gone, what was there before cannot be supposed, and nobody decides about it.
        assert!(kept == deciding || !look.conflicts.is_empty(), "{kept:?}, {deciding:?}: {:#?}", report.specs);
        self.seen.changed += usize::from(report.changed);
        self.seen.kept += usize::from(!kept.is_empty());
        self.seen.conflicts += usize::from(!look.conflicts.is_empty());
        self.note(&report, Way::Back);
        self.world.kbfix(Way::Back, before, &self.target.keys, |_| BTreeSet::new());

        let options = RetireOptions { force, ..RetireOptions::default() };
        let again =
            operation::retire(&retired, &given, options, address(), &mut self.target, &self.store, &mut ()).unwrap();
        assert!(!again.changed && self.target.keys == expected, "{:#?}", again.specs);
        self.note(&again, Way::Back);
    }
}

fn spec(at: usize, wants: &Wants) -> Spec {
    load(&text(IDS[at], wants)).unwrap().pop().unwrap()
}

/// Where journals are quick to write, if there is such a place.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn run(history: &Past) -> Seen {
    let folder = folder();
    let mut keys: Keys = BTreeMap::from([(key(0), BTreeMap::new())]);
    for ((at, value), data) in &history.machine {
        for above in (0..KEYS.len()).filter(|above| key(*at).path.is_within(&key(*above).path)) {
            keys.entry(key(above)).or_default();
        }
        if let Some(data) = data {
            keys.get_mut(&key(*at)).unwrap().insert(name(*value), Data::dword(*data));
        }
    }
    let mut target = Model::new(&[]);
    target.keys = keys;
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
    fn a_retirement_leads_to_the_world_without_the_spec(history in history()) {
        run(&history);
    }
}

/// The property says nothing if no retirement of interest is made.
#[test]
fn the_histories_have_retirements_of_each_kind() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut all = Seen::default();
    for _ in 0..120 {
        let history = history().new_tree(&mut runner).unwrap().current();
        println!("{history:?}");
        let Seen { changed, kept, conflicts } = run(&history);
        all = Seen { changed: all.changed + changed, kept: all.kept + kept, conflicts: all.conflicts + conflicts };
    }
    println!("of 120 histories: {all:?}");
    assert!(all.changed > 30 && all.kept > 8 && all.conflicts > 0, "{all:?}");
}
