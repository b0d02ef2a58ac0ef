//! Facts as snapshots and plans write them: a list of keys and one of files.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    registry::Key,
    targets::{Answer, FileFacts},
};

use super::{Asked, Facts, FilePath, KeyRecord};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FactsDocument {
    /// What was found of each key.
    keys: Vec<KeyEntry>,
    /// What was found of each file.
    files: Vec<FileEntry>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct KeyEntry {
    #[serde(flatten)]
    key: Key,
    /// The key is there, absent, or could not be read.
    found: Answer<KeyRecord>,
    /// What was asked of it, where it could not be read; only whether it is there, where this is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Asked>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    /// The file's path.
    path: FilePath,
    /// The file is there, absent, or could not be read.
    found: Answer<FileFacts>,
}

impl From<FactsDocument> for Facts {
    fn from(document: FactsDocument) -> Self {
        let (mut keys, mut asked) = (BTreeMap::new(), BTreeMap::new());
        for KeyEntry { key, found, asked: question } in document.keys {
            asked.extend(question.map(|question| (key.clone(), question)));
            keys.insert(key, found);
        }
        Self { keys, asked, files: document.files.into_iter().map(|e| (e.path, e.found)).collect() }
    }
}

impl From<Facts> for FactsDocument {
    fn from(mut facts: Facts) -> Self {
        let mut entry = |(key, found)| {
            let asked = facts.asked.remove(&key).filter(|_| matches!(found, Answer::Unread(_)));
            KeyEntry { key, found, asked }
        };
        Self {
            keys: facts.keys.into_iter().map(&mut entry).collect(),
            files: facts.files.into_iter().map(|(path, found)| FileEntry { path, found }).collect(),
        }
    }
}
