//! The model: for each key and value the state without kbfix, and what kbfix left.

use std::collections::{BTreeMap, BTreeSet};

use kbfix::{
    registry::{Data, Key, ValueName},
    targets::{ChangeAction, KeyChange},
};

use super::past::{KEYS, NAMES, Wants, key, name, of_rule};
use crate::properties::model::Keys;

/// A key, or a value in it.
pub(super) type Place = (Key, Option<ValueName>);
/// `None` if absent. A key that exists has no data.
pub(super) type State = Option<Option<Data>>;

pub(super) fn state(keys: &Keys, (key, name): &Place) -> State {
    let values = keys.get(key)?;
    match name {
        None => Some(None),
        Some(name) => values.get(name).map(|data| Some(data.clone())),
    }
}

fn places() -> Vec<Place> {
    let of_key = |at| std::iter::once((key(at), None)).chain((0..NAMES.len()).map(move |n| (key(at), Some(name(n)))));
    (0..KEYS.len()).flat_map(of_key).collect()
}

/// What kbfix did to a key or value.
#[derive(Debug, Clone)]
struct Mine {
    /// The state without kbfix when kbfix last wrote the key or value.
    base: State,
    /// What kbfix left. After a failure there are two possible states.
    left: Vec<State>,
    specs: BTreeSet<usize>,
}

impl Mine {
    fn is_settled(&self) -> bool {
        self.left.iter().all(|left| *left == self.base)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Apply,
    Redo,
    Back,
}

#[derive(Debug, Default)]
pub(super) struct World {
    /// The state without kbfix, if it differs from the one that kbfix first found.
    without: BTreeMap<Place, State>,
    mine: BTreeMap<Place, Mine>,
    /// The keys and values that someone else changed last.
    theirs: BTreeSet<Place>,
    /// The kind of each operation, by its journal.
    pub(super) ways: BTreeMap<String, Way>,
}

impl World {
    /// Records what kbfix did. `tried` contains the changes of a run that failed and was not undone. Each of them may
    /// have been made.
    pub(super) fn kbfix(
        &mut self,
        way: Way,
        before: &Keys,
        after: &Keys,
        tried: Option<&[KeyChange]>,
        by: impl Fn(&Place) -> BTreeSet<usize>,
    ) {
        for place in places() {
            let (was, is) = (state(before, &place), state(after, &place));
            let wanted = tried.and_then(|changes| wanted(changes, &place));
            let left = match (&wanted, tried) {
                (Some(wanted), _) => vec![was.clone(), wanted.clone()],
                (None, None) if was != is => vec![is],
                _ => {
                    assert_eq!(was, is, "{place:?}");
                    continue;
                }
            };
            self.theirs.remove(&place);
            let without = self.without.get(&place).unwrap_or(&was).clone();
            let mine = self.mine.get(&place);
            let is_settled = mine.is_none_or(Mine::is_settled);
            let base = match way {
                Way::Apply | Way::Redo => without,
                Way::Back if is_settled => left.last().unwrap().clone(),
                Way::Back => mine.unwrap().base.clone(),
            };
            let mut specs = mine.map(|mine| mine.specs.clone()).unwrap_or_default();
            let is_as_left = mine.is_none_or(|mine| mine.left.contains(&was));
            if way == Way::Apply && (is_settled || !is_as_left) {
                specs.clear();
            }
            // A rollback counts for the specs that were applied before it, if there were any.
            if way == Way::Apply || mine.is_none() {
                specs.extend(by(&place));
            }
            self.without.insert(place.clone(), base.clone());
            self.mine.insert(place, Mine { base, left, specs });
        }
    }

    pub(super) fn foreign(&mut self, before: &Keys, after: &Keys) {
        for place in places() {
            let is = state(after, &place);
            if state(before, &place) != is {
                self.without.insert(place.clone(), is);
                self.theirs.insert(place);
            }
        }
    }

    /// Returns whether kbfix could not see that someone else deletes the key or value: someone else wrote it last, or
    /// it is not known what kbfix left.
    pub(super) fn would_not_be_seen(&self, at: usize, value: Option<usize>) -> bool {
        let is_it = |place: &Place| place.0 == key(at) && value.is_none_or(|value| place.1 == Some(name(value)));
        let unclear = self.mine.iter().filter(|(_, mine)| mine.left.len() > 1).map(|(place, _)| place);
        self.theirs.iter().chain(unclear).any(is_it)
    }

    /// Returns the registry after the specs are retired, and the specs that decide something. `live` contains the other
    /// applied specs in the order of their last applies. After these come the specs in `satisfied`, which no journal
    /// shows as applied.
    pub(super) fn retired(
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
            let found = state(now, place);
            // A failed run made no change here.
            let is_as_before = |mine: &Mine| found == mine.base && mine.left.contains(&found);
            let mine = self.mine.get(place).filter(|mine| !mine.is_settled() && !is_as_before(mine))?;
            let is_retired = mine.specs.iter().any(|at| retired.contains(at));
            let is_nobodys = !mine.specs.iter().any(|at| live.contains(at)) && mine.left.contains(&found);
            (is_retired || is_nobodys).then_some(mine)
        };
        let wants = |at: usize, place: &Place| -> Option<State> {
            let is_it = |rule: usize, n: usize| {
                place.1 == Some(name(n)) && of_rule(rule, now).iter().any(|at| key(*at) == place.0)
            };
            let mut found = specs[at].iter().filter(|((rule, n), _)| is_it(*rule, *n));
            found.next().map(|(_, data)| data.map(|data| Some(Data::dword(data))))
        };
        let needs = |at: usize, above: &Key| {
            let of = |rule: usize| of_rule(rule, now).iter().any(|at| key(*at).path.is_within(&above.path));
            specs[at].iter().any(|((rule, _), data)| data.is_some() && of(*rule))
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
            let is_as_left = mine.left.contains(&found);
            let left = if is_as_left { &found } else { mine.left.last().unwrap() };
            // A rollback of an older run removed the key that this run had found, and its parent. That is a conflict.
            let of_key = self.mine.get(&(place.0.clone(), None));
            let is_gone =
                !now.contains_key(&place.0) && of_key.is_some_and(|mine| mine.base.is_none() && mine.is_settled());
            let is_gone = is_gone && place.0.parent().is_some_and(|above| !now.contains_key(&above));
            if is_gone && found != goal {
                continue;
            }
            // What kbfix left is what is wanted: a later change by others is not about what the retired specs did.
            if found == goal || *left == goal || !is_as_left && !force {
                continue;
            }
            match goal {
                Some(data) => drop(after.entry(place.0).or_default().insert(place.1.unwrap(), data.unwrap())),
                None => drop(after.get_mut(&place.0).and_then(|values| values.remove(&place.1.unwrap()))),
            }
        }
        // A subkey comes after its key in the list.
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

/// Returns the state of a key or value after the changes; `None` if they are not about it.
fn wanted(changes: &[KeyChange], (key, name): &Place) -> Option<State> {
    let mut found = None;
    for change in changes.iter().filter(|change| change.key == *key) {
        match (name, change.action) {
            (None, ChangeAction::Create) => found = Some(Some(None)),
            (None, ChangeAction::Delete) => found = Some(None),
            (None, ChangeAction::Update) => {}
            (Some(name), _) => {
                let value = change.values.iter().rfind(|value| value.name == *name);
                found = value.map(|value| value.after.clone().map(Some)).or(found);
            }
        }
    }
    found
}
