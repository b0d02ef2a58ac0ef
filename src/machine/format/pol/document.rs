//! A policy file in memory: its settings and its bytes.

use std::collections::BTreeMap;

use super::{
    entry::{Entry, Instruction, Raw},
    error::PolError,
    parse::{self, HEADER},
};
use crate::registry::{KeyPath, RootKey, ValueName};

/// A policy file that can be read, edited and written.
///
/// [`Document::to_bytes`] returns the file byte for byte, except for edits.
#[derive(Debug, Clone)]
pub struct Document {
    source: Vec<u8>,
    /// The entries of the file in their order; `None` for a removed entry.
    entries: Vec<Option<Entry>>,
    /// Inserted entries. Each is written before the entry in `entries` whose index is its key in this map.
    inserted: BTreeMap<usize, Entry>,
    index: BTreeMap<KeyPath, KeyIndex>,
    /// The positions of the entries that delete keys, in file order.
    pub(super) deletions: Vec<Position>,
}

/// The position of an entry in file order. The entry with index `i` in `entries` has the position `2 * i + 1`. An entry
/// that is inserted before it has the position `2 * i`.
pub(super) type Position = usize;

/// The positions of the entries for one key, in file order. When an entry is removed or replaced, its position stays
/// here.
#[derive(Debug, Clone, Default)]
struct KeyIndex {
    all: Vec<Position>,
    /// For each value name, the positions of the entries that contain it.
    names: BTreeMap<ValueName, Vec<Position>>,
    /// The positions of the entries that delete all values of the key.
    clears: Vec<Position>,
}

impl Document {
    /// Returns a policy file without entries.
    pub fn empty() -> Self {
        Self {
            source: HEADER.to_vec(),
            entries: Vec::new(),
            inserted: BTreeMap::new(),
            index: BTreeMap::new(),
            deletions: Vec::new(),
        }
    }

    /// Parses a file whose keys are below `root`: HKLM for a machine policy, HKCU for a user policy.
    ///
    /// # Errors
    ///
    /// Returns [`PolError`], with the position, if the bytes are not a policy file or the file is too large. An entry
    /// with an invalid name is no such error; [`Entry::instruction`] then returns the reason.
    pub fn parse(bytes: Vec<u8>, root: RootKey) -> Result<Self, PolError> {
        let entries = parse::parse(&bytes, root)?;
        let mut document = Self { source: bytes, ..Self::empty() };
        document.entries.reserve(entries.len());
        entries.into_iter().for_each(|entry| document.push(entry));
        Ok(document)
    }

    /// Returns the entries in file order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        let each = |(at, entry)| self.inserted.get(&at).into_iter().chain(entry);
        self.entries.iter().map(Option::as_ref).enumerate().flat_map(each)
    }

    /// Returns the keys of the entries, sorted and without duplicates. They include keys whose entries an edit removed.
    pub fn keys(&self) -> impl Iterator<Item = &KeyPath> {
        self.index.keys()
    }

    /// Returns the bytes of the file, with all edits.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.source.len() + 1024);
        out.extend_from_slice(&HEADER);
        for entry in self.entries() {
            out.extend_from_slice(match &entry.raw {
                Raw::Span(range) => &self.source[range.clone()],
                Raw::New(bytes) => bytes,
            });
        }
        out
    }

    /// Returns those of [`Self::keys`] that are below `key`, sorted.
    pub(super) fn keys_below(&self, key: &KeyPath) -> impl Iterator<Item = &KeyPath> {
        self.index
            .range(key..)
            .map(|(below, _)| below)
            .take_while(move |below| below.is_within(key))
            .filter(move |below| *below != key)
    }

    /// Returns the entry at a position; `None` if it was removed.
    pub(super) fn at(&self, at: Position) -> Option<&Entry> {
        if at.is_multiple_of(2) { self.inserted.get(&(at / 2)) } else { self.entries.get(at / 2)?.as_ref() }
    }

    pub(super) fn remove_at(&mut self, at: Position) {
        match self.entries.get_mut(at / 2) {
            _ if at.is_multiple_of(2) => drop(self.inserted.remove(&(at / 2))),
            Some(entry) => *entry = None,
            None => {}
        }
    }

    /// Replaces the entry at a position. The new entry must not contain a value name that the old entry does not
    /// contain. An inserted entry (at an even position) is not replaced.
    pub(super) fn replace_at(&mut self, at: Position, entry: Entry) {
        if let Some(place) = self.entries.get_mut(at / 2).filter(|_| !at.is_multiple_of(2)) {
            *place = Some(entry);
        }
    }

    /// Returns the positions of a key's entries, in file order.
    pub(super) fn entries_of(&self, key: &KeyPath) -> impl DoubleEndedIterator<Item = Position> {
        self.index.get(key).into_iter().flat_map(|index| &index.all).copied()
    }

    /// Returns the positions of a key's entries that contain a value name, in file order.
    pub(super) fn entries_of_value(&self, key: &KeyPath, name: &ValueName) -> &[Position] {
        self.index.get(key).and_then(|index| index.names.get(name)).map_or(&[], Vec::as_slice)
    }

    /// Returns the positions of a key's entries that delete all its values, in file order.
    pub(super) fn clears(&self, key: &KeyPath) -> &[Position] {
        self.index.get(key).map_or(&[], |index| &index.clears)
    }

    /// Inserts an entry that deletes all values of a key. It is inserted before the key's first entry, which is at
    /// `first`.
    pub(super) fn insert_clear(&mut self, key: &KeyPath, first: Position, entry: Entry) {
        // Only entries of this kind are inserted, so an entry that is already at this position is the same.
        let at = first & !1;
        self.inserted.insert(at / 2, entry);
        let index = self.index.entry(key.clone()).or_default();
        for list in [&mut index.all, &mut index.clears] {
            if let Err(place) = list.binary_search(&at) {
                list.insert(place, at);
            }
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        if let Ok((key, instruction)) = &entry.meaning {
            let at = 2 * self.entries.len() + 1;
            let index = self.index.entry(key.clone()).or_default();
            index.all.push(at);
            match instruction {
                Instruction::Set { name, .. } | Instruction::Soft { name, .. } | Instruction::Delete(name) => {
                    index.names.entry(name.clone()).or_default().push(at);
                }
                Instruction::DeleteValues(names) => {
                    names.iter().for_each(|name| index.names.entry(name.clone()).or_default().push(at));
                }
                Instruction::DeleteAllValues => index.clears.push(at),
                Instruction::DeleteKeys(_) => self.deletions.push(at),
                Instruction::CreateKey | Instruction::SecureKey | Instruction::Unknown(_) | Instruction::Comment(_) => {
                }
            }
        }
        self.entries.push(Some(entry));
    }
}
