//! The queries that are made while a spec is planned, and digests of their answers. With these,
//! [`SharedPlans`](crate::plan::SharedPlans) finds the machines for which a plan that was already made can be used
//! again.

use sha2::{Digest as _, Sha256};

use crate::{
    registry::{Key, ValueName},
    targets::Facts,
};

/// A SHA-256 by which kbfix recognizes equal answers to queries, or equal plans of earlier specs.
pub(crate) type AnswerDigest = [u8; 32];

/// A query to a [`Reader`](super::Reader).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Query {
    /// Asks whether the key exists.
    Key(Key),
    /// Asks for the data of a value, the spelling of its name, and whether its data is sensitive.
    Value(Key, ValueName),
    /// Asks for all values of the key.
    Values(Key),
    /// Asks for the properties of the key: its class name and security descriptor.
    Properties(Key),
    /// Asks for the names of the key's subkeys.
    Subkeys(Key),
    /// Asks for the facts about the file at this path.
    File(String),
    /// Asks for the settings of policy stores for a value.
    Policy(Key, ValueName),
}

impl Query {
    /// Returns the key that the query is about; `None` for a file.
    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            Self::Key(key)
            | Self::Value(key, _)
            | Self::Values(key)
            | Self::Properties(key)
            | Self::Subkeys(key)
            | Self::Policy(key, _) => Some(key),
            Self::File(_) => None,
        }
    }

    /// Returns the digest of the answer that the facts contain. It is the same for the same answer.
    pub(crate) fn answer(&self, facts: &Facts) -> AnswerDigest {
        let bytes = match self {
            Self::Key(key) => serde_json::to_vec(&facts.key(key)),
            Self::Value(key, name) => {
                serde_json::to_vec(&(facts.value(key, name), facts.spelled(key, name), facts.is_hidden(key, name)))
            }
            Self::Values(key) => serde_json::to_vec(&facts.all_values(key)),
            Self::Properties(key) => serde_json::to_vec(&facts.properties(key)),
            Self::Subkeys(key) => serde_json::to_vec(&facts.subkeys(key)),
            Self::File(path) => serde_json::to_vec(&facts.file(path)),
            Self::Policy(key, name) => {
                let answers = facts.policies(key, name).map(|answers| {
                    answers.map(|answers| {
                        let each = answers.into_iter();
                        each.map(|one| {
                            (one.store.store, one.store.path.clone(), one.says.cloned().map_err(Clone::clone))
                        })
                        .collect::<Vec<_>>()
                    })
                });
                serde_json::to_vec(&answers)
            }
        };
        // Answers can always be written as JSON.
        Sha256::digest(bytes.unwrap_or_default()).into()
    }
}
