//! Explains where a document does not match the JSON schema. Turns the errors of the crate jsonschema into findings,
//! which say what was expected and found, and which field or word the author probably meant.

use jsonschema::{ValidationError, error::ValidationErrorKind as Failure};
use serde_json::Value;

use crate::{
    diag::{
        Code, Diagnostic, Hint,
        text::{first_few, shorten, suggest},
    },
    spec::source::{
        findings::{Findings, Part, with_hint},
        path::{Path, Step},
        readings::quote_hint,
        tree::Kind,
    },
};

use super::{
    hints,
    required::{Accepted, is_required, remove},
    wording::{example, form, kind_and_data, kind_of, list, list_or, owner, plain, same_bits, show},
};

/// The parts of a document that do not match the schema.
#[derive(Default)]
pub(in crate::spec) struct Verdict {
    /// The paths of fields that the schema does not have, each with the name that the author probably meant. `repair`
    /// renames the field to this name; if it is `None`, `repair` removes the field.
    pub unknown: Vec<(Path, Option<String>)>,
    /// The paths of the other parts with errors, which `repair` must replace with valid data or remove.
    pub wrong: Vec<Path>,
}

/// Explains the schema errors of one document.
pub(in crate::spec) struct Explainer<'a, 't> {
    /// The JSON schema.
    pub schema: &'a Value,
    /// The document with the errors.
    pub document: &'a Value,
    /// The collection to which the findings are added.
    pub findings: &'a mut Findings<'t>,
    /// The wrong parts of the document whose errors were explained so far.
    pub verdict: Verdict,
}

impl Explainer<'_, '_> {
    /// Adds the findings that explain one error of the crate jsonschema.
    pub(in crate::spec) fn explain(&mut self, error: &ValidationError<'_>) {
        let path = self.path(error);
        match error.kind() {
            Failure::AdditionalProperties { unexpected } => self.unknown_fields(&path, error, unexpected),
            Failure::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                // If a misspelled field was probably meant to be this one, the misspelling is reported instead.
                let given = error.instance().as_object().into_iter().flat_map(|o| o.keys());
                let known = above(error.schema_path().as_str(), self.schema).and_then(|s| s.get("properties"));
                let mut unknown = given.filter(|given| known.is_some_and(|known| known.get(given).is_none()));
                let is_meant = |unknown: &String| {
                    let before_colon = unknown.split(':').next().unwrap_or_default();
                    hints::synonym(unknown, &[name]).or_else(|| suggest(before_colon, [name])).is_some()
                };
                if unknown.any(is_meant) {
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

    /// Returns the path to the data in which jsonschema found the error.
    fn path(&self, error: &ValidationError<'_>) -> Path {
        Path::from_pointer(error.instance_path().as_str(), self.document)
    }

    fn unknown_fields(&mut self, path: &Path, error: &ValidationError<'_>, unexpected: &[String]) {
        let properties =
            above(error.schema_path().as_str(), self.schema).and_then(|s| s.get("properties")?.as_object());
        let known: Vec<&str> = properties.map(|p| p.keys().map(String::as_str).collect()).unwrap_or_default();
        let given = error.instance().as_object();
        let (missing_space, unexpected): (Vec<&String>, Vec<&String>) = unexpected.iter().partition(|name| {
            name.split_once(':').is_some_and(|(name, rest)| known.contains(&name) && !rest.is_empty())
        });
        if let Some(first) = missing_space.first() {
            let names = || first_few(missing_space.iter().map(|n| format!("`{n}`")));
            let hint = || format!("write `{}`", shorten(&first.replacen(':', ": ", 1)));
            let (message, hint) = hints::space_before_bracket(self.findings.places(), &path.field(first))
                .unwrap_or_else(|| (format!("a space is missing after `:` in {}", names()), hint()));
            self.findings.name(Code::UNKNOWN_FIELD, &path.field(first), message, Some(hint));
            self.verdict.wrong.push(path.clone());
        }
        if let Some((name, hint)) = given.and_then(|given| hints::test_of(given.keys(), &known)) {
            let message = format!("{} has no field `{name}`", owner(path));
            self.findings.name(Code::UNKNOWN_FIELD, &path.field(name), message, Some(hint));
            return self.verdict.wrong.push(path.clone());
        }
        for name in unexpected {
            let at = path.field(name);
            // The empty field before it is reported instead.
            if hints::meant_below(self.findings.places(), &at).is_some() {
                self.verdict.wrong.push(path.clone());
                continue;
            }
            if self.findings.only_counts() {
                self.verdict.unknown.push((at, None));
                continue;
            }
            let meant = hints::synonym(name, &known).or_else(|| suggest(name, known.iter().copied()));
            let free = meant.filter(|meant| !given.is_some_and(|given| given.contains_key(*meant)));
            let hint = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                // In `{ data: 01,00 }`, YAML reads a second field `00` without data.
                None if given.is_some_and(|given| given.get(name) == Some(&Value::Null)) => {
                    "write it as `name: data`; a string with a comma needs quotes inside `{ }`".to_owned()
                }
                None => format!("its fields are {}", list(known.iter().copied())),
            };
            let message = format!("{} has no field `{}`", owner(path), shorten(name));
            self.findings.name(Code::UNKNOWN_FIELD, &at, message, Some(hint));
            // The unknown field may be the one that determines the data, so the absence of that field is not reported.
            let says = |field: &str| given.is_some_and(|given| given.contains_key(field));
            if free.is_none()
                && hints::is_value_rule(path)
                && !["data", "bits", "list", "replace", "ensure"].into_iter().any(says)
            {
                self.verdict.wrong.push(path.clone());
            }
            self.verdict.unknown.push((at, free.map(str::to_owned)));
        }
    }

    /// Returns a hint with the first sentence of the description that the schema gives the field `name`; `None` if
    /// there is no description.
    fn field_hint(&self, error: &ValidationError<'_>, name: &str) -> Option<String> {
        let owner = above(error.schema_path().as_str(), self.schema)?;
        let field = owner.get("properties")?.get(name)?;
        let text = field.get("description")?.as_str()?.replace('\n', " ");
        let first = text.split_once(". ").map_or(text.as_str(), |(first, _)| first);
        Some(format!("`{name}`: {}", first.trim_end_matches('.')))
    }

    /// Explains an error where the schema allows alternatives, such as a string or a mapping. `context` has the errors
    /// of each alternative. If only one alternative accepts this kind of data, explains the errors of this alternative;
    /// otherwise reports which kinds or words the field accepts.
    fn choices(&mut self, path: &Path, error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) {
        let is_kind = |e: &&ValidationError<'static>| matches!(e.kind(), Failure::Type { .. }) && self.path(e) == *path;
        let is_const =
            |e: &ValidationError<'static>| matches!(e.kind(), Failure::Constant { .. } | Failure::Enum { .. });
        if context.iter().flatten().all(|e| is_const(e) && self.path(e) == *path) {
            return self.words(path, error.instance(), &words(context));
        }
        let meant: Vec<&Vec<_>> = context.iter().filter(|errors| !errors.iter().any(|e| is_kind(&e))).collect();
        // If a form is itself a choice of forms, and none of those has the right kind, it was not meant either.
        let meant: Vec<&&Vec<_>> =
            meant.iter().filter(|errors| !errors.iter().all(|e| self.only_kinds(e, path))).collect();
        if let [errors] = meant.as_slice() {
            for error in **errors {
                self.explain(error);
            }
            return;
        }
        self.wrong_kind(path, error.instance());
    }

    /// Returns whether `error` says only that the data at `path` has the wrong kind, such as a list instead of a
    /// string. If the schema allows alternatives there, the data must have the wrong kind for each of them.
    fn only_kinds(&self, error: &ValidationError<'_>, path: &Path) -> bool {
        match error.kind() {
            Failure::Type { .. } => self.path(error) == *path,
            Failure::AnyOf { context } | Failure::OneOfNotValid { context } => {
                self.path(error) == *path
                    && context.iter().all(|errors| errors.iter().any(|e| self.only_kinds(e, path)))
            }
            _ => false,
        }
    }

    fn leaf(&mut self, path: &Path, error: &ValidationError<'_>) {
        let found = error.instance();
        let (code, message, hint) = match error.kind() {
            Failure::Type { .. } => return self.wrong_kind(path, found),
            // Its type error already says that it is not a number.
            Failure::Constant { .. } if path.last_field() == Some("kbfix") && !found.is_number() => return,
            Failure::Constant { expected_value } if path.last_field() == Some("kbfix") => {
                let message = format!("this kbfix does not know version {} of the spec language", show(found));
                (
                    Code::SPEC_VERSION,
                    message,
                    Some(format!("write version {expected_value}, or use a newer kbfix").into()),
                )
            }
            Failure::Constant { expected_value } => return self.words(path, found, &[(**expected_value).clone()]),
            Failure::Enum { options } => {
                let options = options.as_array().cloned().unwrap_or_default();
                return self.words(path, found, &options);
            }
            Failure::Minimum { limit } => {
                (Code::OUT_OF_RANGE, format!("{} is below {limit}", show(found)), self.negative(path, found))
            }
            Failure::Maximum { limit } => (Code::OUT_OF_RANGE, format!("{} is above {limit}", show(found)), None),
            Failure::MinItems { .. } => {
                (Code::EMPTY, format!("{} is empty", owner(path)), remove(path, self.schema).map(Hint::new))
            }
            Failure::MinProperties { .. } => {
                (Code::EMPTY, format!("{} is empty", owner(path)), remove(path, self.schema).map(Hint::new))
            }
            Failure::MinLength { .. } => {
                (Code::EMPTY, format!("{} is empty", owner(path)), remove(path, self.schema).map(Hint::new))
            }
            Failure::MaxLength { limit } => {
                (Code::WRONG_FORM, format!("{} is longer than {limit} characters", owner(path)), None)
            }
            // Its length error already says that it is empty.
            Failure::Pattern { .. } if found.as_str() == Some("") && path.last_field() == Some("id") => return,
            Failure::Pattern { .. } => {
                let message = format!("{} is not {}", show(found), form(path));
                (Code::WRONG_FORM, message, example(path).map(Hint::new))
            }
            _ => (Code::SCHEMA, error.to_string(), None),
        };
        self.findings.data(code, path, message, hint);
        self.verdict.wrong.push(path.clone());
    }

    /// Returns a hint for a negative number in a field for registry data. Returns `None` if `found` or the field is
    /// something else, or if there is no hint for the type of the value.
    fn negative(&self, path: &Path, found: &Value) -> Option<Hint> {
        let number = found.as_i64().filter(|number| *number < 0)?;
        match hints::type_beside(self.findings.places(), path).as_deref() {
            Some("REG_QWORD") => Some(same_bits(number, Some(64)).into()),
            Some("REG_DWORD" | "REG_DWORD_BIG_ENDIAN") => Some(same_bits(number, Some(32)).into()),
            Some("REG_SZ" | "REG_EXPAND_SZ") => quote_hint(&number.to_string()),
            None if !hints::is_registry_number(path) => None,
            None => Some(same_bits(number, None).into()),
            Some(_) => None,
        }
    }

    /// Reports data that is not one of `options`, which are the only words or numbers that the field allows.
    fn words(&mut self, path: &Path, found: &Value, options: &[Value]) {
        if found.is_null() {
            return self.wrong_kind(path, found);
        }
        if self.findings.only_counts() {
            return self.verdict.wrong.push(path.clone());
        }
        let mut names: Vec<String> = options.iter().map(plain).collect();
        // A view may be written with or without quotes, but the message lists it only once.
        names.dedup();
        let text = plain(found);
        let known = || names.iter().map(String::as_str);
        let meant = suggest(&text, known()).or_else(|| suggest(&format!("REG_{text}"), known()));
        let hint = match meant {
            _ if path.last_field() == Some("ensure") && hints::is_value_rule(&above_of(path)) => {
                "write `absent`; a value that must exist has `data` instead".to_owned()
            }
            Some(meant) => format!("did you mean `{meant}`?"),
            None if names.len() == 1 => format!("write {}", list(names.iter().map(String::as_str))),
            None => format!("use one of {}", list(names.iter().map(String::as_str))),
        };
        let field = path.last_field().map_or_else(|| owner(path), |name| format!("`{name}`"));
        let message = format!("{field} cannot be {}", show(found));
        self.findings.data(Code::UNKNOWN_WORD, path, message, Some(hint));
        self.verdict.wrong.push(path.clone());
    }

    /// If `path` is an item of the list in the `data` of a value rule, but the type of the value does not accept a
    /// list, returns a finding about the list, and the path of the list. Otherwise returns `None`.
    fn list_for_one(&self, path: &Path) -> Option<(Diagnostic, Path)> {
        let (Step::Item(_), above) = path.0.split_last()? else { return None };
        let above = Path(above.to_vec());
        let places = self.findings.places();
        let value_type = hints::type_beside(places, &above).filter(|t| t.starts_with("REG_") && t != "REG_MULTI_SZ")?;
        if above.last_field() != Some("data") || above.0.len() != 5 {
            return None;
        }
        let Kind::Sequence(items) = &places.resolve(places.node(&above)?).kind else { return None };
        let numbers = items.iter().filter_map(|item| match &places.at(*item).kind {
            Kind::Scalar { text, .. } => {
                let text = text.to_ascii_lowercase();
                u8::from_str_radix(
                    text.strip_prefix("0x").unwrap_or(&text),
                    if text.starts_with("0x") { 16 } else { 10 },
                )
                .ok()
            }
            _ => None,
        });
        let bytes: Vec<String> = numbers.map(|byte| format!("{byte:02x}")).collect();
        let (takes, hint) = match value_type.as_str() {
            "REG_DWORD" | "REG_QWORD" | "REG_DWORD_BIG_ENDIAN" => ("one number", "write one number".to_owned()),
            "REG_SZ" | "REG_EXPAND_SZ" => ("one string", hints::ONE_STRING.to_owned()),
            _ if bytes.len() == items.len() => {
                ("bytes in hex digits", format!("write the bytes in one string: \"{}\"", shorten(&bytes.join(" "))))
            }
            _ => ("bytes in hex digits", "write the bytes in one string: \"01 00 ff\"".to_owned()),
        };
        let message = format!("{value_type} takes {takes}, not a list");
        Some((Diagnostic::error(Code::DATA_KIND, message).hint(hint), above))
    }

    fn wrong_kind(&mut self, path: &Path, found: &Value) {
        self.verdict.wrong.push(path.clone());
        let places = self.findings.places();
        // The empty field before it is reported instead.
        if hints::meant_below(places, path).is_some() || self.findings.only_counts() {
            return;
        }
        if let Some(whole) = self.list_for_one(path) {
            return self.findings.add(whole.0, &whole.1, Part::Data);
        }
        let accepted = Accepted::at(self.schema, path);
        let expected = list_or(&accepted.kinds);
        let plain = places.unquoted(path).map(str::to_owned);
        if let Some((message, hint)) = hints::space_before_bracket(places, path) {
            return self.findings.name(Code::WRONG_KIND, path, message, Some(hint));
        }
        let (code, message, hint) = match (found, plain) {
            (Value::Null, _) => {
                let name = path.last_field().map_or_else(|| owner(path), |name| format!("`{name}`"));
                let beside = hints::beside_empty(places, path);
                if !beside.is_empty() {
                    let stand = if beside.len() == 1 { "is" } else { "are" };
                    let beside = first_few(beside.iter().map(|n| format!("`{n}`")));
                    let message = format!("{name} has no data: {beside} {stand} next to it, not below it");
                    let hint = format!("indent {beside} further than {name}");
                    return self.findings.data(Code::EMPTY_FIELD, path, message, Some(hint));
                }
                let wanted = hints::for_kind(path, found, &expected).unwrap_or_else(|| accepted.hint());
                let part = if matches!(path.0.last(), Some(Step::Item(_))) { "item" } else { "field" };
                let hint = match is_required(self.schema, path) {
                    true => wanted,
                    false => format!("{wanted}, or remove the {part}"),
                };
                (Code::EMPTY_FIELD, format!("{name} has no data"), hint.into())
            }
            // This was already reported, with the reason, when the scalars were read.
            (Value::Number(n), _) if n.is_f64() => return,
            (Value::Bool(_) | Value::Number(_), Some(text)) if expected.contains("a string") => {
                let message = format!("expected {expected}; `{}` without quotes is {}", shorten(&text), kind_of(found));
                let hint = found.is_boolean().then(|| hints::for_truth(places, path, &text)).flatten();
                let hint = hint.or_else(|| hints::for_kind(path, found, &expected));
                (
                    Code::UNQUOTED_SCALAR,
                    message,
                    hint.map_or_else(|| Hint::quote(&format!("\"{}\"", shorten(&text))), Hint::new),
                )
            }
            _ => {
                let truth = found.as_bool().and_then(|yes| hints::for_truth(places, path, &yes.to_string()));
                let kind = truth.or_else(|| hints::for_kind(path, found, &expected));
                let kind = kind.or_else(|| hints::for_string(places, path, found, &expected));
                let hint = match (found, kind.or_else(|| accepted.space_after_colon(found.as_str()?))) {
                    (_, Some(hint)) => hint,
                    (Value::Number(number), _) if expected == "a list" => {
                        let takes_numbers = Accepted::at(self.schema, &path.item(0)).kinds.contains(&"a number");
                        let quote = if takes_numbers { "" } else { "\"" };
                        format!("write a list: [{quote}{number}{quote}]")
                    }
                    _ => accepted.hint(),
                };
                (Code::WRONG_KIND, format!("expected {expected}, found {}", kind_and_data(found)), hint.into())
            }
        };
        self.findings.add(with_hint(Diagnostic::error(code, message), Some(hint)), path, Part::Data);
    }
}

/// Returns the path to the parent of the node at `path`.
fn above_of(path: &Path) -> Path {
    Path(path.0.split_last().map(|(_, above)| above.to_vec()).unwrap_or_default())
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

/// Returns the part of the schema that contains the keyword to which the JSON pointer `pointer` leads; `None` if there
/// is no such part.
fn above<'s>(pointer: &str, schema: &'s Value) -> Option<&'s Value> {
    schema.pointer(pointer.rsplit_once('/')?.0)
}
