//! Iterates over a key of a hive and all keys below it. Each key is visited once, and a parent before its subkeys.

use std::collections::HashSet;

use super::{Error, Hive, KeyNode, Node, lookup::Subkeys, node::SUBKEY_LIST};

/// The maximum depth of keys in a hive, which is a limit of the registry (Microsoft, "Registry element size limits").
pub(super) const MAX_DEPTH: usize = 512;

/// The iterator that [`Hive::walk`] returns. For each key, it returns the depth below the first key, and the key or the
/// error of reading it. If the subkeys of a key cannot be read, it returns an error in their place.
#[derive(Debug)]
pub struct Walk<'a> {
    hive: &'a Hive,
    first: Option<Node>,
    stack: Vec<Subkeys<'a>>,
    /// The offsets of the subkey lists that were already read. If two keys could share a list, the walk could take
    /// exponential time.
    lists: HashSet<u32>,
    /// The error that the next call of `next` returns: the subkeys of the last returned key could not be read. The
    /// number is the depth of these subkeys.
    pending: Option<(usize, Error)>,
}

impl Hive {
    /// Iterates over `node` and all keys below it. The iteration ends for every hive, even a damaged one.
    pub fn walk(&self, node: Node) -> Walk<'_> {
        Walk { hive: self, first: Some(node), stack: Vec::new(), lists: HashSet::new(), pending: None }
    }
}

impl<'a> Walk<'a> {
    fn enter(&mut self, key: &KeyNode<'a>) -> Result<(), Error> {
        if key.subkey_count() == 0 {
            return Ok(());
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let at = key.u32(SUBKEY_LIST);
        if !self.lists.insert(at) {
            return Err(Error::cell(super::list::LIST, at, "two keys refer to the same subkey list"));
        }
        for leaf in self.hive.list(at)?.leaves() {
            if *leaf != at && !self.lists.insert(*leaf) {
                return Err(Error::cell(super::list::LIST, *leaf, "two keys refer to the same subkey list"));
            }
        }
        self.stack.push(self.hive.subkeys(key.node())?);
        Ok(())
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (usize, Result<KeyNode<'a>, Error>);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((depth, error)) = self.pending.take() {
            return Some((depth, Err(error)));
        }
        let (depth, item) = match self.first.take() {
            Some(node) => (0, self.hive.key(node)),
            None => loop {
                let depth = self.stack.len();
                match self.stack.last_mut()?.next() {
                    Some(item) => break (depth, item),
                    None => drop(self.stack.pop()),
                }
            },
        };
        if let Ok(key) = &item
            && let Err(error) = self.enter(key)
        {
            self.pending = Some((depth + 1, error));
        }
        Some((depth, item))
    }
}
