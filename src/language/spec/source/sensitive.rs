//! Finds the sensitive parts of a YAML document, so that findings do not show them.
//!
//! This works on the tree of nodes and not on the checked document, because findings are about documents with errors:
//! the rule with `sensitive: true` may itself have an error. In case of doubt, a part counts as sensitive.

use std::collections::BTreeSet;

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

/// Fields that take words of the spec language instead of data.
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

/// Hides sensitive data in the findings about a text that could not be parsed. If the text contains the word
/// `sensitive`, all its lines count as sensitive, because it is not known what this word refers to.
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
        Hidden { spots, texts, known: BTreeSet::new() }.hide(finding);
    }
}

/// Returns whether the name of a field is `sensitive`, possibly misspelled.
fn is_mark(name: &str) -> bool {
    name.len() > 5 && suggest(name.trim(), ["sensitive"]).is_some()
}

/// A mapping or other node of the document, with the field that contains it.
struct Part<'p> {
    /// The index of the node, after aliases are followed.
    node: usize,
    /// The field whose data the node is; `None` for the items of lists.
    entry: Option<&'p Entry>,
    /// The name of the field that contains the mapping with `entry`.
    above: Option<&'p str>,
}

struct Search<'p> {
    places: &'p Places,
    private: Private<'p>,
    mappings: Vec<Part<'p>>,
    /// The indexes of the nodes that are sensitive.
    marked: BTreeSet<usize>,
    /// The names of the sensitive parameters.
    parameters: BTreeSet<String>,
}

impl<'p> Search<'p> {
    /// Collects the nodes of the document, and marks those that say that they are sensitive.
    fn new(places: &'p Places, private: Private<'p>) -> Self {
        let (marked, parameters) = (BTreeSet::new(), BTreeSet::new());
        let mut search = Self { places, private, mappings: Vec::new(), marked, parameters };
        search.collect(places.root, None, None);
        search.mark();
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

    /// Collects the fields and mappings of the document, without the content of aliases.
    fn collect(&mut self, at: usize, entry: Option<&'p Entry>, above: Option<&'p str>) {
        let node = self.followed(at);
        if entry.is_some() || matches!(self.at(node).kind, Kind::Mapping(_)) {
            self.mappings.push(Part { node, entry, above });
        }
        let name = entry.map(|entry| entry.name.as_str());
        match &self.at(at).kind {
            Kind::Mapping(entries) => entries.iter().for_each(|entry| self.collect(entry.value, Some(entry), name)),
            Kind::Sequence(items) => items.iter().for_each(|item| self.collect(*item, None, name)),
            Kind::Scalar { .. } | Kind::Alias(_) => {}
        }
    }

    /// Marks the mappings that say that they are sensitive.
    fn mark(&mut self) {
        let says_so = |entry: &Entry| {
            let is_no = |text: &str| ["false", "no", "off", "n"].iter().any(|no| text.trim().eq_ignore_ascii_case(no));
            is_mark(&entry.name) && self.scalar(entry.value).is_some_and(|text| !is_no(text))
        };
        let marked = self.mappings.iter().filter(|part| match self.private {
            Private::Spec(_) => self.entries(part.node).iter().any(says_so),
            Private::Other => part.entry.is_some_and(|entry| entry.name == "parameters"),
        });
        self.marked = marked.map(|part| part.node).collect();
    }

    /// Marks what is sensitive because of something that is marked: a value that uses a sensitive parameter is
    /// sensitive, and so is each parameter that a sensitive value uses. A condition on a sensitive value contains data
    /// of this value.
    fn spread(&mut self) {
        let of = |part: &Part<'p>| {
            let mut used = BTreeSet::new();
            self.used(part.node, &mut BTreeSet::new(), &mut used);
            used
        };
        let used: Vec<BTreeSet<String>> = self.mappings.iter().map(of).collect();
        loop {
            let before = (self.marked.len(), self.parameters.len());
            for (part, used) in self.mappings.iter().zip(&used) {
                let Part { node, entry, above } = *part;
                let name = entry.map(|entry| entry.name.as_str());
                let is_declared = above == Some("parameters");
                if self.marked.contains(&node) {
                    self.parameters.extend(used.iter().cloned());
                    self.parameters.extend(name.filter(|_| is_declared).map(str::to_owned));
                    continue;
                }
                let uses_it = above == Some("values") && used.iter().any(|name| self.parameters.contains(name));
                if uses_it || (is_declared && name.is_some_and(|name| self.parameters.contains(name))) {
                    self.marked.insert(node);
                }
            }
            if (self.marked.len(), self.parameters.len()) == before {
                break;
            }
        }
        let is_value = |part: &&Part<'_>| part.above == Some("values") && self.marked.contains(&part.node);
        let values = self.mappings.iter().filter(is_value).filter_map(|part| part.entry);
        let values: BTreeSet<String> = values.map(|entry| entry.name.to_lowercase()).collect();
        let is_of_value = |name: &str| values.contains(&name.to_lowercase());
        let same = self.mappings.iter().filter(|part| {
            let is_rule = part.above == Some("values") && part.entry.is_some_and(|entry| is_of_value(&entry.name));
            let mut fields = self.entries(part.node).iter().filter(|entry| entry.name == "name");
            is_rule || fields.any(|entry| self.scalar(entry.value).is_some_and(is_of_value))
        });
        let same: Vec<usize> = same.map(|part| part.node).collect();
        self.marked.extend(same);
    }

    /// Adds to `used` the names of the parameters to which the node refers.
    fn used(&self, at: usize, seen: &mut BTreeSet<usize>, used: &mut BTreeSet<String>) {
        let at = self.followed(at);
        if !seen.insert(at) {
            return;
        }
        match &self.at(at).kind {
            Kind::Mapping(entries) => {
                for entry in entries {
                    if entry.name == "parameter" {
                        used.extend(self.scalar(entry.value).map(str::to_owned));
                    }
                    self.used(entry.value, seen, used);
                }
            }
            Kind::Sequence(items) => items.iter().for_each(|item| self.used(*item, seen, used)),
            Kind::Scalar { .. } | Kind::Alias(_) => {}
        }
    }

    fn hidden(&self) -> Hidden {
        // The words with which an author may write that something is sensitive.
        let known = ["true", "false", "yes", "no", "on", "off", "y", "n"].map(str::to_owned).into();
        let mut hidden = Hidden { spots: Vec::new(), texts: BTreeSet::new(), known };
        for part in &self.mappings {
            if let Some(entry) = part.entry {
                hidden.spots.extend(self.marked.contains(&part.node).then_some(entry.spot));
            }
        }
        let mut inside = BTreeSet::new();
        for node in &self.marked {
            self.hide(*node, 0, &mut inside, &mut hidden);
        }
        self.know(self.places.root, &inside, &mut hidden);
        for part in self.mappings.iter().filter(|part| self.marked.contains(&part.node)) {
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
        hidden
    }

    /// Adds the data below a sensitive node. `depth` is the number of mappings and lists between the two.
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
                        Private::Spec(_) => suggest(name, schema::words().iter().map(String::as_str)).is_some(),
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

    /// Adds the words of names outside the sensitive parts, which findings may show.
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
