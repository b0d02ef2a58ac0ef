//! The JSON form of facts in snapshots and plans: a list of keys, a list of files, and the settings of policy stores.

use std::{fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{
    Deserialize, Serialize, Serializer,
    de::{Deserializer, Error as _, MapAccess, Visitor},
};

use crate::{
    registry::{Data, Key, ValueName},
    small_map::SmallMap,
    targets::{Answer, FileFacts, PolicyFacts},
};

use super::{Asked, Facts, FilePath, KeyRecord};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FactsDocument {
    /// The facts of each key.
    keys: Vec<KeyEntry>,
    /// The facts of each file.
    files: Vec<FileEntry>,
    /// The settings of policy stores; missing if no policy store was queried.
    #[serde(default)]
    policies: Vec<PolicyFacts>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    #[serde(flatten)]
    key: Key,
    /// The answer of the target: the key exists, is absent, or could not be read.
    found: Answer<KeyRecord>,
    /// For a key that could not be read, the question about it; if missing, kbfix asked only whether the key exists.
    /// Missing for other keys.
    asked: Option<Asked>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    /// The path of the file.
    path: FilePath,
    /// The answer of the target: the file exists, is absent, or could not be read.
    found: Answer<FileFacts>,
}

impl TryFrom<FactsDocument> for Facts {
    type Error = String;

    fn try_from(document: FactsDocument) -> Result<Self, String> {
        let mut facts = Self::default();
        for KeyEntry { key, found, asked } in document.keys {
            facts.asked.extend(asked.map(|question| (key.clone(), question)));
            if facts.keys.insert(key.clone(), found.map(Arc::new)).is_some() {
                return Err(format!("{key} is given twice"));
            }
        }
        for FileEntry { path, found } in document.files {
            if facts.files.insert(path.clone(), found).is_some() {
                return Err(format!("{} is given twice", path.0));
            }
        }
        for policies in document.policies {
            if let Some(fault) = policies.fault() {
                return Err(fault);
            }
            let scope = policies.scope.clone();
            if facts.policies.insert(scope.clone(), Arc::new(policies)).is_some() {
                return Err(format!("the policy stores of {scope} are given twice"));
            }
        }
        Ok(facts)
    }
}

/// Reads a map from value names to answers. Returns an error if a name occurs twice, in any letter case.
pub(super) fn values<'de, D: Deserializer<'de>>(from: D) -> Result<SmallMap<ValueName, Answer<Data>>, D::Error> {
    struct Values;
    impl<'de> Visitor<'de> for Values {
        type Value = SmallMap<ValueName, Answer<Data>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("values by name")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut values = SmallMap::new();
            while let Some((name, answer)) = members.next_entry::<ValueName, _>()? {
                if values.contains_key(&name) {
                    return Err(A::Error::custom(format!("the value {name:?} is given twice")));
                }
                values.insert(name, answer);
            }
            Ok(values)
        }
    }
    from.deserialize_map(Values)
}

/// The JSON form of facts for writing. It borrows the facts, so they are not copied.
#[derive(Serialize)]
struct Written<'a> {
    keys: WrittenKeys<'a>,
    files: WrittenFiles<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<&'a PolicyFacts>,
}

/// The keys of the facts. Each is serialized before the next one is converted, because all of them together would take
/// much memory.
struct WrittenKeys<'a>(&'a Facts);

impl Serialize for WrittenKeys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.keys.iter().map(|(key, found)| {
            let asked = self.0.asked.get(key).filter(|_| matches!(found, Answer::Unread(_)));
            WrittenKey { key, found: found.as_ref().map(Arc::as_ref), asked }
        }))
    }
}

/// The files of the facts. Each is serialized before the next one is converted.
struct WrittenFiles<'a>(&'a Facts);

impl Serialize for WrittenFiles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.files.iter().map(|(path, found)| WrittenFile { path, found }))
    }
}

#[derive(Serialize)]
struct WrittenKey<'a> {
    #[serde(flatten)]
    key: &'a Key,
    found: Answer<&'a KeyRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<&'a Asked>,
}

#[derive(Serialize)]
struct WrittenFile<'a> {
    path: &'a FilePath,
    found: &'a Answer<FileFacts>,
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let policies = self.policies.values().map(Arc::as_ref).collect();
        Written { keys: WrittenKeys(self), files: WrittenFiles(self), policies }.serialize(serializer)
    }
}
