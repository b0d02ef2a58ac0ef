//! Finds the sensitive data that the text of a spec contains.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Spec;
use crate::{
    registry::notation,
    spec::document::{DataExpression, Keep, ValueRule},
};

/// The fields of a condition that say which data the tested registry value must have.
const TESTS: [&str; 8] = ["equals", "one_of", "at_least", "at_most", "starts_with", "contains", "matches", "version"];

impl Spec {
    /// Returns a description of sensitive data that the text of the spec contains: a parameter, or the key and the name
    /// of a value. If there is more such data, describes only one item. Returns `None` if the text contains none, for
    /// example because all sensitive data is the data of parameters that the operator sets.
    ///
    /// The document must contain `registry`; see [`crate::spec::load_rules`].
    pub fn secret_data(&self) -> Option<String> {
        let is_written = |name: &&String| {
            let parameter = self.document.parameters.get(*name);
            parameter.is_some_and(|one| one.default.is_some() || one.allowed.is_some() || one.range.is_some())
        };
        let parameter = || self.sensitive.iter().find(is_written).map(|name| format!("the parameter `{name}`"));
        let value = || {
            self.document.registry.iter().find_map(|rule| {
                let mut values = rule.values.iter();
                let found = values.find(|(_, value)| value.is_sensitive(&self.sensitive) && contains_data(value));
                found.map(|(name, _)| format!("{} {}", rule.key, notation::quoted(name)))
            })
        };
        parameter().or_else(value).or_else(|| self.secret_condition())
    }

    /// Returns the key and the name in the first condition that contains data of a value with the name of a sensitive
    /// value; `None` if there is no such condition.
    fn secret_condition(&self) -> Option<String> {
        let values = self.document.registry.iter().flat_map(|rule| &rule.values);
        let sensitive = values.filter(|(_, value)| value.is_sensitive(&self.sensitive));
        let names: BTreeSet<String> = sensitive.map(|(name, _)| name.to_lowercase()).collect();
        if names.is_empty() {
            return None;
        }
        condition_on(&names, &serde_json::to_value(&self.document).ok()?)
    }
}

/// Returns the key and the name in the first condition of `document` that contains data of a value with one of `names`,
/// which are in lower case; `None` if there is no such condition. Does not compare keys, because a key can have several
/// names.
fn condition_on(names: &BTreeSet<String>, document: &Value) -> Option<String> {
    match document {
        Value::Object(fields) => {
            let has_data =
                TESTS.iter().any(|test| fields.get(*test).is_some_and(|data| data.get("registry").is_none()));
            match (fields.get("key").and_then(Value::as_str), fields.get("name").and_then(Value::as_str)) {
                (Some(key), Some(name)) if has_data && names.contains(&name.to_lowercase()) => {
                    Some(format!("{key} {}", notation::quoted(name)))
                }
                _ => fields.values().find_map(|value| condition_on(names, value)),
            }
        }
        Value::Array(items) => items.iter().find_map(|item| condition_on(names, item)),
        _ => None,
    }
}

/// Returns whether the value rule itself contains data. A parameter in place of data does not count.
fn contains_data(value: &ValueRule) -> bool {
    let of_keep = match &value.keep {
        Some(Keep::Which(which)) => {
            let lists = which.one_of.is_some() || which.not.is_some();
            lists || which.contains.is_some() || which.subset.is_some() || which.matches.is_some()
        }
        Some(Keep::Word(_)) | None => false,
    };
    let is_literal = |expression: &DataExpression| matches!(expression, DataExpression::Literal(_));
    let edits = value.bits.is_some() || value.replace.is_some();
    of_keep || edits || value.allowed.is_some() || value.expressions().any(is_literal)
}
