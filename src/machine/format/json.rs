//! Checks JSON documents: no object may contain two members with the same name (such as `"a": 1, "a": 2`).
//!
//! RFC 8259 (section 4) does not define the meaning of such an object. In a map, serde_json keeps the last member,
//! but a person who reviews the document may see the first. Therefore kbfix refuses such a document.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize,
    de::{Deserializer, Error, MapAccess, SeqAccess, Visitor},
};

/// Checks that `text` is JSON in which no object contains two members with the same name.
///
/// # Errors
/// Returns serde_json's error, with line and column: the text is not JSON, or an object contains such members.
pub fn check(text: &str) -> serde_json::Result<()> {
    serde_json::from_str::<Checked>(text).map(drop)
}

/// Returns the text of a JSON document, which must be UTF-8 (RFC 8259, section 8.1).
///
/// # Errors
/// Returns a sentence that names the first wrong byte and its position, counted from 1.
pub fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        format!("it is not UTF-8 text: byte {} is 0x{:02X}", at + 1, bytes[at])
    })
}

/// Any JSON value. It is read to find members with the same name; its content is discarded.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Checked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_str<E>(self, _: &str) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_unit<E>(self) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Checked, A::Error> {
        while items.next_element::<Checked>()?.is_some() {}
        Ok(Checked)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Checked, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format!("the member `{name}` is given twice")));
            }
            names.insert(name);
            members.next_value::<Checked>()?;
        }
        Ok(Checked)
    }
}

#[cfg(test)]
mod tests {
    use super::{check, text};

    #[test]
    fn the_first_byte_that_is_not_utf_8_is_named() {
        assert_eq!(text("\u{e9}".as_bytes()).unwrap(), "\u{e9}");
        assert_eq!(text(b"{}\xFF\xFE").unwrap_err(), "it is not UTF-8 text: byte 3 is 0xFF");
        // The file ends within a character.
        assert_eq!(text(b"\xC3").unwrap_err(), "it is not UTF-8 text: byte 1 is 0xC3");
    }

    #[test]
    fn a_member_that_is_given_twice_is_refused_wherever_it_stands() {
        for text in [
            r#"{"a": 1, "a": 1}"#,
            r#"[{"b": {"a": [], "c": null, "a": []}}]"#,
            // The same name, spelled in two ways.
            r#"{"a": 1, "\u0061": 2}"#,
        ] {
            let error = check(text).unwrap_err().to_string();
            assert!(error.starts_with("the member `a` is given twice at line 1"), "{error}");
        }
    }

    #[test]
    fn any_other_json_is_accepted_and_nothing_else() {
        for text in ["null", "[1, -1, 1.5, 18446744073709551615, true, \"x\"]", r#"{"a": {"a": {}}, "A": [{"a": 1}]}"#]
        {
            check(text).unwrap();
        }
        for text in ["", "{", "{}x", "{\"a\"}", "[1,]"] {
            check(text).unwrap_err();
        }
    }
}
