//! The keys and values that must hold: `registry`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, DataExpression, Literal, Scalar};

/// A key and what must hold in it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRule {
    /// The key. A name with `*` in it stands for every subkey that exists and fits, such as `*` or `ADAM_*`; `HKCU` for each
    /// user's hive; `{parameter}` for what the operator chose. `[*]`, `[{]` and `[[]` are the characters `*`, `{` and `[` themselves,
    /// as in `HKCR\[*]\shell`, the key for files of all types.
    pub key: String,
    /// The registry views on 64-bit Windows: 64 (without it), 32, or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<ViewChoice>,
    /// Beside a key below HKCU: the rule is also about the Default profile, which every new user gets a copy of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default_profile: bool,
    /// `present`: the key must exist. `absent`: it must not, with all below it. Without it, the key must exist where a value
    /// in it must, or where it has no `values`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensure: Option<Ensure>,
    /// Beside `ensure: absent`, what becomes of a key that has subkeys. `delete` (without it): it is deleted with all below it.
    /// `refuse`: nothing is done, and the spec is blocked. Subkeys that the spec itself deletes do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_subkeys: Option<OnSubkeys>,
    /// The key holds nothing else: what is there beside it is deleted. `true`: no other values; subkeys stay. `tree`: no other
    /// values and no other subkeys, in the key and in all below it. What the spec's rules that count on the machine name
    /// stays: as values, and as subkeys with those above them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<Exclusive>,
    /// The rule counts only where this holds. It is tested once, for all keys of the rule together; a test with `key: .` is
    /// tested for each of them by itself.
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
#[schemars(extend("enum" = [64, "64", 32, "32", "both"]))]
pub enum ViewChoice {
    /// The view of 64-bit programs.
    Bits64,
    /// The view of 32-bit programs.
    Bits32,
    /// Each of them.
    Both,
}

/// What becomes of a key that is to be deleted and has subkeys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnSubkeys {
    /// It is deleted with all below it.
    #[default]
    Delete,
    /// It stays, and the spec is blocked.
    Refuse,
}

/// How far a key holds nothing but what the spec names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
#[schemars(extend("enum" = [true, "tree"]))]
pub enum Exclusive {
    /// No other values.
    Values,
    /// No other values and no other subkeys, in the key and in all below it.
    Tree,
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
    /// The data. REG_DWORD, REG_DWORD_BIG_ENDIAN and REG_QWORD: a number, or a string in decimal or `0x…`. REG_SZ, REG_EXPAND_SZ: a string.
    /// REG_MULTI_SZ: a list of strings. Other types: bytes in hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataExpression>,
    /// Which data stays as it is where it is found, in the type or one of the types: `{ at_least: 3 }`, `{ at_most: 900 }`, both,
    /// `{ one_of: [3, 5] }`, or `any`. What is found and does not fit becomes `data`, which must itself fit. `none` says that
    /// nothing but `data` will do, where that is meant of a number that `validate` takes for a scale or for bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// The only data that the article allows, each of the value's type: 16 and `0x10` are one number and two strings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub allowed: Option<Vec<Scalar>>,
    /// `absent`: the value must not be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensure: Option<Ensure>,
    /// Bits to set and to clear in a REG_DWORD or REG_QWORD; the others are kept. A REG_DWORD or REG_QWORD of the other length,
    /// and a REG_BINARY of just the type's length, keep their bits and become the type; where anything else stands, the outcome
    /// is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<Bits>,
    /// Strings to be in, or not in, a REG_MULTI_SZ; the others are kept, in their order. A list ends at its first empty string,
    /// as programs read it; NULs missing at its end do not matter. A REG_SZ, or a REG_EXPAND_SZ without variables, is a list of
    /// one string and becomes a REG_MULTI_SZ; a number has none, and gives way to strings that are added; where anything else
    /// stands, the outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<ListEdit>,
    /// How found and desired data are compared: `exact` (without it), type and bytes; `comma_set`, as a list
    /// separated by commas whose order, spaces (also around `=`) and case do not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    /// The data is shown to nobody: in diffs, reports, journals and messages stand only its type and whether it differs. It is
    /// in the plan file and in the journal. So is every value that uses a sensitive parameter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// What Windows does when the value is absent, as data: where that is the desired data, absent is in desired state. `bits`
    /// and `list` are changed in it.
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

/// Which data that is found stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Keep {
    /// Data of every kind, or none.
    Word(KeepWord),
    /// Data that passes a test.
    Which(KeepWhich),
}

/// A word in place of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepWord {
    /// Whatever data is found, in the type or one of the types.
    Any,
    /// Nothing but `data`, as without `keep`.
    None,
}

/// Data that stays as it is: numbers between two, or one of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepWhich {
    /// Numbers not below this: of a REG_DWORD or REG_QWORD, or in decimal in a REG_SZ or REG_EXPAND_SZ. A number, or
    /// `{ parameter: name }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<DataExpression>,
    /// Numbers not above this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<DataExpression>,
    /// Each of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Literal>>,
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
    /// A REG_SZ that is a list separated by commas: order, spaces around an item and case do not matter.
    CommaSet,
}

impl ValueRule {
    /// Returns every expression of data in it.
    pub fn expressions(&self) -> impl Iterator<Item = &DataExpression> {
        let keep = self.keep.iter().flat_map(|keep| match keep {
            Keep::Which(which) => [which.at_least.as_ref(), which.at_most.as_ref()],
            Keep::Word(_) => [None, None],
        });
        let list = self.list.iter().flat_map(|list| [list.add.as_ref(), list.remove.as_ref()]);
        [self.data.as_ref(), self.if_absent.as_ref()].into_iter().chain(keep).chain(list).flatten()
    }

    /// Whether its data is shown to nobody, given the parameters that are.
    pub fn is_sensitive(&self, parameters: &BTreeSet<String>) -> bool {
        self.sensitive || self.parameters().any(|name| parameters.contains(name))
    }

    /// Returns the parameters that it uses.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.expressions().filter_map(|expression| match expression {
            DataExpression::Parameter(reference) => Some(reference.parameter.as_str()),
            DataExpression::Literal(_) => None,
        })
    }
}

impl TryFrom<serde_json::Value> for ViewChoice {
    type Error = String;
    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        // A template gives every number as a string.
        match value.as_u64().or_else(|| value.as_str()?.parse().ok()) {
            Some(64) => Ok(Self::Bits64),
            Some(32) => Ok(Self::Bits32),
            _ if value == "both" => Ok(Self::Both),
            _ => Err(format!("`{value}` is no view; it is 64, 32 or both")),
        }
    }
}

impl TryFrom<serde_json::Value> for Exclusive {
    type Error = String;
    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        match value {
            serde_json::Value::Bool(true) => Ok(Self::Values),
            _ if value == "tree" => Ok(Self::Tree),
            _ => Err(format!("`{value}` does not say what else the key may hold; it is true or tree")),
        }
    }
}

impl From<Exclusive> for serde_json::Value {
    fn from(exclusive: Exclusive) -> serde_json::Value {
        match exclusive {
            Exclusive::Values => true.into(),
            Exclusive::Tree => "tree".into(),
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
