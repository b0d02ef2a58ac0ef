//! The JSON schema of specs, generated from the types of [`super::document`].

use std::{collections::BTreeSet, sync::LazyLock};

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::document::Document;

/// The `$id` in the JSON schema of specs. It is not an address: editors find the schema file through the first line of
/// a spec.
pub(super) const ID: &str = "urn:kbfix:schema:spec:1";

/// Returns the JSON schema of specs, which is also in the file `schema/spec.v1.schema.json`.
pub fn schema() -> Value {
    of::<Document>(ID)
}

/// Returns the JSON schema of the YAML documents that are read into the type `T`. `id` becomes the `$id` of the schema.
pub(super) fn of<T: JsonSchema>(id: &str) -> Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    // The schema's id and description come before its content.
    let mut out = Map::new();
    if let Value::Object(mut fields) = schema {
        fields.insert("$id".into(), id.into());
        for name in ["$schema", "$id", "title", "description"] {
            out.extend(fields.remove_entry(name));
        }
        let mut rest: Vec<_> = fields.into_iter().collect();
        rest.sort_by_key(|(name, _)| name == "$defs");
        out.extend(rest);
    }
    Value::Object(out)
}

/// Returns the words of the spec language: the names of its fields, and the words that its fields accept.
pub(super) fn words() -> &'static BTreeSet<String> {
    static WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let mut words = BTreeSet::new();
        collect_words(&schema(), &mut words);
        words
    });
    &WORDS
}

fn collect_words(value: &Value, words: &mut BTreeSet<String>) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Object(fields) => {
            let names = fields.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
            words.extend(names.cloned());
            words.extend(fields.get("const").and_then(text));
            words.extend(fields.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(text));
            fields.values().for_each(|value| collect_words(value, words));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_words(value, words)),
        _ => {}
    }
}

/// Changes a schema that schemars generated: optional fields no longer accept null, because a field without data is a
/// mistake, and 32-bit numbers get their maximum.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|t| t != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
                choices.retain(|c| c != &json!({ "type": "null" }));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    fields.remove("anyOf");
                    fields.extend(only);
                }
            }
            if fields.get("format") == Some(&json!("uint32")) {
                fields.entry("maximum").or_insert_with(|| u32::MAX.into());
            }
            fields.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}
