//! Answers queries from facts, and records the facts that are missing.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashSet},
};

use super::{
    missing::{Ask, Missing},
    planned::Planned,
    query::Query,
};
use crate::{
    registry::{Data, Key, KeyName, KeyProperties, ValueName, notation},
    small_map::{SmallMap, SmallSet},
    targets::{Answer, Facts, FileFacts, KeyChange, KnownKey, Reason, Unread},
};

/// The reason in the answer about a fact that was not read yet. Users do not see this reason, because the code that
/// made the query runs again after the fact was read.
pub(crate) const NOT_READ: &str = "it was not read";

/// Answers queries from facts, and records the queries that the facts do not answer.
pub struct Reader<'a> {
    pub(super) facts: RefCell<std::borrow::Cow<'a, Facts>>,
    pub(super) missing: RefCell<Missing>,
    planned: RefCell<Planned>,
    sensitive: RefCell<BTreeSet<(Key, ValueName)>>,
    log: RefCell<Option<Reads>>,
    trace: RefCell<Option<HashSet<Query>>>,
    pub(super) missed: Cell<usize>,
    /// The key of the latest query, with its facts. It is kept because the next query is usually about the same key.
    last: RefCell<Option<(Key, KnownKey)>>,
    /// Whether policy stores are queried. If not, [`Reader::policies`] returns no settings.
    pub(super) with_policies: bool,
    /// Whether the target reads values in policy branches from its local GPO instead of the registry.
    pub(super) through_policy: bool,
}

/// The keys that were queried during a call of [`Reader::logged`]. With these, kbfix finds later changes that would
/// change the answers.
#[derive(Debug, Default)]
pub struct Reads {
    keys: BTreeSet<Key>,
    /// The keys in `keys` whose subkeys were queried.
    lists: BTreeSet<Key>,
}

impl Reads {
    /// Returns the keys that were queried, each once.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// Returns the keys whose subkeys were queried.
    pub fn lists(&self) -> impl Iterator<Item = &Key> {
        self.lists.iter()
    }
}

/// A key with its values and properties, as [`Reader::tree`] lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyImage {
    /// The key.
    pub key: Key,
    /// The key's properties; `None` if the target does not have them.
    pub properties: Option<KeyProperties>,
    /// The key's values.
    pub values: Vec<(ValueName, Data)>,
}

impl<'a> Reader<'a> {
    /// Creates a reader that answers from these facts.
    pub fn new(facts: &'a Facts) -> Self {
        Self {
            facts: RefCell::new(std::borrow::Cow::Borrowed(facts)),
            missing: RefCell::default(),
            planned: RefCell::default(),
            sensitive: RefCell::default(),
            log: RefCell::default(),
            trace: RefCell::default(),
            missed: Cell::default(),
            last: RefCell::default(),
            with_policies: false,
            through_policy: false,
        }
    }

    /// Returns whether the key exists: present or absent, or the reason why this is not known.
    pub fn key(&self, key: &Key) -> Answer<()> {
        self.existence(key, |_| {})
    }

    /// Returns whether the key exists, as [`Reader::key`] does, for a key that is to be created. If the key is read
    /// from the target and is absent, the keys above it are read in the same batch, up to the first key that exists.
    pub fn key_to_create(&self, key: &Key) -> Answer<()> {
        self.existence(key, |ask| ask.above = true)
    }

    fn existence(&self, key: &Key, ask: impl FnOnce(&mut Ask)) -> Answer<()> {
        self.note(key, false);
        self.trace(|| Query::Key(key.clone()));
        self.planned.borrow_mut().meet(|planned| planned.keys.get(key).cloned());
        let known = self.with_known(key, KnownKey::existence);
        known.unwrap_or_else(|| self.missed(key, ask))
    }

    /// Returns a value's data; absent if the key is absent.
    pub fn value(&self, key: &Key, name: &ValueName) -> Answer<Data> {
        self.spelled_value(key, name).0
    }

    /// Returns a value's data, and the value name as the target spells it. If the value was not found, returns `name`
    /// itself.
    pub fn spelled_value(&self, key: &Key, name: &ValueName) -> (Answer<Data>, ValueName) {
        self.note(key, false);
        self.trace(|| Query::Value(key.clone(), name.clone()));
        let of_value = |planned: &Planned| planned.values.get(key).and_then(|names| names.get(name).cloned());
        self.planned.borrow_mut().meet(|planned| of_value(planned).or_else(|| planned.keys.get(key).cloned()));
        let known = self
            .with_known(key, |known| known.value(name).map(|(answer, found)| (answer, found.unwrap_or(name).clone())));
        known.unwrap_or_else(|| {
            let answer = self.missed(key, |ask| {
                ask.names.insert(name.clone());
            });
            (answer, name.clone())
        })
    }

    /// Calls `find` with the facts about the key, and returns its result.
    fn with_known<T>(&self, key: &Key, find: impl FnOnce(&KnownKey) -> T) -> T {
        let mut last = self.last.borrow_mut();
        match &*last {
            Some((of, known)) if of == key => find(known),
            _ => find(&last.insert((key.clone(), self.facts.borrow().known_key(key))).1),
        }
    }

    /// Returns all values of the key; absent if the key is absent.
    pub fn all_values(&self, key: &Key) -> Answer<SmallMap<ValueName, Answer<Data>>> {
        self.note(key, false);
        self.trace(|| Query::Values(key.clone()));
        let known = self.facts.borrow().all_values(key);
        known.unwrap_or_else(|| self.missed(key, |ask| ask.all_values = true))
    }

    /// Returns the class name and security descriptor of the key; absent if the key is absent, and unknown if the
    /// target does not store them.
    pub fn properties(&self, key: &Key) -> Answer<KeyProperties> {
        self.note(key, false);
        self.trace(|| Query::Properties(key.clone()));
        let known = self.facts.borrow().properties(key);
        known.unwrap_or_else(|| self.missed(key, |ask| ask.all_values = true))
    }

    /// Returns the names of the key's subkeys; absent if the key is absent.
    pub fn subkeys(&self, key: &Key) -> Answer<Vec<KeyName>> {
        self.note(key, true);
        self.trace(|| Query::Subkeys(key.clone()));
        self.planned.borrow_mut().meet(|planned| planned.subkeys.get(key).cloned());
        let known = self.facts.borrow().subkeys(key);
        known.unwrap_or_else(|| self.missed(key, |ask| ask.subkeys = true))
    }

    /// Returns the facts about the file at this path; absent if there is no such file.
    pub fn file(&self, path: &str) -> Answer<FileFacts> {
        self.trace(|| Query::File(path.to_owned()));
        let known = self.facts.borrow().file(path);
        known.unwrap_or_else(|| {
            self.missed.set(self.missed.get() + 1);
            self.missing.borrow_mut().files.insert(path.to_owned());
            not_read()
        })
    }

    /// Returns the key and all keys below it, each parent before its subkeys. The list is empty if the key is absent.
    ///
    /// A link below the key is an error, because kbfix does not list the keys to which the link leads.
    ///
    /// # Errors
    ///
    /// Returns the first reason why a key or value in the tree could not be read, or why a subkey is refused as a link.
    pub fn tree(&self, key: &Key) -> Result<Vec<KeyImage>, Unread> {
        let mut out = Vec::new();
        // Make both queries before examining either answer. A key that is not known yet is queried with its whole tree.
        let mut level = vec![key.clone()];
        let mut failed = None;
        while !level.is_empty() {
            let mut next = Vec::new();
            for key in level {
                let (found, subkeys) = (self.all_values(&key), self.subkeys(&key));
                if let Some(ask) = self.missing.borrow_mut().keys.get_mut(&key) {
                    ask.tree = true;
                }
                match (found.known(), subkeys.known()) {
                    (Ok(Some(found)), Ok(Some(subkeys))) => {
                        let mut values = Vec::new();
                        for (name, answer) in found {
                            match answer.known() {
                                Ok(Some(data)) => values.push((name, data)),
                                Ok(None) => {}
                                Err(why) => failed = failed.or(Some(why)),
                            }
                        }
                        let properties = match self.properties(&key).known() {
                            Ok(properties) => properties,
                            Err(Unread { reason: Reason::Unknown, .. }) => None,
                            Err(why) => {
                                failed = failed.or(Some(why));
                                None
                            }
                        };
                        let one_view = key.is_of_one_view();
                        for below in subkeys.iter().map(|name| key.child(name)) {
                            let canonical = below.one_name(one_view);
                            if canonical == below {
                                next.push(below);
                            } else {
                                failed = failed.or_else(|| Some(other_place(&below, &canonical)));
                            }
                        }
                        out.push(KeyImage { key, properties, values });
                    }
                    (Err(why), _) | (_, Err(why)) => failed = failed.or(Some(why)),
                    _ => {}
                }
            }
            level = next;
        }
        match failed {
            Some(why) => Err(why),
            None => {
                out.sort_by(|a, b| a.key.cmp(&b.key));
                Ok(out)
            }
        }
    }

    /// Marks the value as sensitive. Reports and messages do not show the data of a sensitive value.
    pub fn hide(&self, key: &Key, name: &ValueName) {
        self.sensitive.borrow_mut().insert((key.clone(), name.clone()));
    }

    /// Returns whether the value is sensitive, so that reports and messages must not show its data.
    pub fn is_hidden(&self, key: &Key, name: &ValueName) -> bool {
        self.trace(|| Query::Value(key.clone(), name.clone()));
        let sensitive = self.sensitive.borrow();
        (!sensitive.is_empty() && sensitive.contains(&(key.clone(), name.clone())))
            || self.facts.borrow().is_hidden(key, name)
    }

    /// Returns every value that [`Reader::hide`] marked.
    pub fn hidden(&self) -> BTreeSet<(Key, ValueName)> {
        self.sensitive.borrow().clone()
    }

    /// Returns the number of values that [`Reader::hide`] marked.
    pub fn hidden_count(&self) -> usize {
        self.sensitive.borrow().len()
    }

    /// Returns the number of queries so far that the facts did not answer. A query that is made twice counts twice.
    pub fn missed_count(&self) -> usize {
        self.missed.get()
    }

    /// Runs `ask`; also returns the keys that it queried, or `None` if `ask` itself calls this function.
    pub fn logged<T>(&self, ask: impl FnOnce() -> T) -> (T, Option<Reads>) {
        self.log.replace(Some(Reads::default()));
        let answer = ask();
        (answer, self.log.take())
    }

    /// Makes a query and drops the answer, so that a fact that is missing is read from the target.
    pub(crate) fn ask(&self, query: &Query) {
        match query {
            Query::Key(key) => drop(self.key(key)),
            Query::Value(key, name) => drop(self.value(key, name)),
            Query::Values(key) => drop(self.all_values(key)),
            Query::Properties(key) => drop(self.properties(key)),
            Query::Subkeys(key) => drop(self.subkeys(key)),
            Query::File(path) => drop(self.file(path)),
            Query::Policy(key, name) => drop(self.policies(key, name)),
        }
    }

    /// Runs `ask`; also returns all queries that it made, each once, in no order. So a result of `ask` can be used
    /// again for other facts that give the same answers.
    pub(crate) fn traced<T>(&self, ask: impl FnOnce() -> T) -> (T, Vec<Query>) {
        self.trace.replace(Some(HashSet::new()));
        let answer = ask();
        (answer, self.trace.take().into_iter().flatten().collect())
    }

    pub(super) fn trace(&self, query: impl FnOnce() -> Query) {
        if let Some(trace) = self.trace.borrow_mut().as_mut() {
            trace.insert(query());
        }
    }

    fn note(&self, key: &Key, list: bool) {
        if let Some(log) = self.log.borrow_mut().as_mut() {
            log.keys.insert(key.clone());
            if list {
                log.lists.insert(key.clone());
            }
        }
    }

    /// Returns, as text for a message, one key, value, file or policy setting that was queried but is not in the facts;
    /// `None` if all queries were answered.
    pub fn unanswered(&self) -> Option<String> {
        let missing = self.missing.borrow();
        let value = |(key, ask): (&Key, &Ask)| match ask.names.first() {
            Some(name) => format!("{key} {}", notation::value_name(name)),
            None => key.to_string(),
        };
        let of_policy = |(key, names): (&Key, &SmallSet<ValueName>)| {
            let name = names.iter().next().map(notation::value_name).unwrap_or_default();
            format!("the settings of policy stores for {key} {name}")
        };
        let policy = || missing.policies.values().flatten().next().map(of_policy);
        missing.keys.iter().next().map(value).or_else(|| missing.files.first().cloned()).or_else(policy)
    }

    /// Makes the reader answer all later queries as if this change had been made.
    pub fn pretend(&self, change: &KeyChange) {
        self.last.replace(None);
        self.facts.borrow_mut().to_mut().apply(change);
    }

    /// Runs `ask`, and then reverts the effect of all calls of [`Reader::pretend`] and [`Reader::planned_for`] in it.
    pub fn aside<T>(&self, ask: impl FnOnce() -> T) -> T {
        let (facts, planned) = (self.facts.borrow().clone(), self.planned.borrow().clone());
        let answer = ask();
        self.last.replace(None);
        self.facts.replace(facts);
        self.planned.replace(planned);
        answer
    }

    /// Records that the spec with this id planned these changes, so that [`Reader::planned_by`] can return the id.
    pub fn planned_for(&self, id: &str, changes: &[KeyChange]) {
        let id = id.into();
        changes.iter().for_each(|change| self.planned.borrow_mut().add(&id, change));
    }

    /// Runs `ask`. Also returns the id of the spec whose planned change was the first to answer a query of `ask`;
    /// `None` if there is none. Only queries for single keys, single values and subkeys count, not those for all values
    /// of a key.
    pub fn planned_by<T>(&self, ask: impl FnOnce() -> T) -> (T, Option<String>) {
        self.planned.borrow_mut().take_met();
        let answer = ask();
        (answer, self.planned.borrow_mut().take_met().map(|id| id.to_string()))
    }

    fn missed<T>(&self, key: &Key, ask: impl FnOnce(&mut Ask)) -> Answer<T> {
        self.missed.set(self.missed.get() + 1);
        ask(self.missing.borrow_mut().keys.entry(key.clone()).or_default());
        not_read()
    }
}

fn other_place(key: &Key, canonical: &Key) -> Unread {
    Unread::new(Reason::Unsupported, format!("{key} leads to {canonical}, which is another key"))
}

fn not_read<T>() -> Answer<T> {
    Answer::unread(Reason::Unknown, NOT_READ)
}
