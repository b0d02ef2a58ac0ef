//! Edits the subkey lists of a hive: inserts and removes keys, and keeps the lists sorted.
//!
//! An existing list keeps its format. A new list is an `lh` in a hive of version 1.5 or later, and an `lf` in older
//! hives. If a single `lf` becomes too long, it is converted to an `li`, as in Windows; any other leaf is split in two,
//! below an `ri`. Adjacent leaves that fit into one are merged, and an `ri` with one leaf is replaced with that leaf.
//!
//! Source: Suhanov's specification of the hive format, "Index leaf", "Fast leaf", "Hash leaf", "Index root".

use super::super::{
    Error, Hive, KeyNode, Node, RawName,
    base::NOWHERE,
    list::{Kind, List},
    node,
};
use crate::registry::name::upcase;

/// The maximum number of elements in a leaf with hints or hashes (`lf`, `lh`), as in a leaf that Windows writes.
const MAX_HINTED: usize = 507;
const MAX_INDEX: usize = 1012;

/// The elements of a leaf of a subkey list: the offset of each key, and the hint or hash of its name (0 in an `li`).
#[derive(Debug, Clone)]
struct Elements {
    kind: Kind,
    list: Vec<(u32, u32)>,
}

impl Elements {
    fn limit(&self) -> usize {
        if self.kind == Kind::Index { MAX_INDEX } else { MAX_HINTED }
    }

    fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let error = Error::TooLarge {
            what: "the number of keys in a subkey list",
            size: self.list.len(),
            limit: u16::MAX.into(),
        };
        let count = u16::try_from(self.list.len()).map_err(|_| error)?;
        let mut bytes = Vec::with_capacity(4 + self.list.len() * self.kind.step());
        bytes.extend(self.kind.signature());
        bytes.extend(count.to_le_bytes());
        for (key, hint) in &self.list {
            bytes.extend(key.to_le_bytes());
            if self.kind != Kind::Index {
                bytes.extend(hint.to_le_bytes());
            }
        }
        Ok(bytes)
    }
}

/// Returns the number that a list of this kind stores for a key's name: its hint (`lf`) or its hash (`lh`). Returns 0
/// for an `li`, which stores no such number.
fn hint(kind: Kind, name: &RawName<'_>) -> u32 {
    match kind {
        Kind::Index => 0,
        Kind::Fast => u32::from_le_bytes(name.hint()),
        Kind::Hash => name.hash(),
    }
}

impl Hive {
    /// Inserts the key `child` into the subkey list of the key `parent`, and updates the number of subkeys.
    pub(super) fn link(&mut self, parent: u32, child: u32) -> Result<(), Error> {
        self.sort(parent)?;
        let key = self.key(Node(parent))?;
        let child_key = self.key(Node(child))?;
        let name = child_key.name();
        match self.subkey_list(&key)? {
            None => {
                let kind = if self.minor >= 5 { Kind::Hash } else { Kind::Fast };
                let leaf = Elements { kind, list: vec![(child, hint(kind, &name))] };
                let at = self.allocate(&leaf.to_bytes()?)?;
                self.put_u32(parent, node::SUBKEY_LIST, at)?;
                self.cache().sorted.insert(parent);
            }
            Some(list) => {
                let wanted: Vec<u16> = name.units().map(upcase).collect();
                let Err((number, index)) = self.search(parent, &list, &wanted)? else {
                    return Err(Error::cell(node::KEY, parent, "a subkey is already in the list of subkeys"));
                };
                let mut elements = self.elements(&list, number)?;
                elements.list.insert(index, (child, hint(elements.kind, &name)));
                self.put_leaf(parent, list, number, elements)?;
            }
        }
        let count = self.key(Node(parent))?.subkey_count();
        self.put_u32(parent, node::SUBKEYS, count + 1)
    }

    /// Removes the key `child` from the subkey list of the key `parent`, and updates the number of subkeys.
    pub(super) fn unlink(&mut self, parent: u32, child: u32) -> Result<(), Error> {
        self.sort(parent)?;
        let key = self.key(Node(parent))?;
        let missing = || Error::cell(node::KEY, parent, "a subkey is not in the list of subkeys");
        let list = self.subkey_list(&key)?.ok_or_else(missing)?;
        let wanted: Vec<u16> = self.key(Node(child))?.name().units().map(upcase).collect();
        let place = self.search(parent, &list, &wanted)?.ok().filter(|place| place.node.0 == child);
        let place = place.ok_or_else(missing)?;
        let mut elements = self.elements(&list, place.leaf)?;
        elements.list.remove(place.index);
        self.put_leaf(parent, list, place.leaf, elements)?;
        let count = self.key(Node(parent))?.subkey_count();
        self.put_u32(parent, node::SUBKEYS, count.saturating_sub(1))
    }

    /// Counts the subkeys in the lists of the key `parent`, and writes their number into the key.
    fn count_subkeys(&mut self, parent: u32) -> Result<(), Error> {
        let at = self.key(Node(parent))?.u32(node::SUBKEY_LIST);
        let mut count = 0;
        if at != NOWHERE {
            for leaf in self.list(at)?.leaves() {
                count += self.leaf(*leaf)?.len();
            }
        }
        self.put_u32(parent, node::SUBKEYS, count as u32)
    }

    /// Returns the offsets of the cells that contain a key's subkey lists.
    pub(super) fn list_cells(&self, key: &KeyNode<'_>) -> Result<Vec<u32>, Error> {
        Ok(match self.subkey_list(key)? {
            None => Vec::new(),
            Some(List::Leaf(at)) => vec![at],
            Some(List::Root(at, mut leaves)) => {
                leaves.push(at);
                leaves
            }
        })
    }

    fn elements(&self, list: &List, number: usize) -> Result<Elements, Error> {
        let leaf = self.leaf(list.leaves().get(number).copied().unwrap_or(NOWHERE))?;
        let list = leaf.keys().enumerate().map(|(i, key)| (key, leaf.hint(i).unwrap_or_default())).collect();
        Ok(Elements { kind: leaf.kind, list })
    }

    /// Writes the changed `elements` of the leaf with the index `number`. If the leaf has become too long, it is split
    /// (a single `lf` becomes an `li`); if it fits into one with an adjacent leaf, it is merged; if it is empty, it is
    /// removed.
    fn put_leaf(&mut self, parent: u32, list: List, number: usize, mut elements: Elements) -> Result<(), Error> {
        if elements.list.len() > elements.limit() && elements.kind == Kind::Fast && matches!(list, List::Leaf(_)) {
            elements.kind = Kind::Index;
        }
        let mut leaves = list.leaves().to_vec();
        let at = leaves.get(number).copied().unwrap_or(NOWHERE);
        if elements.list.is_empty() {
            self.release(at)?;
            leaves.remove(number);
        } else if elements.list.len() > elements.limit() {
            let upper = Elements { kind: elements.kind, list: elements.list.split_off(elements.list.len() / 2) };
            leaves[number] = self.rewrite(at, &elements.to_bytes()?)?;
            leaves.insert(number + 1, self.allocate(&upper.to_bytes()?)?);
        } else if let Some((neighbour, joined)) = self.joined(&list, number, &elements)? {
            self.release(leaves[neighbour])?;
            leaves[number] = self.rewrite(at, &joined.to_bytes()?)?;
            leaves.remove(neighbour);
        } else {
            leaves[number] = self.rewrite(at, &elements.to_bytes()?)?;
        }
        self.put_leaves(parent, &list, &leaves)
    }

    /// Finds a leaf that is adjacent to the leaf with the index `number` and can be merged with it. Returns the index
    /// of the adjacent leaf, and the elements of both leaves; `None` if there is no such leaf.
    fn joined(&self, list: &List, number: usize, elements: &Elements) -> Result<Option<(usize, Elements)>, Error> {
        let count = list.leaves().len();
        for neighbour in [number.wrapping_sub(1), number + 1].into_iter().filter(|n| *n < count) {
            let other = self.leaf(list.leaves().get(neighbour).copied().unwrap_or(NOWHERE))?;
            if other.kind == elements.kind && other.len() + elements.list.len() <= elements.limit() {
                let other = self.elements(list, neighbour)?;
                let (first, second) = if neighbour < number { (&other, elements) } else { (elements, &other) };
                let list = first.list.iter().chain(&second.list).copied().collect();
                return Ok(Some((neighbour, Elements { kind: elements.kind, list })));
            }
        }
        Ok(None)
    }

    /// Writes the subkey list of the key `parent`, which now consists of the leaves at these offsets. `list` is the old
    /// list.
    fn put_leaves(&mut self, parent: u32, list: &List, leaves: &[u32]) -> Result<(), Error> {
        let at = match (list, leaves) {
            (List::Leaf(_), [leaf]) => *leaf,
            (List::Leaf(_), []) => NOWHERE,
            (List::Root(root, _), [] | [_]) => {
                self.release(*root)?;
                leaves.first().copied().unwrap_or(NOWHERE)
            }
            (List::Leaf(_), _) => self.allocate(&root_bytes(leaves)?)?,
            (List::Root(root, old), _) if old == leaves => *root,
            (List::Root(root, _), _) => self.rewrite(*root, &root_bytes(leaves)?)?,
        };
        self.put_u32(parent, node::SUBKEY_LIST, at)
    }

    /// Returns an error for a key whose subkey lists contain a name twice, or something other than subkeys of this key.
    ///
    /// In such lists, it would not be clear which key a name means, or whether a name is absent.
    pub(super) fn refuse_damaged_lists(&self, parent: Node) -> Result<(), Error> {
        if self.is_sorted(parent) {
            return Ok(());
        }
        let mut keys = self.subkeys(parent)?.collect::<Result<Vec<_>, _>>()?;
        let by_name = |a: &KeyNode<'_>, b: &KeyNode<'_>| a.name().compare(&b.name());
        if !keys.is_sorted_by(|a, b| by_name(a, b).is_lt()) {
            keys.sort_by(by_name);
        }
        match keys.windows(2).find(|pair| by_name(&pair[0], &pair[1]).is_eq()) {
            Some(pair) => {
                Err(Error::cell(node::KEY, pair[1].at, "the key has the name of another key in the same list"))
            }
            None => Ok(()),
        }
    }

    /// Sorts the subkey lists of the key `parent` if they are not sorted: Windows finds a new key only in sorted lists.
    /// Also corrects the number of subkeys.
    pub(super) fn sort(&mut self, parent: u32) -> Result<(), Error> {
        if self.cache.sorted.contains(&parent) {
            return Ok(());
        }
        let key = self.key(Node(parent))?;
        let keys = self.subkeys(Node(parent))?.collect::<Result<Vec<_>, _>>()?;
        let ordered = keys.windows(2).all(|pair| pair[0].name().compare(&pair[1].name()).is_lt());
        let list = self.subkey_list(&key)?;
        if let Some(list) = list
            && !ordered
        {
            let mut keys: Vec<(Vec<u16>, u32)> =
                keys.iter().map(|k| (k.name().units().map(upcase).collect(), k.at)).collect();
            keys.sort();
            let mut keys = keys.into_iter().map(|(_, at)| at);
            for number in 0..list.leaves().len() {
                let mut elements = self.elements(&list, number)?;
                for element in &mut elements.list {
                    let at = keys.next().unwrap_or(NOWHERE);
                    *element = (at, hint(elements.kind, &self.key(Node(at))?.name()));
                }
                let at = list.leaves().get(number).copied().unwrap_or(NOWHERE);
                self.put(at, 0, &elements.to_bytes()?)?;
            }
        }
        self.count_subkeys(parent)?;
        self.cache().sorted.insert(parent);
        Ok(())
    }

    /// Returns whether the subkey lists of a key are known to be complete and sorted. A search then need not read all
    /// keys.
    pub(in super::super) fn is_sorted(&self, parent: Node) -> bool {
        self.cache.sorted.contains(&parent.0)
    }
}

fn root_bytes(leaves: &[u32]) -> Result<Vec<u8>, Error> {
    let error =
        Error::TooLarge { what: "the number of leaves in an index root", size: leaves.len(), limit: u16::MAX.into() };
    let count = u16::try_from(leaves.len()).map_err(|_| error)?;
    let mut bytes = Vec::from(*b"ri");
    bytes.extend(count.to_le_bytes());
    bytes.extend(leaves.iter().flat_map(|leaf| leaf.to_le_bytes()));
    Ok(bytes)
}
