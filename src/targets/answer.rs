//! The answers of a target.

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
    /// It exists, with this content.
    Present(T),
    /// It was looked for and does not exist.
    Absent,
    /// It could not be read, so it is not known whether it exists.
    Unread(Unread),
}

/// The reason why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(deny_unknown_fields)]
#[error("{reason}: {detail}")]
pub struct Unread {
    /// The kind of reason.
    pub reason: Reason,
    /// A sentence for people.
    pub detail: String,
}

/// The kinds of reason why something could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The system denied access.
    Denied,
    /// It exists, but is damaged.
    Malformed,
    /// It exists, but kbfix or the target's format cannot express it.
    Unsupported,
    /// A policy file says nothing about it, so Group Policy leaves it as it is.
    NotConfigured,
    /// The target does not cover it, as an export or a snapshot that does not contain the key or file.
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
    /// Returns a reason with its sentence.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// Returns the reason for a key that is, or is below, a registry link that Windows did not make.
    pub(super) fn linked(link: &dyn std::fmt::Display, to: &str) -> Self {
        let detail = format!(
            "{link} is a link to {to}; kbfix follows only the links that Windows makes, so name the key that is meant"
        );
        Self::new(Reason::Unsupported, detail)
    }
}

impl<T> Answer<T> {
    /// Returns an unread answer.
    pub fn unread(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Unread(Unread::new(reason, detail))
    }

    /// Returns the answer with a reference to its content.
    pub fn as_ref(&self) -> Answer<&T> {
        match self {
            Self::Present(t) => Answer::Present(t),
            Self::Absent => Answer::Absent,
            Self::Unread(why) => Answer::Unread(why.clone()),
        }
    }

    /// Returns the content, or `None` where it is absent.
    ///
    /// # Errors
    /// Returns the reason where it could not be read.
    pub fn known(self) -> Result<Option<T>, Unread> {
        match self {
            Self::Present(t) => Ok(Some(t)),
            Self::Absent => Ok(None),
            Self::Unread(why) => Err(why),
        }
    }

    /// Returns the same answer with the content converted by `f`.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Present(t) => Answer::Present(f(t)),
            Self::Absent => Answer::Absent,
            Self::Unread(why) => Answer::Unread(why),
        }
    }
}

impl Answer<Data> {
    /// Returns the state of a value, as `before` and `after` of a change have it: data, `None` where it is absent, or
    /// [`Data::not_configured`].
    ///
    /// # Errors
    /// Returns the reason where it could not be read.
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
    /// Returns the answer about something of which a policy file says nothing.
    pub(super) fn not_configured() -> Self {
        Self::unread(Reason::NotConfigured, "the policy file says nothing about it, so Group Policy leaves it as it is")
    }
}

impl Answer<()> {
    /// Returns whether values can be set in the key without creating it: it exists, or it is a key of a policy file.
    ///
    /// # Errors
    /// Returns the reason where it is not known.
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

/// The facts of a key that exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// The values. If named values were asked for: an answer for each of them. If all were asked for: those that exist,
    /// and in a policy file those that it deletes. The names are spelled as they were found.
    pub values: BTreeMap<ValueName, Answer<Data>>,
    /// The reason why it is not known whether the key exists, although its values are answered: a policy file sets nothing
    /// in it.
    pub unsure: Option<Unread>,
    /// The class name and security descriptor, where all values were asked for.
    pub properties: Option<Answer<KeyProperties>>,
    /// The names of the subkeys, where they were asked for.
    pub subkeys: Option<Vec<KeyName>>,
}

impl KeyFacts {
    /// The name that stands, in a policy file, for all values of a key that it does not name: absent where it deletes them,
    /// otherwise not configured.
    pub const OTHER_VALUES: &str = "**DelVals.";
}

/// The facts of a file that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// The size in bytes.
    pub size: u64,
    /// The platform in the PE header; missing where the file is not a PE file or is for another platform.
    pub platform: Option<Platform>,
    /// The fixed file version. Absent: a PE file without one, or not a PE file.
    pub version: Answer<FileVersion>,
}
