//! The names of keys and values as a hive stores them: in Latin-1, with one byte for each UTF-16 unit, or in UTF-16LE.
//!
//! Source: Suhanov's specification of the hive format, "Key node" (KEY_COMP_NAME), "Key value" (VALUE_COMP_NAME), "Fast
//! leaf" and "Hash leaf" (hint and hash).

use std::{cmp::Ordering, fmt};

use crate::registry::name::upcase;

/// A name as a hive stores it. It may contain NULs, and unpaired surrogates, which a Rust string cannot express.
#[derive(Clone, Copy)]
pub struct RawName<'a> {
    bytes: &'a [u8],
    latin1: bool,
}

/// The error for a name with an unpaired surrogate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name is not valid UTF-16")]
pub struct NotUnicode;

impl<'a> RawName<'a> {
    /// Returns a name from its stored bytes: in Latin-1 if `latin1` is true, otherwise in UTF-16LE.
    pub(super) fn new(bytes: &'a [u8], latin1: bool) -> Self {
        Self { bytes, latin1 }
    }

    /// Returns the length of the name in UTF-16 units.
    pub fn len(&self) -> usize {
        if self.latin1 { self.bytes.len() } else { self.bytes.len() / 2 }
    }

    /// Returns whether the name is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the UTF-16 units of the name, in its original case.
    pub fn units(&self) -> impl Iterator<Item = u16> + Clone + use<'a> {
        let Self { bytes, latin1 } = *self;
        let unit = move |at: usize| match latin1 {
            true => bytes[at].into(),
            false => u16::from_le_bytes([bytes[at * 2], bytes[at * 2 + 1]]),
        };
        (0..self.len()).map(unit)
    }

    /// Returns the name as a string, without a copy; `None` unless it is stored as ASCII, as almost all names are.
    pub fn ascii(&self) -> Option<&'a str> {
        if self.latin1 && self.bytes.is_ascii() { str::from_utf8(self.bytes).ok() } else { None }
    }

    /// Returns the name as a string, or an error if it is not valid UTF-16.
    pub fn text(&self) -> Result<String, NotUnicode> {
        if let Some(text) = self.ascii() {
            return Ok(text.to_owned());
        }
        char::decode_utf16(self.units()).collect::<Result<_, _>>().map_err(|_| NotUnicode)
    }

    /// Returns the name as a string; U+FFFD replaces invalid UTF-16.
    pub fn lossy(&self) -> String {
        char::decode_utf16(self.units()).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }

    /// Returns whether the name is stored as Latin-1.
    pub fn is_latin1(&self) -> bool {
        self.latin1
    }

    /// Compares the name with `wanted`, which must be in upper case ([`upcased`]). The case of the name is ignored.
    pub(super) fn compare_to(&self, wanted: &[u16]) -> Ordering {
        let wanted = wanted.iter().copied();
        if self.latin1 { self.bytes.iter().map(upper).cmp(wanted) } else { self.units().map(upcase).cmp(wanted) }
    }

    /// Returns whether the name is equal to `wanted`, which must be in upper case ([`upcased`]). Case is ignored.
    pub(super) fn is(&self, wanted: &[u16]) -> bool {
        let is = |(unit, wanted): (u16, &u16)| unit == *wanted || upcase(unit) == *wanted;
        self.len() == wanted.len()
            && match self.latin1 {
                true => self.bytes.iter().map(|byte| u16::from(*byte)).zip(wanted).all(is),
                false => self.units().zip(wanted).all(is),
            }
    }

    /// Compares the name with another stored name. Case is ignored.
    pub(super) fn compare(&self, other: &RawName<'_>) -> Ordering {
        if self.latin1 && other.latin1 {
            return self.bytes.iter().map(upper).cmp(other.bytes.iter().map(upper));
        }
        self.units().map(upcase).cmp(other.units().map(upcase))
    }

    /// Returns the hash that a subkey list of kind `lh` stores for the name.
    pub(super) fn hash(&self) -> u32 {
        if self.latin1 { hash(self.bytes.iter().map(|byte| u16::from(*byte))) } else { hash(self.units()) }
    }

    /// Returns the hint that a subkey list of kind `lf` stores for the name: the first four characters. If one of them
    /// does not fit into a byte, the first byte of the hint is NUL.
    pub(super) fn hint(&self) -> [u8; 4] {
        hint(self.units())
    }
}

impl fmt::Display for RawName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lossy())
    }
}

impl fmt::Debug for RawName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.lossy())
    }
}

/// Returns the upper-case form of a character that is stored as Latin-1, as a UTF-16 unit.
fn upper(byte: &u8) -> u16 {
    upcase((*byte).into())
}

/// Returns the UTF-16 units of `text` in upper case, the form in which names are compared.
pub(super) fn upcased(text: &str) -> Vec<u16> {
    text.encode_utf16().map(upcase).collect()
}

/// Returns the hash that a subkey list of kind `lh` stores for a name. `units` are the UTF-16 units of the name.
pub(super) fn hash(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0, |hash: u32, unit| hash.wrapping_mul(37).wrapping_add(upcase(unit).into()))
}

/// Returns the hint that a subkey list of kind `lf` stores for a name. `units` are the UTF-16 units of the name.
///
/// The first byte of the hint is NUL if one of the first four units does not fit into a byte.
pub(super) fn hint(units: impl Iterator<Item = u16>) -> [u8; 4] {
    let mut hint = [0; 4];
    for (place, unit) in hint.iter_mut().zip(units) {
        match u8::try_from(unit) {
            Ok(byte) => *place = byte,
            Err(_) => {
                hint[0] = 0;
                break;
            }
        }
    }
    hint
}

/// Returns the bytes of a name as a hive stores them, and whether they are Latin-1. Latin-1 is used if each character
/// fits into one byte, otherwise UTF-16LE.
pub(super) fn stored(text: &str) -> (Vec<u8>, bool) {
    match text.chars().map(|c| u8::try_from(c).ok()).collect() {
        Some(latin1) => (latin1, true),
        None => (text.encode_utf16().flat_map(u16::to_le_bytes).collect(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(stored: &(Vec<u8>, bool)) -> RawName<'_> {
        RawName::new(&stored.0, stored.1)
    }

    #[test]
    fn names_are_latin1_where_they_can_be() {
        assert_eq!(stored("Größe"), (b"Gr\xF6\xDFe".to_vec(), true));
        assert!(!stored("Ключ").1);
        for text in ["", "a", "Größe", "Ключ", "😀x"] {
            let stored = stored(text);
            assert_eq!(name(&stored).text().as_deref(), Ok(text));
            assert_eq!(name(&stored).len(), text.encode_utf16().count());
            assert!(name(&stored).is(&upcased(text)));
        }
    }

    #[test]
    fn an_unpaired_surrogate_is_no_text_and_no_panic() {
        let name = RawName::new(&[0x41, 0, 0x00, 0xD8], false);
        assert_eq!(name.text(), Err(NotUnicode));
        assert_eq!(name.lossy(), "A\u{FFFD}");
        assert_eq!(name.units().collect::<Vec<_>>(), [0x41, 0xD800]);
    }

    #[test]
    fn hash_and_hint_are_what_windows_writes() {
        assert_eq!(hash("ab".encode_utf16()), 37 * u32::from(b'A') + u32::from(b'B'));
        assert_eq!(hash("öü".encode_utf16()), 37 * 0xD6 + 0xDC);
        assert_eq!(hash("ςᾳ".encode_utf16()), 37 * 0x3C2 + 0x1FBC);
        assert_eq!(hint("ab".encode_utf16()), *b"ab\0\0");
        assert_eq!(hint("Größe".encode_utf16()), *b"Gr\xF6\xDF");
        assert_eq!(hint("abКлюч".encode_utf16()), *b"\0b\0\0");
    }
}
