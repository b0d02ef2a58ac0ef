//! The limits of one observation. They prevent a damaged or hostile target from using up the memory of kbfix. A key
//! that is queried twice counts twice. A key that [`super::observe_like`] or [`super::observe_again`] reads again does
//! not count. [`Limits::and`] raises the limits for changes that were already planned.

use crate::targets::{Answer, KeyChange, KeyFacts, KeyQuery, PolicyFacts};

/// The highest number of bytes in the paths of all queried keys together, without the root keys.
///
/// Without this limit, a file of a few megabytes could fill any memory: it can nest keys deeply and give them long
/// names. A real path has about 100 bytes.
const MOST_PATHS: usize = 64 << 20;
/// The highest number of keys that one observation queries, and that a `*` in a key path can match.
///
/// While a plan is made and printed, each key takes about 3 KB and 30 µs. A file of a few megabytes can contain a
/// million keys.
pub(crate) const MOST_KEYS: usize = 200_000;
/// The highest number of names in the paths of all queried keys together, without the root keys.
///
/// A key is looked up name by name, so it takes long to look up keys below hundreds of levels. A real path has about
/// ten names.
const MOST_NAMES: usize = 2_500_000;
/// The highest number of existing keys and values that one observation finds. A key counts as two.
///
/// While a plan is made and printed, a key takes about 5 KB and a value about 3 KB, so that all of them take less than
/// 1 GB.
const MOST_FOUND: usize = 300_000;
/// The highest number of subkeys in the lists of subkeys that one observation reads, all together.
///
/// A name in a list takes about 100 bytes while a plan is made, so that all of them take about 100 MB. A key that a `*`
/// does not match is listed too, but its own facts are not read, so the other limits do not count it.
const MOST_LISTED: usize = 1_000_000;
/// The highest number of bytes of data in the settings of policy stores, all together.
///
/// The settings of one store can apply to all users. Then each user gets a copy of them. A real setting has less than
/// 100 bytes.
const MOST_POLICIES: usize = 64 << 20;

/// The remaining limits of one observation: what it may still query and find.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The number of keys that may still be queried.
    pub(super) keys: usize,
    /// The number of names that the paths of these keys may still have, all together.
    pub(super) names: usize,
    /// The number of bytes that the paths of these keys may still have, all together.
    pub(super) paths: usize,
    /// The number of keys and values that may still be found. A key counts as two.
    pub(super) found: usize,
    /// The number of subkeys that may still be listed.
    pub(super) listed: usize,
    /// The number of bytes of data that may still be read from policy stores.
    pub(super) policies: usize,
}

impl Limits {
    pub(super) const MOST: Self = Self {
        keys: MOST_KEYS,
        names: MOST_NAMES,
        paths: MOST_PATHS,
        found: MOST_FOUND,
        listed: MOST_LISTED,
        policies: MOST_POLICIES,
    };

    /// Returns these limits, raised by the numbers of keys, parent keys and values in `changes`.
    ///
    /// The changes were planned within the limits. So it must also be possible to read them back after writing, and to
    /// undo them.
    pub(super) fn and(mut self, changes: &[KeyChange]) -> Self {
        for change in changes {
            self.keys += 2;
            self.names += 2 * change.key.path.depth();
            self.paths += 2 * change.key.path.below_root().len();
            self.found += 4 + change.values.len();
            self.listed += 2;
        }
        self
    }

    /// Subtracts the queries from the limits. `most` contains the original limits, for the message.
    ///
    /// # Errors
    ///
    /// Returns a message with the limit that is exceeded, without the name of the target.
    pub(super) fn take(&mut self, queries: &[KeyQuery], most: Self) -> Result<(), String> {
        take(&mut self.keys, queries.len(), most.keys, "keys")?;
        let names = queries.iter().map(|query| query.key.path.depth()).sum();
        take(&mut self.names, names, most.names, "names in the paths of all keys together")?;
        let paths = queries.iter().map(|query| query.key.path.below_root().len()).sum();
        take(&mut self.paths, paths, most.paths, PATHS)
    }

    /// Subtracts the keys, values and listed subkeys in `answers` from the limits. `most` contains the original limits,
    /// for the message.
    ///
    /// # Errors
    ///
    /// Returns a message if a limit is exceeded.
    pub(super) fn take_found(&mut self, answers: &[Answer<KeyFacts>], most: Self) -> Result<(), String> {
        let size = |answer: &Answer<KeyFacts>| match answer {
            Answer::Present(facts) => 2 + facts.values.len(),
            Answer::Absent | Answer::Unread(_) => 0,
        };
        take(&mut self.found, answers.iter().map(size).sum(), most.found, "keys and values (a key counts as two)")?;
        let names = |answer: &Answer<KeyFacts>| match answer {
            Answer::Present(KeyFacts { subkeys: Some(Answer::Present(names)), .. }) => names.len(),
            _ => 0,
        };
        take(&mut self.listed, answers.iter().map(names).sum(), most.listed, "names of subkeys")
    }

    /// Subtracts the size of the policy stores' data from the limit.
    ///
    /// # Errors
    ///
    /// Returns a message if a limit is exceeded.
    pub(super) fn take_policies(&mut self, answers: &[PolicyFacts]) -> Result<(), String> {
        let size = answers.iter().map(PolicyFacts::size).sum();
        take(&mut self.policies, size, MOST_POLICIES, "bytes of data in policy stores")
    }
}

fn take(left: &mut usize, count: usize, most: usize, what: &str) -> Result<(), String> {
    *left = left.checked_sub(count).ok_or_else(|| asked_for(most, what))?;
    Ok(())
}

/// The text that [`asked_for`] gets as `what` if the limit for the paths of keys is exceeded.
pub(super) const PATHS: &str = "bytes in the paths of keys";

/// Returns the message that kbfix would have to read more than `most` things of the kind `what`.
pub(super) fn asked_for(most: usize, what: &str) -> String {
    format!("kbfix would have to read more than {most} {what}, which is its maximum")
}
