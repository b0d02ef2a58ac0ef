//! Generates the reference of the spec language, `docs/reference/language.md` and the pages in
//! `docs/reference/language/`, from the JSON schema of specs.

mod groups;

use std::fmt::Write as _;

use groups::{GROUPS, Group};
use serde_json::{Map, Value};

const HEAD: &str = r#"# The spec language, version 1

kbfix is a program that brings Windows machines into the state that Microsoft articles require.
A *spec* is a YAML file that describes what one article requires.
This page, and the pages under [All objects](#all-objects), are the reference for all fields of a spec.
[Write a spec](../how-to/write-a-spec.md) shows with examples how to use the fields.
[Diagnostics](diagnostics.md) explains the errors that `kbfix validate` finds.

A spec is one YAML 1.2 document of at most 1 MiB, in UTF-8.
In this small spec, `registry` is a field of the [Spec](language/spec.md#spec).
`key` and `values` are fields of a [KeyRule](language/keys.md#keyrule), and `type` and `data` are fields of a [ValueRule](language/values.md#valuerule):

```yaml
kbfix: 1
id: EXAMPLE
title: An example
registry:
  - key: HKLM\SOFTWARE\Contoso
    values:
      Mode: { type: REG_DWORD, data: 1 }
```

## How to read the tables

Each section of a page describes one *object*, which is a part of a spec.
The section either lists alternatives, of which you write exactly one, or has a table with one field of the object in each row.
If the meaning of a field is long, a list below the table continues the description.
You must write a field if it is marked **Required.**, or if a sentence of the section requires it.
You can leave out all other fields.
The column "takes", or the beginning of an alternative, shows what you write:

- *text*: a YAML string.
  Text that looks like a number, or like `true`, `off` or `null`, needs quotes, such as `"6.1"` ([when to write quotes](../how-to/write-a-spec.md#quotes));
- *number*: a whole number, 0 or higher, in decimal without leading zeros or as `0x…`, and without quotes;
- a word or number in code font, such as `true` or `1`: exactly this word or number;
- *list of …*: a YAML list, whose items are what follows the word *of*;
- *mapping from names to …*: a YAML mapping, in which each name has what follows the word *to*.
  In the example above, `values` maps the name `Mode` to a [ValueRule](language/values.md#valuerule);
- a link: what the linked section describes, usually a YAML mapping with the fields of that section.

Some words are used in many places:

- the *target* is what kbfix reads and changes, such as this Windows machine;
- the *operator* is the person who runs kbfix;
- the *outcome* is the result of the spec on a target. If the outcome is *blocked* or *unknown*, kbfix changes nothing in the registry for the spec ([outcomes](exit-codes.md#outcomes)).
  Other parts of a spec, or an earlier spec of the same run, can lead to a different outcome than a section says: for example, a missing hotfix leads to *blocked*.

## All objects
"#;

/// The first sentences of each page about a group of objects, for a reader who has not read another page.
const WHAT_A_SPEC_IS: &str = "\
kbfix is a program that brings Windows machines into the state that Microsoft articles require.
A *spec* is a YAML file that describes what one article requires ([the spec language](../language.md)).
";

/// The beginning of each page about a group of objects, after its introduction.
const HOW_TO_READ: &str = r#"
Each section describes one *object*, which is a part of a spec.
The section either lists alternatives, of which you write exactly one, or has a table with one field of the object in each row ([how to read the tables](../language.md#how-to-read-the-tables)).
The *target* is what kbfix reads and changes, such as this Windows machine, and the *operator* is the person who runs kbfix.
The *outcome* is the result of a spec on a target.
If the outcome is *blocked* or *unknown*, kbfix changes nothing in the registry for the spec ([outcomes](../exit-codes.md#outcomes)).
Other parts of a spec, or an earlier spec of the same run, can lead to a different outcome than a section says: for example, a missing hotfix leads to *blocked*.
The [glossary](../../glossary.md) explains all other terms.

"#;

/// The end of each page. It says how the page is generated, which only developers need to know.
const FOOT: &str = "

---

This page is generated from the comments in the code of kbfix: `UPDATE_SCHEMA=1 cargo test --test spec schema`.
";

/// Returns the pages of the reference of the spec language: the path of each page below `docs/reference`, and its text
/// in Markdown.
pub fn reference() -> Vec<(String, String)> {
    let schema = super::schema();
    let none = Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&none);
    let definition = |name: &str| if name == "Spec" { Some(&schema) } else { definitions.get(name) };
    let mut index = String::from(HEAD);
    let mut pages = Vec::new();
    for group in &GROUPS {
        let mut page = format!("# {}\n\n{WHAT_A_SPEC_IS}{}{HOW_TO_READ}", group.title, group.introduction);
        // Writing to a string cannot fail.
        let _ = writeln!(index, "\n### {}\n", group.title);
        for name in group.objects {
            let Some(definition) = definition(name) else { continue };
            let meaning = one_line(text(definition, "description"));
            let first = meaning.split_once(". ").map_or(meaning.as_str(), |(first, _)| first);
            let link = anchor(name);
            let _ = writeln!(index, "- [{name}](language/{}.md#{link}): {}.", group.page, first.trim_end_matches('.'));
            section(&mut page, name, definition, group);
        }
        pages.push((format!("language/{}.md", group.page), format!("{}{FOOT}", page.trim_end())));
    }
    pages.insert(0, ("language.md".to_owned(), format!("{}{FOOT}", index.trim_end())));
    pages
}

/// Returns a Markdown link to the section about the definition `name`, for the page `from`. If no page describes the
/// definition, returns only its name.
fn link(name: &str, from: &Group) -> String {
    match GROUPS.iter().find(|group| group.objects.contains(&name)) {
        Some(group) if group.page == from.page => format!("[{name}](#{})", anchor(name)),
        Some(group) => format!("[{name}]({}.md#{})", group.page, anchor(name)),
        None => name.to_owned(),
    }
}

fn anchor(name: &str) -> String {
    name.to_lowercase()
}

fn reference_to(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn text<'s>(schema: &'s Value, name: &str) -> &'s str {
    schema.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn section(out: &mut String, name: &str, schema: &Value, page: &Group) {
    let _ = writeln!(out, "## {name}\n\n{}\n", one_line(text(schema, "description")));
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        out.push_str("| field | takes | meaning |\n|---|---|---|\n");
        // The first paragraph of a description is in the table, and the others are items of a list below it.
        let mut lists = String::new();
        for (field, schema) in properties {
            let needed = if required.contains(&field.as_str()) { " **Required.**" } else { "" };
            let takes = kind(schema, page);
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
        let what = choice.get("const").map_or_else(|| kind(choice, page), literal);
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
fn kind(schema: &Value, page: &Group) -> String {
    if let Some(name) = reference_to(schema) {
        return link(name, page);
    }
    if let Some(only) = schema.get("const") {
        return literal(only);
    }
    match text(schema, "type") {
        "string" => "text".to_owned(),
        "integer" => "number".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => {
            format!("list of {}", schema.get("items").map_or_else(|| "anything".into(), |i| kind(i, page)))
        }
        "object" => {
            let each = schema.get("additionalProperties").filter(|each| each.is_object());
            each.map_or_else(|| "mapping".into(), |each| format!("mapping from names to {}", kind(each, page)))
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
