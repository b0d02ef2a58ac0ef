//! The JSON schemas for the properties of the DSC resources: for the properties that a configuration sets, and for
//! those that kbfix returns.

use serde_json::{Map, Value, json};

use super::Resource;
use crate::spec::document::{Allowed, Literal, Parameter, ParameterType, Scalar};

/// Returns the JSON schema of a resource's properties. DSC validates the input and the output of kbfix against it.
pub fn schema(resource: Resource) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let (title, description) = match resource.spec() {
        Some(spec) => {
            for (name, parameter) in &spec.document.parameters {
                properties.insert(name.clone(), of_parameter(parameter, spec.sensitive.contains(name)));
            }
            properties.insert("result".to_owned(), result());
            let about = spec.document.summary.clone().unwrap_or_default();
            (spec.title.clone(), format!("{}\n{about}", spec.title).trim().to_owned())
        }
        None => {
            required.push("specs");
            let specs = json!({
                "title": "Specs",
                "description": "The specs. Each item is the id of a built-in spec, such as KB909094, or the text \
                    of a spec in YAML.",
                "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 },
            });
            properties.insert("specs".to_owned(), specs);
            let parameters = json!({
                "title": "Parameters",
                "description": "The data for parameters of the specs, by parameter name.",
                "type": "object", "additionalProperties": any_parameter(),
            });
            properties.insert("parameters".to_owned(), parameters);
            let results = json!({
                "title": "Results", "description": "The outcome of each spec.", "readOnly": true,
                "type": "array", "items": result(),
            });
            properties.insert("results".to_owned(), results);
            ("Specs of kbfix".to_owned(), "The specs that a Windows machine, image or export must satisfy.".to_owned())
        }
    };
    properties.extend(common());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

/// Returns the schemas of the properties that every resource has, by property name.
pub(super) fn common() -> Map<String, Value> {
    let restart = json!({
        "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
        "properties": { "system": { "type": "string" }, "service": { "type": "string" } },
    });
    let common = json!({
        "target": {
            "title": "Target",
            "description": "The target that must satisfy the specs, in the form that kbfix --target accepts. The \
                default is this machine.",
            "type": "string", "minLength": 1,
        },
        "files": {
            "title": "Files",
            "description": "The local folder that holds the files of drive C of an export, a hive or another machine.",
            "type": "string", "minLength": 1,
        },
        "journal": {
            "title": "Journal", "description": "The journal file of the changes that the operation set made. kbfix \
                rollback can undo these changes.",
            "type": "string", "readOnly": true,
        },
        "_inDesiredState": {
            "title": "In desired state", "description": "Whether every spec is satisfied or does not apply.",
            "type": ["boolean", "null"], "readOnly": true,
        },
        "_restartRequired": {
            "title": "Restart required", "description": "The services that must be restarted, and the computer if it \
                must be restarted.",
            "type": ["array", "null"], "items": restart, "readOnly": true,
        },
        "_metadata": {
            "title": "Metadata", "description": "With whatIf: the changes that the operation set would make, line \
                by line, as kbfix diff shows them.",
            "type": ["object", "null"],
        },
    });
    match common {
        Value::Object(common) => common,
        _ => Map::new(),
    }
}

/// Returns the schema of the property that contains the result of one spec.
fn result() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "title": "Result", "description": "The outcome of the spec.", "readOnly": true,
        "type": "object", "additionalProperties": false, "required": ["id", "title", "outcome", "reasons", "changes"],
        "properties": {
            "id": text, "title": text, "outcome": text,
            "reasons": { "type": "array", "items": text },
            "changes": {
                "type": "array",
                "items": {
                    "type": "object", "additionalProperties": false, "required": ["key", "action"],
                    "properties": { "key": text, "action": text, "name": text, "before": text, "after": text },
                },
            },
        },
    })
}

/// Returns a schema that allows each kind of parameter data: a whole number, a string, a list of strings or a secret
/// string. It is used if the type of the parameter is not known when the schema is created.
fn any_parameter() -> Value {
    json!({ "anyOf": [
        { "type": "integer", "minimum": 0 },
        { "type": "string" },
        { "type": "array", "items": { "type": "string" } },
        secure(),
    ] })
}

/// Returns the schema of an object with a secret string, which DSC hides in its output.
fn secure() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["secureString"],
        "properties": { "secureString": { "type": "string" } },
    })
}

/// Returns the schema of a parameter. If `is_sensitive` is true, the schema also allows a secret string, and does not
/// contain the default.
fn of_parameter(parameter: &Parameter, is_sensitive: bool) -> Value {
    let mut schema = match kind(parameter) {
        Some(ParameterType::Number) => number(parameter),
        Some(ParameterType::List) => json!({ "type": "array", "items": { "type": "string" } }),
        Some(ParameterType::String) => text(parameter),
        None => any_parameter(),
    };
    if is_sensitive {
        schema = json!({ "anyOf": [schema, secure()] });
    }
    let mut description = parameter.description.clone();
    if let Some(Allowed::Meanings(meanings)) = &parameter.allowed {
        let meanings: Vec<String> = meanings.iter().map(|(data, meaning)| format!("{data}: {meaning}")).collect();
        description = format!("{description} ({})", meanings.join("; "));
    }
    schema["description"] = description.into();
    if let (Some(default), false) = (&parameter.default, is_sensitive) {
        schema["default"] = match default {
            Literal::Number(number) => (*number).into(),
            Literal::Text(text) => text.clone().into(),
            Literal::List(list) => list.clone().into(),
        };
    }
    schema
}

/// Returns the type of a parameter's data. Returns `None` if the spec gives no `type`, and neither a `range` nor a
/// `default` that is a number or a list.
fn kind(parameter: &Parameter) -> Option<ParameterType> {
    parameter.kind.or(match (&parameter.default, &parameter.range) {
        (Some(Literal::Number(_)), _) | (_, Some(_)) => Some(ParameterType::Number),
        (Some(Literal::List(_)), _) => Some(ParameterType::List),
        _ => None,
    })
}

/// Returns the schema of a number. A string with a decimal or `0x…` number is allowed as well.
fn number(parameter: &Parameter) -> Value {
    let mut number = json!({ "type": "integer", "minimum": 0 });
    let value = |scalar: &Scalar| match scalar {
        Scalar::Number(number) => Some(*number),
        Scalar::Text(_) => None,
    };
    if let Some(range) = &parameter.range {
        for (name, end) in [("minimum", &range.at_least), ("maximum", &range.at_most)] {
            if let Some(end) = end.as_ref().and_then(value) {
                number[name] = end.into();
            }
        }
    }
    json!({ "anyOf": [number, { "type": "string", "pattern": "^(0[xX][0-9A-Fa-f]+|[0-9]+)$" }] })
}

fn text(parameter: &Parameter) -> Value {
    let allowed: Option<Vec<&str>> = match &parameter.allowed {
        Some(Allowed::Meanings(meanings)) => Some(meanings.keys().map(String::as_str).collect()),
        Some(Allowed::List(list)) => {
            list.iter().map(|one| if let Scalar::Text(t) = one { Some(t.as_str()) } else { None }).collect()
        }
        None => None,
    };
    match allowed {
        Some(allowed) => json!({ "type": "string", "enum": allowed }),
        None => json!({ "type": "string" }),
    }
}
