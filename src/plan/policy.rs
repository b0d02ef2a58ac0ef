//! Finds the policy stores that set the same values as a spec.
//!
//! Group Policy writes the settings of its stores to the registry at each refresh. If such a setting differs from what
//! the spec requires, the refresh undoes the spec's change. If a store could not be read, it is not known whether it
//! sets the value.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SpecPlan;
use crate::{
    observe::{Reader, Told},
    registry::{Data, Key, KeyName, KeyPath, RootKey, ValueName, notation},
    targets::{PolicyEffect, PolicyScope, PolicySetting, PolicyStore, Unread},
};

/// A setting of a policy store for a value that the spec sets or deletes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyOwner {
    /// The key that contains the value.
    #[serde(flatten)]
    pub key: Key,
    /// The name of the value.
    pub name: ValueName,
    /// The kind of the policy store.
    pub store: PolicyStore,
    /// The path of the policy file on the machine.
    pub path: String,
    /// The name of the GPO that contains a setting of `ntuser.pol`. Missing if neither this file nor the history of
    /// Group Policy shows it, and for settings of other policy stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpo: Option<String>,
    /// The effect of the setting on the value at each refresh of Group Policy.
    pub effect: PolicyEffect,
    /// The data that Group Policy writes; missing if Group Policy deletes the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Whether a refresh of Group Policy keeps or undoes the state that the spec requires.
    pub result: PolicyResult,
    /// Whether the data is never shown. In a report, `bytes` is then missing, and `hidden` is true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

/// Whether a refresh of Group Policy keeps or undoes the state that a spec requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyResult {
    /// The required state is kept: after a refresh, the value still satisfies the spec.
    Keeps,
    /// The required state is undone: the policy writes other data, or deletes the value.
    Undoes,
    /// It is not known whether the policy undoes the required state, for one of two reasons. Either the policy applies
    /// to a group of users, and kbfix does not know whether the user is a member. Or the setting may come from the
    /// local GPO, which kbfix itself changes to the required state.
    MayUndo,
}

/// A policy store that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyUnread {
    /// The path of the policy file on the machine; null if it is not known which policy stores exist, for example
    /// because a snapshot was made for other values.
    pub path: Option<String>,
    /// The reason why the policy store could not be read.
    pub why: Unread,
    /// The number of the spec's values for which it is not known whether this policy store sets them.
    pub values: usize,
}

impl PolicyOwner {
    /// Describes the setting without naming the value: `the local GPO (C:\…\Registry.pol) sets it to dword:00000001`.
    pub fn sentence(&self) -> String {
        let gpo = self.gpo.as_ref().map(|gpo| format!(", GPO `{gpo}`,")).unwrap_or_default();
        let data = notation::message(self.data.as_ref(), self.sensitive);
        let does = match self.effect {
            PolicyEffect::Set => format!("sets it to {data}"),
            PolicyEffect::SetIfAbsent => format!("sets it to {data} if it is absent"),
            PolicyEffect::Delete => "deletes it".to_owned(),
        };
        let but = match self.result {
            PolicyResult::MayUndo if self.store == PolicyStore::Applied => {
                "; it is not known whether this comes from the local GPO, which kbfix changes, or from another GPO"
            }
            PolicyResult::MayUndo => "; it is not known whether the user is a member of this group",
            PolicyResult::Keeps | PolicyResult::Undoes => "",
        };
        format!("{}{gpo} ({}) {does}{but}", self.store, self.path)
    }

    /// Returns the key and the name of the value, as text for people.
    pub fn place(&self) -> String {
        format!("{} {}", self.key, notation::value_name(&self.name))
    }
}

/// The settings that policy stores have for the values of a spec.
#[derive(Default)]
pub(super) struct Found {
    owners: Vec<PolicyOwner>,
    /// The key of each value for which a policy store could not be read, with the path of the store and the reason.
    unread: Vec<(Key, Option<String>, Unread)>,
}

impl Found {
    /// Adds the settings of policy stores for a value.
    ///
    /// `after` is the data that the spec requires. `keeps` returns whether the rule of the spec is satisfied by the
    /// data that the value has after a refresh of Group Policy. For both, `None` means that the value is absent.
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
            let gpo = match store {
                PolicyStore::Applied => gpo.or_else(|| only_gpo(key, reader)),
                _ => None,
            };
            let may_be_own = store == PolicyStore::Applied
                && reader.is_of_policy(key)
                && gpo.as_deref().is_none_or(|gpo| gpo.eq_ignore_ascii_case(LOCAL_GPO));
            let result = match refreshed == after || keeps(refreshed) {
                true => PolicyResult::Keeps,
                false if store.is_of_a_group() || may_be_own => PolicyResult::MayUndo,
                false => PolicyResult::Undoes,
            };
            let (key, name) = (key.clone(), name.clone());
            self.owners.push(PolicyOwner { key, name, store, path, gpo, effect, data, result, sensitive });
        }
    }

    /// Removes the settings for keys for which `is_left_out` is true.
    pub(super) fn leave_out(&mut self, is_left_out: impl Fn(&Key) -> bool) {
        self.owners.retain(|owner| !is_left_out(&owner.key));
        self.unread.retain(|(key, ..)| !is_left_out(key));
    }

    /// Returns the settings that were found, and the policy stores that could not be read.
    pub(super) fn finish(self) -> (Vec<PolicyOwner>, Vec<PolicyUnread>) {
        let mut unread: BTreeMap<(Option<String>, String), PolicyUnread> = BTreeMap::new();
        for (_, path, why) in self.unread {
            let known = unread.entry((path.clone(), why.to_string()));
            known.or_insert(PolicyUnread { path, why, values: 0 }).values += 1;
        }
        (self.owners, unread.into_values().collect())
    }
}

/// Returns a sentence if the policy settings in a plan contradict the facts of the plan; `None` if they do not.
///
/// If a policy setting differs from the planned data, its result may still be [`PolicyResult::Keeps`]. Whether this is
/// right cannot be checked, because only the spec contains the rule that the data must satisfy.
pub(super) fn fault(spec: &SpecPlan, reader: &Reader<'_>) -> Option<String> {
    let changed = spec.changes.iter().flat_map(|change| change.values.iter().map(move |value| (&change.key, value)));
    let changed = changed.map(|(key, value)| ((key, &value.name), value.after.as_ref()));
    let satisfied = spec.satisfied.iter().filter_map(|one| Some(((&one.key, one.name.as_ref()?), one.data.as_ref())));
    // A value that is deleted together with its key is both satisfied and changed.
    let wanted: BTreeMap<(&Key, &ValueName), Option<&Data>> = satisfied.chain(changed).collect();
    let mut found = Found::default();
    wanted.into_iter().for_each(|((key, name), after)| found.add(key, name, after, |_| false, reader));
    let (owners, unread) = found.finish();
    if unread != spec.policy_unread {
        return Some("`policy_unread` lists other policy stores than the facts of the plan".to_owned());
    }
    let mut told: BTreeMap<(&Key, &ValueName, PolicyStore), &PolicyOwner> = BTreeMap::new();
    for owner in &spec.policy {
        if told.insert((&owner.key, &owner.name, owner.store), owner).is_some() {
            return Some(format!("it lists the policy store {} twice for {}", owner.path, owner.place()));
        }
    }
    for owner in &owners {
        let is_so = told.remove(&(&owner.key, &owner.name, owner.store)).is_some_and(|told| {
            let result = if told.result == PolicyResult::Keeps { told.result } else { owner.result };
            *told == PolicyOwner { result, ..owner.clone() }
        });
        if !is_so {
            return Some(format!(
                "the policy setting of {} differs from that of {} in the facts of the plan",
                owner.place(),
                owner.path
            ));
        }
    }
    told.into_values().next().map(|owner| format!("its facts do not show that {} sets {}", owner.path, owner.place()))
}

/// The name of the local GPO in the history of Group Policy on English Windows (not verified for other languages).
const LOCAL_GPO: &str = "Local Group Policy";

/// The history of the Group Policy extension that applies `Registry.pol`. The GUID identifies this extension.
const HISTORY: &str =
    r"Software\Microsoft\Windows\CurrentVersion\Group Policy\History\{35378EAC-683F-11D2-A89A-00C04FBBCFA2}";

/// Returns the name of the last applied GPO, if the history of Group Policy contains exactly one GPO. Returns `None` if
/// there are several, because the history does not show which of them sets a value, or if the name cannot be read.
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
