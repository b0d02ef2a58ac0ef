//! Reads and writes the data of values in `.reg` files.
//!
//! It reads the forms of data that regedit accepts, and writes the form that regedit writes.

use super::{
    encoding::{self, CodePage, DecodeError, TextEncoding},
    error::{RegError, RegErrorKind},
    scan::{Mark, Scan},
    version::Version,
};
use crate::registry::{Data, ValueType, notation};

/// The data of a value as a `.reg` file contains it. In [`Written::Hex`], the bytes of string data can be text in an
/// ANSI code page ([`is_ansi`]).
pub(super) enum Written {
    Text(Result<String, String>),
    Dword(u32),
    Hex(ValueType, Vec<u8>),
}

/// The reason why data in the file cannot be decoded.
pub(super) enum Undecoded {
    NeedsCodePage,
    Malformed(String),
}

/// Returns whether the bytes of `hex(n):` data are text in an ANSI code page, instead of the UTF-16 that the registry
/// stores. This is so for string data in a version 4 file.
///
/// Sources: for types 2 and 7, tests of Wine that also pass on Windows; for type 1, the regedit of Wine and of ReactOS.
fn is_ansi(version: Version, value_type: ValueType) -> bool {
    version == Version::V4 && value_type.is_text()
}

impl Written {
    /// Returns the data with its bytes as the registry stores them.
    pub(super) fn decoded(self, version: Version, code_page: Option<CodePage>) -> Result<Data, Undecoded> {
        match self {
            Self::Text(text) => text.map(|t| Data::sz(&t)).map_err(Undecoded::Malformed),
            Self::Dword(number) => Ok(Data::dword(number)),
            Self::Hex(value_type, bytes) if is_ansi(version, value_type) => {
                let text = encoding::ansi(code_page, &bytes).map_err(|why| match why {
                    DecodeError::NeedsCodePage => Undecoded::NeedsCodePage,
                    DecodeError::Invalid => {
                        let page = code_page.map(|p| format!(" in code page {p}")).unwrap_or_default();
                        Undecoded::Malformed(format!("not valid{page}"))
                    }
                })?;
                Ok(Data::new(value_type, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()))
            }
            Self::Hex(value_type, bytes) => Ok(Data::new(value_type, bytes)),
        }
    }
}

/// Reads a quoted string, starting at its opening quote.
///
/// The outer error means that the string does not end, contains an unknown escape, or needs a code page. The inner
/// error means that the string is not valid in its encoding; reading can then continue after the string.
pub(super) fn quoted(scan: &mut Scan<'_>) -> Result<Result<String, String>, RegError> {
    let open = scan.mark();
    scan.bump();
    let (start, mark) = (scan.at, scan.mark());
    let mut escaped = false;
    let end = loop {
        let at = scan.at;
        match scan.peek() {
            None => return Err(scan.error(open, RegErrorKind::Unfinished, "a string that ends with a double quote")),
            Some(b'"') => break at,
            Some(b'\\') => {
                escaped = true;
                let mark = scan.mark();
                scan.bump();
                scan.line_break_escape |= matches!(scan.peek(), Some(b'n' | b'r'));
                if !matches!(scan.peek(), None | Some(b'\\' | b'"' | b'n' | b'r')) {
                    return Err(scan.error(mark, RegErrorKind::Escape, "\\\\ or \\\""));
                }
                scan.bump();
            }
            Some(_) => scan.bump(),
        }
    };
    let text = scan.text(start..end, mark)?;
    scan.bump();
    Ok(if escaped { text.map(|t| unescaped(&t)) } else { text })
}

/// Replaces the escapes in a string with the characters that they stand for. These include `\n` and `\r`, which Wine's
/// regedit writes for line breaks; Microsoft's regedit writes the line breaks themselves.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    out
}

/// Reads the data of a value: a quoted string, or the data after `dword:`, `hex:` or `hex(type):`. The caller has
/// already handled `-`, which deletes the value.
pub(super) fn parse(scan: &mut Scan<'_>) -> Result<Written, RegError> {
    let mark = scan.mark();
    if scan.peek() == Some(b'"') {
        return quoted(scan).map(Written::Text);
    }
    let unknown = |scan: &Scan<'_>| scan.error(mark, RegErrorKind::Data, "\"text\", dword:, hex:, hex(type): or -");
    let mut word = String::new();
    while !scan.at_line_end() && scan.peek() != Some(b':') && word.len() < 16 {
        word.push(char::from(scan.peek().unwrap_or_default()).to_ascii_lowercase());
        scan.bump();
    }
    if !scan.eat(b':') {
        return Err(unknown(scan));
    }
    match word.as_str() {
        "dword" => dword(scan).map(Written::Dword),
        "hex" => hex(scan, ValueType::BINARY),
        _ => {
            let number = word.strip_prefix("hex(").and_then(|w| w.strip_suffix(')'));
            let digits = number.filter(|n| matches!(n.len(), 1..=8) && n.bytes().all(|b| b.is_ascii_hexdigit()));
            match digits.and_then(|n| u32::from_str_radix(n, 16).ok()) {
                Some(number) => hex(scan, ValueType(number)),
                None => Err(unknown(scan)),
            }
        }
    }
}

fn dword(scan: &mut Scan<'_>) -> Result<u32, RegError> {
    scan.skip_blanks();
    let mark = scan.mark();
    let (mut number, mut digits) = (0_u64, 0);
    while let Some(digit) = hex_digit(scan) {
        number = number << 4 | u64::from(digit);
        digits += 1;
        if digits > 8 {
            break;
        }
        scan.bump();
    }
    match u32::try_from(number) {
        Ok(number) if matches!(digits, 1..=8) => Ok(number),
        _ => Err(scan.error(mark, RegErrorKind::Data, "1 to 8 hex digits")),
    }
}

fn hex_digit(scan: &Scan<'_>) -> Option<u8> {
    scan.peek().and_then(|b| char::from(b).to_digit(16)).map(|d| d as u8)
}

fn hex(scan: &mut Scan<'_>, value_type: ValueType) -> Result<Written, RegError> {
    let mut bytes = Vec::new();
    let open = scan.mark();
    loop {
        scan.skip_blanks();
        let mark = scan.mark();
        if scan.eat(b'\\') {
            continued(scan, open)?;
            // The next line must continue the data: regedit drops a value if the line after the backslash does not
            // contain bytes.
            scan.skip_blanks();
            if hex_digit(scan).is_none() {
                return Err(scan.error(scan.mark(), RegErrorKind::Data, "two hex digits on the continued line"));
            }
            continue;
        }
        let Some(first) = hex_digit(scan) else { break };
        scan.bump();
        let byte = match hex_digit(scan) {
            Some(second) => {
                scan.bump();
                first << 4 | second
            }
            None => first,
        };
        if hex_digit(scan).is_some() {
            return Err(scan.error(mark, RegErrorKind::Data, "bytes of two hex digits with commas between"));
        }
        bytes.push(byte);
        let end = scan.mark();
        scan.skip_blanks();
        if !scan.eat(b',') {
            // Spaces after the last byte are not part of the data, so an edit does not change them.
            scan.back_to(end);
            break;
        }
    }
    Ok(Written::Hex(value_type, bytes))
}

/// Moves from a backslash at the end of a line, over comments and empty lines, to the line that continues the data.
/// Returns an error if the backslash is not the end of its line, or (at `open`, the start of the data) if the file
/// ends.
fn continued(scan: &mut Scan<'_>, open: Mark) -> Result<(), RegError> {
    scan.end_line()?;
    loop {
        scan.skip_blanks();
        match scan.peek() {
            None => return Err(scan.error(open, RegErrorKind::Unfinished, "data that continues after the backslash")),
            Some(b';') => scan.skip_to_line_end(),
            Some(b'\r' | b'\n') => scan.bump(),
            Some(_) => return Ok(()),
        }
    }
}

/// The column at which `regedit` breaks a line of bytes: a byte that would begin here or later goes to the next line.
const BREAK_AT: usize = 77;

/// Returns data in `.reg` notation, with line breaks as regedit makes them. `column` is the number of characters before
/// the data on its line.
///
/// # Errors
/// Returns a sentence that says why the file cannot contain the data.
pub(super) fn print(
    data: &Data,
    column: usize,
    newline: &str,
    version: Version,
    encoding: TextEncoding,
    code_page: Option<CodePage>,
) -> Result<String, String> {
    let short = notation::data(data);
    let is_short = matches!(data.value_type, ValueType::SZ | ValueType::DWORD) && !short.starts_with("hex");
    if is_short {
        return match encoding.encode(&short) {
            Ok(_) => Ok(short),
            Err(c) => Err(lacks(c, encoding)),
        };
    }
    let mut out = notation::hex_prefix(data.value_type);
    let ansi;
    let bytes = if is_ansi(version, data.value_type) {
        ansi = to_ansi(data, code_page)?;
        &ansi
    } else {
        &data.bytes
    };
    out.reserve(bytes.len() * 3 + bytes.len() / 8);
    let mut at = column + out.len();
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 {
            out.push(',');
            if at >= BREAK_AT {
                out.push('\\');
                out.push_str(newline);
                out.push_str("  ");
                at = 2;
            }
        }
        notation::push_hex(&mut out, *byte);
        at += 3;
    }
    Ok(out)
}

/// Returns the bytes of string data for a version 4 file, in an ANSI code page; or the error message if the data is not
/// valid UTF-16 or the code page cannot express it.
fn to_ansi(data: &Data, code_page: Option<CodePage>) -> Result<Vec<u8>, String> {
    let pairs = data.bytes.chunks_exact(2);
    let text = match pairs.remainder() {
        [] => String::from_utf16(&pairs.map(|p| u16::from_le_bytes([p[0], p[1]])).collect::<Vec<_>>()).ok(),
        _ => None,
    };
    let text = text.ok_or("a version 4 .reg file cannot contain string data that is not valid UTF-16")?;
    encoding::to_ansi(code_page, &text).map_err(|c| lacks(c, TextEncoding::Ansi(code_page)))
}

/// Returns the error message for a character that the file's encoding cannot express.
pub(super) fn lacks(c: char, encoding: TextEncoding) -> String {
    match encoding {
        TextEncoding::Ansi(Some(page)) => format!(
            "code page {page} cannot express the character {c:?}; use a \
            version 5 file in UTF-16"
        ),
        _ => format!("the character {c:?} is not ASCII, and the file's code page is not known; give its code page"),
    }
}
