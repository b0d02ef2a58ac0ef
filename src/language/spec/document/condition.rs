//! The conditions of a spec as they are written in YAML: `applicable`, `prerequisites`, `when` and others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FileTest, Literal, Scalar, TypeChoice};

/// A folder whose path is in the registry of the target.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// The registry value that contains the path of the folder, as a REG_SZ or REG_EXPAND_SZ. The key must be exactly
    /// one key. So it must not be below `HKCU` (one key for each user), contain `*` (any name), or begin with `.` (in a
    /// condition, the key of the rule).
    ///
    /// For example, this line under `locations` gives the name `contoso` to a folder: `contoso: { registry: { key:
    /// HKLM\SOFTWARE\Contoso, name: InstallDir } }`.
    ///
    /// If this value is absent on the target, all files in the folder count as absent. If this value is not a string,
    /// is an empty string, or contains a variable that kbfix cannot expand, each test of a file in the folder is
    /// unknown.
    pub registry: ValuePlace,
}

/// A value in the registry of the target, which a spec reads.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValuePlace {
    /// The key that contains the value, in the same form as the `key` of a condition.
    pub key: String,
    /// The value name; "" for the default value.
    pub name: String,
    /// The registry view on 64-bit Windows: 64 (the default) or 32. On 32-bit Windows, this field has no effect.
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
    /// True if all of these conditions are true; false if at least one is false; otherwise unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub all: Option<Vec<Condition>>,
    /// True if at least one of these conditions is true; false if all are false; otherwise unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub any: Option<Vec<Condition>>,
    /// True if this condition is false; false if it is true; unknown if it is unknown.
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
    /// True if all of these conditions are true; false if at least one is false; otherwise unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub all: Option<Vec<Condition>>,
    /// True if at least one of these conditions is true; false if all are false; otherwise unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub any: Option<Vec<Condition>>,
    /// True if this condition is false; false if it is true; unknown if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Condition>>,
}

/// A test of a value or, without `name`, of a key. Give at most one of `exists`, `equals`, `one_of`, `starts_with`,
/// `contains`, `matches`, `version` and a range of numbers (`at_least`, `at_most` or both). Without any of these
/// fields, the test is true if the key or value exists. If the value is absent, every test except `exists: false` is
/// false. If the value has a type that the test accepts, and its data is malformed, such as a REG_DWORD of 3 bytes,
/// each test of the data is unknown. Empty strings at the end of a list (REG_MULTI_SZ) do not count, because programs
/// do not read them: a list with one empty string, `hex(7):00,00,00,00`, is an empty list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistryTest {
    /// The key, in the same form as the `key` of a rule.
    ///
    /// A key with a `*` or below `HKCU` can mean several keys. The results for these keys are then combined as with
    /// `any`. For example, `exists: false` is true if the value is absent in one of these keys. If there is no such
    /// key, `exists: false` is true, and every other test is false. If kbfix cannot find out all of these keys, for
    /// example because the registry of a user cannot be read, the result is true if the test is true for one of the
    /// keys that kbfix found, and otherwise unknown.
    ///
    /// The registry of a user who is not logged on cannot be read with the targets `smb:` and `reg:`. A user whose
    /// profile was deleted has no registry, so this user has no key below `HKCU`, and has no effect on the result. The
    /// report names this user in `reasons`.
    ///
    /// A rule below `HKCU` applies to each user. In the `when` of such a rule, in the `when` of its values, and in its
    /// `done_when`, a key below `HKCU` means the key of the same user.
    ///
    /// In the `when` of a rule, in the `when` of its values, and in its `done_when`, `.` is the rule's own key, and
    /// `.\Name` is a key below the rule's own key. kbfix tests such a condition for each key of the rule separately.
    pub key: String,
    /// The value name; "" for the default value. Without this field, the test is about the key itself: then only
    /// `exists` is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The registry view on 64-bit Windows: 64 (the default) or 32. On 32-bit Windows, this field has no effect. A key
    /// that begins with `.` has the view of the rule, so leave this field out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<OneView>,
    /// The type that the value must have, or a list of accepted types. For a value of another type, the test is false.
    ///
    /// You can add this field to each test of a value except `exists: false`. With this field, write the data in
    /// `equals` and `one_of` in the form that the `data` of a rule has for this type. For example, write hex digits for
    /// REG_BINARY. If the field lists several types, the data counts for each of them whose form it has.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub types: Option<TypeChoice>,
    /// `true`: the key or value must exist. `false`: the key or value must be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// The value's data must be this number (REG_DWORD, REG_DWORD_BIG_ENDIAN or REG_QWORD), this string in the same
    /// letter case (REG_SZ or REG_EXPAND_SZ) or this list in the same order and letter case (REG_MULTI_SZ).
    ///
    /// Data of another type is not equal: the test is false. Without `type`, a number in quotes is a string: `"16"` is
    /// not equal to the REG_DWORD 16.
    ///
    /// To compare with another value of the target, write the other value in this form: `equals: { registry: { key:
    /// HKLM\SOFTWARE\Contoso, name: Other } }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<Comparison>,
    /// The value's data must be equal to an item of this list, as with `equals`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Literal>>,
    /// The value's data must be a number (REG_DWORD, REG_DWORD_BIG_ENDIAN or REG_QWORD) that is this number or a higher
    /// one. For a string, the test is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Scalar>,
    /// The value's data must be a number that is this number or a lower one. With `at_least`, the number must satisfy
    /// both fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Scalar>,
    /// The value's data must be a string (REG_SZ or REG_EXPAND_SZ) that begins with this text, in the same letter case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub starts_with: Option<String>,
    /// The value's data must contain this text. In a string (REG_SZ or REG_EXPAND_SZ), the text must occur in the same
    /// letter case. In a list (REG_MULTI_SZ), one string must be equal to the text, in any letter case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub contains: Option<String>,
    /// The value's data must be a string (REG_SZ or REG_EXPAND_SZ) in which this regular expression occurs.
    ///
    /// `^` and `$` match the beginning and the end of the string. With `(?i)` at the start of the expression, letter
    /// case does not matter.
    ///
    /// Look-around and back-references are not supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub matches: Option<String>,
    /// The value's data must be a string (REG_SZ or REG_EXPAND_SZ) that contains one version in this range. A version
    /// is two to four numbers with dots between them. If the string contains no version, the test is false. If the
    /// string contains several versions, the result is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionRange>,
}

/// The data that a value must have: data in the spec, or the data of another value of the target.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Comparison {
    /// Data that is written in the spec.
    Literal(Literal),
    /// `{ registry: { key: …, name: … } }`: the data of another value of the target.
    Other(OtherValue),
}

/// Another value of the target, with which the tested value is compared. Numbers are compared as numbers, strings as
/// text, lists item by item, and other data by type and bytes. If the tested value is absent, or the two values have
/// different kinds of data, the test is false. If the tested value exists and the other value is absent, the result is
/// unknown. If the two values have the same kind of data, and the data of one value is malformed, the result is unknown
/// too.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherValue {
    /// The place of the other value. Its key can mean several keys, if the key contains a `*` or is below `HKCU`. The
    /// results of the comparisons are then combined as with `any`.
    pub registry: ValuePlace,
    /// `true`: letter case does not matter when strings or lists are compared. This fits the names of domains and
    /// files. By default, letter case matters.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_case: bool,
}

/// A range of versions, for a test of a string that contains a version. Give one or both of the fields. Numbers that a
/// version leaves out count as 0.
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

/// A test of the operating system, which kbfix reads from the registry of the target. All given fields must be
/// satisfied; give at least one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OsTest {
    /// The lowest accepted version of Windows, in quotes, with as many numbers as needed: "6.1", "10.0.17763",
    /// "10.0.17763.1697" (with the update revision). Numbers that you leave out count as 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// The version of Windows must be lower than this one. Write it in quotes: "6.2".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// The accepted editions, such as ServerDatacenter, in any letter case. kbfix reads the edition from the value
    /// `EditionID` in `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`; without this value, the test is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub edition: Option<Vec<String>>,
    /// The accepted kinds of Windows: client, server or domain controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub product: Option<Vec<Product>>,
    /// The number of the lowest accepted service pack, such as 2. kbfix reads it from the value `CSDVersion` in
    /// `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`; without this value, the number is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_pack: Option<u32>,
}

/// The kind of Windows, which kbfix reads from the value `ProductType` in
/// `HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// A Windows for workstations, such as Windows 10: `ProductType` is `WinNT`.
    Client,
    /// A server that is not a domain controller: `ProductType` is `ServerNT`.
    Server,
    /// A domain controller: `ProductType` is `LanmanNT`.
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
