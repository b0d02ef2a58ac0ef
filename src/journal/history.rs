//! The history of one target: the combined content of its journals about each key and value that kbfix changed.
//!
//! The history contains the state before kbfix, the state that kbfix left, and the specs that changed the key or value.
//! If someone else changed a value between two applies, the state before the later apply counts as the state before
//! kbfix.

use std::collections::{BTreeMap, BTreeSet};

use super::{EventKind, Header, Journal, Operation, Status, restarts::Part};
use crate::{
    plan::Restart,
    registry::{Data, Key, KeyProperties, ValueName},
    spec::library,
    targets::{ChangeAction, KeyChange},
};

/// The combined content of the journals of one target.
#[derive(Debug, Default)]
pub struct History {
    pub(super) keys: BTreeMap<Key, KeyHistory>,
    /// The history of each spec, by the id of the spec in lower case.
    specs: BTreeMap<String, SpecHistory>,
    newest: Option<String>,
    /// The data that each built-in spec last wrote to each value, by the id of the spec in lower case. This data shows
    /// with which parameters the spec was applied. A change counts only if the journal records which spec made it, if
    /// its apply was not undone completely, and if the spec was not retired since.
    written: BTreeMap<String, Written>,
    /// The changes of all applies that were not undone completely, separated by spec if the journal allows this.
    parts: Vec<Part>,
}

/// The data that a spec wrote, by key and value name; `None` for a value that the spec deleted.
pub(super) type Written = BTreeMap<Key, BTreeMap<ValueName, Option<Data>>>;

/// The history of a key and its values.
#[derive(Debug, Default)]
pub(super) struct KeyHistory {
    /// Whether the key existed before and after the changes; `None` if no apply created or deleted the key.
    pub(super) existence: Option<Track<bool>>,
    /// The class name and security descriptor that the key had before its last deletion; `None` if it was never
    /// deleted, or if they are not known.
    pub(super) properties: Option<KeyProperties>,
    pub(super) values: BTreeMap<ValueName, Track<Option<Data>>>,
    pub(super) sensitive: BTreeSet<ValueName>,
}

/// The history of one key or value.
#[derive(Debug)]
pub(super) struct Track<T> {
    /// The state before kbfix changed the key or value. If someone else changed it between two applies, this is the
    /// state before the later apply.
    pub(super) base: T,
    /// The state in which kbfix left the key or value. After a failed or interrupted operation, this can be one of two
    /// states; both are listed, and the last is the state that the operation intended.
    pub(super) left: Vec<T>,
    /// The ids, in lower case, of the specs that changed the key or value. An apply begins a new list if nothing was
    /// left of the earlier changes: kbfix had left the key or value in the state `base`, or someone else has changed it
    /// since.
    pub(super) specs: BTreeSet<String>,
}

#[derive(Debug)]
struct SpecHistory {
    /// The id of the spec, as the first journal with this spec writes it.
    id: String,
    /// The position, among the journals of the target, of the last apply of the spec that was not undone completely, if
    /// the spec was not retired since. Otherwise, the position of the first retirement that kept changes for the spec
    /// after it was last retired, if it ever was; `None` if there is none. Only successful retirements count.
    live: Option<usize>,
}

/// The direction of a journal's changes: away from the state before kbfix, or back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// An apply: away from the state before kbfix.
    Apply,
    /// The rollback of an undo: it makes the changes of an apply again.
    Redo,
    /// A retirement, or any other rollback: back to the state before kbfix.
    Undo,
}

/// The facts that a journal records about one of its changes.
struct Entry {
    direction: Direction,
    specs: BTreeSet<String>,
    /// Whether the journal records that all of its changes were made.
    is_certain: bool,
}

impl<T: Clone + PartialEq> Track<T> {
    /// Returns whether kbfix left the key or value in the state before kbfix. If two left states are possible, both
    /// must be this state.
    pub(super) fn is_settled(&self) -> bool {
        self.left.iter().all(|left| *left == self.base)
    }

    fn add(&mut self, before: T, after: T, entry: &Entry) {
        let was_settled = self.is_settled();
        let is_as_left = self.left.contains(&before);
        if entry.direction == Direction::Apply {
            if was_settled || !is_as_left {
                self.specs.clear();
            }
            self.specs.extend(entry.specs.iter().cloned());
        }
        match entry.direction {
            // A rollback or retirement leads to the state before kbfix, whatever it replaces.
            Direction::Undo if was_settled => self.base = after.clone(),
            Direction::Undo => {}
            Direction::Apply | Direction::Redo if is_as_left => {}
            Direction::Apply | Direction::Redo => self.base = before.clone(),
        }
        self.left = if entry.is_certain { vec![after] } else { vec![before, after] };
    }

    /// Adds a change to the history of a key or value. `None` means that the key or value has no history yet.
    ///
    /// The changes of a rollback or retirement ([`Direction::Undo`]) do not begin a history. If such a change creates a
    /// key without a history, this key is only the parent of something that is restored.
    fn note(track: &mut Option<Self>, before: T, after: T, entry: &Entry) {
        let new = || Self { base: before.clone(), left: vec![before.clone()], specs: entry.specs.clone() };
        if track.is_some() || entry.direction != Direction::Undo {
            track.get_or_insert_with(new).add(before.clone(), after, entry);
        }
    }
}

impl History {
    /// Returns the combined history of these journals of one target, which must be sorted from oldest to newest.
    pub fn of(journals: &[Journal]) -> Self {
        let mut history = Self::default();
        let mut directions: BTreeMap<&str, Direction> = BTreeMap::new();
        for (at, journal) in journals.iter().enumerate() {
            history.newest = Some(journal.header.id.clone());
            history.add_specs(at, journal);
            let direction = match &journal.header.action {
                Operation::Apply => Direction::Apply,
                Operation::Rollback(of) if directions.get(&**of) == Some(&Direction::Undo) => Direction::Redo,
                Operation::Rollback(_) | Operation::Retire => Direction::Undo,
            };
            directions.insert(&journal.header.id, direction);
            // The operation failed and undid all its changes, so it left no trace.
            if journal.events.first().is_some_and(|event| event.event == EventKind::Undone) {
                continue;
            }
            let is_certain = journal.events.first().is_some_and(|event| event.event == EventKind::Done);
            for (change, specs) in journal.header.changes.iter().zip(specs_of_changes(&journal.header)) {
                history.add(change, &Entry { direction, specs, is_certain });
            }
        }
        history
    }

    fn add_specs(&mut self, at: usize, journal: &Journal) {
        let header = &journal.header;
        match (&header.action, journal.status()) {
            (Operation::Apply, status) => {
                let is_applied = !matches!(status, Status::Undone | Status::RolledBack);
                if is_applied {
                    self.parts.extend(Part::of(header));
                    self.add_written(header);
                }
                for id in &header.specs {
                    let spec = self.spec(id);
                    spec.live = is_applied.then_some(at).or(spec.live);
                }
            }
            (Operation::Retire, Status::Done) => {
                for id in &header.specs {
                    self.spec(id).live = None;
                    self.written.remove(&id.to_ascii_lowercase());
                }
                for id in &header.kept_for {
                    let spec = self.spec(id);
                    spec.live = spec.live.or(Some(at));
                }
            }
            (Operation::Retire | Operation::Rollback(_), _) => {}
        }
    }

    fn add_written(&mut self, header: &Header) {
        let built_in = header.specs.iter().filter(|id| library::find(id).is_some());
        let built_in: BTreeSet<String> = built_in.map(|id| id.to_ascii_lowercase()).collect();
        if built_in.is_empty() {
            return;
        }
        for (change, specs) in header.changes.iter().zip(specs_of_changes(header)) {
            let mut specs = specs.into_iter();
            let (Some(id), None) = (specs.next().filter(|id| built_in.contains(id)), specs.next()) else { continue };
            let values = self.written.entry(id).or_default().entry(change.key.clone()).or_default();
            values.extend(change.values.iter().map(|value| (value.name.clone(), value.after.clone())));
        }
    }

    /// Returns the data in `written` for the built-in spec with this id; `None` if there is none.
    pub(super) fn written_by(&self, id: &str) -> Option<&Written> {
        self.written.get(&id.to_ascii_lowercase())
    }

    fn spec(&mut self, id: &str) -> &mut SpecHistory {
        let new = || SpecHistory { id: id.to_owned(), live: None };
        self.specs.entry(id.to_ascii_lowercase()).or_insert_with(new)
    }

    fn add(&mut self, change: &KeyChange, entry: &Entry) {
        let key = self.keys.entry(change.key.clone()).or_default();
        key.sensitive.extend(change.sensitive.iter().cloned());
        match change.action {
            ChangeAction::Create => Track::note(&mut key.existence, false, true, entry),
            ChangeAction::Delete => {
                Track::note(&mut key.existence, true, false, entry);
                key.properties.clone_from(&change.properties);
            }
            ChangeAction::Update => {}
        }
        for value in &change.values {
            let mut track = key.values.remove(&value.name);
            Track::note(&mut track, value.before.clone(), value.after.clone(), entry);
            key.values.extend(track.map(|track| (value.name.clone(), track)));
        }
    }

    /// Returns whether the key was absent before kbfix, and kbfix has created it and not deleted it since. Also returns
    /// `true` if this is possible because an operation failed or was interrupted.
    pub fn is_created(&self, key: &Key) -> bool {
        let existence = self.keys.get(key).and_then(|history| history.existence.as_ref());
        existence.is_some_and(|track| !track.base && track.left.contains(&true))
    }

    /// Returns the id of the newest journal; `None` if there is no journal.
    pub fn newest(&self) -> Option<&str> {
        self.newest.as_deref()
    }

    /// Returns the ids of all specs that the journals show as applied, and of those that a successful retirement
    /// retired or kept changes for. An apply that was undone counts too.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        self.specs.values().map(|spec| &*spec.id)
    }

    /// Returns the ids of the live specs, in the order of their last applies. A spec is live if the journals show it as
    /// applied, and not as retired or completely undone after that. A spec for which a later retirement kept changes is
    /// live too.
    pub fn live(&self) -> Vec<&str> {
        let mut live: Vec<_> = self.specs.values().filter(|spec| spec.live.is_some()).collect();
        live.sort_by_key(|spec| spec.live);
        live.into_iter().map(|spec| &*spec.id).collect()
    }

    /// Returns whether the spec is live (see [`History::live`]).
    pub fn is_live(&self, id: &str) -> bool {
        self.specs.get(&id.to_ascii_lowercase()).is_some_and(|spec| spec.live.is_some())
    }

    /// Returns the combined restarts of the applied specs that changed a key or value which the changes `undone` change
    /// again.
    pub fn restart(&self, undone: &[KeyChange]) -> Restart {
        Part::restart(&self.parts, undone)
    }
}

/// Returns, for each change of a journal, the ids in lower case of the specs that made it. There are several ids if the
/// journal does not record which of its specs made the change.
fn specs_of_changes(header: &Header) -> Vec<BTreeSet<String>> {
    let lower = |id: &str| id.to_ascii_lowercase();
    // A rollback joins the names of the apply's specs with `+`, which no id contains.
    let all: BTreeSet<String> = header.specs.iter().flat_map(|id| id.split('+')).map(lower).collect();
    let mut each = Vec::new();
    if header.by_spec.iter().try_fold(0_usize, |sum, n| sum.checked_add(*n)) == Some(header.changes.len()) {
        for (id, count) in header.specs.iter().zip(&header.by_spec) {
            each.extend(std::iter::repeat_n(BTreeSet::from([lower(id)]), *count));
        }
    }
    each.resize(header.changes.len(), all);
    each
}
