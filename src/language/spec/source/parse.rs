//! Builds a tree of the nodes of a YAML document with their places, from the events of the crate saphyr-parser. The
//! module [`crate::spec::source::meaning`] reads the data.
//!
//! The limits on depth and size are checked here, before the second parser reads the text: even a short text can be
//! nested very deeply, or become very large when its aliases are replaced with their nodes.

use std::collections::{BTreeSet, HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

use crate::diag::{Code, Diagnostic};

use super::{
    characters::Characters,
    findings::MAX_FINDINGS,
    reading::Reading,
    readings::here,
    syntax_error,
    text::{Spot, Text},
    tree::{Entry, Kind, Node, Places, Style, empty_at},
};

/// The maximum number of lists and mappings that may be nested in each other.
pub(in crate::spec) const MAX_DEPTH: usize = 32;
/// The maximum number of nodes of a document, after its aliases are replaced with their nodes.
pub(in crate::spec) const MAX_NODES: usize = 250_000;
/// The maximum size of all scalars and field names of a document in bytes, after its aliases are replaced with their
/// nodes.
pub(in crate::spec) const MAX_EXPANDED: usize = 8 << 20;

/// The maximum number of fields of a mapping in which a repeated name is found by comparing all names. For larger
/// mappings, a set of names is faster.
const FEW_NAMES: usize = 16;

/// The nodes of a YAML document and the errors in its text, as [`read`] returns them.
pub(in crate::spec) struct Read {
    /// The nodes with their places; `None` after an error that ended the parsing, such as text that is not YAML, an
    /// empty file, or too many nodes. `diagnostics` then contains this error, or `more` counts it.
    pub places: Option<Places>,
    /// The errors in the text. If `places` is `Some`, the document can be checked further in spite of the errors.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of further errors, which are not in `diagnostics`.
    pub more: usize,
}

/// Parses `text`, and returns its nodes with their places.
pub(in crate::spec) fn read(text: &Text<'_>) -> Read {
    // Most nodes of a spec take more text.
    let nodes = Vec::with_capacity(text.text.len() / 32);
    let mut builder = Builder { text, nodes, open: Vec::new(), anchors: HashMap::new(), found: Vec::new(), more: 0 };
    let root = builder.run();
    let diagnostics = std::mem::take(&mut builder.found);
    let places = root.map(|root| Places::new(builder.nodes, root));
    Read { places, diagnostics, more: builder.more }
}

fn spot(span: Span) -> Spot {
    let at = |marker: Marker| (marker.line(), marker.col() + 1);
    let ((line, column), (end_line, end_column)) = (at(span.start), at(span.end));
    Spot { line, column, end_line, end_column }
}

/// A list or mapping whose end the parser has not reached yet.
struct Open {
    node: usize,
    /// The names of the fields so far, if the mapping has more than [`FEW_NAMES`]. For smaller mappings, `None`.
    names: Option<BTreeSet<String>>,
    /// The field name whose data comes next: the name, its place, and its style. `None` if no data is expected.
    name: Option<(String, Spot, Style)>,
}

struct Builder<'t> {
    text: &'t Text<'t>,
    nodes: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, usize>,
    found: Vec<Diagnostic>,
    more: usize,
}

impl Builder<'_> {
    fn report(&mut self, code: Code, spot: Spot, message: impl Into<String>, hint: Option<&str>) {
        if self.is_full() {
            self.more += 1;
            return;
        }
        let diagnostic = Diagnostic::error(code, message).at(self.text.place(spot));
        self.found.push(match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        });
    }

    fn is_full(&self) -> bool {
        self.found.len() >= MAX_FINDINGS
    }

    /// Parses the text. Returns the index of the root node; `None` after an error that ends the parsing.
    fn run(&mut self) -> Option<usize> {
        let mut root = None;
        let mut documents = 0;
        for event in Parser::new(Characters::of(self.text.text)) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => return self.syntax(&error),
            };
            let spot = spot(span);
            match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let hint = "put each document into its own file";
                        self.report(Code::SEVERAL_DOCUMENTS, spot, "the file has a second YAML document", Some(hint));
                        return None;
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    if tag.is_some() {
                        self.tag(spot);
                    }
                    let style = match style {
                        ScalarStyle::Plain => Style::Plain,
                        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                        _ => Style::Other,
                    };
                    // The parser reports a missing node as a `~` with length 0.
                    let text = if style == Style::Plain && span.is_empty() { String::new() } else { text.into_owned() };
                    if self.expects_name() {
                        self.name(text, spot, style);
                        continue;
                    }
                    let size = (1, text.len());
                    let node = self.add(spot, Kind::Scalar { text, style }, size, anchor)?;
                    self.attach(node, &mut root)?;
                }
                Event::Alias(anchor) => {
                    if self.expects_name() {
                        return self.not_a_name(spot);
                    }
                    let Some(target) = self.anchors.get(&anchor).copied() else { return self.unknown_alias(spot) };
                    if self.open.iter().any(|open| open.node == target) {
                        let message = "the alias is inside the data that it refers to";
                        self.report(Code::YAML_RECURSION, spot, message, Some("write out the data"));
                        return None;
                    }
                    let node = self.add(spot, Kind::Alias(target), self.nodes[target].size, 0)?;
                    self.attach(node, &mut root)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    if tag.is_some() {
                        self.tag(spot);
                    }
                    self.begin(spot, Kind::Sequence(Vec::new()), anchor)?;
                }
                Event::MappingStart(anchor, tag) => {
                    if tag.is_some() {
                        self.tag(spot);
                    }
                    self.begin(spot, Kind::Mapping(Vec::new()), anchor)?;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let node = self.open.pop()?.node;
                    self.close(node, spot);
                    self.attach(node, &mut root)?;
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            }
        }
        let nothing = |text: &str| here(text) == Reading::Null;
        let empty = |node: &Node| matches!(&node.kind, Kind::Scalar { text, style: Style::Plain } if nothing(text));
        match root {
            Some(root) if !empty(&self.nodes[root]) => Some(root),
            _ => {
                let hint = "a spec begins with `kbfix: 1`";
                self.found.push(
                    Diagnostic::error(Code::EMPTY_FILE, "the file contains no spec").at(self.text.start()).hint(hint),
                );
                None
            }
        }
    }

    fn expects_name(&self) -> bool {
        self.open.last().is_some_and(|o| matches!(self.nodes[o.node].kind, Kind::Mapping(_)) && o.name.is_none())
    }

    fn name(&mut self, text: String, spot: Spot, style: Style) {
        let Some(open) = self.open.last_mut() else { return };
        let node = open.node;
        let entries: &[Entry] = match &self.nodes[node].kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        };
        let first = if open.names.is_none() && entries.len() < FEW_NAMES {
            entries.iter().all(|entry| entry.name != text)
        } else {
            let known = || entries.iter().map(|entry| entry.name.clone()).collect();
            open.names.get_or_insert_with(known).insert(text.clone())
        };
        if !first && self.is_full() {
            self.more += 1;
        } else if !first {
            let line = entries.iter().find(|e| e.name == text).map_or(0, |e| e.spot.line);
            let message = format!("`{}` is given twice here, first in line {line}", crate::diag::text::shorten(&text));
            self.report(Code::DUPLICATE_FIELD, spot, message, Some("remove one of them"));
        }
        if style == Style::Plain && text == "<<" {
            let message = "`<<` merges mappings in YAML 1.1 only";
            self.report(Code::YAML_MERGE_KEY, spot, message, Some("write out the fields"));
        }
        if let Some(open) = self.open.last_mut() {
            open.name = Some((text, spot, style));
        }
    }

    fn begin(&mut self, spot: Spot, kind: Kind, anchor: usize) -> Option<()> {
        if self.expects_name() {
            return self.not_a_name(spot).map(|_| ());
        }
        if self.open.len() == MAX_DEPTH {
            let message = format!("lists and mappings are nested deeper than {MAX_DEPTH} levels");
            self.report(
                Code::YAML_TOO_DEEP,
                Spot { end_line: spot.line, end_column: spot.column + 1, ..spot },
                message,
                None,
            );
            return None;
        }
        let node = self.add(spot, kind, (1, 0), anchor)?;
        self.open.push(Open { node, names: None, name: None });
        Some(())
    }

    /// Sets the end of a list or mapping: after its closing bracket, or after its last child if it has no brackets.
    fn close(&mut self, node: usize, end: Spot) {
        let last = match &self.nodes[node].kind {
            Kind::Sequence(items) => items.last().copied(),
            Kind::Mapping(entries) => entries.last().map(|e| e.value),
            _ => None,
        };
        let end = match last {
            Some(last) if end == empty_at(end) => self.nodes[last].spot,
            _ => end,
        };
        let spot = &mut self.nodes[node].spot;
        if (end.end_line, end.end_column) > (spot.line, spot.column) {
            (spot.end_line, spot.end_column) = (end.end_line, end.end_column);
        }
    }

    fn add(&mut self, spot: Spot, kind: Kind, size: (usize, usize), anchor: usize) -> Option<usize> {
        let number = self.nodes.len();
        self.nodes.push(Node { spot, kind, size });
        if anchor > 0 {
            self.anchors.insert(anchor, number);
        }
        if number >= MAX_NODES {
            return self.too_large(spot);
        }
        Some(number)
    }

    /// Adds a complete node to the list or mapping that contains it, or stores it as the root. Returns `None` if the
    /// document is too large.
    fn attach(&mut self, node: usize, root: &mut Option<usize>) -> Option<()> {
        let Some(open) = self.open.last_mut() else {
            *root = Some(node);
            return Some(());
        };
        let (owner, name) = (open.node, open.name.take());
        let (nodes, bytes) = self.nodes[node].size;
        let extra = name.as_ref().map_or(0, |(text, ..)| text.len());
        let size = &mut self.nodes[owner].size;
        *size = (size.0.saturating_add(nodes), size.1.saturating_add(bytes).saturating_add(extra));
        let too_large = size.0 > MAX_NODES || size.1 > MAX_EXPANDED;
        match (&mut self.nodes[owner].kind, name) {
            (Kind::Sequence(items), _) => items.push(node),
            (Kind::Mapping(entries), Some((name, spot, style))) => {
                entries.push(Entry { name, spot, style, value: node });
            }
            _ => {}
        }
        if too_large {
            return self.too_large(self.nodes[node].spot).map(|_| ());
        }
        Some(())
    }

    fn too_large(&mut self, spot: Spot) -> Option<usize> {
        let message = format!(
            "with its aliases expanded, the file has more than {MAX_NODES} items or {} MiB of text",
            MAX_EXPANDED >> 20
        );
        self.report(Code::YAML_TOO_LARGE, spot, message, Some("split it into several files"));
        None
    }

    fn tag(&mut self, spot: Spot) {
        let hint = "write strings in quotes, and numbers without quotes";
        self.report(Code::YAML_TAG, spot, "a spec must not contain YAML tags", Some(hint));
    }

    fn not_a_name(&mut self, spot: Spot) -> Option<usize> {
        let message = "the name of a field must be a string, not a list, a mapping or an alias";
        let hint = "write the name itself; a string that begins with `{`, `[` or `*` needs quotes";
        self.report(Code::YAML_KEY, spot, message, Some(hint));
        None
    }

    fn unknown_alias(&mut self, spot: Spot) -> Option<usize> {
        self.report(Code::YAML_SYNTAX, spot, "there is no anchor of this name before the alias", None);
        None
    }

    fn syntax(&mut self, error: &ScanError) -> Option<usize> {
        let at = spot(Span::empty(*error.marker()));
        // At the end of the text, the parser's position can be after the last line; then the end of the last line is
        // shown.
        let line = at.line.min(self.text.text.lines().count().max(1));
        let column = if line < at.line { self.text.line(line).chars().count() + 1 } else { at.column };
        let at = Spot { line, column, end_line: line, end_column: column + 1 };
        match syntax_error::slip(self.text, at, error.info()) {
            Some(slip) => {
                let message = format!("not YAML: {}", slip.message);
                self.report(Code::YAML_SYNTAX, slip.spot, message, Some(&slip.hint));
            }
            None => {
                let hint = "check the quotes, brackets and indentation in this line and the lines before it";
                self.report(Code::YAML_SYNTAX, at, format!("not YAML: {}", error.info()), Some(hint));
            }
        }
        None
    }
}
