//! A target's answers to questions about keys, values and files.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    registry::{Data, KeyName, KeyProperties, ValueName},
    version::{FileVersion, Platform},
};

/// The answer of a target to a query about one key, value or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// The item exists and has this content.
    Present(T),
    /// The target was searched, and the item does not exist.
    Absent,
    /// The item could not be read, so it is unknown whether it exists.
    Unread(Unread),
}

/// The reason why a key, value or file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(deny_unknown_fields)]
#[error("{reason}: {detail}")]
pub struct Unread {
    /// The kind of the reason.
    pub reason: Reason,
    /// The reason as a sentence for people.
    pub detail: String,
}

/// The kinds of reasons why something could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The system denied access.
    Denied,
    /// The item exists, but its stored form is damaged.
    Malformed,
    /// The item exists, but neither kbfix nor the target's format can express it.
    Unsupported,
    /// A policy file does not set the item, so Group Policy does not change it.
    NotConfigured,
    /// The target does not contain information about the item. An example is an export or a snapshot without the key or
    /// file.
    Unknown,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Denied => "access denied",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::NotConfigured => "not configured",
            Self::Unknown => "unknown",
        })
    }
}

impl Unread {
    /// Returns a reason of this kind with this sentence.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// Returns the reason for not reading a key that is, or is below, a registry link that Windows itself did not make.
    pub(super) fn linked(link: &dyn std::fmt::Display, to: &str) -> Self {
        let detail = format!(
            "{link} is a link to {to}; kbfix follows only the links that Windows itself makes, so name the \
                real key instead"
        );
        Self::new(Reason::Unsupported, detail)
    }
}

impl<T> Answer<T> {
    /// Returns an answer with the reason why the item could not be read.
    pub fn unread(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Unread(Unread::new(reason, detail))
    }

    /// Returns the same answer with a reference to its content.
    pub fn as_ref(&self) -> Answer<&T> {
        match self {
            Self::Present(t) => Answer::Present(t),
            Self::Absent => Answer::Absent,
            Self::Unread(why) => Answer::Unread(why.clone()),
        }
    }

    /// Returns the content, or `None` if the item is absent.
    ///
    /// # Errors
    /// Returns the reason if the item could not be read.
    pub fn known(self) -> Result<Option<T>, Unread> {
        match self {
            Self::Present(t) => Ok(Some(t)),
            Self::Absent => Ok(None),
            Self::Unread(why) => Err(why),
        }
    }

    /// Returns the result of `f` for the content, or the same answer if there is no content.
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Answer<U>) -> Answer<U> {
        match self {
            Self::Present(t) => f(t),
            Self::Absent => Answer::Absent,
            Self::Unread(why) => Answer::Unread(why),
        }
    }

    /// Returns the same answer with the content converted by `f`.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answer<U> {
        self.and_then(|t| Answer::Present(f(t)))
    }
}

impl Answer<Data> {
    /// Returns the state of a value, as `before` and `after` of a change have it: data, `None` if it is absent, or
    /// [`Data::not_configured`].
    ///
    /// # Errors
    /// Returns the reason if it could not be read.
    pub fn state(self) -> Result<Option<Data>, Unread> {
        match self {
            Self::Unread(why) if why.reason == Reason::NotConfigured => Ok(Some(Data::not_configured())),
            other => other.known(),
        }
    }

    /// Returns the answer for the state of a value after a change.
    pub(super) fn of_state(state: Option<Data>) -> Self {
        match state {
            Some(data) if data.is_not_configured() => Self::not_configured(),
            other => other.into(),
        }
    }
}

impl<T> Answer<T> {
    /// Returns the answer for something that a policy file does not set.
    pub(super) fn not_configured() -> Self {
        Self::unread(Reason::NotConfigured, "the policy file does not set it, so Group Policy does not change it")
    }
}

impl Answer<()> {
    /// Returns whether values can be set in the key without creating it: it exists, or it is a key of a policy file.
    ///
    /// # Errors
    /// Returns the reason if it is not known.
    pub fn holds_values(self) -> Result<bool, Unread> {
        match self {
            Self::Unread(why) if why.reason == Reason::NotConfigured => Ok(true),
            other => Ok(other.known()?.is_some()),
        }
    }
}

impl<T> From<Option<T>> for Answer<T> {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::Absent, Self::Present)
    }
}

/// The facts that were read about an existing key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// The values. If the query named values, there is an answer for each name. If the query asked for all values, only
    /// existing values are here, and in a policy file also the values that it deletes. The names are spelled as in the
    /// target.
    pub values: BTreeMap<ValueName, Answer<Data>>,
    /// The reason why it is not known whether the key exists, although there are answers about its values: a policy
    /// file sets nothing in the key.
    pub unsure: Option<Unread>,
    /// The class name and security descriptor; `None` unless all values were asked for.
    pub properties: Option<Answer<KeyProperties>>,
    /// The names of the subkeys; `None` unless they were asked for.
    pub subkeys: Option<Vec<KeyName>>,
}

impl KeyFacts {
    /// The name that, in a policy file, means all values of a key that the file does not name. They are absent if the
    /// file deletes them, otherwise not configured.
    pub const OTHER_VALUES: &str = "**DelVals.";
}

/// The facts that were read about an existing file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// The size in bytes.
    pub size: u64,
    /// The platform in the PE header; `None` if the file is not a PE file or is for another platform.
    pub platform: Option<Platform>,
    /// The fixed file version from the version resource; absent if the file has none or is not a PE file.
    pub version: Answer<FileVersion>,
}
