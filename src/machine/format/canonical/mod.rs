//! Writes JSON in the canonical form of RFC 8785. A digest of this form does not depend on how a document is formatted.
//!
//! There are no spaces. Members are sorted by the UTF-16 units of their names. Strings and numbers are written as in
//! ECMAScript, where each number is a 64-bit float. The text is written while the document is serialized. No tree of
//! the document is built, because it would take several times as much memory as the text.

mod parts;
mod read;

use std::{borrow::Cow, cmp::Ordering, ops::Range};

pub use parts::in_parts;
pub use read::without;

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Error, Result};

/// Returns the value as canonical JSON.
///
/// # Errors
/// Returns an error for a map whose keys are not strings, or for a float that is infinite or NaN.
pub fn canonical(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>> {
    let mut writer = Writer { out: Vec::new() };
    value.serialize(&mut writer)?;
    Ok(writer.out)
}

struct Writer {
    out: Vec<u8>,
}

/// Writes a JSON array. `end` is the text after the last item: `]`, or `]}` for an array in an enum variant.
struct Array<'w> {
    writer: &'w mut Writer,
    end: &'static [u8],
    is_empty: bool,
}

/// Writes a JSON object. `end` is the text after the last member: `}`, or `}}` for an object in an enum variant.
struct Object<'w> {
    writer: &'w mut Writer,
    end: &'static [u8],
    /// The offset in the output at which the first member begins, in bytes.
    start: usize,
    /// The names of the members written so far, and the offset in the output at which each begins, in bytes.
    members: Vec<(Cow<'static, str>, usize)>,
}

impl Writer {
    fn string(&mut self, text: &str) -> Result<()> {
        serde_json::to_writer(&mut self.out, text)
    }

    fn array(&mut self, end: &'static [u8]) -> Array<'_> {
        self.out.push(b'[');
        Array { writer: self, end, is_empty: true }
    }

    /// Begins an object. `count` is the expected number of members, for which memory is reserved.
    fn object(&mut self, end: &'static [u8], count: usize) -> Object<'_> {
        self.out.push(b'{');
        let start = self.out.len();
        Object { writer: self, end, start, members: Vec::with_capacity(count) }
    }

    /// Begins the object for an enum variant: `{"NAME":`, where NAME is `variant`. The object has no other member.
    fn variant(&mut self, variant: &str) -> Result<()> {
        self.out.push(b'{');
        self.string(variant)?;
        self.out.push(b':');
        Ok(())
    }
}

impl Array<'_> {
    fn item(&mut self, value: &(impl Serialize + ?Sized)) -> Result<()> {
        if !std::mem::take(&mut self.is_empty) {
            self.writer.out.push(b',');
        }
        value.serialize(&mut *self.writer)
    }

    fn close(self) {
        self.writer.out.extend(self.end);
    }
}

impl Object<'_> {
    fn name(&mut self, name: Cow<'static, str>) -> Result<()> {
        if !self.members.is_empty() {
            self.writer.out.push(b',');
        }
        self.members.push((name, self.writer.out.len()));
        if let Some((name, _)) = self.members.last() {
            self.writer.string(name)?;
        }
        self.writer.out.push(b':');
        Ok(())
    }

    fn close(mut self) {
        if !self.members.is_sorted_by(|(a, _), (b, _)| before(a, b).is_le()) {
            // Each member gets a comma, so that all have the same form.
            let out = &mut self.writer.out;
            out.push(b',');
            let ends = self.members.iter().skip(1).map(|(_, start)| *start).chain([out.len()]);
            let mut members: Vec<(&str, Range<usize>)> =
                self.members.iter().zip(ends).map(|((name, start), end)| (&**name, *start..end)).collect();
            if members.len() <= FEW {
                insert_each(out, &mut members, before);
            } else {
                members.sort_by(|(a, _), (b, _)| before(a, b));
                let sorted: Vec<u8> = members.into_iter().flat_map(|(_, range)| &out[range]).copied().collect();
                out.truncate(self.start);
                out.extend(sorted);
            }
            out.pop();
        }
        self.members.clear();
        self.writer.out.extend(self.end);
    }
}

/// Compares the names of two members by their UTF-16 units.
fn before(a: &str, b: &str) -> Ordering {
    match a.is_ascii() && b.is_ascii() {
        true => a.cmp(b),
        false => a.encode_utf16().cmp(b.encode_utf16()),
    }
}

/// The maximum number of members for which an object is sorted in place.
///
/// An object with few members can be as large as the whole document, so it is not copied. Sorting many members in place
/// would take time that grows with the square of their number.
const FEW: usize = 32;

/// Sorts the members of an object in place. `members` are their names and ranges in `out`; the ranges are adjacent.
fn insert_each(out: &mut [u8], members: &mut [(&str, Range<usize>)], before: impl Fn(&str, &str) -> Ordering) {
    for at in 1..members.len() {
        let (name, Range { end, .. }) = members[at].clone();
        let place = members[..at].partition_point(|(other, _)| before(other, name).is_le());
        let later: usize = members[place..at].iter().map(|(_, range)| range.len()).sum();
        let length = members[at].1.len();
        swap(&mut out[end - later - length..end], later);
        members[place..=at].rotate_right(1);
    }
}

/// The maximum length in bytes at which [`slice::rotate_left`] is faster than copying.
const SHORT: usize = 4096;

/// Exchanges the first `first` bytes with the bytes after them. At most the shorter of the two parts is copied to new
/// memory.
fn swap(bytes: &mut [u8], first: usize) {
    let second = bytes.len() - first;
    if bytes.len() <= SHORT {
        bytes.rotate_left(first);
    } else if first <= second {
        let part = bytes[..first].to_vec();
        bytes.copy_within(first.., 0);
        bytes[second..].copy_from_slice(&part);
    } else {
        let part = bytes[first..].to_vec();
        bytes.copy_within(..first, second);
        bytes[..second].copy_from_slice(&part);
    }
}

/// Returns the text of a finite number in ECMAScript (`Number::toString`).
fn ecmascript(number: f64) -> String {
    let shortest = format!("{number:e}");
    let exponent = shortest.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or_default();
    match exponent {
        _ if number == 0.0 => "0".to_owned(),
        21.. => shortest.replace('e', "e+"),
        -6..21 => number.to_string(),
        _ => shortest,
    }
}

/// Defines methods of a serializer that write numbers as their decimal digits.
macro_rules! digits {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, number: $type) -> Result<()> {
            serde_json::to_writer(&mut self.out, &number)
        })*
    };
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Array<'w>;
    type SerializeTuple = Array<'w>;
    type SerializeTupleStruct = Array<'w>;
    type SerializeTupleVariant = Array<'w>;
    type SerializeMap = Object<'w>;
    type SerializeStruct = Object<'w>;
    type SerializeStructVariant = Object<'w>;

    digits! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_u8: u8, serialize_u16: u16,
        serialize_u32: u32
    }

    fn serialize_f32(self, number: f32) -> Result<()> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<()> {
        if !number.is_finite() {
            return Err(Error::custom("JSON cannot contain an infinite number or NaN"));
        }
        self.out.extend(ecmascript(number).as_bytes());
        Ok(())
    }

    fn serialize_i64(self, number: i64) -> Result<()> {
        match u64::try_from(number) {
            Ok(number) => self.serialize_u64(number),
            Err(_) if number < -(1 << 53) => self.serialize_f64(number as f64),
            Err(_) => serde_json::to_writer(&mut self.out, &number),
        }
    }

    fn serialize_u64(self, number: u64) -> Result<()> {
        match number > 1 << 53 {
            true => self.serialize_f64(number as f64),
            false => serde_json::to_writer(&mut self.out, &number),
        }
    }

    fn serialize_char(self, character: char) -> Result<()> {
        self.string(character.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<()> {
        self.string(text)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<()> {
        bytes.serialize(self)
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.out.extend(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.string(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Array<'w>> {
        Ok(self.array(b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Array<'w>> {
        Ok(self.array(b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Array<'w>> {
        Ok(self.array(b"]"))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Array<'w>> {
        self.variant(variant)?;
        Ok(self.array(b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'w>> {
        Ok(self.object(b"}", 0))
    }

    fn serialize_struct(self, _: &'static str, count: usize) -> Result<Object<'w>> {
        Ok(self.object(b"}", count))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        count: usize,
    ) -> Result<Object<'w>> {
        self.variant(variant)?;
        Ok(self.object(b"}}", count))
    }
}

/// Implements the serde traits that write the items of an array.
macro_rules! items {
    ($($trait:ident::$method:ident),*) => {
        $(impl $trait for Array<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.item(value)
            }

            fn end(self) -> Result<()> {
                self.close();
                Ok(())
            }
        })*
    };
}

items! {
    SerializeSeq::serialize_element, SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
}

/// Implements the serde traits that write the members of an object.
macro_rules! members {
    ($($trait:ident),*) => {
        $(impl $trait for Object<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.name(Cow::Borrowed(name))?;
                value.serialize(&mut *self.writer)
            }

            fn end(self) -> Result<()> {
                self.close();
                Ok(())
            }
        })*
    };
}

members! { SerializeStruct, SerializeStructVariant }

impl SerializeMap for Object<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        match serde_json::to_value(key)? {
            serde_json::Value::String(name) => self.name(Cow::Owned(name)),
            _ => Err(Error::custom("the name of a member is not a string")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<()> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
