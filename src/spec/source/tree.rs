//! Where each node of a document stands in its text: the tree that [`crate::spec::source::parse`] builds, and the ways through it.

use super::{
    path::{Path, Step},
    text::Spot,
};

/// The nodes of a document and their places.
#[derive(Debug)]
pub(in crate::spec) struct Places {
    /// All nodes; they name each other by their numbers here.
    pub nodes: Vec<Node>,
    /// The top one.
    pub root: usize,
}

/// A node.
#[derive(Debug)]
pub(in crate::spec) struct Node {
    /// Where it stands; an alias stands where it is written.
    pub spot: Spot,
    /// What it is.
    pub kind: Kind,
    /// How many nodes it has with its aliases written out, itself included, and how many bytes of text.
    pub size: (usize, usize),
}

/// What a node is.
#[derive(Debug)]
pub(in crate::spec) enum Kind {
    /// A scalar; `plain` is one without quotes, on which YAML 1.1 and 1.2 may differ.
    Scalar {
        /// Its text, escapes resolved.
        text: String,
        /// Whether it has no quotes and is no block.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<usize>),
    /// A mapping.
    Mapping(Vec<Entry>),
    /// Stands for another node.
    Alias(usize),
}

/// A field of a mapping.
#[derive(Debug)]
pub(in crate::spec) struct Entry {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub spot: Spot,
    /// Whether the name has no quotes.
    pub plain: bool,
    /// The node of its data.
    pub value: usize,
}

impl Places {
    /// The node that `path` leads to, through aliases; an alias at its end is the node itself.
    pub(in crate::spec) fn node(&self, path: &Path) -> Option<&Node> {
        path.0.iter().try_fold(&self.nodes[self.root], |node, step| self.step(node, step))
    }

    fn step(&self, node: &Node, step: &Step) -> Option<&Node> {
        match (&self.resolve(node).kind, step) {
            (Kind::Mapping(entries), Step::Field(name)) => {
                let entry = entries.iter().rev().find(|e| e.name == *name)?;
                self.nodes.get(entry.value)
            }
            (Kind::Sequence(items), Step::Item(at)) => self.nodes.get(*items.get(*at)?),
            _ => None,
        }
    }

    /// What an alias stands for; any other node is itself.
    pub(in crate::spec) fn resolve<'n>(&'n self, mut node: &'n Node) -> &'n Node {
        while let Kind::Alias(target) = node.kind {
            node = &self.nodes[target];
        }
        node
    }

    /// The field that `path` ends in.
    pub(in crate::spec) fn entry(&self, path: &Path) -> Option<&Entry> {
        let (last, above) = path.0.split_last()?;
        let Step::Field(name) = last else { return None };
        let owner = self.resolve(self.node(&Path(above.to_vec()))?);
        match &owner.kind {
            Kind::Mapping(entries) => entries.iter().rev().find(|e| e.name == *name),
            _ => None,
        }
    }

    /// Where the data at `path` stands. Where there is none (`field:`), its field's name.
    pub(in crate::spec) fn value(&self, path: &Path) -> Option<Spot> {
        let node = self.node(path)?;
        match &node.kind {
            Kind::Scalar { text, plain: true } if text.is_empty() || node.spot == empty_at(node.spot) => {
                Some(self.entry(path).map_or(node.spot, |e| e.spot))
            }
            _ => Some(node.spot),
        }
    }

    /// Where the name of the field at `path` stands; for an item of a list its first field; else its data.
    pub(in crate::spec) fn name(&self, path: &Path) -> Option<Spot> {
        if let Some(entry) = self.entry(path) {
            return Some(entry.spot);
        }
        let node = self.node(path)?;
        match &self.resolve(node).kind {
            Kind::Mapping(entries) if !matches!(node.kind, Kind::Alias(_)) => {
                Some(entries.first().map_or(node.spot, |e| e.spot))
            }
            _ => Some(node.spot),
        }
    }

    /// Calls `visit` for each node and each field name once, aliases not followed.
    pub(in crate::spec) fn walk(&self, visit: &mut impl FnMut(&Path, Visited<'_>)) {
        self.walk_from(&Path::default(), self.root, visit);
    }

    fn walk_from(&self, path: &Path, at: usize, visit: &mut impl FnMut(&Path, Visited<'_>)) {
        let node = &self.nodes[at];
        visit(path, Visited::Node(node));
        match &node.kind {
            Kind::Mapping(entries) => {
                for entry in entries {
                    let path = path.field(&entry.name);
                    visit(&path, Visited::Name(entry));
                    self.walk_from(&path, entry.value, visit);
                }
            }
            Kind::Sequence(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.walk_from(&path.item(i), *item, visit);
                }
            }
            Kind::Scalar { .. } | Kind::Alias(_) => {}
        }
    }

    /// The top node.
    pub(in crate::spec) fn root(&self) -> &Node {
        &self.nodes[self.root]
    }

    /// The node of that number.
    pub(in crate::spec) fn at(&self, number: usize) -> &Node {
        &self.nodes[number]
    }
}

/// What [`Places::walk`] visits.
pub(in crate::spec) enum Visited<'a> {
    /// The name of a field.
    Name(&'a Entry),
    /// A node.
    Node(&'a Node),
}

/// Nothing, at the beginning of a place.
pub(in crate::spec) fn empty_at(spot: Spot) -> Spot {
    Spot { end_line: spot.line, end_column: spot.column, ..spot }
}
