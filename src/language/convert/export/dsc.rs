//! Exports specs as a configuration document of Microsoft DSC v3 with resources of type `Microsoft.Windows/Registry`.
//!
//! Rules of DSC: the name of a resource is unique and has only letters, digits and spaces. `valueData` has one of the
//! types String, ExpandString, Binary, DWord, MultiString, QWord, None. Text that begins with `[` is an expression; a
//! doubled `[[` means the character itself.
//!
//! Source: PowerShell/DSC, `schemas/v3/config/document.json` and `lib/dsc-lib-registry/src/config.rs`.

use serde_json::{Value, json};

use crate::{
    convert::yaml,
    registry::{Data, Decoded, KeyPath, ValueName, ValueType, notation},
    spec::Spec,
};

use super::{
    Export, Loss, heading,
    keys::{ExportedKey, KeyState, Users, exported_keys},
};

const SCHEMA: &str = "https://aka.ms/dsc/schemas/v3/bundled/config/document.json";

/// Exports the specs as a DSC v3 configuration document, in YAML.
pub fn dsc(specs: &[Spec]) -> Export {
    let mut losses = Vec::new();
    let mut resources = Vec::new();
    for key in exported_keys(specs, Users::One, &mut losses) {
        key.lose_rest(&mut |what| losses.push(Loss::new(key.spec.id.clone(), what)));
        let ExportedKey { spec, path, state, .. } = &key;
        match state {
            KeyState::Absent => resources.push(resource(spec, path, None, json!({ "_exist": false }), &resources)),
            KeyState::Present { must_exist, values } => {
                if *must_exist && values.iter().all(|(_, data)| data.is_none()) {
                    resources.push(resource(spec, path, None, json!({ "_exist": true }), &resources));
                }
                for (name, data) in values {
                    let properties = match data.as_ref().map(value_data).transpose() {
                        Ok(Some(data)) => json!({ "_exist": true, "valueData": data }),
                        Ok(None) => json!({ "_exist": false }),
                        Err(why) => {
                            let place = format!("{path} {}", notation::value_name(name));
                            losses.push(Loss::new(spec.id.clone(), format!("{place}: left out: {why}")));
                            continue;
                        }
                    };
                    resources.push(resource(spec, path, Some(name), properties, &resources));
                    losses.extend(key.shown(name, data.as_ref()));
                }
            }
        }
    }
    let ids: Vec<&str> = specs.iter().map(|spec| spec.id.as_str()).collect();
    let lost: Vec<String> = losses.iter().map(ToString::to_string).collect();
    let document = json!({
        "$schema": SCHEMA,
        "metadata": { "kbfix": { "specs": ids, "notExpressed": lost } },
        "resources": resources,
    });
    let mut text = format!("# yaml-language-server: $schema={}\n", SCHEMA.replace(".json", ".vscode.json"));
    heading(specs, &losses).iter().for_each(|line| text.push_str(&format!("# {line}\n")));
    text.push_str(&yaml::block_of(&document));
    Export { bytes: text.into_bytes(), losses }
}

fn resource(spec: &Spec, path: &KeyPath, name: Option<&ValueName>, mut properties: Value, before: &[Value]) -> Value {
    let of = name.map_or_else(|| path.last().unwrap_or_default(), |name| name.as_str());
    let title = format!("{} {} {of}", spec.id, before.len() + 1);
    let title: String = title.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    properties["keyPath"] = literal(&path.to_string());
    if let Some(name) = name {
        properties["valueName"] = literal(name.as_str());
    }
    json!({ "name": title, "type": "Microsoft.Windows/Registry", "properties": properties })
}

/// Returns `text` in a form that DSC does not evaluate as an expression: an initial `[` is doubled.
fn literal(text: &str) -> Value {
    if text.starts_with('[') { format!("[{text}").into() } else { text.into() }
}

fn value_data(data: &Data) -> Result<Value, String> {
    let text = |name: &str, text: &str| json!({ name: literal(text) });
    Ok(match (data.value_type, data.decode()) {
        (ValueType::SZ, Decoded::Text(string)) => text("String", &string),
        (ValueType::EXPAND_SZ, Decoded::Text(string)) => text("ExpandString", &string),
        (ValueType::MULTI_SZ, Decoded::List(list)) => {
            json!({ "MultiString": list.iter().map(|s| literal(s)).collect::<Vec<_>>() })
        }
        (ValueType::DWORD, Decoded::Number(number)) => json!({ "DWord": number }),
        (ValueType::QWORD, Decoded::Number(number)) => json!({ "QWord": number }),
        (ValueType::BINARY, _) => json!({ "Binary": data.bytes }),
        (ValueType::NONE, _) if data.bytes.is_empty() => "None".into(),
        (ValueType::NONE, _) => return Err("DSC can write a REG_NONE only without bytes".to_owned()),
        (other, _) => return Err(format!("DSC does not support the type {other}")),
    })
}
