//! Observation: reads from a target just what is asked, in as few batches as the questions allow.
//!
//! What has to be read can depend on what was read: a file's folder stands in a registry value, `*` stands for the
//! subkeys that exist. So whoever needs facts asks a [`Reader`], which notes what it cannot answer yet; that is read in one
//! batch, and the asking starts again, until nothing is left to read. The same code that makes the plan thereby says what is
//! read, and nothing is read that no spec asks for.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    registry::{Data, Key, KeyName, KeyProperties, ValueName, notation},
    targets::{Answer, Facts, FileFacts, KeyQuery, Reason, Target, TargetError, Unread, Wanted},
};

/// Questions after which an observation gives up. Each follows from the answers to the one before: a value names a file's folder, a `*`
/// the keys in which the next one is looked for. Of a tree all levels are read for one question.
const MOST_QUESTIONS: usize = 600;
/// The most bytes that the paths of all keys have together about which is asked. A file of some megabytes can name keys so deep, with
/// names so long, that their paths fill any memory; real ones have about 100 bytes.
const MOST_PATHS: usize = 64 << 20;
/// The most keys about which is asked, and for which a `*` can stand. Until its plan is printed, each takes some 4 KB and 40 µs; a file
/// of some megabytes can name a million.
pub const MOST_KEYS: usize = 200_000;
/// The most names that the paths of all these keys have together. A key is looked up name by name, so that keys below hundreds of
/// levels cost time; a real one has about ten.
const MOST_NAMES: usize = 2_500_000;

/// Answers questions from facts, and notes those that the facts do not answer.
pub struct Reader<'a> {
    facts: RefCell<std::borrow::Cow<'a, Facts>>,
    missing: RefCell<Missing>,
    planned: RefCell<Planned>,
    sensitive: RefCell<BTreeSet<(Key, ValueName)>>,
}

/// What was planned for whom, and whose plan the last answers rest on.
#[derive(Default)]
struct Planned {
    keys: BTreeMap<Key, String>,
    values: BTreeMap<(Key, ValueName), String>,
    /// By the key above: what its subkeys are.
    subkeys: BTreeMap<Key, String>,
    met: Option<String>,
}

#[derive(Default)]
struct Missing {
    keys: BTreeMap<Key, Ask>,
    files: BTreeSet<String>,
}

#[derive(Default)]
struct Ask {
    names: BTreeSet<ValueName>,
    all_values: bool,
    subkeys: bool,
    /// Whether all that is below the key is asked for as well.
    tree: bool,
}

impl Ask {
    fn tree() -> Self {
        Self { names: BTreeSet::new(), all_values: true, subkeys: true, tree: true }
    }

    fn about(self, key: Key) -> KeyQuery {
        let values = if self.all_values { Wanted::All } else { Wanted::Names(self.names) };
        KeyQuery { key, values, subkeys: self.subkeys }
    }
}

/// A key with all that would be lost with it, as [`Reader::tree`] lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyImage {
    /// The key.
    pub key: Key,
    /// Its properties; none where the target has none.
    pub properties: Option<KeyProperties>,
    /// Its values.
    pub values: Vec<(ValueName, Data)>,
}

impl<'a> Reader<'a> {
    /// Reads from these facts.
    pub fn new(facts: &'a Facts) -> Self {
        Self {
            facts: RefCell::new(std::borrow::Cow::Borrowed(facts)),
            missing: RefCell::default(),
            planned: RefCell::default(),
            sensitive: RefCell::default(),
        }
    }

    /// Whether the key is there.
    pub fn key(&self, key: &Key) -> Answer<()> {
        self.meet(|planned| planned.keys.get(key));
        let known = self.facts.borrow().key(key);
        known.unwrap_or_else(|| self.missed(key, |_| {}))
    }

    /// A value's data; absent where its key is.
    pub fn value(&self, key: &Key, name: &ValueName) -> Answer<Data> {
        self.meet(|planned| planned.values.get(&(key.clone(), name.clone())).or_else(|| planned.keys.get(key)));
        let known = self.facts.borrow().value(key, name);
        known.unwrap_or_else(|| {
            self.missed(key, |ask| {
                ask.names.insert(name.clone());
            })
        })
    }

    /// The value's name as it was found; as it is asked for where the value is absent.
    pub fn spelled(&self, key: &Key, name: &ValueName) -> ValueName {
        self.facts.borrow().spelled(key, name).unwrap_or(name).clone()
    }

    /// All values of the key.
    pub fn all_values(&self, key: &Key) -> Answer<BTreeMap<ValueName, Answer<Data>>> {
        let known = self.facts.borrow().all_values(key);
        known.unwrap_or_else(|| self.missed(key, |ask| ask.all_values = true))
    }

    /// The key's properties; unknown where the target has none.
    pub fn properties(&self, key: &Key) -> Answer<KeyProperties> {
        let known = self.facts.borrow().properties(key);
        known.unwrap_or_else(|| self.missed(key, |ask| ask.all_values = true))
    }

    /// The names of the key's subkeys.
    pub fn subkeys(&self, key: &Key) -> Answer<Vec<KeyName>> {
        self.meet(|planned| planned.subkeys.get(key));
        let known = self.facts.borrow().subkeys(key);
        known.unwrap_or_else(|| self.missed(key, |ask| ask.subkeys = true))
    }

    /// A file.
    pub fn file(&self, path: &str) -> Answer<FileFacts> {
        let known = self.facts.borrow().file(path);
        known.unwrap_or_else(|| {
            self.missing.borrow_mut().files.insert(path.to_owned());
            not_read()
        })
    }

    /// The key and all below it, each parent before its subkeys; empty where the key is absent. What a link in it leads to
    /// is no part of it, and is never listed.
    ///
    /// # Errors
    /// The first thing in the tree that could not be read, or is a link.
    pub fn tree(&self, key: &Key) -> Result<Vec<KeyImage>, Unread> {
        let mut out = Vec::new();
        // Both are asked for before either is judged. What is not known yet is asked for with all below it.
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
                        for below in subkeys.iter().map(|name| key.child(name)) {
                            if below.one_name(false) == below {
                                next.push(below);
                            } else {
                                failed = failed.or_else(|| Some(other_place(&below)));
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

    /// Notes that the value's data is shown to nobody.
    pub fn hide(&self, key: &Key, name: &ValueName) {
        self.sensitive.borrow_mut().insert((key.clone(), name.clone()));
    }

    /// Whether the value's data is shown to nobody.
    pub fn is_hidden(&self, key: &Key, name: &ValueName) -> bool {
        let sensitive = self.sensitive.borrow();
        (!sensitive.is_empty() && sensitive.contains(&(key.clone(), name.clone())))
            || self.facts.borrow().is_hidden(key, name)
    }

    /// Returns every value whose data is shown to nobody.
    pub fn hidden(&self) -> BTreeSet<(Key, ValueName)> {
        self.sensitive.borrow().clone()
    }

    /// Returns the first place that was asked for and of which the facts say nothing; `None` where they answered everything.
    pub fn unanswered(&self) -> Option<String> {
        let missing = self.missing.borrow();
        let value = |(key, ask): (&Key, &Ask)| match ask.names.first() {
            Some(name) => format!("{key} {}", notation::value_name(name)),
            None => key.to_string(),
        };
        missing.keys.iter().next().map(value).or_else(|| missing.files.first().cloned())
    }

    /// From here on answers as after these changes.
    pub fn pretend(&self, change: &crate::targets::KeyChange) {
        self.facts.borrow_mut().to_mut().apply(change);
    }

    /// Notes for which spec a change was planned, which [`Reader::planned_by`] tells from here on.
    pub fn planned_for(&self, id: &str, change: &crate::targets::KeyChange) {
        let planned = &mut *self.planned.borrow_mut();
        for value in &change.values {
            planned.values.insert((change.key.clone(), value.name.clone()), id.to_owned());
        }
        if change.action != crate::targets::Action::Update {
            planned.keys.insert(change.key.clone(), id.to_owned());
            planned.subkeys.extend(change.key.parent().map(|parent| (parent, id.to_owned())));
        }
    }

    /// What `ask` answers, and for which spec was planned what the last thing that it asked for is, if any was.
    pub fn planned_by<T>(&self, ask: impl FnOnce() -> T) -> (T, Option<String>) {
        self.planned.borrow_mut().met = None;
        let answer = ask();
        (answer, self.planned.borrow_mut().met.take())
    }

    fn meet(&self, find: impl FnOnce(&Planned) -> Option<&String>) {
        let mut planned = self.planned.borrow_mut();
        if (planned.keys.is_empty() && planned.values.is_empty()) || planned.met.is_some() {
            return;
        }
        planned.met = find(&planned).cloned();
    }

    fn missed<T>(&self, key: &Key, ask: impl FnOnce(&mut Ask)) -> Answer<T> {
        ask(self.missing.borrow_mut().keys.entry(key.clone()).or_default());
        not_read()
    }
}

fn other_place(key: &Key) -> Unread {
    let detail = format!("{key} is {}, which is another place", key.one_name(false));
    Unread::new(Reason::Unsupported, detail)
}

fn not_read<T>() -> Answer<T> {
    Answer::unread(Reason::Unknown, "it was not read")
}

/// Reads from the target what `ask` asks of a [`Reader`], until it asks for nothing new.
///
/// # Errors
/// [`TargetError`] when the target as a whole cannot be read, or the questions do not end.
pub fn observe(target: &mut dyn Target, mut ask: impl FnMut(&Reader<'_>)) -> Result<Facts, TargetError> {
    let mut facts = Facts::default();
    let (mut paths, mut keys, mut names) = (0, 0, 0);
    for _ in 0..MOST_QUESTIONS {
        let missing = {
            let reader = Reader::new(&facts);
            ask(&reader);
            reader.missing.into_inner()
        };
        if missing.keys.is_empty() && missing.files.is_empty() {
            return Ok(facts);
        }
        let files: Vec<_> = missing.files.into_iter().collect();
        let mut level = missing.keys;
        read_files_into(&mut facts, target, &files)?;
        while !level.is_empty() {
            keys += level.len();
            names += level.keys().map(|key| key.path.depth()).sum::<usize>();
            if keys > MOST_KEYS || names > MOST_NAMES {
                let most = format!("more than {MOST_KEYS} keys, or than {MOST_NAMES} names in their paths");
                return Err(too_much(target, &format!("the specs ask for {most}")));
            }
            let trees: Vec<Key> = level.iter().filter(|(_, ask)| ask.tree).map(|(key, _)| key.clone()).collect();
            let queries: Vec<_> = level.into_iter().map(|(key, ask)| ask.about(key)).collect();
            paths += queries.iter().map(|query| query.key.path.below_root().len()).sum::<usize>();
            read_keys_into(&mut facts, target, &queries)?;
            level = below(&trees, &facts, MOST_PATHS.saturating_sub(paths)).ok_or_else(|| {
                let most = MOST_PATHS >> 20;
                too_much(
                    target,
                    &format!("the paths of the keys that the specs ask for have more than {most} MiB together"),
                )
            })?;
        }
    }
    let detail = format!(
        "what the specs ask for was not known after {MOST_QUESTIONS} questions, each of which followed from the last"
    );
    Err(TargetError::Unsupported { what: target.uri(), detail })
}

/// What is asked of the keys directly below `trees`; none where their paths have more than `most` bytes. What is no part of a tree,
/// since it is another place, is left out, as is what is known already.
fn below(trees: &[Key], facts: &Facts, most: usize) -> Option<BTreeMap<Key, Ask>> {
    let mut level = BTreeMap::new();
    let mut left = most;
    for tree in trees {
        let Some(Answer::Present(names)) = facts.subkeys(tree) else { continue };
        // Before any of the paths is made.
        let paths = names.iter().map(|name| tree.path.below_root().len() + name.as_str().len()).sum();
        left = left.checked_sub(paths)?;
        for name in names {
            let key = tree.child(&name);
            let known = facts.all_values(&key).is_some() && facts.subkeys(&key).is_some();
            if !known && key.one_name(false) == key {
                level.insert(key, Ask::tree());
            }
        }
    }
    Some(level)
}

fn too_much(target: &dyn Target, what: &str) -> TargetError {
    let detail = format!("{what}: it is damaged, or made to use up memory");
    TargetError::Unsupported { what: target.uri(), detail }
}

/// Asks the target again what `facts` answer.
///
/// # Errors
/// [`TargetError`] when the target as a whole cannot be read.
pub fn observe_again(target: &mut dyn Target, facts: &Facts) -> Result<Facts, TargetError> {
    let (queries, files) = facts.questions();
    let mut now = Facts::default();
    read_keys_into(&mut now, target, &queries)?;
    read_files_into(&mut now, target, &files)?;
    Ok(now)
}

fn read_keys_into(facts: &mut Facts, target: &mut dyn Target, queries: &[KeyQuery]) -> Result<(), TargetError> {
    if !queries.is_empty() {
        for (query, answer) in queries.iter().zip(target.read_keys(queries)?) {
            facts.record_key(query, answer);
        }
    }
    Ok(())
}

fn read_files_into(facts: &mut Facts, target: &mut dyn Target, files: &[String]) -> Result<(), TargetError> {
    if !files.is_empty() {
        for (path, answer) in files.iter().zip(target.read_files(files)?) {
            facts.record_file(path, answer);
        }
    }
    Ok(())
}
