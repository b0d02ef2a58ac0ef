//! The conditions of a spec as they are written in YAML: `applicable`, `prerequisites`, `when` and others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FileTest, Literal, Scalar, TypeChoice};

/// A folder whose path is in the registry of the target.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// The registry value that holds the folder's path.
    pub registry: ValuePlace,
}

/// A value in the registry of the target, which a spec reads.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValuePlace {
    /// The key that contains the value.
    pub key: String,
    /// The value name; "" for the default value.
    pub name: String,
    /// The registry view on 64-bit Windows: 64 (the default) or 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<OneView>,
}

/// One registry view of 64-bit Windows: `64` is the copy of a key that 64-bit programs see, and `32` the copy that
/// 32-bit programs see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value", into = "u64")]
#[schemars(extend("enum" = [64, "64", 32, "32"]))]
pub enum OneView {
    /// The view of 64-bit programs.
    Bits64,
    /// The view of 32-bit programs.
    Bits32,
}

/// A condition, which is true, false or unknown on a target. Give exactly one of the fields.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A test of a key or value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<Box<RegistryTest>>,
    /// A test of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Box<FileTest>>,
    /// A test of the operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<Box<OsTest>>,
    /// True if all of these conditions are true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub all: Option<Vec<Condition>>,
    /// True if at least one of these conditions is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub any: Option<Vec<Condition>>,
    /// True if this condition is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Condition>>,
}

/// A prerequisite or a cause: a condition with a title. Give exactly one of `registry`, `file`, `os`, `all`, `any`,
/// `not`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prerequisite {
    /// The prerequisite or the cause in words, as the article names it.
    pub title: String,
    /// A note for the person who reviews the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// A test of a key or value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<Box<RegistryTest>>,
    /// A test of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Box<FileTest>>,
    /// A test of the operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<Box<OsTest>>,
    /// True if all of these conditions are true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub all: Option<Vec<Condition>>,
    /// True if at least one of these conditions is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub any: Option<Vec<Condition>>,
    /// True if this condition is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Condition>>,
}

/// A test of a value or, without `name`, of a key. Without a field for the test, such as `equals`, it tests whether the
/// key or value exists.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistryTest {
    /// The key.
    ///
    /// A key with a `*` or below `HKCU` can mean several keys. The test is true if it is true for at least one of them.
    ///
    /// In the `when` of a rule below `HKCU`, a key below `HKCU` means the key of the same user.
    ///
    /// In the `when` of a rule or of its values, `.` is the rule's own key, and `.\Name` is a key below it. The rule or
    /// the value then applies to each key of the rule for which the test is true.
    pub key: String,
    /// The value name; "" for the default value. Without a name, the test is about the key itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The registry view on 64-bit Windows: 64 (the default) or 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<OneView>,
    /// The type that the value must have, or a list of accepted types. With this field, write the data in `equals` and
    /// `one_of` as for a value of this type, for example in hex digits for REG_BINARY.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub types: Option<TypeChoice>,
    /// `true`: the key or value must exist. `false`: it must be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// The value's data must be this number (REG_DWORD, REG_DWORD_BIG_ENDIAN or REG_QWORD), string (REG_SZ or
    /// REG_EXPAND_SZ) or list (REG_MULTI_SZ).
    ///
    /// Data of another type is not equal. If the bytes are malformed for their type, the result is unknown.
    ///
    /// To compare with another value of the target, write `{ registry: { key, name } }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<Comparison>,
    /// The value's data must be equal to an item of this list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Literal>>,
    /// The value's data must be a number, which must be at least this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Scalar>,
    /// The value's data must be a number, which must be at most this number. With `at_least`, the number must satisfy
    /// both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Scalar>,
    /// The value's data must be a string (REG_SZ or REG_EXPAND_SZ) that begins with this text, in the same letter case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub starts_with: Option<String>,
    /// The value's data must be a string that contains this text, in the same letter case, or a list (REG_MULTI_SZ)
    /// that contains this string, in any letter case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub contains: Option<String>,
    /// The value's data must be a string in which this regular expression occurs.
    ///
    /// `^` and `$` match the beginning and the end of the string. With `(?i)` at the start of the expression, letter
    /// case does not matter.
    ///
    /// Look-around and back-references are not supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub matches: Option<String>,
    /// The value's data must be a string that contains one version (two to four numbers with dots between them), and
    /// the version must be in this range. If the string contains several versions, the result is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionRange>,
}

/// The data that a value must have: data in the spec, or the data of another value of the target.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Comparison {
    /// Data that is written in the spec.
    Literal(Literal),
    /// The data of another value of the target.
    Other(OtherValue),
}

/// Another value of the target, with which the tested value is compared. Numbers are compared as numbers, strings as
/// text, lists item by item, and other data by type and bytes. If the other value is absent, or if one of the two is
/// malformed, the result is unknown.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherValue {
    /// The other value. If its key contains a `*` or is below `HKCU`, the test is true if it is true for this value in
    /// at least one matching key.
    pub registry: ValuePlace,
    /// `true`: letter case does not matter when strings are compared, as in names of domains and files.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_case: bool,
}

/// A range of versions, for a test of a string that contains a version.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct VersionRange {
    /// The lowest accepted version, in quotes: all its numbers, "16.0.10730.20102", or only the first ones, "16.0".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// The version must be lower than this one. Write it in quotes: "16.1".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
}

/// A test of the operating system. kbfix reads the facts about it from the target's registry. All given fields must be
/// satisfied.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OsTest {
    /// The lowest accepted version, in quotes, with as many numbers as needed: "6.1", "10.0.17763", "10.0.17763.1697"
    /// (with the update revision).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// The version must be lower than this one. Write it in quotes: "6.2".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// The accepted editions (`EditionID`), such as ServerDatacenter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub edition: Option<Vec<String>>,
    /// The accepted kinds of Windows: client, server or domain controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub product: Option<Vec<Product>>,
    /// The lowest accepted service pack (the number in `CSDVersion`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_pack: Option<u32>,
}

/// The kind of Windows, which kbfix reads from the value `ProductType` in
/// `HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// A Windows for workstations, such as Windows 10 (WinNT).
    Client,
    /// A server that is not a domain controller (ServerNT).
    Server,
    /// A domain controller (LanmanNT).
    DomainController,
}

impl TryFrom<serde_json::Value> for OneView {
    type Error = String;
    fn try_from(bits: serde_json::Value) -> Result<Self, String> {
        match bits.as_u64().or_else(|| bits.as_str()?.parse().ok()) {
            Some(64) => Ok(Self::Bits64),
            Some(32) => Ok(Self::Bits32),
            _ => Err(format!("`{bits}` is not a view; write 64 or 32")),
        }
    }
}

impl From<OneView> for u64 {
    fn from(view: OneView) -> u64 {
        match view {
            OneView::Bits64 => 64,
            OneView::Bits32 => 32,
        }
    }
}
