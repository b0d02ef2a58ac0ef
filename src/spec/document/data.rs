//! Parameters, and data as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A choice that the operator may make.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What is chosen.
    pub description: String,
    /// What kind of data it takes. Without it, the kind that the values need in which it is used: a number for REG_DWORD and
    /// REG_QWORD, a list for REG_MULTI_SZ, else a string. Where they need none or several, that of `default` or of what is allowed.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<ParameterType>,
    /// The only data it may have: a list, or each with its meaning, as `{ 0: "off", 1: "on" }`. Numbers as `0x…` are written
    /// in quotes there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Allowed>,
    /// The smallest and largest number it may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<NumberRange>,
    /// What it is is shown to nobody, and so are the values that use it. So is every parameter of a sensitive value. It
    /// cannot stand in the name of a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// What it is when the operator says nothing. Without it, the operator must choose.
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
    /// A list of strings. On the command line: separated by commas.
    List,
}

/// Allowed data, with or without their meaning.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Allowed {
    /// Each with its meaning.
    Meanings(BTreeMap<String, String>),
    /// Just the list.
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
    /// A string; for number types decimal or `0x…`.
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
    /// A string. For REG_BINARY, REG_NONE and the like: hex digits, with spaces, commas or nothing between the bytes.
    Text(String),
    /// The strings of a REG_MULTI_SZ.
    List(Vec<String>),
}

/// Data of a value: a number, a string, a list of strings, or `{ parameter: name }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DataExpression {
    /// As written.
    Literal(Literal),
    /// What the operator chose.
    Parameter(ParameterReference),
}

/// Stands for what the operator chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterReference {
    /// The parameter's name.
    pub parameter: String,
}
