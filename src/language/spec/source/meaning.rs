//! Reads the data of a YAML document. Names of fields are always strings, even if they look like numbers or other data.
//!
//! kbfix has two YAML parsers: saphyr-parser, which gives the place of each node, and yaml_serde. If both certainly
//! read a text in the same way, the data is taken from the nodes of the first. Otherwise both read the text. kbfix
//! refuses the text if the results differ; it compares them only if the text has no other errors.

use serde_json::{Map, Value};

use crate::diag::{Code, Diagnostic};

use super::{
    alike,
    data::{Data, Look, Tree},
    findings::Findings,
    reading::Reading,
    readings::here,
    syntax_error,
    text::{Spot, Text},
    tree::{Kind, Node, Places, Style},
};

/// Returns the data of the document if saphyr-parser and yaml_serde certainly read the text in the same way, and no
/// error was found in the text; otherwise `None`.
///
/// `sound` says whether saphyr-parser read the text without errors.
pub(in crate::spec) fn certain<'t>(text: &Text<'_>, sound: bool, findings: &Findings<'t>) -> Option<Data<'t>> {
    let places = findings.places();
    let is_correct = sound && !findings.has_errors();
    (is_correct && alike::is_certain(text.text)).then(|| Data::of(places, places.root()))
}

/// Returns the data of the document; `None` if the data cannot be read, or if saphyr-parser and yaml_serde read it
/// differently. In these cases, at least one finding is an error.
///
/// `sound` says whether saphyr-parser read the text without errors.
pub(in crate::spec) fn read(text: &Text<'_>, sound: bool, findings: &mut Findings<'_>) -> Option<Value> {
    if let Some(value) = certain(text, sound, findings).and_then(value) {
        return Some(value);
    }
    let places = findings.places();
    let is_correct = sound && !findings.has_errors();
    let value = match by_serde(text) {
        Ok(value) => value,
        Err(diagnostic) => {
            // The errors that were already found are more useful than the syntax error of a second parser.
            if !findings.has_errors() {
                findings.add_placed(*diagnostic);
            }
            return None;
        }
    };
    // The two parsers follow different versions of YAML. If they read some text differently, findings about it would
    // have the wrong place, and other readers would also disagree about it.
    if is_correct && let Some(spot) = part(places, places.root(), &value) {
        let message = "YAML readers disagree about what this text means";
        let diagnostic = Diagnostic::error(Code::YAML_READERS_DISAGREE, message).hint("write it in double quotes");
        findings.add_at(diagnostic, spot);
        return None;
    }
    Some(value)
}

/// Converts data to JSON. Returns `None` if the data contains a floating-point number, or a whole number with more than
/// 64 bits.
pub(in crate::spec) fn value(data: Data<'_>) -> Option<Value> {
    Some(match data.look() {
        Look::Null => Value::Null,
        Look::Bool(truth) => Value::Bool(truth),
        Look::Unsigned(number) => Value::Number(number.into()),
        Look::Signed(number) => Value::Number(number.into()),
        Look::Text(text) => Value::String(text.to_owned()),
        Look::List => Value::Array(data.items().map(value).collect::<Option<_>>()?),
        Look::Fields => {
            let mut fields = Map::with_capacity(data.len());
            for (name, data) in data.fields() {
                fields.insert(name.to_owned(), value(data)?);
            }
            Value::Object(fields)
        }
        Look::Other(_) => return None,
    })
}

/// Reads a document with the crate yaml_serde, and returns its data as JSON. The error is a syntax error with its
/// place.
pub(in crate::spec) fn by_serde(text: &Text<'_>) -> Result<Value, Box<Diagnostic>> {
    serde_yaml::from_str(text.text).map_err(|error| {
        let location = error.location();
        let (line, column) = location.map_or((1, 1), |at| (at.line(), at.column()));
        let at = Spot { line, column, end_line: line, end_column: column + 1 };
        let syntax =
            |message: &str, at| Diagnostic::error(Code::YAML_SYNTAX, format!("not YAML: {message}")).at(text.place(at));
        Box::new(match syntax_error::first_character(text, at, &error.to_string()) {
            Some(slip) => syntax(&slip.message, slip.spot).hint(slip.hint),
            None => syntax(&error.to_string(), at),
        })
    })
}

/// Compares the data of `node` with `value`, which yaml_serde read. Returns the first place where they differ; `None`
/// if they are equal, apart from line breaks at the end of strings.
fn part(places: &Places, node: &Node, value: &Value) -> Option<Spot> {
    match (&places.resolve(node).kind, value) {
        // The parsers disagree about the last line break of a block at the end of the file, but that does not matter.
        (Kind::Scalar { text, style: Style::DoubleQuoted | Style::Other }, Value::String(read)) => {
            (text.trim_end_matches('\n') != read.trim_end_matches('\n')).then_some(node.spot)
        }
        (Kind::Scalar { text, style: Style::Plain }, read) => {
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
