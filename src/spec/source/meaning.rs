//! Reads the data of a document with the crate yaml_serde. Names of fields become strings, even if they look like
//! numbers or other data.

use serde_json::Value;

use crate::diag::{Code, Diagnostic};

use super::{
    reading::Reading,
    readings::here,
    text::{Spot, Text},
    tree::{Kind, Node, Places},
};

/// Returns the document's data.
pub(in crate::spec) fn read(text: &Text<'_>) -> Result<Value, Box<Diagnostic>> {
    serde_yaml::from_str(text.text).map_err(|error| {
        let location = error.location();
        let (line, column) = location.map_or((1, 1), |at| (at.line(), at.column()));
        let place = text.place(Spot { line, column, end_line: line, end_column: column + 1 });
        Box::new(Diagnostic::error(Code::YAML_SYNTAX, format!("not YAML: {error}")).at(place))
    })
}

/// Returns the first place at which the tree of places and the data differ; `None` if they agree.
///
/// The two parsers follow different versions of YAML. If they read some text differently, findings about it would have
/// the wrong place, and other readers would also disagree about it.
pub(in crate::spec) fn disagreement(places: &Places, value: &Value) -> Option<Spot> {
    part(places, places.root(), value)
}

fn part(places: &Places, node: &Node, value: &Value) -> Option<Spot> {
    match (&places.resolve(node).kind, value) {
        // The parsers disagree about the last line break of a block at the end of the file, but that does not matter.
        (Kind::Scalar { text, plain: false }, Value::String(read)) => {
            (text.trim_end_matches('\n') != read.trim_end_matches('\n')).then_some(node.spot)
        }
        (Kind::Scalar { text, plain: true }, read) => {
            let same = match (here(text), read) {
                (Reading::Text, Value::String(read)) => text == read,
                // JSON cannot represent infinities.
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
            entries.iter().find_map(|entry| match fields.get(&*entry.name) {
                Some(value) => part(places, places.at(entry.value), value),
                None => Some(entry.spot),
            })
        }
        _ => Some(node.spot),
    }
}
