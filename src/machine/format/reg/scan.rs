//! A position in the bytes of a `.reg` file. It moves by one character at a time, and counts lines.

use std::ops::Range;

use super::{
    encoding::{DecodeError, TextEncoding},
    error::{RegError, RegErrorKind},
};
use crate::registry::notation;

pub(super) struct Scan<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) encoding: TextEncoding,
    pub(super) at: usize,
    /// The number of the current line, from 1.
    pub(super) line: usize,
    line_start: usize,
    /// Whether a string contained the escape `\n` or `\r` since this field was last set to `false`.
    pub(super) line_break_escape: bool,
}

/// A position to which the scan can return, or at which an error is reported.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    at: usize,
    pub(super) line: usize,
    line_start: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8], encoding: TextEncoding, at: usize) -> Self {
        Self { bytes, encoding, at, line: 1, line_start: at, line_break_escape: false }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { at: self.at, line: self.line, line_start: self.line_start }
    }

    /// Returns the byte offset of a mark in the file.
    pub(super) fn offset(&self, mark: Mark) -> usize {
        mark.at
    }

    pub(super) fn back_to(&mut self, mark: Mark) {
        (self.at, self.line, self.line_start) = (mark.at, mark.line, mark.line_start);
    }

    /// Returns the next character if it is ASCII, otherwise [`super::encoding::OTHER`]; `None` at the end of the file.
    pub(super) fn peek(&self) -> Option<u8> {
        self.encoding.unit(self.bytes, self.at).map(|(unit, _)| unit)
    }

    /// Moves over one character, or over one complete line end.
    pub(super) fn bump(&mut self) {
        let Some((unit, len)) = self.encoding.unit(self.bytes, self.at) else { return };
        self.at += len;
        if unit == b'\r' && self.peek() == Some(b'\n') {
            self.at += len;
        }
        if matches!(unit, b'\r' | b'\n') {
            self.line += 1;
            self.line_start = self.at;
        }
    }

    /// If the next character is `wanted`, moves over it. Returns whether it was.
    pub(super) fn eat(&mut self, wanted: u8) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.bump();
        }
        there
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.bump();
        }
    }

    pub(super) fn at_line_end(&self) -> bool {
        matches!(self.peek(), None | Some(b'\r' | b'\n'))
    }

    /// Moves to the end of the line, but not over the line end.
    pub(super) fn skip_to_line_end(&mut self) {
        while !self.at_line_end() {
            self.bump();
        }
    }

    /// Moves to the end of the line like [`Self::skip_to_line_end`]. Returns an error if a file in UTF-16 ends in the
    /// middle of a character on this line: then the rest of the file may be missing. Elsewhere, such a byte is an error
    /// because it cannot be decoded, but a comment is not decoded.
    pub(super) fn skip_comment(&mut self) -> Result<(), RegError> {
        while !self.at_line_end() {
            if self.encoding == TextEncoding::Utf16 && self.at + 1 == self.bytes.len() {
                let error = self.error(self.mark(), RegErrorKind::Unfinished, "the second byte of a character");
                return Err(RegError { found: "the end of the file".to_owned(), ..error });
            }
            self.bump();
        }
        Ok(())
    }

    /// Moves over spaces, a comment and the line end. Returns an error if the rest of the line contains anything else.
    pub(super) fn end_line(&mut self) -> Result<(), RegError> {
        self.skip_blanks();
        if self.peek() == Some(b';') {
            self.skip_comment()?;
        }
        if !self.at_line_end() {
            return Err(self.error(self.mark(), RegErrorKind::Syntax, "the end of the line"));
        }
        self.bump();
        Ok(())
    }

    /// Returns the text in a range of bytes.
    ///
    /// The outer error says that the code page of the file must be known. The inner error says that the bytes of this
    /// text are not valid in the file's encoding.
    pub(super) fn text(&self, range: Range<usize>, start: Mark) -> Result<Result<String, String>, RegError> {
        match self.encoding.decode(&self.bytes[range]) {
            Ok(text) => Ok(Ok(text)),
            Err(DecodeError::Invalid) => Ok(Err(self.invalid())),
            Err(DecodeError::NeedsCodePage) => Err(self.needs_code_page(start)),
        }
    }

    fn invalid(&self) -> String {
        match self.encoding {
            TextEncoding::Utf16 => "not valid UTF-16".to_owned(),
            TextEncoding::Utf8 => "not valid UTF-8".to_owned(),
            TextEncoding::Ansi(Some(page)) => format!("not valid in code page {page}"),
            TextEncoding::Ansi(None) => "not ASCII".to_owned(),
        }
    }

    /// Returns the error for bytes outside ASCII in an unknown code page. The error is at the first such byte after
    /// `start`.
    pub(super) fn needs_code_page(&self, mut start: Mark) -> RegError {
        while let Some(byte) = self.bytes.get(start.at).filter(|byte| byte.is_ascii() && start.at < self.at) {
            start.at += 1;
            if *byte == b'\n' || *byte == b'\r' && self.bytes.get(start.at) != Some(&b'\n') {
                start.line += 1;
                start.line_start = start.at;
            }
        }
        let found = self.bytes.get(start.at).map_or("a byte".to_owned(), |b| format!("the byte 0x{b:02x}"));
        RegError {
            found,
            ..self.error(start, RegErrorKind::CodePage, "only ASCII characters, because no code page is given")
        }
    }

    /// Returns an error at `mark`. Its field `found` is the text at that position.
    pub(super) fn error(&self, mark: Mark, kind: RegErrorKind, expected: impl Into<String>) -> RegError {
        let column = 1 + self.count(mark.line_start.min(mark.at), mark.at);
        RegError { kind, line: mark.line, column, expected: expected.into(), found: self.found(mark.at) }
    }

    fn count(&self, from: usize, to: usize) -> usize {
        let (mut at, mut count) = (from, 0);
        while let Some((_, len)) = self.encoding.unit(self.bytes, at).filter(|_| at < to) {
            at += len;
            count += 1;
        }
        count
    }

    /// Returns the text from `at` to the end of the line, shortened to 40 characters and in backticks, for a message.
    /// If there is no such text, or it cannot be decoded, returns a description instead.
    fn found(&self, at: usize) -> String {
        const SHOWN: usize = 40;
        let mut end = at;
        for _ in 0..SHOWN {
            match self.encoding.unit(self.bytes, end) {
                None | Some((b'\r' | b'\n', _)) => break,
                Some((_, len)) => end += len,
            }
        }
        let bytes = &self.bytes[at.min(end)..end];
        match self.encoding.unit(self.bytes, at) {
            None => "the end of the file".to_owned(),
            Some((b'\r' | b'\n', _)) => "the end of the line".to_owned(),
            Some(_) => match self.encoding.decode(bytes) {
                Ok(text) => format!("`{}`", notation::one_line(&text)),
                Err(_) => "bytes that cannot be decoded".to_owned(),
            },
        }
    }
}
