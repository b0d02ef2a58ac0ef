//! Edits a `.reg` file. Only the lines of the edited keys and values are rewritten.
//!
//! The file must be an export, which lists keys and values as they are. A script cannot be edited in this way, because
//! it can contain deletions, and the order of its lines matters.

use super::{
    data,
    document::Document,
    entry::{Content, Edited, Entry, Line, Places, Raw, Section},
};
use crate::registry::{Data, KeyPath, ValueName, notation};

/// The reason why a key or a value cannot be written to the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The name of a key or value contains a line break. The format cannot express such a key name, and programs read
    /// such value names in different ways.
    #[error("a .reg file cannot reliably contain a name with a line break")]
    LineBreak,
    /// The file cannot contain a name or data, for example because its encoding cannot express a character. The text is
    /// the whole message.
    #[error("{0}")]
    Encoding(String),
}

impl Document {
    /// Adds a key to the file, unless the file lists it already. The new section is inserted after the listed key that
    /// precedes the new key in sorted order; if there is no such key, before all sections.
    ///
    /// # Errors
    /// Returns [`EditError`]; nothing is changed then.
    pub fn create_key(&mut self, key: &KeyPath) -> Result<(), EditError> {
        if self.lists(key) {
            return Ok(());
        }
        let long = key.to_long();
        if long.contains(['\r', '\n']) {
            return Err(EditError::LineBreak);
        }
        let head = self.line(&format!("[{long}]"))?;
        let before = self.index.range(..key).next_back().and_then(|(_, at)| at.last().copied());
        let head = if self.needs_blank_line(before) { [self.line_end(), head].concat() } else { head };
        let at = self.sections.len();
        let next = match before {
            Some(before) => self.sections[before].next.replace(at),
            None => self.first.replace(at),
        };
        if let Some(next) = next {
            self.sections[next].previous = Some(at);
        }
        self.sections.push(Section {
            line: 0,
            key: Ok(key.clone()),
            deletes: false,
            ignored: false,
            head: Raw::New(head),
            body: Vec::new(),
            tail: Raw::New(self.line_end()),
            outro: Raw::Span(0..0),
            previous: before,
            next,
        });
        self.index.insert(key.clone(), vec![at]);
        Ok(())
    }

    /// Returns whether a new section must begin with an empty line. `before` is the section after which it is inserted;
    /// `None` for the beginning of the file.
    fn needs_blank_line(&self, before: Option<usize>) -> bool {
        let above = match before {
            None => &self.source[self.preamble.clone()],
            Some(at) if !self.sections[at].outro.bytes(&self.source).is_empty() => return true,
            Some(at) => self.sections[at].tail.bytes(&self.source),
        };
        let Some(above) = self.encoding.without_newline(above) else { return true };
        // The tail of a section begins with an empty line. A preamble ends with an empty line only if two line ends are
        // adjacent.
        before.is_none() && self.encoding.without_newline(above).is_none()
    }

    /// Removes a key and all keys below it from the file, with the comments in their sections. The comments after the
    /// first empty line at the end of a section stay, because they belong to the following section.
    pub fn delete_key(&mut self, key: &KeyPath) {
        self.edited = None;
        let gone: Vec<KeyPath> = self.keys_from(key).take_while(|k| k.is_within(key)).cloned().collect();
        for key in gone {
            for at in self.index.remove(&key).unwrap_or_default() {
                self.unlink(at);
            }
        }
    }

    fn unlink(&mut self, at: usize) {
        let Section { previous, next, .. } = self.sections[at];
        if let Some(next) = next {
            self.sections[next].previous = previous;
        }
        let comments = self.sections[at].outro.bytes(&self.source).to_vec();
        match previous {
            Some(previous) => {
                self.sections[previous].next = next;
                self.append_outro(previous, comments);
            }
            None => {
                self.first = next;
                self.append_preamble(comments);
            }
        }
    }

    fn append_outro(&mut self, at: usize, comments: Vec<u8>) {
        if !comments.is_empty() {
            let outro = [self.sections[at].outro.bytes(&self.source), &comments].concat();
            self.sections[at].outro = Raw::New(outro);
        }
    }

    fn append_preamble(&mut self, comments: Vec<u8>) {
        if !comments.is_empty() {
            let preamble = [&self.source[self.preamble.clone()], &comments].concat();
            let start = self.source.len();
            self.source.extend_from_slice(&preamble);
            self.preamble = start..self.source.len();
        }
    }

    /// Returns an editor for the values of a key; `None` if the file does not list the key, or only deletes it.
    pub fn edit(&mut self, key: &KeyPath) -> Option<KeyEditor<'_>> {
        let sections = self.index.get(key)?;
        let last = *sections.last()?;
        let edited = match self.edited.take().filter(|edited| edited.key == *key) {
            Some(edited) => edited,
            None => {
                let mut edited = Edited { key: key.clone(), places: Places::new(), unreadable: None };
                for at in sections {
                    for (line, entry) in self.sections[*at].body.iter().enumerate() {
                        match entry.entry.as_ref().map(|entry| &entry.name) {
                            Some(Ok(name)) => edited.places.entry(name.clone()).or_default().push((*at, line)),
                            Some(Err(_)) => edited.unreadable = edited.unreadable.or(Some((*at, line))),
                            None => {}
                        }
                    }
                }
                edited
            }
        };
        self.edited = Some(edited);
        Some(KeyEditor { document: self, last })
    }

    /// Returns a line of text in the file's encoding, with its line end.
    fn line(&self, text: &str) -> Result<Vec<u8>, EditError> {
        self.encode(&format!("{text}{}", self.newline))
    }

    fn encode(&self, text: &str) -> Result<Vec<u8>, EditError> {
        self.encoding.encode(text).map_err(|c| EditError::Encoding(data::lacks(c, self.encoding)))
    }

    fn print(&self, data: &Data, column: usize) -> Result<Vec<u8>, EditError> {
        let text = data::print(data, column, self.newline, self.version, self.encoding, self.code_page);
        self.encode(&text.map_err(EditError::Encoding)?)
    }
}

/// Edits the values of one key.
#[derive(Debug)]
pub struct KeyEditor<'a> {
    document: &'a mut Document,
    /// The last section of the key; new values are added to it.
    last: usize,
}

impl KeyEditor<'_> {
    /// Sets a value.
    ///
    /// If the key has entries with this name, the last one gets the new data; the spelling of the name and a comment
    /// after the data stay. Otherwise, an entry is added at the end of the key's last section.
    ///
    /// # Errors
    /// Returns [`EditError`]; nothing is changed then.
    pub fn set(&mut self, name: &ValueName, data: &Data) -> Result<(), EditError> {
        let known = self.document.edited.as_ref().and_then(|edited| edited.places.get(name));
        match known.and_then(|places| places.last().copied()) {
            Some((section, line)) => self.replace(section, line, data),
            None => self.append(name, data),
        }
    }

    fn replace(&mut self, section: usize, at: usize, data: &Data) -> Result<(), EditError> {
        let document = &mut *self.document;
        let line = &document.sections[section].body[at];
        let Some(entry) = &line.entry else { return Ok(()) };
        let raw = line.raw.bytes(&document.source);
        let (before, after) = (&raw[..entry.data_at.start], &raw[entry.data_at.end..]);
        let width = if document.encoding == super::encoding::TextEncoding::Utf16 { 2 } else { 1 };
        let new = document.print(data, before.len() / width)?;
        let data_at = before.len()..before.len() + new.len();
        let raw = Raw::New([before, &new, after].concat());
        let entry = Entry { content: Content::Data(data.clone()), data_at, ..entry.clone() };
        document.sections[section].body[at] = Line { raw, entry: Some(entry) };
        Ok(())
    }

    fn append(&mut self, name: &ValueName, data: &Data) -> Result<(), EditError> {
        if name.as_str().contains(['\r', '\n']) {
            return Err(EditError::LineBreak);
        }
        let start = format!("{}=", notation::value_name(name));
        let column = start.chars().count();
        let start = self.document.encode(&start)?;
        let new = self.document.print(data, column)?;
        let data_at = start.len()..start.len() + new.len();
        let raw = Raw::New([start, new, self.document.line_end()].concat());
        let content = Content::Data(data.clone());
        let entry = Some(Entry { line: 0, name: Ok(name.clone()), content, data_at, line_break_escape: false });
        let body = &mut self.document.sections[self.last].body;
        if body.is_empty() {
            // Most new keys have one value; without this, there would be room for four.
            body.reserve_exact(1);
        }
        body.push(Line { raw, entry });
        let place = (self.last, body.len() - 1);
        if let Some(edited) = &mut self.document.edited {
            edited.places.insert(name.clone(), vec![place]);
        }
        Ok(())
    }

    /// Removes all entries of a value from the file.
    pub fn delete(&mut self, name: &ValueName) {
        let gone = self.document.edited.as_mut().and_then(|edited| edited.places.remove(name));
        for (section, line) in gone.unwrap_or_default() {
            // An empty line remains, so that the positions of the other entries stay valid.
            self.document.sections[section].body[line] = Line { raw: Raw::Span(0..0), entry: None };
        }
    }
}
