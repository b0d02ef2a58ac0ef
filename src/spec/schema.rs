//! The JSON schema of the spec language, made from the types of [`super::document`], and its findings in our words.

use std::sync::OnceLock;

use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Failure},
    paths::LocationSegment,
};
use serde_json::{Map, Value, json};

use super::{
    document::Document,
    findings::{Findings, Part, with_hint},
    path::{Path, Step},
    places::{Kind, Places},
    shorten, suggest,
};
use crate::diag::{Code, Diagnostic};

/// The name by which the schema calls itself. An editor finds the file by the first line of a spec.
pub(super) const ID: &str = "urn:kbfix:schema:spec:1";

/// The JSON schema of a spec, as it stands in `schema/spec.v1.schema.json`.
pub fn schema() -> Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Document>().to_value();
    tidy(&mut schema);
    // What the file is comes before what is in it.
    let mut out = Map::new();
    if let Value::Object(mut fields) = schema {
        fields.insert("$id".into(), ID.into());
        for name in ["$schema", "$id", "title", "description"] {
            out.extend(fields.remove_entry(name));
        }
        let mut rest: Vec<_> = fields.into_iter().collect();
        rest.sort_by_key(|(name, _)| name == "$defs");
        out.extend(rest);
    }
    Value::Object(out)
}

/// A field that may be left out need not be able to be `null`: a field without data is a slip. Numbers get the limits of
/// their Rust type, which schemars states only as a format.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|t| t != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
                choices.retain(|c| c != &json!({ "type": "null" }));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    fields.remove("anyOf");
                    fields.extend(only);
                }
            }
            if fields.get("format") == Some(&json!("uint32")) {
                fields.entry("maximum").or_insert_with(|| u32::MAX.into());
            }
            fields.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

struct Compiled {
    schema: Value,
    validator: Option<Validator>,
}

fn compiled() -> &'static Compiled {
    static COMPILED: OnceLock<Compiled> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let schema = schema();
        let validator = jsonschema::draft202012::new(&schema).ok();
        Compiled { schema, validator }
    })
}

/// What the schema layer says of a document.
#[derive(Default)]
pub(super) struct Verdict {
    /// Fields that the language does not have, with the field that was probably meant.
    pub unknown: Vec<(Path, Option<String>)>,
    /// Where other things are wrong.
    pub wrong: Vec<Path>,
}

/// Checks `value` against the schema.
pub(super) fn check(value: &Value, findings: &mut Findings<'_>) -> Verdict {
    let Compiled { schema, validator } = compiled();
    let mut verdict = Verdict::default();
    let Some(validator) = validator else {
        let message = "the schema of specs does not compile";
        findings.data(Code::INTERNAL, &Path::default(), message, None);
        verdict.wrong.push(Path::default());
        return verdict;
    };
    if validator.is_valid(value) {
        return verdict;
    }
    let mut explainer = Explainer { schema, value, findings, verdict };
    for error in validator.iter_errors(value) {
        explainer.explain(&error);
    }
    explainer.verdict
}

struct Explainer<'a, 't> {
    schema: &'a Value,
    value: &'a Value,
    findings: &'a mut Findings<'t>,
    verdict: Verdict,
}

impl Explainer<'_, '_> {
    fn explain(&mut self, error: &ValidationError<'_>) {
        let path = path_of(error);
        match error.kind() {
            Failure::AdditionalProperties { unexpected } => self.unknown_fields(&path, error, unexpected),
            Failure::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                // A field that was probably meant to be this one is reported itself.
                let given = error.instance().as_object().into_iter().flat_map(|o| o.keys());
                let known = above(error.schema_path().as_str(), self.schema).and_then(|s| s.get("properties"));
                let mut unknown = given.filter(|given| known.is_some_and(|known| known.get(given).is_none()));
                if unknown.any(|unknown| suggest(unknown, [name]).is_some()) {
                    return;
                }
                let message = format!("{} lacks the field `{name}`", owner(&path));
                let hint = self.field_hint(error, name);
                self.findings.name(Code::MISSING_FIELD, &path, message, hint);
                self.verdict.wrong.push(path);
            }
            Failure::AnyOf { context } | Failure::OneOfNotValid { context } => self.choices(&path, error, context),
            _ => self.leaf(&path, error),
        }
    }

    fn unknown_fields(&mut self, path: &Path, error: &ValidationError<'_>, unexpected: &[String]) {
        let properties =
            above(error.schema_path().as_str(), self.schema).and_then(|s| s.get("properties")?.as_object());
        let known: Vec<&str> = properties.map(|p| p.keys().map(String::as_str).collect()).unwrap_or_default();
        let given = error.instance().as_object();
        for name in unexpected {
            let at = path.field(name);
            if self.findings.only_counts() {
                self.verdict.unknown.push((at, None));
                continue;
            }
            let meant = suggest(name, known.iter().copied());
            let free = meant.filter(|meant| !given.is_some_and(|given| given.contains_key(*meant)));
            let hint = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                // In flow style `{ data: 01,00 }` has a second field `00` without data.
                None if given.is_some_and(|given| given.get(name) == Some(&Value::Null)) => {
                    "text with a comma in it needs quotes inside `{ }`".to_owned()
                }
                None => format!("its fields are {}", list(known.iter().copied())),
            };
            let message = format!("{} has no field `{}`", owner(path), shorten(name));
            self.findings.name(Code::UNKNOWN_FIELD, &at, message, Some(hint));
            self.verdict.unknown.push((at, free.map(str::to_owned)));
        }
    }

    /// What the schema says of a field, as a hint.
    fn field_hint(&self, error: &ValidationError<'_>, name: &str) -> Option<String> {
        let owner = above(error.schema_path().as_str(), self.schema)?;
        let field = owner.get("properties")?.get(name)?;
        let first = field
            .get("description")?
            .as_str()?
            .split_once(". ")
            .map_or_else(|| field.get("description").and_then(Value::as_str).unwrap_or_default(), |(first, _)| first);
        Some(format!("`{name}`: {}", first.trim_end_matches('.').replace('\n', " ")))
    }

    /// Several forms are possible. Where the data has the kind of one of them, that one was meant.
    fn choices(&mut self, path: &Path, error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) {
        let is_kind = |e: &&ValidationError<'static>| matches!(e.kind(), Failure::Type { .. }) && path_of(e) == *path;
        let is_const =
            |e: &ValidationError<'static>| matches!(e.kind(), Failure::Constant { .. } | Failure::Enum { .. });
        if context.iter().flatten().all(|e| is_const(e) && path_of(e) == *path) {
            return self.words(path, error.instance(), &words(context));
        }
        let meant: Vec<&Vec<_>> = context.iter().filter(|errors| !errors.iter().any(|e| is_kind(&e))).collect();
        // One form that is itself a choice of forms, none of which has the right kind, is not what was meant either.
        let meant: Vec<&&Vec<_>> =
            meant.iter().filter(|errors| !errors.iter().all(|e| self.only_kinds(e, path))).collect();
        if let [errors] = meant.as_slice() {
            for error in **errors {
                self.explain(error);
            }
            return;
        }
        let mut kinds = Vec::new();
        collect_kinds(context, &mut kinds);
        self.wrong_kind(path, error.instance(), &kinds);
    }

    /// Whether nothing but the kind of the data at `path` is wrong, in every form of a choice.
    fn only_kinds(&self, error: &ValidationError<'_>, path: &Path) -> bool {
        match error.kind() {
            Failure::Type { .. } => path_of(error) == *path,
            Failure::AnyOf { context } | Failure::OneOfNotValid { context } => {
                path_of(error) == *path && context.iter().all(|errors| errors.iter().any(|e| self.only_kinds(e, path)))
            }
            _ => false,
        }
    }

    fn leaf(&mut self, path: &Path, error: &ValidationError<'_>) {
        let found = error.instance();
        let (code, message, hint) = match error.kind() {
            Failure::Type { kind } => return self.wrong_kind(path, found, &kinds(kind)),
            Failure::Constant { expected_value } if path.last_field() == Some("kbfix") => {
                let message = format!("version {} of the spec language is not known here", show(found));
                (Code::SPEC_VERSION, message, Some(format!("this kbfix reads version {expected_value}")))
            }
            Failure::Constant { expected_value } => return self.words(path, found, &[(**expected_value).clone()]),
            Failure::Enum { options } => {
                let options = options.as_array().cloned().unwrap_or_default();
                return self.words(path, found, &options);
            }
            Failure::Minimum { limit } => {
                (Code::OUT_OF_RANGE, format!("{} is below {limit}", show(found)), negative(found))
            }
            Failure::Maximum { limit } => (Code::OUT_OF_RANGE, format!("{} is above {limit}", show(found)), None),
            Failure::MinItems { .. } => (Code::EMPTY, format!("{} is empty", owner(path)), remove(path)),
            Failure::MinProperties { .. } => (Code::EMPTY, format!("{} is empty", owner(path)), remove(path)),
            Failure::MinLength { .. } => (Code::EMPTY, format!("{} is empty", owner(path)), None),
            Failure::MaxLength { limit } => {
                (Code::WRONG_FORM, format!("{} is longer than {limit} characters", owner(path)), None)
            }
            Failure::Pattern { .. } => {
                let message = format!("{} is not {}", show(found), form(path));
                (Code::WRONG_FORM, message, example(path))
            }
            _ => (Code::SCHEMA, error.to_string(), None),
        };
        self.findings.data(code, path, message, hint);
        self.verdict.wrong.push(path.clone());
    }

    /// Data that must be one of a few words or numbers.
    fn words(&mut self, path: &Path, found: &Value, options: &[Value]) {
        let names: Vec<String> = options.iter().map(plain).collect();
        let text = plain(found);
        let meant = suggest(&text, names.iter().map(String::as_str));
        let hint = match (found, meant) {
            (Value::Null, _) => return self.wrong_kind(path, found, &["a word"]),
            (_, Some(meant)) => format!("did you mean `{meant}`?"),
            _ => format!("it is one of {}", list(names.iter().map(String::as_str))),
        };
        let field = path.last_field().map_or_else(|| owner(path), |name| format!("`{name}`"));
        let message = format!("{} is nothing that {field} can be", show(found));
        self.findings.data(Code::UNKNOWN_WORD, path, message, Some(hint));
        self.verdict.wrong.push(path.clone());
    }

    fn wrong_kind(&mut self, path: &Path, found: &Value, expected: &[&str]) {
        self.verdict.wrong.push(path.clone());
        let expected = list_or(expected);
        let plain = plain_scalar(self.findings.places(), path);
        let (code, message, hint) = match (found, plain) {
            (Value::Null, _) => {
                let name = path.last_field().map_or_else(|| owner(path), |name| format!("`{name}`"));
                let optional = !is_required(self.value, path);
                let hint = if optional {
                    format!("write {expected}, or remove the field")
                } else {
                    format!("write {expected}")
                };
                (Code::EMPTY_FIELD, format!("{name} has no data"), hint)
            }
            // Reported with the reason when the scalars were read.
            (Value::Number(n), _) if n.is_f64() => return,
            (Value::Bool(_) | Value::Number(_), Some(text)) if expected.contains("a string") => {
                let message = format!("expected {expected}; `{}` without quotes is {}", shorten(&text), kind_of(found));
                (Code::UNQUOTED_SCALAR, message, format!("write it in quotes: \"{}\"", shorten(&text)))
            }
            _ => {
                let hint = match (found, path.last_field()) {
                    (Value::String(text), _) if expected.contains("a number") && text.contains(',') => {
                        "write the number without separators".to_owned()
                    }
                    (Value::String(_), _) if expected == "a number" => "write the number without quotes".to_owned(),
                    (Value::String(_), _) if expected == "true or false" => {
                        "write true or false, without quotes".to_owned()
                    }
                    (Value::String(text), _) if expected == "a list" => format!("write a list: [{}]", shorten(text)),
                    _ => format!("write {expected}"),
                };
                (Code::WRONG_KIND, format!("expected {expected}, found {}", kind_and_data(found)), hint)
            }
        };
        self.findings.add(with_hint(Diagnostic::error(code, message), Some(hint)), path, Part::Data);
    }
}

fn is_required(_document: &Value, path: &Path) -> bool {
    path.0.len() == 1 && matches!(path.last_field(), Some("kbfix" | "id" | "title"))
}

fn remove(path: &Path) -> Option<String> {
    path.last_field().map(|name| format!("give it something, or remove `{name}`"))
}

fn negative(found: &Value) -> Option<String> {
    let number = found.as_i64().filter(|n| *n < 0)?;
    let bits = i32::try_from(number).map_or_else(|_| format!("0x{number:X}"), |n| format!("0x{n:X}"));
    Some(format!("registry numbers have no sign; the same bits are {bits}"))
}

fn words(context: &[Vec<ValidationError<'static>>]) -> Vec<Value> {
    let mut out = Vec::new();
    for error in context.iter().flatten() {
        match error.kind() {
            Failure::Constant { expected_value } => out.push((**expected_value).clone()),
            Failure::Enum { options } => out.extend(options.as_array().cloned().unwrap_or_default()),
            _ => {}
        }
    }
    out
}

fn collect_kinds(context: &[Vec<ValidationError<'static>>], out: &mut Vec<&str>) {
    for error in context.iter().flatten() {
        let found = match error.kind() {
            Failure::Type { kind } => kinds(kind),
            Failure::Constant { .. } | Failure::Enum { .. } => vec!["a word"],
            Failure::AnyOf { context } | Failure::OneOfNotValid { context } => {
                collect_kinds(context, out);
                continue;
            }
            _ => continue,
        };
        for kind in found {
            if !out.contains(&kind) {
                out.push(kind);
            }
        }
    }
}

fn kinds(kind: &TypeKind) -> Vec<&'static str> {
    let names: Vec<String> = match kind {
        TypeKind::Single(kind) => vec![kind.to_string()],
        TypeKind::Multiple(set) => set.iter().map(|kind| kind.to_string()).collect(),
    };
    let word = |name: &String| match name.as_str() {
        "string" => "a string",
        "integer" | "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a mapping",
        _ => "nothing",
    };
    names.iter().map(word).collect()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn kind_and_data(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) | Value::Null => kind_of(value).to_owned(),
        Value::String(_) => format!("the string {}", show(value)),
        Value::Number(_) => format!("the number {value}"),
        Value::Bool(_) => value.to_string(),
    }
}

/// Data in a message: short, in backticks.
fn show(value: &Value) -> String {
    format!("`{}`", plain(value))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => shorten(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

/// What a path leads to, for the start of a sentence.
fn owner(path: &Path) -> String {
    if path.0.is_empty() { "a spec".to_owned() } else { format!("`{}`", shorten(&path.to_string())) }
}

/// The form that a field's text must have.
fn form(path: &Path) -> &'static str {
    match path.last_field() {
        Some("id") => "an id: letters, digits, `.`, `_`, `-`",
        Some("reviewed") => "a date: year-month-day",
        Some("sha256") => "a SHA-256: 64 hex digits",
        Some("url") => "an address: http:// or https://",
        _ => "of the form that the schema gives",
    }
}

fn example(path: &Path) -> Option<String> {
    let example = match path.last_field() {
        Some("id") => "KB909094",
        Some("reviewed") => "2008-05-13",
        Some("url") => "https://support.microsoft.com/kb/909094",
        _ => return None,
    };
    Some(format!("for example {example}"))
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn list_or(kinds: &[&str]) -> String {
    match kinds {
        [] => "something else".to_owned(),
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        [last, ..] => (*last).to_owned(),
    }
}

/// The text of a scalar without quotes.
fn plain_scalar(places: &Places, path: &Path) -> Option<String> {
    match &places.resolve(places.node(path)?).kind {
        Kind::Scalar { text, plain: true } => Some(text.clone()),
        _ => None,
    }
}

fn path_of(error: &ValidationError<'_>) -> Path {
    let step = |segment: LocationSegment<'_>| match segment {
        LocationSegment::Property(name) => Step::Field(name.into_owned()),
        LocationSegment::Index(at) => Step::Item(at),
    };
    Path(error.instance_path().segments().map(step).collect())
}

/// The schema that a keyword at `pointer` stands in.
fn above<'s>(pointer: &str, schema: &'s Value) -> Option<&'s Value> {
    schema.pointer(pointer.rsplit_once('/')?.0)
}
