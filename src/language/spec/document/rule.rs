//! The required keys and values of a spec (the field `registry`), as they are written in YAML.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Controls, Ensure, Severity, ValueRule};

/// A key, and the state that is required of it and of its values.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRule {
    /// The key or keys to which the rule applies.
    ///
    /// A name with a `*`, such as `*` or `ADAM_*`, means every existing subkey with such a name.
    ///
    /// `HKCU` means the registry of each user of the machine, logged on or not.
    ///
    /// `{name}` stands for the data of the parameter `name`.
    ///
    /// For the characters `*`, `{` and `[` themselves, write `[*]`, `[{]` and `[[]`, as in `HKCR\[*]\shell`, the key
    /// for files of all types.
    pub key: String,
    /// The id of the rule in reports and waivers: letters, digits, `.`, `_`, `-`. It must be unique among all rules and
    /// values of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub id: Option<String>,
    /// How serious it is for a machine if the rule is not satisfied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The controls of security catalogues that the rule implements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controls: Option<Box<Controls>>,
    /// The registry views on 64-bit Windows: 64 (the default), 32, or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<ViewChoice>,
    /// `true`: a rule for a key below `HKCU` also applies to the Default profile, which Windows copies for every new
    /// user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default_profile: bool,
    /// `present`: the key must exist. `absent`: the key and everything below it must not exist. By default, the key
    /// must exist if one of its values must exist, or if the rule has no `values`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensure: Option<Ensure>,
    /// With `ensure: absent`: what kbfix does if the key has subkeys.
    ///
    /// `delete` (the default): kbfix deletes the key with everything below it.
    ///
    /// `refuse`: kbfix changes nothing, and the spec is blocked. Subkeys that the spec itself deletes do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_subkeys: Option<OnSubkeys>,
    /// Deletes content of the key that no rule of the spec names.
    ///
    /// `true`: other values are deleted; subkeys stay.
    ///
    /// `tree`: other values and other subkeys are deleted, in the key and everywhere below it.
    ///
    /// A rule protects the values and subkeys that it names only if the rule applies to the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<Exclusive>,
    /// The rule applies only if this condition is true.
    ///
    /// A test with `key: .` is made for each key of the rule separately. In a rule below `HKCU`, a test of a key below
    /// `HKCU` is made for each user separately. All other tests are made once, for all keys of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Box<Condition>>,
    /// Makes the rule a trigger: `kbfix apply` writes it only with `--trigger ID`, where ID is the id of the spec.
    ///
    /// Use this for a value, such as BurFlags, that makes Windows do something, and that Windows then deletes or
    /// resets.
    ///
    /// If the trigger must still be written, and the operator does not request it, the spec is blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Box<Trigger>>,
    /// The rules for the values, by value name; "" is the default value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("minProperties" = 1))]
    pub values: BTreeMap<String, Box<ValueRule>>,
    /// A note for the person who reviews the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The condition under which a trigger is done. A trigger is a rule that `kbfix apply` writes only with
/// `--trigger ID`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// A condition that becomes true when Windows has done what the rule requests. kbfix then does not write the rule
    /// again. A test with `key: .` is about the rule's own key.
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
    /// The key stays, and the spec is blocked.
    Refuse,
}

/// Whether a key may contain only the values and subkeys that the spec names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
#[schemars(extend("enum" = [true, "tree"]))]
pub enum Exclusive {
    /// Other values are deleted; subkeys stay.
    Values,
    /// Other values and other subkeys are deleted, in the key and everywhere below it.
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
