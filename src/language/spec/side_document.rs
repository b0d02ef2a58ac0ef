//! Reads other YAML documents than specs, such as a fleet file, with the same checks as for a spec: the same limits, a
//! place for every error, and no text that YAML readers would read differently.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Source, schema,
    shape::{ambiguous, suspicious, validate},
    source::{
        findings::{self, Findings},
        meaning, parse,
        path::Path,
        text::Text,
        tree::Places,
    },
};
use crate::diag::{Code, Diagnostic, Hint, Place};

/// A document that matches its schema.
pub struct SideDocument<'t, T> {
    /// The content.
    pub content: T,
    /// Warnings about the text.
    pub warnings: Vec<Diagnostic>,
    text: Text<'t>,
    places: Places,
}

/// Returns the JSON schema of a document that [`SideDocument::read`] can read. `id` is the id of the schema itself.
pub fn side_schema<T: JsonSchema>(id: &str) -> Value {
    schema::of::<T>(id)
}

impl<'t, T: DeserializeOwned + JsonSchema> SideDocument<'t, T> {
    /// Reads a document. `noun` is the name of the document in messages, such as `a fleet file`.
    ///
    /// # Errors
    /// Returns everything that is wrong with the text or its structure.
    pub fn read(source: Source<'t>, id: &str, noun: &str) -> Result<Self, Vec<Diagnostic>> {
        let text = Text::decode(source.name, source.bytes).map_err(|found| named(vec![*found], noun))?;
        let parse::Read { places, mut diagnostics, more } = parse::read(&text);
        let Some(places) = places else {
            findings::close(&mut diagnostics, more, true, &text);
            return Err(named(diagnostics, noun));
        };
        let (content, warnings) =
            form(&text, &places, diagnostics, more, &side_schema::<T>(id)).map_err(|found| named(found, noun))?;
        Ok(Self { content, warnings, text, places })
    }

    /// Returns the place of the node that `steps` lead to: names of fields and indexes of items, from the top down.
    pub fn place(&self, steps: &[&str]) -> Place {
        let found = (0..=steps.len()).rev().find_map(|length| {
            let path = steps[..length].iter().try_fold(Path::default(), |path, step| {
                let item = step.parse().ok().map(|at| path.item(at)).filter(|path| self.places.value(path).is_some());
                item.or_else(|| Some(path.field(step)).filter(|path| self.places.value(path).is_some()))
            })?;
            self.places.value(&path)
        });
        found.map_or_else(|| self.text.start(), |spot| self.text.place(spot))
    }
}

/// Returns the content of a document, and the warnings about it.
fn form<T: DeserializeOwned>(
    text: &Text<'_>,
    places: &Places,
    diagnostics: Vec<Diagnostic>,
    more: usize,
    schema: &Value,
) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut findings = Findings::new(text, places);
    let sound = diagnostics.is_empty();
    diagnostics.into_iter().for_each(|diagnostic| findings.add_placed(diagnostic));
    findings.add_uncounted(more);
    ambiguous::check(&mut findings);
    suspicious::check(&mut findings);
    let Some(value) = meaning::read(text, sound, &mut findings).filter(|_| !findings.has_errors()) else {
        return Err(findings.finish());
    };
    validate::check_against(schema, &value, &mut findings);
    if findings.has_errors() {
        return Err(findings.finish());
    }
    match serde_json::from_value(value) {
        Ok(content) => Ok((content, findings.finish())),
        Err(error) => {
            findings.name(Code::SCHEMA, &Path::default(), error.to_string(), None::<Hint>);
            Err(findings.finish())
        }
    }
}

/// Replaces "a spec" in the messages with the name of this document.
fn named(mut found: Vec<Diagnostic>, noun: &str) -> Vec<Diagnostic> {
    for diagnostic in &mut found {
        if diagnostic.code == Code::EMPTY_FILE {
            diagnostic.message = format!("the file is empty; expected {noun}");
            diagnostic.hint = None;
        } else if let Some(rest) = diagnostic.message.strip_prefix("a spec ") {
            diagnostic.message = format!("{noun} {rest}");
        } else if let Some(start) = diagnostic.message.strip_suffix(", not a spec") {
            diagnostic.message = format!("{start}, not {noun}");
        } else if let Some((start, rest)) = diagnostic.message.split_once("; a spec ") {
            diagnostic.message = format!("{start}; {noun} {rest}");
        }
    }
    found
}
