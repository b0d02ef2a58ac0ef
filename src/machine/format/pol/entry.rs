//! The entries of a policy file, and what Windows does for each of them.

use std::ops::Range;

use crate::registry::{Data, Decoded, KeyPath, RootKey, ValueName};

/// A part of a policy file: a range of the original bytes, or new bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    /// A range of the original bytes.
    Span(Range<usize>),
    /// New bytes.
    New(Vec<u8>),
}

/// One entry of a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(super) raw: Raw,
    pub(super) meaning: Result<(KeyPath, Instruction), String>,
}

impl Entry {
    /// Returns the key of the entry, or the same error as [`Self::instruction`].
    pub fn key(&self) -> Result<&KeyPath, &str> {
        self.meaning.as_ref().map(|(key, _)| key).map_err(String::as_str)
    }

    /// Returns what Windows does for the entry, or the reason why kbfix cannot interpret the entry, such as an invalid
    /// name. The reason begins with the position of the entry.
    pub fn instruction(&self) -> Result<&Instruction, &str> {
        self.meaning.as_ref().map(|(_, instruction)| instruction).map_err(String::as_str)
    }

    /// Returns the position of the entry in bytes from the beginning of the file; `None` for a new entry.
    pub fn offset(&self) -> Option<usize> {
        match &self.raw {
            Raw::Span(range) => Some(range.start),
            Raw::New(_) => None,
        }
    }
}

/// What Windows does when it processes an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// Sets the value to the data, and creates the key if it is absent.
    Set {
        /// The value name.
        name: ValueName,
        /// The data.
        data: Data,
    },
    /// `**soft.NAME`: sets the value only if it is absent.
    Soft {
        /// The value name.
        name: ValueName,
        /// The data.
        data: Data,
    },
    /// `**del.NAME`: deletes the value.
    Delete(ValueName),
    /// `**DeleteValues`: deletes the values with these names.
    DeleteValues(Vec<ValueName>),
    /// `**DelVals`: deletes all values of the key.
    DeleteAllValues,
    /// `**DeleteKeys`: deletes these keys below the entry's key, with everything below them.
    DeleteKeys(Vec<KeyPath>),
    /// Creates the key. Such an entry has an empty value name and type 0.
    CreateKey,
    /// `**SecureKey`: changes the key's permissions.
    SecureKey,
    /// Another value name that begins with `**`. A program that processes policies must skip an instruction that it
    /// does not know (Microsoft, "Control Codes", MSDN Library 1998).
    Unknown(String),
    /// `**Comment:` does nothing; the string is the text after the colon. In `ntuser.pol`, such an entry precedes the
    /// entries of each GPO and contains its name.
    Comment(String),
}

pub(super) const DELETE: &str = "**del.";
pub(super) const SOFT: &str = "**soft.";

/// Returns the key and what Windows does for an entry with these fields, or the reason why kbfix cannot interpret them.
pub(super) fn meaning(root: RootKey, key: &str, name: &str, data: Data) -> Result<(KeyPath, Instruction), String> {
    let path = |below: &str| KeyPath::from_parts(root, below).map_err(|error| error.to_string());
    if key.is_empty() {
        return Err("the path of the key below the root key is empty".to_owned());
    }
    let key = path(key)?;
    let value = |name: &str| ValueName::new(name).map_err(|error| format!("a value name of the key {key}: {error}"));
    let instruction = if let Some(name) = after(name, SOFT) {
        Instruction::Soft { name: value(name)?, data }
    } else if let Some(name) = after(name, DELETE) {
        Instruction::Delete(value(name)?)
    } else if let Some(rest) = after(name, "**DeleteValues") {
        Instruction::DeleteValues(list(&key, rest, &data)?.iter().map(|name| value(name)).collect::<Result<_, _>>()?)
    } else if let Some(rest) = after(name, "**DeleteKeys") {
        let below = |name: &String| path(&format!(r"{}\{name}", key.below_root()));
        Instruction::DeleteKeys(list(&key, rest, &data)?.iter().map(below).collect::<Result<_, _>>()?)
    } else if after(name, "**DelVals").is_some() {
        Instruction::DeleteAllValues
    } else if after(name, "**SecureKey").is_some() {
        Instruction::SecureKey
    } else if let Some(text) = after(name, "**Comment:") {
        Instruction::Comment(text.to_owned())
    } else if is_reserved(name) {
        Instruction::Unknown(name.to_owned())
    } else if name.is_empty() && data.value_type.0 == 0 {
        Instruction::CreateKey
    } else {
        Instruction::Set { name: value(name)?, data }
    };
    Ok((key, instruction))
}

/// Returns whether Windows reads this value name as an instruction, such as `**del.NAME`.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with("**")
}

fn after<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    name.get(..word.len()).filter(|begin| begin.eq_ignore_ascii_case(word))?;
    name.get(word.len()..)
}

/// Returns the names in an instruction for several values or keys.
///
/// The names are in the data, separated by semicolons. In an older notation, they are in `rest`, the text after the
/// instruction. Returns an error message, which names `key`, if the data is not valid text.
fn list(key: &KeyPath, rest: &str, data: &Data) -> Result<Vec<String>, String> {
    let text = match Data::new(crate::registry::ValueType::SZ, data.bytes.clone()).decode() {
        Decoded::Text(text) => text,
        _ if data.bytes.is_empty() => String::new(),
        Decoded::Malformed(why) => return Err(format!("a list of names for {key}: {why}")),
        _ => String::new(),
    };
    Ok([rest, &text]
        .iter()
        .flat_map(|text| text.split(';'))
        .map(|name| name.trim_matches(' '))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}
