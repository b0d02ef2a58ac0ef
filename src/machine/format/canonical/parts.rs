//! Writes canonical JSON part by part, for documents that would take much memory as one text.
//!
//! The members of an object are sorted, but serde hands them over in another order. So each struct at the top of a
//! document is serialized several times: once for the names of its members, and then once for each member.

use serde::ser::{Error as _, Impossible, Serialize, SerializeSeq, SerializeStruct, Serializer};
use serde_json::{Error, Result};

use super::{Writer, before};

/// The number of nesting levels, from the top of the document, at which structs and lists are written part by part.
/// Values below these levels are written as a whole.
const LEVELS: usize = 4;

/// The minimum length of a part that is passed on, in bytes. Only the last part can be shorter.
const PART: usize = 1 << 15;

/// Writes the value as canonical JSON, and passes the text to `take` in parts, in order. Each part except the last has
/// at least 32 KiB.
///
/// # Errors
/// Returns an error for a map whose keys are not strings, or for a float that is infinite or NaN. Some parts may then
/// have been passed already.
pub fn in_parts(value: &(impl Serialize + ?Sized), mut take: impl FnMut(&[u8])) -> Result<()> {
    Out { writer: Writer { out: Vec::new() }, take: &mut take }.value(value, 0)
}

/// The output: collects canonical JSON, and passes each complete part of the text to `take`.
struct Out<'t> {
    /// Writes the canonical JSON, and holds the text that was not passed to `take` yet.
    writer: Writer,
    take: &'t mut dyn FnMut(&[u8]),
}

impl Out<'_> {
    fn value(&mut self, value: &(impl Serialize + ?Sized), level: usize) -> Result<()> {
        let mut shape = Shape::Other;
        if level < LEVELS {
            // The visit ends with an error as soon as it finds something else.
            let _ = value.serialize(Visit { out: self, level, wants: Wants::Shape(&mut shape) });
        }
        match shape {
            Shape::Other => {
                value.serialize(&mut self.writer)?;
                if self.writer.out.len() >= PART {
                    self.flush();
                }
            }
            Shape::List => {
                self.writer.out.push(b'[');
                value.serialize(Visit { out: self, level, wants: Wants::Items { is_empty: true } })?;
                self.writer.out.push(b']');
            }
            Shape::Struct(mut names) => {
                names.sort_by(|a, b| before(a, b));
                self.writer.out.push(b'{');
                for (at, name) in names.into_iter().enumerate() {
                    if at > 0 {
                        self.writer.out.push(b',');
                    }
                    self.writer.string(name)?;
                    self.writer.out.push(b':');
                    value.serialize(Visit { out: self, level, wants: Wants::Member(name) })?;
                }
                self.writer.out.push(b'}');
            }
        }
        if level == 0 {
            self.flush();
        }
        Ok(())
    }

    fn flush(&mut self) {
        (self.take)(&self.writer.out);
        self.writer.out.clear();
    }
}

/// The shape of a value: a struct, a list, or something else.
enum Shape {
    /// A struct, with the names of its members.
    Struct(Vec<&'static str>),
    List,
    Other,
}

/// The purpose for which [`Visit`] serializes a value.
enum Wants<'a> {
    /// Finds out the shape of the value, and stores it here. Nothing is written.
    Shape(&'a mut Shape),
    /// Writes the items of the list, with commas between them.
    Items {
        /// Whether no item was written yet.
        is_empty: bool,
    },
    /// Writes the value of the struct member with this name. The other members are ignored.
    Member(&'a str),
}

/// A serializer for one value. `level` is the number of structs and lists that contain the value, and `wants` is the
/// purpose of this serialization.
struct Visit<'a, 't> {
    out: &'a mut Out<'t>,
    level: usize,
    wants: Wants<'a>,
}

/// Returns the error with which [`Visit`] stops: the value is neither a struct nor a list, or its shape is already
/// found.
fn other<T>() -> Result<T> {
    Err(Error::custom("neither a struct nor a list"))
}

/// Defines methods of a serializer that return the error of `other`, for values that are neither a struct nor a list.
macro_rules! others {
    ($($method:ident($($type:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<$result> {
            other()
        })*
    };
}

impl Serializer for Visit<'_, '_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Error>;

    others! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<()> {
        other()
    }

    fn serialize_seq(mut self, _: Option<usize>) -> Result<Self> {
        if let Wants::Shape(shape) = &mut self.wants {
            **shape = Shape::List;
            // The items need not be visited.
            return other();
        }
        Ok(self)
    }

    fn serialize_struct(mut self, _: &'static str, _: usize) -> Result<Self> {
        if let Wants::Shape(shape) = &mut self.wants {
            **shape = Shape::Struct(Vec::new());
        }
        Ok(self)
    }
}

impl SerializeSeq for Visit<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if let Wants::Items { is_empty } = &mut self.wants
            && !std::mem::take(is_empty)
        {
            self.out.writer.out.push(b',');
        }
        self.out.value(value, self.level + 1)
    }

    fn end(self) -> Result<()> {
        Ok(())
    }
}

impl SerializeStruct for Visit<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        match &mut self.wants {
            Wants::Shape(shape) => {
                if let Shape::Struct(names) = &mut **shape {
                    names.push(name);
                }
                Ok(())
            }
            Wants::Member(wanted) if *wanted == name => self.out.value(value, self.level + 1),
            Wants::Member(_) | Wants::Items { .. } => Ok(()),
        }
    }

    fn end(self) -> Result<()> {
        Ok(())
    }
}
