//! Tests the import of Microsoft's baseline for member servers: for each rule and each state of its value, kbfix gives
//! the same result as the JSON Schema of the rule in the manifest. The manifest is a copy (tests/fixtures/osconfig,
//! from github.com/microsoft/osconfig at 9ebed7c, security/ws2025).

use std::collections::{BTreeMap, BTreeSet};

use kbfix::{
    convert::import::{About, osconfig},
    operation::make_plan,
    plan::Outcome,
    registry::{Data, Decoded, Key, KeyPath, RootKey, ValueName, ValueType, View},
    spec::{self, Settings, Spec},
};
use serde_json::{Value, json};

use crate::properties::model::Model;

const MANIFEST: &[u8] = include_bytes!("../fixtures/osconfig/member_server.osc.yaml");

/// A registry rule of the manifest, read without kbfix.
struct Rule {
    name: String,
    key: Key,
    value: ValueName,
    value_type: ValueType,
    /// The data that the rule writes, in the type of the rule.
    data: Option<Data>,
    schema: Value,
}

impl Rule {
    fn place(&self) -> (Key, ValueName) {
        (self.key.clone(), self.value.clone())
    }
}

fn rules() -> Vec<Rule> {
    let text = std::str::from_utf8(MANIFEST).unwrap().trim_start_matches('\u{feff}');
    let manifest: Value = serde_yaml::from_str(text).unwrap();
    let resources = manifest["resources"].as_array().unwrap();
    let of_registry = resources.iter().filter(|r| r["properties"]["resource"]["type"] == "Microsoft.Windows/Registry");
    of_registry
        .map(|resource| {
            let properties = &resource["properties"]["resource"]["properties"];
            let path = properties["keyPath"].as_str().unwrap().strip_prefix("HKEY_LOCAL_MACHINE\\").unwrap();
            let path = KeyPath::from_parts(RootKey::Hklm, path).unwrap();
            let (value_type, data) = match properties["valueType"].as_str().unwrap() {
                "REG_DWORD" => (ValueType::DWORD, properties["value"].as_u64().map(|n| Data::dword(n as u32))),
                "REG_SZ" => (ValueType::SZ, properties["value"].as_str().map(Data::sz)),
                other => panic!("{other}"),
            };
            Rule {
                name: resource["name"].as_str().unwrap().to_owned(),
                key: Key::new(path).one_name(false),
                value: ValueName::new(properties["valueName"].as_str().unwrap()).unwrap(),
                value_type,
                data,
                schema: resource["properties"]["schema"].clone(),
            }
        })
        .collect()
}

fn imported() -> (osconfig::ImportedManifest, Spec) {
    let about = About { id: "WS2025", title: "Member server", summary: None };
    let imported = osconfig::import("member_server.osc.yaml", MANIFEST, about).unwrap_or_else(|d| panic!("{d:#?}"));
    let loaded = spec::load("WS2025", imported.spec.text.as_bytes(), &Settings::new());
    let spec = loaded.spec.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    (imported, spec)
}

/// Returns the values that the spec names.
fn places(spec: &Spec) -> BTreeSet<(Key, ValueName)> {
    let mut out = BTreeSet::new();
    for rule in &spec.document.registry {
        let below = rule.key.strip_prefix("HKLM\\").unwrap();
        let path = KeyPath::from_parts(RootKey::Hklm, below).unwrap();
        let view = if rule.view.is_some() { View::Bits32 } else { View::Bits64 };
        let key = Key { path, view };
        out.extend(rule.values.keys().map(|name| (key.clone(), ValueName::new(name).unwrap())));
    }
    out
}

/// Collects all numbers and strings in a schema.
fn mentioned(schema: &Value, out: &mut Vec<Value>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| mentioned(item, out)),
        Value::Object(fields) => fields.values().for_each(|field| mentioned(field, out)),
        Value::Null | Value::Bool(_) => {}
        literal => out.push(literal.clone()),
    }
}

/// Returns the states of a rule's value that are tested: right, off by one, absent, of a wrong type. The first is the
/// state that the rule writes.
fn states(rule: &Rule) -> Vec<Option<Data>> {
    let mut literals = Vec::new();
    mentioned(&rule.schema, &mut literals);
    let mut out = vec![rule.data.clone(), None];
    let mut texts = BTreeSet::from([String::new(), "0".to_owned(), "other".to_owned()]);
    let mut numbers = BTreeSet::from([0, 1, u64::from(u32::MAX)]);
    if let Some(Decoded::Text(text)) = rule.data.as_ref().map(Data::decode) {
        texts.insert(text);
    }
    for literal in &literals {
        match literal {
            Value::Number(number) => numbers.extend(number.as_u64()),
            Value::String(text) => drop(texts.insert(text.clone())),
            _ => {}
        }
    }
    for number in numbers.clone() {
        numbers.extend([number.saturating_sub(1), number + 1]);
    }
    numbers.retain(|number| u32::try_from(*number).is_ok());
    for text in texts.clone() {
        let shorter = text.char_indices().next_back().map_or("", |(at, _)| &text[..at]);
        let (first, rest) = text.split_once(',').unwrap_or(("", &text));
        texts.extend([
            shorter.to_owned(),
            format!("{text}x"),
            format!("x{text}"),
            text.to_lowercase(),
            text.to_uppercase(),
            // The list without one item, with an additional item, and in another order.
            rest.to_owned(),
            format!("{text},more"),
            format!("{rest},{first}"),
            format!(" {rest} , {first} "),
        ]);
    }
    texts.extend(numbers.iter().map(ToString::to_string));
    if rule.value_type == ValueType::DWORD {
        out.extend(numbers.iter().map(|number| Some(Data::dword(*number as u32))));
        // A wrong type, also with data that would be right.
        out.extend(numbers.iter().flat_map(|number| [Data::qword(*number), Data::sz(&number.to_string())]).map(Some));
        out.push(Some(Data::new(ValueType::BINARY, [1, 0, 0, 0])));
    } else {
        out.extend(texts.iter().map(|text| Some(Data::sz(text))));
        out.extend(texts.iter().map(|text| Some(Data::text(ValueType::EXPAND_SZ, text))));
        out.extend([1, 2].map(|number| Some(Data::dword(number))));
        out.push(Some(Data::multi_sz(texts.iter().filter(|text| !text.is_empty()))));
    }
    out
}

/// Returns the data as JSON for the schema of a rule: a list if the schema is about a list, and a number if it is about
/// numbers.
fn instance(data: &Data, schema: &Value) -> Value {
    let keywords = schema.to_string();
    let has = |names: &[&str]| names.iter().any(|name| keywords.contains(&format!("\"{name}\":")));
    match data.decode() {
        Decoded::Number(number) => number.into(),
        Decoded::Text(text) if has(&["items", "contains", "maxItems"]) => {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
        }
        Decoded::Text(text) if has(&["minimum", "maximum"]) || schema["const"].is_number() => {
            let number: Option<u64> = text.parse().ok().filter(|number: &u64| number.to_string() == text);
            number.map_or_else(|| text.into(), Value::from)
        }
        Decoded::Text(text) => text.into(),
        Decoded::List(list) => list.into(),
        Decoded::Bytes | Decoded::Malformed(_) => Value::Null,
    }
}

/// Returns the schema with the JSON type for each of its keywords. In JSON Schema, `minimum: 1` accepts null, but an
/// absent value does not meet a limit for the size of a log.
fn typed(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Some(fields) = schema.as_object_mut() else { return schema };
    for (keyword, json_type) in
        [("minimum", "integer"), ("maximum", "integer"), ("pattern", "string"), ("maxItems", "array")]
    {
        if fields.contains_key(keyword) {
            fields.insert("type".to_owned(), json_type.into());
        }
    }
    if fields.contains_key("items") || fields.contains_key("contains") {
        fields.insert("type".to_owned(), "array".into());
    }
    for keyword in ["oneOf", "anyOf", "allOf"] {
        if let Some(Value::Array(each)) = fields.get_mut(keyword) {
            each.iter_mut().for_each(|schema| *schema = typed(schema));
        }
    }
    if let Some(not) = fields.get_mut("not") {
        *not = typed(not);
    }
    schema
}

/// Returns the key that exists only on 64-bit Windows, which has two views.
fn other_view() -> (Key, Vec<(ValueName, Data)>) {
    (Key::new(KeyPath::from_parts(RootKey::Hklm, r"SOFTWARE\Wow6432Node").unwrap()), Vec::new())
}

#[test]
fn nearly_all_rules_are_imported_and_the_others_have_a_reason() {
    let (imported, spec) = imported();
    let rules = rules();
    let inside = places(&spec);
    let (taken, left_out): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| inside.contains(&rule.place()));
    assert_eq!((imported.rules, imported.imported), (222, 220));
    assert_eq!((rules.len(), taken.len(), inside.len()), (222, 220, 220));
    let messages: Vec<&str> = imported.spec.warnings.iter().map(|warning| warning.message.as_str()).collect();
    let expected = [
        "\"Disable SMB v1 client (remove dependency on LanmanWorkstation)\" is left out: Windows reads the dependencies of a service only from a REG_MULTI_SZ; in a value of the type REG_SZ, they would be lost, and the service might not start",
        "\"Enable Windows NTP Client\" is left out: its Microsoft.OSConfig/Test has no `schema`, which describes the acceptable data",
        "left out: 147 resources of the type \"Microsoft.Windows/CSP\", which are not imported: kbfix imports only Microsoft.Windows/Registry",
    ];
    assert_eq!(messages, expected);
    for (rule, message) in left_out.iter().zip(expected) {
        assert!(message.contains(&rule.name), "{}", rule.name);
    }
    // The spec names what was left out.
    let notes = &spec.document.notes;
    assert_eq!(notes.len(), 3);
    assert!(notes.iter().zip(expected).all(|(note, message)| note.ends_with(message.rsplit(": ").next().unwrap())));
    // Every rule keeps its name, and has an id of its own.
    let values: Vec<_> = spec.document.registry.iter().flat_map(|rule| rule.values.values()).collect();
    let ids: BTreeSet<_> = values.iter().filter_map(|value| value.id.as_deref()).collect();
    assert_eq!(ids.len(), 220);
    let names: BTreeSet<_> = taken.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(values.iter().filter_map(|value| value.note.as_deref()).collect::<BTreeSet<_>>(), names);
}

#[test]
fn every_verdict_is_that_of_the_schema_in_the_manifest() {
    let (_, spec) = imported();
    let inside = places(&spec);
    let rules: Vec<Rule> = rules().into_iter().filter(|rule| inside.contains(&rule.place())).collect();
    let states: Vec<_> = rules.iter().map(states).collect();
    let schemas: Vec<_> = rules
        .iter()
        .map(|rule| {
            // The type in the registry counts as well; without a value there is none.
            let types = json!([rule.value_type.to_string(), null]);
            let whole = json!({ "properties": { "type": { "enum": types }, "data": typed(&rule.schema) } });
            let validator = |schema: &Value| jsonschema::validator_for(schema).unwrap();
            (validator(&whole), validator(&rule.schema))
        })
        .collect();
    let most = states.iter().map(Vec::len).max().unwrap();
    let mut verdicts: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    for round in 0..most {
        let mut machine = BTreeMap::from([other_view()]);
        for (rule, states) in rules.iter().zip(&states) {
            let values = machine.entry(rule.key.clone()).or_default();
            values.extend(states.get(round).cloned().flatten().map(|data| (rule.value.clone(), data)));
        }
        let machine: Vec<_> = machine.into_iter().collect();
        let plan = make_plan(&mut Model::new(&machine), std::slice::from_ref(&spec)).unwrap();
        assert!(matches!(plan.outcome(), Outcome::ChangesPending | Outcome::InDesiredState), "{plan:?}");
        let changed: BTreeSet<(Key, ValueName)> = plan
            .changes()
            .flat_map(|change| change.values.iter().map(|value| (change.key.clone(), value.name.clone())))
            .collect();
        for ((rule, states), (whole, raw)) in rules.iter().zip(&states).zip(&schemas) {
            let Some(state) = states.get(round) else { continue };
            let data = state.as_ref().map_or(Value::Null, |data| instance(data, &rule.schema));
            let value_type = state.as_ref().map(|data| data.value_type.to_string());
            let accepted = whole.is_valid(&json!({ "type": value_type, "data": data }));
            let ours = !changed.contains(&rule.place());
            assert_eq!(ours, accepted, "{}: {state:?} as {data}; schema {}", rule.name, rule.schema);
            let column = match state {
                None => "absent",
                Some(data) if data.value_type != rule.value_type => "wrong type",
                Some(_) if round == 0 => "right",
                Some(_) => "other data",
            };
            *verdicts.entry((column, ours)).or_default() += 1;
            // The types that `typed` adds make no difference to data of the type that a keyword is about.
            if column == "other data" && !(data.is_string() && rule.schema.get("minimum").is_some()) {
                assert_eq!(raw.is_valid(&data), accepted, "{}: {data}", rule.name);
            }
        }
    }
    assert_eq!(verdicts.get(&("right", true)), Some(&220));
    assert_eq!(verdicts.get(&("right", false)), None);
    // An absent value is accepted by the 18 rules whose schema names null.
    assert_eq!(verdicts.get(&("absent", true)), Some(&18));
    assert_eq!(verdicts.get(&("absent", false)), Some(&202));
    assert_eq!(verdicts.get(&("wrong type", true)), None);
    assert!(verdicts[&("wrong type", false)] > 1_000 && verdicts[&("other data", false)] > 500, "{verdicts:?}");
    assert!(verdicts[&("other data", true)] > 250, "{verdicts:?}");
}
