//! Writes a document as YAML that every YAML parser reads in the same way.
//!
//! kbfix does not use the crate yaml_serde for this, because that crate quotes only text that YAML 1.2 would not read
//! as a string. Ansible reads a spec in a task as YAML 1.1, and [`crate::spec::shape::ambiguous`] refuses text that the
//! two versions read differently. So this writer leaves text unquoted only if every parser reads it as a string.

use serde_json::Value;

use crate::{
    registry::notation,
    spec::{document::Document, is_forbidden, is_text},
};

/// The maximum length of a line that contains a whole mapping or list, in characters.
const WIDTH: usize = 110;
/// The maximum length of a field name that is written without `? ` before it, in characters. YAML allows 1024.
const LONGEST_NAME: usize = 500;

/// Returns a spec as YAML. The first line tells an editor where the JSON schema of specs is.
pub(in crate::convert) fn yaml(document: &Document) -> String {
    let value = serde_json::to_value(document).unwrap_or_default();
    let mut out = String::from("# yaml-language-server: $schema=../schema/spec.v1.schema.json\n");
    block(&value, 0, &mut out);
    out
}

/// Returns any JSON value as YAML. The outermost fields or items are not indented.
pub(crate) fn block_of(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

/// Appends a value to `out` as YAML. Each field of a mapping and each item of a list begins on its own line, after
/// `indent` spaces.
fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                out.push_str(&" ".repeat(indent));
                field(name, value, indent, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                out.push_str(&" ".repeat(indent));
                out.push_str("- ");
                let is_mapping = item.as_object().is_some_and(|fields| !fields.is_empty());
                match (flow(item, indent + 2).filter(|_| !is_mapping), item) {
                    (None, Value::Object(fields)) => {
                        for (at, (name, value)) in fields.iter().enumerate() {
                            if at > 0 {
                                out.push_str(&" ".repeat(indent + 2));
                            }
                            field(name, value, indent + 2, out);
                        }
                    }
                    (None, list) => {
                        out.push('\n');
                        block(list, indent + 2, out);
                    }
                    (Some(text), _) => {
                        out.push_str(&text);
                        out.push('\n');
                    }
                }
            }
        }
        scalar => {
            out.push_str(&flow(scalar, 0).unwrap_or_default());
            out.push('\n');
        }
    }
}

fn field(name: &str, value: &Value, indent: usize, out: &mut String) {
    let name = text(name);
    let start = if name.chars().count() > LONGEST_NAME {
        out.push_str(&format!("? {name}\n{}:", " ".repeat(indent)));
        indent + 1
    } else {
        out.push_str(&name);
        out.push(':');
        indent + name.chars().count() + 1
    };
    // Rules are written below each other, with one line for each value, as people write them.
    let one_line = if indent == 0 && value.is_array() { None } else { flow(value, start + 1) };
    match one_line {
        Some(one_line) => {
            out.push(' ');
            out.push_str(&one_line);
            out.push('\n');
        }
        None => {
            out.push('\n');
            block(value, indent + 2, out);
        }
    }
}

/// Returns the value as YAML on one line. `column` is the column at which the text will begin, from 0. Returns `None`
/// if a field or item of the value is a mapping, or a list that contains lists or mappings; if a field name has more
/// than [`LONGEST_NAME`] characters; or if the line would be longer than [`WIDTH`]. A scalar, an empty mapping and an
/// empty list always fit.
fn flow(value: &Value, column: usize) -> Option<String> {
    let inner = |value: &Value| match value {
        Value::Object(_) => None,
        Value::Array(items) if items.iter().any(|i| i.is_object() || i.is_array()) => None,
        other => flow(other, 0),
    };
    let line = match value {
        Value::Object(fields) if fields.is_empty() => return Some("{}".to_owned()),
        Value::Object(fields) => {
            let each: Option<Vec<String>> = fields
                .iter()
                .map(|(name, value)| {
                    let name = Some(text(name)).filter(|name| name.chars().count() <= LONGEST_NAME)?;
                    Some(format!("{name}: {}", inner(value)?))
                })
                .collect();
            format!("{{ {} }}", each?.join(", "))
        }
        Value::Array(items) => {
            let each: Option<Vec<String>> = items.iter().map(inner).collect();
            format!("[{}]", each?.join(", "))
        }
        Value::String(string) => return Some(text(string)),
        other => return Some(other.to_string()),
    };
    let empty = value.as_array().is_some_and(Vec::is_empty);
    (empty || column + line.chars().count() <= WIDTH).then_some(line)
}

/// Formats `text` as a YAML string, in quotes unless it is certain that every YAML parser reads it as this string.
fn text(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '\\' | '/' | '(' | ')' | ' ');
    let unmistakable =
        text.starts_with(char::is_alphanumeric) && !text.ends_with(' ') && text.chars().all(plain) && is_text(text);
    if unmistakable {
        return text.to_owned();
    }
    if text.contains(['\\', '"']) && !text.chars().any(|c| c == '\n' || c == '\t' || must_be_escaped(c)) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if must_be_escaped(c) && u32::from(c) <= 0xFF => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if must_be_escaped(c) && u32::from(c) <= 0xFFFF => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if must_be_escaped(c) => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn must_be_escaped(c: char) -> bool {
    c == '\r' || is_forbidden(c) || notation::is_unseen(c)
}

#[cfg(test)]
mod tests {
    use crate::convert::yaml::*;

    #[test]
    fn what_one_reader_takes_for_something_else_gets_quotes() {
        for (given, wanted) in [
            ("REG_DWORD", "REG_DWORD"),
            (r"HKLM\SOFTWARE\A B", r"HKLM\SOFTWARE\A B"),
            ("on", "\"on\""),
            ("0777", "\"0777\""),
            ("1:30", "\"1:30\""),
            ("4.1", "\"4.1\""),
            ("", "\"\""),
            (" a", "\" a\""),
            ("a: b", "\"a: b\""),
            ("<<", "\"<<\""),
            (r"\\*\SYSVOL", r"'\\*\SYSVOL'"),
            ("it's \"so\"", "'it''s \"so\"'"),
            ("a\nb\u{1}\u{2028}", "\"a\\nb\\x01\\u2028\""),
            ("a\u{202e}\u{e0041}", "\"a\\u202e\\U000e0041\""),
            ("Größe", "Größe"),
        ] {
            assert_eq!(text(given), wanted);
            let read: Value = serde_yaml::from_str(&format!("a: {wanted}")).unwrap();
            assert_eq!(read["a"], given);
        }
    }

    #[test]
    fn an_empty_mapping_reads_back() {
        let long = "x".repeat(WIDTH);
        let all = serde_json::json!([{}, [], [{}, [{}]], { "a": {}, "b": [{}], &*long: {} }, [[{}, 1]]]);
        for value in [all.clone(), serde_json::json!({}), serde_json::json!({ "c": all })] {
            let read: Value = serde_yaml::from_str(&block_of(&value)).unwrap();
            assert_eq!(read, value, "{}", block_of(&value));
        }
    }

    #[test]
    fn a_document_reads_back() {
        let written = include_bytes!("../../../specs/KB909094.yaml");
        let load = |bytes: &[u8]| crate::spec::load("KB909094", bytes, &crate::spec::Settings::new());
        let document = load(written).spec.unwrap().document;
        let again = yaml(&document);
        let loaded = load(again.as_bytes());
        let spec = loaded.spec.unwrap_or_else(|| panic!("{:#?}\n{again}", loaded.diagnostics));
        assert_eq!(serde_json::to_value(&spec.document).unwrap(), serde_json::to_value(&document).unwrap());
        assert!(again.contains("      DisableRealmHint:\n"), "{again}");
    }
}
