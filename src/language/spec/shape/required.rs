//! Determines whether a field of a document is required.

use serde_json::Value;

use crate::spec::source::path::{Path, Step};

/// Returns whether the schema requires the field at `path`. If the schema allows several forms there, the field counts
/// as required only if each form that has the field requires it.
pub(super) fn is_required(schema: &Value, path: &Path) -> bool {
    let Some((Step::Field(name), above)) = path.0.split_last() else { return false };
    let mut owners = forms(schema, schema);
    for step in above {
        owners = owners.into_iter().flat_map(|owner| below(owner, step, schema)).collect();
    }
    let mut having = owners.into_iter().filter(|owner| owner["properties"].get(&**name).is_some()).peekable();
    let requires = |owner: &Value| {
        owner["required"].as_array().is_some_and(|all| all.iter().any(|one| one.as_str() == Some(&**name)))
    };
    having.peek().is_some() && having.all(requires)
}

/// Returns the schemas of the node to which `step` leads from a node with the schema `owner`.
fn below<'s>(owner: &'s Value, step: &Step, schema: &'s Value) -> Vec<&'s Value> {
    let found = match step {
        Step::Field(name) => owner["properties"].get(&**name).or_else(|| owner.get("additionalProperties")),
        Step::Item(_) => owner.get("items"),
    };
    found.map(|found| forms(found, schema)).unwrap_or_default()
}

/// Returns the schemas of all forms that `node` allows, with references followed.
fn forms<'s>(node: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    if let Some(reference) = node["$ref"].as_str().and_then(|text| text.strip_prefix('#')) {
        return schema.pointer(reference).map(|target| forms(target, schema)).unwrap_or_default();
    }
    match node["anyOf"].as_array().or_else(|| node["oneOf"].as_array()) {
        Some(each) => each.iter().flat_map(|form| forms(form, schema)).collect(),
        None => vec![node],
    }
}
