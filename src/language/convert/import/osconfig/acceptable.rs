//! Reads the JSON schema of an OSConfig rule. The schema determines which data is acceptable, and whether the value may
//! be absent.
//!
//! A schema is rejected if a spec cannot express its meaning exactly. Microsoft's manifests also use schemas for lists
//! and numbers on string values: a schema for a list then tests the items of a string that is separated by commas, and
//! a schema for a number tests a decimal number in the string.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use crate::{
    diag::text::shorten,
    registry::notation,
    spec::document::{DataExpression, Ensure, Keep, KeepWhich, Literal, TypeChoice, TypeName, ValueRule},
};

/// Keywords of a JSON schema that kbfix ignores, because they do not restrict data.
const ANNOTATIONS: [&str; 5] = ["title", "description", "$comment", "default", "examples"];

/// A regular expression for a string that is a list without items: it is empty, or has only white space and commas.
const EMPTY_LIST: &str = r"^[\s,]*$";

/// The reason why a rule is left out if its schema does not accept the data that OSConfig writes.
pub(super) const REFUSED: &str = "the `schema` of the rule does not accept the data in the `value` of the rule";

/// The states of a value that an OSConfig rule accepts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Acceptable {
    data: Accepted,
    /// Whether the value may be absent.
    absent: bool,
}

/// The acceptable data of a value that exists.
#[derive(Debug, Clone, PartialEq)]
enum Accepted {
    OneOf(Vec<Literal>),
    NoneOf(Vec<Literal>),
    Between(Option<u64>, Option<u64>),
    Contains(Vec<String>),
    Subset(Vec<String>),
    Matches(String),
}

impl From<Accepted> for Acceptable {
    fn from(data: Accepted) -> Self {
        Self { data, absent: false }
    }
}

impl Acceptable {
    /// Returns the only acceptable state of a value that must exist with this data.
    pub(super) fn just(data: Literal) -> Self {
        Accepted::OneOf(vec![data]).into()
    }

    /// Returns the states that a JSON schema accepts, for a value with the type `kind`.
    ///
    /// # Errors
    /// Returns the reason why a spec cannot express the schema.
    pub(super) fn read(schema: &Value, kind: TypeName) -> Result<Self, String> {
        let fields = schema.as_object().ok_or_else(|| "the `schema` of the rule is not a mapping".to_owned())?;
        let fields: Map<String, Value> = fields.clone().into_iter().filter(|(name, _)| !is_annotation(name)).collect();
        let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
        names.sort_unstable();
        let is_text = matches!(kind, TypeName::RegSz | TypeName::RegExpandSz);
        let is_list = is_text || kind == TypeName::RegMultiSz;
        Ok(match names.as_slice() {
            ["const"] => Self::constant(&fields["const"], kind)?,
            ["type"] if fields["type"] == "null" => Self { data: Accepted::OneOf(Vec::new()), absent: true },
            ["enum"] => {
                let each = items(&fields["enum"], "enum")?;
                let each = each.iter().map(|one| Self::constant(one, kind)).collect::<Result<_, _>>()?;
                Self::any_of(each).ok_or_else(|| too_much("enum"))?
            }
            ["maximum"] | ["minimum"] | ["maximum", "minimum"]
                if is_text || matches!(kind, TypeName::RegDword | TypeName::RegQword) =>
            {
                let bound = |name| fields.get(name).map(|bound| number(bound, name)).transpose();
                Accepted::Between(bound("minimum")?, bound("maximum")?).into()
            }
            ["pattern"] if is_text => {
                let pattern =
                    fields["pattern"].as_str().ok_or_else(|| "the `pattern` of the rule is not text".to_owned())?;
                Accepted::Matches(expression(pattern)?).into()
            }
            ["maxItems"] if is_text && fields["maxItems"] == 0 => Accepted::Matches(EMPTY_LIST.to_owned()).into(),
            ["maxItems"] if is_list && fields["maxItems"] == 0 => Self::just(Literal::List(Vec::new())),
            ["items"] if is_list => Accepted::Subset(strings(&fields["items"], "items")?).into(),
            ["contains"] if is_list => match strings(&fields["contains"], "contains")?.as_slice() {
                [one] => Accepted::Contains(vec![one.clone()]).into(),
                _ => return Err(too_much("contains")),
            },
            ["not"] => match Self::read(&fields["not"], kind)? {
                Self { data: Accepted::OneOf(data), absent } => Self { data: Accepted::NoneOf(data), absent: !absent },
                _ => return Err(too_much("not")),
            },
            ["anyOf"] => {
                let each = Self::each(&fields["anyOf"], "anyOf", kind)?;
                Self::any_of(each).ok_or_else(|| too_much("anyOf"))?
            }
            ["oneOf"] => {
                let each = Self::each(&fields["oneOf"], "oneOf", kind)?;
                Self::exactly_one(each).ok_or_else(|| too_much("oneOf"))?
            }
            ["allOf"] => {
                let each = Self::each(&fields["allOf"], "allOf", kind)?;
                Self::all_of(each).ok_or_else(|| too_much("allOf"))?
            }
            [] => return Err("the `schema` of the rule accepts any data".to_owned()),
            [one] => {
                return Err(format!(
                    "the `schema` of the rule contains `{one}`, which a spec cannot express for a {}",
                    shown(kind)
                ));
            }
            more => {
                return Err(format!(
                    "a spec cannot express the `schema` of the rule, which combines `{}`",
                    more.join("`, `")
                ));
            }
        })
    }

    fn each(schemas: &Value, name: &str, kind: TypeName) -> Result<Vec<Self>, String> {
        items(schemas, name)?.iter().map(|schema| Self::read(schema, kind)).collect()
    }

    fn constant(value: &Value, kind: TypeName) -> Result<Self, String> {
        match value {
            Value::Null => Ok(Self { data: Accepted::OneOf(Vec::new()), absent: true }),
            _ => literal(value, kind).map(Self::just),
        }
    }

    /// Combines the alternatives of an `anyOf`, or the items of an `enum`: data is acceptable if at least one of them
    /// accepts it. Lists of data are joined. Returns `None` if one alternative is not a list of data (such as a range)
    /// and there is another alternative besides null.
    fn any_of(each: Vec<Self>) -> Option<Self> {
        let absent = each.iter().any(|one| one.absent);
        let mut list = Vec::new();
        let mut other = None;
        for one in each {
            match one.data {
                Accepted::OneOf(data) => list.extend(data),
                data => other = other.is_none().then_some(Some(data))?,
            }
        }
        match (other, list.is_empty()) {
            (None, _) => Some(Self { data: Accepted::OneOf(list), absent }),
            (Some(data), true) => Some(Self { data, absent }),
            _ => None,
        }
    }

    /// Combines the alternatives of a `oneOf`: data is acceptable if exactly one alternative accepts it. Returns `None`
    /// if two alternatives accept the same data or both accept null, or if they cannot be combined.
    fn exactly_one(each: Vec<Self>) -> Option<Self> {
        let absent = each.iter().filter(|one| one.absent).count();
        let joined = Self::any_of(each)?;
        let distinct = match &joined.data {
            Accepted::OneOf(list) => list.iter().enumerate().all(|(at, data)| !list[..at].contains(data)),
            _ => true,
        };
        (distinct && absent < 2).then_some(joined)
    }

    /// Combines the requirements of an `allOf`: data is acceptable if it meets all of them. Returns `None` if there are
    /// several requirements, and one of them is not that a list must contain an item.
    fn all_of(mut each: Vec<Self>) -> Option<Self> {
        if each.len() == 1 {
            return each.pop();
        }
        let mut all = Vec::new();
        for one in each {
            let Self { data: Accepted::Contains(items), absent: false } = one else { return None };
            all.extend(items);
        }
        (!all.is_empty()).then(|| Accepted::Contains(all).into())
    }

    /// Returns a value rule of a spec that keeps acceptable data and replaces other data, or that deletes the value if
    /// no data is acceptable. `value` is the data that OSConfig writes, and `kind` is the type of the value.
    ///
    /// # Errors
    /// Returns the reason why a spec cannot express such a rule.
    pub(super) fn rule(self, value: &Value, kind: TypeName) -> Result<ValueRule, String> {
        let given = (!value.is_null()).then(|| literal(value, kind)).transpose()?;
        if self.absent && given.is_none() && self.data == Accepted::OneOf(Vec::new()) {
            return Ok(ValueRule { ensure: Some(Ensure::Absent), ..ValueRule::default() });
        }
        let data = match (given, &self.data) {
            (Some(given), Accepted::OneOf(list)) if !list.contains(&given) => {
                return Err(REFUSED.to_owned());
            }
            (Some(given), _) => given,
            (None, Accepted::OneOf(list)) if list.len() == 1 => list[0].clone(),
            (None, _) => return Err("the rule has no `value`, so there is no data to write".to_owned()),
        };
        Ok(ValueRule {
            types: Some(TypeChoice::One(kind)),
            keep: self.data.keep(kind),
            // An absent value is left as it is if it means this data.
            if_absent: self.absent.then(|| DataExpression::Literal(data.clone())),
            data: Some(DataExpression::Literal(data)),
            ..ValueRule::default()
        })
    }
}

impl Accepted {
    /// Returns the field `keep` of a value rule, for existing data that may stay. Returns `None` if the data that the
    /// rule writes is the only acceptable data.
    fn keep(self, kind: TypeName) -> Option<Keep> {
        let separator = || (kind != TypeName::RegMultiSz).then(|| ",".to_owned());
        let list = KeepWhich { separator: separator(), ignore_case: Some(false), ..KeepWhich::default() };
        let bound = |bound: Option<u64>| bound.map(|number| DataExpression::Literal(Literal::Number(number)));
        let which = match self {
            Self::OneOf(list) if list.len() < 2 => return None,
            Self::OneOf(list) => KeepWhich { one_of: Some(list), ..KeepWhich::default() },
            Self::NoneOf(list) => KeepWhich { not: Some(list), ..KeepWhich::default() },
            Self::Between(least, most) => {
                KeepWhich { at_least: bound(least), at_most: bound(most), ..KeepWhich::default() }
            }
            Self::Contains(items) => KeepWhich { contains: Some(items), ..list },
            Self::Subset(items) => KeepWhich { subset: Some(items), ..list },
            Self::Matches(expression) => KeepWhich { matches: Some(expression), ..KeepWhich::default() },
        };
        Some(Keep::Which(Box::new(which)))
    }
}

/// Converts data from the JSON of a manifest to data of the type `kind`. In the JSON, a REG_BINARY is Base64. The error
/// says that the data is not valid for this type.
pub(super) fn literal(value: &Value, kind: TypeName) -> Result<Literal, String> {
    let refused = || format!("{} is not valid data for a {}", shorten(&value.to_string()), shown(kind));
    let found = match (kind, value) {
        (TypeName::RegDword, Value::Number(number)) => {
            number.as_u64().filter(|number| u32::try_from(*number).is_ok()).map(Literal::Number)
        }
        (TypeName::RegQword, Value::Number(number)) => number.as_u64().map(Literal::Number),
        (TypeName::RegSz | TypeName::RegExpandSz, Value::String(text)) => Some(Literal::Text(text.clone())),
        // The manifest for Windows Server 2025 has `const: 1` for the REG_SZ "1".
        (TypeName::RegSz | TypeName::RegExpandSz, Value::Number(number)) => {
            number.as_u64().map(|number| Literal::Text(number.to_string()))
        }
        (TypeName::RegMultiSz, Value::Array(list)) => {
            let texts = list.iter().map(|item| item.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>().map(Literal::List)
        }
        (TypeName::RegBinary, Value::String(text)) => {
            BASE64_STANDARD.decode(text).ok().map(|bytes| Literal::Text(notation::hex_digits(&bytes)))
        }
        _ => None,
    };
    found.ok_or_else(refused)
}

/// Translates a regular expression of ECMA-262 to the syntax of the crate `regex`. Supports only plain characters,
/// escaped punctuation, `.`, `^` and `$`. The error names what is not supported, or says that the expression is empty.
fn expression(pattern: &str) -> Result<String, String> {
    if pattern.is_empty() {
        return Err("the `pattern` of the rule accepts any string".to_owned());
    }
    let mut out = String::new();
    let mut escaped = false;
    for c in pattern.chars() {
        match c {
            c if escaped && !c.is_ascii_punctuation() => return Err(unread(pattern, &format!("\\{c}"))),
            c if escaped => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            '\\' => {}
            // In ECMA-262, four characters end a line.
            '.' => out.push_str(r"[^\n\r\u2028\u2029]"),
            '^' | '$' => out.push(c),
            c if c.is_ascii_punctuation() && "|?*+()[]{}".contains(c) => return Err(unread(pattern, &c.to_string())),
            c => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
        escaped = c == '\\' && !escaped;
    }
    if escaped { Err(unread(pattern, "\\")) } else { Ok(out) }
}

fn unread(pattern: &str, part: &str) -> String {
    format!("kbfix does not translate `{part}` in the `pattern` {}", notation::quoted(&shorten(pattern)))
}

fn is_annotation(name: &str) -> bool {
    ANNOTATIONS.contains(&name)
}

fn items<'v>(list: &'v Value, name: &str) -> Result<&'v [Value], String> {
    match list.as_array().map(Vec::as_slice) {
        Some(items) if !items.is_empty() => Ok(items),
        _ => Err(format!("the `{name}` of the rule must be a list with at least one item")),
    }
}

/// Returns the strings that `schema` allows. `name` is the keyword that contains this schema, for messages.
///
/// # Errors
/// Returns the reason why a spec cannot express the schema: it must contain only `const` or `enum`, with strings.
fn strings(schema: &Value, name: &str) -> Result<Vec<String>, String> {
    let fields = schema.as_object().filter(|fields| fields.len() == 1).ok_or_else(|| too_much(name))?;
    let list = match (fields.get("const"), fields.get("enum")) {
        (Some(one), _) => std::slice::from_ref(one),
        (_, Some(list)) => items(list, "enum")?,
        _ => return Err(too_much(name)),
    };
    let texts = list.iter().map(|item| item.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().ok_or_else(|| too_much(name))
}

fn number(bound: &Value, name: &str) -> Result<u64, String> {
    bound.as_u64().ok_or_else(|| format!("the `{name}` of the rule must be a whole number that is not negative"))
}

fn too_much(name: &str) -> String {
    format!("a spec cannot express the `{name}` of the rule")
}

fn shown(kind: TypeName) -> String {
    serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
