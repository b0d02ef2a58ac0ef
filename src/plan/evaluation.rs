//! The result of evaluating a spec's registry rules, collected key by key.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    registry::{Key, RootKey, sid},
    targets::KeyChange,
};

use super::{Check, RulesHere, Satisfied, desired_state::DesiredState, named, policy};

/// The result of a spec's registry rules.
#[derive(Default)]
pub(super) struct Evaluation<'a> {
    /// The changes of keys: deletions first, each subkey before its parent; then updates and creations, each parent
    /// before its subkeys.
    pub changes: Vec<KeyChange>,
    /// How many keys and values in `changes` are in, or below, keys that a `*` matches.
    pub by_star: usize,
    /// How many rules about keys and values there are, and how many apply to this target.
    pub rules: RulesHere,
    /// Everything that already holds.
    pub satisfied: Vec<Satisfied>,
    /// Places that could not be read, each with the reason.
    pub unknown: Vec<String>,
    /// Requests that kbfix refuses, and contradictions between rules; appended to `unknown` at the end.
    pub refused: Vec<String>,
    /// What could not be read in a user's hive, by SID. Nothing is planned for that user.
    pub unread_users: BTreeMap<String, Vec<String>>,
    /// The SIDs of users who have a profile and no hive.
    pub without_hive: BTreeSet<String>,
    /// For each trigger how it stands, and for each key that may be deleted only without subkeys, whether it has none.
    pub checks: Vec<Check>,
    /// The rules with a label that apply, in the order of the spec.
    pub held: Vec<named::Held<'a>>,
    /// What policy stores say about the values.
    pub policy: policy::Found,
    /// The required state, against which the changes of later specs are checked.
    pub wants: DesiredState<'a>,
}

impl Evaluation<'_> {
    /// Moves what was reported since `said`, if `key` is in a user's hive, to that user.
    pub(super) fn give_to_user(&mut self, said: usize, key: &Key) {
        if let Some(sid) = user_of(key).filter(|_| said < self.unknown.len()) {
            let of_user = self.unknown.split_off(said);
            self.unread_users.entry(sid).or_default().extend(of_user);
        }
    }

    /// Drops everything planned for a user for whom something could not be read.
    pub(super) fn leave_out_users(&mut self) {
        let is_left_out = |key: &Key| user_of(key).is_some_and(|sid| self.unread_users.contains_key(&sid));
        self.changes.retain(|change| !is_left_out(&change.key));
        self.satisfied.retain(|one| !is_left_out(&one.key));
        self.held.retain(|held| !is_left_out(&held.key));
        self.policy.leave_out(is_left_out);
    }
}

/// Returns the SID of the person in whose hive the key is; the key must have its canonical name.
pub(super) fn user_of(key: &Key) -> Option<String> {
    let sid = key.path.names().next().filter(|sid| key.path.root() == RootKey::Hku && sid::is_person(sid));
    sid.map(str::to_ascii_uppercase)
}
