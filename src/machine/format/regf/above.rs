//! Finds the key above another one, and remembers which key was found last.
//!
//! Changes are made to many keys below one key, and each key is looked up several times. The keys above it are then
//! looked up once.

use std::sync::{Mutex, PoisonError};

use super::{Error, Hive, Node};

/// The result of following a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Above {
    /// The key at the end of the path.
    Key(Node),
    /// The key does not exist.
    Absent,
    /// One of the keys on the path, or the key at its end, is a symbolic link.
    Link,
}

/// The path that was followed last, and the key at its end. No key on the path is a link.
#[derive(Debug, Default)]
pub(super) struct LastAbove(Mutex<Option<(String, Node)>>);

/// Returns an empty record, because nothing of the copied hive was read yet.
impl Clone for LastAbove {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl LastAbove {
    /// Discards the record, because a key is about to be deleted or moved.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Hive {
    /// Finds the key at `path` below the hive's root, unless the path leads through a symbolic link. `path` is names
    /// joined by backslashes.
    pub(crate) fn above(&self, path: &str) -> Result<Above, Error> {
        let mut last = self.last_above.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, node)) = last.as_ref().filter(|(known, _)| known == path) {
            return Ok(Above::Key(*node));
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
        *last = Some((path.to_owned(), node));
        Ok(Above::Key(node))
    }
}
