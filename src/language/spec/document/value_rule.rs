//! The rule for one value: its type, its data, and the ways to change only a part of the data.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Controls, DataExpression, Literal, Scalar, Severity, TypeChoice};

/// The requirement for one value. Give exactly one of `data`, `bits`, `list`, `replace` and `ensure: absent`. The
/// fields `keep`, `allowed` and `compare` are only for a value with `data`. The existing data can be unsuitable for the
/// rule: for example, `bits` cannot change a string. The outcome is then unknown. But if a rule below `HKCU` finds such
/// data in the registry of a user, the spec changes nothing in the registry of this user. The outcome is then unknown
/// only if the spec has nothing else to change. This exception does not hold for the Default profile.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueRule {
    /// The id of the value in reports and waivers: letters, digits, `.`, `_`, `-`. The ids of all specs, rules and
    /// values of one run must be different; letter case does not count as a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub id: Option<String>,
    /// How serious it is for a machine if the value is not as required. kbfix only shows this, in reports and in `kbfix
    /// show`. The default is the severity of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The controls of security catalogues that the value implements. kbfix only shows them, in reports and in `kbfix
    /// show`. The default is the controls of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controls: Option<Box<Controls>>,
    /// The type of the value, or a list of accepted types. If kbfix creates the value, or replaces its data with
    /// `data`, the value gets the first type.
    ///
    /// This field is not allowed with `ensure: absent`. With a `list` without `separator`, you can leave this field
    /// out: the type is then REG_MULTI_SZ. In all other rules, this field is required. With `bits`, give one type:
    /// REG_DWORD or REG_QWORD. With `replace`, or a `list` with a `separator`, give REG_SZ, REG_EXPAND_SZ, or a list of
    /// both.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub types: Option<TypeChoice>,
    /// The data that the value must have. If the rule accepts several types, the data must be valid for each of them.
    ///
    /// For REG_DWORD, REG_DWORD_BIG_ENDIAN and REG_QWORD, write a number, in decimal or as `0x…`. You can also write
    /// this number as a string.
    ///
    /// For REG_SZ and REG_EXPAND_SZ, write a string.
    ///
    /// For REG_MULTI_SZ, write a list of strings.
    ///
    /// For other types, write bytes in hex digits. If the bytes without quotes would be a number, as `01` or `1e10`,
    /// write them in quotes: "01".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataExpression>,
    /// Existing data that kbfix does not change. Write a test, such as `{ at_least: 3 }`, or `any` for all data that is
    /// not malformed.
    ///
    /// Data of a type that the rule does not accept never stays. If the existing data does not stay, kbfix writes
    /// `data` in its place. The test must also accept `data` itself.
    ///
    /// `none` is the same as no `keep`: only `data` is accepted. With `none`, `kbfix validate` does not print the
    /// warning `no-keep`, which asks whether the rule overwrites stricter numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// All data that the article allows. This list is a check of the spec, and not of the machine: kbfix reports an
    /// error if `data` is not in this list. If `data` is a parameter, everything that the parameter allows (in its own
    /// `allowed` or `range`) must be in this list too, and so must the data that it has in the run. For a number, 16
    /// and `0x10` are the same; for a string, they are different. A value that can be a REG_MULTI_SZ cannot have this
    /// field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub allowed: Option<Vec<Scalar>>,
    /// `absent`: the value must not exist. `present` has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensure: Option<Ensure>,
    /// Bits to set and to clear in a REG_DWORD or REG_QWORD; all other bits stay.
    ///
    /// The existing value can be a REG_DWORD, a REG_QWORD, or a REG_BINARY of the right length: 4 bytes if the rule has
    /// the type REG_DWORD, or 8 bytes if it has the type REG_QWORD. kbfix changes the bits in the number of this value,
    /// and writes the number with the type of the rule, even if only the type differs. For any other data, and for a
    /// number that is too large for the type of the rule, the outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<Box<Bits>>,
    /// Strings that must be, or must not be, in a list; all other strings stay.
    ///
    /// With a `separator`, the list is a string, a REG_SZ or REG_EXPAND_SZ. For data that is not a string, the outcome
    /// is unknown. If the rule accepts only one of the two types, and the value has the other one, kbfix changes the
    /// type, even if only the type differs; but if the string contains a `%`, the outcome is unknown.
    ///
    /// Without a `separator`, the list is a REG_MULTI_SZ. An existing REG_SZ, or REG_EXPAND_SZ without `%`, counts as a
    /// list of one string, and an empty string as an empty list; kbfix changes the type, even if only the type differs.
    /// If `add` has strings, an existing number, such as a REG_DWORD, counts as an empty list. Empty strings at the end
    /// of a REG_MULTI_SZ do not count. For a REG_MULTI_SZ with an empty string before another string, and for any other
    /// data that is not a list, the outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Box<ListEdit>>,
    /// Replaces a part of a REG_SZ or REG_EXPAND_SZ; the rest of the string stays.
    ///
    /// The outcome is unknown if the value is absent and has no `if_absent`, if the value is not a string, or if the
    /// pattern does not match exactly once. It is also unknown if the pattern would not match the string after the
    /// replacement, or if the pattern matches without its group `part`.
    ///
    /// If the rule accepts only one of the types REG_SZ and REG_EXPAND_SZ, and the existing value has the other type,
    /// kbfix changes the type of the value, even if only the type differs. But if the string contains a `%`, kbfix does
    /// not change the type, and the outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<Box<Replace>>,
    /// How the existing data is compared with `data`. `exact` (the default): the existing data must have an accepted
    /// type, and exactly the bytes that `data` has with this type. `comma_set` is for lists that are separated by
    /// commas, in a REG_SZ or REG_EXPAND_SZ: kbfix ignores the order of the items, repeated and empty items, letter
    /// case, and spaces around an item or `=`. With `comma_set`, give exactly one of these two types, and no `keep`
    /// except `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    /// `true`: the data is secret. Diffs, reports and messages then show only the type of the data, and whether the
    /// data differs from the required data.
    ///
    /// Plan files, snapshots, journals and the files that `kbfix export` writes can still contain the data.
    ///
    /// A value that uses a sensitive parameter is sensitive too. All parameters that a sensitive value uses are
    /// sensitive too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// The data that Windows uses if the value is absent. If this data already satisfies the rule, for example because
    /// `keep` accepts it, kbfix does not create the value. Write this data in the form that `data` has for the type of
    /// the value. This field is not allowed with `ensure: absent`.
    ///
    /// If the value is absent, `bits`, `list` and `replace` start from this data. Without this field, `bits` starts
    /// from 0 and creates the value; `list` starts from an empty list, and creates the value only if `add` has strings;
    /// with `replace`, the outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_absent: Option<DataExpression>,
    /// The rule for this value applies only if this condition and the `when` of the whole rule are true. If the whole
    /// rule applies and this condition is unknown, the outcome is unknown. A rule below `HKCU` is an exception.
    ///
    /// In a rule below `HKCU`, this condition is tested for each user separately. If the condition is unknown for a
    /// user, the spec changes nothing in the registry of this user. The outcome is then unknown only if the spec has
    /// nothing else to change. If the condition is unknown for the Default profile, the outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Box<Condition>>,
    /// A note for the person who reviews the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Existing data that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Keep {
    /// A word, `any` or `none`, in place of a test.
    Word(KeepWord),
    /// A test: data that passes it stays.
    Which(Box<KeepWhich>),
}

/// A word that the field `keep` can contain in place of a test: `any` or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepWord {
    /// Any data of an accepted type stays, unless it is malformed.
    Any,
    /// Only `data` is accepted, as without `keep`.
    None,
}

/// A test for data that stays as it is. Give only one test, or `at_least` and `at_most` together. Data of a type that
/// the rule does not accept never stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepWhich {
    /// The smallest number that stays. Write a number, or `{ parameter: name }`.
    ///
    /// With this field or `at_most`, an existing value can stay if it is a REG_DWORD, REG_DWORD_BIG_ENDIAN or
    /// REG_QWORD, or a REG_SZ or REG_EXPAND_SZ with a decimal number without leading zeros.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<DataExpression>,
    /// The largest number that stays. Write a number, or `{ parameter: name }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<DataExpression>,
    /// Data stays if it is equal to an item of this list; letter case matters. Write the items in the same form as
    /// `data`. If the rule accepts several types, each item must be valid for at least one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Literal>>,
    /// Data stays if it is not malformed, and not equal to an item of this list; letter case matters. Write the items
    /// as in `one_of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub not: Option<Vec<Literal>>,
    /// A list stays if it contains each of these strings, in any order; the list may contain other strings too. In a
    /// list, letter case matters only if `ignore_case` is `false`.
    ///
    /// A REG_MULTI_SZ is a list. With a `separator`, a REG_SZ or REG_EXPAND_SZ is a list too. Without a `separator`, a
    /// REG_SZ or REG_EXPAND_SZ is not a list: it stays if each of these texts occurs in its string, in the same letter
    /// case. Here and in `subset`, empty strings at the end of a REG_MULTI_SZ do not count: a list with one empty
    /// string is an empty list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub contains: Option<Vec<String>>,
    /// A list stays if each of its strings is one of these strings, in any order. Letter case matters only if
    /// `ignore_case` is `false`. A REG_SZ or REG_EXPAND_SZ counts as a list only with a `separator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub subset: Option<Vec<String>>,
    /// A string stays if this regular expression occurs in it. `^` and `$` match the beginning and the end of the
    /// string; look-around and back-references are not supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub matches: Option<String>,
    /// The text between the items of a list in a REG_SZ or REG_EXPAND_SZ, such as ",", for `contains` and `subset`.
    /// Spaces around an item are ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10))]
    pub separator: Option<String>,
    /// Whether `contains` and `subset` ignore letter case when they compare the items of a list. The default is `true`.
    /// You can use this field only with `subset` or `contains`. With `contains` for a REG_SZ or REG_EXPAND_SZ, you can
    /// use it only together with a `separator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_case: Option<bool>,
}

/// Bits of a number. Write them as a decimal number or as `0x…`: for example, `0x5` is bit 0 and bit 2. Give one or
/// both of the fields.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bits {
    /// The bits that must be 1, as a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<Scalar>,
    /// The bits that must be 0, as a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear: Option<Scalar>,
}

/// Strings to add to and remove from a list. Letter case does not matter when kbfix compares the strings. Give `add`,
/// `remove` or both.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEdit {
    /// Strings that must be in the list. kbfix adds missing strings at the end of the list; if the list ends with a
    /// separator, before this separator. Write a list, or `{ parameter: name }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<DataExpression>,
    /// Strings that must not be in the list. Write a list, or `{ parameter: name }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove: Option<DataExpression>,
    /// The text between the items of a list in a REG_SZ or REG_EXPAND_SZ, such as ";" in PATH.
    ///
    /// kbfix keeps the spaces around an item, but ignores these spaces when it compares items.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10))]
    pub separator: Option<String>,
}

/// A part of a string, and its replacement.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    /// A regular expression that matches the part to replace. The pattern must also match the string after the
    /// replacement, so that kbfix recognizes a finished change. If the pattern has a group named `part`, as in
    /// `Timeout=(?<part>\d+)`, only that group is replaced.
    #[schemars(length(min = 1))]
    pub pattern: String,
    /// The replacement: a string, in which no character has a special meaning, or `{ parameter: name }`.
    pub with: DataExpression,
}

/// How existing and desired data are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// The existing data must have an accepted type, and exactly the bytes that `data` has with this type.
    #[default]
    Exact,
    /// Lists separated by commas, in a REG_SZ or REG_EXPAND_SZ, must have the same items. Order, repeated and empty
    /// items, letter case, and spaces around an item or `=` are ignored.
    CommaSet,
}

impl ValueRule {
    /// Returns all data in the rule that the spec can give as a parameter.
    pub fn expressions(&self) -> impl Iterator<Item = &DataExpression> {
        let keep = self.keep.iter().flat_map(|keep| match keep {
            Keep::Which(which) => [which.at_least.as_ref(), which.at_most.as_ref()],
            Keep::Word(_) => [None, None],
        });
        let list = self.list.iter().flat_map(|list| [list.add.as_ref(), list.remove.as_ref()]);
        let with = self.replace.as_ref().map(|replace| &replace.with);
        [self.data.as_ref(), self.if_absent.as_ref(), with].into_iter().chain(keep).chain(list).flatten()
    }

    /// Returns whether the value's data is sensitive: the rule is marked as sensitive, or uses one of the sensitive
    /// `parameters`.
    pub fn is_sensitive(&self, parameters: &BTreeSet<String>) -> bool {
        self.sensitive || self.parameters().any(|name| parameters.contains(name))
    }

    /// Returns the names of the parameters that the rule uses.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.expressions().filter_map(|expression| match expression {
            DataExpression::Parameter(reference) => Some(reference.parameter.as_str()),
            DataExpression::Literal(_) => None,
        })
    }
}

/// Whether a key or value must exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ensure {
    /// The key or value must exist.
    Present,
    /// The key or value must not exist.
    Absent,
}
