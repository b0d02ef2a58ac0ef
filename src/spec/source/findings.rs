//! Collects the findings about one file and gives each its place.

use crate::diag::{Code, Diagnostic, Severity};

use super::{
    path::Path,
    text::{Spot, Text},
    tree::Places,
};

/// How many findings of one file are shown; a last one after these counts the rest.
pub(in crate::spec) const MAX_FINDINGS: usize = 100;

/// Codes that say that text is read as something else than was meant.
const READING: [Code; 4] =
    [Code::AMBIGUOUS_SCALAR, Code::UNQUOTED_SCALAR, Code::NUMBER_TOO_LARGE, Code::YAML_MERGE_KEY];

/// Which part of a field is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::spec) enum Part {
    /// The field's name.
    Name,
    /// Its data.
    Data,
}

/// The findings about one file.
pub(in crate::spec) struct Findings<'t> {
    text: &'t Text<'t>,
    places: &'t Places,
    list: Vec<Diagnostic>,
    more: usize,
    errors: usize,
}

impl<'t> Findings<'t> {
    /// None yet.
    pub(in crate::spec) fn new(text: &'t Text<'t>, places: &'t Places) -> Self {
        Self { text, places, list: Vec::new(), more: 0, errors: 0 }
    }

    /// The places of the document.
    pub(in crate::spec) fn places(&self) -> &'t Places {
        self.places
    }

    /// The line in which the data at `path` begins; 0 where there is none.
    pub(in crate::spec) fn line_of(&self, path: &Path) -> usize {
        self.places.value(path).map_or(0, |spot| spot.line)
    }

    /// Whether one of them is an error.
    pub(in crate::spec) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Takes note of another; whether there is room for it. The place of one that is not shown need not be looked up.
    fn has_room(&mut self, severity: Severity) -> bool {
        self.errors += usize::from(severity == Severity::Error);
        let room = self.list.len() < MAX_FINDINGS;
        self.more += usize::from(!room);
        room
    }

    /// Whether another error would only be counted; it is then. What it says need not be made up.
    pub(in crate::spec) fn only_counts(&mut self) -> bool {
        self.list.len() >= MAX_FINDINGS && !self.has_room(Severity::Error)
    }

    /// Counts findings that are not here.
    pub(in crate::spec) fn add_uncounted(&mut self, more: usize) {
        self.more += more;
        self.errors += more;
    }

    /// Adds a finding about what stands at `path`.
    pub(in crate::spec) fn add(&mut self, diagnostic: Diagnostic, path: &Path, part: Part) {
        if !self.has_room(diagnostic.severity) {
            return;
        }
        let spot = match part {
            Part::Name => self.places.name(path),
            Part::Data => self.places.value(path),
        };
        self.put(diagnostic, spot.or_else(|| self.nearest(path)));
    }

    /// Adds a finding about a place.
    pub(in crate::spec) fn add_at(&mut self, diagnostic: Diagnostic, spot: Spot) {
        if self.has_room(diagnostic.severity) {
            self.put(diagnostic, Some(spot));
        }
    }

    /// Adds a finding that has its place.
    pub(in crate::spec) fn add_placed(&mut self, diagnostic: Diagnostic) {
        if self.has_room(diagnostic.severity) {
            self.list.push(diagnostic);
        }
    }

    fn put(&mut self, diagnostic: Diagnostic, spot: Option<Spot>) {
        let place = spot.map_or_else(|| self.text.start(), |spot| self.text.place(spot));
        let diagnostic = diagnostic.at(place);
        let same_place = |known: &&Diagnostic| known.place == diagnostic.place;
        // What an anchor holds is checked wherever an alias stands for it, and said once. And where a scalar may not mean
        // what it seems to, nothing is gained by saying what else is wrong with what it seems to mean.
        let said = |known: &Diagnostic| known == &diagnostic || READING.contains(&known.code);
        if !self.list.iter().filter(same_place).any(said) {
            self.list.push(diagnostic);
        }
    }

    /// The name of the nearest field above a node that is not there.
    fn nearest(&self, path: &Path) -> Option<Spot> {
        let mut above = path.0.as_slice();
        while let Some((_, rest)) = above.split_last() {
            above = rest;
            if let Some(spot) = self.places.name(&Path(above.to_vec())) {
                return Some(spot);
            }
        }
        None
    }

    /// An error about the data at `path`.
    pub(in crate::spec) fn data(&mut self, code: Code, path: &Path, message: impl Into<String>, hint: Option<String>) {
        self.add(with_hint(Diagnostic::error(code, message), hint), path, Part::Data);
    }

    /// An error about `part`, which is somewhere in the text at `path`.
    pub(in crate::spec) fn within(
        &mut self,
        code: Code,
        path: &Path,
        part: &str,
        message: String,
        hint: Option<String>,
    ) {
        self.add_within(with_hint(Diagnostic::error(code, message), hint), path, Part::Data, part);
    }

    /// Adds a finding about `text`, which is somewhere in what stands at `path`.
    pub(in crate::spec) fn add_within(&mut self, diagnostic: Diagnostic, path: &Path, part: Part, text: &str) {
        if self.has_room(diagnostic.severity) {
            let whole = match part {
                Part::Name => self.places.name(path),
                Part::Data => self.places.value(path),
            };
            let whole = whole.or_else(|| self.nearest(path));
            let spot = whole.map(|whole| self.text.find(whole, text).unwrap_or(whole));
            self.put(diagnostic, spot);
        }
    }

    /// An error about the field at `path`.
    pub(in crate::spec) fn name(&mut self, code: Code, path: &Path, message: impl Into<String>, hint: Option<String>) {
        self.add(with_hint(Diagnostic::error(code, message), hint), path, Part::Name);
    }

    /// All findings, in the order of the file.
    pub(in crate::spec) fn finish(self) -> Vec<Diagnostic> {
        let mut list = self.list;
        list.sort_by_key(|d| d.place.as_ref().map(|p| (p.line, p.column)));
        close(&mut list, self.more, self.errors > 0, self.text);
        list
    }
}

/// Says at the end of a list how many findings are not in it.
pub(in crate::spec) fn close(list: &mut Vec<Diagnostic>, more: usize, errors: bool, text: &Text<'_>) {
    if more > 0 {
        let message = format!("{more} more findings are not shown");
        let build = if errors { Diagnostic::error } else { Diagnostic::warning };
        list.push(build(Code::MORE_FINDINGS, message).at(text.start()).hint("correct those above first"));
    }
}

/// `diagnostic` with a hint, where there is one.
pub(in crate::spec) fn with_hint(diagnostic: Diagnostic, hint: Option<String>) -> Diagnostic {
    match hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}
