//! Writes canonical JSON part by part, for documents that would take much memory as one text.
//!
//! The members of an object are sorted, but serde hands them over in another order. So each struct at the top of a
//! document is serialized several times: once for the names of its members, and then once for each member.

use serde::ser::{Error as _, Impossible, Serialize, SerializeSeq, SerializeStruct, Serializer};
use serde_json::{Error, Result};

use super::{Writer, before};

/// The number of levels whose structs and lists are written part by part. Everything below is written as a whole.
const LEVELS: usize = 4;

/// The minimum length of a part that is passed on, in bytes. Only the last part can be shorter.
const PART: usize = 1 << 15;

/// Writes the value as canonical JSON, and passes the parts of the text to `take`, in order.
///
/// # Errors
/// Returns an error for a map whose keys are not strings. Some parts may then have been passed already.
pub fn in_parts(value: &(impl Serialize + ?Sized), mut take: impl FnMut(&[u8])) -> Result<()> {
    Out { writer: Writer { out: Vec::new() }, take: &mut take }.value(value, 0)
}

/// The receiver of the parts.
struct Out<'t> {
    /// The part that is being written.
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

/// The form of a value.
enum Shape {
    /// A struct, with the names of its members.
    Struct(Vec<&'static str>),
    List,
    Other,
}

/// The purpose for which a value is serialized.
enum Wants<'a> {
    /// To find out its shape. Its content is ignored.
    Shape(&'a mut Shape),
    /// To write the items of a list.
    Items {
        /// Whether no item was written yet.
        is_empty: bool,
    },
    /// To write this member of a struct.
    Member(&'a str),
}

/// Serializes one value for one purpose.
struct Visit<'a, 't> {
    out: &'a mut Out<'t>,
    level: usize,
    wants: Wants<'a>,
}

/// Returns the error that ends the visit of a value that is neither a struct nor a list.
fn other<T>() -> Result<T> {
    Err(Error::custom("neither a struct nor a list"))
}

/// Defines methods for values that are neither a struct nor a list.
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
