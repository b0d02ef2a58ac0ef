//! Imports a `.reg` file, a `Registry.pol` or the text for LGPO.exe: makes a spec from it. Except for the differences
//! below, applying the spec has the same result as importing the `.reg` file, or as processing the policy with Group
//! Policy.
//!
//! Such a file is a list of steps, but a spec describes the final state. So the modules `script` and `policy` execute
//! the steps on a model of the keys, and the rules of the spec are made from the final state of the model. If a spec
//! cannot express the result of a step, the import fails with an error at the line of this step. Some things are
//! different in the spec, because a spec must work on any machine and can contain only valid data:
//!
//! - A numbered control set, such as `ControlSet001`, becomes `CurrentControlSet`. This causes a warning.
//! - HKCU means the hive of each user in a spec, but the hive of the importing user in a `.reg` file. This causes a
//!   warning.
//! - A key below `Wow6432Node` becomes a key in the 32-bit view, which is the same key on 64-bit Windows.
//! - A `REG_MULTI_SZ` without the second NUL at its end gets this NUL. This causes a warning.

mod keys;
mod kind;
pub mod osconfig;
mod player;
mod policy;
mod rules;
mod script;

use crate::{
    diag::{Code, Diagnostic, Hint, Place, Severity},
    format::{
        pol,
        reg::{self, CodePage, RegErrorKind},
    },
    registry::RootKey,
    spec::{
        MAX_BYTES,
        document::{Document, KeyRule},
    },
    targets::may_be_of_users,
};

use super::yaml;
pub use kind::Kind;

/// The end of the name of a spec that kbfix made from another file, such as a `.reg` file that the operator gave in
/// place of a spec. The rest of the name is that of the file. The end tells a reader of messages that they are about
/// the spec, and not about the file itself.
pub const AS_SPEC: &str = " (as a spec)";

/// The id, title and summary of the new spec, which the imported file does not contain.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The id of the spec.
    pub id: &'a str,
    /// The title of the spec.
    pub title: &'a str,
    /// The reason for the change, for the reviewer; `None` if there is no such text.
    pub summary: Option<&'a str>,
}

/// Options of `kbfix import` for reading the file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// The ANSI code page of a text file without a byte order mark. If it is `None`, bytes outside ASCII in such a file
    /// are an error.
    pub code_page: Option<CodePage>,
    /// Whether to skip the lines of a `.reg` file that regedit skips, with warnings. Otherwise such lines are errors.
    pub lenient: bool,
    /// The root key of a `Registry.pol`: HKLM for the policy of the machine, HKCU for the policy of users. `None`
    /// means HKLM, but then the import of `ntuser.pol` or of a file in a folder `User` fails.
    pub root: Option<RootKey>,
}

impl Reading {
    /// Returns the root key of the policy file `name`.
    ///
    /// # Errors
    /// Returns an error if the operator gave no root key, and `name` shows that the policy may be for users, for
    /// example because the file is in a folder `User`.
    fn root_of(self, name: &str) -> Result<RootKey, Vec<Diagnostic>> {
        match self.root {
            None if may_be_of_users(name) => {
                let message = format!(
                    "{name} may be a policy for users or for the machine; the content of the file does not show \
                        which of the two it is"
                );
                let hint = Hint::new("give HKCU for a policy of users, or HKLM for a policy of the machine")
                    .option("root", "HKCU|HKLM");
                Err(vec![Diagnostic::error(Code::USAGE, message).hint(hint)])
            }
            root => Ok(root.unwrap_or(RootKey::Hklm)),
        }
    }
}

/// A spec that was made from an imported file.
#[derive(Debug)]
pub struct Imported {
    /// The YAML text of the spec.
    pub text: String,
    /// Warnings about the imported file, for the author of the spec.
    pub warnings: Vec<Diagnostic>,
}

/// Makes a spec from the bytes of a `Registry.pol`, of a text for LGPO.exe, or of a `.reg` file in version 4 or 5.
/// `name` is the path of the file, for messages. If `reading` gives no root key, the path also shows whether a policy
/// may be for users. In messages about an entry of a `Registry.pol`, the line number is the number of the entry.
///
/// # Errors
/// Returns the errors because of which there is no spec, with the warnings found so far: for example syntax errors in
/// the file, data or changes that a spec cannot express, a file without keys, or a spec that would be too large.
pub fn import(name: &str, bytes: &[u8], reading: Reading, about: About<'_>) -> Result<Imported, Vec<Diagnostic>> {
    let mut findings = Vec::new();
    let file = |is_of_one_user| File { name, lines: lines(bytes), is_of_one_user };
    match Kind::of(bytes) {
        Kind::Pol => {
            let document = pol::Document::parse(bytes.to_vec(), reading.root_of(name)?).map_err(|error| {
                let code = match error.kind {
                    pol::PolErrorKind::TooLarge => Code::REG_TOO_LARGE,
                    _ => Code::POLICY_FILE,
                };
                vec![Diagnostic::error(code, format!("{name}: {error}")).hint(error.kind.hint())]
            })?;
            let file = File { name, lines: policy::lines(&document), is_of_one_user: false };
            let keys = policy::play(policy::of_file(&document), &file, &mut findings);
            spec(&keys, &file, findings, about)
        }
        Kind::Lgpo => {
            let file = file(false);
            let entries =
                pol::parse_lgpo(bytes, reading.code_page).map_err(|errors| policy::refused(&errors, &file))?;
            let keys = policy::play(policy::of_text(&entries), &file, &mut findings);
            spec(&keys, &file, findings, about)
        }
        Kind::Manifest => {
            let hint = "`kbfix import --from osconfig FILE` makes a spec from it";
            let message = "this is a manifest of Microsoft OSConfig";
            Err(vec![Diagnostic::error(Code::REG_HEADER, message).at(file(true).place(1)).hint(hint)])
        }
        Kind::Reg | Kind::Hive | Kind::Other => {
            let file = file(true);
            let (document, skipped) = read(bytes, reading).map_err(|errors| file.refused(&errors, reading.lenient))?;
            findings.extend(skipped.iter().map(|skipped| file.skipped(skipped)));
            let keys = script::play(&document, &file, &mut findings);
            spec(&keys, &file, findings, about)
        }
    }
}

/// Makes the spec from the final state of the keys in the imported file. `findings` are the warnings and errors that
/// were found before.
///
/// # Errors
/// Returns all findings if one of them is an error, the file contains no key, or the spec would be too large or not
/// valid.
fn spec(
    keys: &keys::Keys,
    file: &File<'_>,
    mut findings: Vec<Diagnostic>,
    about: About<'_>,
) -> Result<Imported, Vec<Diagnostic>> {
    if keys.parts() > MAX_BYTES / SHORTEST_PART {
        let size = format!("more than {MAX_BYTES} bytes");
        findings.push(too_large(&size, file.place(1)));
        return Err(findings);
    }
    let rules = rules::rules(keys, file, &mut findings);
    if findings.iter().any(|d| d.severity == Severity::Error) {
        return Err(findings);
    }
    if rules.is_empty() {
        let message = "the file contains no key";
        let hint = "export at least one key, or use a policy with at least one entry that sets a value";
        findings.push(Diagnostic::error(Code::NOTHING_DESIRED, message).at(file.place(1)).hint(hint));
        return Err(findings);
    }
    let each: Vec<KeyRule> = rules.iter().map(|(rule, _)| rule.clone()).collect();
    let text = yaml::yaml(&about.document(each));
    if text.len() > MAX_BYTES {
        findings.push(too_large(&format!("{} bytes", text.len()), file.place(1)));
        return Err(findings);
    }
    match faults(&text) {
        None => Ok(Imported { text, warnings: findings }),
        Some(faults) => {
            // The errors are in text that the author has not seen. So each rule is checked separately, to find its line
            // in the file.
            let mut placed = Vec::new();
            for (rule, line) in rules {
                for fault in self::faults(&yaml::yaml(&about.document(vec![rule]))).into_iter().flatten() {
                    placed.push(Diagnostic { place: Some(file.place(line)), ..fault });
                }
            }
            if placed.is_empty() {
                placed.extend(faults.into_iter().map(|fault| Diagnostic { place: None, ..fault }));
            }
            findings.extend(placed);
            Err(findings)
        }
    }
}

/// A lower limit for the number of bytes of a key or a value in a spec, with which kbfix refuses a large file before it
/// makes the spec. Even `x: { ensure: absent }` has more bytes.
const SHORTEST_PART: usize = 16;

fn too_large(size: &str, place: Place) -> Diagnostic {
    let message = format!(
        "the spec made from this file would have {size}, but a spec can have at most {MAX_BYTES} \
        (1 MiB)"
    );
    let hint = "import fewer keys, or split the file into several";
    Diagnostic::error(Code::REG_TOO_LARGE, message).at(place).hint(hint)
}

/// Parses a `.reg` file. Returns the document, and the lines that were skipped because the operator gave `--lenient`.
///
/// # Errors
/// Returns the syntax errors in the file, at most 100; with `--lenient`, the error because of which the file cannot be
/// read even if lines are skipped.
fn read(bytes: &[u8], reading: Reading) -> Result<(reg::Document, Vec<reg::Skipped>), Vec<reg::RegError>> {
    let Reading { code_page, lenient, .. } = reading;
    if lenient {
        return reg::Document::parse_lenient(bytes.to_vec(), code_page).map_err(|error| vec![error]);
    }
    reg::Document::parse(bytes.to_vec(), code_page).map(|document| (document, Vec::new())).map_err(|first| {
        let all = reg::Document::faults(bytes, code_page);
        if all.is_empty() { vec![first] } else { all }
    })
}

/// Returns the errors in the YAML text of a spec; `None` if the spec is valid.
fn faults(text: &str) -> Option<Vec<Diagnostic>> {
    let loaded = crate::spec::load("spec", text.as_bytes(), &crate::spec::Settings::new());
    let errors: Vec<_> = loaded.diagnostics.into_iter().filter(|d| d.severity == Severity::Error).collect();
    if errors.is_empty() { None } else { Some(errors) }
}

impl About<'_> {
    fn document(&self, registry: Vec<KeyRule>) -> Document {
        Document {
            kbfix: 1,
            id: self.id.to_owned(),
            title: self.title.to_owned(),
            also: Vec::new(),
            article: None,
            applies_to: Vec::new(),
            summary: self.summary.map(str::to_owned),
            notes: Vec::new(),
            sources: Vec::new(),
            parameters: Default::default(),
            locations: Default::default(),
            applicable: None,
            cause: None,
            prerequisites: Vec::new(),
            hotfix: None,
            registry,
            manual_steps: Vec::new(),
            restart: None,
            symptoms: Vec::new(),
        }
    }
}

/// The imported file: its name and its lines, for messages.
struct File<'a> {
    name: &'a str,
    lines: Vec<String>,
    /// Whether HKCU in this file means only the user who imports the file.
    is_of_one_user: bool,
}

impl File<'_> {
    fn finding(&self, error: &reg::RegError, severity: Severity) -> Diagnostic {
        let message = format!("expected {}, found {}", error.expected, error.found);
        let hint = match error.kind {
            reg::RegErrorKind::CodePage => Hint::new(error.hint()).option("code-page", "N"),
            _ => error.hint().into(),
        };
        let mut place = Place { column: error.column, ..self.place(error.line) };
        if error.kind == RegErrorKind::Hive {
            // The file is not text.
            (place.source, place.length) = (String::new(), 1);
        }
        Diagnostic { severity, ..Diagnostic::error(code(error.kind), message) }.at(place).hint(hint)
    }

    /// Returns the findings about a `.reg` file with the syntax errors `errors`. `lenient` says whether the operator
    /// gave `--lenient`; if skipping lines would help or has reached its limit, the last hint says so.
    fn refused(&self, errors: &[reg::RegError], lenient: bool) -> Vec<Diagnostic> {
        let mut findings: Vec<_> = errors.iter().map(|error| self.finding(error, Severity::Error)).collect();
        // If a line has an error that even regedit does not skip, skipping the other lines would not help.
        if errors.iter().all(|error| error.kind.is_skipped())
            && let Some(hint) = findings.last_mut().and_then(|last| last.hint.as_mut())
        {
            hint.push_str(&match lenient {
                true => format!("; kbfix skips at most {} errors of a file, and this is one more", reg::MAX_SKIPPED),
                false => "; or give --lenient to skip such lines with a warning, as regedit does".to_owned(),
            });
        }
        findings
    }

    fn skipped(&self, skipped: &reg::Skipped) -> Diagnostic {
        let finding = self.finding(&skipped.error, Severity::Warning);
        let lines = match skipped.error.line {
            line if line <= skipped.from => "this line".to_owned(),
            line => format!("lines {} to {line}", skipped.from),
        };
        Diagnostic { message: format!("skipped {lines}, as regedit does: {}", finding.message), ..finding }
    }

    fn place(&self, line: usize) -> Place {
        let source = self.lines.get(line.saturating_sub(1)).cloned().unwrap_or_default();
        let length = source.trim_end().chars().count().max(1);
        Place { file: self.name.to_owned(), line, column: 1, length, source }
    }
}

/// Returns the lines of a text file for messages, each cut after 200 characters. Bytes that are not valid in UTF-8
/// (in UTF-16, if the file begins with its byte order mark) become the replacement character U+FFFD, also a single byte
/// at the end of UTF-16.
fn lines(bytes: &[u8]) -> Vec<String> {
    const LONGEST: usize = 200;
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => {
            let unit = |pair: &[u8]| pair.try_into().map_or(0xFFFD, u16::from_le_bytes);
            String::from_utf16_lossy(&rest.chunks(2).map(unit).collect::<Vec<_>>())
        }
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.split('\n').map(|line| line.chars().take(LONGEST).collect()).collect()
}

fn code(kind: RegErrorKind) -> Code {
    match kind {
        RegErrorKind::TooLarge => Code::REG_TOO_LARGE,
        RegErrorKind::Header => Code::REG_HEADER,
        RegErrorKind::Hive => Code::REG_HIVE,
        RegErrorKind::CodePage => Code::REG_CODE_PAGE,
        RegErrorKind::Key => Code::REG_KEY,
        RegErrorKind::OutsideKey => Code::REG_OUTSIDE_KEY,
        RegErrorKind::Syntax => Code::REG_SYNTAX,
        RegErrorKind::Escape => Code::REG_ESCAPE,
        RegErrorKind::Data => Code::REG_DATA,
        RegErrorKind::Unfinished => Code::REG_UNFINISHED,
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod policy_tests;
