//! A policy file in memory: its settings and its bytes.

use std::collections::BTreeMap;

use super::{
    entry::{Entry, Instruction, Raw},
    error::PolError,
    parse::{self, HEADER},
};
use crate::registry::{KeyPath, RootKey};

/// A policy file that can be read, edited and written.
///
/// [`Document::to_bytes`] returns the file byte for byte, except for edits.
#[derive(Debug, Clone)]
pub struct Document {
    source: Vec<u8>,
    /// The entries in file order; `None` for a removed entry.
    pub(super) entries: Vec<Option<Entry>>,
    /// The entries of each key, in file order.
    index: BTreeMap<KeyPath, Vec<usize>>,
    /// The entries that delete keys, in file order.
    pub(super) deletions: Vec<usize>,
}

impl Document {
    /// Returns a file without entries.
    pub fn empty() -> Self {
        Self { source: HEADER.to_vec(), entries: Vec::new(), index: BTreeMap::new(), deletions: Vec::new() }
    }

    /// Parses a file whose keys are below `root`: HKLM for a machine policy, HKCU for a user policy.
    ///
    /// # Errors
    ///
    /// Returns [`PolError`], with the position, if the bytes are not a policy file. An entry with an invalid name is
    /// not such an error; the entry itself reports it.
    pub fn parse(bytes: Vec<u8>, root: RootKey) -> Result<Self, PolError> {
        let entries = parse::parse(&bytes, root)?;
        let mut document = Self { source: bytes, ..Self::empty() };
        document.entries.reserve(entries.len());
        entries.into_iter().for_each(|entry| document.push(entry));
        Ok(document)
    }

    /// Returns the entries in file order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flatten()
    }

    /// Returns the keys that entries name, sorted and without duplicates.
    pub fn keys(&self) -> impl Iterator<Item = &KeyPath> {
        self.index.keys()
    }

    /// Returns the present bytes of the file.
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

    /// Returns the keys below `key` that entries name, sorted.
    pub(super) fn keys_below(&self, key: &KeyPath) -> impl Iterator<Item = &KeyPath> {
        self.index
            .range(key..)
            .map(|(below, _)| below)
            .take_while(move |below| below.is_within(key))
            .filter(move |below| *below != key)
    }

    pub(super) fn entries_of(&self, key: &KeyPath) -> impl DoubleEndedIterator<Item = usize> {
        self.index.get(key).into_iter().flatten().copied()
    }

    pub(super) fn insert(&mut self, at: usize, entry: Entry) {
        let after = self.entries.split_off(at);
        self.index.clear();
        self.deletions.clear();
        let before = std::mem::take(&mut self.entries);
        for entry in before.into_iter().flatten().chain([entry]).chain(after.into_iter().flatten()) {
            self.push(entry);
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        if let Ok((key, instruction)) = &entry.meaning {
            let at = self.entries.len();
            self.index.entry(key.clone()).or_default().push(at);
            if matches!(instruction, Instruction::DeleteKeys(_)) {
                self.deletions.push(at);
            }
        }
        self.entries.push(Some(entry));
    }
}
