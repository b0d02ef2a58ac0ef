//! What a document means, read by yaml_serde. Names of fields become text, whatever they look like.

use serde_json::Value;

use crate::diag::{Code, Diagnostic};

use super::{
    readings::{Reading, here},
    text::{Spot, Text},
    tree::{Kind, Node, Places},
};

/// The document's meaning.
pub(in crate::spec) fn read(text: &Text<'_>) -> Result<Value, Box<Diagnostic>> {
    serde_yaml::from_str(text.text).map_err(|error| {
        let location = error.location();
        let (line, column) = location.map_or((1, 1), |at| (at.line(), at.column()));
        let place = text.place(Spot { line, column, end_line: line, end_column: column + 1 });
        Box::new(Diagnostic::error(Code::YAML_SYNTAX, format!("not YAML: {error}")).at(place))
    })
}

/// Whether the tree of places and the meaning are of one document; where not, the place at which they part.
///
/// The two parsers follow different versions of YAML. A text that they read differently would be shown at wrong places,
/// and read differently again by others.
pub(in crate::spec) fn disagreement(places: &Places, value: &Value) -> Option<Spot> {
    part(places, places.root(), value)
}

fn part(places: &Places, node: &Node, value: &Value) -> Option<Spot> {
    match (&places.resolve(node).kind, value) {
        // The parsers differ on the last line break of a block that ends with the file; nothing follows from it.
        (Kind::Scalar { text, plain: false }, Value::String(read)) => {
            (text.trim_end_matches('\n') != read.trim_end_matches('\n')).then_some(node.spot)
        }
        (Kind::Scalar { text, plain: true }, read) => {
            let same = match (here(text), read) {
                (Reading::Text, Value::String(read)) => text == read,
                // Infinities have no form in JSON.
                (Reading::Null, Value::Null) | (Reading::Bool, Value::Bool(_)) | (Reading::Float, Value::Null) => true,
                (Reading::Float, Value::Number(n)) => n.is_f64(),
                (Reading::Int(Some(a)), Value::Number(n)) => {
                    n.as_u64().map(i128::from).or_else(|| n.as_i64().map(i128::from)) == Some(a)
                }
                _ => false,
            };
            (!same).then_some(node.spot)
        }
        (Kind::Sequence(items), Value::Array(values)) if items.len() == values.len() => {
            items.iter().zip(values).find_map(|(item, value)| part(places, places.at(*item), value))
        }
        (Kind::Mapping(entries), Value::Object(fields)) if entries.len() == fields.len() => {
            entries.iter().find_map(|entry| match fields.get(&entry.name) {
                Some(value) => part(places, places.at(entry.value), value),
                None => Some(entry.spot),
            })
        }
        _ => Some(node.spot),
    }
}
