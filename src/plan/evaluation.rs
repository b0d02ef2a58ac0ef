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

/// Returns one sentence for each reason why nothing is planned for a user: the user could not be read, or has no hive.
pub(super) fn users_left_out(unread: &BTreeMap<String, Vec<String>>, without_hive: &BTreeSet<String>) -> Vec<String> {
    let not_read = unread.iter().flat_map(|(sid, why)| why.iter().map(move |why| format!("user {sid}: {why}")));
    // A trigger and its check have the same reason.
    let mut said = BTreeSet::new();
    let all = not_read.chain(without_hive.iter().map(|sid| has_no_hive(sid)));
    all.filter(|reason| said.insert(reason.clone())).collect()
}

/// Returns the sentence that says that this user is left out, because the user has no hive.
pub(super) fn has_no_hive(sid: &str) -> String {
    format!("user {sid} has a profile in ProfileList but no hive, and is left out")
}

/// Returns whether `reason` says that a user is left out: one of the `unread` users, or a user without a hive.
pub(super) fn is_of_users(reason: &str, unread: &[String]) -> bool {
    let of = |sid: &String| reason.strip_prefix("user ")?.strip_prefix(sid.as_str())?.strip_prefix(": ");
    let sid = reason.split(' ').nth(1).unwrap_or_default();
    unread.iter().any(|sid| of(sid).is_some()) || (sid::is_person(sid) && reason == has_no_hive(sid))
}
