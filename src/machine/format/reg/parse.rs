//! Parses a `.reg` file into sections and entries.

use std::ops::Range;

use super::{
    data,
    encoding::{CodePage, TextEncoding},
    entry::{Content, Entry, Line, Raw, Section},
    error::{RegError, RegErrorKind},
    scan::{Mark, Scan},
    version::Version,
};
use crate::registry::{KeyPath, ValueName, notation};

/// The size of the largest file that is read, in bytes. An export of the complete `HKLM\SOFTWARE` has about 100 MB.
pub const MAX_FILE: usize = 256 << 20;

/// The parts of a parsed `.reg` file, with its version and its encoding.
pub(super) struct Parsed {
    pub(super) version: Version,
    pub(super) encoding: TextEncoding,
    /// The bytes before the first section.
    pub(super) preamble: Range<usize>,
    pub(super) sections: Vec<Section>,
    /// The bytes from a final Ctrl-Z on, which marks the end of a text in DOS.
    pub(super) epilogue: Range<usize>,
}

/// A range of lines that the parser skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The number of the first skipped line, counted from 1. The last skipped line is that of the error.
    pub from: usize,
    /// The reason why the lines were skipped.
    pub error: RegError,
}

/// The number of errors after which the parser stops looking for further errors in a file.
const MAX_FAULTS: usize = 100;

/// The maximum number of errors that [`Document::parse_lenient`](super::Document::parse_lenient) skips in one file. A
/// file with more errors is probably not a `.reg` file.
pub const MAX_SKIPPED: usize = 1000;

/// Parses the file into sections and entries. Returns the first error in the file.
pub(super) fn parse(bytes: &[u8], code_page: Option<CodePage>) -> Result<Parsed, RegError> {
    let mut parser = begin(bytes, code_page)?;
    parser.lines()?;
    Ok(parser.finish(bytes.len()))
}

/// Parses the file as regedit does, and also returns the lines that regedit skips.
///
/// If the key of a section is not valid, everything up to the next section is skipped. Returns an error after which
/// regedit does not continue, or the next error after [`MAX_SKIPPED`] skipped ones.
pub(super) fn lenient(bytes: &[u8], code_page: Option<CodePage>) -> Result<(Parsed, Vec<Skipped>), RegError> {
    let mut parser = begin(bytes, code_page)?;
    let mut skipped = Vec::new();
    while let Err(error) = parser.lines() {
        if !error.kind.is_skipped() || skipped.len() == MAX_SKIPPED {
            return Err(error);
        }
        parser.skip_statement(&error);
        skipped.push(Skipped { from: parser.statement.line, error });
    }
    Ok((parser.finish(bytes.len()), skipped))
}

/// Returns the errors in the file, at most [`MAX_FAULTS`]. After an error, parsing continues at the next line that does
/// not continue the wrong one. Values below a key that is not valid are not errors of their own.
pub(super) fn faults(bytes: &[u8], code_page: Option<CodePage>) -> Vec<RegError> {
    let mut parser = match begin(bytes, code_page) {
        Ok(parser) => parser,
        Err(error) => return vec![error],
    };
    let mut found = Vec::new();
    // Values below a key that cannot be read have no key, but that is not a separate error.
    let mut lost = false;
    while let Err(error) = parser.lines() {
        let of_key = error.kind == RegErrorKind::Key;
        let follows = lost && error.kind == RegErrorKind::OutsideKey;
        lost = of_key || follows || lost && parser.sections.is_empty();
        if !follows {
            found.push(error);
        }
        if found.len() == MAX_FAULTS {
            break;
        }
        parser.skip_line();
    }
    found
}

/// Returns a parser that has already read the first line of the file.
fn begin(bytes: &[u8], code_page: Option<CodePage>) -> Result<Parser<'_>, RegError> {
    let (encoding, start) = match bytes {
        [0xFF, 0xFE, ..] => (TextEncoding::Utf16, 2),
        [0xEF, 0xBB, 0xBF, ..] => (TextEncoding::Utf8, 3),
        _ => (TextEncoding::Ansi(code_page), 0),
    };
    let mut scan = Scan::new(text_of(bytes, encoding), encoding, start);
    if bytes.len() > MAX_FILE {
        let mut error = scan.error(scan.mark(), RegErrorKind::TooLarge, format!("at most {MAX_FILE} bytes"));
        error.found = format!("{} bytes", bytes.len());
        return Err(error);
    }
    let version = header(&mut scan)?;
    let statement = scan.mark();
    let sections = Vec::new();
    Ok(Parser { scan, version, code_page, sections, open: false, statement, pending: None, preamble: 0..0 })
}

/// Returns the text without a final Ctrl-Z and what follows it.
fn text_of(bytes: &[u8], encoding: TextEncoding) -> &[u8] {
    const CTRL_Z: u8 = 0x1A;
    let width = if encoding == TextEncoding::Utf16 { 2 } else { 1 };
    let mut end = None;
    for (at, unit) in bytes.chunks_exact(width).enumerate().rev() {
        match unit {
            [CTRL_Z] | [CTRL_Z, 0] => end = Some(at * width),
            [b' ' | b'\t' | b'\r' | b'\n' | 0] | [b' ' | b'\t' | b'\r' | b'\n' | 0, 0] => {}
            _ => break,
        }
    }
    end.map_or(bytes, |end| &bytes[..end])
}

fn header(scan: &mut Scan<'_>) -> Result<Version, RegError> {
    scan.skip_blanks();
    let mark = scan.mark();
    let start = scan.at;
    scan.skip_to_line_end();
    let text = scan.encoding.decode(&scan.bytes[start..scan.at]).unwrap_or_default();
    let version = match text.trim_end_matches([' ', '\t']) {
        "REGEDIT4" => Version::V4,
        "Windows Registry Editor Version 5.00" => Version::V5,
        _ if scan.bytes.starts_with(b"regf") => {
            let mut error = scan.error(mark, RegErrorKind::Hive, "the text of a .reg file");
            error.found = "a registry hive".to_owned();
            return Err(error);
        }
        _ => {
            let expected = "`REGEDIT4` or `Windows Registry Editor Version 5.00`";
            return Err(scan.error(mark, RegErrorKind::Header, expected));
        }
    };
    scan.bump();
    Ok(version)
}

/// Comments and empty lines that are not yet assigned to the body or the tail of a section.
struct Pending {
    start: usize,
    end: usize,
    /// The offset in the file of the first of these empty lines, in bytes; `None` if there is none.
    blank: Option<usize>,
    /// The offset in the file of the first comment after this empty line, in bytes; `None` if there is none.
    comment: Option<usize>,
}

struct Parser<'a> {
    scan: Scan<'a>,
    version: Version,
    code_page: Option<CodePage>,
    sections: Vec<Section>,
    /// Whether a value may follow: a section was begun, and no section with an invalid key was skipped after it.
    open: bool,
    /// The position at which the current line, or the current entry with its continuation lines, begins.
    statement: Mark,
    pending: Option<Pending>,
    preamble: Range<usize>,
}

impl Parser<'_> {
    fn lines(&mut self) -> Result<(), RegError> {
        while self.scan.at < self.scan.bytes.len() {
            let start = self.scan.at;
            self.statement = self.scan.mark();
            self.scan.skip_blanks();
            match self.scan.peek() {
                None | Some(b'\r' | b'\n') => self.trivia(start, true),
                // regedit skips a line that begins with `#`, like any unknown line; people use such lines as comments.
                Some(b';' | b'#') => {
                    self.scan.skip_comment()?;
                    self.trivia(start, false);
                }
                Some(b'[') => self.section(start)?,
                Some(b'"' | b'@') => self.entry(start)?,
                Some(_) => {
                    let expected = "a [key], a \"name\"=data, a comment or an empty line";
                    return Err(self.scan.error(self.scan.mark(), RegErrorKind::Syntax, expected));
                }
            }
        }
        self.end_section();
        Ok(())
    }

    /// Skips the rest of a line and the lines that continue it.
    fn skip_line(&mut self) {
        loop {
            let mut last = None;
            while !self.scan.at_line_end() {
                last = self.scan.peek().filter(|b| !matches!(b, b' ' | b'\t')).or(last);
                self.scan.bump();
            }
            self.scan.bump();
            if last != Some(b'\\') || self.scan.at >= self.scan.bytes.len() {
                return;
            }
        }
    }

    /// Skips the current line or entry, from its beginning to the end of the line with the error. The skipped bytes
    /// stay in the document.
    fn skip_statement(&mut self, error: &RegError) {
        self.open &= error.kind != RegErrorKind::Key;
        let start = self.scan.offset(self.statement);
        self.scan.back_to(self.statement);
        loop {
            let last = self.scan.line == error.line;
            self.trivia(start, false);
            if last || self.scan.at >= self.scan.bytes.len() {
                return;
            }
        }
    }

    fn finish(self, length: usize) -> Parsed {
        let Parser { sections, preamble, version, scan, .. } = self;
        Parsed { version, encoding: scan.encoding, preamble, sections, epilogue: scan.bytes.len()..length }
    }

    fn trivia(&mut self, start: usize, blank: bool) {
        self.scan.skip_to_line_end();
        self.scan.bump();
        let pending = self.pending.get_or_insert(Pending { start, end: start, blank: None, comment: None });
        pending.end = self.scan.at;
        if blank {
            pending.blank.get_or_insert(start);
        } else if pending.blank.is_some() {
            pending.comment.get_or_insert(start);
        }
    }

    /// Ends the current section: assigns the pending comments and empty lines to it, or to the part before the first
    /// section.
    fn end_section(&mut self) {
        let pending = self.pending.take();
        let Some(section) = self.sections.last_mut() else {
            self.preamble = 0..self.scan.at;
            return;
        };
        let Some(pending) = pending else { return };
        let blank = pending.blank.unwrap_or(pending.end);
        let comment = pending.comment.unwrap_or(pending.end);
        if blank > pending.start {
            section.body.push(Line { raw: Raw::Span(pending.start..blank), entry: None });
        }
        section.tail = Raw::Span(blank..comment);
        section.outro = Raw::Span(comment..pending.end);
    }

    fn section(&mut self, start: usize) -> Result<(), RegError> {
        let line = self.scan.line;
        let open = self.scan.mark();
        self.scan.bump();
        let deletes = self.scan.eat(b'-');
        let mark = self.scan.mark();
        let from = self.scan.at;
        // A key name may contain brackets, so the last bracket on the line ends the key.
        let mut close = None;
        while !self.scan.at_line_end() {
            if self.scan.peek() == Some(b']') {
                close = Some(self.scan.mark());
            }
            self.scan.bump();
        }
        let Some(close) = close else {
            return Err(self.scan.error(open, RegErrorKind::Key, "a [key] that ends with ]"));
        };
        let text = self.scan.text(from..self.scan.offset(close), mark)?;
        self.scan.back_to(close);
        self.scan.bump();
        self.scan.skip_blanks();
        let ignored = !self.scan.at_line_end() && self.scan.peek() != Some(b';');
        let key = match text {
            // For RegCreateKeyEx, backslashes at the end are not part of the key.
            Ok(text) => match text.trim_end_matches('\\').parse::<KeyPath>() {
                Ok(key) => Ok(key),
                Err(why) => {
                    let mut error = self.scan.error(mark, RegErrorKind::Key, "a key below a root key");
                    error.found = format!("`{}`: {why}", notation::one_line(&text));
                    return Err(error);
                }
            },
            Err(why) => Err(format!("line {line}: the key is {why}")),
        };
        self.scan.skip_comment()?;
        self.scan.bump();
        if self.sections.is_empty() {
            self.preamble = 0..start;
            self.pending = None;
        } else {
            self.end_section();
        }
        self.open = true;
        let end = self.scan.at;
        let head = Raw::Span(start..end);
        let (tail, outro) = (Raw::Span(end..end), Raw::Span(end..end));
        let body = Vec::new();
        self.sections.push(Section {
            line,
            key,
            deletes,
            ignored,
            head,
            body,
            tail,
            outro,
            previous: None,
            next: None,
        });
        Ok(())
    }

    fn entry(&mut self, start: usize) -> Result<(), RegError> {
        let line = self.scan.line;
        let mark = self.scan.mark();
        if !self.open {
            return Err(self.scan.error(mark, RegErrorKind::OutsideKey, "a valid [key] above the value"));
        }
        self.scan.line_break_escape = false;
        let name = if self.scan.eat(b'@') {
            Ok(ValueName::default_value())
        } else {
            match data::quoted(&mut self.scan)? {
                Ok(text) => ValueName::new(text).map_err(|why| format!("line {line}: {why}")),
                Err(why) => Err(format!("line {line}: the value name is {why}")),
            }
        };
        self.scan.skip_blanks();
        if !self.scan.eat(b'=') {
            return Err(self.scan.error(self.scan.mark(), RegErrorKind::Syntax, "= after the value name"));
        }
        self.scan.skip_blanks();
        let from = self.scan.at;
        let content = self.content(line)?;
        let data_at = from - start..self.scan.at - start;
        self.scan.end_line()?;
        let entry = Entry { line, name, content, data_at, line_break_escape: self.scan.line_break_escape };
        let pending = self.pending.take();
        if let Some(section) = self.sections.last_mut() {
            if let Some(p) = pending {
                section.body.push(Line { raw: Raw::Span(p.start..p.end), entry: None });
            }
            section.body.push(Line { raw: Raw::Span(start..self.scan.at), entry: Some(entry) });
        }
        Ok(())
    }

    fn content(&mut self, line: usize) -> Result<Content, RegError> {
        if self.scan.eat(b'-') {
            return Ok(Content::Delete);
        }
        let mark: Mark = self.scan.mark();
        let data = data::parse(&mut self.scan)?;
        Ok(match data.decoded(self.version, self.code_page) {
            Ok(data) => Content::Data(data),
            Err(data::Undecoded::NeedsCodePage) => {
                let mut error = self.scan.error(
                    mark,
                    RegErrorKind::CodePage,
                    "only ASCII characters, because no code page is given",
                );
                error.found = "string data with bytes outside ASCII".to_owned();
                return Err(error);
            }
            Err(data::Undecoded::Malformed(why)) => Content::Malformed(format!("line {line}: the data is {why}")),
        })
    }
}
