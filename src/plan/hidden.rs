//! Removes the data of sensitive values from documents.
//!
//! Plan and journal files keep all data, because it is needed to apply and to roll back. Reports and displayed journals
//! do not show sensitive data.

use serde_json::{Value, json};

use crate::registry::notation::HIDDEN;

/// Removes the data of sensitive values from `value`, a report or another document: from all changes, satisfied values
/// and policy settings in it.
pub(crate) fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            match fields.get("sensitive").cloned() {
                Some(Value::Bool(true)) => fields.get_mut("data").into_iter().for_each(hide_data),
                Some(Value::Array(names)) => {
                    let values = fields.get_mut("values").and_then(Value::as_array_mut).into_iter().flatten();
                    for value in values.filter(|value| names.contains(&value["name"])) {
                        for data in ["before", "after"] {
                            value.get_mut(data).into_iter().for_each(hide_data);
                        }
                    }
                }
                _ => {}
            }
            fields.values_mut().for_each(hide);
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

fn hide_data(data: &mut Value) {
    if data.is_object() {
        *data = json!({ "type": data["type"], "text": HIDDEN, "hidden": true });
    }
}
