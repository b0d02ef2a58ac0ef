//! Specs: turns a YAML file into a checked [`Spec`], or into findings that say what is wrong in the file.
//!
//! A file passes through these modules in order:
//!
//! - `source` decodes the text, records the place of every YAML node, and reads the data.
//! - `shape` checks the data against the JSON schema, and explains each error.
//! - [`document`] contains the types into which serde reads the data.
//! - `check` checks whether the document makes sense, alone and together with the other specs of a run.
//! - [`model`] contains the result, a [`Spec`].

mod check;
pub mod document;
pub mod library;
pub mod model;
mod reference;
mod schema;
pub mod search;
mod settings;
mod shape;
mod side_document;
mod source;

use sha2::{Digest, Sha256};

use crate::{
    diag::{Code, Diagnostic, Hint, Severity},
    parallel,
};
use shape::{ambiguous, repair, suspicious, validate};
use source::{
    findings::{self, Findings},
    meaning, parse, path,
    text::Text,
};

pub use model::Spec;
pub use model::protected::is_protected;
pub use reference::reference;
pub use schema::schema;
pub use settings::{Setting, Settings};
pub use side_document::{SideDocument, side_schema};
pub use source::text::MAX_BYTES;
pub(crate) use source::{readings::is_text, text::is_forbidden};

/// The minimum size of the specs of a run, in bytes, for which kbfix uses several threads. Reading so much text takes
/// some milliseconds, which is more than starting the threads takes.
const MUCH_TEXT: usize = 64 << 10;

/// The maximum number of groups of specs. A thread reads one group at a time.
const GROUPS: usize = 64;

/// The bytes of a spec file, and its name in messages.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The path as the user gave it; `-` for standard input.
    pub name: &'a str,
    /// The content of the file.
    pub bytes: &'a [u8],
}

/// The result of loading one spec file.
#[derive(Debug)]
pub struct Loaded {
    /// The spec; `None` if one of `diagnostics` is an error.
    pub spec: Option<Spec>,
    /// The errors and warnings about the file, in the order of their lines.
    pub diagnostics: Vec<Diagnostic>,
}

/// The result of loading all spec files of a run.
#[derive(Debug)]
pub struct LoadedAll {
    /// The result for each file, in the order of the files.
    pub each: Vec<Loaded>,
    /// Findings about several specs together, such as conflicts, and findings about the operator's settings.
    pub across: Vec<Diagnostic>,
}

impl LoadedAll {
    /// Returns all findings: first those about each file, then those about several specs together.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.each.iter().flat_map(|l| &l.diagnostics).chain(&self.across)
    }

    /// Returns whether one of the findings is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics().any(|d| d.severity == Severity::Error)
    }

    /// Returns the specs, in the order of the files.
    ///
    /// # Errors
    /// Returns all findings if one of them is an error.
    pub fn into_specs(self) -> Result<Vec<Spec>, Vec<Diagnostic>> {
        if self.has_errors() {
            return Err(self.each.into_iter().flat_map(|l| l.diagnostics).chain(self.across).collect());
        }
        Ok(self.each.into_iter().filter_map(|l| l.spec).collect())
    }
}

/// Reads and checks one spec file. `settings` is the data that the operator chose for parameters; data for a parameter
/// that the spec does not declare is an error.
pub fn load(name: &str, bytes: &[u8], settings: &Settings) -> Loaded {
    let all = load_all(&[Source { name, bytes }], settings);
    let (mut spec, mut diagnostics) = (None, Vec::new());
    for loaded in all.each {
        spec = loaded.spec;
        diagnostics = loaded.diagnostics;
    }
    diagnostics.extend(all.across);
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        spec = None;
    }
    Loaded { spec, diagnostics }
}

/// Reads and checks the spec files of a run: first each file alone, then the specs against each other.
pub fn load_all(sources: &[Source<'_>], settings: &Settings) -> LoadedAll {
    let files = load_each(sources, settings);
    let across = check::between_specs::check(sources, &files, settings);
    let each = files.into_iter().map(|file| Loaded { spec: file.spec, diagnostics: file.diagnostics }).collect();
    LoadedAll { each, across }
}

/// Reads and checks each file alone. Uses all processor cores if there is much text.
fn load_each(sources: &[Source<'_>], settings: &Settings) -> Vec<check::Checked> {
    let load = |source: &Source<'_>| load_one(source, settings);
    if sources.iter().map(|source| source.bytes.len()).sum::<usize>() < MUCH_TEXT {
        return sources.iter().map(load).collect();
    }
    // A thread that waits for a result costs more than a small spec, so the results of several specs come together.
    let groups: Vec<_> = sources.chunks(sources.len().div_ceil(GROUPS)).collect();
    let mut files: Vec<Vec<check::Checked>> = groups.iter().map(|_| Vec::new()).collect();
    parallel::each(&groups, |group| group.iter().map(load).collect(), |at, group| files[at] = group);
    files.into_iter().flatten().collect()
}

fn load_one(source: &Source<'_>, settings: &Settings) -> check::Checked {
    let text = match Text::decode(source.name, source.bytes) {
        Ok(text) => text,
        Err(diagnostic) => return check::Checked::failed(vec![*diagnostic]),
    };
    let parse::Read { places, mut diagnostics, more } = parse::read(&text);
    let Some(places) = places else {
        findings::close(&mut diagnostics, more, true, &text);
        return check::Checked::failed(diagnostics);
    };
    let mut findings = Findings::new(&text, &places);
    let sound = diagnostics.is_empty();
    for diagnostic in diagnostics {
        findings.add_placed(diagnostic);
    }
    findings.add_uncounted(more);
    ambiguous::check(&mut findings);
    suspicious::check(&mut findings);
    let accepted = meaning::certain(&text, sound, &findings).and_then(repair::accepted);
    let Some(document) = accepted.or_else(|| validated(&text, sound, &mut findings)) else {
        return check::Checked::failed(findings.finish());
    };
    let origin = model::Origin { name: source.name.to_owned(), sha256: hex(&Sha256::digest(source.bytes)) };
    check::check(document, origin, settings, findings)
}

/// Reads the data of the text, checks it against the schema, and corrects or replaces the parts that do not match.
/// Returns `None` after adding a finding, if the data cannot be checked further.
fn validated(text: &Text<'_>, sound: bool, findings: &mut Findings<'_>) -> Option<repair::Repaired> {
    let value = meaning::read(text, sound, findings)?;
    let verdict = validate::check(&value, findings);
    let repaired = repair::repair(value, &verdict);
    if repaired.is_none() && !findings.has_errors() {
        let message = "the spec matches the schema, but still cannot be read";
        findings.name(Code::INTERNAL, &path::Path::default(), message, None::<Hint>);
    }
    repaired
}

fn hex(bytes: &[u8]) -> String {
    crate::registry::notation::hex_digits(bytes)
}
