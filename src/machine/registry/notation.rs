//! Writes data and names on one line, in the notation of a version 5 `.reg` file.
//!
//! Diffs, plans, journals and many messages use this notation. It is lossless: data that the short forms (`"text"`,
//! `dword:`) cannot express exactly is written as `hex(type):` and its bytes.
//!
//! Source: Microsoft, "How to add, modify, or delete registry subkeys and values by using a .reg file" (KB310516).

use std::fmt;

use super::{Data, Decoded, ValueName, ValueType};

/// The text that a message shows instead of sensitive data.
pub const HIDDEN: &str = "(hidden)";

/// The text that a message shows instead of data, for a value that a policy file does not set.
pub const NOT_CONFIGURED: &str = "not configured";

/// Returns the text for data in a message: the type, and the data in `.reg` notation.
///
/// For sensitive data, the text is the type and [`HIDDEN`]. For `None`, it is `absent`; for [`Data::not_configured`],
/// it is [`NOT_CONFIGURED`].
pub fn message(data: Option<&Data>, is_sensitive: bool) -> String {
    match data {
        None => "absent".to_owned(),
        Some(data) if data.is_not_configured() => NOT_CONFIGURED.to_owned(),
        Some(data) if is_sensitive => format!("{} {HIDDEN}", data.value_type),
        Some(data) => format!("{data:?}"),
    }
}

/// Returns data in `.reg` notation: `dword:00000001`, `"text"`, `hex(7):61,00,…`.
pub fn data(data: &Data) -> String {
    match (data.value_type, data.decode()) {
        (ValueType::DWORD, Decoded::Number(number)) => format!("dword:{number:08x}"),
        (ValueType::SZ, Decoded::Text(text)) if !text.bytes().any(|byte| matches!(byte, b'\r' | b'\n')) => {
            quoted(&text)
        }
        _ => format!("{}{}", hex_prefix(data.value_type), hex_list(&data.bytes)),
    }
}

impl fmt::Display for Data {
    /// Writes the `.reg` notation, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data(self))
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value_type, data(self))
    }
}

/// Returns `hex:` for REG_BINARY and `hex(7):` for other types, with the type's number in hex digits.
pub fn hex_prefix(value_type: ValueType) -> String {
    if value_type == ValueType::BINARY { "hex:".to_owned() } else { format!("hex({:x}):", value_type.0) }
}

/// Returns bytes as `01,00,ff`.
pub fn hex_list(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push_hex(&mut out, *byte);
    }
    out
}

/// Returns bytes as `0100ff`.
pub fn hex_digits(bytes: &[u8]) -> String {
    // Every plan and journal contains the digits of all data, so they are written as bytes, not as characters.
    let digits = bytes.iter().flat_map(|byte| hex(*byte));
    let mut out = Vec::with_capacity(bytes.len() * 2);
    out.extend(digits);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends a byte as two hex digits.
pub fn push_hex(out: &mut String, byte: u8) {
    out.extend(hex(byte).map(char::from));
}

/// Returns the two hex digits of a byte.
fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// Parses bytes from pairs of hex digits, in either case; returns `None` for any other text.
pub fn parse_hex_digits(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Returns `@` for the default value, any other name in quotes.
pub fn value_name(name: &ValueName) -> String {
    if name.is_default() { "@".to_owned() } else { quoted(name.as_str()) }
}

/// Returns text in double quotes, with a backslash before each backslash and double quote.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\')) {
        out.push_str(&rest[..at]);
        out.push('\\');
        out.push_str(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
    out
}

/// Returns text on one line, with invisible characters written as `\u{…}`.
///
/// Names and strings from a target or a spec must be passed to this function before they are shown. Characters that
/// control a terminal or change the direction of the text could hide lines of the output, or add false ones.
pub fn one_line(text: &str) -> String {
    // Almost all names and strings consist of visible ASCII characters.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unseen(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// Returns whether a character is invisible.
///
/// Invisible are: control characters, including line breaks; line separators; format characters; characters that
/// programs ignore if they cannot show them; and some that look like a space but are none.
///
/// Source: Unicode Character Database, general categories Cc, Zl, Zp and Cf, and Default_Ignorable_Code_Point, without
/// Prepended_Concatenation_Mark (Arabic and other number signs), which is visible; a test checks the table against it.
/// Those that look like a space are the Braille pattern without dots, the null notehead and the Khitan filler.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}'
            | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_is_used_only_where_it_loses_nothing() {
        assert_eq!(data(&Data::dword(1)), "dword:00000001");
        assert_eq!(data(&Data::new(ValueType::DWORD, [1, 0, 0])), "hex(4):01,00,00");
        assert_eq!(data(&Data::sz(r#"C:\a "b""#)), r#""C:\\a \"b\"""#);
        assert_eq!(data(&Data::sz("a\nb")), "hex(1):61,00,0a,00,62,00,00,00");
        assert_eq!(data(&Data::new(ValueType::SZ, *b"a\0")), "hex(1):61,00");
        assert_eq!(data(&Data::new(ValueType::BINARY, [])), "hex:");
        assert_eq!(data(&Data::new(ValueType::NONE, [1])), "hex(0):01");
        assert_eq!(data(&Data::new(ValueType(0x99), [1])), "hex(99):01");
        assert_eq!(data(&Data::qword(1 << 63)), "hex(b):00,00,00,00,00,00,00,80");
    }

    #[test]
    fn what_is_not_seen_is_written_out() {
        assert_eq!(
            one_line("a\u{1b}[2J\r\n\u{85}b\u{2028}\u{2029}\t"),
            r"a\u{1b}[2J\u{d}\u{a}\u{85}b\u{2028}\u{2029}\u{9}"
        );
        assert_eq!(one_line("\u{202e}x\u{2066}\u{200f}\u{200b}\u{feff}"), r"\u{202e}x\u{2066}\u{200f}\u{200b}\u{feff}");
        assert_eq!(
            one_line("a\u{3164}\u{2800}\u{fe0f}\u{e0100}\u{1d173}"),
            r"a\u{3164}\u{2800}\u{fe0f}\u{e0100}\u{1d173}"
        );
        for text in ["Größe", "日本語", "é", "\u{a0}", "😀", r"C:\x"] {
            assert_eq!(one_line(text), text);
        }
    }

    #[test]
    fn the_table_of_unseen_characters_is_that_of_unicode() {
        use regex_syntax::hir::{Class, HirKind};
        let pattern = r"[\p{Cc}\p{Zl}\p{Zp}[\p{Cf}--\p{Prepended_Concatenation_Mark}]\p{Default_Ignorable_Code_Point}]";
        let parsed = regex_syntax::parse(pattern).unwrap();
        let HirKind::Class(Class::Unicode(class)) = parsed.kind() else { panic!("{parsed:?}") };
        let blanks = ['\u{2800}', '\u{16fe4}', '\u{1d159}'];
        let unicode = |c: char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c));
        let differ: Vec<_> =
            (char::MIN..=char::MAX).filter(|c| is_unseen(*c) != (unicode(*c) || blanks.contains(c))).collect();
        assert_eq!(differ, [' '; 0], "{:?}", differ.iter().map(|c| c.escape_unicode().to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn hex_digits_round_trip() {
        assert_eq!(parse_hex_digits("0aFF"), Some(vec![10, 255]));
        assert_eq!(parse_hex_digits("0"), None);
        assert_eq!(parse_hex_digits("zz"), None);
        assert_eq!(parse_hex_digits("é"), None);
    }
}
