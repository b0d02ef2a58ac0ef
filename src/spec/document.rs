//! The spec language, version 1, as it stands in a file: the types that serde reads and schemars turns into `schema/`.
//!
//! Their doc comments are what an editor shows the author. Alternatives are optional fields of one struct rather than
//! untagged enums, so that a mistake is reported where it is and an editor can complete each field; that exactly one of
//! them is given is checked in the meaning layer. What comes out of that layer are the types of [`super::model`].

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A spec: which product it applies to, what must be installed, and which registry values must hold.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kbfix spec, version 1")]
pub struct Document {
    /// The version of the spec language: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix: u32,
    /// The article's number, such as `KB909094`, or another name: letters, digits, `.`, `_`, `-`.
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub id: String,
    /// The article's title.
    #[schemars(length(min = 1))]
    pub title: String,
    /// Other names of the same matter: security bulletins, CVE numbers, further articles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The article that this spec follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub article: Option<Article>,
    /// The products that the article lists under "Applies to". For people; `applicable` is what is tested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies_to: Vec<String>,
    /// Why, in a few lines, for the reviewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What else the reviewer should know: what is inference, what the article leaves open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Where the facts of this spec come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Choices that the operator may make, with `--set name=data` or in the playbook.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
    /// Names for folders that the target itself knows; `{name}` stands for one in a file's path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locations: BTreeMap<String, Location>,
    /// Where this does not hold the spec is not applicable: nothing is done and nothing fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applicable: Option<Condition>,
    /// What must hold before anything is changed. Where one does not, the spec is blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
    /// The update that must be installed. Where a file is older, the spec is blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hotfix: Option<Hotfix>,
    /// The keys and values that must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registry: Vec<KeyRule>,
    /// What has to be restarted for the change to take effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// What is seen on a machine that has the problem, or on one where the remedy works.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symptoms: Vec<Symptom>,
}

/// The article that a spec follows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Article {
    /// Its address.
    #[schemars(regex(pattern = r"^https?://\S+$"))]
    pub url: String,
    /// Its revision, in quotes: "4.1".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The day of its last review, as year-month-day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub reviewed: Option<String>,
}

/// Where a fact comes from.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// How near the source is to Microsoft's own text.
    pub level: SourceLevel,
    /// What it says.
    pub what: String,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://\S+$"))]
    pub url: Option<String>,
}

/// How near a source is to Microsoft's own text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceLevel {
    /// A page of Microsoft's.
    Microsoft,
    /// A copy of such a page.
    Mirror,
    /// Somebody else's text, script or scanner.
    Secondary,
    /// Follows from the other sources; none of them says it.
    Inference,
}

/// A choice that the operator may make.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What is chosen.
    pub description: String,
    /// What kind of data it takes. Without it, the kind of `default` or of what is allowed.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<ParameterType>,
    /// The only data it may have: a list, or each with its meaning, as `{ 0: "off", 1: "on" }`. Numbers as `0x…` are written
    /// in quotes there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Allowed>,
    /// The smallest and largest number it may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<NumberRange>,
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

/// Data as written: a number, a string, or a list of strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Literal {
    /// A whole number.
    Number(u64),
    /// A string. For REG_BINARY, REG_NONE and the like: hex digits, with blanks, commas or nothing between the bytes.
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

/// Where the target itself says which folder is meant.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// The registry value that holds the folder's path.
    pub registry: ValuePlace,
}

/// A value in the registry.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValuePlace {
    /// The key.
    pub key: String,
    /// The value name; "" for the default value.
    pub name: String,
    /// The registry view on 64-bit Windows: 64 (without it) or 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<OneView>,
}

/// One registry view of 64-bit Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u64", into = "u64")]
#[schemars(extend("enum" = [64, 32]))]
pub enum OneView {
    /// The view of 64-bit programs.
    Bits64,
    /// The view of 32-bit programs.
    Bits32,
}

/// Something that holds or does not hold on a target. Exactly one of the fields is given.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A test of a key or value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryTest>,
    /// A test of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileTest>,
    /// A test of the operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<OsTest>,
    /// Holds where each of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub all: Option<Vec<Condition>>,
    /// Holds where at least one of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub any: Option<Vec<Condition>>,
    /// Holds where this does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Condition>>,
}

/// A prerequisite: a condition with its title. Exactly one of `registry`, `file`, `os`, `all`, `any`, `not` is given.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prerequisite {
    /// What it is, as the article names it.
    pub title: String,
    /// What the reviewer should know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// A test of a key or value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryTest>,
    /// A test of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileTest>,
    /// A test of the operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<OsTest>,
    /// Holds where each of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub all: Option<Vec<Condition>>,
    /// Holds where at least one of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub any: Option<Vec<Condition>>,
    /// Holds where this does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Condition>>,
}

/// A test of a key (without `name`) or of a value. Without `exists`, `equals`, `one_of` or `at_least` it holds where the
/// key or value is there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistryTest {
    /// The key.
    pub key: String,
    /// The value name; "" for the default value. Without it, the key itself is tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The registry view on 64-bit Windows: 64 (without it) or 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<OneView>,
    /// `true`: it is there. `false`: it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// The value's data is this number (of a REG_DWORD or REG_QWORD), string (REG_SZ, REG_EXPAND_SZ) or list (REG_MULTI_SZ).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<Literal>,
    /// The value's data is one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Literal>>,
    /// The value's data is a number, and not below this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Scalar>,
}

/// A test of a file. Without `exists`, `version`, `branches` or `platform` it holds where the file is there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileTest {
    /// The file: an absolute path, with `{location}` and `%SystemRoot%` and its like.
    pub path: String,
    /// `true`: it is there. `false`: it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// Its file version is this or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its file version is this or later, by branch: the branch with the highest floor that is not above the found version counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branches: Option<Vec<Branch>>,
    /// The processor it was built for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformName>,
}

/// A servicing branch of a file (such as GDR and LDR), with the version that has the fix.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// The branch's floor: its lowest file version, such as 6.1.7601.22000.
    pub from: String,
    /// The first file version of the branch that has the fix.
    pub version: String,
    /// What the branch is: `GDR`, `LDR`, the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// The processor a file was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlatformName {
    /// 32-bit Intel.
    X86,
    /// 64-bit Intel and AMD.
    X64,
    /// 64-bit ARM.
    Arm64,
    /// Itanium.
    Ia64,
}

/// A test of the operating system, read from the target's registry. All that is given must hold.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OsTest {
    /// The lowest version, in quotes, as far as it matters: "6.1", "10.0.17763", "10.0.17763.1697" (with the update revision).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// The first version that is too high, in quotes: "6.2".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// The edition (`EditionID`) is one of these, such as ServerDatacenter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub edition: Option<Vec<String>>,
    /// The product is one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub product: Option<Vec<Product>>,
    /// The service pack's number is this or higher (`CSDVersion`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_pack: Option<u32>,
}

/// What a Windows is, as `ProductOptions\ProductType` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// A workstation (WinNT).
    Client,
    /// A server that is no domain controller (ServerNT).
    Server,
    /// A domain controller (LanmanNT).
    DomainController,
}

/// The update that must be installed, proven by its files.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hotfix {
    /// What it is called, where that is not the spec's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its files: each must be there in this version or later.
    #[schemars(length(min = 1))]
    pub files: Vec<HotfixFile>,
    /// The package that installs it, where kbfix may do that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
}

/// A file of a hotfix. Exactly one of `version` and `branches` is given.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotfixFile {
    /// The file: an absolute path, with `{location}` and `%SystemRoot%` and its like.
    pub path: String,
    /// The file version that the hotfix brings; a later one does as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file versions by branch: the branch with the highest floor that is not above the found version counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branches: Option<Vec<Branch>>,
    /// The processor it is built for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformName>,
    /// Its size in bytes as the article's table gives it. For people: a later version has another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A package that installs the hotfix. kbfix runs it only when the operator supplies the file and asks for it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The name of the file; `*` stands for any characters.
    pub file: String,
    /// The SHA-256 of the file, 64 hex digits. One that the operator supplies must match.
    #[schemars(regex(pattern = r"^[0-9A-Fa-f]{64}$"))]
    pub sha256: String,
    /// The arguments that install it without questions and without a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Exit codes that mean success: 0 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub success: Option<Vec<u32>>,
    /// Exit codes that mean success, and that the computer must be restarted: 3010 and 1641 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub restart: Option<Vec<u32>>,
}

/// A key and what must hold in it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRule {
    /// The key. A name with `*` in it stands for every subkey that exists and fits, such as `*` or `ADAM_*`; `HKCU` for each
    /// user's hive; `{parameter}` for what the operator chose.
    pub key: String,
    /// The registry views on 64-bit Windows: 64 (without it), 32, or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<ViewChoice>,
    /// `present`: the key must exist. `absent`: it must not, with all below it. Without it, the key must exist where a value
    /// in it must, or where it has no `values`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensure: Option<Ensure>,
    /// The rule counts only where this holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// The values, by value name; "" is the default value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("minProperties" = 1))]
    pub values: BTreeMap<String, ValueRule>,
    /// What the reviewer should know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Which registry views a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
#[schemars(extend("enum" = [64, 32, "both"]))]
pub enum ViewChoice {
    /// The view of 64-bit programs.
    Bits64,
    /// The view of 32-bit programs.
    Bits32,
    /// Each of them.
    Both,
}

/// Whether something must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ensure {
    /// It must be there.
    Present,
    /// It must not be there.
    Absent,
}

/// What must hold of one value. One of `data`, `bits`, `list` and `ensure: absent` is given.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueRule {
    /// The type. A list: any of these will do, and the first is written.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub types: Option<TypeChoice>,
    /// The data. REG_DWORD and REG_QWORD: a number, or a string in decimal or `0x…`. REG_SZ, REG_EXPAND_SZ: a string.
    /// REG_MULTI_SZ: a list of strings. Other types: bytes in hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataExpression>,
    /// The only data that the article allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub allowed: Option<Vec<Scalar>>,
    /// `absent`: the value must not be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensure: Option<Ensure>,
    /// Bits to set and to clear in a REG_DWORD or REG_QWORD; the others are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<Bits>,
    /// Strings to be in, or not in, a REG_MULTI_SZ; the others are kept, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<ListEdit>,
    /// How found and desired data are compared: `exact` (without it), type and bytes; `comma_set`, as a list
    /// separated by commas whose order, blanks and case do not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    /// What Windows does when the value is absent, as data: where that is the desired data, absent is in desired state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_absent: Option<DataExpression>,
    /// The rule counts only where this holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// What the reviewer should know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One type, or several of which any will do.
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

/// Bits of a number, decimal or `0x…`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bits {
    /// These must be 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<Scalar>,
    /// These must be 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear: Option<Scalar>,
}

/// Strings of a REG_MULTI_SZ. They compare without case.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEdit {
    /// These must be in it; those missing are put at the end. A list, or `{ parameter: name }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<DataExpression>,
    /// These must not be in it. A list, or `{ parameter: name }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove: Option<DataExpression>,
}

/// How found and desired data are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// Type and every byte.
    #[default]
    Exact,
    /// A REG_SZ that is a list separated by commas: order, blanks around an item and case do not matter.
    CommaSet,
}

/// What has to be restarted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Whether the computer must be restarted. kbfix never does that; it reports it.
    pub computer: ComputerRestart,
    /// The services to restart, by service name. kbfix does that only when asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// What the operator should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Whether the computer must be restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComputerRestart {
    /// Not needed.
    Never,
    /// The sources do not say.
    Unknown,
    /// Needed.
    Required,
}

/// What is seen on a machine.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Symptom {
    /// An event in a log.
    pub event: Event,
    /// What the remedy makes of it: `gone` (without it) or `appears`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expectation>,
    /// What the operator should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What the remedy makes of a symptom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// It is not seen any more.
    Gone,
    /// It is seen from then on.
    Appears,
}

/// An event in a Windows event log.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The log, such as Application.
    pub log: String,
    /// The source.
    pub source: String,
    /// The event ID.
    pub id: u32,
    /// The level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<EventLevel>,
}

/// The level of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are Windows' own")]
pub enum EventLevel {
    Critical,
    Error,
    Warning,
    Information,
    Verbose,
}

impl TryFrom<u64> for OneView {
    type Error = String;
    fn try_from(bits: u64) -> Result<Self, String> {
        match bits {
            64 => Ok(Self::Bits64),
            32 => Ok(Self::Bits32),
            _ => Err(format!("`{bits}` is no view; it is 64 or 32")),
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

impl TryFrom<serde_json::Value> for ViewChoice {
    type Error = String;
    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        match value.as_u64() {
            Some(64) => Ok(Self::Bits64),
            Some(32) => Ok(Self::Bits32),
            _ if value == "both" => Ok(Self::Both),
            _ => Err(format!("`{value}` is no view; it is 64, 32 or both")),
        }
    }
}

impl From<ViewChoice> for serde_json::Value {
    fn from(view: ViewChoice) -> serde_json::Value {
        match view {
            ViewChoice::Bits64 => 64.into(),
            ViewChoice::Bits32 => 32.into(),
            ViewChoice::Both => "both".into(),
        }
    }
}
