//! Hash tables for the cells and names of a hive. A check looks up every one of them, so the tables must be fast.

use std::collections;

use foldhash::fast::RandomState;

/// A hash map, created by `default()`.
pub(super) type HashMap<K, V> = collections::HashMap<K, V, RandomState>;

/// A hash set, created by `default()`.
pub(super) type HashSet<K> = collections::HashSet<K, RandomState>;

/// The largest capacity of a table that is cleared instead of dropped. To clear a larger one takes longer.
pub(super) const SMALL_TABLE: usize = 64;
