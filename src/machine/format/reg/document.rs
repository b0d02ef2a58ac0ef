//! A `.reg` file in memory: its parsed content and its bytes.

use std::collections::BTreeMap;

use super::{
    encoding::{CodePage, TextEncoding},
    entry::{Content, Edited, Entry, Places, Section},
    error::RegError,
    parse::{self, Skipped},
    version::Version,
};
use crate::registry::{Data, KeyPath, ValueName};

/// A parsed `.reg` file that can be read, edited and written.
///
/// [`Document::to_bytes`] returns the parsed file byte for byte, except for edits.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) source: Vec<u8>,
    pub(super) version: Version,
    pub(super) encoding: TextEncoding,
    pub(super) code_page: Option<CodePage>,
    /// The line end for new lines.
    pub(super) newline: &'static str,
    pub(super) preamble: std::ops::Range<usize>,
    pub(super) epilogue: std::ops::Range<usize>,
    /// The sections, in arbitrary order. The order of the file is in `first` and in the `next` of each section, so a
    /// section can be inserted without moving others.
    pub(super) sections: Vec<Section>,
    pub(super) first: Option<usize>,
    /// For each key, its sections in file order; sections that delete the key are left out.
    pub(super) index: BTreeMap<KeyPath, Vec<usize>>,
    /// The value names of the key that was edited last. With them, many edits of one large key need not collect its
    /// names each time.
    pub(super) edited: Option<Edited>,
    /// The index of the first section whose key cannot be read. Edits find a section by its key, so they cannot find
    /// this one.
    unreadable: Option<usize>,
}

impl Document {
    /// Returns the errors in a file, in order, at most 100. Returns an empty list if [`Self::parse`] would succeed.
    pub fn faults(bytes: &[u8], code_page: Option<CodePage>) -> Vec<RegError> {
        parse::faults(bytes, code_page)
    }

    /// Parses a file. `code_page` is the encoding of bytes outside ASCII in a file without a byte order mark, and in
    /// the `hex(n):` data of strings in a version 4 file.
    ///
    /// A name or a string that is not valid in its encoding, or a value name that is too long, is not an error of the
    /// file: [`Section::key`], [`Entry::name`] or [`Entry::content`] then returns the reason.
    ///
    /// # Errors
    /// Returns the first [`RegError`], with line and column: the bytes are not a `.reg` file, a line is not valid, the
    /// file is too large, or it needs a code page that was not given.
    pub fn parse(bytes: Vec<u8>, code_page: Option<CodePage>) -> Result<Self, RegError> {
        let parsed = parse::parse(&bytes, code_page)?;
        Ok(Self::new(bytes, code_page, parsed))
    }

    /// Parses a file like [`Self::parse`], but skips lines that are not valid, as regedit does. Also returns the
    /// skipped lines, in order, with the reasons.
    ///
    /// # Errors
    /// Returns [`RegError`] if the file has no header, needs a code page, is too large, or has more than 1000 errors.
    pub fn parse_lenient(bytes: Vec<u8>, code_page: Option<CodePage>) -> Result<(Self, Vec<Skipped>), RegError> {
        let (parsed, skipped) = parse::lenient(&bytes, code_page)?;
        Ok((Self::new(bytes, code_page, parsed), skipped))
    }

    fn new(bytes: Vec<u8>, code_page: Option<CodePage>, parsed: parse::Parsed) -> Self {
        let mut sections = parsed.sections;
        sections.shrink_to_fit();
        let mut listed = Vec::with_capacity(sections.len());
        let count = sections.len();
        for (at, section) in sections.iter_mut().enumerate() {
            section.previous = at.checked_sub(1);
            section.next = Some(at + 1).filter(|next| *next < count);
            if let (false, Ok(key)) = (section.deletes, &section.key) {
                listed.push((key.clone(), at));
            }
        }
        // An export is mostly sorted already, and then this takes few comparisons for each key.
        listed.sort_by(|(a, _), (b, _)| a.cmp(b));
        let same = listed.chunk_by(|(a, _), (b, _)| a == b);
        let index = same.map(|same| (same[0].0.clone(), same.iter().map(|(_, at)| *at).collect())).collect();
        let newline = newline_of(&bytes[parsed.preamble.clone()], parsed.encoding);
        Self {
            source: bytes,
            version: parsed.version,
            encoding: parsed.encoding,
            code_page,
            newline,
            preamble: parsed.preamble,
            epilogue: parsed.epilogue,
            first: (!sections.is_empty()).then_some(0),
            unreadable: sections.iter().position(|section| section.key.is_err()),
            sections,
            index,
            edited: None,
        }
    }

    /// Returns the version of the `.reg` format that the header names.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the sections in file order.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        std::iter::successors(self.first, |at| self.sections[*at].next).map(|at| &self.sections[at])
    }

    /// Returns the keys that the file lists, sorted and without duplicates. A key that the file only deletes is not
    /// listed.
    pub fn keys(&self) -> impl Iterator<Item = &KeyPath> {
        self.index.keys()
    }

    /// Returns whether the file lists this key. A key that the file only deletes is not listed.
    pub fn lists(&self, key: &KeyPath) -> bool {
        self.index.contains_key(key)
    }

    /// Returns the listed keys in sorted order, starting with `key` and the keys below it. The keys that sort after
    /// these follow.
    pub fn keys_from<'a>(&'a self, key: &KeyPath) -> impl Iterator<Item = &'a KeyPath> + use<'a> {
        self.index.range(key..).map(|(key, _)| key)
    }

    /// Returns whether the file lists the key or a key above it.
    pub fn covers(&self, key: &KeyPath) -> bool {
        let mut key = key.clone();
        // A listed key above this one sorts before it, and so does everything below that key. So it is the listed key
        // just before this one, or that key is below it too.
        while let Some((before, _)) = self.index.range(..=&key).next_back() {
            if key.is_within(before) {
                return true;
            }
            match std::iter::successors(key.parent(), KeyPath::parent).find(|above| before.is_within(above)) {
                Some(above) => key = above,
                None => return false,
            }
        }
        false
    }

    /// Returns the values of a key; `None` if the file does not list the key.
    ///
    /// Sections that delete the key are ignored, so the result is correct only if [`Self::first_deletion`] returns
    /// `None`.
    pub fn values(&self, key: &KeyPath) -> Option<Values<'_>> {
        let sections = self.index.get(key)?;
        if let Some(edited) = self.edited.as_ref().filter(|edited| edited.key == *key) {
            let unreadable = edited.unreadable.and_then(|place| self.entry(place)?.name().err());
            return Some(Values { by_name: ByName::Edited(&edited.places, self), unreadable });
        }
        let (mut by_name, mut unreadable) = (BTreeMap::new(), None);
        for at in sections {
            for entry in self.sections[*at].entries() {
                match entry.name() {
                    Ok(name) => drop(by_name.insert(name, entry)),
                    Err(why) => unreadable = unreadable.or(Some(why)),
                }
            }
        }
        Some(Values { by_name: ByName::Collected(by_name), unreadable })
    }

    /// Returns the entry at two indices: that of its section, and that of its line in the section. Returns `None` if
    /// there is no entry.
    pub(super) fn entry(&self, (section, line): (usize, usize)) -> Option<&Entry> {
        self.sections.get(section)?.body.get(line)?.entry.as_ref()
    }

    /// Returns the number, from 1, of the first line that deletes a key or a value; `None` if there is none.
    ///
    /// A file with such a line is a script, not an export.
    pub fn first_deletion(&self) -> Option<usize> {
        self.sections().find_map(|section| {
            let entry = || section.entries().find(|e| e.content == Content::Delete).map(Entry::line);
            if section.deletes { Some(section.line) } else { entry() }
        })
    }

    /// Returns the reason why the key of a section cannot be read, for the first such section; `None` if all keys can
    /// be read.
    pub fn unreadable_key(&self) -> Option<&str> {
        self.unreadable.and_then(|at| self.sections[at].key().err())
    }

    /// Returns the bytes of the file, with all edits.
    pub fn to_bytes(&self) -> Vec<u8> {
        let raws = |section: &Section| {
            let body: usize = section.body.iter().map(|line| line.raw.bytes(&self.source).len()).sum();
            let others = [&section.head, &section.tail, &section.outro];
            body + others.into_iter().map(|raw| raw.bytes(&self.source).len()).sum::<usize>()
        };
        let size = self.preamble.len() + self.sections().map(raws).sum::<usize>() + self.epilogue.len();
        // A line end may be missing after the last line of the file.
        let mut out = Vec::with_capacity(size + self.line_end().len());
        out.extend_from_slice(&self.source[self.preamble.clone()]);
        for section in self.sections() {
            let mut put = |raw: &super::entry::Raw| {
                // New text begins on its own line, even if the file's last line has no line end.
                if matches!(raw, super::entry::Raw::New(_)) && self.encoding.without_newline(&out).is_none() {
                    out.extend(self.line_end());
                }
                out.extend_from_slice(raw.bytes(&self.source));
            };
            put(&section.head);
            section.body.iter().for_each(|line| put(&line.raw));
            put(&section.tail);
            put(&section.outro);
        }
        out.extend_from_slice(&self.source[self.epilogue.clone()]);
        out
    }

    pub(super) fn line_end(&self) -> Vec<u8> {
        self.encoding.encode(self.newline).unwrap_or_default()
    }
}

/// Returns the line end of the file's first line; CRLF if the line has none.
fn newline_of(preamble: &[u8], encoding: TextEncoding) -> &'static str {
    let mut at = 0;
    while let Some((unit, len)) = encoding.unit(preamble, at) {
        at += len;
        match unit {
            b'\n' => return "\n",
            b'\r' if encoding.unit(preamble, at).is_some_and(|(next, _)| next == b'\n') => return "\r\n",
            b'\r' => return "\r",
            _ => {}
        }
    }
    "\r\n"
}

/// The values of one key, collected from all its sections. If several entries have the same name, the last one counts,
/// as when regedit imports the file.
#[derive(Debug)]
pub struct Values<'a> {
    by_name: ByName<'a>,
    unreadable: Option<&'a str>,
}

#[derive(Debug)]
enum ByName<'a> {
    Collected(BTreeMap<&'a ValueName, &'a Entry>),
    /// The value names that the last edit of this document collected, and the document.
    Edited(&'a Places, &'a Document),
}

impl<'a> Values<'a> {
    /// Returns the data of a value, or the reason why the data cannot be read. Returns `None` if the file does not list
    /// the value, or deletes it.
    pub fn get(&self, name: &ValueName) -> Option<Result<&'a Data, &'a str>> {
        self.entry(name).map(|(_, data)| data)
    }

    /// Returns the name of a value, as its first entry spells it, and its data or the reason why the data cannot be
    /// read. Returns `None` if the file does not list the value, or deletes it.
    pub fn entry(&self, name: &ValueName) -> Option<(&'a ValueName, Result<&'a Data, &'a str>)> {
        let (found, entry) = match &self.by_name {
            ByName::Collected(entries) => entries.get_key_value(name).map(|(name, entry)| (*name, *entry))?,
            ByName::Edited(places, document) => {
                let (found, places) = places.get_key_value(name)?;
                (found, document.entry(*places.last()?)?)
            }
        };
        Some((found, content(entry)?))
    }

    /// Returns the values that the file does not delete, sorted by name: each with its data, or with the reason why the
    /// data cannot be read.
    pub fn iter(&self) -> impl Iterator<Item = (&'a ValueName, Result<&'a Data, &'a str>)> {
        let (collected, edited) = match &self.by_name {
            ByName::Collected(entries) => (Some(entries), None),
            ByName::Edited(places, document) => (None, Some((*places, *document))),
        };
        let collected = collected.into_iter().flatten().map(|(name, entry)| (*name, *entry));
        let edited = edited.into_iter().flat_map(|(places, document)| {
            places.iter().filter_map(|(name, places)| Some((name, document.entry(*places.last()?)?)))
        });
        collected.chain(edited).filter_map(|(name, entry)| Some((name, content(entry)?)))
    }

    /// Returns the reason why one of the key's value names cannot be read; `None` if all can be read.
    ///
    /// If a name cannot be read, a value that was not found can still be in the file.
    pub fn unreadable(&self) -> Option<&'a str> {
        self.unreadable
    }
}

fn content(entry: &Entry) -> Option<Result<&Data, &str>> {
    match &entry.content {
        Content::Data(data) => Some(Ok(data)),
        Content::Malformed(why) => Some(Err(why)),
        Content::Delete => None,
    }
}
