//! Imports a manifest of Microsoft OSConfig: makes a spec from its registry rules.
//!
//! A manifest is a list of resources. A rule is a resource `Microsoft.Windows/Registry`, or a resource
//! `Microsoft.OSConfig/Test` that contains such a resource and a JSON schema. The schema describes the acceptable data;
//! the module `acceptable` reads it. If a spec cannot express a rule exactly, the rule is left out; a warning and the
//! notes of the spec give the reason.
//!
//! In a schema, null stands for an absent value. So an absent value is acceptable only if the schema allows null.
//! Microsoft's ConfigForge translates these schemas in the same way (`value != null && …`).
//!
//! Source: <https://github.com/microsoft/osconfig>, `docs/resources` and `schema`.

mod acceptable;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    diag::{Code, Diagnostic},
    registry::{Key, KeyPath, RootKey, ValueName, View, notation},
    spec::{
        MAX_BYTES, SideDocument, Source,
        document::{KeyRule, TypeName, ValueRule, ViewChoice},
        model::KeyPattern,
    },
};

use super::{About, Imported, faults, too_large, yaml};
use acceptable::Acceptable;

const ID: &str = "https://aka.ms/osc/schemas/prerelease/document.json";
const TEST: &str = "Microsoft.OSConfig/Test";
const REGISTRY: &str = "Microsoft.Windows/Registry";

/// The part of an OSConfig manifest that kbfix reads.
#[derive(Deserialize, JsonSchema)]
struct Manifest {
    resources: Vec<Resource>,
}

/// A resource of an OSConfig manifest.
#[derive(Deserialize, JsonSchema)]
struct Resource {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    properties: Value,
}

/// The result of importing an OSConfig manifest.
#[derive(Debug)]
pub struct ImportedManifest {
    /// The spec, with warnings about the parts of the manifest that were left out.
    pub spec: Imported,
    /// The number of registry rules in the manifest.
    pub rules: usize,
    /// The number of registry rules in the spec.
    pub imported: usize,
}

/// A registry rule of a manifest, converted to a value rule of the spec.
struct Rule {
    /// The index of the rule's resource in the manifest.
    at: usize,
    key: Key,
    name: ValueName,
    value: ValueRule,
}

/// Makes a spec from the bytes of an OSConfig manifest. `name` is the name of the file in messages.
///
/// # Errors
/// Returns the errors in the manifest, possibly with warnings. It is also an error if the manifest contains no registry
/// rule that a spec can express, or the spec would be too large.
pub fn import(name: &str, bytes: &[u8], about: About<'_>) -> Result<ImportedManifest, Vec<Diagnostic>> {
    let document: SideDocument<'_, Manifest> =
        SideDocument::read(Source { name, bytes }, ID, "a manifest").map_err(with_form)?;
    let resources = &document.content.resources;
    let mut left_out: BTreeMap<usize, String> = BTreeMap::new();
    let mut others: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut seen = HashSet::new();
    for (at, resource) in resources.iter().enumerate() {
        let (kind, tested) = tested(resource);
        if kind != REGISTRY {
            others.entry(kind).or_insert((0, at)).0 += 1;
            continue;
        }
        match tested.and_then(|(properties, schema)| rule(at, properties, schema)) {
            Ok(rule) if seen.insert((rule.key.path.clone(), rule.key.view, rule.name.clone())) => rules.push(rule),
            Ok(_) => drop(left_out.insert(at, "an earlier rule of the manifest sets the same value".to_owned())),
            Err(why) => drop(left_out.insert(at, why)),
        }
    }
    let total = rules.len() + left_out.len();
    label(&mut rules, resources, about.id);
    let mut text = about.with_notes(&rules, &left_out, &others, resources);
    if faults(&text).is_some() {
        rules.retain(|rule| match faults(&yaml::yaml(&about.document(key_rules([rule])))) {
            None => true,
            Some(faults) => {
                // A made spec can only refuse the data in `value`: by a `keep`, which is made from `schema`.
                let why: Vec<_> = faults
                    .into_iter()
                    .map(|fault| match fault.code == Code::DATA_NOT_ALLOWED {
                        true => acceptable::REFUSED.to_owned(),
                        false => fault.message,
                    })
                    .collect();
                left_out.insert(rule.at, why.join("; "));
                false
            }
        });
        text = about.with_notes(&rules, &left_out, &others, resources);
    }
    let mut warnings = document.warnings.clone();
    for (at, why) in &left_out {
        let message = format!("{} is left out: {why}", named(&resources[*at]));
        let place = document.place(&["resources", &at.to_string(), "name"]);
        let hint =
            "write this rule by hand, or check the setting with another tool; the notes of the spec list the rule";
        warnings.push(Diagnostic::warning(Code::IMPORT_LEFT_OUT, message).at(place).hint(hint));
    }
    for (kind, (count, first)) in &others {
        let place = document.place(&["resources", &first.to_string(), "name"]);
        let hint = "apply these resources with OSConfig or another tool";
        let message = format!("left out: {}", count_of(*count, kind));
        warnings.push(Diagnostic::warning(Code::IMPORT_LEFT_OUT, message).at(place).hint(hint));
    }
    let start = document.place(&[]);
    if text.len() > MAX_BYTES {
        warnings.push(too_large(&format!("{} bytes", text.len()), start));
        return Err(warnings);
    }
    if rules.is_empty() {
        let message = "the manifest contains no registry rule that a spec can express";
        let hint = "import a manifest with resources of the type Microsoft.Windows/Registry";
        warnings.push(Diagnostic::error(Code::NOTHING_DESIRED, message).at(start).hint(hint));
        return Err(warnings);
    }
    if let Some(faults) = faults(&text) {
        warnings.extend(faults.into_iter().map(|fault| Diagnostic { place: None, ..fault }));
        return Err(warnings);
    }
    Ok(ImportedManifest { spec: Imported { text, warnings }, rules: total, imported: rules.len() })
}

/// Adds a hint that describes the structure of a manifest to each finding that has no hint.
fn with_form(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    for finding in findings.iter_mut().filter(|finding| finding.hint.is_none()) {
        finding.set_hint("a manifest has a list `resources`, and each resource has a `type` and `properties`");
    }
    findings
}

/// The properties of a resource. If a `Microsoft.OSConfig/Test` contains the resource, the second part is the JSON
/// schema of this test; otherwise it is `None`. The error says why kbfix cannot use the test.
type Tested<'r> = Result<(&'r Value, Option<&'r Value>), String>;

/// Returns the type and the properties of `resource`. If it is a `Microsoft.OSConfig/Test`, returns the type and the
/// properties of the resource inside the test, with the JSON schema of the test. If that resource has no type, returns
/// the type of the test.
fn tested(resource: &Resource) -> (&str, Tested<'_>) {
    if resource.kind != TEST {
        return (&resource.kind, Ok((&resource.properties, None)));
    }
    let test = &resource.properties;
    let inner = &test["resource"];
    let kind = inner["type"].as_str().unwrap_or(TEST);
    let tested = match (&test["schema"], &test["expression"]) {
        (Value::Null, Value::Null) => {
            Err("its Microsoft.OSConfig/Test has no `schema`, which describes the acceptable data".to_owned())
        }
        (Value::Null, _) => {
            Err("its Microsoft.OSConfig/Test has an `expression`, which kbfix does not read".to_owned())
        }
        (schema, Value::Null) => Ok((&inner["properties"], Some(schema))),
        _ => Err("its Microsoft.OSConfig/Test has both `schema` and `expression`".to_owned()),
    };
    (kind, tested)
}

/// Makes a rule from the properties of a registry resource. `schema` is the schema of the test that contains the
/// resource; `None` if there is no test. `at` is the index of the resource.
///
/// # Errors
/// Returns the reason why a spec cannot express the rule.
fn rule(at: usize, properties: &Value, schema: Option<&Value>) -> Result<Rule, String> {
    let text = |field: &str| {
        properties[field]
            .as_str()
            .ok_or_else(|| format!("the field `{field}` of the rule is missing or is not a string"))
    };
    let path = key(text("keyPath")?)?;
    let name = ValueName::new(text("valueName")?).map_err(|error| error.to_string())?;
    let type_name = text("valueType")?;
    let kind: TypeName = serde_json::from_value(type_name.into())
        .map_err(|_| format!("the spec language does not have the type {}", notation::quoted(type_name)))?;
    if kind != TypeName::RegMultiSz && is_dependency(&path, &name) {
        return Err(format!(
            "Windows reads the dependencies of a service only from a REG_MULTI_SZ; in a value of the type {type_name}, \
             they would be lost, and the service might not start"
        ));
    }
    let acceptable = match schema {
        Some(schema) => Acceptable::read(schema, kind)?,
        None => Acceptable::just(acceptable::literal(&properties["value"], kind)?),
    };
    let value = acceptable.rule(&properties["value"], kind)?;
    // In a spec, the same key has one name.
    Ok(Rule { at, key: Key::new(path).one_name(false), name, value })
}

/// Parses a key path such as `HKEY_LOCAL_MACHINE\SOFTWARE\A` or `HKLM:\SOFTWARE\A`. Returns an error, as a message for
/// the user, if the path is not valid, or if its root key is HKCU, which means something else in a spec.
fn key(text: &str) -> Result<KeyPath, String> {
    let (root, below) = text.split_once('\\').unwrap_or((text, ""));
    let name = root.strip_suffix(':').unwrap_or(root);
    match RootKey::parse(name) {
        None => Err(format!("{} is not a root key", notation::quoted(root))),
        Some(RootKey::Hkcu) => {
            Err("for OSConfig, HKEY_CURRENT_USER is the registry of the account that runs OSConfig, but in a spec it means each user of the machine".to_owned())
        }
        Some(root) => KeyPath::from_parts(root, below).map_err(|error| error.to_string()),
    }
}

/// Returns whether the value `name` in the key `path` belongs to a service, and lists the services or groups on which
/// the service depends.
///
/// Source: Microsoft, "HKLM\SYSTEM\CurrentControlSet\Services Registry Tree".
fn is_dependency(path: &KeyPath, name: &ValueName) -> bool {
    let of_service = path.parent().and_then(|above| above.last().map(|last| last.eq_ignore_ascii_case("Services")));
    of_service == Some(true)
        && ["DependOnService", "DependOnGroup"].iter().any(|other| name.as_str().eq_ignore_ascii_case(other))
}

/// Adds a note and an id to each rule whose resource has a name. The note is this name. The id consists of the ASCII
/// letters and digits, `.` and `_` of the name (with one `-` in place of other characters between them), cut to 90
/// characters, and a number if it would not be unique. If the name has no such characters, there is no id. `spec` is
/// the id of the spec.
fn label(rules: &mut [Rule], resources: &[Resource], spec: &str) {
    let mut taken = BTreeSet::from([spec.to_lowercase()]);
    let mut next: HashMap<String, usize> = HashMap::new();
    for rule in rules {
        let Some(name) = &resources[rule.at].name else { continue };
        let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
        let words: String = name.chars().map(legal).collect();
        let words: Vec<_> = words.split('-').filter(|word| !word.is_empty()).collect();
        let id: String = words.join("-").chars().take(90).collect();
        rule.value.note = Some(name.clone());
        if id.is_empty() {
            continue;
        }
        let number = next.entry(id.to_lowercase()).or_insert(1);
        let mut unique = id.clone();
        while !taken.insert(unique.to_lowercase()) {
            *number += 1;
            unique = format!("{id}-{number}");
        }
        rule.value.id = Some(unique);
    }
}

/// Returns the rules of a spec: one rule for each key, in the order in which the manifest first names the keys.
fn key_rules<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Vec<KeyRule> {
    let mut at: HashMap<(&KeyPath, View), usize> = HashMap::new();
    let mut out: Vec<KeyRule> = Vec::new();
    for rule in rules {
        let at = *at.entry((&rule.key.path, rule.key.view)).or_insert_with(|| {
            let view = (rule.key.view == View::Bits32).then_some(ViewChoice::Bits32);
            out.push(KeyRule { key: KeyPattern::of(&rule.key.path).to_string(), view, ..KeyRule::default() });
            out.len() - 1
        });
        out[at].values.insert(rule.name.to_string(), Box::new(rule.value.clone()));
    }
    out
}

fn named(resource: &Resource) -> String {
    resource.name.as_deref().map_or_else(|| "a rule without a name".to_owned(), notation::quoted)
}

fn count_of(count: usize, kind: &str) -> String {
    let (resources, are) = if count == 1 { ("resource", "is") } else { ("resources", "are") };
    format!(
        "{count} {resources} of the type {}, which {are} not imported: kbfix imports only {REGISTRY}",
        notation::quoted(kind)
    )
}

impl About<'_> {
    /// Returns the YAML text of the spec. The field `notes` says what was left out: each registry rule in `left_out`
    /// (by index in `resources`, with the reason), and each other type of resource in `others` (with the number of
    /// resources).
    fn with_notes(
        &self,
        rules: &[Rule],
        left_out: &BTreeMap<usize, String>,
        others: &BTreeMap<&str, (usize, usize)>,
        resources: &[Resource],
    ) -> String {
        let mut document = self.document(key_rules(rules));
        let each = left_out.iter().map(|(at, why)| format!("Left out: {}: {why}", named(&resources[*at])));
        let others = others.iter().map(|(kind, (count, _))| format!("Left out: {}", count_of(*count, kind)));
        document.notes = each.chain(others).collect();
        yaml::yaml(&document)
    }
}

#[cfg(test)]
mod tests;
