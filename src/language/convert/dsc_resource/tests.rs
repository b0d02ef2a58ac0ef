use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::spec::Setting;

fn read(resource: Resource, input: &serde_json::Value) -> Result<Instance, String> {
    Instance::read(resource, &input.to_string()).map_err(|error| error.what)
}

#[test]
fn types_are_as_dsc_wants_them_and_no_two_are_the_same() {
    let types: Vec<String> = Resource::all().map(Resource::type_name).collect();
    for name in &types {
        let (owner, rest) = name.split_once('/').unwrap();
        assert!(owner.split('.').all(|part| !part.is_empty() && part.chars().all(char::is_alphanumeric)), "{name}");
        assert!(!rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
        assert_eq!(Resource::of_type(&name.to_lowercase()).unwrap().type_name(), *name);
    }
    let distinct: BTreeSet<String> = types.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(distinct.len(), types.len());
    assert!(types.contains(&"Kbfix.Spec/CVE_2013_3900".to_owned()), "{types:?}");
    assert_eq!(Resource::of_type("Kbfix.Spec/KB90909").unwrap_err().meant.unwrap(), "Kbfix.Spec/KB909094");
    assert_eq!(Resource::of_type("x").unwrap_err().to_string(), "`x` is not a DSC resource of kbfix");
}

#[test]
fn no_parameter_of_the_library_has_the_name_of_another_property() {
    for resource in Resource::all() {
        let Some(spec) = resource.spec() else { continue };
        let mut others = schema::common();
        others.extend(instance::READ_ONLY.map(|name| (name.to_owned(), true.into())));
        for name in spec.document.parameters.keys() {
            // DSC reads a property whose name begins with `_` as one of its own.
            assert!(!others.contains_key(name) && !name.starts_with('_'), "{}: {name}", spec.id);
        }
    }
}

#[test]
fn the_list_takes_ids_texts_and_parameters() {
    let text = "kbfix: 1\nid: X\n";
    let input = json!({
        "specs": ["KB909094", text], "target": "image:x", "files": "C",
        "parameters": { "n": 1, "t": "a", "l": ["a,b"], "s": { "secureString": "secret" } },
        "_metadata": { "Microsoft.DSC": {} }, "results": [],
    });
    let instance = read(Resource::SpecList, &input).unwrap();
    let names: Vec<&str> = instance.specs.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names, ["built-in KB909094", "specs[1]"]);
    assert_eq!(instance.specs[1].text, text);
    assert_eq!((instance.target.as_deref(), instance.files.as_deref()), (Some("image:x"), Some("C")));
    let settings = instance.settings();
    assert_eq!(settings.get("n"), Some(&Setting::from("1")));
    assert_eq!(settings.get("l"), Some(&Setting::List(vec!["a,b".to_owned()])));
    assert_eq!(settings.get("s"), Some(&Setting::from("secret")));
    assert!(!format!("{:?}", instance.given).contains("secret"), "{:?}", instance.given);
    assert_eq!(instance.given["parameters"], json!({ "n": 1, "t": "a", "l": ["a,b"] }));
    assert!(!instance.given.contains_key("_metadata") && !instance.given.contains_key("results"));
}

#[test]
fn a_spec_takes_its_parameters() {
    let spec = Resource::Spec("KB909094");
    let instance = read(spec, &json!({ "realm_hint": 0, "target": "reg:x" })).unwrap();
    assert_eq!(instance.specs[0].name, "built-in KB909094");
    assert_eq!(instance.settings().get("realm_hint"), Some(&Setting::from("0")));
    assert_eq!(Instance::read(spec, "").unwrap().specs.len(), 1);
    let error = read(spec, &json!({ "realmhint": 0 })).unwrap_err();
    assert!(error.contains("there is no property `realmhint`; did you mean `realm_hint`?"), "{error}");
}

#[test]
fn what_is_not_of_the_schema_is_refused_with_its_place() {
    for (input, why) in [
        ("[]", "expected an object, found a list"),
        ("{", "the text ends too early"),
        (r#"{"target":"a","target":"b"}"#, "twice"),
        (r#"{"target":1}"#, "`target`: expected a string, found a number"),
        (r#"{"target":""}"#, "found an empty string"),
        (r#"{"specs":[]}"#, "`specs`: expected at least one spec"),
        (r#"{"specs":"KB909094"}"#, "`specs`: expected a list of strings, found a string"),
        (r#"{"specs":["KB909094","KB90909"]}"#, "item 2: there is no built-in spec KB90909; did you mean KB909094?"),
        (r#"{"specs":["KB909094"],"parameters":{"x":-1}}"#, "`parameters`: `x`: expected a whole number"),
        (r#"{"specs":["KB909094"],"parameters":{"x":true}}"#, "found true or false"),
        (r#"{"specs":["KB909094"],"parameters":{"x":[1]}}"#, "found a list with other items"),
        (r#"{"spec":["KB909094"]}"#, "did you mean `specs`?"),
    ] {
        let error = Instance::read(Resource::SpecList, input).unwrap_err();
        assert!(error.what.contains(why) && error.what.contains("Kbfix/SpecList"), "{input}: {error}");
        assert!(error.hint.contains("kbfix dsc schema --type Kbfix/SpecList"), "{}", error.hint);
    }
}

#[test]
fn every_schema_is_one_and_takes_what_it_shows_as_default() {
    for resource in Resource::all() {
        let schema = schema(resource);
        if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
            panic!("{resource:?}: {error}");
        }
        let defaults = schema["properties"].as_object().unwrap().iter();
        let defaults = defaults.filter_map(|(name, one)| Some((name.clone(), one.get("default")?.clone())));
        let instance = serde_json::Value::Object(defaults.collect());
        if resource != Resource::SpecList {
            jsonschema::draft202012::new(&schema).unwrap().validate(&instance).unwrap();
        }
    }
    let schema = schema(Resource::Spec("KB909094"));
    assert_eq!(schema["properties"]["realm_hint"]["default"], 1);
    assert_eq!(schema["properties"]["realm_hint"]["description"], "The data of DisableRealmHint. (0: off; 1: on)");
}
