//! The limits of one observation.

use crate::targets::{Answer, KeyChange, KeyFacts, KeyQuery, PolicyFacts};

/// The highest number of bytes in the paths of all queried keys together.
///
/// A file of a few megabytes can nest keys so deeply, with such long names, that their paths fill any memory. A real
/// path has about 100 bytes.
const MOST_PATHS: usize = 64 << 20;
/// The highest number of keys that one observation queries, and that a `*` can match.
///
/// Until the plan is printed, each key takes about 4 KB and 40 µs. A file of a few megabytes can contain a million
/// keys.
pub(crate) const MOST_KEYS: usize = 200_000;
/// The highest number of names in the paths of all queried keys together.
///
/// A key is looked up name by name, so keys below hundreds of levels take long. A real path has about ten names.
const MOST_NAMES: usize = 2_500_000;
/// The highest number of keys and values that are found. A key counts as two.
///
/// Until the plan is printed, a key takes about 5 KB and a value about 3 KB, so that all together take less than 1 GB.
const MOST_FOUND: usize = 300_000;
/// The highest number of bytes of data in the settings of policy stores, all together.
///
/// One store applies to all users, and each user has a copy of its settings. A real setting has less than 100 bytes.
const MOST_POLICIES: usize = 64 << 20;

/// The numbers that are left of the limits of one observation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The number of keys.
    pub(super) keys: usize,
    /// The number of names in the paths of these keys.
    pub(super) names: usize,
    /// The number of bytes in these paths.
    pub(super) paths: usize,
    /// The number of keys and values that are found. A key counts as two.
    pub(super) found: usize,
    /// The number of bytes of data in policy stores.
    pub(super) policies: usize,
}

impl Limits {
    pub(super) const MOST: Self =
        Self { keys: MOST_KEYS, names: MOST_NAMES, paths: MOST_PATHS, found: MOST_FOUND, policies: MOST_POLICIES };

    /// Returns these limits, raised by the keys in `changes`, their values, and the keys above them.
    ///
    /// These are already in memory. Their plan was within the limits, so after writing it must be possible to read them
    /// back and to undo them.
    pub(super) fn and(mut self, changes: &[KeyChange]) -> Self {
        for change in changes {
            self.keys += 2;
            self.names += 2 * change.key.path.depth();
            self.paths += 2 * change.key.path.below_root().len();
            self.found += 4 + change.values.len();
        }
        self
    }

    /// Subtracts the queries from the limits.
    ///
    /// # Errors
    ///
    /// Returns a message that names the limit that is exceeded.
    pub(super) fn take(&mut self, queries: &[KeyQuery], most: Self) -> Result<(), String> {
        take(&mut self.keys, queries.len(), most.keys, "keys")?;
        let names = queries.iter().map(|query| query.key.path.depth()).sum();
        take(&mut self.names, names, most.names, "names in the paths of all keys together")?;
        let paths = queries.iter().map(|query| query.key.path.below_root().len()).sum();
        take(&mut self.paths, paths, most.paths, PATHS)
    }

    /// Subtracts the keys and values that were found.
    ///
    /// # Errors
    ///
    /// Returns a message if the limit is exceeded.
    pub(super) fn take_found(&mut self, answers: &[Answer<KeyFacts>], most: Self) -> Result<(), String> {
        let size = |answer: &Answer<KeyFacts>| match answer {
            Answer::Present(facts) => 2 + facts.values.len(),
            Answer::Absent | Answer::Unread(_) => 0,
        };
        take(&mut self.found, answers.iter().map(size).sum(), most.found, "keys and values (a key counts as two)")
    }

    /// Subtracts the data that policy stores set.
    ///
    /// # Errors
    ///
    /// Returns a message if the limit is exceeded.
    pub(super) fn take_policies(&mut self, answers: &[PolicyFacts]) -> Result<(), String> {
        let size = answers.iter().map(PolicyFacts::size).sum();
        take(&mut self.policies, size, MOST_POLICIES, "bytes of data in policy stores")
    }
}

fn take(left: &mut usize, count: usize, most: usize, what: &str) -> Result<(), String> {
    *left = left.checked_sub(count).ok_or_else(|| asked_for(most, what))?;
    Ok(())
}

/// The name of the limit for the paths of keys, in messages.
pub(super) const PATHS: &str = "bytes in the paths of keys";

pub(super) fn asked_for(most: usize, what: &str) -> String {
    format!("the specs need more than {most} {what}, the most that kbfix reads")
}
