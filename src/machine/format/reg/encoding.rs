//! The character encodings of `.reg` files.

use std::{fmt, str::FromStr};

use encoding_rs::Encoding;

/// An ANSI code page of Windows, such as 1252: the encoding of a text file without a byte order mark.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodePage {
    number: u16,
    encoding: &'static Encoding,
}

impl CodePage {
    /// The numbers of the code pages that kbfix knows.
    pub const NUMBERS: [u16; 14] = [874, 932, 936, 949, 950, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258];

    /// Returns the code page with this number; `None` for a number that is not in [`CodePage::NUMBERS`].
    pub fn new(number: u16) -> Option<Self> {
        let encoding = match number {
            874 => encoding_rs::WINDOWS_874,
            932 => encoding_rs::SHIFT_JIS,
            936 => encoding_rs::GBK,
            949 => encoding_rs::EUC_KR,
            950 => encoding_rs::BIG5,
            1250 => encoding_rs::WINDOWS_1250,
            1251 => encoding_rs::WINDOWS_1251,
            1252 => encoding_rs::WINDOWS_1252,
            1253 => encoding_rs::WINDOWS_1253,
            1254 => encoding_rs::WINDOWS_1254,
            1255 => encoding_rs::WINDOWS_1255,
            1256 => encoding_rs::WINDOWS_1256,
            1257 => encoding_rs::WINDOWS_1257,
            1258 => encoding_rs::WINDOWS_1258,
            _ => return None,
        };
        Some(Self { number, encoding })
    }

    /// Returns the number of the code page, such as 1252.
    pub fn number(self) -> u16 {
        self.number
    }

    /// Returns whether `byte` is the first byte of a two-byte character. The second byte of such a character can be
    /// equal to an ASCII backslash or bracket, so it must be skipped.
    fn is_lead(self, byte: u8) -> bool {
        match self.number {
            932 => matches!(byte, 0x81..=0x9F | 0xE0..=0xFC),
            936 | 949 | 950 => matches!(byte, 0x81..=0xFE),
            _ => false,
        }
    }

    pub(in crate::format) fn decode(self, bytes: &[u8]) -> Result<String, DecodeError> {
        let text = self.encoding.decode_without_bom_handling_and_without_replacement(bytes);
        text.map(|t| t.into_owned()).ok_or(DecodeError::Invalid)
    }

    /// Encodes `text` in the code page. The error is the first character that the code page cannot express; U+FFFD if
    /// the text as a whole cannot be encoded.
    pub(super) fn encode(self, text: &str) -> Result<Vec<u8>, char> {
        let (bytes, _, lossy) = self.encoding.encode(text);
        // The round trip detects characters that the encoder only replaces: in code page 932 a yen sign would become a
        // backslash.
        if !lossy && self.decode(&bytes).is_ok_and(|back| back == text) {
            return Ok(bytes.into_owned());
        }
        let lacks = |c: &char| {
            let one = c.to_string();
            let (bytes, _, lossy) = self.encoding.encode(&one);
            lossy || self.decode(&bytes).as_deref() != Ok(&one)
        };
        Err(text.chars().find(lacks).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

impl FromStr for CodePage {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().ok().and_then(Self::new).ok_or_else(|| {
            let numbers: Vec<String> = Self::NUMBERS.iter().map(ToString::to_string).collect();
            format!("kbfix does not support the code page `{text}`; it supports {}", numbers.join(", "))
        })
    }
}

impl fmt::Display for CodePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)
    }
}

impl fmt::Debug for CodePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodePage({})", self.number)
    }
}

/// The reason why bytes cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum DecodeError {
    /// The text is in an ANSI code page and not only ASCII, and the code page is not known.
    NeedsCodePage,
    /// The bytes are not valid in the encoding.
    Invalid,
}

/// The character encoding of a `.reg` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextEncoding {
    /// UTF-16LE; the file begins with a byte order mark.
    Utf16,
    /// UTF-8; the file begins with a byte order mark.
    Utf8,
    /// An ANSI code page. If the code page is not known, only ASCII can be decoded.
    Ansi(Option<CodePage>),
}

/// The value that [`TextEncoding::unit`] returns for every character outside ASCII.
pub(super) const OTHER: u8 = 0xFF;

impl TextEncoding {
    /// Returns the character at the offset `at`, and its length in bytes; `None` at the end of the bytes.
    ///
    /// For a character outside ASCII, returns [`OTHER`] instead of the character. In an unknown code page, each byte
    /// outside ASCII counts as such a character.
    pub(super) fn unit(self, bytes: &[u8], at: usize) -> Option<(u8, usize)> {
        let first = *bytes.get(at)?;
        Some(match self {
            Self::Utf16 => match bytes.get(at + 1) {
                Some(0) if first < 0x80 => (first, 2),
                Some(0xD8..0xDC) if matches!(bytes.get(at + 3), Some(0xDC..0xE0)) => (OTHER, 4),
                Some(_) => (OTHER, 2),
                None => (OTHER, 1),
            },
            _ if first < 0x80 => (first, 1),
            Self::Utf8 => {
                let more = bytes.iter().skip(at + 1).take(3).take_while(|byte| matches!(byte, 0x80..0xC0));
                (OTHER, 1 + more.count())
            }
            Self::Ansi(Some(page)) if page.is_lead(first) && bytes.get(at + 1).is_some_and(|b| *b >= 0x40) => {
                (OTHER, 2)
            }
            _ => (OTHER, 1),
        })
    }

    pub(in crate::format) fn decode(self, bytes: &[u8]) -> Result<String, DecodeError> {
        match self {
            Self::Utf16 => {
                let pairs = bytes.chunks_exact(2);
                if !pairs.remainder().is_empty() {
                    return Err(DecodeError::Invalid);
                }
                char::decode_utf16(pairs.map(|p| u16::from_le_bytes([p[0], p[1]])))
                    .collect::<Result<_, _>>()
                    .map_err(|_| DecodeError::Invalid)
            }
            Self::Utf8 => std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| DecodeError::Invalid),
            Self::Ansi(page) => ansi(page, bytes),
        }
    }

    /// Encodes `text`. The error is the first character that the encoding cannot express; U+FFFD if the text as a whole
    /// cannot be encoded.
    pub(super) fn encode(self, text: &str) -> Result<Vec<u8>, char> {
        match self {
            Self::Utf16 => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Ansi(page) => to_ansi(page, text),
        }
    }

    /// Returns `bytes` without the line end at their end; `None` if they do not end in a line end.
    pub(super) fn without_newline(self, bytes: &[u8]) -> Option<&[u8]> {
        let [lf, cr]: [&[u8]; 2] = if self == Self::Utf16 { [b"\n\0", b"\r\0"] } else { [b"\n", b"\r"] };
        match bytes.strip_suffix(lf) {
            Some(rest) => Some(rest.strip_suffix(cr).unwrap_or(rest)),
            None => bytes.strip_suffix(cr),
        }
    }
}

/// Decodes bytes in an ANSI code page. If `page` is `None`, only ASCII can be decoded; other bytes are an error.
pub(super) fn ansi(page: Option<CodePage>, bytes: &[u8]) -> Result<String, DecodeError> {
    match page {
        Some(page) => page.decode(bytes),
        None if bytes.is_ascii() => Ok(bytes.iter().copied().map(char::from).collect()),
        None => Err(DecodeError::NeedsCodePage),
    }
}

/// Encodes a string in an ANSI code page; if `page` is `None`, in ASCII. The error is the first character that cannot
/// be encoded; U+FFFD if the string as a whole cannot be encoded.
pub(super) fn to_ansi(page: Option<CodePage>, text: &str) -> Result<Vec<u8>, char> {
    match page {
        Some(page) => page.encode(text),
        None => text.chars().find(|c| !c.is_ascii()).map_or_else(|| Ok(text.as_bytes().to_vec()), Err),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_a_code_page_and_nothing_else() {
        for number in CodePage::NUMBERS {
            assert_eq!(CodePage::new(number).unwrap().number(), number);
        }
        assert!("437".parse::<CodePage>().unwrap_err().contains("1252"));
    }

    #[test]
    fn a_code_page_refuses_what_it_would_not_give_back() {
        let japan = CodePage::new(932).unwrap();
        assert_eq!(japan.encode("a¥b"), Err('¥'));
        assert_eq!(japan.encode("表").unwrap(), [0x95, b'\\']);
        assert_eq!(CodePage::new(1252).unwrap().encode("ä→"), Err('→'));
    }

    #[test]
    fn every_character_is_one_unit() {
        let text = "aä€😀\u{10ffff}b";
        for encoding in [TextEncoding::Utf8, TextEncoding::Utf16] {
            let bytes = encoding.encode(text).unwrap();
            let (mut at, mut units) = (0, Vec::new());
            while let Some((unit, length)) = encoding.unit(&bytes, at) {
                units.push(unit);
                at += length;
            }
            assert_eq!((at, units), (bytes.len(), vec![b'a', OTHER, OTHER, OTHER, OTHER, b'b']));
        }
    }

    #[test]
    fn line_ends_are_found_in_every_encoding() {
        assert_eq!(TextEncoding::Utf8.without_newline(b"a\r\n"), Some(&b"a"[..]));
        assert_eq!(TextEncoding::Utf8.without_newline(b"a\r"), Some(&b"a"[..]));
        assert_eq!(TextEncoding::Utf8.without_newline(b"a"), None);
        assert_eq!(TextEncoding::Utf16.without_newline(b"a\0\r\0\n\0"), Some(&b"a\0"[..]));
    }
}
