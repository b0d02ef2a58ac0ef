//! A target's answers to questions about keys, values and files.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    registry::{Data, KeyName, KeyProperties, ValueName},
    small_map::SmallMap,
    version::{FileVersion, Platform},
};

/// The answer of a target to one question, such as a question about a key, value or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// The key, value or file exists; its content follows.
    Present(T),
    /// The target was searched, and the key, value or file does not exist.
    Absent,
    /// The state of the key, value or file is not known, for this reason.
    Unread(Unread),
}

/// The reason why the state of a key, value or file is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(deny_unknown_fields)]
#[error("{reason}: {detail}")]
pub struct Unread {
    /// The kind of reason.
    pub reason: Reason,
    /// The reason in words. If access was denied, these words can be only the path of a file.
    // Shared, so that it can be cloned cheaply: many keys can have the same reason.
    pub detail: Arc<str>,
}

/// The kinds of reasons why the state of a key, value or file is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The system denied access.
    Denied,
    /// The key, value or file is not valid (for example, its bytes are damaged, or it is a folder instead of a file),
    /// or something that kbfix must read first, such as its hive, is not valid.
    Malformed,
    /// kbfix cannot read the key, value or file in this target, or cannot express it: for example, a registry link
    /// leads to the key, or the name is not valid Unicode.
    Unsupported,
    /// A policy file does not mention the key or value, so Group Policy leaves it as it is.
    NotConfigured,
    /// The target contains no information about the key, value or file, such as an export that does not contain the
    /// key; or an error occurred that does not show whether it exists.
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
    /// Returns a reason of this kind; `detail` is the reason in words.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into().into() }
    }

    /// Returns the reason as text for a message that has already named `place`. The text does not contain the `place`
    /// with which the detail perhaps begins.
    pub fn after(&self, place: &str) -> String {
        let rest = self.detail.strip_prefix(place);
        match (rest, rest.and_then(|rest| rest.strip_prefix(": "))) {
            (Some(""), _) => self.reason.to_string(),
            (_, Some(rest)) => format!("{}: {rest}", self.reason),
            (_, None) => self.to_string(),
        }
    }

    /// Returns the reason why kbfix does not read a key at or below a registry link that Windows itself did not make.
    /// `link` is the path of the link, and `to` is the key or text to which it leads.
    pub(super) fn linked(link: &dyn std::fmt::Display, to: &str) -> Self {
        let detail = format!(
            "{link} is a link to {to}; kbfix follows only the links that Windows itself makes, so name the \
                real key instead"
        );
        Self::new(Reason::Unsupported, detail)
    }
}

impl<T> Answer<T> {
    /// Returns the answer that the state is not known, with the reason; `detail` is the reason in words.
    pub fn unread(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Unread(Unread::new(reason, detail))
    }

    /// Returns the same answer, with a reference to the content instead of the content.
    pub fn as_ref(&self) -> Answer<&T> {
        match self {
            Self::Present(t) => Answer::Present(t),
            Self::Absent => Answer::Absent,
            Self::Unread(why) => Answer::Unread(why.clone()),
        }
    }

    /// Returns the content, or `None` if the key, value or file is absent.
    ///
    /// # Errors
    /// Returns the reason if the answer is [`Answer::Unread`].
    pub fn known(self) -> Result<Option<T>, Unread> {
        match self {
            Self::Present(t) => Ok(Some(t)),
            Self::Absent => Ok(None),
            Self::Unread(why) => Err(why),
        }
    }

    /// Returns the result of `f` for the content if there is content, otherwise the same answer.
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
    /// Returns the state of a value in the form of `before` and `after` in a change: its data, `None` if it is absent,
    /// or [`Data::not_configured`].
    ///
    /// # Errors
    /// Returns the reason if the value could not be read.
    pub fn state(self) -> Result<Option<Data>, Unread> {
        match self {
            Self::Unread(why) if why.reason == Reason::NotConfigured => Ok(Some(Data::not_configured())),
            other => other.known(),
        }
    }

    /// Returns the answer about a value whose state is `state`. This is the reverse of [`Self::state`]: `None` means
    /// that the value is absent.
    pub(super) fn of_state(state: Option<Data>) -> Self {
        match state {
            Some(data) if data.is_not_configured() => Self::not_configured(),
            other => other.into(),
        }
    }
}

impl<T> Answer<T> {
    /// Returns the answer about a value that a policy file neither sets nor deletes.
    pub(super) fn not_configured() -> Self {
        Self::unread(
            Reason::NotConfigured,
            "the policy file neither sets nor deletes this value, so this file does not change it on the machine",
        )
    }
}

impl Answer<()> {
    /// Returns whether values can be set in the key without creating the key first: true if the key exists, or if the
    /// answer is [`Reason::NotConfigured`], because a policy file can set values in any key; false if the key is
    /// absent.
    ///
    /// # Errors
    /// Returns the reason if the answer is [`Answer::Unread`] with any other kind of reason.
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

/// The facts that were read about a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// The values, with their names spelled as in the target.
    ///
    /// If the query named values, there is an answer for each name. If the query asked for all values, there is an
    /// answer for each existing value. A policy file adds [`Self::OTHER_VALUES`] and the values that it deletes, unless
    /// it deletes all values of the key.
    pub values: SmallMap<ValueName, Answer<Data>>,
    /// The reason why it is not known whether the key exists, although there are answers about its values. This occurs
    /// if a policy file sets nothing in or below the key.
    pub unsure: Option<Unread>,
    /// The class name and security descriptor of the key; `None` if the query did not ask for all values.
    pub properties: Option<Answer<KeyProperties>>,
    /// The names of the subkeys, or the reason why the subkeys could not be read although the key could; `None` if the
    /// query did not ask for subkeys.
    pub subkeys: Option<Answer<Vec<KeyName>>>,
}

impl KeyFacts {
    /// In the facts from a policy file, the value name that stands for all values of a key that the file does not
    /// mention. The answer about this name is absent if the file deletes all values of the key, otherwise not
    /// configured.
    pub const OTHER_VALUES: &str = "**DelVals.";
}

/// The facts that were read about an existing file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// The size of the file in bytes.
    pub size: u64,
    /// The platform in the PE header; `None` if the file is not a PE file, if its headers are damaged, or if it is for
    /// a platform that kbfix does not know.
    pub platform: Option<Platform>,
    /// The fixed file version from the version resource; absent if the file has no version or is not a PE file.
    pub version: Answer<FileVersion>,
}
