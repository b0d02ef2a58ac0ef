//! An ordered map and an ordered set that take little memory if they have few entries.

use std::{
    collections::{BTreeMap, btree_map},
    fmt, iter, mem, vec,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The highest number of entries that a map keeps in a list.
const FEW: usize = 11;

/// An ordered map like `BTreeMap`, for maps that exist once for each registry key and usually have one or two entries.
///
/// A `BTreeMap` with one entry allocates a node with room for eleven. With 100,000 registry keys, these nodes would be
/// most of the memory of a plan. This map keeps up to eleven entries in a list. With the twelfth, it becomes a
/// `BTreeMap`.
///
/// [`SmallMap::insert`] with a key that the map already has replaces only the value, as in a `BTreeMap`. So a value
/// name keeps its spelling.
#[derive(Clone)]
pub struct SmallMap<K, V>(Entries<K, V>);

#[derive(Clone)]
enum Entries<K, V> {
    /// At most [`FEW`] entries, ordered by key.
    Few(Vec<(K, V)>),
    Many(BTreeMap<K, V>),
}

impl<K, V> SmallMap<K, V> {
    /// Returns an empty map.
    pub const fn new() -> Self {
        Self(Entries::Few(Vec::new()))
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        match &self.0 {
            Entries::Few(few) => few.len(),
            Entries::Many(many) => many.len(),
        }
    }

    /// Returns whether the map has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all entries, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let (few, many) = match &self.0 {
            Entries::Few(few) => (few.as_slice(), None),
            Entries::Many(many) => (&[][..], Some(many)),
        };
        few.iter().map(|(key, value)| (key, value)).chain(many.into_iter().flatten())
    }

    /// Returns all keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }
}

impl<K: Ord, V> SmallMap<K, V> {
    /// Returns the entry with this key: the key as the map has it, and the value. Returns `None` if there is none.
    pub fn get_key_value(&self, key: &K) -> Option<(&K, &V)> {
        match &self.0 {
            Entries::Few(few) => place(few, key).ok().map(|at| (&few[at].0, &few[at].1)),
            Entries::Many(many) => many.get_key_value(key),
        }
    }

    /// Returns the value of a key; `None` if the map does not have the key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// Returns the value of a key, to change it; `None` if the map does not have the key.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match &mut self.0 {
            Entries::Few(few) => place(few, key).ok().map(|at| &mut few[at].1),
            Entries::Many(many) => many.get_mut(key),
        }
    }

    /// Returns whether the map has this key.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get_key_value(key).is_some()
    }

    /// Inserts an entry. If the map already has the key, replaces its value, and returns the old value.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match &mut self.0 {
            Entries::Few(few) => match place(few, &key) {
                Ok(at) => return Some(mem::replace(&mut few[at].1, value)),
                Err(at) if few.len() < FEW => {
                    if few.len() == few.capacity() {
                        // A list that grows by itself would get room for four entries at first.
                        few.reserve_exact(few.len().clamp(1, FEW - few.len()));
                    }
                    few.insert(at, (key, value));
                }
                Err(_) => {
                    let mut many = BTreeMap::from_iter(mem::take(few));
                    many.insert(key, value);
                    self.0 = Entries::Many(many);
                }
            },
            Entries::Many(many) => return many.insert(key, value),
        }
        None
    }

    /// Removes the entry with this key, and returns its value; `None` if there is no such entry.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        match &mut self.0 {
            Entries::Few(few) => place(few, key).ok().map(|at| few.remove(at).1),
            Entries::Many(many) => many.remove(key),
        }
    }
}

/// Returns `Ok` with the index of the entry with this key, or `Err` with the index at which such an entry must be
/// inserted.
fn place<K: Ord, V>(few: &[(K, V)], key: &K) -> Result<usize, usize> {
    few.binary_search_by(|(known, _)| known.cmp(key))
}

impl<K, V> Default for SmallMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// If a key occurs several times, its last entry counts, as in a `BTreeMap`.
impl<K: Ord, V> FromIterator<(K, V)> for SmallMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut few = Vec::from_iter(entries);
        if few.len() > FEW {
            return Self(Entries::Many(few.into_iter().collect()));
        }
        few.sort_by(|(a, _), (b, _)| a.cmp(b));
        few.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                mem::swap(later, earlier);
            }
            is_same
        });
        few.shrink_to_fit();
        Self(Entries::Few(few))
    }
}

impl<K: Ord, V> Extend<(K, V)> for SmallMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        if self.is_empty() {
            *self = entries.into_iter().collect();
        } else {
            entries.into_iter().for_each(|(key, value)| drop(self.insert(key, value)));
        }
    }
}

impl<K, V> IntoIterator for SmallMap<K, V> {
    type Item = (K, V);
    type IntoIter = iter::Chain<vec::IntoIter<(K, V)>, btree_map::IntoIter<K, V>>;

    fn into_iter(self) -> Self::IntoIter {
        let (few, many) = match self.0 {
            Entries::Few(few) => (few, BTreeMap::new()),
            Entries::Many(many) => (Vec::new(), many),
        };
        few.into_iter().chain(many)
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for SmallMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}
impl<K: Eq, V: Eq> Eq for SmallMap<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SmallMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Serialize, V: Serialize> Serialize for SmallMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// An ordered set like `BTreeSet`, stored as a [`SmallMap`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmallSet<T>(SmallMap<T, ()>);

impl<T> SmallSet<T> {
    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the set has no elements.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns all elements, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.keys()
    }
}

impl<T: Ord> SmallSet<T> {
    /// Returns the element of the set that equals `element`; `None` if there is none.
    pub fn get(&self, element: &T) -> Option<&T> {
        self.0.get_key_value(element).map(|(element, ())| element)
    }

    /// Returns whether the set has the element.
    pub fn contains(&self, element: &T) -> bool {
        self.0.contains_key(element)
    }

    /// Adds an element, unless the set already has an equal one.
    pub fn insert(&mut self, element: T) {
        self.0.insert(element, ());
    }

    /// Removes the element that equals `element`, if there is one.
    pub fn remove(&mut self, element: &T) {
        self.0.remove(element);
    }
}

impl<T> Default for SmallSet<T> {
    fn default() -> Self {
        Self(SmallMap::new())
    }
}

impl<T: Ord> FromIterator<T> for SmallSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self(elements.into_iter().map(|element| (element, ())).collect())
    }
}

impl<T: Ord> Extend<T> for SmallSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        self.0.extend(elements.into_iter().map(|element| (element, ())));
    }
}

impl<T> IntoIterator for SmallSet<T> {
    type Item = T;
    type IntoIter = iter::Map<<SmallMap<T, ()> as IntoIterator>::IntoIter, fn((T, ())) -> T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(element, ())| element)
    }
}

impl<T: Serialize> Serialize for SmallSet<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, T: Deserialize<'de> + Ord> Deserialize<'de> for SmallSet<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes the same changes of a small map and of a `BTreeMap`, in an order that mixes all keys.
    #[test]
    fn it_does_what_an_ordered_map_does() {
        for most in [1, 2, FEW, FEW + 1, 40] {
            let (mut small, mut other) = (SmallMap::new(), BTreeMap::new());
            for number in 0..4 * most {
                let (key, value) = (number * 7 % most, number);
                assert_eq!(small.insert(key, value), other.insert(key, value));
                if number % 3 == 0 {
                    let gone = number * 5 % most;
                    assert_eq!(small.remove(&gone), other.remove(&gone));
                }
                assert!(small.iter().eq(&other) && small.len() == other.len());
                assert_eq!(small.get(&key), other.get(&key));
                assert_eq!(small.get_mut(&key), other.get_mut(&key));
                assert_eq!(small, other.clone().into_iter().collect());
                assert!(small.clone().into_iter().eq(other.clone()));
            }
        }
    }

    #[test]
    fn of_several_entries_with_one_key_the_last_counts() {
        for count in [3, 100] {
            let entries = (0..count).map(|number| (number / 3, number));
            let mut small: SmallMap<_, _> = entries.clone().collect();
            assert!(small.iter().eq(&entries.clone().collect::<BTreeMap<_, _>>()));
            small.extend(entries.clone());
            assert!(small.iter().eq(&entries.collect::<BTreeMap<_, _>>()));
        }
    }

    #[test]
    fn one_entry_takes_no_more_room_than_it_needs() {
        let mut map = SmallMap::new();
        map.insert(1, 1);
        let collected: SmallMap<_, _> = [(1, 1), (2, 2), (3, 3)].into_iter().filter(|(key, _)| *key < 3).collect();
        for (map, room) in [(map, 1), (collected, 2)] {
            assert!(matches!(map.0, Entries::Few(few) if few.capacity() == room));
        }
    }
}
