//! Reads the JSON schema of an OSConfig rule: it determines the acceptable data, and whether the value may be absent.
//!
//! A schema is rejected if a spec cannot express its meaning exactly. If a keyword about lists is used for a string,
//! the string is a list separated by commas. If a keyword about numbers is used, the string is a decimal number. The
//! manifests of Microsoft use the keywords in this way.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use crate::{
    diag::text::shorten,
    registry::notation,
    spec::document::{DataExpression, Ensure, Keep, KeepWhich, Literal, TypeChoice, TypeName, ValueRule},
};

/// Keywords that do not restrict data.
const ANNOTATIONS: [&str; 5] = ["title", "description", "$comment", "default", "examples"];

/// A regular expression for a list without items: a string of spaces and separators.
const EMPTY_LIST: &str = r"^[\s,]*$";

/// The acceptable states of a value.
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
    /// Only this data is acceptable.
    pub(super) fn just(data: Literal) -> Self {
        Accepted::OneOf(vec![data]).into()
    }

    /// Reads a schema for data of the type `kind`.
    ///
    /// # Errors
    /// Returns why a spec cannot express the schema.
    pub(super) fn read(schema: &Value, kind: TypeName) -> Result<Self, String> {
        let fields = schema.as_object().ok_or_else(|| "its `schema` is not a mapping".to_owned())?;
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
                let pattern = fields["pattern"].as_str().ok_or_else(|| "its `pattern` is not text".to_owned())?;
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
            [] => return Err("its `schema` accepts any data".to_owned()),
            [one] => {
                return Err(format!(
                    "its `schema` contains `{one}`, which a spec cannot express for a {}",
                    shown(kind)
                ));
            }
            more => return Err(format!("its `schema` combines `{}`", more.join("`, `"))),
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

    /// Combines alternatives (`anyOf`): data is acceptable if one of them accepts it. Returns `None` if they cannot be
    /// combined. Lists of data can be combined; any other alternative must be the only one.
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

    /// Combines alternatives of which exactly one must accept the data (`oneOf`). Data that two of them accept is not
    /// acceptable.
    fn exactly_one(each: Vec<Self>) -> Option<Self> {
        let absent = each.iter().filter(|one| one.absent).count();
        let joined = Self::any_of(each)?;
        let distinct = match &joined.data {
            Accepted::OneOf(list) => list.iter().enumerate().all(|(at, data)| !list[..at].contains(data)),
            _ => true,
        };
        (distinct && absent < 2).then_some(joined)
    }

    /// Combines requirements that must all be met (`allOf`).
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

    /// Returns a rule of the spec that keeps acceptable data, and replaces other data with `value`.
    ///
    /// # Errors
    /// Returns why there is no such rule.
    pub(super) fn rule(self, value: &Value, kind: TypeName) -> Result<ValueRule, String> {
        let given = (!value.is_null()).then(|| literal(value, kind)).transpose()?;
        if self.absent && given.is_none() && self.data == Accepted::OneOf(Vec::new()) {
            return Ok(ValueRule { ensure: Some(Ensure::Absent), ..ValueRule::default() });
        }
        let data = match (given, &self.data) {
            (Some(given), Accepted::OneOf(list)) if !list.contains(&given) => {
                return Err("its `schema` does not accept the data in its own `value`".to_owned());
            }
            (Some(given), _) => given,
            (None, Accepted::OneOf(list)) if list.len() == 1 => list[0].clone(),
            (None, _) => return Err("it has no `value`, so there is no data to write".to_owned()),
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
    /// Returns the `keep` of the rule: the data that stays. `None` if only the data that the rule writes is acceptable.
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

/// Converts JSON to data of this type, as the manifests write it.
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

/// Translates a regular expression of ECMA-262. Only characters, `.`, `^` and `$` are supported, because they are the
/// same in both syntaxes.
fn expression(pattern: &str) -> Result<String, String> {
    if pattern.is_empty() {
        return Err("its `pattern` accepts any string".to_owned());
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
    format!("kbfix does not translate `{part}` in its `pattern` {}", notation::quoted(&shorten(pattern)))
}

fn is_annotation(name: &str) -> bool {
    ANNOTATIONS.contains(&name)
}

fn items<'v>(list: &'v Value, name: &str) -> Result<&'v [Value], String> {
    match list.as_array().map(Vec::as_slice) {
        Some(items) if !items.is_empty() => Ok(items),
        _ => Err(format!("its `{name}` must be a list with at least one item")),
    }
}

/// Returns the strings of a schema that is just `const` or `enum`.
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
    bound.as_u64().ok_or_else(|| format!("its `{name}` must be a whole number that is not negative"))
}

fn too_much(name: &str) -> String {
    format!("a spec cannot express its `{name}`")
}

fn shown(kind: TypeName) -> String {
    serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
