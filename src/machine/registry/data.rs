//! Registry data: a type number and bytes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The type of a value's data. Any 32-bit number is possible; the types that Microsoft names are constants here.
///
/// Source: Microsoft, "Registry Value Types".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueType(pub u32);

impl ValueType {
    /// A value without a defined type; its data is any bytes.
    pub const NONE: Self = Self(0);
    /// A UTF-16LE string with a terminating NUL.
    pub const SZ: Self = Self(1);
    /// A UTF-16LE string with a terminating NUL and `%variables%`, which programs expand.
    pub const EXPAND_SZ: Self = Self(2);
    /// Any bytes.
    pub const BINARY: Self = Self(3);
    /// A 32-bit number, least significant byte first.
    pub const DWORD: Self = Self(4);
    /// A 32-bit number, most significant byte first.
    pub const DWORD_BIG_ENDIAN: Self = Self(5);
    /// The target of a symbolic link: UTF-16LE without a terminating NUL.
    pub const LINK: Self = Self(6);
    /// UTF-16LE strings, each ended by a NUL, and one more NUL after the last.
    pub const MULTI_SZ: Self = Self(7);
    /// A device driver's resource list: bytes.
    pub const RESOURCE_LIST: Self = Self(8);
    /// A hardware resource list: bytes.
    pub const FULL_RESOURCE_DESCRIPTOR: Self = Self(9);
    /// A device driver's list of possible resources: bytes.
    pub const RESOURCE_REQUIREMENTS_LIST: Self = Self(10);
    /// A 64-bit number, least significant byte first.
    pub const QWORD: Self = Self(11);
    /// Not a type of Windows: it marks a value that a policy file does not set; see [`Data::not_configured`].
    pub const NOT_CONFIGURED: Self = Self(u32::MAX);

    const NAMES: [&'static str; 12] = [
        "REG_NONE",
        "REG_SZ",
        "REG_EXPAND_SZ",
        "REG_BINARY",
        "REG_DWORD",
        "REG_DWORD_BIG_ENDIAN",
        "REG_LINK",
        "REG_MULTI_SZ",
        "REG_RESOURCE_LIST",
        "REG_FULL_RESOURCE_DESCRIPTOR",
        "REG_RESOURCE_REQUIREMENTS_LIST",
        "REG_QWORD",
    ];

    /// Parses the text of a type as it prints: `REG_DWORD` or another name, or `REG_0x99` for a type without a name.
    ///
    /// Returns `None` for any other text, such as another letter case.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(at) = Self::NAMES.iter().position(|n| *n == text) {
            return Some(Self(at as u32));
        }
        let number = u32::from_str_radix(text.strip_prefix("REG_0x")?, 16).ok()?;
        let canonical = Self(number);
        (canonical.to_string() == text).then_some(canonical)
    }

    /// Returns whether the data is text: REG_SZ, REG_EXPAND_SZ or REG_MULTI_SZ.
    pub fn is_text(self) -> bool {
        [Self::SZ, Self::EXPAND_SZ, Self::MULTI_SZ].contains(&self)
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.get(self.0 as usize) {
            Some(name) => f.write_str(name),
            None => write!(f, "REG_0x{:x}", self.0),
        }
    }
}

impl Serialize for ValueType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Self::NAMES.get(self.0 as usize) {
            Some(name) => serializer.serialize_str(name),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for ValueType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is not a registry type")))
    }
}

/// The type and bytes of a value. Two data are equal only if the type and every byte are equal.
///
/// In JSON, it has `type`, `bytes` (hex digits) and `text` (`.reg` notation, for people); in a report, sensitive data
/// has `hidden` instead of `bytes`. JSON in which `text` does not match `type` and `bytes` is refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Data {
    /// The type.
    pub value_type: ValueType,
    /// The bytes, exactly as stored.
    pub bytes: Vec<u8>,
}

/// The meaning of a value's bytes according to the type of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A REG_DWORD or REG_DWORD_BIG_ENDIAN of four bytes, or a REG_QWORD of eight.
    Number(u64),
    /// A REG_SZ or REG_EXPAND_SZ, without its NUL.
    Text(String),
    /// A REG_MULTI_SZ, without the NULs.
    List(Vec<String>),
    /// Data of any other type, which is not decoded.
    Bytes,
    /// Bytes that do not fit their type; the string says why.
    Malformed(&'static str),
}

impl Data {
    /// Returns data of any type. The bytes need not fit the type.
    pub fn new(value_type: ValueType, bytes: impl Into<Vec<u8>>) -> Self {
        Self { value_type, bytes: bytes.into() }
    }

    /// Returns the data that marks a value which a policy file does not set, so Group Policy leaves it as it is.
    ///
    /// Among the facts about a policy file, a value without data (absent) means something else: Group Policy deletes
    /// this value.
    pub fn not_configured() -> Self {
        Self::new(ValueType::NOT_CONFIGURED, [])
    }

    /// Returns whether this is [`Data::not_configured`].
    pub fn is_not_configured(&self) -> bool {
        self.value_type == ValueType::NOT_CONFIGURED && self.bytes.is_empty()
    }

    /// Returns a REG_DWORD.
    pub fn dword(number: u32) -> Self {
        Self::new(ValueType::DWORD, number.to_le_bytes())
    }

    /// Returns a REG_QWORD.
    pub fn qword(number: u64) -> Self {
        Self::new(ValueType::QWORD, number.to_le_bytes())
    }

    /// Returns a REG_SZ, with its NUL.
    pub fn sz(text: &str) -> Self {
        Self::text(ValueType::SZ, text)
    }

    /// Returns a string of `value_type` (REG_SZ or REG_EXPAND_SZ), with its NUL.
    pub fn text(value_type: ValueType, text: &str) -> Self {
        let mut bytes = Vec::with_capacity(text.len() * 2 + 2);
        text.encode_utf16().chain([0]).for_each(|unit| bytes.extend(unit.to_le_bytes()));
        Self::new(value_type, bytes)
    }

    /// Returns a REG_MULTI_SZ: each string with its NUL, and one final NUL.
    pub fn multi_sz<S: AsRef<str>>(list: impl IntoIterator<Item = S>) -> Self {
        let mut units = Vec::new();
        for item in list {
            units.extend(item.as_ref().encode_utf16().chain([0]));
        }
        units.push(0);
        Self::new(ValueType::MULTI_SZ, utf16le(units))
    }

    /// Decodes the bytes; returns [`Decoded::Malformed`] if they do not fit the type.
    pub fn decode(&self) -> Decoded {
        let bytes = self.bytes.as_slice();
        match self.value_type {
            ValueType::DWORD => match bytes.try_into() {
                Ok(b) => Decoded::Number(u32::from_le_bytes(b).into()),
                Err(_) => Decoded::Malformed("a REG_DWORD must have 4 bytes"),
            },
            ValueType::DWORD_BIG_ENDIAN => match bytes.try_into() {
                Ok(b) => Decoded::Number(u32::from_be_bytes(b).into()),
                Err(_) => Decoded::Malformed("a REG_DWORD_BIG_ENDIAN must have 4 bytes"),
            },
            ValueType::QWORD => match bytes.try_into() {
                Ok(b) => Decoded::Number(u64::from_le_bytes(b)),
                Err(_) => Decoded::Malformed("a REG_QWORD must have 8 bytes"),
            },
            ValueType::SZ | ValueType::EXPAND_SZ => decode_text(bytes),
            ValueType::MULTI_SZ => match units(bytes) {
                Err(why) => Decoded::Malformed(why),
                Ok(units) => decode_list(&units),
            },
            _ => Decoded::Bytes,
        }
    }
}

fn decode_text(bytes: &[u8]) -> Decoded {
    if let Some(text) = ascii(bytes) {
        return Decoded::Text(text);
    }
    match units(bytes) {
        Err(why) => Decoded::Malformed(why),
        Ok(units) => match units.split_last() {
            Some((0, text)) if text.contains(&0) => Decoded::Malformed("there is a NUL inside the string"),
            Some((0, text)) => match String::from_utf16(text) {
                Ok(text) => Decoded::Text(text),
                Err(_) => Decoded::Malformed("the string is not valid UTF-16"),
            },
            _ => Decoded::Malformed("the string has no terminating NUL"),
        },
    }
}

/// Returns the text if the bytes are ASCII characters other than NUL in UTF-16LE, followed by a terminating NUL.
/// Returns `None` for any other bytes. Most strings are such text, and this function decodes it fast.
fn ascii(bytes: &[u8]) -> Option<String> {
    let (text, [0, 0]) = bytes.split_last_chunk()? else { return None };
    let (units, []) = text.as_chunks() else { return None };
    let is_ascii = units.iter().all(|[low, high]| *high == 0 && matches!(low, 1..0x80));
    if is_ascii { String::from_utf8(units.iter().map(|[low, _]| *low).collect()).ok() } else { None }
}

fn decode_list(units: &[u16]) -> Decoded {
    let Some((0, strings)) = units.split_last() else {
        return Decoded::Malformed("the list does not end with a NUL");
    };
    let strings = match strings.split_last() {
        None => return Decoded::List(Vec::new()),
        Some((0, strings)) => strings,
        Some(_) => return Decoded::Malformed("the list ends with one NUL instead of two"),
    };
    let list: Result<Vec<_>, _> = strings.split(|u| *u == 0).map(String::from_utf16).collect();
    list.map_or(Decoded::Malformed("a string of the list is not valid UTF-16"), Decoded::List)
}

pub(super) fn units(bytes: &[u8]) -> Result<Vec<u16>, &'static str> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err("UTF-16 text must have an even number of bytes");
    }
    Ok(pairs.map(|p| u16::from_le_bytes([p[0], p[1]])).collect())
}

fn utf16le(units: impl IntoIterator<Item = u16>) -> Vec<u8> {
    units.into_iter().flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_empty_strings_decodes_to_what_it_was_made_of() {
        for list in [vec![], vec![""], vec!["a", "", "b"], vec!["", ""], vec!["b", "a"]] {
            let expected: Vec<String> = list.iter().map(ToString::to_string).collect();
            assert_eq!(Data::multi_sz(&list).decode(), Decoded::List(expected));
        }
        assert_ne!(Data::multi_sz(["a", "b"]), Data::multi_sz(["b", "a"]));
    }

    #[test]
    fn what_does_not_fit_its_type_is_malformed() {
        let malformed = |ty, bytes: &[u8]| matches!(Data::new(ty, bytes).decode(), Decoded::Malformed(_));
        assert!(malformed(ValueType::DWORD, &[1, 0, 0]));
        assert!(malformed(ValueType::QWORD, &[1, 0, 0, 0]));
        assert!(malformed(ValueType::SZ, b"a\0"));
        assert!(malformed(ValueType::SZ, b"a\0\0"));
        assert!(malformed(ValueType::SZ, &[]));
        assert!(malformed(ValueType::SZ, &[0, 0xD8, 0, 0]));
        assert!(malformed(ValueType::MULTI_SZ, b"a\0\0\0"));
        assert!(malformed(ValueType::MULTI_SZ, &[]));
        assert_eq!(Data::new(ValueType::MULTI_SZ, [0, 0]).decode(), Decoded::List(vec![]));
    }

    #[test]
    fn types_parse_as_they_print() {
        for number in [0, 1, 4, 11, 12, 0x99, u32::MAX] {
            let ty = ValueType(number);
            assert_eq!(ValueType::parse(&ty.to_string()), Some(ty));
        }
        assert_eq!(ValueType::parse("REG_0x04"), None);
        assert_eq!(ValueType::parse("REG_0x4"), None);
        assert_eq!(ValueType::parse("reg_dword"), None);
    }
}
