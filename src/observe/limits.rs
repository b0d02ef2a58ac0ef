//! How much one observation may query.

use crate::targets::{Answer, KeyChange, KeyFacts, KeyQuery, PolicyFacts};

/// The most bytes that the paths of all queried keys may have together. A file of a few megabytes can nest keys so
/// deeply, under such long names, that their paths fill any memory; a real path has about 100 bytes.
const MOST_PATHS: usize = 64 << 20;
/// The most keys that one observation queries, and that a `*` can stand for. Until its plan is printed, each takes about 4 KB
/// and 40 µs; a file of a few megabytes can name a million.
pub(crate) const MOST_KEYS: usize = 200_000;
/// The most names that the paths of all queried keys may have together. A key is looked up name by name, so keys below
/// hundreds of levels take long; a real key has about ten.
const MOST_NAMES: usize = 2_500_000;
/// The most keys and values that are found, a key counted as two. Until its plan is printed, a key takes about 5 KB and a value
/// about 3 KB, so that all together take less than 1 GB.
const MOST_FOUND: usize = 300_000;
/// The most bytes of data that policy stores set, all together. One store is for all users, and each has its own copy of
/// what it says; a real setting has less than 100 bytes.
const MOST_POLICIES: usize = 64 << 20;

/// How much one observation may query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Keys.
    pub(super) keys: usize,
    /// Names in the paths of these keys.
    pub(super) names: usize,
    /// Bytes of these paths.
    pub(super) paths: usize,
    /// Keys and values that are found, a key counted as two.
    pub(super) found: usize,
    /// Bytes of data in policy stores.
    pub(super) policies: usize,
}

impl Limits {
    pub(super) const MOST: Self =
        Self { keys: MOST_KEYS, names: MOST_NAMES, paths: MOST_PATHS, found: MOST_FOUND, policies: MOST_POLICIES };

    /// Returns these limits, raised by what the changes name: each key with its values, and the key above it. They are in
    /// memory already; and what was written, because its plan was within the limits, must be read back and undone.
    pub(super) fn and(mut self, changes: &[KeyChange]) -> Self {
        for change in changes {
            self.keys += 2;
            self.names += 2 * change.key.path.depth();
            self.paths += 2 * change.key.path.below_root().len();
            self.found += 4 + change.values.len();
        }
        self
    }

    /// Takes the queries off what is left; says what they are too many of.
    pub(super) fn take(&mut self, queries: &[KeyQuery], most: Self) -> Result<(), String> {
        take(&mut self.keys, queries.len(), most.keys, "keys")?;
        let names = queries.iter().map(|query| query.key.path.depth()).sum();
        take(&mut self.names, names, most.names, "names in the paths of all keys together")?;
        let paths = queries.iter().map(|query| query.key.path.below_root().len()).sum();
        take(&mut self.paths, paths, most.paths, PATHS)
    }

    /// Takes what was found off what is left; says that it is too much.
    pub(super) fn take_found(&mut self, answers: &[Answer<KeyFacts>], most: Self) -> Result<(), String> {
        let size = |answer: &Answer<KeyFacts>| match answer {
            Answer::Present(facts) => 2 + facts.values.len(),
            Answer::Absent | Answer::Unread(_) => 0,
        };
        take(&mut self.found, answers.iter().map(size).sum(), most.found, "keys and values (a key counts as two)")
    }

    /// Takes the data that policy stores set off what is left; says that it is too much.
    pub(super) fn take_policies(&mut self, answers: &[PolicyFacts]) -> Result<(), String> {
        let size = answers.iter().map(PolicyFacts::size).sum();
        take(&mut self.policies, size, MOST_POLICIES, "bytes of data in policy stores")
    }
}

fn take(left: &mut usize, count: usize, most: usize, what: &str) -> Result<(), String> {
    *left = left.checked_sub(count).ok_or_else(|| asked_for(most, what))?;
    Ok(())
}

/// What the paths of keys have too many of.
pub(super) const PATHS: &str = "bytes in the paths of keys";

pub(super) fn asked_for(most: usize, what: &str) -> String {
    format!("the specs ask for more than {most} {what}")
}
