//! Who owns a value: the policy stores that set the values that a spec wants.
//!
//! Group Policy writes what its stores say at each refresh. A change of such a value is undone then, unless the store says
//! the same. A store that could not be read may say anything: then the owner is unknown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SpecPlan;
use crate::{
    observe::{Reader, Told},
    registry::{Data, Key, KeyName, KeyPath, RootKey, ValueName, notation},
    targets::{PolicyEffect, PolicyScope, PolicySetting, PolicyStore, Unread},
};

/// A policy store that says something about a value that the spec wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyOwner {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// The value name.
    pub name: ValueName,
    /// The kind of store.
    pub store: PolicyStore,
    /// The path of the store's file on the machine.
    pub path: String,
    /// The name of the GPO, where `ntuser.pol` or the history of Group Policy tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpo: Option<String>,
    /// What the policy does with the value at each refresh.
    pub effect: PolicyEffect,
    /// The data that it writes; missing where it deletes the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// What becomes of the state that the spec requires.
    pub result: PolicyResult,
    /// Whether the data is shown to nobody. In a report, `bytes` is then missing from it, and `hidden` is true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

/// What becomes of the required state when Group Policy is refreshed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyResult {
    /// It stays: the policy says the same.
    Keeps,
    /// It is undone: the policy writes other data, or deletes the value.
    Undoes,
    /// It is undone if the user is a member of the group that the policy is for, which is not known.
    MayUndo,
}

/// A policy store that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyUnread {
    /// The path of the store's file on the machine; null where no store is known, as in a snapshot of something else.
    pub path: Option<String>,
    /// Why.
    pub why: Unread,
    /// How many values of the spec have no known owner because of it.
    pub values: usize,
}

impl PolicyOwner {
    /// Describes what the store does, without the value: `the local GPO (C:\…\Registry.pol) sets dword:00000001`.
    pub fn sentence(&self) -> String {
        let gpo = self.gpo.as_ref().map(|gpo| format!(", GPO `{gpo}`,")).unwrap_or_default();
        let data = notation::message(self.data.as_ref(), self.sensitive);
        let does = match self.effect {
            PolicyEffect::Set => format!("sets it to {data}"),
            PolicyEffect::SetIfAbsent => format!("sets it to {data} where it is absent"),
            PolicyEffect::Delete => "deletes it".to_owned(),
        };
        let but = match self.result {
            PolicyResult::MayUndo => "; whether the user is one is not known",
            PolicyResult::Keeps | PolicyResult::Undoes => "",
        };
        format!("{}{gpo} ({}) {does}{but}", self.store, self.path)
    }

    /// Returns the value's place: its key and name.
    pub fn place(&self) -> String {
        format!("{} {}", self.key, notation::value_name(&self.name))
    }
}

/// What was found about the owners of values.
#[derive(Default)]
pub(super) struct Found {
    owners: Vec<PolicyOwner>,
    /// Each value with a store that could not be read: the store's path, and why.
    unread: Vec<(Key, Option<String>, Unread)>,
}

impl Found {
    /// Adds what policy stores say about a value. `keeps` tells whether the state that a refresh leads to (`None` means
    /// absent) is as required; `after` is the required state.
    pub(super) fn add(
        &mut self,
        key: &Key,
        name: &ValueName,
        after: Option<&Data>,
        keeps: impl Fn(Option<&Data>) -> bool,
        reader: &Reader<'_>,
    ) {
        let told = match reader.policies(key, name) {
            Ok(told) => told,
            Err(why) => return self.unread.push((key.clone(), None, why)),
        };
        for Told { store, path, says } in told {
            let PolicySetting { effect, data, gpo, sensitive, .. } = match says {
                Ok(setting) => setting,
                Err(why) => {
                    self.unread.push((key.clone(), Some(path), why));
                    continue;
                }
            };
            let refreshed = match (effect, after) {
                (PolicyEffect::SetIfAbsent, Some(after)) => Some(after),
                (PolicyEffect::Set | PolicyEffect::SetIfAbsent, _) => data.as_ref(),
                (PolicyEffect::Delete, _) => None,
            };
            let result = match refreshed == after || keeps(refreshed) {
                true => PolicyResult::Keeps,
                false if store.is_of_a_group() => PolicyResult::MayUndo,
                false => PolicyResult::Undoes,
            };
            let gpo = match store {
                PolicyStore::Applied => gpo.or_else(|| only_gpo(key, reader)),
                _ => None,
            };
            let (key, name) = (key.clone(), name.clone());
            self.owners.push(PolicyOwner { key, name, store, path, gpo, effect, data, result, sensitive });
        }
    }

    /// Drops what was found about these keys.
    pub(super) fn leave_out(&mut self, is_left_out: impl Fn(&Key) -> bool) {
        self.owners.retain(|owner| !is_left_out(&owner.key));
        self.unread.retain(|(key, ..)| !is_left_out(key));
    }

    /// Returns the owners, and the stores that could not be read.
    pub(super) fn finish(self) -> (Vec<PolicyOwner>, Vec<PolicyUnread>) {
        let mut unread: BTreeMap<(Option<String>, String), PolicyUnread> = BTreeMap::new();
        for (_, path, why) in self.unread {
            let known = unread.entry((path.clone(), why.to_string()));
            known.or_insert(PolicyUnread { path, why, values: 0 }).values += 1;
        }
        (self.owners, unread.into_values().collect())
    }
}

/// Returns how what a plan says of the owners of values contradicts its facts; `None` if it does not.
///
/// A policy with the planned data keeps it. Whether other data is as required too, only the spec knows.
pub(super) fn fault(spec: &SpecPlan, reader: &Reader<'_>) -> Option<String> {
    let changed = spec.changes.iter().flat_map(|change| change.values.iter().map(move |value| (&change.key, value)));
    let changed = changed.map(|(key, value)| ((key, &value.name), value.after.as_ref()));
    let satisfied = spec.satisfied.iter().filter_map(|one| Some(((&one.key, one.name.as_ref()?), one.data.as_ref())));
    // A value that is deleted with its key stands in both.
    let wanted: BTreeMap<(&Key, &ValueName), Option<&Data>> = satisfied.chain(changed).collect();
    let mut found = Found::default();
    wanted.into_iter().for_each(|((key, name), after)| found.add(key, name, after, |_| false, reader));
    let (owners, unread) = found.finish();
    if unread != spec.policy_unread {
        return Some("the policy stores that could not be read are not those of its facts".to_owned());
    }
    let mut told: BTreeMap<(&Key, &ValueName, PolicyStore), &PolicyOwner> = BTreeMap::new();
    for owner in &spec.policy {
        if told.insert((&owner.key, &owner.name, owner.store), owner).is_some() {
            return Some(format!("{} has the policy store {} twice", owner.place(), owner.path));
        }
    }
    for owner in &owners {
        let is_so = told.remove(&(&owner.key, &owner.name, owner.store)).is_some_and(|told| {
            let result = if told.result == PolicyResult::Keeps { told.result } else { owner.result };
            *told == PolicyOwner { result, ..owner.clone() }
        });
        if !is_so {
            return Some(format!("it does not say of {} what {} says in its facts", owner.place(), owner.path));
        }
    }
    told.into_values().next().map(|owner| format!("its facts do not say that {} sets {}", owner.path, owner.place()))
}

/// The number of the extension of Group Policy that reads `Registry.pol`.
const HISTORY: &str =
    r"Software\Microsoft\Windows\CurrentVersion\Group Policy\History\{35378EAC-683F-11D2-A89A-00C04FBBCFA2}";

/// Returns the name of the GPO that was applied last, where the history of Group Policy has exactly one. The history is
/// the list of all GPOs, and does not say which of several set a value.
fn only_gpo(key: &Key, reader: &Reader<'_>) -> Option<String> {
    let path = match PolicyScope::of(key)? {
        PolicyScope::Machine => KeyPath::from_parts(RootKey::Hklm, HISTORY),
        PolicyScope::User(sid) => KeyPath::from_parts(RootKey::Hku, &format!("{sid}\\{HISTORY}")),
    };
    let history = Key::new(path.ok()?).one_name(false);
    let names = reader.subkeys(&history).known().ok()??;
    let [only]: [KeyName; 1] = names.try_into().ok()?;
    let name = ValueName::new("DisplayName").ok()?;
    let text = reader.value(&history.child(&only), &name).known().ok()??.as_read_text()?;
    Some(text).filter(|text| !text.trim().is_empty())
}
