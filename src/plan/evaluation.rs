//! The result of the registry rules of a spec, collected key by key.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    registry::{Key, RootKey, sid},
    targets::KeyChange,
};

use super::{Check, RulesHere, Satisfied, Truth, desired_state::DesiredState, named, policy};

/// What a spec's registry rules mean for a target now: the changes, what needs none, and what could not be decided.
#[derive(Default)]
pub(super) struct Evaluation<'a> {
    /// The changes of keys. Deletions come first, each subkey before its parent. Updates and creations follow, each
    /// parent before its subkeys.
    pub changes: Vec<KeyChange>,
    /// The number of changed keys and values that count as changed because of a `*`: those in and below `starred`, and
    /// the keys in `starred` themselves.
    pub by_star: usize,
    /// The keys that the rules with a `*` in their key match.
    pub starred: BTreeSet<Key>,
    /// The number of the spec's rules, and how many of them apply to this target (see [`RulesHere::here`]).
    pub rules: RulesHere,
    /// The keys and values that are already in the required state.
    pub satisfied: Vec<Satisfied>,
    /// The keys, values and files that could not be read, each with the reason.
    pub unknown: Vec<String>,
    /// Sentences about contradictions between rules, and about changes that kbfix refuses to make. At the end, they are
    /// appended to `unknown`.
    pub refused: Vec<String>,
    /// For each user who could not be read completely, by SID, the reasons. Nothing is planned for these users.
    pub unread_users: BTreeMap<String, Vec<String>>,
    /// The SIDs of users who have a profile but no hive.
    pub without_hive: BTreeSet<String>,
    /// For each trigger, one check for each key for which its `when` is met: whether the trigger is done. Also one
    /// check for each key that may be deleted only if it has no subkeys.
    pub checks: Vec<Check>,
    /// The rules that apply to this target and have an id, a severity or controls, in the order of the spec.
    pub held: Vec<named::Held<'a>>,
    /// The settings of policy stores for the values that the spec sets or deletes.
    pub policy: policy::Found,
    /// The state that the spec requires. The changes of later specs are checked against this state.
    pub wants: DesiredState<'a>,
}

impl Evaluation<'_> {
    /// Adds a check of a rule for `key`. If the result is unknown and the key is in a user's hive, adds the reasons to
    /// `unknown` instead, for [`give_to_user`](Self::give_to_user): the check then concerns only this user.
    pub(super) fn add_check(&mut self, check: Check, key: &Key) {
        if check.result != Truth::Unknown || user_of(key).is_none() {
            self.checks.push(check);
            return;
        }
        let unknown = check.evidence.into_iter().filter(|evidence| evidence.result == Truth::Unknown);
        self.unknown.extend(unknown.map(|evidence| format!("{}: {}", evidence.place, evidence.found)));
    }

    /// Moves the reasons in `unknown`, from index `said` to the end, into `unread_users`, to the user in whose hive
    /// `key` is. Does nothing if `key` is not in a user's hive.
    pub(super) fn give_to_user(&mut self, said: usize, key: &Key) {
        if let Some(sid) = user_of(key).filter(|_| said < self.unknown.len()) {
            let of_user = self.unknown.split_off(said);
            self.unread_users.entry(sid).or_default().extend(of_user);
        }
    }

    /// Removes the changes, the satisfied keys and values, the rules in `held` and the policy settings of users who
    /// could not be read completely.
    pub(super) fn leave_out_users(&mut self) {
        let is_left_out = |key: &Key| user_of(key).is_some_and(|sid| self.unread_users.contains_key(&sid));
        self.changes.retain(|change| !is_left_out(&change.key));
        self.satisfied.retain(|one| !is_left_out(&one.key));
        self.held.retain(|held| !is_left_out(&held.key));
        self.policy.leave_out(is_left_out);
    }
}

/// Returns the SID of the user whose hive contains the key; `None` if the key is not in a user's hive. The key must
/// have its canonical name.
pub(super) fn user_of(key: &Key) -> Option<String> {
    let sid = key.path.names().next().filter(|sid| key.path.root() == RootKey::Hku && sid::is_person(sid));
    sid.map(str::to_ascii_uppercase)
}
