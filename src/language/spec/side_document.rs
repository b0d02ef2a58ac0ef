//! Reads YAML documents other than specs, such as a fleet file. The text is checked like the text of a spec: it has the
//! same limits, each error has its place, and text that YAML readers interpret differently is refused.

use std::cell::OnceCell;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Source, schema,
    shape::{ambiguous, suspicious, validate},
    source::{
        findings::{self, Findings},
        hidden::Hidden,
        meaning, parse,
        path::Path,
        sensitive::{self, Private},
        text::Text,
        tree::Places,
    },
};
use crate::diag::{Code, Diagnostic, Hint, Place};

/// A YAML document other than a spec, such as a fleet file. The document matches its JSON schema.
pub struct SideDocument<'t, T> {
    /// The content of the document, read from the YAML text into the type `T`.
    pub content: T,
    /// Warnings about the text of the document.
    pub warnings: Vec<Diagnostic>,
    text: Text<'t>,
    places: Places,
    /// The sensitive parts of the document, which are searched for at the first use. `None` if there are none.
    hidden: OnceCell<Option<Hidden>>,
}

/// Returns the JSON schema of a document that [`SideDocument::read`] can read. `id` becomes the `$id` of the schema.
pub fn side_schema<T: JsonSchema>(id: &str) -> Value {
    schema::of::<T>(id)
}

impl<'t, T: DeserializeOwned + JsonSchema> SideDocument<'t, T> {
    /// Reads the document in `source`. `id` is the `$id` of its JSON schema, and `noun` is the name of the document in
    /// messages, such as `a fleet file`.
    ///
    /// # Errors
    /// Returns the errors in the YAML text or, if it has none, those about places where the document does not match its
    /// schema. Warnings about the text are included.
    pub fn read(source: Source<'t>, id: &str, noun: &str) -> Result<Self, Vec<Diagnostic>> {
        let text = Text::decode(source.name, source.bytes).map_err(|found| {
            let mut found = vec![*found];
            sensitive::hide_unparsed(&String::from_utf8_lossy(source.bytes), Private::Other, &mut found);
            named(found, noun)
        })?;
        let parse::Read { places, mut diagnostics, more } = parse::read(&text);
        let Some(places) = places else {
            sensitive::hide_unparsed(text.text, Private::Other, &mut diagnostics);
            findings::close(&mut diagnostics, more, true, &text);
            return Err(named(diagnostics, noun));
        };
        let (content, warnings) =
            form(&text, &places, diagnostics, more, &side_schema::<T>(id)).map_err(|found| named(found, noun))?;
        Ok(Self { content, warnings, text, places, hidden: OnceCell::new() })
    }

    /// Returns the place of a node in the file. `steps` are the field names and the indexes of items, in decimal and
    /// from 0, from the root to the node. If the node does not exist, returns the place of the nearest node above it.
    pub fn place(&self, steps: &[&str]) -> Place {
        let found = (0..=steps.len()).rev().find_map(|length| {
            let path = steps[..length].iter().try_fold(Path::default(), |path, step| {
                let item = step.parse().ok().map(|at| path.item(at)).filter(|path| self.places.value(path).is_some());
                item.or_else(|| Some(path.field(step)).filter(|path| self.places.value(path).is_some()))
            })?;
            self.places.value(&path)
        });
        let mut place = found.map_or_else(|| self.text.start(), |spot| self.text.place(spot));
        if let Some(hidden) = self.hidden.get_or_init(|| sensitive::find(&self.places, Private::Other)) {
            hidden.hide_source(&mut place);
        }
        place
    }
}

/// Checks a document against `schema` and reads its data. `diagnostics` are the errors in its YAML text, and `more` is
/// the number of further such errors. Returns the data and the warnings, or all findings if one of them is an error.
fn form<T: DeserializeOwned>(
    text: &Text<'_>,
    places: &Places,
    diagnostics: Vec<Diagnostic>,
    more: usize,
    schema: &Value,
) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut findings = Findings::new(text, places, Private::Other);
    let sound = diagnostics.is_empty();
    diagnostics.into_iter().for_each(|diagnostic| findings.add_placed(diagnostic));
    findings.add_uncounted(more);
    ambiguous::check(&mut findings, &|| schema);
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

/// Replaces `a spec` in the messages with `noun`, the name of this kind of document.
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
