//! Converts the text of a JSON document into canonical form, without building a tree of it.

use std::borrow::Cow;

use serde::{
    Serializer as _,
    de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Error, Result, Value};

use super::Writer;

/// Removes the member `name` from the JSON object in `text`. Returns the value of this member, if the object has it,
/// and the rest of the object as canonical JSON.
///
/// Two members with the same name are not an error here; [`crate::format::json::check`] refuses them.
///
/// # Errors
/// Returns serde_json's error, with line and column, for text that is not JSON. Returns an error for JSON that is not
/// an object.
pub fn without(text: &str, name: &str) -> Result<(Option<Value>, Vec<u8>)> {
    let mut writer = Writer { out: Vec::new() };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let member = (&mut deserializer).deserialize_any(Top { writer: &mut writer, name })?;
    deserializer.end()?;
    Ok((member, writer.out))
}

/// Reads a JSON object and writes it in canonical form, without the member `name`.
struct Top<'w> {
    writer: &'w mut Writer,
    name: &'w str,
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Option<Value>, A::Error> {
        let mut object = self.writer.object(b"}", 0);
        let mut left_out = None;
        while let Some(name) = members.next_key::<String>()? {
            if name == self.name {
                left_out = Some(members.next_value()?);
                continue;
            }
            object.name(Cow::Owned(name)).map_err(A::Error::custom)?;
            members.next_value_seed(Copied(&mut *object.writer))?;
        }
        object.close();
        Ok(left_out)
    }
}

/// Reads a JSON value and writes it in canonical form at the same time.
struct Copied<'w>(&'w mut Writer);

impl<'de> DeserializeSeed<'de> for Copied<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Defines visitor methods that write each scalar (string, number, Boolean or null) with the serializer.
macro_rules! scalars {
    ($($visit:ident -> $serialize:ident: $type:ty),*) => {
        $(fn $visit<E: serde::de::Error>(self, value: $type) -> std::result::Result<(), E> {
            self.0.$serialize(value).map_err(|error: Error| E::custom(error))
        })*
    };
}

impl<'de> Visitor<'de> for Copied<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    scalars! {
        visit_bool -> serialize_bool: bool, visit_i64 -> serialize_i64: i64, visit_u64 -> serialize_u64: u64,
        visit_f64 -> serialize_f64: f64, visit_str -> serialize_str: &str
    }

    fn visit_unit<E: serde::de::Error>(self) -> std::result::Result<(), E> {
        self.0.serialize_unit().map_err(|error: Error| E::custom(error))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        let mut array = self.0.array(b"]");
        loop {
            let before = array.writer.out.len();
            let is_first = std::mem::take(&mut array.is_empty);
            if !is_first {
                array.writer.out.push(b',');
            }
            if items.next_element_seed(Copied(&mut *array.writer))?.is_none() {
                array.writer.out.truncate(before);
                array.close();
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<(), A::Error> {
        let mut object = self.0.object(b"}", 0);
        while let Some(name) = members.next_key::<String>()? {
            object.name(Cow::Owned(name)).map_err(A::Error::custom)?;
            members.next_value_seed(Copied(&mut *object.writer))?;
        }
        object.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::canonical, without};

    #[test]
    fn text_becomes_what_its_tree_becomes() {
        for text in [
            "{}",
            r#"{"b": [], "a": [1, -1, 1.50, 1e3, 18446744073709551615, 9007199254740993], "": {}}"#,
            r#"{"\ud83d\ude00": "\u0001\"\\é", "\ufb33": [[], [[null]], {"z": true, "a": {"y": 1, "x": [{}]}}]}"#,
        ] {
            let tree: serde_json::Value = serde_json::from_str(text).unwrap();
            let (member, rest) = without(text, "digest").unwrap();
            assert_eq!(member, None);
            assert_eq!(String::from_utf8(rest).unwrap(), String::from_utf8(canonical(&tree).unwrap()).unwrap());
        }
    }

    #[test]
    fn one_member_is_left_out_of_the_whole_only() {
        let (member, rest) = without(r#"{"b": {"digest": 2}, "digest": [1], "a": 3}"#, "digest").unwrap();
        assert_eq!((member, rest.as_slice()), (Some(serde_json::json!([1])), &br#"{"a":3,"b":{"digest":2}}"#[..]));
        for text in ["", "[]", "1", "{", "{} x", r#"{"a"}"#, r#"{"a": [1,]}"#] {
            without(text, "digest").unwrap_err();
        }
        assert!(without("{\n 1}", "digest").unwrap_err().to_string().contains("line 2"));
    }
}
