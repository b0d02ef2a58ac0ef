//! Parameters, and data as a spec writes it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A choice for the operator.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The question that the operator decides.
    pub description: String,
    /// The kind of data. By default it is the kind that the values using the parameter need: a number for REG_DWORD and
    /// REG_QWORD, a list for REG_MULTI_SZ, otherwise a string. If they need no kind or several, it is that of `default`
    /// or of the allowed data.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<ParameterType>,
    /// The only data allowed: a list, or a mapping from each to its meaning, such as `{ 0: "off", 1: "on" }`. In the
    /// mapping, numbers written as `0x…` need quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Allowed>,
    /// The smallest and largest number allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<NumberRange>,
    /// The data is shown to nobody, and neither is that of values that use it. Every parameter of a sensitive value is
    /// sensitive too. A sensitive parameter cannot be used in the name of a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// The data if the operator gives none. Without a default, the operator must choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Literal>,
}

/// The kind of data that a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterType {
    /// A whole number from 0 to 18446744073709551615, decimal or `0x…`.
    Number,
    /// A string.
    String,
    /// A list of strings; on the command line, separated by commas.
    List,
}

/// Allowed data, with or without meanings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Allowed {
    /// Each with its meaning.
    Meanings(BTreeMap<String, String>),
    /// A list without meanings.
    List(Vec<Scalar>),
}

/// The smallest and largest number allowed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberRange {
    /// The smallest, decimal or `0x…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Scalar>,
    /// The largest, decimal or `0x…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Scalar>,
}

/// A number or a string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// A whole number.
    Number(u64),
    /// A string; for number types, decimal or `0x…`.
    Text(String),
}

impl From<Scalar> for Literal {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Number(number) => Self::Number(number),
            Scalar::Text(text) => Self::Text(text),
        }
    }
}

/// Data as written: a number, a string, or a list of strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Literal {
    /// A whole number.
    Number(u64),
    /// A string. For REG_BINARY, REG_NONE and similar types: hex digits, with spaces, commas or nothing between the
    /// bytes.
    Text(String),
    /// The strings of a REG_MULTI_SZ.
    List(Vec<String>),
}

/// Data of a value: a number, a string, a list of strings, or `{ parameter: name }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DataExpression {
    /// The data itself.
    Literal(Literal),
    /// The data of a parameter.
    Parameter(ParameterReference),
}

/// Stands for the data that the operator chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterReference {
    /// The parameter's name.
    pub parameter: String,
}

/// One type, or several of which any is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TypeChoice {
    /// The registry type of the value.
    One(TypeName),
    /// Any of these; the first is written.
    Any(#[schemars(length(min = 1))] Vec<TypeName>),
}

/// The registry types that a spec can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "each is the type of that name; crate::registry::ValueType documents them")]
pub enum TypeName {
    RegSz,
    RegExpandSz,
    RegMultiSz,
    RegDword,
    RegDwordBigEndian,
    RegQword,
    RegBinary,
    RegNone,
    RegLink,
    RegResourceList,
    RegFullResourceDescriptor,
    RegResourceRequirementsList,
}
