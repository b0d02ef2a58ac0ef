//! The required keys and values of a spec (the field `registry`), as they are written in YAML.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Controls, Ensure, Severity, ValueRule};

/// A key, and the state that is required of it and of its values.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRule {
    /// The key or keys to which the rule applies, such as `HKLM\SOFTWARE\Contoso`. The path of a key begins with HKLM,
    /// HKCU, HKU, HKCR or HKCC, or with the long form of such a name, as in `HKEY_LOCAL_MACHINE`.
    ///
    /// A name with a `*`, such as `*` or `ADAM_*`, means every existing subkey with such a name. If there is no such
    /// subkey, the rule changes nothing. With `ensure: absent`, the last name of the path cannot contain `*`.
    ///
    /// `HKCU` means the registry of each user of the machine, logged on or not. The accounts of the system and of
    /// services do not count as users. If the registry of a user cannot be read, kbfix leaves this user out, and the
    /// outcome is unknown only if the spec has nothing else to change.
    ///
    /// `{name}` stands for the data of the parameter `name`. This data must be one name of a key, or a part of such a
    /// name, and must not contain `\` or `*`.
    ///
    /// If the name of a key contains these characters themselves, write `[*]` for `*`, and `[{]name}` for `{name}`. For
    /// example, `HKCR\[*]\shell` is in the key for files of all types. If the name of a key contains the text `[*]`,
    /// `[{]` or `[[]`, write `[[]` for the first `[` of this text: `[[][*]]` means the name `[*]`. A GUID in braces
    /// needs no change.
    pub key: String,
    /// The id of the rule in reports and waivers: letters, digits, `.`, `_`, `-`. The ids of all specs, rules and
    /// values of one run must be different; letter case does not count as a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub id: Option<String>,
    /// How serious it is for a machine if the rule is not satisfied. kbfix only shows this, in reports and in `kbfix
    /// show`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The controls of security catalogues that the rule implements. kbfix only shows them, in reports and in `kbfix
    /// show`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controls: Option<Box<Controls>>,
    /// The registry views on 64-bit Windows: 64 (the default), 32, or both. On 32-bit Windows, this field has no
    /// effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<ViewChoice>,
    /// `true`: a rule for a key below `HKCU` also applies to the Default profile, which Windows copies for every new
    /// user. If the target does not contain this profile, the outcome is unknown. If the `when` of the rule is false,
    /// and tests neither a key below `HKCU` nor `key: .`, this profile is not needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default_profile: bool,
    /// `present`: the key must exist. `absent`: the key and everything below it must not exist; the rule then has no
    /// `values` and no `exclusive`. kbfix refuses to delete a key that Windows needs, such as `HKLM\SYSTEM`. Without
    /// this field, the key must exist if a value in it must exist, or if the rule has no `values`. In all other cases,
    /// the key may be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensure: Option<Ensure>,
    /// Only with `ensure: absent`: what kbfix does if the key has subkeys.
    ///
    /// `delete` (the default): kbfix deletes the key with everything below it.
    ///
    /// `refuse`: kbfix changes nothing for the spec, and the outcome is blocked. Subkeys that another rule of the spec
    /// deletes with `ensure: absent` do not count. Subkeys that no rule names count, even if a key above has
    /// `exclusive: tree`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_subkeys: Option<OnSubkeys>,
    /// Deletes content of the key that no rule of the spec names. Without this field, such content stays.
    ///
    /// `true`: kbfix deletes all other values of the key. All subkeys stay.
    ///
    /// `tree`: kbfix deletes all other values and all other subkeys, in the key and everywhere below it.
    ///
    /// A trigger cannot have this field, and neither can a rule for a key that Windows needs, such as `HKLM\SYSTEM`.
    ///
    /// If the `when` of this rule is false, `exclusive` deletes nothing. If the `when` of another rule, or of a value,
    /// is false, `exclusive` also deletes what only that rule or that value names. If the `when` of a trigger is true,
    /// what the trigger names stays, also if the trigger is not written now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<Exclusive>,
    /// The rule applies only if this condition is true. If the condition is unknown, the outcome is unknown. A
    /// condition that is tested for each user separately is an exception.
    ///
    /// A condition with `key: .` is tested for each key of the rule separately. In a rule below `HKCU`, a condition
    /// with `key: .` or with a key below `HKCU` is tested for each user separately. If such a condition is unknown for
    /// a user, the spec changes nothing in the registry of this user. The outcome is then unknown only if the spec has
    /// nothing else to change. If such a condition is unknown for the Default profile, the outcome is unknown. All
    /// other conditions are tested once, for all keys of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Box<Condition>>,
    /// Makes the rule a trigger: kbfix makes the changes of the rule only with `--trigger ID`, where ID is the id of
    /// the spec. An apply of a saved plan needs no `--trigger` if the plan was made with it.
    ///
    /// Use a trigger for a value, such as BurFlags, that makes Windows do something. Windows then deletes or resets
    /// such a value.
    ///
    /// If `done_when` is true, or the rule is already satisfied, kbfix changes nothing for the rule. In all other
    /// cases, the outcome is unknown if `done_when` is unknown, or if it is unknown whether the rule is satisfied. If
    /// both are known, the outcome is blocked without `--trigger ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Box<Trigger>>,
    /// The rules for the values of the key, by value name; "" is the default value. Values without a rule stay as they
    /// are, except with `exclusive`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("minProperties" = 1))]
    pub values: BTreeMap<String, Box<ValueRule>>,
    /// A note for the person who reviews the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The condition that shows that Windows has done what a trigger requests. A trigger is a rule that kbfix writes only
/// with `--trigger ID`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// A condition that is true after Windows has done what the rule requests. While this condition is true, kbfix does
    /// not make the changes of the rule, with or without `--trigger ID`. If this condition is unknown, and the rule is
    /// not yet satisfied, the outcome is unknown. In this condition, `key: .` is the rule's own key.
    pub done_when: Condition,
}

/// The registry views to which a rule applies. 64-bit Windows has two copies of some keys: `64` is the copy that 64-bit
/// programs see, and `32` the copy that 32-bit programs see.
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

/// The effect of a rule on a key that must be absent but has subkeys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnSubkeys {
    /// The key is deleted with everything below it.
    #[default]
    Delete,
    /// kbfix changes nothing for the spec, and the outcome is blocked.
    Refuse,
}

/// Which content of a key kbfix deletes, if no rule of the spec names this content. With `true`, kbfix deletes the
/// values of the key that no rule names. With `tree`, kbfix deletes the values and subkeys that no rule names, in the
/// key and everywhere below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
#[schemars(extend("enum" = [true, "tree"]))]
pub enum Exclusive {
    /// kbfix deletes all other values of the key. Subkeys stay.
    Values,
    /// kbfix deletes all other values and all other subkeys, in the key and everywhere below it.
    Tree,
}

impl TryFrom<serde_json::Value> for ViewChoice {
    type Error = String;
    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        // A template engine passes every number as a string.
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
            _ => Err(format!("`{value}` is not valid for `exclusive`; write true or tree")),
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
