//! Finds out whether a spec may require something about keys and values, for a spec whose outcome is not known.

use std::collections::{BTreeMap, BTreeSet};

use super::expand;
use crate::{
    observe::Reader,
    registry::{Key, RootKey, ValueName},
    spec::{
        Spec,
        document::Exclusive,
        model::{DesiredKey, KeyRule},
    },
};

/// The part of a key that an operation would change.
#[derive(Debug, Default)]
pub(crate) struct Touch<'a> {
    /// Whether the operation would create or delete the key itself.
    pub(crate) existence: bool,
    /// The names of the values that the operation would change.
    pub(crate) values: BTreeSet<&'a ValueName>,
}

/// Returns whether a rule of the spec is about one of the `touched` keys and values, whatever the results of its
/// conditions are. If the keys of a rule are not known, the rule counts as one about each key of users, or about each
/// key outside the hives of users.
pub(crate) fn may_concern(spec: &Spec, touched: &BTreeMap<&Key, Touch<'_>>, reader: &Reader<'_>) -> bool {
    let concerns = |rule: &KeyRule| {
        let any_key = || touched.keys().any(|key| is_of_users(rule.key.root) == is_of_users(key.path.root()));
        match expand::keys_by_user(&rule.key, reader) {
            Err(_) => any_key(),
            Ok((by_user, _)) => by_user.into_iter().any(|(_, found)| match found {
                Err(_) => any_key(),
                Ok(keys) => keys.iter().any(|key| is_about(rule, key, touched)),
            }),
        }
    };
    spec.rules.iter().any(concerns)
}

/// Returns whether the rule, applied to `key`, is about one of the touched keys and values.
fn is_about(rule: &KeyRule, key: &Key, touched: &BTreeMap<&Key, Touch<'_>>) -> bool {
    let mut with_above = std::iter::successors(Some(key.clone()), Key::parent);
    if with_above.any(|above| touched.get(&above).is_some_and(|touch| touch.existence)) {
        return true;
    }
    if rule.desired.is_absent() || rule.exclusive == Some(Exclusive::Tree) {
        return touched.keys().any(|below| below.view == key.view && below.path.is_within(&key.path));
    }
    let Some(touch) = touched.get(key) else { return false };
    match &rule.desired {
        DesiredKey::Values(values) if rule.exclusive.is_none() => {
            values.iter().any(|value| touch.values.contains(&value.name))
        }
        DesiredKey::Values(_) => true,
        DesiredKey::Absent(_) | DesiredKey::Present => rule.exclusive.is_some(),
    }
}

/// Returns whether the keys below this root key are in the hives of users.
fn is_of_users(root: RootKey) -> bool {
    matches!(root, RootKey::Hkcu | RootKey::Hku)
}
