//! Specs: turns a YAML file into a checked [`Spec`], and into findings that say what is wrong in the file.
//!
//! A file passes through these modules in order:
//!
//! - `source` decodes the text, records the place of every YAML node, and reads the data.
//! - `shape` checks the data against the JSON schema, and explains the errors.
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
use check::Checked;
use shape::{ambiguous, repair, suspicious};
use source::{
    findings::{self, Findings},
    meaning, parse, path,
    sensitive::{self, Private},
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

/// The bytes of a spec file, and its name in messages.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The path as the user gave it, `-` for standard input, or another name, such as `built-in KB909094`.
    pub name: &'a str,
    /// The content of the file.
    pub bytes: &'a [u8],
}

/// The result of loading one spec file.
#[derive(Debug)]
pub struct Loaded {
    /// The spec; `None` if one of `diagnostics` is an error.
    pub spec: Option<Spec>,
    /// The errors and warnings about the file, in the order of their lines. If there are too many, a finding after them
    /// says how many are not shown. From [`load`], errors about settings for parameters that the spec does not declare
    /// follow at the end.
    pub diagnostics: Vec<Diagnostic>,
}

/// The result of loading all spec files of a run.
#[derive(Debug)]
pub struct LoadedAll {
    /// The result for each file, in the order of the files.
    pub each: Vec<Loaded>,
    /// Findings about several specs together, such as conflicts, and errors about settings for parameters that no spec
    /// declares.
    pub across: Vec<Diagnostic>,
}

impl LoadedAll {
    /// Returns all findings: first those about each file, then those in `across`.
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

/// The findings about all spec files of a run, which [`validate`] returns.
pub struct Validated {
    files: Vec<Checked>,
    across: Vec<Diagnostic>,
}

impl Validated {
    /// Returns all findings: first those about each file, then those about several specs together and about settings
    /// for parameters that no spec declares.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.files.iter().flat_map(|file| &file.diagnostics).chain(&self.across)
    }
}

/// The parts of each spec that the caller needs. The other parts take time and memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    /// The complete spec, with its whole document.
    All,
    /// The spec without `registry` in its document.
    Plan,
    /// Only the findings about the file.
    Findings,
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
    load_by(Needed::All, sources, settings)
}

/// Reads and checks the spec files of a run like [`load_all`], but leaves `registry` out of the documents of the specs.
///
/// A plan is made from the checked rules. The rules as the files contain them can take as much memory as a plan.
pub fn load_rules(sources: &[Source<'_>], settings: &Settings) -> LoadedAll {
    load_by(Needed::Plan, sources, settings)
}

/// Checks the spec files of a run as [`load_all`] does, but returns only the findings.
pub fn validate(sources: &[Source<'_>], settings: &Settings) -> Validated {
    let (files, across) = check_all(Needed::Findings, sources, settings);
    Validated { files, across }
}

fn load_by(needed: Needed, sources: &[Source<'_>], settings: &Settings) -> LoadedAll {
    let (files, across) = check_all(needed, sources, settings);
    let loaded = |file: Checked| Loaded { spec: file.spec.map(|spec| *spec), diagnostics: file.diagnostics };
    LoadedAll { each: files.into_iter().map(loaded).collect(), across }
}

/// Reads and checks the spec files of a run. Uses several threads if there is much text. Returns the result for each
/// file, and the findings about several specs together.
fn check_all(needed: Needed, sources: &[Source<'_>], settings: &Settings) -> (Vec<Checked>, Vec<Diagnostic>) {
    let check_one = |source: &Source<'_>| check_one(needed, source, settings);
    let files = match sources.iter().map(|source| source.bytes.len()).sum::<usize>() < MUCH_TEXT {
        true => sources.iter().map(check_one).collect(),
        false => parallel::map(sources, check_one),
    };
    let across = check::between_specs::check(sources, &files, settings);
    (files, across)
}

/// Reads and checks one spec file alone.
fn check_one(needed: Needed, source: &Source<'_>, settings: &Settings) -> Checked {
    let text = match Text::decode(source.name, source.bytes) {
        Ok(text) => text,
        Err(diagnostic) => {
            let mut found = vec![*diagnostic];
            sensitive::hide_unparsed(&String::from_utf8_lossy(source.bytes), Private::Spec(settings), &mut found);
            return Checked::failed(found);
        }
    };
    let parse::Read { places, mut diagnostics, more } = parse::read(&text);
    let Some(places) = places else {
        sensitive::hide_unparsed(text.text, Private::Spec(settings), &mut diagnostics);
        findings::close(&mut diagnostics, more, true, &text);
        return Checked::failed(diagnostics);
    };
    let mut findings = Findings::new(&text, &places, Private::Spec(settings));
    let sound = diagnostics.is_empty();
    for diagnostic in diagnostics {
        findings.add_placed(diagnostic);
    }
    findings.add_uncounted(more);
    ambiguous::check(&mut findings, &shape::validate::spec_schema);
    suspicious::check(&mut findings);
    let accepted = meaning::certain(&text, sound, &findings).and_then(repair::accepted);
    let Some(document) = accepted.or_else(|| validated(&text, sound, &mut findings)) else {
        return Checked::failed(findings.finish());
    };
    let sha256 = if needed == Needed::Findings { String::new() } else { hex(&Sha256::digest(source.bytes)) };
    let origin = model::Origin { name: source.name.to_owned(), sha256 };
    let mut checked = check::check(document, origin, settings, findings);
    if let Some(spec) = &mut checked.spec {
        match needed {
            Needed::All => {}
            Needed::Plan => spec.document.registry = Vec::new(),
            Needed::Findings => check::between_specs::leave_compared(spec),
        }
    }
    checked
}

/// Reads the data of the text, checks it against the schema, and corrects or replaces the parts that do not match.
/// Returns `None` if the data cannot be checked further; at least one finding is then an error. `sound` says whether
/// the text was parsed without errors.
fn validated(text: &Text<'_>, sound: bool, findings: &mut Findings<'_>) -> Option<repair::Repaired> {
    let value = meaning::read(text, sound, findings)?;
    let verdict = shape::validate::check(&value, findings);
    let repaired = repair::repair(value, &verdict);
    if repaired.is_none() && !findings.has_errors() {
        let message = "the spec matches the schema, but kbfix cannot read it; this is a bug in kbfix: please report it";
        findings.name(Code::INTERNAL, &path::Path::default(), message, None::<Hint>);
    }
    repaired
}

fn hex(bytes: &[u8]) -> String {
    crate::registry::notation::hex_digits(bytes)
}
