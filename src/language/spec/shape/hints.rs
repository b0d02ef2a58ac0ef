//! Hints that say what the author can write instead. They depend on the field, and on the registry type that the spec
//! gives for the same value.

use serde_json::Value;

use crate::{
    diag::text::{first_few, shorten},
    spec::source::{
        path::{Path, Step},
        tree::{Entry, Kind, Places, Style},
    },
};

use super::required::Accepted;

/// The hint for a list where the registry type allows only one string. The hint does not suggest another type, because
/// the program that reads the value expects this type.
pub(in crate::spec) const ONE_STRING: &str = "write one string, with the separator that the program expects between \
    its items, such as \"a;b\"; or change single items with `list: { add: [a], separator: \";\" }`";

/// Field names of other tools, and other forms of a name, each with the name of the field in a spec.
const SYNONYMS: [(&str, &str); 8] = [
    ("value", "data"),
    ("kind", "type"),
    ("regtype", "type"),
    ("path", "key"),
    ("description", "summary"),
    ("name", "title"),
    ("kept", "keep"),
    ("preserve", "keep"),
];

/// Returns the item of `known`, a list of field names, that other tools call `name`; `None` if there is no such item.
pub(in crate::spec) fn synonym<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let meant = SYNONYMS.iter().filter(|(word, _)| name.eq_ignore_ascii_case(word));
    meant.filter_map(|(_, field)| known.iter().copied().find(|k| k == field)).next()
}

/// Returns whether `path` is the path of a value rule, such as `registry[0].values.Start`.
pub(in crate::spec) fn is_value_rule(path: &Path) -> bool {
    path.0.len() == 4 && path.field_at(0) == Some("registry") && path.field_at(2) == Some("values")
}

/// Returns whether `path`, which leads into a value rule, leads to whole data of the value: data that the rule writes,
/// accepts or compares. Texts for people, conditions, and parts of strings do not count.
fn is_data_of_rule(path: &Path) -> bool {
    match (path.field_at(4), path.field_at(5)) {
        (Some("data" | "if_absent" | "allowed"), _) => true,
        (Some("bits"), field) => matches!(field, Some("set" | "clear")),
        (Some("keep"), field) => matches!(field, Some("at_least" | "at_most" | "one_of" | "not")),
        _ => false,
    }
}

/// Returns whether a number at `path` is registry data, and not, for example, the size of a file or a code page.
pub(in crate::spec) fn is_registry_number(path: &Path) -> bool {
    const DATA: [&str; 8] = ["allowed", "at_least", "at_most", "default", "equals", "not", "one_of", "range"];
    let is_of_data = |step: &Step| matches!(step, Step::Field(name) if DATA.contains(&&**name));
    path.0.len() > 4 && is_data_of_rule(path) || path.0.iter().rev().take(2).any(is_of_data)
}

/// Returns whether the last name in the path is not a field of the spec language, because the author chose it: the name
/// of a parameter or location, or allowed data of a parameter.
fn is_own_name(path: &Path) -> bool {
    match (path.field_at(0), path.0.len()) {
        (Some("parameters" | "locations"), 2) => true,
        (Some("parameters"), 4) => path.field_at(2) == Some("allowed"),
        _ => false,
    }
}

/// Returns the type of a value rule, or the first of its types. `path` is the path of the rule or of registry data in
/// the rule; for any other path, returns `None`. Also returns `None` if the rule has no type.
pub(in crate::spec) fn type_beside(places: &Places, path: &Path) -> Option<String> {
    let rule = Path(path.0.get(..4)?.to_vec());
    if !is_value_rule(&rule) || path.0.len() > 4 && !is_data_of_rule(path) {
        return None;
    }
    let given = rule.field("type");
    let text = |path: &Path| match &places.resolve(places.node(path)?).kind {
        Kind::Scalar { text, .. } => Some(text.clone()),
        _ => None,
    };
    text(&given).or_else(|| text(&given.item(0)))
}

/// Returns the type of a value rule, or the first of its types, if this is a number type; otherwise `None`. `path` is
/// the path of the rule or of registry data in the rule.
pub(in crate::spec) fn number_type_beside(places: &Places, path: &Path) -> Option<String> {
    type_beside(places, path).filter(|value_type| is_number_type(value_type))
}

/// Returns whether the data of this registry type is a number.
pub(in crate::spec) fn is_number_type(value_type: &str) -> bool {
    matches!(value_type, "REG_DWORD" | "REG_QWORD" | "REG_DWORD_BIG_ENDIAN")
}

/// Returns the truth value that `word` (such as `yes`, `on` or `true`) means; `None` for another word.
fn truth_of(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "yes" | "y" | "on" | "true" => Some(true),
        "no" | "n" | "off" | "false" => Some(false),
        _ => None,
    }
}

/// Returns a hint that says what to write in the field at `path` instead of `word`. Returns `None` if `word` is not a
/// truth value (such as `yes`, `on` or `true`), or if there is no hint for this field.
pub(in crate::spec) fn for_truth(places: &Places, path: &Path, word: &str) -> Option<String> {
    let yes = truth_of(word)?;
    if let Some(value_type) = number_type_beside(places, path).filter(|_| !is_value_rule(path)) {
        return Some(format!("a {value_type} takes a number: write {}", u8::from(yes)));
    }
    match path.last_field().filter(|_| !is_value_rule(path)) {
        Some("computer") => Some(format!("write `{}`", if yes { "required" } else { "never" })),
        Some("ensure") => Some(format!("write `{}`", if yes { "present" } else { "absent" })),
        _ => None,
    }
}

/// Returns a hint that says what the field at `path` accepts instead of the unquoted scalar `text`. Returns `None` if
/// the field accepts any string, so that quotes would help; if the field accepts a number and `is_number` says that
/// `text` can be one; or if `schema` has no such field.
pub(in crate::spec) fn without_quotes(schema: &Value, path: &Path, text: &str, is_number: bool) -> Option<String> {
    let accepted = Accepted::at(schema, path);
    let accepts = |kind: &str| accepted.kinds.contains(&kind);
    if accepted.kinds.is_empty() || accepts("a string") || is_number && accepts("a number") {
        return None;
    }
    let is_word = |yes: &bool| accepts("true or false") || accepted.words.iter().any(|word| *word == yes.to_string());
    let truth = truth_of(text).filter(is_word).map(|yes| format!("write {yes}"));
    let whole = (accepted.kinds == ["a number"]).then(|| "write a whole number".to_owned());
    Some(truth.or_else(|| for_kind(path, &Value::Null, "")).or(whole).unwrap_or_else(|| accepted.hint()))
}

/// Returns a hint for a number with a fraction, which no field of a spec accepts; `None` if there is no hint for the
/// field at `path`.
pub(in crate::spec) fn for_fraction(places: &Places, path: &Path, text: &str) -> Option<String> {
    if matches!(path.last_field(), Some("version" | "from")) {
        return Some("a file version has four numbers: 6.5.7651.19".to_owned());
    }
    let value_type = number_type_beside(places, path)?;
    let whole = text.split('.').next().filter(|whole| whole.parse::<u64>().is_ok());
    let zeros = text.split_once('.').is_some_and(|(_, rest)| rest.bytes().all(|b| b == b'0'));
    Some(match whole.filter(|_| zeros) {
        Some(whole) => format!("a {value_type} takes a whole number: write {whole}"),
        None => format!("a {value_type} takes a whole number"),
    })
}

/// Returns a hint for data of the wrong kind: an example of the data that the author probably meant.
/// `found` is the data, and `expected` describes the kind that the field accepts. Returns `None` if there is no
/// example.
pub(in crate::spec) fn for_kind(path: &Path, found: &Value, expected: &str) -> Option<String> {
    let number = found.as_u64();
    let shown = |found: &Value| match found {
        Value::String(text) => shorten(text),
        other => shorten(&other.to_string()),
    };
    let written = shown(found);
    // A parameter or location can have the name of a field.
    let field = path.last_field().filter(|_| !is_own_name(path));
    if is_value_rule(path) {
        return Some(match found {
            Value::Number(_) => format!("write {{ type: REG_DWORD, data: {written} }}"),
            Value::String(_) => format!("write {{ type: REG_SZ, data: {} }}", quoted(&written)),
            Value::Array(_) => "write { type: REG_MULTI_SZ, data: [a, b] }".to_owned(),
            _ => "write a type and data: { type: REG_DWORD, data: 1 }".to_owned(),
        });
    }
    Some(match (field, found) {
        (Some("key"), Value::Array(items)) => {
            format!("write the key without brackets: {}", items.first().map(shown).unwrap_or_default())
        }
        (Some("values"), Value::Array(_)) => {
            "write each value under its name: `Start: { type: REG_DWORD, data: 4 }`".to_owned()
        }
        (Some("bits"), Value::Number(_)) => {
            format!("write {{ set: {0} }}, {{ clear: {0} }} or both", hex(number).unwrap_or(written))
        }
        (Some("keep"), Value::Number(_)) => format!("write {{ at_least: {written} }} or {{ at_most: {written} }}"),
        (Some("keep"), Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("write {{ one_of: [{}] }}", shorten(&items.join(", ")))
        }
        (Some("keep"), _) => {
            "write any, none, { at_least: 3 }, { at_most: 900 }, { one_of: [3, 5] } or { not: [0] }".to_owned()
        }
        (Some("bits"), _) => "write { set: 0x400 }, { clear: 0x1 } or both".to_owned(),
        (Some("replace"), _) => "write { pattern: 'Timeout=(?<part>\\d+)', with: \"30\" }".to_owned(),
        (Some("list"), _) => "write { add: [a, b] }, { remove: [c] } or both".to_owned(),
        (Some("sources"), _) | (None, Value::String(_)) if path.field_at(0) == Some("sources") => {
            let url = if written.starts_with("http") { written.as_str() } else { "https://…" };
            let mapping = format!("{{ level: microsoft, what: …, url: \"{url}\" }}");
            match field {
                Some(_) => format!("write a list of mappings: [{mapping}]"),
                None => format!("write {mapping}"),
            }
        }
        (Some("restart"), _) if path.0.len() == 1 => "write { computer: required } or { computer: never }".to_owned(),
        (Some("article"), Value::String(_)) => format!("write {{ url: {} }}", quoted(&written)),
        // The `not` of a `keep` takes a list of data.
        (Some("applicable" | "when" | "not"), _) if path.field_at(4) != Some("keep") => {
            "write a condition: { registry: { key: … } }, { file: { path: … } } or { os: { at_least: \"6.1\" } }"
                .to_owned()
        }
        (Some("registry"), Value::Object(_)) if path.0.len() == 1 => {
            "write a list: `- key: …` with `- ` before each key".to_owned()
        }
        (_, Value::String(text)) if expected == "a number" && text.parse::<u64>().is_err() => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            if digits.is_empty() || text.contains([',', '.', '-']) {
                return None;
            }
            format!("write the number alone: {}", shorten(&digits))
        }
        _ => return None,
    })
}

/// Returns the items in `text`, with semicolons or commas between them, as a YAML list of strings; `None` if there are
/// fewer than two items.
pub(in crate::spec) fn split_list(text: &str) -> Option<String> {
    let separator = if text.contains(';') { ';' } else { ',' };
    let items: Vec<&str> = text.split(separator).map(str::trim).filter(|item| !item.is_empty()).collect();
    let is_simple = !text.contains(['"', '\\']);
    let quote = |item: &&str| if is_simple { format!("\"{item}\"") } else { quoted(item) };
    let list = || format!("[{}]", shorten(&items.iter().map(quote).collect::<Vec<_>>().join(", ")));
    (items.len() > 1).then(list)
}

/// Returns a hint for a string at `path`, where the schema expects `expected`: a number, a truth value or a list.
/// Returns `None` if `found` is no string, or if there is no hint.
pub(super) fn for_string(places: &Places, path: &Path, found: &Value, expected: &str) -> Option<String> {
    let text = found.as_str()?;
    let hint = match expected {
        _ if expected.contains("a number") && text.contains(',') => "write the number without separators",
        "a number" => "write a number without quotes",
        "true or false" => "write true or false, without quotes",
        "a list" => return Some(string_as_list(text, places.unquoted(path).is_some())),
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns a hint for the string `text` in place of a list: the list that the author probably meant. `is_plain` says
/// that the string is not in quotes.
fn string_as_list(text: &str, is_plain: bool) -> String {
    if is_plain && text.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_alphabetic)) {
        return "write a space after the `-` of each item".to_owned();
    }
    // A comma in a text with spaces need not separate items.
    let is_list = text.split([',', ';']).all(|item| !item.trim().contains(char::is_whitespace));
    if let Some(items) = split_list(text).filter(|_| is_list) {
        return format!("write a list: {items}");
    }
    let is_simple =
        text.starts_with(char::is_alphabetic) && text.chars().all(|c| c.is_alphanumeric() || " .-_/\\".contains(c));
    let item = shorten(text);
    format!("write a list: [{}]", if is_simple { item } else { quoted(&item) })
}

/// Returns the first of `fields` and a hint with the test that the author probably meant, if `fields` are the fields of
/// a test where a condition must be, such as `{ key: HKLM\SOFTWARE\X }` without `registry`; otherwise `None`. `known`
/// are the fields that the schema allows there.
pub(super) fn test_of<'f>(fields: impl Iterator<Item = &'f String>, known: &[&str]) -> Option<(&'f str, String)> {
    const OS: [&str; 5] = ["at_least", "below", "edition", "product", "service_pack"];
    if !["registry", "file", "os", "all"].iter().all(|kind| known.contains(kind)) {
        return None;
    }
    let mut fields: Vec<&str> = fields.map(String::as_str).collect();
    fields.sort_by_key(|field| !matches!(*field, "key" | "path"));
    let kind = match *fields.first()? {
        _ if fields.iter().any(|field| known.contains(field)) => return None,
        "key" => "registry",
        "path" => "file",
        _ if fields.iter().all(|field| OS.contains(field)) => "os",
        _ => return None,
    };
    let all = first_few(fields.iter().map(|field| format!("{}: …", shorten(field))));
    Some((fields[0], format!("write `{kind}: {{ {all} }}`")))
}

/// Returns a message and a hint if the name of the field at `path` shows that no space follows the `:` after the name
/// that the author meant: YAML reads `Start:{type: REG_DWORD}` as a field `Start:{type`. Otherwise returns `None`.
pub(super) fn space_before_bracket(places: &Places, path: &Path) -> Option<(String, String)> {
    let name = path.last_field()?;
    let at = name.find(":{").or_else(|| name.find(":["))?;
    if name[at..].contains(['}', ']']) || places.entry(path)?.style != Style::Plain {
        return None;
    }
    let (before, bracket) = (shorten(&name[..at]), &name[at + 1..at + 2]);
    Some((format!("a space is missing after `:` in `{before}:{bracket}`"), format!("write `{before}: {bracket}`")))
}

fn hex(number: Option<u64>) -> Option<String> {
    number.map(|number| format!("0x{number:x}"))
}

/// Returns `text` in single quotes, as YAML.
pub(in crate::spec) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns the names of the fields after the empty field at `path` that the author probably meant to indent below this
/// field: values below `values:`, or `type` and `data` below the name of a value. The list is empty if there are none.
pub(in crate::spec) fn beside_empty(places: &Places, path: &Path) -> Vec<String> {
    const KEY_RULE: [&str; 13] = [
        "key",
        "id",
        "severity",
        "controls",
        "view",
        "default_profile",
        "ensure",
        "on_subkeys",
        "exclusive",
        "when",
        "trigger",
        "values",
        "note",
    ];
    const VALUE_RULE: [&str; 16] = [
        "id",
        "severity",
        "controls",
        "type",
        "data",
        "keep",
        "allowed",
        "ensure",
        "bits",
        "list",
        "replace",
        "compare",
        "sensitive",
        "if_absent",
        "when",
        "note",
    ];
    let Some((Step::Field(name), above)) = path.0.split_last() else { return Vec::new() };
    let above = Path(above.to_vec());
    let fits = |sibling: &str| match above.last_field() {
        Some("values") => is_value_rule(path) && VALUE_RULE.contains(&sibling) && !VALUE_RULE.contains(&&**name),
        _ => **name == *"values" && above.field_at(0) == Some("registry") && !KEY_RULE.contains(&sibling),
    };
    let Some(owner) = places.node(&above).map(|node| places.resolve(node)) else { return Vec::new() };
    let Kind::Mapping(entries) = &owner.kind else { return Vec::new() };
    let after = entries.iter().skip_while(|entry| *entry.name != **name).skip(1);
    after.map(|entry| entry.name.to_string()).take_while(|name| fits(name)).collect()
}

/// Returns the name of the empty field below which the author probably meant to indent the field at `path`; `None` if
/// there is no such field.
pub(in crate::spec) fn meant_below(places: &Places, path: &Path) -> Option<String> {
    let (Step::Field(name), above) = path.0.split_last()? else { return None };
    let above = Path(above.to_vec());
    let Kind::Mapping(entries) = &places.resolve(places.node(&above)?).kind else { return None };
    let empty = |entry: &&Entry| match &places.at(entry.value).kind {
        Kind::Scalar { text, style: Style::Plain } => text.is_empty(),
        _ => false,
    };
    let before = entries.iter().take_while(|entry| *entry.name != **name);
    before
        .filter(empty)
        .map(|entry| entry.name.to_string())
        .find(|empty| beside_empty(places, &above.field(empty)).iter().any(|beside| **beside == **name))
}
