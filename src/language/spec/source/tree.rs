//! The tree of the nodes of a YAML document, with the place of each node in the text. [`crate::spec::source::parse`]
//! builds this tree.

use std::{cell::RefCell, collections::HashMap};

use super::{
    path::{Path, Step},
    text::Spot,
};

/// The nodes of a YAML document, with their places in the text.
#[derive(Debug)]
pub(in crate::spec) struct Places {
    /// All nodes. A node refers to other nodes by their index in this list.
    pub nodes: Vec<Node>,
    /// The index of the root node in `nodes`.
    pub root: usize,
    /// For each long mapping in which a field was looked up: the indexes of its fields, sorted by name. The key is the
    /// index of the node that is the data of its first field.
    sorted: RefCell<HashMap<usize, Vec<usize>>>,
}

/// A node of a YAML document.
#[derive(Debug)]
pub(in crate::spec) struct Node {
    /// The range of the text that contains the node. For an alias, this is the range of the alias itself.
    pub spot: Spot,
    /// The kind of node, with its content.
    pub kind: Kind,
    /// The number of nodes in this node (with itself), and the size of their scalars and field names in bytes, after
    /// aliases are replaced with their nodes.
    pub size: (usize, usize),
}

/// The kinds of YAML nodes.
#[derive(Debug)]
pub(in crate::spec) enum Kind {
    /// A scalar. If its style is plain, YAML 1.1 and 1.2 may interpret it differently.
    Scalar {
        /// The text of the scalar, in which escapes are replaced.
        text: String,
        /// The style of the scalar.
        style: Style,
    },
    /// A list; contains the indexes of the nodes that are its items.
    Sequence(Vec<usize>),
    /// A mapping, with its fields.
    Mapping(Vec<Entry>),
    /// An alias: a reference to the node with this index.
    Alias(usize),
}

/// The style in which a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::spec) enum Style {
    /// Neither in quotes nor as a block.
    Plain,
    /// In double quotes, in which a backslash begins an escape.
    DoubleQuoted,
    /// In single quotes, or as a block.
    Other,
}

/// A field of a mapping.
#[derive(Debug)]
pub(in crate::spec) struct Entry {
    /// The field's name.
    pub name: String,
    /// The range of the text that contains the name.
    pub spot: Spot,
    /// The style of the name.
    pub style: Style,
    /// The index of the node that is the data of the field.
    pub value: usize,
}

/// The highest number of fields of a mapping in which a field is looked up one by one.
const FEW: usize = 32;

impl Places {
    pub(in crate::spec) fn new(nodes: Vec<Node>, root: usize) -> Self {
        Self { nodes, root, sorted: RefCell::default() }
    }

    /// Returns the node at `path`; `None` if there is no such node. Follows aliases on the path, but returns an alias
    /// at its end.
    pub(in crate::spec) fn node(&self, path: &Path) -> Option<&Node> {
        path.0.iter().try_fold(&self.nodes[self.root], |node, step| self.step(node, step))
    }

    fn step(&self, node: &Node, step: &Step) -> Option<&Node> {
        match (&self.resolve(node).kind, step) {
            (Kind::Mapping(entries), Step::Field(name)) => self.nodes.get(self.field(entries, name)?.value),
            (Kind::Sequence(items), Step::Item(at)) => self.nodes.get(*items.get(*at)?),
            _ => None,
        }
    }

    /// Returns the last of these fields of one mapping that has this name.
    fn field<'n>(&self, entries: &'n [Entry], name: &str) -> Option<&'n Entry> {
        let Some(first) = entries.first().filter(|_| entries.len() > FEW) else {
            return entries.iter().rev().find(|entry| entry.name == name);
        };
        let mut sorted = self.sorted.borrow_mut();
        let sorted = sorted.entry(first.value).or_insert_with(|| {
            let mut sorted: Vec<usize> = (0..entries.len()).collect();
            sorted.sort_by_key(|at| &*entries[*at].name);
            sorted
        });
        let after = sorted.partition_point(|at| *entries[*at].name <= *name);
        let last = &entries[*sorted.get(after.checked_sub(1)?)?];
        (last.name == name).then_some(last)
    }

    /// Returns the node to which an alias refers. Returns any other node unchanged.
    pub(in crate::spec) fn resolve<'n>(&'n self, mut node: &'n Node) -> &'n Node {
        while let Kind::Alias(target) = node.kind {
            node = &self.nodes[target];
        }
        node
    }

    /// Returns the text of the unquoted scalar at `path`; `None` if there is none.
    pub(in crate::spec) fn unquoted(&self, path: &Path) -> Option<&str> {
        match &self.resolve(self.node(path)?).kind {
            Kind::Scalar { text, style: Style::Plain } => Some(text),
            _ => None,
        }
    }

    /// Returns the field at `path`; `None` if there is no such field.
    pub(in crate::spec) fn entry(&self, path: &Path) -> Option<&Entry> {
        let (last, above) = path.0.split_last()?;
        let Step::Field(name) = last else { return None };
        let owner = self.resolve(self.node(&Path(above.to_vec()))?);
        match &owner.kind {
            Kind::Mapping(entries) => self.field(entries, name),
            _ => None,
        }
    }

    /// Returns the range of the data at `path`; `None` if there is none. For a field without data (`field:`), returns
    /// the range of its name.
    pub(in crate::spec) fn value(&self, path: &Path) -> Option<Spot> {
        let node = self.node(path)?;
        match &node.kind {
            Kind::Scalar { text, style: Style::Plain } if text.is_empty() || node.spot == empty_at(node.spot) => {
                Some(self.entry(path).map_or(node.spot, |e| e.spot))
            }
            _ => Some(node.spot),
        }
    }

    /// Returns the range of the name of the field at `path`; `None` if there is no such node. For the root or an item
    /// of a list, returns the range of its first field or, if it has no fields, of its data.
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

    /// Calls `visit` once for each node and each field name of the document. Does not follow aliases.
    pub(in crate::spec) fn walk<'p>(&'p self, visit: &mut impl FnMut(&Way<'p>, Visited<'p>)) {
        self.walk_from(&mut Way(Vec::new()), self.root, visit);
    }

    fn walk_from<'p>(&'p self, way: &mut Way<'p>, at: usize, visit: &mut impl FnMut(&Way<'p>, Visited<'p>)) {
        let node = &self.nodes[at];
        visit(way, Visited::Node(node));
        match &node.kind {
            Kind::Mapping(entries) => {
                for entry in entries {
                    way.0.push(Turn::Field(entry));
                    visit(way, Visited::Name(entry));
                    self.walk_from(way, entry.value, visit);
                    way.0.pop();
                }
            }
            Kind::Sequence(items) => {
                for (i, item) in items.iter().enumerate() {
                    way.0.push(Turn::Item(i));
                    self.walk_from(way, *item, visit);
                    way.0.pop();
                }
            }
            Kind::Scalar { .. } | Kind::Alias(_) => {}
        }
    }

    /// Returns the root node of the document.
    pub(in crate::spec) fn root(&self) -> &Node {
        &self.nodes[self.root]
    }

    /// Returns the node with the index `number`.
    pub(in crate::spec) fn at(&self, number: usize) -> &Node {
        &self.nodes[number]
    }
}

/// The steps from the root to the node that [`Places::walk`] visits. Unlike a [`Path`], it is not created anew for each
/// node.
pub(in crate::spec) struct Way<'p>(Vec<Turn<'p>>);

enum Turn<'p> {
    Field(&'p Entry),
    Item(usize),
}

impl Way<'_> {
    /// Returns the path of the visited node.
    pub(in crate::spec) fn path(&self) -> Path {
        let mut path = Path::default();
        for turn in &self.0 {
            path.push(match turn {
                Turn::Field(entry) => Step::Field(entry.name.as_str().into()),
                Turn::Item(at) => Step::Item(*at),
            });
        }
        path
    }
}

/// A part of the document that [`Places::walk`] visits.
pub(in crate::spec) enum Visited<'a> {
    /// The name of a field.
    Name(&'a Entry),
    /// A node.
    Node(&'a Node),
}

/// Returns the empty range at the beginning of `spot`.
pub(in crate::spec) fn empty_at(spot: Spot) -> Spot {
    Spot { end_line: spot.line, end_column: spot.column, ..spot }
}
