//! Generates random histories: a machine with users, specs, and the steps.

use std::collections::{BTreeMap, BTreeSet};

use kbfix::{
    registry::{Data, Key, ValueName},
    spec::Spec,
};
use proptest::prelude::*;

use crate::properties::{
    load,
    model::{Fault, Keys},
};

pub(super) const IDS: [&str; 3] = ["A", "B", "C"];
/// The keys of the specs' rules. The first key of the machine and of the users is never deleted.
pub(super) const RULES: [&str; 6] = [
    r"HKLM\SOFTWARE\R",
    r"HKLM\SOFTWARE\R\K",
    r"HKLM\SOFTWARE\R\K\S",
    r"HKLM\SOFTWARE\R\L",
    HKCU,
    r"HKCU\Software\R\K",
];
const HKCU: &str = r"HKCU\Software\R";
/// The keys of the machine, followed by the keys of each user. A key comes after its parent.
pub(super) const KEYS: [&str; 8] = [
    RULES[0],
    RULES[1],
    RULES[2],
    RULES[3],
    r"HKU\S-1-5-21-1-2-3-1001\Software\R",
    r"HKU\S-1-5-21-1-2-3-1001\Software\R\K",
    r"HKU\S-1-5-21-1-2-3-1002\Software\R",
    r"HKU\S-1-5-21-1-2-3-1002\Software\R\K",
];
/// The keys that somebody else sometimes deletes.
pub(super) const DELETED: [usize; 3] = [3, 5, 7];
/// The index of the first key of the second user, who may log on later.
const SECOND: usize = 6;
const PROFILES: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
pub(super) const NAMES: [&str; 2] = ["v", "w"];

/// The data that a spec wants, by rule and value name: a number, or `None` if the value must be absent.
pub(super) type Wants = BTreeMap<(usize, usize), Option<u32>>;
/// A fault, and the number of steps before it.
pub(super) type Failing = Option<(Fault, usize)>;

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The spec's file changes.
    Upgrade(usize, Wants),
    Apply(Vec<usize>, Failing),
    /// Someone else writes a value of a key, and creates the key if it is absent.
    Write(usize, usize),
    /// Someone else deletes a value.
    Remove(usize, usize),
    /// Someone else deletes one of the keys in [`DELETED`].
    RemoveKey(usize),
    /// The second user logs on for the first time.
    NewUser,
    /// The rollback of a journal, counted from the newest.
    Rollback(usize, bool, Failing),
    Retire(Vec<usize>, bool, bool, Failing),
}

/// A history: the first state of each value, whether there are two users, the first file of each spec, and the steps.
#[derive(Debug, Clone)]
pub(super) struct Past {
    machine: BTreeMap<(usize, usize), Option<u32>>,
    has_two_users: bool,
    pub(super) specs: Vec<Wants>,
    pub(super) steps: Vec<Step>,
}

fn wants() -> impl Strategy<Value = Wants> {
    prop::collection::btree_map((0..RULES.len(), 0..NAMES.len()), prop::option::weighted(0.8, 0_u32..3), 1..7)
}

fn failing() -> impl Strategy<Value = Failing> {
    let fault = prop_oneof![Just(Fault::Once), Just(Fault::Writes), Just(Fault::Dead), Just(Fault::Lie)];
    prop::option::weighted(0.2, (fault, 0_usize..6))
}

pub(super) fn history() -> impl Strategy<Value = Past> {
    let spec = 0..IDS.len();
    let several = prop::collection::btree_set(0..IDS.len(), 1..3).prop_map(Vec::from_iter);
    let place = || (0..KEYS.len(), 0..NAMES.len());
    let step = prop_oneof![
        2 => (spec, wants()).prop_map(|(at, wants)| Step::Upgrade(at, wants)),
        8 => (several.clone(), failing()).prop_map(|(ids, failing)| Step::Apply(ids, failing)),
        8 => place().prop_map(|(key, name)| Step::Write(key, name)),
        2 => place().prop_map(|(key, name)| Step::Remove(key, name)),
        2 => prop::sample::select(&DELETED[..]).prop_map(Step::RemoveKey),
        1 => Just(Step::NewUser),
        4 => (0..4_usize, prop::bool::weighted(0.3), failing()).prop_map(|(at, force, fails)| Step::Rollback(at, force, fails)),
        6 => (several, prop::bool::weighted(0.2), any::<bool>(), failing())
            .prop_map(|(ids, force, saved, failing)| Step::Retire(ids, force, saved, failing)),
    ];
    let machine = prop::collection::btree_map(place(), prop::option::weighted(0.8, 0_u32..4), 0..7);
    let specs = prop::collection::vec(wants(), IDS.len());
    let steps = prop::collection::vec(step, 6..16);
    (machine, any::<bool>(), specs, steps).prop_map(|(machine, has_two_users, specs, steps)| Past {
        machine,
        has_two_users,
        specs,
        steps,
    })
}

impl Past {
    /// A machine with one user and no values.
    pub(super) fn new(specs: Vec<Wants>, steps: Vec<Step>) -> Self {
        Self { machine: BTreeMap::new(), has_two_users: false, specs, steps }
    }

    /// Returns the registry at the beginning.
    pub(super) fn keys(&self) -> Keys {
        let mut keys = Keys::from([(key(0), BTreeMap::new())]);
        add_user(&mut keys, 4);
        if self.has_two_users {
            add_user(&mut keys, SECOND);
        }
        for ((at, value), data) in self.machine.iter().filter(|((at, _), _)| self.has_two_users || *at < SECOND) {
            create(&mut keys, *at);
            if let Some(data) = data {
                keys.get_mut(&key(*at)).unwrap().insert(name(*value), Data::dword(*data));
            }
        }
        keys
    }
}

/// Adds the user whose first key this is, with a profile and a hive.
pub(super) fn add_user(keys: &mut Keys, first: usize) {
    let root = key(first);
    let sid = root.path.names().next().unwrap().to_owned();
    keys.entry(format!("{PROFILES}\\{sid}").parse().unwrap()).or_default();
    keys.entry(root).or_default();
}

/// Returns the index of the first key of the second user; `None` if that user exists already.
pub(super) fn second_user(keys: &Keys) -> Option<usize> {
    (!is_there(keys, SECOND)).then_some(SECOND)
}

/// Returns whether the key belongs to the machine, or to a user who has a hive.
pub(super) fn is_there(keys: &Keys, at: usize) -> bool {
    let first = at - at % 2;
    at < 4 || keys.contains_key(&key(first))
}

/// Creates the key and its parents.
pub(super) fn create(keys: &mut Keys, at: usize) {
    for above in above(at) {
        keys.entry(key(above)).or_default();
    }
}

/// Returns the key and its parents.
pub(super) fn above(at: usize) -> impl Iterator<Item = usize> {
    (0..KEYS.len()).filter(move |above| key(at).path.is_within(&key(*above).path))
}

/// Returns the keys that a rule is about, on a machine with these keys.
pub(super) fn of_rule(rule: usize, keys: &Keys) -> Vec<usize> {
    let all = if rule < 4 { vec![rule] } else { vec![rule, rule + 2] };
    all.into_iter().filter(|at| is_there(keys, *at)).collect()
}

pub(super) fn key(at: usize) -> Key {
    KEYS[at].parse().unwrap()
}

pub(super) fn name(at: usize) -> ValueName {
    ValueName::new(NAMES[at]).unwrap()
}

fn text(id: &str, wants: &Wants) -> String {
    let mut text = format!("kbfix: 1\nid: {id}\ntitle: T\nregistry:\n");
    for rule in wants.keys().map(|(rule, _)| *rule).collect::<BTreeSet<_>>() {
        text += &format!("  - key: {}\n    values:\n", RULES[rule]);
        for ((_, name), data) in wants.iter().filter(|((at, _), _)| *at == rule) {
            text += &match data {
                Some(data) => format!("      {}: {{ type: REG_DWORD, data: {data} }}\n", NAMES[*name]),
                None => format!("      {}: {{ ensure: absent }}\n", NAMES[*name]),
            };
        }
    }
    text
}

pub(super) fn spec(at: usize, wants: &Wants) -> Spec {
    load(&text(IDS[at], wants)).unwrap().pop().unwrap()
}
