//! Reads the properties of a DSC resource instance, as a configuration gives them.

use serde_json::{Map, Value};

use super::Resource;
use crate::{
    diag::text::{shorten, suggest},
    format::json,
    spec::{Setting, Settings, library},
};

/// An instance of a DSC resource: the specs, and the target on which they are to be satisfied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instance {
    /// The specs, in order.
    pub specs: Vec<SpecText>,
    /// The values of the specs' parameters that the configuration gives.
    pub parameters: Vec<(String, Setting)>,
    /// The URI of the target; `None` for this machine.
    pub target: Option<String>,
    /// The local folder that holds the files of drive C.
    pub files: Option<String>,
    /// The properties that the answer must repeat: all given properties, except secure ones.
    pub given: Map<String, Value>,
}

/// The text of a spec, and the name by which messages call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecText {
    /// The name in messages, such as `built-in KB909094` or `specs[0]`.
    pub name: String,
    /// The text of the spec, in YAML.
    pub text: String,
}

/// The reason why the input does not match the schema of the resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct InputError {
    /// A description of the error, and of its place in the input.
    pub what: String,
    /// The hint: what the user can do.
    pub hint: String,
}

/// Properties that every resource returns. If a configuration gives them, they are ignored.
const READ_ONLY: [&str; 6] = ["result", "results", "journal", "_inDesiredState", "_restartRequired", "_metadata"];

impl Instance {
    /// Reads the input of a resource. Empty input means that no properties are given.
    ///
    /// # Errors
    /// Returns [`InputError`] if the input does not match the schema, or gives a property twice.
    pub fn read(resource: Resource, input: &str) -> Result<Self, InputError> {
        let invalid = |why: String| InputError {
            what: format!("the input of {} is not valid: {why}", resource.type_name()),
            hint: format!("`kbfix dsc schema --type {}` prints its schema", resource.type_name()),
        };
        let input = input.strip_prefix('\u{feff}').unwrap_or(input);
        let properties = if input.trim().is_empty() {
            Map::new()
        } else {
            json::check(input).map_err(|error| invalid(error.to_string()))?;
            match serde_json::from_str(input).map_err(|error| invalid(error.to_string()))? {
                Value::Object(properties) => properties,
                other => return Err(invalid(format!("expected an object, found {}", kind_of(&other)))),
            }
        };
        let known = match resource.spec() {
            Some(spec) => spec.document.parameters.into_keys().collect(),
            None => vec!["specs".to_owned(), "parameters".to_owned()],
        };
        let mut instance = Self::default();
        if let Resource::Spec(id) = resource {
            instance.specs.push(SpecText::built_in(id).ok_or_else(|| {
                invalid(format!(
                    "there is no built-in spec \
                {id}"
                ))
            })?);
        }
        for (name, value) in &properties {
            let at = |why: String| invalid(format!("`{name}`: {why}"));
            match (name.as_str(), resource) {
                ("target", _) => instance.target = Some(text(value).map_err(at)?),
                ("files", _) => instance.files = Some(text(value).map_err(at)?),
                ("specs", Resource::SpecList) => instance.specs = specs(value).map_err(at)?,
                ("parameters", Resource::SpecList) => {
                    let Value::Object(parameters) = value else { return Err(at(expected("an object", value))) };
                    let mut shown = Map::new();
                    for (name, value) in parameters {
                        let data = setting(value).map_err(|why| at(format!("`{name}`: {why}")))?;
                        instance.parameters.push((name.clone(), data));
                        if !is_secure(value) {
                            shown.insert(name.clone(), value.clone());
                        }
                    }
                    instance.given.insert(name.clone(), shown.into());
                    continue;
                }
                (name, _) if READ_ONLY.contains(&name) => continue,
                (_, Resource::Spec(_)) if known.contains(name) => {
                    instance.parameters.push((name.clone(), setting(value).map_err(at)?));
                }
                _ => {
                    let all = known.iter().map(String::as_str).chain(["target", "files"]);
                    let meant = match suggest(name, all.clone()) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => format!("there are {}", all.collect::<Vec<_>>().join(", ")),
                    };
                    return Err(invalid(format!("there is no property `{}`; {meant}", shorten(name))));
                }
            }
            if !is_secure(value) {
                instance.given.insert(name.clone(), value.clone());
            }
        }
        Ok(instance)
    }

    /// Returns the parameters as settings. Parameters that are not given get no value.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::for_validation();
        for (name, data) in &self.parameters {
            settings.insert(name.clone(), data.clone());
        }
        settings
    }
}

impl SpecText {
    /// Returns the built-in spec with this id.
    pub fn built_in(id: &str) -> Option<Self> {
        let text = String::from_utf8(library::find(id)?.to_vec()).ok()?;
        Some(Self { name: format!("built-in {id}"), text })
    }
}

/// Reads the list of specs. An item that contains only the characters of an id is the id of a built-in spec; the text
/// of a spec contains other characters.
fn specs(value: &Value) -> Result<Vec<SpecText>, String> {
    let Value::Array(list) = value else { return Err(expected("a list of strings", value)) };
    if list.is_empty() {
        return Err("expected at least one spec, found none".to_owned());
    }
    let read = |(at, one): (usize, &Value)| {
        let written = text(one).map_err(|why| format!("item {}: {why}", at + 1))?;
        if !written.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')) {
            return Ok(SpecText { name: format!("specs[{at}]"), text: written });
        }
        SpecText::built_in(&written).ok_or_else(|| {
            let meant = suggest(&written, library::ids()).map(|id| format!("; did you mean {id}?")).unwrap_or_default();
            format!("item {}: there is no built-in spec {}{meant}", at + 1, shorten(&written))
        })
    };
    list.iter().enumerate().map(read).collect()
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::String(_) => Err("expected a string, found an empty one".to_owned()),
        other => Err(expected("a string", other)),
    }
}

fn setting(value: &Value) -> Result<Setting, String> {
    let form = "a whole number, a string or a list of strings";
    match value {
        Value::String(text) => Ok(text.as_str().into()),
        Value::Number(number) if number.is_u64() => Ok(number.to_string().into()),
        Value::Array(list) => {
            let strings: Option<Vec<String>> = list.iter().map(|one| one.as_str().map(str::to_owned)).collect();
            strings.map(Setting::List).ok_or_else(|| format!("expected {form}, found a list of something else"))
        }
        Value::Object(_) if is_secure(value) => Ok(value["secureString"].as_str().unwrap_or_default().into()),
        Value::Number(number) => Err(format!("expected {form}, found {number}")),
        other => Err(expected(form, other)),
    }
}

/// Returns whether the value is a secure parameter of the configuration, which DSC does not show.
fn is_secure(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|object| object.len() == 1 && object.get("secureString").is_some_and(Value::is_string))
}

fn expected(form: &str, found: &Value) -> String {
    format!("expected {form}, found {}", kind_of(found))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
