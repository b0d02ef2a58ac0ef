//! Sections and entries, as they stand in the file.

use std::ops::Range;

use crate::registry::{Data, KeyPath, ValueName};

/// A piece of the file: bytes of it as they were read, or new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    /// A range of the bytes that were read.
    Span(Range<usize>),
    /// New bytes.
    New(Vec<u8>),
}

impl Raw {
    pub(super) fn bytes<'a>(&'a self, source: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Span(range) => &source[range.clone()],
            Self::New(bytes) => bytes,
        }
    }
}

/// One `"name"=data` of a section, with its continuation lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(super) line: usize,
    pub(super) name: Result<ValueName, String>,
    pub(super) content: Content,
    /// Where the data stands in the entry's raw bytes.
    pub(super) data_at: Range<usize>,
    pub(super) line_break_escape: bool,
}

/// What an entry says about its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The value has this data.
    Data(Data),
    /// `"name"=-`: the value is to be deleted.
    Delete,
    /// Text that is not valid in the file's encoding; the sentence says what.
    Malformed(String),
}

impl Entry {
    /// The line on which it begins, from 1; 0 for one that was added since.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The value name; the sentence says why it cannot be read.
    pub fn name(&self) -> Result<&ValueName, &str> {
        self.name.as_ref().map_err(String::as_str)
    }

    /// Whether its name or string has `\n` or `\r`, which are line breaks, and in a path hardly meant so.
    pub fn has_line_break_escape(&self) -> bool {
        self.line_break_escape
    }

    /// What it says about the value.
    pub fn content(&self) -> &Content {
        &self.content
    }
}

/// A line of a section's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) raw: Raw,
    /// None: comments and blank lines.
    pub(super) entry: Option<Entry>,
}

/// One `[key]` or `[-key]` with the entries below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub(super) line: usize,
    pub(super) key: Result<KeyPath, String>,
    pub(super) deletes: bool,
    pub(super) ignored: bool,
    pub(super) head: Raw,
    pub(super) body: Vec<Line>,
    /// The blank lines that end the section.
    pub(super) tail: Raw,
    /// Comments behind the blank lines: they belong to the section that follows, and stay when this one goes.
    pub(super) outro: Raw,
    pub(super) previous: Option<usize>,
    pub(super) next: Option<usize>,
}

impl Section {
    /// The line of its head, from 1; 0 for one that was added since.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The key; the sentence says why it cannot be read.
    pub fn key(&self) -> Result<&KeyPath, &str> {
        self.key.as_ref().map_err(String::as_str)
    }

    /// Whether it deletes the key (`[-key]`), with all below it.
    pub fn deletes(&self) -> bool {
        self.deletes
    }

    /// Whether text that is no comment stands after the key, which regedit ignores.
    pub fn has_ignored_text(&self) -> bool {
        self.ignored
    }

    /// Its entries in file order. regedit ignores those of a section that deletes its key.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.body.iter().filter_map(|line| line.entry.as_ref())
    }
}
