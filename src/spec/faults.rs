//! What is wrong with the form of a document, in our words: each error of the jsonschema crate becomes a finding with its
//! place, what was expected and found, and the field or word that was probably meant.

use jsonschema::{ValidationError, error::ValidationErrorKind as Failure, paths::LocationSegment};
use serde_json::Value;

use super::{
    findings::{Findings, Part, with_hint},
    path::{Path, Step},
    places::{Kind, Places},
    schema::Verdict,
    shorten, suggest,
    words::{example, form, kind_and_data, kind_of, kinds, list, list_or, negative, owner, plain, remove, show},
};
use crate::diag::{Code, Diagnostic};

/// Explains the errors of one document.
pub(super) struct Explainer<'a, 't> {
    /// The schema.
    pub schema: &'a Value,
    /// Where findings go.
    pub findings: &'a mut Findings<'t>,
    /// What was found so far.
    pub verdict: Verdict,
}

impl Explainer<'_, '_> {
    /// Adds the findings that follow from one error.
    pub(super) fn explain(&mut self, error: &ValidationError<'_>) {
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
        let known = || names.iter().map(String::as_str);
        let meant = suggest(&text, known()).or_else(|| suggest(&format!("REG_{text}"), known()));
        let hint = match (found, meant) {
            (Value::Null, _) => return self.wrong_kind(path, found, &["a word"]),
            (_, Some(meant)) => format!("did you mean `{meant}`?"),
            _ => format!("it is one of {}", list(names.iter().map(String::as_str))),
        };
        let field = path.last_field().map_or_else(|| owner(path), |name| format!("`{name}`"));
        let message = format!("{field} cannot be {}", show(found));
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
                let optional = !is_required(path);
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

fn is_required(path: &Path) -> bool {
    path.0.len() == 1 && matches!(path.last_field(), Some("kbfix" | "id" | "title"))
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
