//! Decodes the bytes of a spec file, which must be UTF-8 of limited size, and finds the lines that diagnostics show.

use std::cell::OnceCell;

use crate::diag::{Code, Diagnostic, Place};

/// The maximum size of a spec file, in bytes: 1 MiB.
pub const MAX_BYTES: usize = 1 << 20;

/// The maximum length of a line that a [`Place`] contains, in characters. Longer lines are left out, so that
/// diagnostics stay small.
const MAX_SHOWN_LINE: usize = 4_000;

/// A range of a text. Lines and columns are counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::spec) struct Spot {
    /// The number of the line in which the range begins, from 1.
    pub line: usize,
    /// The column of the first character of the range, in characters from 1.
    pub column: usize,
    /// The number of the line in which the range ends, from 1.
    pub end_line: usize,
    /// The column after the last character of the range, in characters from 1.
    pub end_column: usize,
}

/// The text of a spec file.
#[derive(Debug)]
pub(in crate::spec) struct Text<'a> {
    /// The name of the file in messages.
    pub name: &'a str,
    /// The text of the file, without a byte order mark.
    pub text: &'a str,
    /// The offset at which each line begins, in bytes. Calculated at the first use, because most texts have no finding
    /// that needs a line.
    lines: OnceCell<Vec<usize>>,
}

impl<'a> Text<'a> {
    /// Decodes the bytes of a file. `name` is the name of the file in messages. The error says why the bytes cannot be
    /// the text of a spec, for example because they are not UTF-8.
    pub(in crate::spec) fn decode(name: &'a str, bytes: &'a [u8]) -> Result<Self, Box<Diagnostic>> {
        if bytes.len() > MAX_BYTES {
            let message = format!("the file has more than {MAX_BYTES} bytes (1 MiB); a spec cannot be larger");
            let hint = "split it into several files";
            return Err(Box::new(Diagnostic::error(Code::FILE_TOO_LARGE, message).at(start(name)).hint(hint)));
        }
        if is_registry_file(bytes) {
            let message = "this is a registry export, not a spec";
            // The name may be that of standard input, or need quotes in a shell.
            let hint = match bytes {
                [0xFE, 0xFF, ..] => {
                    "save it as UTF-16 LE, as regedit does, or as UTF-8; then make a spec from it with `kbfix import`"
                }
                _ => "`kbfix import FILE` makes a spec from such a file",
            };
            return Err(Box::new(Diagnostic::error(Code::WRONG_KIND, message).at(start(name)).hint(hint)));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(_) if is_utf16(bytes) => return Err(Box::new(not_utf8(name, bytes, 0))),
            Ok(text) => text,
            Err(error) => return Err(Box::new(not_utf8(name, bytes, error.valid_up_to()))),
        };
        // Windows editors write a byte order mark, which is ignored.
        let text = Self::new(name, text.strip_prefix('\u{feff}').unwrap_or(text));
        let is_plain = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..0x7F);
        // Looks at every byte, because many bytes at a time are compared faster than one after the other.
        let forbidden = match text.text.as_bytes().iter().fold(true, |all, byte| all & is_plain(byte)) {
            true => None,
            false => text.text.char_indices().find(|(_, c)| is_forbidden(*c)),
        };
        match forbidden {
            Some((at, c)) => {
                let message = format!("a spec cannot contain the unescaped character U+{:04X}", u32::from(c));
                let hint =
                    format!("remove it, or put the text in double quotes and write {} for the character", escape(c));
                Err(Box::new(Diagnostic::error(Code::CONTROL_CHARACTER, message).at(text.place_at(at)).hint(hint)))
            }
            None => Ok(text),
        }
    }

    fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, lines: OnceCell::new() }
    }

    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let mut lines = vec![0];
            let bytes = self.text.as_bytes();
            // YAML ends lines at LF, at CR LF, and at a single CR.
            let is_end = |at: &usize| bytes[*at] == b'\n' || bytes.get(*at + 1) != Some(&b'\n');
            lines.extend(memchr::memchr2_iter(b'\n', b'\r', bytes).filter(is_end).map(|at| at + 1));
            lines
        })
    }

    /// Returns the line with this number, counted from 1, without its line break; empty if there is no such line.
    pub(in crate::spec) fn line(&self, line: usize) -> &'a str {
        let Some(from) = line.checked_sub(1).and_then(|at| self.lines().get(at)) else { return "" };
        let to = self.lines().get(line).copied().unwrap_or(self.text.len());
        self.text[*from..to].trim_end_matches(['\r', '\n'])
    }

    /// Converts a range of the text to the place of a diagnostic. A range of several lines is cut at the end of its
    /// first line.
    pub(in crate::spec) fn place(&self, spot: Spot) -> Place {
        let source = self.line(spot.line);
        let characters = source.chars().count();
        let end = if spot.end_line > spot.line { characters + 1 } else { spot.end_column };
        let source = if characters > MAX_SHOWN_LINE { String::new() } else { source.to_owned() };
        Place {
            file: self.name.to_owned(),
            line: spot.line,
            column: spot.column,
            length: end.saturating_sub(spot.column).max(1),
            source,
        }
    }

    /// Finds the text `part` in the range `spot`, within a line. Returns `None` if `part` is empty, or does not occur
    /// exactly once.
    pub(in crate::spec) fn find(&self, spot: Spot, part: &str) -> Option<Spot> {
        let mut found = None;
        for line in spot.line..=spot.end_line {
            let text = self.line(line);
            let byte = |column: usize| text.char_indices().nth(column - 1).map_or(text.len(), |(byte, _)| byte);
            let from = if line == spot.line { byte(spot.column) } else { 0 };
            let to = if line == spot.end_line { byte(spot.end_column) } else { text.len() };
            let within = text.get(from..to)?;
            for (at, _) in within.match_indices(part) {
                let column = text[..from + at].chars().count() + 1;
                let end_column = column + part.chars().count();
                let here = Spot { line, column, end_line: line, end_column };
                if part.is_empty() || found.replace(here).is_some() {
                    return None;
                }
            }
        }
        found
    }

    /// Returns the place of the character at this offset, in bytes.
    fn place_at(&self, byte: usize) -> Place {
        let line = self.lines().partition_point(|start| *start <= byte);
        let from = self.lines().get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text[from..byte].chars().count() + 1;
        self.place(Spot { line, column, end_line: line, end_column: column + 1 })
    }

    /// Returns the place of the first character of the text.
    pub(in crate::spec) fn start(&self) -> Place {
        self.place(Spot { line: 1, column: 1, end_line: 1, end_column: 2 })
    }
}

/// Returns whether a spec must not contain the character: YAML does not allow it, or only one version of YAML treats it
/// as a line break.
pub(crate) fn is_forbidden(c: char) -> bool {
    let allowed = matches!(c, '\t' | '\n' | '\r');
    c.is_control() && !allowed || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn escape(c: char) -> String {
    let number = u32::from(c);
    if number < 0x100 { format!("\\x{number:02X}") } else { format!("\\u{number:04X}") }
}

fn start(name: &str) -> Place {
    Place { file: name.to_owned(), line: 1, column: 1, length: 1, source: String::new() }
}

/// Returns whether the bytes begin with the header of a `.reg` file, in UTF-16, UTF-8 or a Windows code page.
fn is_registry_file(bytes: &[u8]) -> bool {
    let ascii: Vec<u8> = bytes.iter().copied().filter(|b| (1..0x80).contains(b)).take(23).collect();
    ascii.starts_with(b"REGEDIT4") || ascii.starts_with(b"Windows Registry Editor")
}

/// Returns whether the bytes begin with a UTF-16 byte order mark, or look like UTF-16 without one: in the first two
/// pairs of bytes, the same byte of each pair is NUL, and the other is not.
fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => true,
        [a, b, c, d, ..] => (*a == 0) != (*b == 0) && (*a == 0) == (*c == 0) && (*b == 0) == (*d == 0),
        _ => false,
    }
}

fn not_utf8(name: &str, bytes: &[u8], valid: usize) -> Diagnostic {
    let diagnostic = |message: String, place, hint| Diagnostic::error(Code::NOT_UTF8, message).at(place).hint(hint);
    if is_utf16(bytes) {
        return diagnostic("the file is UTF-16; a spec must be UTF-8".into(), start(name), "save it as UTF-8");
    }
    let before = String::from_utf8_lossy(&bytes[..valid]);
    // A broken byte sequence becomes one replacement character, so the columns before it are right.
    let rest: &[u8] = bytes[valid..].split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    let shown = format!("{before}{}", String::from_utf8_lossy(rest));
    let before = before.trim_start_matches('\u{feff}');
    let text = Text::new(name, shown.trim_start_matches('\u{feff}'));
    let message = format!("the byte 0x{:02X} is not UTF-8", bytes[valid]);
    diagnostic(message, text.place_at(before.len()), "save the file as UTF-8")
}

#[cfg(test)]
mod tests {
    use crate::spec::source::text::*;

    fn fault(bytes: &[u8]) -> (&'static str, usize, usize) {
        let found = *Text::decode("x", bytes).unwrap_err();
        let place = found.place.unwrap();
        (found.code.as_str(), place.line, place.column)
    }

    #[test]
    fn every_line_break_of_yaml_counts() {
        let text = Text::decode("x", b"\xEF\xBB\xBFa\r\nb\rc\n\nd").unwrap();
        assert_eq!((1..=6).map(|l| text.line(l)).collect::<Vec<_>>(), ["a", "b", "c", "", "d", ""]);
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        assert_eq!(fault(b"a: 1\nb: \"\xFF\"\n"), ("not-utf8", 2, 5));
        assert_eq!(fault(b"REGEDIT4\r\n"), ("wrong-kind", 1, 1));
        let header: Vec<u8> =
            "\u{feff}Windows Registry Editor Version 5.00\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(fault(&header), ("wrong-kind", 1, 1));
        for (name, bytes, hint) in [
            ("-", &b"REGEDIT4\r\n"[..], "`kbfix import FILE` makes"),
            ("a b.reg", b"REGEDIT4\r\n", "`kbfix import FILE` makes"),
            ("a", b"\xFE\xFF\0R\0E\0G\0E\0D\0I\0T\x004", "save it as UTF-16 LE"),
        ] {
            let found = Text::decode(name, bytes).unwrap_err();
            assert!(found.hint.as_ref().unwrap().starts_with(hint), "{found:?}");
        }
        assert_eq!(fault(b"\xFF\xFEa\0"), ("not-utf8", 1, 1));
        assert_eq!(fault(b"k\0b\0f\0"), ("not-utf8", 1, 1));
        assert_eq!(fault(b"\0k\0b\0f"), ("not-utf8", 1, 1));
        assert_eq!(fault("é: 1\nü\0".as_bytes()), ("control-character", 2, 2));
        assert_eq!(fault("a\u{2028}b".as_bytes()), ("control-character", 1, 2));
        assert_eq!(fault(&vec![b'['; MAX_BYTES + 1]), ("file-too-large", 1, 1));
    }
}
