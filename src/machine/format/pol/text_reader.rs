//! Reads policies in the text format of LGPO.exe, which the module `text` describes.

use super::{
    entry::{self, DELETE, Instruction},
    parse::MAX_FILE,
    text::{ANY, DEFAULT},
};
use crate::{
    format::reg::CodePage,
    registry::{Data, KeyPath, RootKey, ValueType},
};

/// The maximum number of errors that are returned for one file.
const MAX_ERRORS: usize = 100;

/// One entry of a text in the format of LGPO.exe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEntry {
    /// The number of the entry's first line, from 1.
    pub line: usize,
    /// The key that `instruction` changes.
    pub key: KeyPath,
    /// What the entry does, as the instruction of a policy file.
    pub instruction: Instruction,
}

/// The reason why a text for LGPO.exe cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct TextError {
    /// The kind of error, which determines the hint.
    pub kind: TextErrorKind,
    /// The number of the line with the error, from 1.
    pub line: usize,
    /// A description of what was expected.
    pub expected: String,
    /// A description of what was found.
    pub found: String,
}

/// The kinds of [`TextError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextErrorKind {
    /// The file is larger than the limit of kbfix.
    TooLarge,
    /// The bytes are not text in the encoding that the byte order mark names, or this encoding is UTF-16 with the high
    /// byte first, which kbfix does not read.
    Encoding,
    /// The file has no byte order mark, and its code page is not known or is not the given one.
    CodePage,
    /// A line of an entry is missing or not valid.
    Syntax,
    /// The entry has no equivalent in a policy file of the machine or of all users: it is for a single user, or is
    /// `CLEAR`.
    Unsupported,
}

impl TextErrorKind {
    /// Returns a hint: what the user can do about this kind of error.
    pub fn hint(self) -> &'static str {
        match self {
            Self::TooLarge => "divide the file into smaller files, and import each of them",
            Self::Encoding => "save the file as UTF-8 with a byte order mark",
            Self::CodePage => "save the file as UTF-8 with a byte order mark, or give its code page, such as 1252",
            Self::Syntax => {
                "correct this entry: its four lines are Computer or User, the key, the value name, and the action"
            }
            Self::Unsupported => "remove the entry, and mention it under `notes` of the spec",
        }
    }
}

/// Returns whether the bytes look like a text for LGPO.exe: the first line that is neither empty nor a comment is
/// `Computer` or `User`, or begins with `User:`. Only the first 64 KiB are examined.
pub fn is_lgpo(bytes: &[u8]) -> bool {
    const MANY: usize = 64 << 10;
    let begin = &bytes[..bytes.len().min(MANY)];
    let is_entry = |line: &str| root_of(line).is_some() || is_of_one_user(line);
    match begin {
        [0xFF, 0xFE, rest @ ..] => {
            let units: Vec<u16> = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units).lines().find(|line| !is_between(line)).is_some_and(is_entry)
        }
        // Only the lines up to the first entry are decoded, because every spec is tested as well.
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => rest
            .split(|byte| *byte == b'\n')
            .map(|line| String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)))
            .find(|line| !is_between(line))
            .is_some_and(|line| is_entry(&line)),
    }
}

/// Parses a text for LGPO.exe. `code_page` is the encoding of bytes outside ASCII in a file without a byte order mark;
/// if it is `None`, such a file must be ASCII.
///
/// # Errors
/// Returns the errors in the file, in order, at most 100.
pub fn parse_lgpo(bytes: &[u8], code_page: Option<CodePage>) -> Result<Vec<TextEntry>, Vec<TextError>> {
    if bytes.len() > MAX_FILE {
        let (expected, found) = (format!("at most {MAX_FILE} bytes"), bytes.len().to_string());
        return Err(vec![TextError { kind: TextErrorKind::TooLarge, line: 1, expected, found }]);
    }
    let text = decode(bytes, code_page).map_err(|error| vec![error])?;
    let mut lines = text.lines().zip(1..).peekable();
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    while let Some((first, line)) = lines.next() {
        if is_between(first) {
            continue;
        }
        let read = match root_of(first) {
            Some(root) => {
                // If lines of an entry are missing, the lines of the next entry must not be read in their place.
                let mut rest = || lines.next_if(|(next, _)| !is_between(next));
                entry(root, line, [rest(), rest(), rest()])
            }
            None => {
                while lines.next_if(|(next, _)| root_of(next).is_none()).is_some() {}
                Err(not_a_configuration(first, line))
            }
        };
        match read {
            Ok(entry) => entries.push(entry),
            Err(error) => errors.push(error),
        }
        if errors.len() == MAX_ERRORS {
            break;
        }
    }
    if errors.is_empty() { Ok(entries) } else { Err(errors) }
}

/// Returns whether the line can stand between two entries: it is empty or a comment.
fn is_between(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with(';')
}

fn root_of(line: &str) -> Option<RootKey> {
    match line {
        _ if line.eq_ignore_ascii_case("Computer") => Some(RootKey::Hklm),
        _ if line.eq_ignore_ascii_case("User") => Some(RootKey::Hkcu),
        _ => None,
    }
}

fn is_of_one_user(line: &str) -> bool {
    line.get(..5).is_some_and(|user| user.eq_ignore_ascii_case("User:"))
}

fn not_a_configuration(found: &str, line: usize) -> TextError {
    let (kind, expected, what) = match is_of_one_user(found) {
        true => (
            TextErrorKind::Unsupported,
            "`Computer` (the policy of the machine) or `User` (the policy of all users)",
            ", the policy of one user or group",
        ),
        false => (TextErrorKind::Syntax, "the first line of an entry, `Computer` or `User`", ""),
    };
    TextError { kind, line, expected: expected.to_owned(), found: shown(found) + what }
}

/// Parses an entry: the root key, the number of its first line, and the lines with key, value name and action.
fn entry(root: RootKey, line: usize, rest: [Option<(&str, usize)>; 3]) -> Result<TextEntry, TextError> {
    let syntax = |line, expected: &str, found: String| TextError {
        kind: TextErrorKind::Syntax,
        line,
        expected: expected.to_owned(),
        found,
    };
    let missing = |what| syntax(line, what, "an entry with too few lines".to_owned());
    let [key, name, what] = rest;
    let (key, key_line) = key.ok_or_else(|| missing("a key on the second line"))?;
    let (name, name_line) = name.ok_or_else(|| missing("a value name on the third line, or `(Default)`"))?;
    let (what, what_line) =
        what.ok_or_else(|| missing("an action on the fourth line, such as `DWORD:1` or `DELETE`"))?;
    let whole = |action: &str| match name {
        ANY => Ok(()),
        _ => Err(syntax(name_line, &format!("`*` as the value name of {action}"), shown(name))),
    };
    let name = if name.eq_ignore_ascii_case(DEFAULT) { "" } else { name };
    let mark = Data::sz(" ");
    let (name, data) = match what {
        "DELETE" => (format!("{DELETE}{name}"), mark),
        "DELETEALLVALUES" => (whole(what).map(|()| "**DelVals.".to_owned())?, mark),
        "CREATEKEY" => (whole(what).map(|()| String::new())?, Data::new(ValueType::NONE, [])),
        "DELETEKEYS" => ("**DeleteKeys".to_owned(), Data::sz(name)),
        "CLEAR" => {
            let expected = "an entry that sets or deletes something".to_owned();
            let found =
                "`CLEAR`, which only removes the settings of a key from the policy that LGPO.exe edits".to_owned();
            return Err(TextError { kind: TextErrorKind::Unsupported, line: what_line, expected, found });
        }
        _ => {
            let data = data(what).map_err(|expected| syntax(what_line, expected, shown(what)))?;
            (name.to_owned(), data)
        }
    };
    match entry::meaning(root, key, &name, data) {
        Ok((key, instruction)) => Ok(TextEntry { line, key, instruction }),
        Err(why) => Err(syntax(key_line, "a valid key and a valid value name", format!("an error: {why}"))),
    }
}

/// Parses a type and data, such as `DWORD:1`. The error is a description of what was expected.
fn data(text: &str) -> Result<Data, &'static str> {
    let unknown = "`DELETE`, `DELETEALLVALUES`, `CREATEKEY` or `DELETEKEYS`; or data after `DWORD:`, `QWORD:`, `SZ:`, \
        `EXSZ:`, `MULTISZ:` or `BINARY:`; all in capitals";
    let (word, rest) = text.split_once(':').ok_or(unknown)?;
    let no_nul = "a string without a NUL (`\\0`; but `\\\\0` is a backslash and a 0)";
    let one = |value_type| match strings(rest).as_slice() {
        [text] => Ok(Data::text(value_type, text)),
        _ => Err(no_nul),
    };
    match word {
        "DWORD" => number(rest)
            .and_then(|number| u32::try_from(number).ok())
            .map(Data::dword)
            .ok_or("a number from 0 to 4294967295, decimal or `0x…`"),
        "QWORD" => number(rest).map(Data::qword).ok_or("a number from 0 to 18446744073709551615, decimal or `0x…`"),
        "SZ" => one(ValueType::SZ),
        "EXSZ" => one(ValueType::EXPAND_SZ),
        "MULTISZ" => {
            let mut list = strings(rest);
            // A last separator ends the list.
            list.pop_if(|last| last.is_empty());
            match list.iter().any(String::is_empty) {
                true => Err("strings with `\\0` between them, none of them empty"),
                false => Ok(Data::multi_sz(&list)),
            }
        }
        "BINARY" if rest.is_empty() => Ok(Data::new(ValueType::BINARY, [])),
        "BINARY" => {
            let byte = |digits: &str| {
                let is_byte = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                is_byte.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
            };
            let bytes: Option<Vec<u8>> = rest.split(',').map(byte).collect();
            let bytes = bytes.ok_or("bytes of two hex digits with commas between, such as `00,ff`")?;
            Ok(Data::new(ValueType::BINARY, bytes))
        }
        _ => Err(unknown),
    }
}

fn number(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((text, 10), |digits| (digits, 16));
    let digits = Some(digits).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u64::from_str_radix(digits, radix).ok()
}

/// Returns the strings between the separators `\0`. In each string, replaces the escape `\\` with a backslash.
fn strings(text: &str) -> Vec<String> {
    let mut list = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let next = chars.next_if(|next| char == '\\' && matches!(next, '\\' | '0'));
        match (next, list.last_mut()) {
            (Some('0'), _) => list.push(String::new()),
            (_, Some(last)) => last.push(char),
            (_, None) => {}
        }
    }
    list
}

fn decode(bytes: &[u8], code_page: Option<CodePage>) -> Result<String, TextError> {
    let wrong = |line, expected: &str, found: &str| {
        let has_mark = matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0xEF, 0xBB, 0xBF, ..]);
        let kind = if has_mark { TextErrorKind::Encoding } else { TextErrorKind::CodePage };
        TextError { kind, line, expected: expected.to_owned(), found: found.to_owned() }
    };
    let line_at = |at: usize| 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    match bytes {
        [0xFF, 0xFE, rest @ ..] => {
            let units = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            let text: String = char::decode_utf16(units).map_while(Result::ok).collect();
            match 2 * text.encode_utf16().count() == rest.len() {
                true => Ok(text),
                false => Err(wrong(1 + text.matches('\n').count(), "UTF-16 text", "bytes that are not")),
            }
        }
        [0xFE, 0xFF, ..] => {
            Err(wrong(1, "UTF-8, or UTF-16 with the low byte first", "UTF-16 with the high byte first"))
        }
        [0xEF, 0xBB, 0xBF, rest @ ..] => match std::str::from_utf8(rest) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(wrong(line_at(3 + error.valid_up_to()), "UTF-8", "bytes that are not")),
        },
        _ => match (bytes.iter().position(|byte| !byte.is_ascii()), code_page) {
            (None, _) => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
            (Some(_), Some(page)) => page.decode(bytes).map_err(|_| {
                // In no code page is a line feed a part of another character.
                let mut lines = bytes.split(|byte| *byte == b'\n');
                let line = 1 + lines.position(|line| page.decode(line).is_err()).unwrap_or_default();
                wrong(line, &format!("text in code page {}", page.number()), "bytes that are not")
            }),
            (Some(at), None) => Err(wrong(
                line_at(at),
                "only ASCII, because there is no byte order mark and no code page",
                "other bytes",
            )),
        },
    }
}

fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let cut: String = text.chars().take(LONGEST).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("`{cut}{more}`")
}
