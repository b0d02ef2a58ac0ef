//! Reads the properties of a DSC resource instance from the JSON that DSC passes to kbfix.

use serde_json::{Map, Value};

use super::Resource;
use crate::{
    diag::text::{shorten, suggest},
    format::json,
    spec::{Setting, Settings, Spec, library},
};

/// The properties of a DSC resource instance: the specs that kbfix tests or applies, and their target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instance {
    /// The specs, in the order in which kbfix applies them.
    pub specs: Vec<SpecText>,
    /// The name of each parameter that the configuration sets, with its data.
    pub parameters: Vec<(String, Setting)>,
    /// The URI of the target; `None` if the input names no target.
    pub target: Option<String>,
    /// The local folder with the files of the target's drive C; `None` if the input gives no such folder. A target such
    /// as a hive does not contain these files itself.
    pub files: Option<String>,
    /// The properties that kbfix copies from its input to its output. [`Instance::read`] leaves out read-only
    /// properties and parameters whose data is a secret string; [`Instance::hide`] then removes other sensitive data.
    pub given: Map<String, Value>,
    /// The ids of the specs whose texts [`Instance::hide`] has replaced with these ids.
    pub hidden: Vec<String>,
}

/// The text of a spec, and its name in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecText {
    /// The name in messages, such as `built-in KB909094` or `specs[0]`.
    pub name: String,
    /// The text of the spec, in YAML.
    pub text: String,
}

/// The error if the input of a resource is not valid, for example because it is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct InputError {
    /// What is wrong in the input.
    pub what: String,
    /// A hint for the user who must correct the input.
    pub hint: String,
}

/// The names of the properties that kbfix adds to the output of its resources. If the input contains them, kbfix
/// ignores them.
pub(super) const READ_ONLY: [&str; 6] =
    ["result", "results", "journal", "_inDesiredState", "_restartRequired", "_metadata"];

impl Instance {
    /// Reads the input of `resource`, in JSON. Empty input means that no properties are given. The property `specs` of
    /// [`Resource::SpecList`] may be missing; [`Instance::specs`] is then empty.
    ///
    /// # Errors
    /// Returns [`InputError`] if the input is not a JSON object, gives a property twice, or contains an unknown
    /// property, data that is not valid for its property, or the id of a built-in spec that does not exist.
    pub fn read(resource: Resource, input: &str) -> Result<Self, InputError> {
        let invalid = |why: String| InputError {
            what: format!("the input of {} is not valid: {why}", resource.type_name()),
            hint: format!("`kbfix dsc schema --type {}` prints the schema of the input", resource.type_name()),
        };
        let input = input.strip_prefix('\u{feff}').unwrap_or(input);
        let properties = if input.trim().is_empty() {
            Map::new()
        } else {
            json::check(input).map_err(|error| invalid(json::explain(&error)))?;
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
                        None => format!("the properties are {}", all.collect::<Vec<_>>().join(", ")),
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

    /// Removes sensitive data from [`Instance::given`]: each parameter that one of `specs` treats as sensitive, and
    /// each spec text in which sensitive data is written. The id of the spec takes the place of its text. `specs` must
    /// be the specs of this instance, in the same order.
    pub fn hide(&mut self, resource: Resource, specs: &[Spec]) {
        let is_sensitive = |name: &String| specs.iter().any(|spec| spec.sensitive.contains(name));
        match resource {
            Resource::Spec(_) => self.given.retain(|name, _| !is_sensitive(name)),
            Resource::SpecList => {
                if let Some(Value::Object(parameters)) = self.given.get_mut("parameters") {
                    parameters.retain(|name, _| !is_sensitive(name));
                }
                let texts = self.given.get_mut("specs").and_then(Value::as_array_mut).into_iter().flatten();
                for (text, spec) in texts.zip(specs).filter(|(_, spec)| spec.secret_data().is_some()) {
                    if *text != spec.id.as_str() {
                        *text = spec.id.as_str().into();
                        self.hidden.push(spec.id.clone());
                    }
                }
            }
        }
    }

    /// Returns the operator's settings for [`crate::spec::load`]. A parameter that the configuration does not set and
    /// that has no default stays unset, without an error.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::for_validation();
        for (name, data) in &self.parameters {
            settings.insert(name.clone(), data.clone());
        }
        settings
    }
}

impl SpecText {
    /// Returns the text of the built-in spec with this id; `None` if there is no such spec.
    pub fn built_in(id: &str) -> Option<Self> {
        let text = String::from_utf8(library::find(id)?.to_vec()).ok()?;
        Some(Self { name: format!("built-in {id}"), text })
    }
}

/// Reads the list of specs. Each string in the list is the id of a built-in spec or the YAML text of a spec. A string
/// with only ASCII letters, digits, `.`, `_` and `-` counts as an id.
///
/// # Errors
/// Returns the reason why `value` is not valid: it is not a list of strings, the list or a string is empty, or there is
/// no built-in spec with the id.
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
            let meant = match suggest(&written, library::ids()) {
                Some(id) => format!("; did you mean {id}?"),
                None => "; `kbfix library` lists the built-in specs".to_owned(),
            };
            format!("item {}: there is no built-in spec {}{meant}", at + 1, shorten(&written))
        })
    };
    list.iter().enumerate().map(read).collect()
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::String(_) => Err("expected a string that is not empty, found an empty string".to_owned()),
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
            strings.map(Setting::List).ok_or_else(|| format!("expected {form}, found a list with other items"))
        }
        Value::Object(_) if is_secure(value) => Ok(value["secureString"].as_str().unwrap_or_default().into()),
        // The number is not shown, because it may be sensitive.
        Value::Number(_) => Err(format!("expected {form}, found a negative number or a fraction")),
        other => Err(expected(form, other)),
    }
}

/// Returns whether `value` is secret: an object whose only field is `secureString`, with a string. DSC hides such a
/// value in its output.
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
