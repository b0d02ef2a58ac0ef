//! Parses the bytes of a policy file.

use super::{
    entry::{Entry, Raw, meaning},
    error::{PolError, PolErrorKind},
};
use crate::registry::{Data, RootKey, ValueType};

/// The size of the largest policy file that kbfix reads, in bytes. Even the policies of a large domain have only some
/// hundred kilobytes.
pub const MAX_FILE: usize = 16 << 20;

/// The bytes before the first entry of a policy file: the signature and the version.
pub(super) const HEADER: [u8; 8] = *b"PReg\x01\0\0\0";

/// Parses a file into its entries, in file order. `root` is the root key above the keys of the entries.
pub(super) fn parse(bytes: &[u8], root: RootKey) -> Result<Vec<Entry>, PolError> {
    let mut reader = Reader { bytes, at: 0 };
    if bytes.len() > MAX_FILE {
        return Err(reader.error(
            PolErrorKind::TooLarge,
            &format!("at most {MAX_FILE} bytes"),
            format!("{}", bytes.len()),
        ));
    }
    if !bytes.starts_with(&HEADER[..4]) {
        let found: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let found = match found.is_empty() {
            true => "the end of the file".to_owned(),
            false => format!("the bytes {}", found.join(" ")),
        };
        return Err(reader.error(PolErrorKind::Signature, "the signature PReg", found));
    }
    reader.at = 4;
    match reader.number("the version")? {
        1 => {}
        other => {
            reader.at = 4;
            return Err(reader.error(PolErrorKind::Version, "version 1 of the format", other.to_string()));
        }
    }
    let mut entries = Vec::new();
    while reader.at < bytes.len() {
        entries.push(reader.entry(root)?);
    }
    Ok(entries)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn entry(&mut self, root: RootKey) -> Result<Entry, PolError> {
        let start = self.at;
        self.mark('[', "the beginning of an entry, `[`")?;
        let key = self.text("the NUL at the end of the key")?;
        self.mark(';', "`;` after the key")?;
        let name = self.text("the NUL at the end of the value name")?;
        self.mark(';', "`;` after the value name")?;
        let value_type = self.number("the type, four bytes")?;
        self.mark(';', "`;` after the type")?;
        let size = self.number("the size, four bytes")? as usize;
        self.mark(';', "`;` after the size")?;
        let data = self.take(size, &format!("data of {size} bytes"))?;
        self.mark(']', &format!("the end of the entry, `]`, after {size} bytes of data"))?;
        let meaning = match (key, name) {
            (Ok(key), Ok(name)) => meaning(root, &key, &name, Data::new(ValueType(value_type), data)),
            _ => Err("a key or value name is not valid UTF-16".to_owned()),
        };
        let meaning = meaning.map_err(|why| format!("file offset {start:#x}: {why}"));
        Ok(Entry { raw: Raw::Span(start..self.at), meaning })
    }

    fn error(&self, kind: PolErrorKind, expected: &str, found: String) -> PolError {
        PolError { kind, offset: self.at, expected: expected.to_owned(), found }
    }

    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8], PolError> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = rest.get(..count) else {
            let found = match rest.len() {
                0 => "the end of the file".to_owned(),
                1 => "the end of the file 1 byte after this offset".to_owned(),
                left => format!("the end of the file {left} bytes after this offset"),
            };
            return Err(self.error(PolErrorKind::Unfinished, what, found));
        };
        self.at += count;
        Ok(taken)
    }

    fn number(&mut self, what: &str) -> Result<u32, PolError> {
        let bytes = self.take(4, what)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn mark(&mut self, wanted: char, what: &str) -> Result<(), PolError> {
        let bytes = self.take(2, what)?;
        if bytes == [wanted as u8, 0] {
            return Ok(());
        }
        self.at -= 2;
        Err(self.error(PolErrorKind::Syntax, what, format!("the bytes {:02x} {:02x}", bytes[0], bytes[1])))
    }

    /// Reads a string up to its NUL. The outer error means that the file ends before the NUL, which `what` describes.
    /// The inner error means that the string is not valid UTF-16.
    fn text(&mut self, what: &str) -> Result<Result<String, std::string::FromUtf16Error>, PolError> {
        let start = self.at;
        let mut units = Vec::new();
        for pair in self.bytes[start..].chunks_exact(2) {
            self.at += 2;
            match u16::from_le_bytes([pair[0], pair[1]]) {
                0 => return Ok(String::from_utf16(&units)),
                unit => units.push(unit),
            }
        }
        Err(self.error(PolErrorKind::Unfinished, what, "the end of the file".to_owned()))
    }
}
