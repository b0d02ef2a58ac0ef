//! Collects the findings about one file, and adds the place in the file to each finding.

use crate::diag::{Code, Diagnostic, Hint, Severity};

use super::{
    path::Path,
    sensitive::{self, Private},
    text::{Spot, Text},
    tree::Places,
};

/// The maximum number of findings that kbfix shows for one file. If there are more, a last finding says how many are
/// not shown.
pub(in crate::spec) const MAX_FINDINGS: usize = 100;

/// The codes of findings about text that YAML readers may interpret differently than the author intended.
const READING: [Code; 4] =
    [Code::AMBIGUOUS_SCALAR, Code::UNQUOTED_SCALAR, Code::NUMBER_TOO_LARGE, Code::YAML_MERGE_KEY];

/// The part of a field that a finding marks in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::spec) enum Part {
    /// The field's name.
    Name,
    /// The field's data.
    Data,
}

/// The findings about one file, which the checks collect.
pub(in crate::spec) struct Findings<'t> {
    text: &'t Text<'t>,
    places: &'t Places,
    private: Private<'t>,
    list: Vec<Diagnostic>,
    more: usize,
    errors: usize,
}

impl<'t> Findings<'t> {
    /// Creates an empty collection of findings about `text`. `places` are the nodes of this text, and `private` says
    /// which of them can be sensitive.
    pub(in crate::spec) fn new(text: &'t Text<'t>, places: &'t Places, private: Private<'t>) -> Self {
        Self { text, places, private, list: Vec::new(), more: 0, errors: 0 }
    }

    /// Returns the nodes of the document, with their places in the text.
    pub(in crate::spec) fn places(&self) -> &'t Places {
        self.places
    }

    /// Returns the line in which the data at `path` begins, from 1; 0 if there is no such data.
    pub(in crate::spec) fn line_of(&self, path: &Path) -> usize {
        self.places.value(path).map_or(0, |spot| spot.line)
    }

    /// Returns whether at least one finding is an error. Findings that were only counted are included.
    pub(in crate::spec) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Counts a finding. Returns `true` if the list has room for the finding. If not, the finding will not be shown,
    /// and the caller need not find its place.
    fn has_room(&mut self, severity: Severity) -> bool {
        self.errors += usize::from(severity == Severity::Error);
        let room = self.list.len() < MAX_FINDINGS;
        self.more += usize::from(!room);
        room
    }

    /// If the list has no room for more findings, counts one more error and returns `true`: the caller need not create
    /// a message. Otherwise counts nothing and returns `false`.
    pub(in crate::spec) fn only_counts(&mut self) -> bool {
        self.list.len() >= MAX_FINDINGS && !self.has_room(Severity::Error)
    }

    /// Counts `more` errors for which the caller has no messages. The last finding includes them in the number of
    /// findings that are not shown.
    pub(in crate::spec) fn add_uncounted(&mut self, more: usize) {
        self.more += more;
        self.errors += more;
    }

    /// Adds a finding that marks the name or the data (`part`) of the node at `path`; if there is no such node, the
    /// finding marks the nearest node above. If the list has no room, the finding is only counted.
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

    /// Adds a finding that marks a range of the text.
    pub(in crate::spec) fn add_at(&mut self, diagnostic: Diagnostic, spot: Spot) {
        if self.has_room(diagnostic.severity) {
            self.put(diagnostic, Some(spot));
        }
    }

    /// Adds a finding that already contains its place.
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

    /// Returns the place of the nearest existing node above `path`, for a finding about a node that does not exist;
    /// `None` if no node above exists.
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

    /// Adds an error that marks the data at `path`, as [`Self::add`] does.
    pub(in crate::spec) fn data(
        &mut self,
        code: Code,
        path: &Path,
        message: impl Into<String>,
        hint: Option<impl Into<Hint>>,
    ) {
        self.add(with_hint(Diagnostic::error(code, message), hint), path, Part::Data);
    }

    /// Adds an error that marks the text `part` in the data at `path`, as [`Self::add_within`] does.
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

    /// Adds a finding as [`Self::add`] does, but marks only `text` in the name or data, if it occurs there exactly
    /// once.
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

    /// Adds an error that marks the name of the field at `path`, as [`Self::add`] does.
    pub(in crate::spec) fn name(
        &mut self,
        code: Code,
        path: &Path,
        message: impl Into<String>,
        hint: Option<impl Into<Hint>>,
    ) {
        self.add(with_hint(Diagnostic::error(code, message), hint), path, Part::Name);
    }

    /// Returns the findings, sorted by their place in the file. If some were only counted, a last finding says how
    /// many. The findings do not show sensitive data.
    pub(in crate::spec) fn finish(self) -> Vec<Diagnostic> {
        let mut list = self.list;
        list.sort_by_key(|d| d.place.as_ref().map(|p| (p.line, p.column)));
        if !list.is_empty()
            && let Some(hidden) = sensitive::find(self.places, self.private)
        {
            list.iter_mut().for_each(|diagnostic| hidden.hide(diagnostic));
            // Several errors in one list can now have the same message.
            list.dedup();
        }
        close(&mut list, self.more, self.errors > 0, self.text);
        list
    }
}

/// If `more` is not 0, adds a finding which says that `more` findings are not shown. The added finding is an
/// error if `errors` is true.
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

/// Returns the diagnostic with the hint, or unchanged if the hint is `None`.
pub(in crate::spec) fn with_hint(diagnostic: Diagnostic, hint: Option<impl Into<Hint>>) -> Diagnostic {
    match hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}
