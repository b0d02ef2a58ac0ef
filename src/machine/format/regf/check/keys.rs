//! Checks the keys of a hive: their tree, their lists of subkeys, and the sizes that each key stores for its largest
//! subkey and value.

use super::{
    super::{
        KeyNode, Node,
        base::NOWHERE,
        list::{Kind, LIST, List},
        node,
        walk::MAX_DEPTH,
    },
    Checker,
};
use crate::registry::name::MAX_KEY_NAME;

/// The largest sizes in bytes that were found for the subkeys or the values of a key, to compare them with the sizes
/// that the key stores.
#[derive(Debug, Default)]
pub(super) struct Largest {
    pub(super) name: u32,
    pub(super) other: u32,
}

impl<'a> Checker<'a> {
    /// Checks the tree of keys from the root down. Each key is visited only once, so the check also ends for a damaged
    /// hive.
    pub(super) fn keys(&mut self) {
        let root = self.hive.root;
        let mut stack = Vec::new();
        if self.claim(root, "base block") {
            match self.hive.key(Node(root)) {
                Ok(key) => {
                    if key.flags() & node::FLAG_HIVE_ENTRY == 0 {
                        self.add("key-root-flag", root, "the root key is not flagged as a hive's root");
                    }
                    stack.push((key, 0));
                }
                Err(error) => self.add_error("key-malformed", root, &error),
            }
        }
        while let Some((key, depth)) = stack.pop() {
            self.key(&key);
            if key.subkey_count() > 0 && depth >= MAX_DEPTH {
                self.add("key-depth", key.at, "keys are nested too deeply: the registry allows 512 levels");
                continue;
            }
            stack.extend(self.subkeys(&key).into_iter().map(|key| (key, depth + 1)));
        }
    }

    fn key(&mut self, key: &KeyNode<'a>) {
        let name = key.name();
        if name.is_empty() || name.len() > MAX_KEY_NAME || name.units().any(|u| u == 0 || u == u16::from(b'\\')) {
            self.add("key-name", key.at, format!("{name:?} is not a valid name for a key"));
        }
        let class = key.u32(node::CLASS);
        if class != NOWHERE
            && self.claim(class, "class name")
            && let Err(error) = self.hive.class(key.node())
        {
            self.add_error("class-malformed", class, &error);
        }
        let security = key.u32(node::SECURITY);
        *self.security.entry(security).or_default() += 1;
        self.values(key);
    }

    /// Checks the subkey lists of a key. Returns the subkeys that are valid enough to be checked next.
    fn subkeys(&mut self, key: &KeyNode<'a>) -> Vec<KeyNode<'a>> {
        let mut below = Vec::new();
        let (count, at) = (key.subkey_count(), key.u32(node::SUBKEY_LIST));
        let mut largest = Largest::default();
        if count > 0 && self.claim(at, LIST) {
            match self.hive.list(at) {
                Err(error) => self.add_error("subkey-list-malformed", at, &error),
                Ok(list) => {
                    let mut found = 0;
                    for leaf in list.leaves() {
                        if matches!(list, List::Root(..)) && !self.claim(*leaf, LIST) {
                            continue;
                        }
                        found += self.leaf(key, *leaf, &mut below);
                    }
                    if found != count as usize {
                        let message = format!("the key's count of subkeys is {count}, but its lists contain {found}");
                        self.add("subkey-count", key.at, message);
                    }
                }
            }
        } else if count == 0 && at != NOWHERE {
            // If the count is 0, the offset of the list is out of date and never used.
        }
        for pair in below.windows(2) {
            if pair[0].name().compare(&pair[1].name()).is_ge() {
                let message = format!(
                    "{:?} is before {:?} in the list of {:?}, which must be sorted without duplicates",
                    pair[0].name(),
                    pair[1].name(),
                    key.name()
                );
                self.add("subkey-order", pair[1].at, message);
            }
        }
        for subkey in &below {
            largest.name = largest.name.max(subkey.name().len() as u32 * 2);
            largest.other = largest.other.max(subkey.u16(node::CLASS_LENGTH).into());
        }
        self.largest(key, "subkey name", largest.name, u32::from(key.u16(node::MAX_SUBKEY_NAME)));
        self.largest(key, "class name of a subkey", largest.other, key.u32(node::MAX_SUBKEY_CLASS));
        below
    }

    /// Checks one leaf of a subkey list. Adds its valid subkeys to `below`, and returns the number of its elements.
    fn leaf(&mut self, parent: &KeyNode<'a>, at: u32, below: &mut Vec<KeyNode<'a>>) -> usize {
        let leaf = match self.hive.leaf(at) {
            Ok(leaf) => leaf,
            Err(error) => {
                self.add_error("subkey-list-malformed", at, &error);
                return 0;
            }
        };
        if leaf.len() == 0 {
            self.add("subkey-list-empty", at, "the subkey list is empty");
        }
        for i in 0..leaf.len() {
            let place = leaf.key(i).unwrap_or(NOWHERE);
            if !self.claim(place, LIST) {
                continue;
            }
            let key = match self.hive.child(parent.at, place) {
                Ok(key) => key,
                Err(error) => {
                    self.add_error("key-malformed", place, &error);
                    continue;
                }
            };
            let (name, stored) = (key.name(), leaf.hint(i).unwrap_or_default());
            match leaf.kind {
                Kind::Hash if stored != name.hash() => {
                    self.add(
                        "subkey-hash",
                        at,
                        format!("the list stores the hash {stored:#x} for {name:?}; expected {:#x}", name.hash()),
                    );
                }
                // Older systems wrote hints without changing their case; a NUL at the start means that there is no
                // hint.
                Kind::Fast if !hint_fits(stored.to_le_bytes(), name.hint()) => {
                    self.add(
                        "subkey-hint",
                        at,
                        format!("in the subkey list, the first four characters that are stored for {name:?} are wrong"),
                    );
                }
                _ => {}
            }
            below.push(key);
        }
        leaf.len()
    }

    /// Compares a size that a key stores, such as that of its largest subkey name, with the size that was found. `of`
    /// names the size in messages.
    pub(super) fn largest(&mut self, key: &KeyNode<'a>, of: &str, found: u32, stored: u32) {
        let message = || {
            format!(
                "the key {:?} records {stored} bytes for its largest {of}, but the largest has {found} bytes",
                key.name()
            )
        };
        if found > stored {
            self.add("max-too-small", key.at, message());
        } else if found < stored {
            self.add("max-too-large", key.at, message());
        }
    }
}

fn hint_fits(stored: [u8; 4], wanted: [u8; 4]) -> bool {
    stored[0] == 0 || stored.eq_ignore_ascii_case(&wanted)
}
