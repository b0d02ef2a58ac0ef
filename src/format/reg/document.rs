//! A `.reg` file in memory: what it says, and its bytes.

use super::version::Version;
use std::collections::BTreeMap;

use super::{
    encoding::{CodePage, TextEncoding},
    entry::{Content, Entry, Section},
    error::RegError,
    parse::{self, Skipped},
};
use crate::registry::{Data, KeyPath, ValueName};

/// A parsed `.reg` file that can be read, edited and written back.
///
/// [`Document::to_bytes`] gives back what was parsed, byte for byte, except for what was edited.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) source: Vec<u8>,
    pub(super) version: Version,
    pub(super) encoding: TextEncoding,
    pub(super) code_page: Option<CodePage>,
    /// The line end of what is written.
    pub(super) newline: &'static str,
    pub(super) preamble: std::ops::Range<usize>,
    pub(super) epilogue: std::ops::Range<usize>,
    /// In no order: `first` and each section's `next` give it, so that an insertion moves nothing.
    pub(super) sections: Vec<Section>,
    pub(super) first: Option<usize>,
    /// The sections of each key that do not delete it, in file order.
    pub(super) index: BTreeMap<KeyPath, Vec<usize>>,
    /// The first section whose key cannot be read. No edit reaches it, since edits find sections by their keys.
    unreadable: Option<usize>,
}

impl Document {
    /// Everything that is wrong with the bytes of a file, in its order; at most 100. None where [`Self::parse`] reads it.
    pub fn faults(bytes: &[u8], code_page: Option<CodePage>) -> Vec<RegError> {
        parse::faults(bytes, code_page)
    }

    /// Parses the bytes of a file. `code_page` is what its bytes outside ASCII mean, where it has no byte order mark.
    ///
    /// # Errors
    /// [`RegError`], with line and column, where the text is no `.reg` file. A name or string that is not valid in the
    /// file's encoding is no error of the file: it is in that section's key, or that entry's name or content.
    pub fn parse(bytes: Vec<u8>, code_page: Option<CodePage>) -> Result<Self, RegError> {
        let parsed = parse::parse(&bytes, code_page)?;
        Ok(Self::new(bytes, code_page, parsed))
    }

    /// Parses the bytes of a file as regedit does, which skips what it does not understand; also returns what was skipped and
    /// why, in the order of the file.
    ///
    /// # Errors
    /// [`RegError`] where the file has no header, needs a code page, is too large, or has more than 1000 such lines.
    pub fn parse_lenient(bytes: Vec<u8>, code_page: Option<CodePage>) -> Result<(Self, Vec<Skipped>), RegError> {
        let (parsed, skipped) = parse::lenient(&bytes, code_page)?;
        Ok((Self::new(bytes, code_page, parsed), skipped))
    }

    fn new(bytes: Vec<u8>, code_page: Option<CodePage>, parsed: parse::Parsed) -> Self {
        let mut sections = parsed.sections;
        let mut index: BTreeMap<KeyPath, Vec<usize>> = BTreeMap::new();
        let count = sections.len();
        for (at, section) in sections.iter_mut().enumerate() {
            section.previous = at.checked_sub(1);
            section.next = Some(at + 1).filter(|next| *next < count);
            if let (false, Ok(key)) = (section.deletes, &section.key) {
                index.entry(key.clone()).or_default().push(at);
            }
        }
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
        }
    }

    /// The version that its header names.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Its sections in file order.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        std::iter::successors(self.first, |at| self.sections[*at].next).map(|at| &self.sections[at])
    }

    /// The keys that it lists, sorted, each once however many sections it has; not those that it deletes.
    pub fn keys(&self) -> impl Iterator<Item = &KeyPath> {
        self.index.keys()
    }

    /// Whether it lists this key.
    pub fn lists(&self, key: &KeyPath) -> bool {
        self.index.contains_key(key)
    }

    /// The listed keys from `key` on, sorted: first the key itself and what is below it.
    pub fn keys_from(&self, key: &KeyPath) -> impl Iterator<Item = &KeyPath> {
        self.index.range(key..).map(|(key, _)| key)
    }

    /// The values of a key; `None` where the file does not list it.
    pub fn values(&self, key: &KeyPath) -> Option<Values<'_>> {
        let mut values = Values { by_name: BTreeMap::new(), unreadable: None };
        for at in self.index.get(key)? {
            for entry in self.sections[*at].entries() {
                match entry.name() {
                    Ok(name) => drop(values.by_name.insert(name, entry)),
                    Err(why) => values.unreadable = values.unreadable.or(Some(why)),
                }
            }
        }
        Some(values)
    }

    /// Where the file deletes something: the first such line. It is then a script, and no export.
    pub fn first_deletion(&self) -> Option<usize> {
        self.sections().find_map(|section| {
            let entry = || section.entries().find(|e| e.content == Content::Delete).map(Entry::line);
            if section.deletes { Some(section.line) } else { entry() }
        })
    }

    /// The first section whose key cannot be read; the sentence says why and where.
    pub fn unreadable_key(&self) -> Option<&str> {
        self.unreadable.and_then(|at| self.sections[at].key().err())
    }

    /// The file as it now is.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.source.len() + 1024);
        out.extend_from_slice(&self.source[self.preamble.clone()]);
        for section in self.sections() {
            let mut put = |raw: &super::entry::Raw| {
                // Only what is new begins a line of its own where the file did not end one.
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

/// The line end of the file's first line; CRLF where it has none.
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

/// The values of one key, after all its sections: of several entries for a name, the last counts, as on import.
#[derive(Debug)]
pub struct Values<'a> {
    by_name: BTreeMap<&'a ValueName, &'a Entry>,
    unreadable: Option<&'a str>,
}

impl<'a> Values<'a> {
    /// What is said about a value; `None` where nothing is, or where it is deleted.
    pub fn get(&self, name: &ValueName) -> Option<Result<&'a Data, &'a str>> {
        self.entry(name).map(|(_, data)| data)
    }

    /// The same, with the name as the file spells it.
    pub fn entry(&self, name: &ValueName) -> Option<(&'a ValueName, Result<&'a Data, &'a str>)> {
        let (found, entry) = self.by_name.get_key_value(name)?;
        Some((found, content(entry)?))
    }

    /// The values that are there, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'a ValueName, Result<&'a Data, &'a str>)> {
        self.by_name.iter().filter_map(|(name, entry)| Some((*name, content(entry)?)))
    }

    /// Why one of the names cannot be read: then no name can be said to be absent.
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
