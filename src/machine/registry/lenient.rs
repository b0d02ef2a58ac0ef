//! Reads data as most programs do, even if the bytes do not have exactly the form of their type.
//!
//! Windows stores any bytes, such as a string without its NUL, or a list without its final NUL. Programs still read
//! such data, so kbfix reads it too. kbfix refuses a list or number that different programs would read differently.
//!
//! Source: Microsoft, "RegQueryValueExW" (a string may lack its terminating NULs), "REG_MULTI_SZ" in "Registry Value
//! Types" (an empty string ends the list), "RegGetValueW" (RRF_RT_DWORD and RRF_RT_QWORD also accept bytes of that
//! length).

use super::data::{Data, Decoded, ValueType, units};

impl Data {
    /// Returns the string that a program reads: up to the first NUL, or to the end if there is no NUL.
    ///
    /// Returns `None` if the type is not REG_SZ or REG_EXPAND_SZ, the string is not valid UTF-16, or the number of
    /// bytes is odd.
    pub fn as_read_text(&self) -> Option<String> {
        if ![ValueType::SZ, ValueType::EXPAND_SZ].contains(&self.value_type) {
            return None;
        }
        let units = units(&self.bytes).ok()?;
        let end = units.iter().position(|u| *u == 0).unwrap_or(units.len());
        String::from_utf16(&units[..end]).ok()
    }

    /// Decodes the bytes as [`Data::decode`] does, but without the empty strings at the end of a list. Programs read a
    /// list up to its first empty string, so the list of one empty string, which many programs write in place of an
    /// empty list, is an empty list. An empty string before another string stays: some lists of Windows contain such
    /// strings.
    pub fn decode_as_read(&self) -> Decoded {
        match self.decode() {
            Decoded::List(mut list) => {
                list.truncate(list.iter().rposition(|string| !string.is_empty()).map_or(0, |last| last + 1));
                Decoded::List(list)
            }
            other => other,
        }
    }

    /// Returns the strings that a program reads as a list: up to the first empty string, or to the end.
    ///
    /// The NULs after the last string may be missing. A REG_SZ or REG_EXPAND_SZ is read as a list of one string, and as
    /// an empty list if the string is empty.
    ///
    /// # Errors
    /// Returns why the data cannot be read as a list: its type, invalid UTF-16 or an odd number of bytes, text after an
    /// empty string (which programs do not read), a NUL inside a REG_SZ or REG_EXPAND_SZ, or a `%` in a REG_EXPAND_SZ,
    /// because programs do not expand variables in a REG_MULTI_SZ.
    pub fn as_read_list(&self) -> Result<Vec<String>, String> {
        if ![ValueType::SZ, ValueType::EXPAND_SZ, ValueType::MULTI_SZ].contains(&self.value_type) {
            return Err(format!("a {} is not a list of strings", self.value_type));
        }
        let units = units(&self.bytes)?;
        let mut strings = units.split(|unit| *unit == 0);
        let mut list = Vec::new();
        for string in strings.by_ref().take_while(|string| !string.is_empty()) {
            list.push(String::from_utf16(string).map_err(|_| "a string of the list is not valid UTF-16")?);
        }
        if strings.any(|string| !string.is_empty()) {
            return Err("there is text after an empty string, which ends the list".to_owned());
        }
        match self.value_type {
            ValueType::MULTI_SZ => {}
            _ if list.len() > 1 => return Err("there is a NUL inside the string".to_owned()),
            ValueType::EXPAND_SZ if list.iter().any(|string| string.contains('%')) => {
                return Err("a REG_EXPAND_SZ that contains % is not a list of strings".to_owned());
            }
            _ => {}
        }
        Ok(list)
    }

    /// Returns the data as a number that fits `value_type` (REG_DWORD or REG_QWORD).
    ///
    /// The data may be a REG_DWORD, a REG_QWORD, or a REG_BINARY of exactly the length of `value_type`, which is read
    /// with the least significant byte first.
    ///
    /// # Errors
    /// Returns why the data cannot be read as such a number.
    pub fn as_read_number(&self, value_type: ValueType) -> Result<u64, String> {
        let length = if value_type == ValueType::QWORD { 8 } else { 4 };
        let read_as = match self.value_type {
            ValueType::BINARY if self.bytes.len() == length => value_type,
            found => found,
        };
        let number = match (read_as, Self::new(read_as, self.bytes.as_slice()).decode()) {
            (ValueType::DWORD | ValueType::QWORD, Decoded::Number(number)) => number,
            (_, Decoded::Malformed(why)) => return Err(why.to_owned()),
            (found, _) => return Err(format!("a {found} of {} bytes is not a {value_type}", self.bytes.len())),
        };
        if value_type != ValueType::QWORD && number > u32::MAX.into() {
            return Err(format!("the REG_QWORD {number:#x} is more than a {value_type} can hold"));
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use crate::registry::lenient::*;

    fn data(value_type: ValueType, text: &str) -> Data {
        Data::new(value_type, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
    }

    #[test]
    fn empty_strings_at_the_end_of_a_list_do_not_count() {
        for (text, list) in [
            ("\0\0", vec![]),
            ("\0", vec![]),
            ("\0\0\0", vec![]),
            ("a\0\0\0", vec!["a"]),
            ("a\0\0b\0\0", vec!["a", "", "b"]),
        ] {
            let list: Vec<String> = list.into_iter().map(str::to_owned).collect();
            assert_eq!(data(ValueType::MULTI_SZ, text).decode_as_read(), Decoded::List(list), "{text:?}");
        }
        assert!(matches!(data(ValueType::MULTI_SZ, "a\0").decode_as_read(), Decoded::Malformed(_)));
        assert_eq!(data(ValueType::SZ, "\0").decode_as_read(), Decoded::Text(String::new()));
    }

    #[test]
    fn a_string_is_read_up_to_its_nul_or_its_end() {
        assert_eq!(data(ValueType::SZ, "ab").as_read_text().as_deref(), Some("ab"));
        assert_eq!(data(ValueType::EXPAND_SZ, "a\0b").as_read_text().as_deref(), Some("a"));
        assert_eq!(data(ValueType::MULTI_SZ, "a\0\0").as_read_text(), None);
        assert_eq!(Data::new(ValueType::SZ, *b"abc").as_read_text(), None);
    }

    #[test]
    fn a_list_is_read_up_to_its_first_empty_string_or_its_end() {
        for (text, list) in [
            ("a\0b\0\0", vec!["a", "b"]),
            ("a\0b\0", vec!["a", "b"]),
            ("a\0b", vec!["a", "b"]),
            ("a\0\0\0", vec!["a"]),
            ("", vec![]),
            ("\0", vec![]),
            ("\0\0", vec![]),
        ] {
            assert_eq!(data(ValueType::MULTI_SZ, text).as_read_list().unwrap(), list, "{text:?}");
        }
        for text in ["a\0\0b\0\0", "\0a\0\0", "a\0\0\0\0b"] {
            assert!(data(ValueType::MULTI_SZ, text).as_read_list().is_err(), "{text:?}");
        }
        assert!(Data::new(ValueType::MULTI_SZ, *b"a\0\0").as_read_list().is_err());
        assert!(Data::new(ValueType::MULTI_SZ, [0, 0xD8, 0, 0, 0, 0]).as_read_list().is_err());
    }

    #[test]
    fn a_string_is_a_list_of_one() {
        assert_eq!(data(ValueType::SZ, "a\0").as_read_list().unwrap(), ["a"]);
        assert_eq!(data(ValueType::SZ, "a").as_read_list().unwrap(), ["a"]);
        assert_eq!(data(ValueType::EXPAND_SZ, "a\0").as_read_list().unwrap(), ["a"]);
        assert_eq!(data(ValueType::SZ, "\0").as_read_list().unwrap(), [""; 0]);
        assert!(data(ValueType::SZ, "a\0b\0").as_read_list().is_err());
        assert!(data(ValueType::EXPAND_SZ, "%x%\0").as_read_list().is_err());
        assert!(Data::dword(1).as_read_list().is_err());
    }

    #[test]
    fn a_number_is_one_that_its_type_can_hold() {
        use ValueType as T;
        let number = |of: T, bytes: &[u8], wanted: T| Data::new(of, bytes).as_read_number(wanted).ok();
        assert_eq!(number(T::DWORD, &[3, 0, 0, 0x80], T::QWORD), Some(0x8000_0003));
        assert_eq!(number(T::QWORD, &[3, 0, 0, 0x80, 0, 0, 0, 0], T::DWORD), Some(0x8000_0003));
        assert_eq!(number(T::QWORD, &[3, 0, 0, 0, 1, 0, 0, 0], T::DWORD), None);
        assert_eq!(number(T::BINARY, &[3, 0, 0, 0x80], T::DWORD), Some(0x8000_0003));
        assert_eq!(number(T::BINARY, &[3, 0, 0, 0, 1, 0, 0, 0], T::QWORD), Some(0x1_0000_0003));
        assert_eq!(number(T::BINARY, &[3, 0, 0, 0], T::QWORD), None);
        assert_eq!(number(T::BINARY, &[3, 0, 0, 0, 0, 0, 0, 0], T::DWORD), None);
        assert_eq!(number(T::DWORD, &[3, 0, 0], T::DWORD), None);
        assert_eq!(number(T::DWORD_BIG_ENDIAN, &[0, 0, 0, 3], T::DWORD), None);
        assert_eq!(Data::sz("3").as_read_number(T::DWORD), Err("a REG_SZ of 4 bytes is not a REG_DWORD".to_owned()));
    }
}
