//! Determines from the schema whether a field of a document is required, and what it accepts.

use serde_json::Value;

use crate::{
    diag::text::shorten,
    spec::source::path::{Path, Step},
};

use super::wording::{kind_word, list, list_or, plain};

/// Returns whether the schema requires the field at `path`. If the schema allows alternatives for the mapping that
/// contains the field, each alternative that has the field must require it. Returns `false` if there is no such field.
pub(super) fn is_required(schema: &Value, path: &Path) -> bool {
    let Some((Step::Field(name), above)) = path.0.split_last() else { return false };
    let owners = forms_at(schema, above);
    let mut having = owners.into_iter().filter(|owner| owner["properties"].get(&**name).is_some()).peekable();
    let requires = |owner: &Value| {
        owner["required"].as_array().is_some_and(|all| all.iter().any(|one| one.as_str() == Some(&**name)))
    };
    having.peek().is_some() && having.all(requires)
}

/// Returns a hint for an empty field: write data or, if the schema does not require the field, remove it.
/// Returns `None` if `path` does not end with a field name.
pub(in crate::spec) fn remove(path: &Path, schema: &Value) -> Option<String> {
    path.last_field().map(|name| match is_required(schema, path) {
        true => format!("write data after `{name}:`; this field is required"),
        false => format!("write data after `{name}:`, or remove this field"),
    })
}

/// The data that the schema allows for one field or list item.
#[derive(Default)]
pub(super) struct Accepted {
    /// Words for the kinds of data, such as `a list`. A field with a few fixed words accepts `a word`, not `a string`.
    pub kinds: Vec<&'static str>,
    /// The fixed words that the field accepts; empty if it does not accept fixed words.
    pub words: Vec<String>,
    /// The names of the fields of a mapping that the field accepts; empty if the schema names none.
    fields: Vec<String>,
}

impl Accepted {
    /// Returns the data that the schema allows at `path`; without kinds and words if the schema has no such field or
    /// item.
    pub(super) fn at(schema: &Value, path: &Path) -> Self {
        let mut found = Self::default();
        for form in forms_at(schema, &path.0) {
            let options = form["enum"].as_array().map(Vec::as_slice);
            let options = options.or_else(|| form.get("const").map(std::slice::from_ref)).unwrap_or_default();
            let kind = match options.iter().all(Value::is_number) {
                true => form["type"].as_str().map(kind_word),
                false => Some("a word"),
            };
            found.kinds.extend(kind.filter(|kind| !found.kinds.contains(kind)));
            if kind == Some("a word") {
                found.words.extend(options.iter().map(plain));
                // A view may be written with or without quotes, but it is one word.
                found.words.dedup();
            }
            found.fields.extend(form["properties"].as_object().into_iter().flat_map(|fields| fields.keys().cloned()));
        }
        found
    }

    /// Returns a hint for the string `text` in place of a mapping if it is a field of the mapping without the space
    /// after `:`; otherwise `None`.
    pub(super) fn space_after_colon(&self, text: &str) -> Option<String> {
        let (name, data) = text.split_once(':').filter(|(name, _)| self.fields.iter().any(|field| field == name))?;
        Some(format!("put a space after the `:`: `{name}: {}`", shorten(data.trim_start())))
    }

    /// Returns a hint that says which of the words and kinds of data to write.
    pub(super) fn hint(&self) -> String {
        let others: Vec<&str> = self.kinds.iter().copied().filter(|kind| *kind != "a word").collect();
        let words = list(self.words.iter().map(String::as_str));
        match (self.words.as_slice(), others.as_slice()) {
            ([], ["a mapping"]) if !self.fields.is_empty() => {
                let some = list(self.fields.iter().take(3).map(String::as_str));
                format!("write a mapping with fields such as {some}")
            }
            ([], _) => format!("write {}", list_or(&self.kinds)),
            ([_], []) => format!("write {words}"),
            (_, []) => format!("write one of {words}"),
            (_, others) => format!("write one of {words}, or {}", list_or(others)),
        }
    }
}

/// Returns the schemas of all alternatives that `schema` allows for the node to which `steps` lead from the root; empty
/// if the schema has no such node.
fn forms_at<'s>(schema: &'s Value, steps: &[Step]) -> Vec<&'s Value> {
    steps.iter().fold(forms(schema, schema), |owners, step| {
        owners.into_iter().flat_map(|owner| below(owner, step, schema)).collect()
    })
}

/// Returns the schemas of all alternatives for the child to which `step` leads. `owner` is the schema of the node that
/// contains the child, and `schema` is the whole schema.
fn below<'s>(owner: &'s Value, step: &Step, schema: &'s Value) -> Vec<&'s Value> {
    let found = match step {
        Step::Field(name) => owner["properties"].get(&**name).or_else(|| owner.get("additionalProperties")),
        Step::Item(_) => owner.get("items"),
    };
    found.map(|found| forms(found, schema)).unwrap_or_default()
}

/// Returns the schemas of all alternatives in the schema `node` (of an `anyOf` or `oneOf`), or `node` itself. Follows
/// references, which lead into `schema`.
fn forms<'s>(node: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    if let Some(reference) = node["$ref"].as_str().and_then(|text| text.strip_prefix('#')) {
        return schema.pointer(reference).map(|target| forms(target, schema)).unwrap_or_default();
    }
    match node["anyOf"].as_array().or_else(|| node["oneOf"].as_array()) {
        Some(each) => each.iter().flat_map(|form| forms(form, schema)).collect(),
        None => vec![node],
    }
}
