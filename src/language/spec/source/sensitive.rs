//! Finds the sensitive parts of a YAML document, so that findings do not show them.
//!
//! This works on the tree of nodes and not on the checked document, because findings are about documents with errors:
//! the rule with `sensitive: true` may itself have an error. In case of doubt, a part counts as sensitive.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    hidden::{Hidden, is_of_word, words},
    text::Spot,
    tree::{Entry, Kind, Node, Places},
};
use crate::{
    diag::{Diagnostic, text::suggest},
    spec::{Setting, Settings, schema},
};

/// Fields whose data is not secret, even directly in a mapping with `sensitive: true`.
const OPEN: [&str; 8] = ["id", "note", "description", "title", "key", "name", "view", "controls"];

/// Fields whose data can be a word of the spec language, which is not secret.
const WORDS: [&str; 5] = ["type", "severity", "ensure", "compare", "keep"];

/// The kind of document in which sensitive parts are searched.
#[derive(Debug, Clone, Copy)]
pub(in crate::spec) enum Private<'s> {
    /// A spec. The data that the operator chose for its sensitive parameters is sensitive too.
    Spec(&'s Settings),
    /// Another document, such as a fleet file. It does not say which data is sensitive, so the data of all parameters
    /// counts as sensitive.
    Other,
}

/// Returns the sensitive parts of the document; `None` if there are none.
pub(in crate::spec) fn find<'p>(places: &'p Places, private: Private<'p>) -> Option<Hidden> {
    let mut search = Search::new(places, private);
    if search.marked.is_empty() {
        return None;
    }
    search.spread();
    Some(search.hidden())
}

/// Returns the names of the sensitive parameters of a spec, also of those whose declaration has an error.
pub(in crate::spec) fn parameters(places: &Places) -> BTreeSet<String> {
    let settings = Settings::new();
    let mut search = Search::new(places, Private::Spec(&settings));
    search.spread();
    search.parameters
}

/// Hides sensitive data in the findings about a text that could not be parsed. All lines of a spec count as sensitive
/// if it contains the word `sensitive`, possibly misspelled, because it is not known what this word refers to. All
/// lines of another document count as sensitive if it contains the word `parameters`.
pub(in crate::spec) fn hide_unparsed(text: &str, private: Private<'_>, findings: &mut [Diagnostic]) {
    let is_private = text.split(|c: char| !is_of_word(c) && c != '-').any(|word| match private {
        Private::Spec(_) => is_mark(word),
        Private::Other => word == "parameters",
    });
    for finding in findings.iter_mut().filter(|_| is_private) {
        let line = finding.place.as_ref().map_or(0, |place| place.line);
        // A message contains text only from these lines.
        let near = text.lines().skip(line.saturating_sub(2)).take(3).flat_map(words);
        let texts = near.filter(|word| !schema::words().contains(*word)).map(str::to_owned).collect();
        let spots = vec![Spot { line: 0, column: 0, end_line: usize::MAX, end_column: usize::MAX }];
        Hidden::new(spots, texts, BTreeSet::new()).hide(finding);
    }
}

/// Returns whether the name is a word of the spec language. A misspelled word also counts, but only if there are few
/// sensitive texts.
fn is_field(name: &str, hidden: &Hidden) -> bool {
    // Comparing with similar names takes long, and a file can have many names.
    schema::words().contains(name)
        || (hidden.is_small() && suggest(name, schema::words().iter().map(String::as_str)).is_some())
}

/// Returns whether the name of a field is `sensitive`, possibly misspelled.
fn is_mark(name: &str) -> bool {
    name.len() > 5 && suggest(name.trim(), ["sensitive"]).is_some()
}

/// A mapping, or the data of a field, in the document.
struct Part<'p> {
    /// The index of the node; for an alias, of the node to which it refers.
    node: usize,
    /// The field whose data the node is; `None` for the root and for the items of lists.
    entry: Option<&'p Entry>,
    /// The name of the field whose data is the mapping or list directly around the node, such as `values` for the rule
    /// of a value; `None` if there is no such field.
    above: Option<&'p str>,
}

impl<'p> Part<'p> {
    /// Returns whether the part is the rule for a value.
    fn is_value(&self) -> bool {
        self.above == Some("values")
    }

    /// Returns the name of the parameter that the part declares; `None` if it declares none.
    fn declared(&self) -> Option<&'p str> {
        self.entry.filter(|_| self.above == Some("parameters")).map(|entry| entry.name.as_str())
    }
}

/// What two parts have in common, so that both are sensitive if one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Link<'p> {
    /// Both use or declare this parameter.
    Parameter(&'p str),
    /// Both contain the node with this index, at least one of them through a YAML alias.
    Node(usize),
    /// One part is inside the other. This is the index of the other part, which itself says that it is sensitive.
    Inside(usize),
}

struct Search<'p> {
    places: &'p Places,
    private: Private<'p>,
    parts: Vec<Part<'p>>,
    links: HashMap<Link<'p>, Vec<usize>>,
    /// For each node inside a part that can be sensitive: the index of the node, with the index of the innermost such
    /// part in `parts`.
    around: HashMap<usize, usize>,
    /// The indexes of the nodes that are sensitive.
    marked: BTreeSet<usize>,
    /// The names of the sensitive parameters.
    parameters: BTreeSet<String>,
}

impl<'p> Search<'p> {
    /// Collects the parts of the document, and marks those that say that they are sensitive.
    fn new(places: &'p Places, private: Private<'p>) -> Self {
        let mut search = Self {
            places,
            private,
            parts: Vec::new(),
            links: HashMap::new(),
            around: HashMap::new(),
            marked: BTreeSet::new(),
            parameters: BTreeSet::new(),
        };
        search.collect(places.root, None, None, None);
        search
    }

    fn at(&self, node: usize) -> &'p Node {
        self.places.at(node)
    }

    fn entries(&self, node: usize) -> &'p [Entry] {
        match &self.at(node).kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    fn followed(&self, mut node: usize) -> usize {
        while let Kind::Alias(target) = self.at(node).kind {
            node = target;
        }
        node
    }

    fn scalar(&self, node: usize) -> Option<&'p str> {
        match &self.at(self.followed(node)).kind {
            Kind::Scalar { text, .. } => Some(text.as_str()),
            _ => None,
        }
    }

    /// Collects the parts in the node `at` and below it, without the content of aliases. `entry` is the field whose
    /// data the node is, and `above` is as in [`Part::above`]. `around` is the index of the innermost part around the
    /// node that can be sensitive; `None` if there is no such part.
    fn collect(&mut self, at: usize, entry: Option<&'p Entry>, above: Option<&'p str>, mut around: Option<usize>) {
        let node = self.followed(at);
        if entry.is_some() || matches!(self.at(node).kind, Kind::Mapping(_)) {
            let part = Part { node, entry, above };
            let says_so = self.says_so(&part);
            if says_so || part.is_value() || part.declared().is_some() {
                let own = self.parts.len();
                if let Some(outer) = around.filter(|outer| self.marked.contains(&self.parts[*outer].node)) {
                    self.link(Link::Inside(outer), outer);
                    self.link(Link::Inside(outer), own);
                }
                if let Some(name) = part.declared() {
                    self.link(Link::Parameter(name), own);
                }
                self.marked.extend(says_so.then_some(node));
                around = Some(own);
            }
            self.parts.push(part);
        }
        let name = entry.map(|entry| entry.name.as_str());
        if let Some(around) = around {
            self.around.insert(at, around);
            if let Some(parameter) = self.scalar(node).filter(|_| name == Some("parameter")) {
                self.link(Link::Parameter(parameter), around);
            }
            if node != at {
                self.link(Link::Node(node), around);
                // An anchor is above its aliases. It can be in a part that is never sensitive by itself.
                let first = self.around.get(&node).copied().unwrap_or_else(|| self.loose(node));
                self.link(Link::Node(node), first);
            }
        }
        match &self.at(at).kind {
            Kind::Mapping(entries) => {
                entries.iter().for_each(|entry| self.collect(entry.value, Some(entry), name, around))
            }
            Kind::Sequence(items) => items.iter().for_each(|item| self.collect(*item, None, name, around)),
            Kind::Scalar { .. } | Kind::Alias(_) => {}
        }
    }

    /// Adds a part for a node that is in no part that can be sensitive. The new part contains the node and everything
    /// below it. Returns the index of the new part.
    fn loose(&mut self, node: usize) -> usize {
        let part = self.parts.len();
        self.parts.push(Part { node, entry: None, above: None });
        let (mut left, mut seen) = (vec![node], HashSet::new());
        while let Some(at) = left.pop().map(|at| self.followed(at)) {
            if !seen.insert(at) {
                continue;
            }
            self.around.entry(at).or_insert(part);
            match &self.at(at).kind {
                Kind::Mapping(entries) => {
                    for entry in entries {
                        if let Some(parameter) = self.scalar(entry.value).filter(|_| entry.name == "parameter") {
                            self.link(Link::Parameter(parameter), part);
                        }
                        left.push(entry.value);
                    }
                }
                Kind::Sequence(items) => left.extend(items),
                Kind::Scalar { .. } | Kind::Alias(_) => {}
            }
        }
        part
    }

    fn link(&mut self, link: Link<'p>, part: usize) {
        self.links.entry(link).or_default().push(part);
    }

    /// Returns whether the part itself says that it is sensitive. In a spec, it contains the field `sensitive`, and the
    /// data of the field does not mean false. In another document, it is the data of a field `parameters`.
    fn says_so(&self, part: &Part<'p>) -> bool {
        let is_no = |text: &str| ["false", "no", "off", "n"].iter().any(|no| text.trim().eq_ignore_ascii_case(no));
        let says = |entry: &Entry| is_mark(&entry.name) && self.scalar(entry.value).is_some_and(|text| !is_no(text));
        match self.private {
            Private::Spec(_) => self.entries(part.node).iter().any(says),
            Private::Other => part.entry.is_some_and(|entry| entry.name == "parameters"),
        }
    }

    /// Marks the parts that are sensitive because of a marked part: each value that uses a sensitive parameter, each
    /// parameter that a sensitive value uses, each part that contains the same node through an alias, and each rule or
    /// condition for a value with the name of a sensitive value.
    fn spread(&mut self) {
        let mut links_of: HashMap<usize, Vec<Link<'p>>> = HashMap::new();
        for (link, parts) in &self.links {
            parts.iter().for_each(|part| links_of.entry(*part).or_default().push(*link));
        }
        let is_marked = |at: &usize| self.marked.contains(&self.parts[*at].node);
        let mut reached: Vec<usize> = (0..self.parts.len()).filter(is_marked).collect();
        let mut seen: HashSet<usize> = reached.iter().copied().collect();
        while let Some(part) = reached.pop() {
            self.marked.insert(self.parts[part].node);
            for link in links_of.remove(&part).unwrap_or_default() {
                if let Link::Parameter(name) = link {
                    self.parameters.insert(name.to_owned());
                }
                let linked = self.links.remove(&link).unwrap_or_default();
                reached.extend(linked.into_iter().filter(|other| seen.insert(*other)));
            }
        }
        let values = self.parts.iter().filter(|part| part.is_value() && self.marked.contains(&part.node));
        let values: HashSet<String> =
            values.filter_map(|part| part.entry).map(|entry| entry.name.to_lowercase()).collect();
        let is_of_value = |name: &str| values.contains(&name.to_lowercase());
        let same = self.parts.iter().filter(|part| {
            let is_rule = part.is_value() && part.entry.is_some_and(|entry| is_of_value(&entry.name));
            let mut fields = self.entries(part.node).iter().filter(|entry| entry.name == "name");
            is_rule || fields.any(|entry| self.scalar(entry.value).is_some_and(is_of_value))
        });
        let same: Vec<usize> = same.map(|part| part.node).collect();
        self.marked.extend(same);
    }

    fn hidden(&self) -> Hidden {
        // The words with which an author may write that something is sensitive.
        let known = ["true", "false", "yes", "no", "on", "off", "y", "n"].map(str::to_owned).into();
        let mut hidden = Hidden::new(Vec::new(), BTreeSet::new(), known);
        for part in &self.parts {
            if let Some(entry) = part.entry {
                hidden.spots.extend(self.marked.contains(&part.node).then_some(entry.spot));
            }
        }
        let mut inside = BTreeSet::new();
        for node in &self.marked {
            self.hide(*node, 0, &mut inside, &mut hidden);
        }
        self.know(self.places.root, &inside, &mut hidden);
        for part in self.parts.iter().filter(|part| self.marked.contains(&part.node)) {
            let name = part.entry.filter(|_| part.above.is_some());
            hidden.known.extend(name.iter().flat_map(|entry| words(&entry.name)).map(str::to_owned));
        }
        hidden.known.extend(self.parameters.iter().cloned());
        if let Private::Spec(settings) = self.private {
            let chosen = self.parameters.iter().filter_map(|name| settings.get(name));
            let texts = chosen.flat_map(|data| match data {
                Setting::Text(text) => std::slice::from_ref(text),
                Setting::List(list) => list.as_slice(),
            });
            hidden.texts.extend(texts.cloned());
        }
        hidden.texts.retain(|text| !text.trim().is_empty());
        hidden.count();
        hidden
    }

    /// Adds the data in the node `at` to `hidden`, and the index of each node there to `inside`. `depth` is the number
    /// of steps from the sensitive node to `at`: 0 for the sensitive node itself.
    fn hide(&self, at: usize, depth: usize, inside: &mut BTreeSet<usize>, hidden: &mut Hidden) {
        hidden.spots.push(self.at(at).spot);
        let at = self.followed(at);
        let is_new = inside.insert(at);
        if !is_new && depth > 0 {
            return;
        }
        let node = self.at(at);
        hidden.spots.push(node.spot);
        match &node.kind {
            Kind::Scalar { text, .. } => drop(hidden.texts.insert(text.clone())),
            Kind::Sequence(items) => items.iter().for_each(|item| self.hide(*item, depth + 1, inside, hidden)),
            Kind::Mapping(entries) => {
                for entry in entries {
                    let name = entry.name.as_str();
                    let is_field = match self.private {
                        _ if depth > 0 => schema::words().contains(name),
                        Private::Spec(_) => is_field(name, hidden),
                        Private::Other => true,
                    };
                    let names = if is_field { &mut hidden.known } else { &mut hidden.texts };
                    names.insert(name.to_owned());
                    let text = self.scalar(entry.value);
                    let is_open = name == "parameter"
                        || is_mark(name)
                        || (depth == 0 && OPEN.contains(&name))
                        || (WORDS.contains(&name) && text.is_some_and(|text| schema::words().contains(text)));
                    if text.is_some() && is_open {
                        hidden.spots.push(self.at(entry.value).spot);
                    } else {
                        self.hide(entry.value, depth + 1, inside, hidden);
                    }
                }
            }
            Kind::Alias(_) => {}
        }
    }

    /// Adds the words that findings may show to `hidden`: those of field names, ids, titles and the data of other
    /// [`OPEN`] fields, in the node `at` and below it. Leaves out the sensitive nodes, which are in `inside`.
    fn know(&self, at: usize, inside: &BTreeSet<usize>, hidden: &mut Hidden) {
        match &self.at(at).kind {
            _ if inside.contains(&at) => {}
            Kind::Mapping(entries) => {
                for entry in entries {
                    hidden.known.extend(words(&entry.name).map(str::to_owned));
                    let names = self.scalar(entry.value).filter(|_| OPEN.contains(&entry.name.as_str()));
                    hidden.known.extend(names.into_iter().flat_map(words).map(str::to_owned));
                    self.know(entry.value, inside, hidden);
                }
            }
            Kind::Sequence(items) => items.iter().for_each(|item| self.know(*item, inside, hidden)),
            Kind::Scalar { .. } | Kind::Alias(_) => {}
        }
    }
}
