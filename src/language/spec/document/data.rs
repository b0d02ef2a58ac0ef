//! The parameters and data of a spec, as they are written in YAML.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A parameter of a spec: a setting that the operator chooses.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// A description of the decision that the operator makes with this parameter.
    pub description: String,
    /// The type of the data. If this field is missing, kbfix derives the type.
    ///
    /// A parameter with `range` is a number. The type of any other parameter follows from the rules that use it. In the
    /// `key` of a rule, it is a string. In a rule for a value, it is a list in `add` and `remove` (below the field
    /// `list`), and a string in `with` (below `replace`). In all other fields of this rule, such as `data`, it follows
    /// from the field `type` of the value: it is a number for REG_DWORD, REG_DWORD_BIG_ENDIAN and REG_QWORD, a list for
    /// REG_MULTI_SZ, and a string for all other types. If this `type` lists several types, such a field requires no
    /// type, and neither does the `key` of a condition.
    ///
    /// If the rules require no type, or different types, the form of `default` decides: `1` is a number, `"1"` is a
    /// string, `["1"]` is a list. Without `default`, the parameter is a number if each item of `allowed` is a number,
    /// with or without quotes. In all other cases, the parameter is a string.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<ParameterType>,
    /// The only data allowed: a list, such as `[0, 1]`, or a mapping from data to its meaning, such as `{ 0: "off", 1:
    /// "on" }`. In a mapping, numbers in the form `0x…` need quotes. A parameter cannot have `allowed` if it has a
    /// `range`, or if its type is a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Allowed>,
    /// The smallest and the largest number allowed. Only a parameter whose type is a number can have this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<NumberRange>,
    /// `true`: the data is secret. Diffs, reports and messages then do not show the data. Plan files, snapshots,
    /// journals and the files that `kbfix export` writes can still contain the data.
    ///
    /// If a value uses the parameter, the data of this value is secret too. All other parameters that this value uses
    /// are then secret as well.
    ///
    /// A sensitive parameter cannot be part of the name of a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// The data that is used if the operator does not set the parameter. If there is no default and the operator does
    /// not set the parameter, the outcome is "needs parameter", or "not applicable" if the spec does not apply. kbfix
    /// then changes nothing for the spec, and `kbfix export` reports an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Literal>,
}

/// The type of a parameter's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterType {
    /// A whole number from 0 to 18446744073709551615, decimal or `0x…`.
    Number,
    /// A string.
    String,
    /// A list of strings. On the command line, separate the strings with commas: `--set servers=FE1,FE2`. So a string
    /// on the command line cannot contain a comma. Spaces around a string are removed.
    List,
}

/// The allowed data, with or without meanings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Allowed {
    /// Each name is allowed data, and the text is its meaning.
    Meanings(BTreeMap<String, String>),
    /// A list of allowed data, without meanings.
    List(Vec<Scalar>),
}

/// The smallest and the largest number allowed. If you leave out one of the two fields, there is no limit on that side.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberRange {
    /// The smallest allowed number, decimal or `0x…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Scalar>,
    /// The largest allowed number, decimal or `0x…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Scalar>,
}

/// A number or a string, in one of these fields: `set` and `clear` of bits, `allowed`, `at_least` and `at_most` of a
/// `range`, and `at_least` and `at_most` of a test in a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// A whole number from 0 to 18446744073709551615, decimal or `0x…`.
    Number(u64),
    /// A string, in quotes if it looks like a number. If `allowed` is for data that is not a number, the string has the
    /// form of that data. If `allowed` is for numbers, and in all other fields, the string must be a number, decimal or
    /// `0x…`: `"16"` is the same as 16.
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

/// Data as a spec writes it: a number, a string, or a list of strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Literal {
    /// A whole number from 0 to 18446744073709551615 (REG_DWORD and REG_DWORD_BIG_ENDIAN: to 4294967295), decimal or
    /// `0x…`. Numbers in the registry are never negative.
    Number(u64),
    /// A string, in quotes if it looks like a number. For REG_DWORD, REG_DWORD_BIG_ENDIAN and REG_QWORD, the string
    /// must be a number, decimal or `0x…`: `data: "16"` is the same as `data: 16`. For REG_BINARY, REG_NONE, REG_LINK
    /// and the types with RESOURCE in their names, the string contains two hex digits for each byte. You can write
    /// spaces or commas between the bytes. In a condition that has `equals` or `one_of` but no `type`, the text is
    /// always a string: `"16"` is not equal to a REG_DWORD 16.
    Text(String),
    /// A list of strings, such as `[FE1, FE2]`: the strings of a REG_MULTI_SZ, or the items of another list.
    List(Vec<String>),
}

/// The data of a value: a number, a string, a list of strings, or `{ parameter: name }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DataExpression {
    /// Data that is written in the spec.
    Literal(Literal),
    /// `{ parameter: name }`: the data of the parameter `name`.
    Parameter(ParameterReference),
}

/// Refers to the data of a parameter: the data that the operator chose, or else the default of the parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterReference {
    /// The name of a parameter in the field `parameters` of the spec.
    pub parameter: String,
}

/// One type, or a list of accepted types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TypeChoice {
    /// The registry type of the value.
    One(TypeName),
    /// A list of types, any of which is accepted. If a rule creates the value, or replaces its data with `data`, the
    /// value gets the first type.
    Any(#[schemars(length(min = 1))] Vec<TypeName>),
}

/// The registry types that a spec can use.
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
