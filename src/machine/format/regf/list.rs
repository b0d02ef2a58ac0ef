//! Reads the subkey lists of a hive: leaves (`li`, `lf`, `lh`), alone or below an index root (`ri`).
//!
//! Source: Suhanov's specification of the hive format, "Index leaf", "Fast leaf", "Hash leaf", "Index root".

use super::{
    Error, Hive,
    base::NOWHERE,
    bytes::{u16_at, u32_at},
};

pub(super) const LIST: &str = "subkey list";

/// The kind of a leaf of a subkey list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A leaf with the signature `li`: only the offsets of the keys.
    Index,
    /// A leaf with the signature `lf`: the offsets of the keys, and the first four characters of each name.
    Fast,
    /// A leaf with the signature `lh`: the offsets of the keys, and a hash of each name.
    Hash,
}

impl Kind {
    /// Returns the kind of leaf that has this signature; `None` for any other signature.
    fn of(signature: &[u8]) -> Option<Self> {
        match signature {
            b"li" => Some(Self::Index),
            b"lf" => Some(Self::Fast),
            b"lh" => Some(Self::Hash),
            _ => None,
        }
    }

    pub(super) fn signature(self) -> &'static [u8; 2] {
        match self {
            Self::Index => b"li",
            Self::Fast => b"lf",
            Self::Hash => b"lh",
        }
    }

    /// Returns the length in bytes of one element in a leaf of this kind.
    pub(super) fn step(self) -> usize {
        if self == Self::Index { 4 } else { 8 }
    }
}

/// A leaf of a subkey list: the offsets of keys, usually with a hint or hash of each name. In a valid hive, they are
/// sorted by the names of the keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf<'a> {
    pub(super) at: u32,
    pub(super) kind: Kind,
    /// The bytes of the elements. Each element is a key's offset, followed by a hint or hash except in an `li`.
    elements: &'a [u8],
}

impl Leaf<'_> {
    pub(super) fn len(&self) -> usize {
        self.elements.len() / self.kind.step()
    }

    /// Returns the offset of the key in the element with the index `i`; `None` if there is no such element.
    pub(super) fn key(&self, i: usize) -> Option<u32> {
        u32_at(self.elements, i.checked_mul(self.kind.step())?)
    }

    /// Returns the hint or hash in the element with the index `i`; `None` in an `li`, or if there is no such element.
    pub(super) fn hint(&self, i: usize) -> Option<u32> {
        if self.kind == Kind::Index { None } else { u32_at(self.elements, i * 8 + 4) }
    }

    pub(super) fn keys(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.elements.chunks_exact(self.kind.step()).map(|e| u32_at(e, 0).unwrap_or(NOWHERE))
    }
}

/// A subkey list in one of its two forms: a single leaf, or an index root with several leaves.
#[derive(Debug, Clone)]
pub(super) enum List {
    /// A single leaf, given by its offset.
    Leaf(u32),
    /// The offset of an index root, and the offsets of its leaves.
    Root(u32, Vec<u32>),
}

impl List {
    /// Returns the offsets of the leaves, the cells that contain the entries of the list. If the list is itself a leaf,
    /// this is its own offset.
    pub(super) fn leaves(&self) -> &[u32] {
        match self {
            Self::Leaf(at) => std::slice::from_ref(at),
            Self::Root(_, leaves) => leaves,
        }
    }
}

impl Hive {
    /// Reads the subkey list at the offset `at`, without the content of its leaves. Returns an error if an index root
    /// refers to a leaf twice.
    pub(super) fn list(&self, at: u32) -> Result<List, Error> {
        let list = self.known_list(at)?;
        if let List::Root(_, leaves) = &list {
            let mut sorted = leaves.clone();
            sorted.sort_unstable();
            if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(Error::cell(LIST, at, "the index root refers to a list twice"));
            }
        }
        Ok(list)
    }

    /// Reads the subkey list at the offset `at`, but does not check again that each leaf occurs only once.
    ///
    /// [`Hive::list`] must have read the list before, or the editor must have written it.
    pub(super) fn known_list(&self, at: u32) -> Result<List, Error> {
        let cell = self.cell(LIST, at)?;
        if !cell.starts_with(b"ri") {
            return Ok(List::Leaf(at));
        }
        let elements = elements(cell, 4)
            .ok_or_else(|| Error::cell(LIST, at, "the structure extends beyond the end of its cell"))?;
        Ok(List::Root(at, elements.chunks_exact(4).map(|e| u32_at(e, 0).unwrap_or(NOWHERE)).collect()))
    }

    /// Returns the leaf of a subkey list at the offset `at`.
    pub(super) fn leaf(&self, at: u32) -> Result<Leaf<'_>, Error> {
        let cell = self.cell(LIST, at)?;
        let Some(kind) = Kind::of(cell.get(..2).unwrap_or_default()) else {
            let nested = cell.starts_with(b"ri");
            let problem = if nested { "an index root contains another index root" } else { "the signature is wrong" };
            return Err(Error::cell(LIST, at, problem));
        };
        let elements = elements(cell, kind.step());
        let elements =
            elements.ok_or_else(|| Error::cell(LIST, at, "the structure extends beyond the end of its cell"))?;
        Ok(Leaf { at, kind, elements })
    }
}

/// Returns the bytes of a list's elements, whose number is in the header of the list. Returns `None` if the cell is too
/// short. `step` is the length of an element.
fn elements(cell: &[u8], step: usize) -> Option<&[u8]> {
    let count = usize::from(u16_at(cell, 2)?);
    cell.get(4..4 + count * step)
}
