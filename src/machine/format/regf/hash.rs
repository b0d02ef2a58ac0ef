//! Hash tables for the cells and names of a hive.
//!
//! Many cells and names of a hive are looked up in such tables, so a fast hash function is used.

use std::collections;

use foldhash::fast::RandomState;

/// A hash map with a fast hash function. It is created with `default()`.
pub(super) type HashMap<K, V> = collections::HashMap<K, V, RandomState>;

/// A hash set with a fast hash function. It is created with `default()`.
pub(super) type HashSet<K> = collections::HashSet<K, RandomState>;

/// The largest capacity of a table that is cleared for reuse. A larger table is dropped, because that is faster.
pub(super) const SMALL_TABLE: usize = 64;
