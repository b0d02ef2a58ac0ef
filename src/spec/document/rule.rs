//! The keys and values that must hold: `registry`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Controls, DataExpression, Literal, Scalar, Severity, TypeChoice};

/// A key and what must hold in it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRule {
    /// The key. A name with `*` in it, such as `*` or `ADAM_*`, stands for every existing subkey that matches; `HKCU`
    /// for each user's hive; `{parameter}` for what the operator chose. `[*]`, `[{]` and `[[]` are the characters `*`,
    /// `{` and `[` themselves, as in `HKCR\[*]\shell`, the key for files of all types.
    pub key: String,
    /// The name of the rule in findings and waivers: letters, digits, `.`, `_`, `-`. No two rules or values of a run
    /// have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub id: Option<String>,
    /// How grave it is that the rule is not met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The controls of other catalogues that the rule fulfils.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controls: Option<Controls>,
    /// The registry views on 64-bit Windows: 64 (the default), 32, or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<ViewChoice>,
    /// For a key below HKCU: the rule also applies to the Default profile, which is copied for every new user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default_profile: bool,
    /// `present`: the key must exist. `absent`: it must not exist, nor anything below it. By default, the key must
    /// exist if a value in it must, or if the rule has no `values`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensure: Option<Ensure>,
    /// With `ensure: absent`, what happens to a key that has subkeys. `delete` (the default): it is deleted with
    /// everything below it. `refuse`: nothing is done, and the spec is blocked. Subkeys that the spec itself deletes do
    /// not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_subkeys: Option<OnSubkeys>,
    /// Deletes everything else in the key. `true`: other values are deleted; subkeys stay. `tree`: other values and
    /// other subkeys are deleted, in the key and everywhere below it. Everything named by those rules of the spec that
    /// apply to the machine stays: its values, and its subkeys with the keys above them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<Exclusive>,
    /// The rule applies only if this holds. It is tested once for all keys of the rule together; a test with `key: .`
    /// is made for each of them separately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// The rule is written only on request (`--trigger ID`), for what Windows takes back itself once it has acted on
    /// it, such as BurFlags. Until it is done or written, a spec whose trigger is not requested is blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// The values, by value name; "" is the default value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("minProperties" = 1))]
    pub values: BTreeMap<String, ValueRule>,
    /// A note for the reviewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A rule that is written on request, until it is done.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Holds once Windows has acted on the rule. It is then not written again. A test with `key: .` is about the rule's
    /// own key.
    pub done_when: Condition,
}

/// The registry views that a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
#[schemars(extend("enum" = [64, "64", 32, "32", "both"]))]
pub enum ViewChoice {
    /// The view of 64-bit programs.
    Bits64,
    /// The view of 32-bit programs.
    Bits32,
    /// Both views.
    Both,
}

/// What happens to a key that is to be deleted and has subkeys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnSubkeys {
    /// The key is deleted with everything below it.
    #[default]
    Delete,
    /// The key stays, and the spec is blocked.
    Refuse,
}

/// The extent to which a key may hold only what the spec names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
#[schemars(extend("enum" = [true, "tree"]))]
pub enum Exclusive {
    /// No other values.
    Values,
    /// No other values and no other subkeys, in the key and everywhere below it.
    Tree,
}

/// Whether a key or value must exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ensure {
    /// It must exist.
    Present,
    /// It must not exist.
    Absent,
}

/// The requirement for one value. Exactly one of `data`, `bits`, `list`, `replace` and `ensure: absent` is given.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueRule {
    /// The name of the value in findings and waivers: letters, digits, `.`, `_`, `-`. No two rules or values of a run
    /// have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub id: Option<String>,
    /// How grave it is that the value is not as required; by default as grave as the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The controls of other catalogues that the value fulfils; by default those of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controls: Option<Controls>,
    /// The type. In a list, any of the types is accepted, and the first is written.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub types: Option<TypeChoice>,
    /// The data. REG_DWORD, REG_DWORD_BIG_ENDIAN and REG_QWORD: a number, or a string in decimal or `0x…`. REG_SZ and
    /// REG_EXPAND_SZ: a string. REG_MULTI_SZ: a list of strings. Other types: bytes in hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataExpression>,
    /// Existing data that is left as it is, if it has the type or one of the types: `{ at_least: 3 }`, `{ at_most: 900
    /// }`, both, `{ one_of: [3, 5] }`, `{ not: [0] }`, `{ contains: [a] }`, `{ subset: [a, b] }`, `{ matches: x }`, or
    /// `any`. Anything else is replaced by `data`, which must itself pass. `none`
    /// states that only `data` is accepted, for a number that `validate` takes for a scale or for bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// The only data that the article allows, each of the value's type: 16 and `0x10` are the same number but different
    /// strings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub allowed: Option<Vec<Scalar>>,
    /// `absent`: the value must not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensure: Option<Ensure>,
    /// Bits to set and to clear in a REG_DWORD or REG_QWORD; the others are kept. A REG_DWORD or REG_QWORD of the other
    /// length, and a REG_BINARY of exactly the type's length, keep their bits and get the type. For any other data, the
    /// outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<Bits>,
    /// Strings that must be, or must not be, in a list: a REG_MULTI_SZ, or, with a `separator`, a REG_SZ or
    /// REG_EXPAND_SZ. In a REG_MULTI_SZ, the others are kept in their order. A list ends at its
    /// first empty string, as programs read it; missing NULs at its end do not matter. A REG_SZ, or a REG_EXPAND_SZ
    /// without variables, counts as a list of one string and becomes a REG_MULTI_SZ. A number is replaced if strings
    /// are added. For any other data, the outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<ListEdit>,
    /// A part of a REG_SZ or REG_EXPAND_SZ; the rest of the string is kept. If the pattern does not occur exactly once
    /// in the string, or the value is absent, the outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<Replace>,
    /// How existing and desired data are compared: `exact` (the default) compares type and bytes; `comma_set` compares
    /// lists separated by commas, and ignores order, spaces (also around `=`) and case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    /// The data is shown to nobody: diffs, reports, messages and the output of `kbfix journal` contain only its type and
    /// whether it differs. The plan file and the journal do contain it. Every value that uses a sensitive parameter is
    /// sensitive too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// The data that Windows assumes when the value is absent. If that is the desired data, an absent value is in the
    /// desired state. `bits`, `list` and `replace` are applied to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_absent: Option<DataExpression>,
    /// The rule applies only if this holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// A note for the reviewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Existing data that is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Keep {
    /// Any data, or none.
    Word(KeepWord),
    /// Data that passes a test.
    Which(Box<KeepWhich>),
}

/// A word in place of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepWord {
    /// Any data that has the type or one of the types.
    Any,
    /// Only `data`, as without `keep`.
    None,
}

/// Data that is left as it is. One test is given; `at_least` and `at_most` together are one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepWhich {
    /// The smallest number: of a REG_DWORD or REG_QWORD, or in decimal in a REG_SZ or REG_EXPAND_SZ. A number, or `{
    /// parameter: name }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<DataExpression>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<DataExpression>,
    /// Each of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Literal>>,
    /// Any data that is well-formed and none of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub not: Option<Vec<Literal>>,
    /// A list that has each of these strings, in any order and letter case, and perhaps others. A REG_SZ or
    /// REG_EXPAND_SZ is a list if `separator` is given; without it, the string has each of these in it, in the same
    /// letter case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub contains: Option<Vec<String>>,
    /// A list that has no other strings than these, in any order and letter case; an empty one too. A REG_SZ or
    /// REG_EXPAND_SZ is a list with the `separator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub subset: Option<Vec<String>>,
    /// A string in which this regular expression occurs; see `matches` in a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub matches: Option<String>,
    /// With `contains` or `subset`, what stands between the items of a REG_SZ or REG_EXPAND_SZ; spaces around an item
    /// do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10))]
    pub separator: Option<String>,
}

/// Bits of a number, decimal or `0x…`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bits {
    /// Bits that must be 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<Scalar>,
    /// Bits that must be 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear: Option<Scalar>,
}

/// Strings of a list, compared without regard to case.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEdit {
    /// Strings that must be in the list; missing ones are added at the end. A list, or `{ parameter: name }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<DataExpression>,
    /// Strings that must not be in the list. A list, or `{ parameter: name }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove: Option<DataExpression>,
    /// What stands between the items of a REG_SZ or REG_EXPAND_SZ, such as ";" in PATH. Spaces around an item do not
    /// count, and stay. A string of the other type without `%` gets the type; for any other data, the outcome is
    /// unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10))]
    pub separator: Option<String>,
}

/// A part of a string, and what it becomes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    /// A regular expression that finds the part, before and after it is replaced. If it has a group named `part`, as
    /// in `Timeout=(?<part>\d+)`, only that is the part.
    #[schemars(length(min = 1))]
    pub pattern: String,
    /// What the part becomes: a string, in which no character has a special meaning, or `{ parameter: name }`.
    pub with: DataExpression,
}

/// How existing and desired data are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// By type and every byte.
    #[default]
    Exact,
    /// As lists separated by commas, in a REG_SZ or REG_EXPAND_SZ: order, spaces around an item or `=`, and case do not
    /// matter.
    CommaSet,
}

impl ValueRule {
    /// Returns every data expression in the rule.
    pub fn expressions(&self) -> impl Iterator<Item = &DataExpression> {
        let keep = self.keep.iter().flat_map(|keep| match keep {
            Keep::Which(which) => [which.at_least.as_ref(), which.at_most.as_ref()],
            Keep::Word(_) => [None, None],
        });
        let list = self.list.iter().flat_map(|list| [list.add.as_ref(), list.remove.as_ref()]);
        let with = self.replace.as_ref().map(|replace| &replace.with);
        [self.data.as_ref(), self.if_absent.as_ref(), with].into_iter().chain(keep).chain(list).flatten()
    }

    /// Returns whether the value's data is shown to nobody, given the sensitive parameters.
    pub fn is_sensitive(&self, parameters: &BTreeSet<String>) -> bool {
        self.sensitive || self.parameters().any(|name| parameters.contains(name))
    }

    /// Returns the parameters that the rule uses.
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
        // A template passes every number as a string.
        match value.as_u64().or_else(|| value.as_str()?.parse().ok()) {
            Some(64) => Ok(Self::Bits64),
            Some(32) => Ok(Self::Bits32),
            _ if value == "both" => Ok(Self::Both),
            _ => Err(format!("`{value}` is not a view; write 64, 32 or both")),
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
