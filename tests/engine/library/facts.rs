//! Compares every spec with `tests/fixtures/library/facts.yaml`, which contains the keys, values, types and data from
//! the sources, without their sentences. A mistake in a spec, or a value that is in no source, is reported with its
//! spec and field.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use kbfix::spec::{
    self, Settings,
    document::{
        Allowed, DataExpression, Document, Ensure, KeyRule, ListEdit, Literal, Parameter, Scalar, ValueRule, ViewChoice,
    },
};
use serde::Deserialize;

use crate::{
    library::{table::types, yaml_files},
    scenario::read_yaml,
};

/// One value, or a whole key, as in the sources.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    /// The id of the spec about the value or key.
    id: String,
    key: String,
    /// `32` or `both`; absent for the view of 64-bit programs, or for a key without views.
    #[serde(default)]
    view: Option<Scalar>,
    /// The value name; absent if the fact is about the whole key.
    #[serde(default)]
    value: Option<String>,
    /// The types that a spec may use.
    #[serde(rename = "type", default)]
    types: Vec<String>,
    /// All data that a spec may write: numbers, strings, `absent`, `set N` and `clear N` for bits, `with X` and
    /// `without X` for a list, and `chosen` for data that only the operator knows.
    data: Vec<Scalar>,
    /// The source of the fact.
    source: String,
}

/// The types of a value, and the data that may be written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    types: BTreeSet<String>,
    data: BTreeSet<String>,
}

/// The facts by spec, key with its view, and value name. Case is ignored as in Windows.
type Table = BTreeMap<(String, String, String), Said>;

fn place(id: &str, key: &str, view: &str, value: Option<&str>) -> (String, String, String) {
    let view = if view == "64" { String::new() } else { format!(" ({view})") };
    (
        id.to_owned(),
        format!("{}{view}", key.to_uppercase()),
        value.map_or_else(String::new, |v| format!("\"{v}\"").to_uppercase()),
    )
}

fn of_facts() -> Table {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/library/facts.yaml");
    let mut table = Table::new();
    for fact in read_yaml::<Vec<Fact>>(&path) {
        assert!(!fact.source.is_empty(), "{}, {}: no source", fact.id, fact.key);
        let view = fact.view.as_ref().map_or_else(|| "64".to_owned(), text);
        let place = place(&fact.id, &fact.key, &view, fact.value.as_deref());
        let said = Said { types: fact.types.into_iter().collect(), data: fact.data.iter().map(text).collect() };
        assert!(table.insert(place, said).is_none(), "{}, {}, {:?} is there twice", fact.id, fact.key, fact.value);
    }
    table
}

fn of_specs() -> Table {
    let mut table = Table::new();
    for (id, path) in yaml_files("specs") {
        let document = spec::load(&id, &fs::read(path).unwrap(), &Settings::for_validation()).spec.unwrap().document;
        for rule in &document.registry {
            of_rule(&id, &document, rule, &mut table);
        }
    }
    table
}

fn of_rule(id: &str, document: &Document, rule: &KeyRule, table: &mut Table) {
    let view = match rule.view {
        None | Some(ViewChoice::Bits64) => "64",
        Some(ViewChoice::Bits32) => "32",
        Some(ViewChoice::Both) => "both",
    };
    if rule.values.is_empty() {
        let data = if rule.ensure == Some(Ensure::Absent) { "absent" } else { "present" };
        table.entry(place(id, &rule.key, view, None)).or_default().data.insert(data.to_owned());
    }
    for (name, value) in &rule.values {
        let said = table.entry(place(id, &rule.key, view, Some(name))).or_default();
        said.types.extend(types(value).into_iter().map(super::table::name));
        said.data.extend(data(value, document));
    }
}

/// Returns all data that a spec may write, in the notation of the facts.
fn data(value: &ValueRule, document: &Document) -> Vec<String> {
    let expression = |data: &DataExpression| match data {
        DataExpression::Literal(literal) => strings(literal),
        DataExpression::Parameter(reference) => of_parameter(&document.parameters[&reference.parameter]),
    };
    if value.ensure == Some(Ensure::Absent) {
        return vec!["absent".to_owned()];
    }
    let mut all = value.data.as_ref().map(expression).unwrap_or_default();
    if let Some(bits) = &value.bits {
        all.extend(bits.set.iter().map(|bits| format!("set {}", text(bits))));
        all.extend(bits.clear.iter().map(|bits| format!("clear {}", text(bits))));
    }
    if let Some(ListEdit { add, remove, .. }) = value.list.as_deref() {
        all.extend(add.iter().flat_map(expression).map(|item| format!("with {item}")));
        all.extend(remove.iter().flat_map(expression).map(|item| format!("without {item}")));
    }
    all
}

fn of_parameter(parameter: &Parameter) -> Vec<String> {
    let mut all = parameter.default.as_ref().map(strings).unwrap_or_default();
    match &parameter.allowed {
        None => all.push("chosen".to_owned()),
        Some(Allowed::List(list)) => all.extend(list.iter().map(text)),
        Some(Allowed::Meanings(map)) => all.extend(map.keys().map(|name| text(&Scalar::Text(name.clone())))),
    }
    all
}

fn strings(literal: &Literal) -> Vec<String> {
    match literal {
        Literal::Number(number) => vec![number.to_string()],
        Literal::Text(string) => vec![text(&Scalar::Text(string.clone()))],
        Literal::List(list) => list.clone(),
    }
}

/// Returns the text with numbers in decimal, also in `set 0x20`.
fn text(scalar: &Scalar) -> String {
    let Scalar::Text(text) = scalar else {
        let Scalar::Number(number) = scalar else { unreachable!() };
        return number.to_string();
    };
    let word = |word: &str| match word.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
        Some(number) => number.to_string(),
        None => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_value_is_as_the_sources_have_it() {
    let (facts, specs) = (of_facts(), of_specs());
    let mut failures = Vec::new();
    for (place, said) in &specs {
        let (id, key, value) = place;
        match facts.get(place) {
            None => failures.push(format!("{id}: key or value: {key} {value} is in no fact")),
            Some(fact) if fact.types != said.types => {
                failures.push(format!(
                    "{id}: type of {key} {value}: the spec has {:?}, the facts {:?}",
                    said.types, fact.types
                ));
            }
            Some(fact) if fact.data != said.data => {
                failures.push(format!(
                    "{id}: data of {key} {value}: the spec has {:?}, the facts {:?}",
                    said.data, fact.data
                ));
            }
            Some(_) => {}
        }
    }
    let missing = facts.keys().filter(|place| !specs.contains_key(place));
    failures.extend(missing.map(|(id, key, value)| format!("{id}: key or value: {key} {value} is in no spec")));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
