//! The sections and entries of a `.reg` file.

use std::{collections::BTreeMap, ops::Range};

use crate::registry::{Data, KeyPath, ValueName};

/// A part of a `.reg` file: a range of the original bytes, or new bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    /// A range of the original bytes.
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

/// An entry `"name"=data` of a section, with its continuation lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(super) line: usize,
    pub(super) name: Result<ValueName, String>,
    pub(super) content: Content,
    /// The range of the data in the bytes of the entry.
    pub(super) data_at: Range<usize>,
    pub(super) line_break_escape: bool,
}

/// The effect of an entry on its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The value has this data.
    Data(Data),
    /// The entry is `"name"=-`, which deletes the value.
    Delete,
    /// The data is a string that is not valid in the file's encoding, or in the code page. The text is the reason, and
    /// begins with the number of the line.
    Malformed(String),
}

impl Entry {
    /// Returns the number of the line on which the entry begins, from 1; 0 for a new entry.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the value name, or the reason why it cannot be read, which begins with the number of the line.
    pub fn name(&self) -> Result<&ValueName, &str> {
        self.name.as_ref().map_err(String::as_str)
    }

    /// Returns whether the name or the string data contains the escape `\n` or `\r`, which regedit reads as a line
    /// break. In a path this is probably a mistake, as in `C:\new`.
    pub fn has_line_break_escape(&self) -> bool {
        self.line_break_escape
    }

    /// Returns the effect of the entry on its value.
    pub fn content(&self) -> &Content {
        &self.content
    }
}

/// A part of a section after its header: an entry with its continuation lines, or adjacent comments and empty lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) raw: Raw,
    /// The entry; `None` for comments and empty lines, for lines that the parser skipped, and for a removed entry.
    pub(super) entry: Option<Entry>,
}

/// A section of a `.reg` file: a header, `[key]` or `[-key]`, and the entries below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub(super) line: usize,
    pub(super) key: Result<KeyPath, String>,
    pub(super) deletes: bool,
    pub(super) ignored: bool,
    pub(super) head: Raw,
    pub(super) body: Vec<Line>,
    /// The empty lines at the end of the section.
    pub(super) tail: Raw,
    /// The comments after the empty lines of `tail`. They belong to the following section, and stay when this section
    /// is removed.
    pub(super) outro: Raw,
    pub(super) previous: Option<usize>,
    pub(super) next: Option<usize>,
}

impl Section {
    /// Returns the number of the line with the section's header, from 1; 0 for a new section.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the key of the section, or the reason why it cannot be read, which begins with the number of the line.
    pub fn key(&self) -> Result<&KeyPath, &str> {
        self.key.as_ref().map_err(String::as_str)
    }

    /// Returns whether the section deletes the key (`[-key]`) and everything below it.
    pub fn deletes(&self) -> bool {
        self.deletes
    }

    /// Returns whether the section's header is followed, on its line, by text that is not a comment. regedit ignores
    /// such text.
    pub fn has_ignored_text(&self) -> bool {
        self.ignored
    }

    /// Returns the entries in file order. regedit ignores the entries of a section that deletes its key.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.body.iter().filter_map(|line| line.entry.as_ref())
    }
}

/// For each value name, the places of its entries. A place is the index of the section, and the index of the line in
/// it.
pub(super) type Places = BTreeMap<ValueName, Vec<(usize, usize)>>;

/// The value names of the key that was edited last.
#[derive(Debug, Clone)]
pub(super) struct Edited {
    pub(super) key: KeyPath,
    pub(super) places: Places,
    /// The place of the first entry whose name cannot be read; such an entry cannot be edited.
    pub(super) unreadable: Option<(usize, usize)>,
}
