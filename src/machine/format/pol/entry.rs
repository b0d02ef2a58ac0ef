//! The entries of a policy file, and their meaning.

use std::ops::Range;

use crate::registry::{Data, Decoded, KeyPath, RootKey, ValueName};

/// A part of the file: original or new bytes.
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
    /// Returns the key, or the reason why kbfix does not understand the entry.
    pub fn key(&self) -> Result<&KeyPath, &str> {
        self.meaning.as_ref().map(|(key, _)| key).map_err(String::as_str)
    }

    /// Returns what Windows does for the entry, or the reason why kbfix does not understand it: a name is not valid.
    pub fn instruction(&self) -> Result<&Instruction, &str> {
        self.meaning.as_ref().map(|(_, instruction)| instruction).map_err(String::as_str)
    }

    /// Returns the position of an entry in bytes from the beginning of the file; `None` for a new entry.
    pub fn offset(&self) -> Option<usize> {
        match &self.raw {
            Raw::Span(range) => Some(range.start),
            Raw::New(_) => None,
        }
    }
}

/// The action of Windows for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// Sets the value to the data, and creates the key if it is missing.
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
    /// `**DeleteValues`: deletes these values.
    DeleteValues(Vec<ValueName>),
    /// `**DelVals`: deletes all values of the key.
    DeleteAllValues,
    /// `**DeleteKeys`: deletes these keys below the entry's key, with everything below them.
    DeleteKeys(Vec<KeyPath>),
    /// An empty value name and type 0: creates the key.
    CreateKey,
    /// `**SecureKey`: changes the key's permissions.
    SecureKey,
    /// `**Comment:` does nothing; this is the text after the colon. `ntuser.pol` contains the name of each GPO in a
    /// comment before its entries.
    Comment(String),
}

pub(super) const DELETE: &str = "**del.";
pub(super) const SOFT: &str = "**soft.";

/// Returns the action for the fields of an entry, or the reason why kbfix does not understand them.
pub(super) fn meaning(root: RootKey, key: &str, name: &str, data: Data) -> Result<(KeyPath, Instruction), String> {
    let path = |below: &str| KeyPath::from_parts(root, below).map_err(|error| error.to_string());
    if key.is_empty() {
        return Err("the key is empty".to_owned());
    }
    let key = path(key)?;
    let value = |name: &str| ValueName::new(name).map_err(|error| format!("a value name of {key}: {error}"));
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
    } else if name.is_empty() && data.value_type.0 == 0 {
        Instruction::CreateKey
    } else {
        Instruction::Set { name: value(name)?, data }
    };
    Ok((key, instruction))
}

/// Returns whether an entry with this value name would be an instruction.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with("**")
}

fn after<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    name.get(..word.len()).filter(|begin| begin.eq_ignore_ascii_case(word))?;
    name.get(word.len()..)
}

/// Returns the names of a list. They are in the data, separated by semicolons. In an older notation they follow the
/// instruction, separated by a space.
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
