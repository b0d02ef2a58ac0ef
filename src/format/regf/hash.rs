//! Hash tables for the cells and names of a hive, of which a check looks up every one.

use std::collections;

use foldhash::fast::RandomState;

/// A hash map, created by `default()`.
pub(super) type HashMap<K, V> = collections::HashMap<K, V, RandomState>;

/// A hash set, created by `default()`.
pub(super) type HashSet<K> = collections::HashSet<K, RandomState>;
