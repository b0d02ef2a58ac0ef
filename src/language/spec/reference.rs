//! Generates the reference of the spec language, `docs/reference/language.md` and the pages in
//! `docs/reference/language/`, from the JSON schema of specs.

use std::fmt::Write as _;

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
  Text that looks like a number needs quotes, such as `"6.1"` ([when to write quotes](../how-to/write-a-spec.md#quotes));
- *number*: a whole number, 0 or higher, in decimal or as `0x…`, and without quotes;
- a word or number in code font, such as `true` or `1`: exactly this word or number;
- *list of …*: a YAML list, whose items are what follows the word *of*;
- *by name: …*: a YAML mapping from names to what follows the colon.
  In the example above, `values` maps the name `Mode` to a [ValueRule](language/values.md#valuerule);
- a link: what the linked section describes, usually a YAML mapping with the fields of that section.

Some words are used in many places:

- the *target* is what kbfix reads and changes, such as this Windows machine;
- the *operator* is the person who runs kbfix;
- the *outcome* is the result of the spec on a target. If the outcome is *blocked* or *unknown*, kbfix changes nothing for the spec ([outcomes](exit-codes.md#outcomes)).

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
If the outcome is *blocked* or *unknown*, kbfix changes nothing for the spec ([outcomes](../exit-codes.md#outcomes)).
The [glossary](../../glossary.md) explains all other terms.

"#;

/// A page that describes the objects of one subject.
struct Group {
    /// The name of the page in `docs/reference/language`, without `.md`.
    page: &'static str,
    title: &'static str,
    /// The text after the title and [`WHAT_A_SPEC_IS`].
    introduction: &'static str,
    /// The definitions of the schema, in the order of the page.
    objects: &'static [&'static str],
}

/// All objects of the language. A test checks that each definition of the schema is in one group.
const GROUPS: [Group; 8] = [
    Group {
        page: "spec",
        title: "The fields of a spec",
        introduction: r#"This page describes the fields at the top level of a spec, and the fields of `article` and `sources`.
[Write a spec](../../how-to/write-a-spec.md) shows how to use these fields.
For example, this is the beginning of a spec:

```yaml
kbfix: 1
id: EXAMPLE
title: An example
article: { url: "https://support.microsoft.com/help/909094", reviewed: 2008-05-13 }
sources:
  - { level: microsoft, what: The key and the value., url: "https://support.microsoft.com/help/909094" }
```
"#,
        objects: &["Spec", "Article", "Source", "SourceLevel"],
    },
    Group {
        page: "parameters",
        title: "Parameters and locations in a spec",
        introduction: r#"This page describes two fields of a spec.
`parameters` contains the settings that the person who runs kbfix (the *operator*) can choose.
`locations` contains names for folders whose paths are in the registry.
[Write a spec](../../how-to/write-a-spec.md#parameters) shows how to use parameters, and [its complete example](../../how-to/write-a-spec.md#a-complete-example) has a location.
For example, this part of a spec sets `Mode` to 1, or to the number that the operator chooses with `--set mode=0`:

```yaml
parameters:
  mode: { description: The mode of the service., allowed: { 0: "off", 1: "on" }, default: 1 }
registry:
  - key: HKLM\SOFTWARE\Contoso
    values:
      Mode: { type: REG_DWORD, data: { parameter: mode } }
```
"#,
        objects: &[
            "Parameter",
            "ParameterType",
            "Allowed",
            "NumberRange",
            "ParameterReference",
            "Location",
            "ValuePlace",
        ],
    },
    Group {
        page: "conditions",
        title: "Conditions in a spec",
        introduction: r#"A *condition* in a spec is a test of the machine, for example whether a registry key exists.
Its result is *true* (in reports *met*), *false* (in reports *unmet*), or *unknown*, for example if kbfix cannot read what the test needs.
These fields contain conditions: `applicable`, `prerequisites` and `cause` of the spec, `when` of a [rule](keys.md#keyrule) or of a value in it, and `done_when` of a [trigger](keys.md#trigger).
The descriptions of these fields say what kbfix does if the condition is true, false or unknown ([spec](spec.md#spec), [rule](keys.md#keyrule), [value](values.md#valuerule), [trigger](keys.md#trigger)).
[Write a spec](../../how-to/write-a-spec.md#conditions) shows how to use conditions.
For example, this condition is true on a server with Windows Server 2008 or later, if the key exists:

```yaml
applicable:
  all:
    - os: { at_least: "6.0", product: [server, domain_controller] }
    - registry: { key: HKLM\SOFTWARE\Contoso }
```
"#,
        objects: &[
            "Condition",
            "Prerequisite",
            "RegistryTest",
            "Comparison",
            "OtherValue",
            "VersionRange",
            "FileTest",
            "OsTest",
            "Product",
        ],
    },
    Group {
        page: "hotfix",
        title: "The hotfix in a spec",
        introduction: r#"The field `hotfix` of a spec describes the update that must be installed before kbfix changes the registry.
kbfix compares the versions that the files of the update have on the target with the versions in the spec.
If a file is missing or too old, the outcome of the spec is *blocked*.
If the update is installed, but Windows replaces such a file only when Windows starts again, the outcome is *pending restart* instead.
If no file is missing or too old, but a file cannot be read, the outcome is *unknown*.
[A hotfix that kbfix may install](../../how-to/special-rules.md#a-hotfix-that-kbfix-may-install) shows how kbfix can also install the update.
For example, this hotfix is installed if the file has this version or a later one:

```yaml
hotfix:
  files:
    - { path: '%SystemRoot%\System32\gpsvc.dll', version: 6.1.7601.18288 }
```
"#,
        objects: &["Hotfix", "HotfixFile", "Branch", "PlatformName", "Package"],
    },
    Group {
        page: "keys",
        title: "Rules for registry keys in a spec",
        introduction: r#"The field `registry` of a spec is a list of *rules*.
A rule names a registry key, and says whether the key must exist, and which values the key must or must not contain ([rules for values](values.md)).
[Special rules in a spec](../../how-to/special-rules.md) shows rules that delete keys, and rules for many keys.
For example, the first rule requires a value, and the second one deletes a key:

```yaml
registry:
  - key: HKLM\SOFTWARE\Contoso
    values: { Mode: { type: REG_DWORD, data: 1 } }
  - key: HKLM\SOFTWARE\Contoso\Cache
    ensure: absent
```
"#,
        objects: &[
            "KeyRule",
            "Ensure",
            "OnSubkeys",
            "Exclusive",
            "ViewChoice",
            "OneView",
            "Trigger",
            "Severity",
            "Controls",
            "ControlIds",
        ],
    },
    Group {
        page: "values",
        title: "Rules for registry values in a spec",
        introduction: r#"A *rule* in a spec names a registry key ([rules for keys](keys.md)).
The field `values` of a rule names values of this key, and says which data each of these values must have, and which other data may stay.
For example, this rule requires that `Mode` is 1.
It keeps a `Level` of 3 or more, and sets any other `Level` to 3.
It sets bit 0 of `Flags`, and an absent `Flags` counts as 0:

```yaml
registry:
  - key: HKLM\SOFTWARE\Contoso
    values:
      Mode: { type: REG_DWORD, data: 1 }
      Level: { type: REG_DWORD, data: 3, keep: { at_least: 3 } }
      Flags: { type: REG_DWORD, bits: { set: 1 }, if_absent: 0 }
```
"#,
        objects: &["ValueRule", "Keep", "KeepWord", "KeepWhich", "Bits", "ListEdit", "Replace", "Compare"],
    },
    Group {
        page: "data",
        title: "Data and types in a spec",
        introduction: r#"This page describes how you write the data of registry values in a spec, and which registry types a spec can name.
For example, this rule has data of four types:

```yaml
registry:
  - key: HKLM\SOFTWARE\Contoso
    values:
      Mode: { type: REG_DWORD, data: 0x10 }
      Name: { type: REG_SZ, data: "65" }
      Servers: { type: REG_MULTI_SZ, data: [FE1, FE2] }
      Mask: { type: REG_BINARY, data: 01 00 ff }
```

A string that looks like a number needs quotes, such as `"65"`: without quotes it is a number, which a REG_SZ does not accept.
"#,
        objects: &["Literal", "Scalar", "DataExpression", "TypeChoice", "TypeName"],
    },
    Group {
        page: "steps",
        title: "Manual steps, restarts and symptoms in a spec",
        introduction: r#"This page describes three fields of a spec.
`manual_steps` and `restart` say what must be done in addition to the changes in the registry.
`symptoms` lists events in the event logs that show the problem of the article, or show that the problem is solved.
This is an example:

```yaml
manual_steps:
  - { what: Create a backup of the database., order: before }
restart: { computer: never, services: [IISADMIN] }
symptoms:
  - event: { log: System, source: DNS, id: 4015 }
```
"#,
        objects: &[
            "ManualStep",
            "StepOrder",
            "Restart",
            "ComputerRestart",
            "Symptom",
            "Event",
            "EventLevel",
            "Expectation",
        ],
    },
];

/// The end of each page. It says how the page is generated, which only developers need to know.
const FOOT: &str = "

---

This page is generated from the comments in the code of kbfix: `UPDATE_SCHEMA=1 cargo test --test spec schema`.
";

/// Returns the reference of the spec language as Markdown: each page, with its path below `docs/reference`.
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

/// Returns the link to the section of a definition, as `from` must write it.
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
            each.map_or_else(|| "mapping".into(), |each| format!("by name: {}", kind(each, page)))
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
