//! Computes the changes that retire specs: they restore the state before kbfix, except what live specs still require.
//!
//! The computation first assumes that everything that the retired specs changed is in its state before kbfix. On that
//! state, it plans each live spec, in the order in which the specs were last applied. The planned changes are what the
//! live specs still require, so they become part of the state to restore. The difference between the state that kbfix
//! left and the state to restore is then undone like a rollback, with the same conflicts.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use super::{
    History, Rollback,
    history::{KeyHistory, Track, Written},
    plan_rollback,
};
use crate::{
    observe::Reader,
    plan::{Outcome, Planning, SpecPlan, Touch, may_concern},
    registry::{Data, Key, KeyProperties, ValueName, notation},
    spec::Spec,
    targets::{ChangeAction, Facts, KeyChange, ValueChange},
};

/// The end of the sentence "the spec … still requires …" for a key or value that must be absent.
const ABSENT: &str = "it to be absent";

/// A spec that is not retired, and that may still require a part of the changes.
#[derive(Debug, Clone, Copy)]
pub struct LiveSpec<'a> {
    /// The spec in its present version: as the operator gave it, or as it is built into this version of kbfix.
    pub spec: &'a Spec,
    /// Whether the journals show the spec as applied. If false, the requirements of the spec are kept only if the
    /// target is in the desired state of the spec. If this is not known, nothing is changed: a parameter is not set, or
    /// the outcome is unknown and the spec may require some of the changes.
    pub is_applied: bool,
    /// Whether this is a built-in spec that the operator did not name, and that kbfix therefore added itself. Its
    /// parameters have their defaults; a parameter without a default is not set.
    pub is_assumed: bool,
}

/// The changes that retire specs, and the obstacles to them.
#[derive(Debug, Default)]
pub struct RetirePlan {
    /// The changes, the conflicts, and the keys and values that could not be read.
    pub undo: Rollback,
    /// One sentence for each key or value that is not restored, because a live spec still requires it.
    pub kept: Vec<String>,
    /// The ids of the live specs for which something is kept.
    pub kept_for: BTreeSet<String>,
    /// The reasons why nothing may be changed: it is not known what a live spec requires, or a live spec would no
    /// longer be satisfied.
    pub obstacles: Vec<String>,
    /// The ids of the specs that kbfix added itself ([`LiveSpec::is_assumed`]), if the journals do not show that they
    /// wrote the data that the defaults of their parameters give. Nothing is changed until the operator names these
    /// specs.
    pub other_parameters: BTreeSet<String>,
    /// Whether one of the `obstacles` is that the outcome of a live spec is unknown.
    pub is_unknown: bool,
    /// The values whose data is never shown.
    pub sensitive: BTreeSet<(Key, ValueName)>,
}

/// A key that the retirement may restore, or in which it may restore values (see [`History::touched_by`]).
struct Touched<'a> {
    key: &'a Key,
    history: &'a KeyHistory,
    existence: Option<State<bool>>,
    values: BTreeMap<&'a ValueName, State<Option<Data>>>,
}

/// Three states of one key or value: the state that kbfix left, the present state (`None` if it could not be read), and
/// the state to restore.
struct State<T> {
    left: T,
    now: Option<T>,
    goal: T,
}

/// The requirements of the live specs, from plans that are made as if the retired specs had already been undone.
#[derive(Default)]
struct Claims<'a> {
    /// For each value, the spec that creates, changes or deletes it, and the data that the spec requires (`None`: the
    /// value must be absent).
    values: BTreeMap<(Key, ValueName), (&'a str, Option<Data>)>,
    /// For each key to delete, the spec that deletes it.
    deleted: BTreeMap<Key, &'a str>,
    /// For each key that must exist, a spec that requires the key or something in it.
    present: BTreeMap<Key, &'a str>,
}

/// Returns the changes that retire the specs with these ids, based on the present state in `reader`.
///
/// `live` contains the specs that are not retired, in the order in which they were last applied. If `force` is set,
/// values that someone else has changed are restored too, as far as [`plan_rollback`] does this.
pub fn plan_retire(
    history: &History,
    retired: &[String],
    live: &[LiveSpec<'_>],
    force: bool,
    reader: &Reader<'_>,
) -> RetirePlan {
    let mut out = RetirePlan::default();
    let mut touched = history.touched_by(retired, reader);
    let wanting: Vec<LiveSpec<'_>> = live.iter().copied().filter(|one| out.counts(*one, &touched, reader)).collect();
    keep_parents(&mut touched, true);
    let claims = reader.aside(|| {
        out.undo.unread = plan_rollback(&net(&touched), true, reader).unread;
        out.claims(&wanting, history, &touched, reader)
    });
    touched.iter_mut().for_each(|one| one.aim(&claims, reader, &mut out));
    keep_parents(&mut touched, force);
    let supposed = std::mem::take(&mut out.undo.unread);
    out.undo = plan_rollback(&net(&touched), force, reader);
    // Keys and values that were read only for the assumed state before kbfix count too, because the live specs were
    // planned on that state.
    out.undo.unread.extend(supposed);
    let mut seen = BTreeSet::new();
    out.undo.unread.retain(|unread| seen.insert(unread.clone()));
    out.sensitive.extend(reader.hidden());
    out
}

impl<'a> Claims<'a> {
    /// Records that the spec requires the key to exist, and therefore also all keys above it.
    fn exists(&mut self, key: &Key, id: &'a str) {
        let mut keys = vec![key.clone()];
        while let Some(key) = keys.pop() {
            if self.present.insert(key.clone(), id) != Some(id) {
                keys.extend(key.canonical_parents());
            }
        }
    }
}

impl RetirePlan {
    /// Returns whether the requirements of the live spec must be kept. This is the case if the spec is in desired
    /// state, or if it is applied and changes are pending. Records an obstacle and returns `false` if an applied spec
    /// has another outcome (except `not_applicable`), or if a parameter is not set or the outcome is unknown, and a
    /// rule of the spec is about one of the `touched` keys and values, or may be because its keys are not known.
    fn counts(&mut self, one: LiveSpec<'_>, touched: &[Touched<'_>], reader: &Reader<'_>) -> bool {
        let Some(plan) = reader.aside(|| plan_of(one.spec, reader)) else { return false };
        let outcome = plan.whole_outcome();
        let may_concern = || may_concern(one.spec, &touches(touched), reader);
        let why = match (outcome, one.is_applied) {
            (Outcome::InDesiredState, _) | (Outcome::ChangesPending, true) => return true,
            (Outcome::NotApplicable, _) => return false,
            // A condition of an applied spec can also depend on what would be undone, whatever its rules are about.
            (_, true) => format!("it is not known what the spec {} still requires", plan.id),
            // A parameter that is not set may be why it is not known that the target is in the desired state.
            (Outcome::NeedsParameter, false) if may_concern() => {
                format!("it is not known what the spec {} still requires", plan.id)
            }
            (Outcome::Unknown, false) if may_concern() => format!(
                "it is not known whether the target is in the desired state of the spec {}, which may require some of \
                 the changes",
                plan.id
            ),
            (_, false) => return false,
        };
        self.is_unknown |= outcome == Outcome::Unknown;
        self.obstacles.push(format!("{why}: {}", plan.reasons.join("; ")));
        false
    }

    /// Plans the specs in order, and returns what they require. Records an obstacle for each spec whose outcome is then
    /// neither in desired state nor changes pending. Adds to [`RetirePlan::other_parameters`] the ids that belong
    /// there.
    fn claims<'a>(
        &mut self,
        specs: &[LiveSpec<'a>],
        history: &History,
        touched: &[Touched<'_>],
        reader: &Reader<'_>,
    ) -> Claims<'a> {
        let mut claims = Claims::default();
        for LiveSpec { spec, is_assumed, .. } in specs {
            let Some(plan) = plan_of(spec, reader) else { continue };
            let id = spec.id.as_str();
            if *is_assumed && !spec.parameters.is_empty() && !is_as_written(&plan, history.written_by(id), touched) {
                self.other_parameters.insert(id.to_owned());
            }
            if !matches!(plan.outcome, Outcome::InDesiredState | Outcome::ChangesPending) {
                let why = match plan.reasons.as_slice() {
                    [] => String::new(),
                    reasons => format!(": {}", reasons.join("; ")),
                };
                self.is_unknown |= plan.outcome == Outcome::Unknown;
                self.obstacles.push(format!(
                    "the spec {id} needs a setting that would be undone; its outcome would then be {}{why}",
                    word(plan.outcome)
                ));
            }
            for change in plan.changes {
                let KeyChange { key, action, values, .. } = change;
                let only_deletes = values.iter().all(|value| value.after.is_none());
                let value = |value: ValueChange| ((key.clone(), value.name), (id, value.after));
                claims.values.extend(values.into_iter().map(value));
                match action {
                    ChangeAction::Delete => drop(claims.deleted.insert(key, id)),
                    ChangeAction::Update if only_deletes => {}
                    ChangeAction::Create | ChangeAction::Update => claims.exists(&key, id),
                }
            }
            for one in plan.satisfied {
                if one.data.is_some() || one.name.is_none() && matches!(reader.key(&one.key).known(), Ok(Some(()))) {
                    claims.exists(&one.key, id);
                }
            }
        }
        claims
    }

    fn keep(&mut self, place: &str, id: &str, what: &str) {
        self.kept.push(format!("{place}: the spec {id} still requires {what}"));
        self.kept_for.insert(id.to_owned());
    }
}

impl History {
    /// Returns the keys and values that a spec in `retired` changed, except those that kbfix left in the state before
    /// kbfix. Also returns those that were changed only by specs that are no longer live, unless someone else has
    /// changed them since or they cannot be read.
    fn touched_by<'a>(&'a self, retired: &[String], reader: &Reader<'_>) -> Vec<Touched<'a>> {
        let retired: BTreeSet<String> = retired.iter().map(|id| id.to_ascii_lowercase()).collect();
        let is_live = |id: &String| self.is_live(id) && !retired.contains(id);
        let counts = |specs: &BTreeSet<String>, is_as_left: bool| {
            !specs.is_disjoint(&retired) || is_as_left && !specs.iter().any(is_live)
        };
        let mut touched = Vec::new();
        for (key, history) in &self.keys {
            let existence = history.existence.as_ref().filter(|track| !track.is_settled()).and_then(|track| {
                let now = reader.key(key).known().ok().map(|there| there.is_some());
                state(track, now, counts)
            });
            let values = history.values.iter().filter(|(_, track)| !track.is_settled()).filter_map(|(name, track)| {
                let now = reader.value(key, name).known().ok();
                Some((name, state(track, now, counts)?))
            });
            let one = Touched { key, history, existence, values: values.collect() };
            if one.existence.is_some() || !one.values.is_empty() {
                touched.push(one);
            }
        }
        touched
    }
}

/// Returns the states of a key or value, if its change must be undone. Returns `None` if kbfix left it in its present
/// state, and this is the state before kbfix. Also returns `None` if `counts` returns `false`; `counts` gets the ids of
/// the specs that changed the key or value, and whether it is in a state that kbfix left.
fn state<T: Clone + PartialEq>(
    track: &Track<T>,
    now: Option<T>,
    counts: impl Fn(&BTreeSet<String>, bool) -> bool,
) -> Option<State<T>> {
    let found = now.clone().filter(|now| track.left.contains(now));
    // A run that failed did not change this key or value, or undid the change.
    if found.as_ref() == Some(&track.base) || !counts(&track.specs, found.is_some()) {
        return None;
    }
    let left = found.or_else(|| track.left.last().cloned())?;
    Some(State { left, now, goal: track.base.clone() })
}

impl Touched<'_> {
    /// Sets `goal`, the state to restore: the state before kbfix, unless a live spec requires another state. Adds to
    /// `out` what is therefore kept.
    fn aim(&mut self, claims: &Claims<'_>, reader: &Reader<'_>, out: &mut RetirePlan) {
        let key = self.key;
        if let (Some(existence), Some(track)) = (&mut self.existence, &self.history.existence) {
            existence.goal = track.base;
            let wanted = match existence.goal {
                true => claims.deleted.get(key).map(|id| (*id, false)),
                false => claims.present.get(key).map(|id| (*id, true)),
            };
            if let Some((id, goal)) = wanted {
                existence.goal = goal;
                out.keep(&key.to_string(), id, if goal { "it" } else { ABSENT });
            }
        }
        for (name, value) in &mut self.values {
            let at = (key.clone(), (*name).clone());
            let is_sensitive = self.history.sensitive.contains(*name) || reader.is_hidden(key, name);
            if let Some((id, goal)) = claims.values.get(&at) {
                value.goal.clone_from(goal);
                let what = goal.as_ref().map_or(ABSENT.to_owned(), |goal| notation::message(Some(goal), is_sensitive));
                out.keep(&format!("{key} {}", notation::value_name(name)), id, &what);
            }
            if is_sensitive {
                out.sensitive.insert(at);
            }
        }
    }

    /// Returns the change that leads from `goal` to the state that kbfix left, so that its rollback restores `goal`.
    /// Returns `None` if both states are the same.
    fn net(&self) -> Option<KeyChange> {
        let action = match self.existence {
            Some(State { left: true, goal: false, .. }) => ChangeAction::Create,
            Some(State { left: false, goal: true, .. }) => ChangeAction::Delete,
            _ => ChangeAction::Update,
        };
        let values = self.values.iter().filter(|(_, value)| value.left != value.goal).map(|(name, value)| {
            ValueChange { name: (*name).clone(), before: value.goal.clone(), after: value.left.clone() }
        });
        let values: Vec<_> = values.collect();
        let properties: Option<KeyProperties> =
            self.history.properties.clone().filter(|_| action == ChangeAction::Delete);
        let sensitive = values.iter().map(|value| &value.name).filter(|name| self.history.sensitive.contains(*name));
        let sensitive = sensitive.cloned().collect();
        let change = KeyChange { key: self.key.clone(), action, properties, values, sensitive };
        (action != ChangeAction::Update || !change.values.is_empty()).then_some(change)
    }
}

/// Returns what would change in each key if all changes of the retired specs were undone.
fn touches<'a>(touched: &'a [Touched<'_>]) -> BTreeMap<&'a Key, Touch<'a>> {
    let of = |one: &'a Touched<'_>| {
        let values = one.values.keys().copied().collect();
        (one.key, Touch { existence: one.existence.is_some(), values })
    };
    touched.iter().map(of).collect()
}

/// Sets `goal` of each key in `touched` to `true` (the key exists), if one of its values or subkeys must exist. With
/// `force`, values that someone else has changed count too, because they are restored.
fn keep_parents(touched: &mut [Touched<'_>], force: bool) {
    let mut needed: BTreeSet<Key> = BTreeSet::new();
    for one in touched.iter_mut().rev() {
        let is_there = |value: &State<Option<Data>>| {
            let comes = value.now.as_ref().is_some_and(|now| *now == value.left || *now == value.goal);
            value.goal.is_some() && (comes || force)
        };
        let is_needed = needed.contains(one.key) || one.values.values().any(is_there);
        if let Some(existence) = &mut one.existence {
            existence.goal |= is_needed;
        }
        if is_needed || one.existence.as_ref().is_some_and(|existence| existence.goal) {
            needed.extend(one.key.canonical_parents());
        }
    }
}

/// Returns the changes that lead from `goal` to the state that kbfix left, so that their rollback restores `goal`.
/// Deletions come first, each subkey before its parent.
fn net(touched: &[Touched<'_>]) -> Vec<KeyChange> {
    let all: Vec<_> = touched.iter().filter_map(Touched::net).collect();
    let (mut deletions, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|c| c.action == ChangeAction::Delete);
    deletions.reverse();
    deletions.extend(rest);
    deletions
}

/// Returns whether a spec, planned as if the retired specs had been undone, still gives each value the data that it
/// wrote earlier (`written`). If not, it may have been applied with other parameters. Only the keys and values in
/// `touched` are compared. If the journals do not show what the spec wrote (`None`), its plan must change nothing.
fn is_as_written(plan: &SpecPlan, written: Option<&Written>, touched: &[Touched<'_>]) -> bool {
    let Some(written) = written else { return plan.changes.is_empty() };
    let changed = plan
        .changes
        .iter()
        .flat_map(|change| change.values.iter().map(|value| ((&change.key, &value.name), value.after.as_ref())));
    let satisfied = plan.satisfied.iter().filter_map(|one| Some(((&one.key, one.name.as_ref()?), one.data.as_ref())));
    let planned: BTreeMap<_, _> = changed.chain(satisfied).collect();
    touched.iter().all(|one| {
        let values = written.get(one.key).into_iter().flatten();
        let mut values = values.filter(|(name, _)| one.existence.is_some() || one.values.contains_key(name));
        values.all(|(name, data)| planned.get(&(one.key, name)) == Some(&data.as_ref()))
    })
}

/// Returns the plan of this spec alone; never `None`, because a plan has one entry for each spec. After this call, the
/// reader answers as if the planned changes had been made.
fn plan_of(spec: &Spec, reader: &Reader<'_>) -> Option<SpecPlan> {
    let mut planning = Planning::new("", slice::from_ref(spec));
    planning.ask(reader);
    planning.finish(Facts::default()).specs.pop()
}

fn word(outcome: Outcome) -> String {
    outcome.as_str().replace('_', " ")
}
