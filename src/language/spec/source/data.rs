//! Reads the data of a YAML node directly from the tree of nodes, for serde and for the schema check
//! [`crate::spec::shape::accept`].

use serde::de::{
    Deserializer, Error as _, IntoDeserializer, Visitor,
    value::{Error, MapDeserializer, SeqDeserializer},
};
use serde_json::Value;

use super::{
    reading::Reading,
    readings::here,
    tree::{Kind, Node, Places, Style},
};

/// The data of a YAML node. Aliases are replaced with the nodes to which they refer.
#[derive(Clone, Copy)]
pub(in crate::spec) struct Data<'p> {
    places: &'p Places,
    node: &'p Node,
}

/// The kind of a node; for a scalar, with its data.
#[derive(Clone, Copy)]
pub(in crate::spec) enum Look<'d> {
    /// Null, or no data.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number that is 0 or positive.
    Unsigned(u64),
    /// A negative whole number.
    Signed(i64),
    /// A string.
    Text(&'d str),
    /// A list.
    List,
    /// A mapping.
    Fields,
    /// A floating-point number, or a whole number with more than 64 bits. No field of a spec accepts such a number, so
    /// this may be NaN instead of the number.
    Other(f64),
}

/// Data that the schema check can read: a YAML node or a JSON value.
pub(in crate::spec) trait Tree<'d>: Copy {
    /// Returns the kind of this data; for a scalar, with the data itself.
    fn look(self) -> Look<'d>;
    /// Returns the number of items of a list or fields of a mapping; 0 for a scalar.
    fn len(self) -> usize;
    /// Returns the items of a list; nothing for other data.
    fn items(self) -> impl Iterator<Item = Self>;
    /// Returns the names and data of the fields of a mapping; nothing for other data.
    fn fields(self) -> impl Iterator<Item = (&'d str, Self)>;
}

impl<'p> Data<'p> {
    /// Returns the data of `node`, which is one of `places`.
    pub(super) fn of(places: &'p Places, node: &'p Node) -> Self {
        Self { places, node: places.resolve(node) }
    }
}

impl<'p> Tree<'p> for Data<'p> {
    fn look(self) -> Look<'p> {
        match &self.node.kind {
            Kind::Scalar { text, style: Style::DoubleQuoted | Style::Other } => Look::Text(text),
            Kind::Scalar { text, style: Style::Plain } => match here(text) {
                Reading::Text => Look::Text(text),
                Reading::Null => Look::Null,
                Reading::Bool => Look::Bool(text.starts_with(['t', 'T'])),
                Reading::Int(Some(number)) => match (u64::try_from(number), i64::try_from(number)) {
                    (Ok(number), _) => Look::Unsigned(number),
                    (_, Ok(number)) => Look::Signed(number),
                    _ => Look::Other(f64::NAN),
                },
                Reading::Int(None) | Reading::Float | Reading::Time | Reading::Special => Look::Other(f64::NAN),
            },
            Kind::Sequence(_) => Look::List,
            Kind::Mapping(_) => Look::Fields,
            Kind::Alias(_) => Look::Other(f64::NAN),
        }
    }

    fn len(self) -> usize {
        match &self.node.kind {
            Kind::Sequence(items) => items.len(),
            Kind::Mapping(entries) => entries.len(),
            Kind::Scalar { .. } | Kind::Alias(_) => 0,
        }
    }

    fn items(self) -> impl Iterator<Item = Self> {
        let items: &[usize] = match &self.node.kind {
            Kind::Sequence(items) => items,
            _ => &[],
        };
        items.iter().map(move |item| Self::of(self.places, self.places.at(*item)))
    }

    fn fields(self) -> impl Iterator<Item = (&'p str, Self)> {
        let entries = match &self.node.kind {
            Kind::Mapping(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(move |entry| (&*entry.name, Self::of(self.places, self.places.at(entry.value))))
    }
}

impl<'v> Tree<'v> for &'v Value {
    fn look(self) -> Look<'v> {
        match self {
            Value::Null => Look::Null,
            Value::Bool(truth) => Look::Bool(*truth),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => Look::Unsigned(number),
                (None, Some(number)) => Look::Signed(number),
                (None, None) => Look::Other(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Look::Text(text),
            Value::Array(_) => Look::List,
            Value::Object(_) => Look::Fields,
        }
    }

    fn len(self) -> usize {
        match self {
            Value::Array(items) => items.len(),
            Value::Object(fields) => fields.len(),
            _ => 0,
        }
    }

    fn items(self) -> impl Iterator<Item = Self> {
        self.as_array().into_iter().flatten()
    }

    fn fields(self) -> impl Iterator<Item = (&'v str, Self)> {
        self.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }
}

impl<'p> IntoDeserializer<'p> for Data<'p> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Data<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.look() {
            Look::Null => visitor.visit_unit(),
            Look::Bool(truth) => visitor.visit_bool(truth),
            Look::Unsigned(number) => visitor.visit_u64(number),
            Look::Signed(number) => visitor.visit_i64(number),
            Look::Text(text) => visitor.visit_borrowed_str(text),
            Look::List => {
                let mut items = SeqDeserializer::new(self.items());
                let found = visitor.visit_seq(&mut items)?;
                items.end().map(|()| found)
            }
            Look::Fields => {
                let mut fields = MapDeserializer::new(self.fields());
                let found = visitor.visit_map(&mut fields)?;
                fields.end().map(|()| found)
            }
            Look::Other(_) => Err(Error::custom("a number that no field accepts")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.look() {
            Look::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.look() {
            Look::Text(text) => text.into_deserializer().deserialize_enum(name, variants, visitor),
            _ => Err(Error::custom("not a word")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
