//! The names of keys and values: how they compare, and which are valid.
//!
//! The limits are from Microsoft's page "Registry element size limits": a key name has 1 to 255 UTF-16 units and no
//! backslash; a value name has up to 16,383 units, and the empty one is the key's default value.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

pub use super::upcase::upcase;

/// The longest key name, in UTF-16 units.
pub const MAX_KEY_NAME: usize = 255;
/// The longest value name, in UTF-16 units.
pub const MAX_VALUE_NAME: usize = 16_383;

/// Returns whether `name` matches a pattern. `parts` are the parts of the pattern between its `*`; each `*` matches any
/// characters, or none.
///
/// The name must begin with the first part, end with the last, and contain the parts between them in this order. A
/// single part must equal the name. Case is ignored.
pub fn fits(name: &str, parts: &[impl AsRef<str>]) -> bool {
    let units = |text: &str| text.encode_utf16().map(upcase).collect::<Vec<_>>();
    let name = units(name);
    let Some((first, rest)) = parts.split_first() else { return false };
    let Some(mut left) = name.strip_prefix(units(first.as_ref()).as_slice()) else { return false };
    let Some((last, between)) = rest.split_last() else { return left.is_empty() };
    for part in between.iter().map(|part| units(part.as_ref())).filter(|part| !part.is_empty()) {
        // The first match is used, because it leaves the most characters for the other parts.
        let Some(at) = left.windows(part.len()).position(|window| window == part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(&units(last.as_ref()))
}

/// Compares two names as the registry does: by their UTF-16 units in upper case.
pub fn compare(a: &str, b: &str) -> Ordering {
    // Long names that are compared often begin with the same bytes.
    let mut same = if a.len() < 8 { 0 } else { same_bytes(a.as_bytes(), b.as_bytes()) };
    while !a.is_char_boundary(same) {
        same -= 1;
    }
    let (a, b) = (&a[same..], &b[same..]);
    for (at, (mine, theirs)) in a.bytes().zip(b.bytes()).enumerate() {
        if !(mine | theirs).is_ascii() {
            // All bytes before this position are ASCII, so it is the beginning of a character in both names.
            return compare_units(&a[at..], &b[at..]);
        }
        match mine.to_ascii_uppercase().cmp(&theirs.to_ascii_uppercase()) {
            Ordering::Equal => {}
            different => return different,
        }
    }
    a.len().cmp(&b.len())
}

/// Returns how many bytes at the beginning of both names are equal. Compares eight bytes at once, so up to seven equal
/// bytes at the end of the shorter name are not counted.
fn same_bytes(a: &[u8], b: &[u8]) -> usize {
    let mut same = 0;
    for (mine, theirs) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        let different = u64::from_le_bytes(*mine) ^ u64::from_le_bytes(*theirs);
        if different != 0 {
            return same + different.trailing_zeros() as usize / 8;
        }
        same += 8;
    }
    same
}

fn compare_units(a: &str, b: &str) -> Ordering {
    a.encode_utf16().map(upcase).cmp(b.encode_utf16().map(upcase))
}

/// Appends the folded name: in upper case, and with its characters changed so that the bytes of two folded names have
/// the same order as the names have in [`compare`].
pub(super) fn fold(name: &str, out: &mut String) {
    if name.is_ascii() {
        let from = out.len();
        out.push_str(name);
        out[from..].make_ascii_uppercase();
        return;
    }
    out.extend(name.chars().map(|c| {
        // UTF-16 has the characters beyond U+FFFF before U+E000; they change places.
        let folded = match u16::try_from(u32::from(c)).map(upcase) {
            Ok(unit @ 0..0xE000) => u32::from(unit),
            Ok(unit) => u32::from(unit) + 0x10_0000,
            Err(_) => u32::from(c) - 0x2000,
        };
        char::from_u32(folded).unwrap_or(c)
    }));
}

/// Returns the first eight bytes of the folded name as a number, with zeros after a shorter name. If the numbers of two
/// names differ, the names have the same order as the numbers. If not, the names can still differ after these bytes.
fn beginning(name: &str) -> u64 {
    let bytes = &name.as_bytes()[..name.len().min(8)];
    if bytes.is_ascii() {
        return upper_case(bytes);
    }
    let mut folded = String::new();
    fold(name, &mut folded);
    upper_case(&folded.as_bytes()[..folded.len().min(8)]) // changes nothing, because the name is folded
}

/// Returns the name in upper case, as UTF-16 units. Names that are equal except for case have the same result.
pub fn folded(name: &str) -> Vec<u16> {
    name.encode_utf16().map(upcase).collect()
}

/// Adds a name to a hasher, without regard to case.
fn hash<H: Hasher>(name: &str, state: &mut H) {
    if name.is_ascii() {
        // No other character has one of ASCII as its upper case, so this name equals none of the names below.
        name.as_bytes().chunks(8).for_each(|part| state.write_u64(upper_case(part)));
    } else {
        name.encode_utf16().for_each(|unit| state.write_u16(upcase(unit)));
    }
    state.write_u16(0xFFFF);
}

/// Returns the bytes of `part` (at most eight) as a number, with ASCII letters in upper case. The first byte is the
/// most significant one. Zeros replace missing bytes at the end.
fn upper_case(part: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..part.len()].copy_from_slice(part);
    u64::from_be_bytes(bytes.map(|byte| byte.to_ascii_uppercase()))
}

/// The error for a string that is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A key name is empty.
    #[error("a key name is empty")]
    Empty,
    /// The name is longer than the registry allows.
    #[error("the name has {found} UTF-16 units; the registry allows at most {limit}")]
    TooLong {
        /// The length in UTF-16 units.
        found: usize,
        /// The limit in UTF-16 units.
        limit: usize,
    },
    /// The name contains a forbidden character: a NUL, or in a key name a backslash.
    #[error("{}", refusal(*.0))]
    Character(char),
}

/// Returns the message that says why a name cannot contain the character.
///
/// The kernel counts the characters of a name and accepts a NUL. In the Windows API a name ends at a NUL, so a program
/// that uses the API can neither read nor create such a name.
fn refusal(character: char) -> String {
    match character {
        '\0' => {
            "the name contains a NUL; programs that use the Windows API cannot read or create such a name".to_owned()
        }
        other => format!("the name contains `{other}`, which the registry does not allow in a key name"),
    }
}

fn check(name: &str, limit: usize, forbidden: &[u8]) -> Result<(), NameError> {
    // A name has at most as many UTF-16 units as bytes.
    let found = if name.len() > limit { name.encode_utf16().count() } else { 0 };
    if found > limit {
        return Err(NameError::TooLong { found, limit });
    }
    match name.bytes().find(|byte| forbidden.contains(byte)) {
        Some(byte) => Err(NameError::Character(char::from(byte))),
        None => Ok(()),
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name {
            /// The result of [`beginning`] for the name. This number usually shows how two names compare.
            beginning: u64,
            name: Arc<str>,
        }

        impl $name {
            fn of(name: &str) -> Self {
                Self { beginning: beginning(name), name: name.into() }
            }

            /// Returns the name in its original case.
            pub fn as_str(&self) -> &str {
                &self.name
            }

            /// Returns whether `beginning` contains the whole folded name. This is so if the lowest byte of `beginning`
            /// is zero, because a name contains no NUL.
            fn is_short(&self) -> bool {
                self.beginning.trailing_zeros() >= 8
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                // Equal names mostly also have the same letter case.
                self.beginning == other.beginning
                    && (self.is_short() || self.name == other.name || compare(&self.name, &other.name).is_eq())
            }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                match self.beginning.cmp(&other.beginning) {
                    Ordering::Equal if !self.is_short() => compare(&self.name, &other.name),
                    order => order,
                }
            }
        }
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                state.write_u64(self.beginning);
                if !self.is_short() {
                    hash(&self.name, state);
                }
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.name)
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(name)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.name.as_ref().to_owned()
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.name, f)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.name)
            }
        }
    };
}

name_type! {
    /// The name of one key, without its path. Names are compared without regard to case.
    KeyName
}
name_type! {
    /// The name of a value; the empty name is the key's default value. Names are compared without regard to case.
    ValueName
}

impl KeyName {
    /// Returns a key name if it is valid: 1 to 255 UTF-16 units, no backslash, no NUL.
    pub fn new(name: impl AsRef<str>) -> Result<Self, NameError> {
        Self::check(name.as_ref())?;
        Ok(Self::of(name.as_ref()))
    }

    pub(super) fn check(name: &str) -> Result<(), NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        check(name, MAX_KEY_NAME, b"\\\0")
    }
}

impl ValueName {
    /// Returns a value name if it is valid: at most 16,383 UTF-16 units, no NUL.
    pub fn new(name: impl AsRef<str>) -> Result<Self, NameError> {
        check(name.as_ref(), MAX_VALUE_NAME, b"\0")?;
        Ok(Self::of(name.as_ref()))
    }

    /// Returns the name of the default value, which `regedit` shows as `(Default)` and a `.reg` file writes as `@`.
    pub fn default_value() -> Self {
        Self::of("")
    }

    /// Returns whether this is the name of the key's default value.
    pub fn is_default(&self) -> bool {
        self.name.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_as_windows_does() {
        let eq = |a: &str, b: &str| compare(a, b) == Ordering::Equal;
        assert!(eq("DisableRealmHint", "disablerealmhint"));
        assert!(eq("Größe", "GRÖßE"));
        assert!(!eq("ß", "SS"));
        assert!(!eq("ı", "I"));
        assert!(!eq("ſ", "S"));
        assert!(!eq("µ", "Μ"));
        assert!(eq("ÿ", "Ÿ"));
        assert!(eq("λόγος", "ΛΌΓΟς") && !eq("Λόγος", "ΛΌΓΟΣ"));
    }

    #[test]
    fn equality_order_and_hash_are_of_one_mind() {
        let hashed = |text: &str| {
            let mut hasher = std::hash::DefaultHasher::new();
            hash(text, &mut hasher);
            hasher.finish()
        };
        let names = ["ς", "σ", "Σ", "ᾳ", "ᾼ", "ა", "Ა", "k", "K", "K", "ſ", "s", "ǅ", "ǆ", "Ǆ", "z", "_", "Z"];
        for a in names {
            for b in names {
                assert_eq!(compare(a, b), compare(b, a).reverse());
                assert_eq!(compare(a, b).is_eq(), hashed(a) == hashed(b), "{a} {b}");
                assert_eq!(compare(a, b).is_eq(), fits(a, &[b]), "{a} {b}");
            }
        }
    }

    #[test]
    fn the_beginning_of_a_name_changes_no_comparison() {
        let hashed = |name: &ValueName| {
            let mut hasher = std::hash::DefaultHasher::new();
            name.hash(&mut hasher);
            hasher.finish()
        };
        let names = "|a|Z|_|abcdefg|ABCDEFG|abcdefg_|ABCDEFGH|abcdefgh|abcdefghi|ABCDEFGHI|abcdefgä|ABCDEFGÄ|abcdefghä|\
            äbcdefgh|ÄBCDEFGH|ⱥbcdefgh|ȺBCDEFGH|ⱥ|\u{FF21}\u{FF22}|\u{FF41}\u{FF42}|\u{1F600}|\u{1F600}abcdefgh|\u{E000}";
        for a in names.split('|').map(|name| ValueName::new(name).unwrap()) {
            for b in names.split('|').map(|name| ValueName::new(name).unwrap()) {
                let order = compare(a.as_str(), b.as_str());
                assert_eq!(a.cmp(&b), order, "{a} {b}");
                assert_eq!(a == b, order.is_eq(), "{a} {b}");
                assert_eq!(hashed(&a) == hashed(&b), order.is_eq(), "{a} {b}");
            }
        }
        assert!((0x80..=0xFFFF).all(|unit| upcase(unit) >= 0x80));
    }

    #[test]
    fn limits_hold() {
        assert!(KeyName::new("k".repeat(255)).is_ok());
        assert_eq!(KeyName::new("k".repeat(256)), Err(NameError::TooLong { found: 256, limit: 255 }));
        assert_eq!(KeyName::new(""), Err(NameError::Empty));
        assert_eq!(KeyName::new(r"a\b"), Err(NameError::Character('\\')));
        assert!(ValueName::new(r"\\*\SYSVOL").is_ok());
        assert!(ValueName::new("").is_ok());
        assert_eq!(ValueName::new("a\0b"), Err(NameError::Character('\0')));
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        let parts = |pattern: &'static str| pattern.split('*').collect::<Vec<_>>();
        for (name, pattern) in [
            ("ADAM_Sales", "adam_*"),
            ("ADAM_", "ADAM_*"),
            ("16.0", "*.0"),
            ("a.0.0", "*.0"),
            ("anything", "*"),
            ("aXbXb", "a*b"),
            ("abc", "a**c"),
        ] {
            assert!(fits(name, &parts(pattern)), "{name} {pattern}");
        }
        for (name, pattern) in
            [("NTDS", "ADAM_*"), ("16.0.1", "*.0"), ("ab", "a*bb"), ("aba", "ab*ba"), ("xADAM_", "ADAM_*"), ("", "a*")]
        {
            assert!(!fits(name, &parts(pattern)), "{name} {pattern}");
        }
    }
}
