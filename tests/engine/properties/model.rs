//! A simple model of a registry: a map. As a target it shares no code with the other targets, and it can fail on
//! request.

use std::collections::BTreeMap;

use kbfix::{
    registry::{Data, Key, KeyName, ValueName},
    targets::{
        Answer, ChangeAction, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, Target, TargetError, ValueSelection,
        WriteError, WriteFailure,
    },
};

pub(crate) type Keys = BTreeMap<Key, BTreeMap<ValueName, Data>>;

/// How the target fails once `left` single steps (a key or a value) are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Never.
    None,
    /// Only this step fails, for example because another program holds the key.
    Once,
    /// Every later step fails: the disk is full.
    Writes,
    /// Later reads fail too, because the connection is lost or the process has ended.
    Dead,
    /// The target reports that the step is done, but it is not.
    Lie,
}

pub(crate) struct Model {
    pub(crate) keys: Keys,
    pub(crate) fault: Fault,
    /// The number of steps before the fault.
    pub(crate) left: usize,
    pub(crate) steps: usize,
}

impl Model {
    pub(crate) fn new(machine: &[(Key, Vec<(ValueName, Data)>)]) -> Self {
        let keys = machine.iter().map(|(key, values)| (key.clone(), values.iter().cloned().collect())).collect();
        Self { keys, fault: Fault::None, left: 0, steps: 0 }
    }

    /// Returns whether to carry out the step.
    fn step(&mut self, place: &Key) -> Result<bool, WriteError> {
        self.steps += 1;
        if self.fault == Fault::None {
            return Ok(true);
        }
        if self.left > 0 {
            self.left -= 1;
            return Ok(true);
        }
        let failed = || WriteError::Io { place: place.to_string(), source: std::io::Error::other("the fault") };
        match self.fault {
            Fault::Once => {
                self.fault = Fault::None;
                Err(failed())
            }
            Fault::Lie => {
                self.fault = Fault::None;
                Ok(false)
            }
            _ => Err(failed()),
        }
    }

    fn is_there(&self, key: &Key) -> bool {
        self.keys.contains_key(key)
            || key.path.last().is_none()
            || self.keys.keys().any(|k| k.path.is_within(&key.path))
    }

    fn subkeys(&self, key: &Key) -> Vec<KeyName> {
        let below = self.keys.keys().filter_map(|k| k.path.relative_to(&key.path)).filter(|rest| !rest.is_empty());
        let mut names: Vec<KeyName> =
            below.map(|rest| KeyName::new(rest.split('\\').next().unwrap()).unwrap()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn change(&mut self, change: &KeyChange) -> Result<(), WriteError> {
        let key = &change.key;
        let stale = |found: &str| WriteError::Stale {
            place: key.to_string(),
            expected: format!("{:?}", change.action),
            found: found.to_owned(),
        };
        match change.action {
            ChangeAction::Create if self.is_there(key) => return Err(stale("present")),
            ChangeAction::Create if !key.parent().is_some_and(|parent| self.is_there(&parent)) => {
                return Err(stale("no parent"));
            }
            ChangeAction::Update | ChangeAction::Delete if !self.keys.contains_key(key) => return Err(stale("absent")),
            ChangeAction::Delete if !self.subkeys(key).is_empty() => return Err(stale("subkeys")),
            _ => {}
        }
        let there = self.keys.get(key).cloned().unwrap_or_default();
        if change.values.iter().any(|v| there.get(&v.name) != v.before.as_ref()) {
            return Err(stale("another value"));
        }
        if change.action == ChangeAction::Delete && there.len() != change.values.len() {
            return Err(stale("more values"));
        }
        if change.action == ChangeAction::Create && self.step(key)? {
            self.keys.insert(key.clone(), BTreeMap::new());
        }
        for value in &change.values {
            if !self.step(key)? {
                continue;
            }
            let Some(values) = self.keys.get_mut(key) else { return Err(stale("absent")) };
            match &value.after {
                Some(data) => values.insert(value.name.clone(), data.clone()),
                None => values.remove(&value.name),
            };
        }
        if change.action == ChangeAction::Delete && self.step(key)? {
            self.keys.remove(key);
        }
        Ok(())
    }
}

impl Target for Model {
    fn uri(&self) -> String {
        "model".to_owned()
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        if self.fault == Fault::Dead && self.left == 0 {
            return Err(TargetError::Io { what: "model".to_owned(), source: std::io::Error::other("the fault") });
        }
        let one = |query: &KeyQuery| {
            if !self.is_there(&query.key) {
                return Answer::Absent;
            }
            let there = self.keys.get(&query.key).cloned().unwrap_or_default();
            let values = match &query.values {
                ValueSelection::All => there.into_iter().map(|(name, data)| (name, Answer::Present(data))).collect(),
                ValueSelection::Names(names) => {
                    names.iter().map(|name| (name.clone(), there.get(name).cloned().into())).collect()
                }
            };
            Answer::Present(KeyFacts {
                values,
                subkeys: query.subkeys.then(|| Answer::Present(self.subkeys(&query.key))),
                ..KeyFacts::default()
            })
        };
        Ok(queries.iter().map(one).collect())
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        Ok(paths.iter().map(|_| Answer::Absent).collect())
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        Ok(Lock::new(()))
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        changes.iter().enumerate().try_for_each(|(at, change)| {
            self.change(change).map_err(|error| {
                let refused = matches!(error, WriteError::Stale { .. });
                WriteFailure { error, begun: changes[..at + usize::from(!refused)].to_vec() }
            })
        })
    }
}
