//! Collects the findings about one file and adds the place of each.

use crate::diag::{Code, Diagnostic, Hint, Severity};

use super::{
    path::Path,
    text::{Spot, Text},
    tree::Places,
};

/// The maximum number of findings that are shown for one file. A last finding says how many are not shown.
pub(in crate::spec) const MAX_FINDINGS: usize = 100;

/// Codes of findings which say that text may not mean what its author intended.
const READING: [Code; 4] =
    [Code::AMBIGUOUS_SCALAR, Code::UNQUOTED_SCALAR, Code::NUMBER_TOO_LARGE, Code::YAML_MERGE_KEY];

/// The part of a field that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::spec) enum Part {
    /// The field's name.
    Name,
    /// The field's data.
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
    /// Creates an empty collection.
    pub(in crate::spec) fn new(text: &'t Text<'t>, places: &'t Places) -> Self {
        Self { text, places, list: Vec::new(), more: 0, errors: 0 }
    }

    /// Returns the places of the document.
    pub(in crate::spec) fn places(&self) -> &'t Places {
        self.places
    }

    /// Returns the line in which the data at `path` begins; 0 if there is none.
    pub(in crate::spec) fn line_of(&self, path: &Path) -> usize {
        self.places.value(path).map_or(0, |spot| spot.line)
    }

    /// Returns whether any finding is an error.
    pub(in crate::spec) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Counts another finding; returns whether there is room for it. If not, its place need not be looked up.
    fn has_room(&mut self, severity: Severity) -> bool {
        self.errors += usize::from(severity == Severity::Error);
        let room = self.list.len() < MAX_FINDINGS;
        self.more += usize::from(!room);
        room
    }

    /// Returns whether there is no room for another error; if so, counts the error. The caller then need not compose a
    /// message.
    pub(in crate::spec) fn only_counts(&mut self) -> bool {
        self.list.len() >= MAX_FINDINGS && !self.has_room(Severity::Error)
    }

    /// Counts errors that are not added.
    pub(in crate::spec) fn add_uncounted(&mut self, more: usize) {
        self.more += more;
        self.errors += more;
    }

    /// Adds a finding about the node at `path`.
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

    /// Adds a finding about a place in the text.
    pub(in crate::spec) fn add_at(&mut self, diagnostic: Diagnostic, spot: Spot) {
        if self.has_room(diagnostic.severity) {
            self.put(diagnostic, Some(spot));
        }
    }

    /// Adds a finding that already has its place.
    pub(in crate::spec) fn add_placed(&mut self, diagnostic: Diagnostic) {
        if self.has_room(diagnostic.severity) {
            self.list.push(diagnostic);
        }
    }

    fn put(&mut self, diagnostic: Diagnostic, spot: Option<Spot>) {
        let place = spot.map_or_else(|| self.text.start(), |spot| self.text.place(spot));
        let diagnostic = diagnostic.at(place);
        let same_place = |known: &&Diagnostic| known.place == diagnostic.place;
        // The content of an anchor is checked at each alias that refers to it, but reported only once. If a scalar may
        // mean something else than intended, other errors in its data are not reported.
        let said = |known: &Diagnostic| known == &diagnostic || READING.contains(&known.code);
        if !self.list.iter().filter(same_place).any(said) {
            self.list.push(diagnostic);
        }
    }

    /// Returns the place of the name of the nearest existing field above a node that does not exist.
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

    /// Adds an error about the data at `path`.
    pub(in crate::spec) fn data(
        &mut self,
        code: Code,
        path: &Path,
        message: impl Into<String>,
        hint: Option<impl Into<Hint>>,
    ) {
        self.add(with_hint(Diagnostic::error(code, message), hint), path, Part::Data);
    }

    /// Adds an error about `part` of the text at `path`.
    pub(in crate::spec) fn within(
        &mut self,
        code: Code,
        path: &Path,
        part: &str,
        message: String,
        hint: Option<impl Into<Hint>>,
    ) {
        self.add_within(with_hint(Diagnostic::error(code, message), hint), path, Part::Data, part);
    }

    /// Adds a finding about `text` within the name or data at `path`.
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

    /// Adds an error about the field at `path`.
    pub(in crate::spec) fn name(
        &mut self,
        code: Code,
        path: &Path,
        message: impl Into<String>,
        hint: Option<impl Into<Hint>>,
    ) {
        self.add(with_hint(Diagnostic::error(code, message), hint), path, Part::Name);
    }

    /// Returns all findings, in the order of the file.
    pub(in crate::spec) fn finish(self) -> Vec<Diagnostic> {
        let mut list = self.list;
        list.sort_by_key(|d| d.place.as_ref().map(|p| (p.line, p.column)));
        close(&mut list, self.more, self.errors > 0, self.text);
        list
    }
}

/// Adds a last finding that says how many findings are not shown.
pub(in crate::spec) fn close(list: &mut Vec<Diagnostic>, more: usize, errors: bool, text: &Text<'_>) {
    if more > 0 {
        let message = match more {
            1 => "1 more finding is not shown".to_owned(),
            _ => format!("{more} more findings are not shown"),
        };
        let build = if errors { Diagnostic::error } else { Diagnostic::warning };
        list.push(build(Code::MORE_FINDINGS, message).at(text.start()).hint("correct those above first"));
    }
}

/// Adds the hint to the diagnostic, if there is a hint.
pub(in crate::spec) fn with_hint(diagnostic: Diagnostic, hint: Option<impl Into<Hint>>) -> Diagnostic {
    match hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}
