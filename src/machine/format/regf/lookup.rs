//! Finds the subkeys and values of a key in a hive: all of them, or one by its name.
//!
//! A subkey is found by binary search. If that finds nothing, the whole list is read before the key is reported as
//! absent. In a damaged hive, or one that another program edited, the list may not be sorted and the hashes may be
//! wrong.

use super::{
    Error, Hive, KeyNode, Node, ValueNode,
    base::NOWHERE,
    bytes::u32_at,
    list::{LIST, Leaf, List},
    name::upcased,
    node::{KEY, PARENT, SUBKEY_LIST, VALUE_LIST},
    value::VALUE,
};
use crate::registry::Data;

/// Iterates over the subkeys of one key, in the order of its list. Returns an error in place of a malformed subkey, and
/// then continues.
#[derive(Debug)]
pub struct Subkeys<'a> {
    hive: &'a Hive,
    parent: u32,
    places: std::vec::IntoIter<Result<u32, Error>>,
    /// The offsets that occur more than once in the subkey lists, sorted.
    repeated: Vec<u32>,
}

/// Iterates over the values of one key, in the order of its list. Returns an error in place of a malformed value, and
/// then continues.
#[derive(Debug)]
pub struct Values<'a> {
    hive: &'a Hive,
    key: u32,
    places: std::vec::IntoIter<u32>,
    repeated: Vec<u32>,
}

/// The result of looking up a path in a hive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Above {
    /// The key at the end of the path.
    Key(Node),
    /// The key does not exist.
    Absent,
    /// A key on the path, or the key at its end, is a symbolic link.
    Link,
}

/// The position of a subkey in the subkey lists of its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The index of the leaf in the list.
    pub(super) leaf: usize,
    /// The index of the element in the leaf.
    pub(super) index: usize,
    /// The subkey.
    pub(super) node: Node,
}

impl Hive {
    /// Returns the key at `path`, or `None` if it is absent. `path` is the names below the hive's root, joined by
    /// backslashes; an empty path means the root. Symbolic links are not followed.
    pub fn find(&self, path: &str) -> Result<Option<Node>, Error> {
        let (mut node, mut rest) = (self.root(), path);
        if let Some((above, name)) = path.rsplit_once('\\') {
            match self.above(above)? {
                Above::Key(found) => (node, rest) = (found, name),
                Above::Absent => return Ok(None),
                // Here, a link is a key like others.
                Above::Link => {}
            }
        }
        for name in rest.split('\\').filter(|name| !name.is_empty()) {
            match self.subkey(node, name)? {
                Some(below) => node = below,
                None => return Ok(None),
            }
        }
        self.key(node).map(|key| Some(key.node()))
    }

    /// Returns the key at `path` if it is recorded as the last key that [`Hive::above`] found; `None` if not.
    pub(crate) fn known_above(&self, path: &str) -> Option<Node> {
        self.last_above.get(path).map(Node)
    }

    /// Finds the key at `path` below the hive's root, unless a key on the path is a symbolic link. Caches the last key
    /// that was found, because many keys below it may be looked up.
    pub(crate) fn above(&self, path: &str) -> Result<Above, Error> {
        if let Some(known) = self.last_above.get(path) {
            return Ok(Above::Key(Node(known)));
        }
        let mut node = self.root();
        let mut names = path.split('\\').filter(|name| !name.is_empty());
        loop {
            if self.key(node)?.is_symbolic_link() {
                return Ok(Above::Link);
            }
            let Some(name) = names.next() else { break };
            match self.subkey(node, name)? {
                Some(below) => node = below,
                None => return Ok(Above::Absent),
            }
        }
        self.last_above.note(path, node.0);
        Ok(Above::Key(node))
    }

    /// Returns the subkey of `node` with this name; `None` if it is absent. If no subkey with this name was found, but
    /// some subkey could not be read, returns an error.
    pub fn subkey(&self, node: Node, name: &str) -> Result<Option<Node>, Error> {
        let key = self.key(node)?;
        let sorted = self.is_sorted(node);
        Ok(self.place(&key, &upcased(name), sorted)?.map(|place| place.node))
    }

    /// Returns an iterator over the subkeys of `node`. Returns an error if the key or its subkey list cannot be read.
    pub fn subkeys(&self, node: Node) -> Result<Subkeys<'_>, Error> {
        let key = self.key(node)?;
        let mut places = Vec::new();
        if let Some(list) = self.subkey_list(&key)? {
            // A key node has at least 80 bytes. If the lists contain more keys than fit into the hive, they contain
            // some keys twice.
            let limit = self.bins_len() / 80;
            for &at in list.leaves() {
                match self.leaf(at) {
                    Ok(leaf) if places.len() + leaf.len() > limit => {
                        return Err(Error::cell(LIST, at, "the subkey lists contain more keys than fit into the hive"));
                    }
                    Ok(leaf) => places.extend(leaf.keys().map(Ok)),
                    Err(error) => places.push(Err(error)),
                }
            }
        }
        let repeated = repeated(places.iter().filter_map(|place| place.as_ref().ok().copied()).collect());
        Ok(Subkeys { hive: self, parent: node.0, places: places.into_iter(), repeated })
    }

    /// Returns an iterator over the values of `node`. Returns an error if the key or its value list cannot be read.
    pub fn values(&self, node: Node) -> Result<Values<'_>, Error> {
        let key = self.key(node)?;
        let places: Vec<u32> = self.value_list(&key)?.chunks_exact(4).filter_map(|e| u32_at(e, 0)).collect();
        let repeated = repeated(places.clone());
        Ok(Values { hive: self, key: node.0, places: places.into_iter(), repeated })
    }

    /// Returns the value of `node` with this name (empty for the default value); `None` if it is absent. If no value
    /// with this name was found, but some value could not be read, returns an error.
    ///
    /// The list of values is not sorted, so this function searches the whole list, unless the key was edited and the
    /// editor has an index of its value names. To find many values of one key, [`Hive::values`] is faster.
    pub fn value_node(&self, node: Node, name: &str) -> Result<Option<ValueNode<'_>>, Error> {
        let (key, wanted) = (self.key(node)?, upcased(name));
        match &self.cache.values {
            Some((of, names)) if *of == node.0 => names.get(&wanted).map(|at| self.value_at(*at)).transpose(),
            _ => Ok(self.value_place(&key, &wanted)?.map(|(_, value)| value)),
        }
    }

    /// Returns whether the values of `node` are found by name without searching the whole list: the editor has read all
    /// of them, and keeps their names until it edits another key with many values, deletes a key or moves cells.
    pub(crate) fn finds_values_fast(&self, node: Node) -> bool {
        self.cache.values.as_ref().is_some_and(|(of, _)| *of == node.0)
    }

    /// Returns the type and data of the value of `node` with this name; `None` if it is absent.
    pub fn value(&self, node: Node, name: &str) -> Result<Option<Data>, Error> {
        self.value_node(node, name)?.map(|value| self.data(&value)).transpose()
    }

    /// Returns a key's subkey list; `None` if the key says that it has no subkeys.
    pub(super) fn subkey_list(&self, key: &KeyNode<'_>) -> Result<Option<List>, Error> {
        if key.subkey_count() == 0 {
            return Ok(None);
        }
        let at = key.u32(SUBKEY_LIST);
        if self.is_sorted(key.node()) {
            // The list was read in full when it was sorted.
            return self.known_list(at).map(Some);
        }
        let is_new = self.own(LIST, at, key.at)?;
        let list = self.list(at)?;
        if let List::Root(_, leaves) = &list
            && is_new
        {
            leaves.iter().try_for_each(|leaf| self.own(LIST, *leaf, at).map(drop))?;
        }
        Ok(Some(list))
    }

    /// Returns the bytes of a key's value list, which contains the offsets of its values.
    pub(super) fn value_list(&self, key: &KeyNode<'_>) -> Result<&[u8], Error> {
        if key.value_count() == 0 {
            return Ok(&[]);
        }
        self.own("value list", key.u32(VALUE_LIST), key.at)?;
        self.known_value_list(key)
    }

    /// Returns the bytes of a key's value list. The caller knows that no other key refers to this list.
    pub(super) fn known_value_list(&self, key: &KeyNode<'_>) -> Result<&[u8], Error> {
        let (count, at) = (key.value_count() as usize, key.u32(VALUE_LIST));
        let list =
            count.checked_mul(4).and_then(|len| self.cell("value list", at).map(|cell| cell.get(..len)).transpose());
        list.unwrap_or_else(|| Err(Error::cell("value list", at, "the structure extends beyond the end of its cell")))
    }

    /// Finds a value by its name; returns its index in the value list, and the value. `wanted` is the name in upper
    /// case. If no value with this name was found, returns `None`, or an error if some value could not be read.
    pub(super) fn value_place(
        &self,
        key: &KeyNode<'_>,
        wanted: &[u16],
    ) -> Result<Option<(usize, ValueNode<'_>)>, Error> {
        let mut unreadable = None;
        for (i, element) in self.value_list(key)?.chunks_exact(4).enumerate() {
            match self.value_at(u32_at(element, 0).unwrap_or(NOWHERE)) {
                Ok(value) if value.name().is(wanted) => {
                    self.own(VALUE, value.at, key.at)?;
                    return Ok(Some((i, value)));
                }
                Ok(_) => {}
                Err(error) => unreadable = unreadable.or(Some(error)),
            }
        }
        unreadable.map_or(Ok(None), Err)
    }

    /// Returns the key at the offset `at`. Returns an error if this key is the hive's root, or does not name the key at
    /// `parent` as its parent.
    ///
    /// This check ensures that the keys of a hive form a tree.
    pub(super) fn child(&self, parent: u32, at: u32) -> Result<KeyNode<'_>, Error> {
        let key = self.key(Node(at))?;
        if at == self.root {
            return Err(Error::cell(KEY, at, "a subkey list contains the hive's root"));
        }
        if key.u32(PARENT) != parent {
            return Err(Error::cell(KEY, at, "the key is in the subkey list of a key that is not its parent"));
        }
        Ok(key)
    }

    /// Returns the position of the subkey of `key` with the name `wanted` (in upper case); `None` if there is no such
    /// subkey. If `sorted` is true, the subkey lists are known to be sorted, and a binary search is enough.
    pub(super) fn place(&self, key: &KeyNode<'_>, wanted: &[u16], sorted: bool) -> Result<Option<Place>, Error> {
        let Some(list) = self.subkey_list(key)? else { return Ok(None) };
        match self.search(key.at, &list, wanted) {
            Ok(Ok(place)) => Ok(Some(place)),
            Ok(Err(_)) if sorted || self.ordered.knows(key.at) => Ok(None),
            _ => self.scan(key.at, &list, wanted),
        }
    }

    /// Finds a subkey by binary search; `wanted` is its name in upper case.
    ///
    /// The outer error means that a list or key cannot be read. The inner error means that the subkey was not found,
    /// and is the index of the leaf, and of the element in it, before which the subkey would be inserted.
    pub(super) fn search(
        &self,
        parent: u32,
        list: &List,
        wanted: &[u16],
    ) -> Result<Result<Place, (usize, usize)>, Error> {
        let leaves = list.leaves();
        // Find the first leaf whose last key does not sort before the wanted key.
        let (mut low, mut high) = (0, leaves.len());
        while low < high {
            let middle = low.midpoint(high);
            let leaf = self.leaf(leaves[middle])?;
            let last = leaf.keys().next_back().ok_or_else(|| Error::cell(LIST, leaf.at, "the list is empty"))?;
            if self.child(parent, last)?.name().compare_to(wanted).is_lt() { low = middle + 1 } else { high = middle }
        }
        let Some(at) = leaves.get(low) else {
            let last = leaves.len().saturating_sub(1);
            return Ok(Err((last, leaves.last().map_or(Ok(0), |at| self.leaf(*at).map(|leaf| leaf.len()))?)));
        };
        let leaf = self.leaf(*at)?;
        self.search_leaf(parent, &leaf, wanted).map(|found| match found {
            Ok((index, node)) => Ok(Place { leaf: low, index, node }),
            Err(index) => Err((low, index)),
        })
    }

    fn search_leaf(&self, parent: u32, leaf: &Leaf<'_>, wanted: &[u16]) -> Result<Result<(usize, Node), usize>, Error> {
        let (mut low, mut high) = (0, leaf.len());
        while low < high {
            let middle = low.midpoint(high);
            let key = self.child(parent, leaf.key(middle).unwrap_or(NOWHERE))?;
            match key.name().compare_to(wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(Ok((middle, key.node()))),
            }
        }
        Ok(Err(low))
    }

    /// Finds a subkey by reading the whole list; `wanted` is its name in upper case. If it is not found, returns
    /// `None`, or an error if a leaf or key could not be read. Before `None` is returned, a sorted list is recorded as
    /// sorted.
    fn scan(&self, parent: u32, list: &List, wanted: &[u16]) -> Result<Option<Place>, Error> {
        let mut unreadable = None;
        let (mut last, mut is_sorted): (Option<KeyNode<'_>>, bool) = (None, true);
        for (number, at) in list.leaves().iter().enumerate() {
            let leaf = match self.leaf(*at) {
                Ok(leaf) => leaf,
                Err(error) => {
                    unreadable = unreadable.or(Some(error));
                    continue;
                }
            };
            for (index, at) in leaf.keys().enumerate() {
                match self.child(parent, at) {
                    Ok(key) if key.name().is(wanted) => {
                        return Ok(Some(Place { leaf: number, index, node: key.node() }));
                    }
                    Ok(key) => {
                        is_sorted &= last.is_none_or(|last| last.name().compare(&key.name()).is_lt());
                        last = Some(key);
                    }
                    Err(error) => unreadable = unreadable.or(Some(error)),
                }
            }
        }
        if let Some(error) = unreadable {
            return Err(error);
        }
        if is_sorted {
            self.ordered.note(parent);
        }
        Ok(None)
    }
}

impl<'a> Iterator for Subkeys<'a> {
    type Item = Result<KeyNode<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.places.next()?.and_then(|at| match self.repeated.binary_search(&at) {
            Ok(_) => Err(Error::cell(KEY, at, "a subkey list contains the key twice")),
            Err(_) => self.hive.child(self.parent, at),
        });
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<ValueNode<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.places.next()?;
        Some(match self.repeated.binary_search(&at) {
            Ok(_) => Err(Error::cell(VALUE, at, "the value list contains the value twice")),
            Err(_) => self.hive.own(VALUE, at, self.key).and_then(|_| self.hive.value_at(at)),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

/// Returns the offsets that occur more than once in `places`.
fn repeated(mut places: Vec<u32>) -> Vec<u32> {
    places.sort_unstable();
    let mut repeated: Vec<u32> = places.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    repeated.dedup();
    repeated
}
