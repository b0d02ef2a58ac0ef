//! What a target answers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    registry::{Data, KeyName, KeyProperties, ValueName},
    version::{FileVersion, Platform},
};

/// An answer to a question about one key, value or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// It is there, and this is it.
    Present(T),
    /// It was looked for and is not there.
    Absent,
    /// It could not be read: neither there nor not there may be concluded.
    Unread(Unread),
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(deny_unknown_fields)]
#[error("{reason}: {detail}")]
pub struct Unread {
    /// The kind of reason.
    pub reason: Reason,
    /// One sentence for people.
    pub detail: String,
}

/// The kinds of reason why something could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The system denied access.
    Denied,
    /// It is there, but damaged.
    Malformed,
    /// It is there, but kbfix or the target's format cannot express it.
    Unsupported,
    /// The target does not cover it: an export or a snapshot that does not hold that key or file.
    Unknown,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Denied => "access denied",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::Unknown => "unknown",
        })
    }
}

impl Unread {
    /// A reason with its sentence.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// A key that is a registry link, or below one, that Windows did not make.
    pub(super) fn linked(link: &dyn std::fmt::Display, to: &str) -> Self {
        let detail = format!(
            "{link} is a link to {to}; kbfix follows only the links that Windows makes, so name the key that is meant"
        );
        Self::new(Reason::Unsupported, detail)
    }
}

impl<T> Answer<T> {
    /// An unread answer.
    pub fn unread(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Unread(Unread::new(reason, detail))
    }

    /// By reference.
    pub fn as_ref(&self) -> Answer<&T> {
        match self {
            Self::Present(t) => Answer::Present(t),
            Self::Absent => Answer::Absent,
            Self::Unread(why) => Answer::Unread(why.clone()),
        }
    }

    /// What is there, absent as `None`.
    ///
    /// # Errors
    /// The reason, where it could not be read.
    pub fn known(self) -> Result<Option<T>, Unread> {
        match self {
            Self::Present(t) => Ok(Some(t)),
            Self::Absent => Ok(None),
            Self::Unread(why) => Err(why),
        }
    }

    /// The same answer with another content.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Present(t) => Answer::Present(f(t)),
            Self::Absent => Answer::Absent,
            Self::Unread(why) => Answer::Unread(why),
        }
    }
}

impl<T> From<Option<T>> for Answer<T> {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::Absent, Self::Present)
    }
}

/// What was read of one key that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// Asked for by name: an answer for every name asked. Asked for all: the values that are there, none absent.
    /// A name prints as it was found.
    pub values: BTreeMap<ValueName, Answer<Data>>,
    /// Its class name and security descriptor, where all values were asked for.
    pub properties: Option<Answer<KeyProperties>>,
    /// The names of the subkeys, where they were asked for.
    pub subkeys: Option<Vec<KeyName>>,
}

/// What was read of one file that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// Its size in bytes.
    pub size: u64,
    /// The platform its PE header names; none where it is no PE or another platform.
    pub platform: Option<Platform>,
    /// Its fixed file version. Absent: a PE without one, or no PE.
    pub version: Answer<FileVersion>,
}
