//! Generates the page `docs/reference/language.md`, the reference of the spec language, from the JSON schema of specs.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Map, Value};

const HEAD: &str = r#"# The spec language, version 1

A *spec* is a YAML file that describes what a Microsoft article requires.
This page is the reference for all fields of a spec.
[Write a spec](../how-to/write-a-spec.md) shows with examples how to use the fields.
[Diagnostics](diagnostics.md) explains the errors that `kbfix validate` finds.

The file is one YAML 1.2 document of at most 1 MiB, in UTF-8.
In this small spec, `key` and `values` are fields of a [KeyRule](#keyrule), and `type` and `data` are fields of a [ValueRule](#valuerule):

```yaml
kbfix: 1
id: EXAMPLE
title: An example
registry:
  - key: HKLM\SOFTWARE\Contoso
    values:
      Mode: { type: REG_DWORD, data: 1 }
```

Each section describes one kind of object, and each row of a table describes one of its fields.
If the meaning of a field is long, a list below the table continues it.
The column "takes" shows what you write after the field:

- *text*, *number*, `true` or `false`;
- *list of …*: several of them, as a YAML list;
- *by name: …*: a YAML mapping, from names to objects of this kind;
- a link: an object, which another section describes.

Some words are used in many places:

- the *target* is what kbfix reads and changes, such as this Windows machine;
- the *operator* is the person who runs kbfix;
- the *outcome* is the result of the spec on a target. With the outcomes *blocked* and *unknown*, kbfix changes nothing ([outcomes](exit-codes.md#outcomes)).

"#;

/// The end of the page. It says how the page is generated, which only developers need to know.
const FOOT: &str = "

---

This page is generated from the comments in the code of kbfix: `UPDATE_SCHEMA=1 cargo test --test spec schema`.
";

/// Returns the reference of the spec language as Markdown.
pub fn reference() -> String {
    let schema = super::schema();
    let none = Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&none);
    let mut out = String::from(HEAD);
    section(&mut out, "Spec", &schema, definitions);
    // The order is the one in which a reader encounters the definitions.
    let mut queue: Vec<String> = named(&schema, true);
    let mut seen = BTreeSet::new();
    while !queue.is_empty() {
        let name = queue.remove(0);
        let Some(definition) = definitions.get(&name) else { continue };
        if seen.insert(name.clone()) {
            section(&mut out, &name, definition, definitions);
            queue.extend(named(definition, false));
        }
    }
    out.truncate(out.trim_end().len());
    out.push_str(FOOT);
    out
}

/// Returns the names of the definitions to which `schema` refers, in the order in which it names them. In the root
/// schema, the definitions themselves are skipped.
fn named(schema: &Value, is_root: bool) -> Vec<String> {
    let mut out = Vec::new();
    match schema {
        Value::Object(fields) => {
            if let Some(name) = reference_to(schema) {
                out.push(name.to_owned());
            }
            for (_, value) in fields.iter().filter(|(name, _)| !(is_root && *name == "$defs")) {
                out.extend(named(value, false));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| out.extend(named(item, false))),
        _ => {}
    }
    out
}

fn reference_to(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn text<'s>(schema: &'s Value, name: &str) -> &'s str {
    schema.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn section(out: &mut String, name: &str, schema: &Value, definitions: &Map<String, Value>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "## {name}\n\n{}\n", one_line(text(schema, "description")));
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        out.push_str("| field | takes | meaning |\n|---|---|---|\n");
        // The first paragraph of a description is in the table, and the others are items of a list below it.
        let mut lists = String::new();
        for (field, schema) in properties {
            let needed = if required.contains(&field.as_str()) { " **Required.**" } else { "" };
            let takes = kind(schema, definitions);
            let mut paragraphs = text(schema, "description").split("\n\n");
            let first = cell(paragraphs.next().unwrap_or_default());
            let _ = writeln!(out, "| `{field}` | {takes} | {first}{needed} |");
            let rest: Vec<String> = paragraphs.map(one_line).collect();
            if !rest.is_empty() {
                let _ = writeln!(lists, "\nMore about `{field}`:\n\n- {}", rest.join("\n- "));
            }
        }
        out.push_str(&lists);
        out.push('\n');
    }
    let choices = ["oneOf", "anyOf"].iter().find_map(|choice| schema.get(choice)?.as_array());
    for choice in choices.into_iter().flatten() {
        let what = choice.get("const").map_or_else(|| kind(choice, definitions), literal);
        let why = one_line(text(choice, "description"));
        let _ = writeln!(out, "- {what}{}{why}", if why.is_empty() { "" } else { ": " });
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let mut words: Vec<String> = words.iter().map(literal).collect();
        // The same number as a number and as a string.
        words.dedup();
        let _ = writeln!(out, "One of {}.", words.join(", "));
    }
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
}

/// Describes the data that a field accepts. If the data has a definition in the schema, the text is a link to this
/// definition.
fn kind(schema: &Value, definitions: &Map<String, Value>) -> String {
    if let Some(name) = reference_to(schema) {
        let anchor = name.to_lowercase();
        return if definitions.contains_key(name) { format!("[{name}](#{anchor})") } else { name.to_owned() };
    }
    if let Some(only) = schema.get("const") {
        return literal(only);
    }
    match text(schema, "type") {
        "string" => "text".to_owned(),
        "integer" => "number".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => {
            format!("list of {}", schema.get("items").map_or_else(|| "anything".into(), |i| kind(i, definitions)))
        }
        "object" => {
            let each = schema.get("additionalProperties").filter(|each| each.is_object());
            each.map_or_else(|| "mapping".into(), |each| format!("by name: {}", kind(each, definitions)))
        }
        other => other.to_owned(),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}

fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}
