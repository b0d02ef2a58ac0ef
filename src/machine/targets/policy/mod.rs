//! Policy stores: the files of a machine that contain the registry settings of Group Policy.
//!
//! Group Policy can write these settings again at any refresh, so a change of such a value may not last. Because the
//! stores are files, they can be read even if Windows is not running.
//!
//! Sources: Microsoft, "Registry Policy File Format", "Step-by-Step Guide to Managing Multiple Local Group Policy
//! Objects" (`GroupPolicyUsers`), KB201453 "Group Policy History Stored in Registry".

mod asked;
mod evaluate;
mod places;
mod read;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    registry::{Data, Key, RootKey, ValueName, sid},
    small_map::SmallSet,
};

use super::{Answer, Unread};
pub(super) use places::Place;
pub(super) use read::{Stores, read};

/// For each key, a set of value names.
pub type Values = BTreeMap<Key, SmallSet<ValueName>>;

/// The part of the registry to which a policy store applies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyScope {
    /// The machine: `HKLM`.
    Machine,
    /// The hive of the user with this SID.
    User(String),
}

impl PolicyScope {
    /// Returns the scope of a key that has its canonical name. Returns `None` if the key is in no scope, for example in
    /// the hive of a service.
    pub fn of(key: &Key) -> Option<Self> {
        match key.path.root() {
            RootKey::Hklm => Some(Self::Machine),
            RootKey::Hku => key
                .path
                .names()
                .next()
                .filter(|sid| sid::is_person(sid))
                .map(|sid| Self::User(sid.to_ascii_uppercase())),
            RootKey::Hkcr | RootKey::Hkcu | RootKey::Hkcc => None,
        }
    }
}

impl fmt::Display for PolicyScope {
    /// Writes the key at the top of the scope: `HKLM`, or `HKU` and the SID.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine => f.write_str("HKLM"),
            Self::User(sid) => write!(f, "HKU\\{sid}"),
        }
    }
}

/// The kinds of policy store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyStore {
    /// The local GPO: a file `Registry.pol` below `%SystemRoot%\System32\GroupPolicy`, one for the machine and one for
    /// users.
    Local,
    /// The local GPO of all users who are not administrators, in `%SystemRoot%\System32\GroupPolicyUsers`.
    NonAdministrators,
    /// The local GPO of all administrators.
    Administrators,
    /// The local GPO of this user, in `%SystemRoot%\System32\GroupPolicyUsers`.
    User,
    /// The file `ntuser.pol`, with the settings of all GPOs that Group Policy applied at its last refresh.
    Applied,
}

impl fmt::Display for PolicyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "the local GPO",
            Self::NonAdministrators => "the local GPO of non-administrators",
            Self::Administrators => "the local GPO of administrators",
            Self::User => "the local GPO of the user",
            Self::Applied => "Group Policy",
        })
    }
}

impl PolicyStore {
    /// Returns whether the store applies only to members of a group, and thus perhaps not to a given user.
    pub fn is_of_a_group(self) -> bool {
        matches!(self, Self::NonAdministrators | Self::Administrators)
    }
}

/// The effect of a policy on a value when Group Policy processes the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyEffect {
    /// The policy writes the data.
    Set,
    /// The policy writes the data if the value is absent (`**soft.`).
    SetIfAbsent,
    /// The policy deletes the value (`**del.`, `**DelVals.` and similar instructions).
    Delete,
}

/// The setting of a policy store for one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySetting {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// The value name.
    pub name: ValueName,
    /// The effect of the policy on the value.
    pub effect: PolicyEffect,
    /// The data that the policy writes; missing if the policy deletes the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The name of the GPO that contains the setting, if `ntuser.pol` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpo: Option<String>,
    /// Whether the data is sensitive, so that it is never shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

impl PolicySetting {
    fn place(&self) -> (&Key, &ValueName) {
        (&self.key, &self.name)
    }

    /// Returns whether both settings have the same effect on the value. The names of their GPOs are not compared.
    pub(super) fn does_as(&self, other: &Self) -> bool {
        (self.effect, &self.data) == (other.effect, &other.data)
    }
}

/// The settings of one policy store for the queried values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreFacts {
    /// The kind of policy store.
    pub store: PolicyStore,
    /// The path of the policy store's file on the machine. If its folder is not known, the path begins with
    /// `%SystemRoot%`, or is only the name of the file.
    pub path: String,
    /// The settings for the queried values, sorted by key and name. Absent means that the policy store's file does not
    /// exist.
    pub found: Answer<Vec<PolicySetting>>,
}

/// The settings, for the queried values, of all policy stores of one scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFacts {
    /// The scope of the policy stores: the machine, or one user.
    pub scope: PolicyScope,
    /// The queried values for which these facts contain answers.
    #[serde(with = "asked")]
    #[schemars(with = "Vec<asked::Entry>")]
    pub(super) asked: Values,
    /// The queried values about which the snapshot contains no answer.
    #[serde(default, with = "asked", skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "Vec<asked::Entry>")]
    pub(super) uncovered: Values,
    /// The policy stores of the scope. None occurs twice.
    pub stores: Vec<StoreFacts>,
}

/// A query for the settings of the policy stores of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyQuery {
    /// The scope of the policy stores to read: the machine, or one user.
    pub scope: PolicyScope,
    /// The values whose settings to read. Each key is in the scope and has its canonical name.
    pub values: Values,
}

/// The setting of a policy store for one value, or the reason why the store could not be read. A store without a
/// setting for the value has no such answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreAnswer<'a> {
    /// The policy store.
    pub store: &'a StoreFacts,
    /// The setting of the store, or the reason why the store could not be read.
    pub says: Result<&'a PolicySetting, &'a Unread>,
}

impl StoreFacts {
    fn answer(&self, key: &Key, name: &ValueName) -> Option<StoreAnswer<'_>> {
        let says = match &self.found {
            Answer::Present(settings) => Ok(setting(settings, key, name)?),
            Answer::Absent => return None,
            Answer::Unread(why) => Err(why),
        };
        Some(StoreAnswer { store: self, says })
    }
}

impl PolicyFacts {
    /// Returns facts that contain no answer to the query: all its values are uncovered.
    pub(super) fn not_covered(query: PolicyQuery) -> Self {
        Self { scope: query.scope, asked: Values::new(), uncovered: query.values, stores: Vec::new() }
    }

    /// Returns whether these facts contain answers for this value.
    pub(super) fn has_asked(&self, key: &Key, name: &ValueName) -> bool {
        contains(&self.asked, key, name)
    }

    /// Returns, for a value, the answer of each policy store that has a setting for this value or could not be read.
    ///
    /// Returns `None` if the value was not queried, and an error if it was queried, but these facts contain no answer
    /// about it.
    pub(super) fn answers(&self, key: &Key, name: &ValueName) -> Option<Result<Vec<StoreAnswer<'_>>, ()>> {
        if !self.has_asked(key, name) {
            return contains(&self.uncovered, key, name).then_some(Err(()));
        }
        Some(Ok(self.stores.iter().filter_map(|store| store.answer(key, name)).collect()))
    }

    /// Adds the answers to another query about the same scope.
    pub(super) fn add(&mut self, more: Self) {
        add_values(&mut self.asked, more.asked);
        add_values(&mut self.uncovered, more.uncovered);
        for new in more.stores {
            match self.stores.iter_mut().find(|known| known.store == new.store) {
                Some(StoreFacts { found: Answer::Present(known), .. }) if matches!(new.found, Answer::Present(_)) => {
                    let Answer::Present(settings) = new.found else { continue };
                    known.extend(settings);
                    known.sort_by(|a, b| a.place().cmp(&b.place()));
                    known.dedup_by(|a, b| a.place() == b.place());
                }
                Some(known) => *known = new,
                None => self.stores.push(new),
            }
        }
    }

    /// Marks the data of a value as sensitive, in the settings of all stores.
    pub(super) fn hide(&mut self, key: &Key, name: &ValueName) {
        for store in &mut self.stores {
            if let Answer::Present(settings) = &mut store.found
                && let Ok(at) = settings.binary_search_by(|one| one.place().cmp(&(key, name)))
            {
                settings[at].sensitive = true;
            }
        }
    }

    /// Returns the part of these facts that answers the query, which is about the same scope. Values for which they
    /// contain no answer become uncovered.
    pub(super) fn part(&self, query: PolicyQuery) -> Self {
        let (mut asked, mut uncovered) = (Values::new(), Values::new());
        for (key, names) in query.values {
            for name in names {
                let list = if self.has_asked(&key, &name) { &mut asked } else { &mut uncovered };
                list.entry(key.clone()).or_default().insert(name);
            }
        }
        let wanted = |one: &&PolicySetting| contains(&asked, &one.key, &one.name);
        let stores = self.stores.iter().map(|store| StoreFacts {
            store: store.store,
            path: store.path.clone(),
            found: store.found.as_ref().map(|settings| settings.iter().filter(wanted).cloned().collect()),
        });
        let stores = stores.collect();
        Self { scope: self.scope.clone(), asked, uncovered, stores }
    }

    /// Returns the query to which these facts are the answer.
    pub(super) fn question(&self) -> PolicyQuery {
        let mut values = self.asked.clone();
        add_values(&mut values, self.uncovered.clone());
        PolicyQuery { scope: self.scope.clone(), values }
    }

    /// Returns a message if a policy store occurs twice, or if the settings of a store are not sorted or not unique.
    /// kbfix does not write such facts. Returns `None` if the facts have none of these faults.
    pub(super) fn fault(&self) -> Option<String> {
        let is_sorted = |settings: &Vec<PolicySetting>| settings.is_sorted_by(|a, b| a.place() < b.place());
        let mut kinds = BTreeSet::new();
        self.stores.iter().find_map(|store| match &store.found {
            _ if !kinds.insert(store.store) => Some(format!("{} is given twice", store.path)),
            Answer::Present(settings) if !is_sorted(settings) => {
                Some(format!("the settings of {} are not sorted, or one is given twice", store.path))
            }
            _ => None,
        })
    }

    /// Returns the total size of the data in the settings, in bytes.
    pub fn size(&self) -> usize {
        let of = |setting: &PolicySetting| setting.data.as_ref().map_or(0, |data| data.bytes.len());
        let of = |store: &StoreFacts| match &store.found {
            Answer::Present(settings) => settings.iter().map(of).sum(),
            Answer::Absent | Answer::Unread(_) => 0,
        };
        self.stores.iter().map(of).sum()
    }

    /// Returns the queried values for which these facts contain answers.
    pub(super) fn asked(&self) -> impl Iterator<Item = (&Key, &ValueName)> {
        self.asked.iter().flat_map(|(key, names)| names.iter().map(move |name| (key, name)))
    }
}

/// Returns the setting for the value from `settings`, which are sorted by key and name; `None` if there is none.
pub(super) fn setting<'a>(settings: &'a [PolicySetting], key: &Key, name: &ValueName) -> Option<&'a PolicySetting> {
    settings.binary_search_by(|one| one.place().cmp(&(key, name))).ok().map(|at| &settings[at])
}

fn contains(values: &Values, key: &Key, name: &ValueName) -> bool {
    values.get(key).is_some_and(|names| names.contains(name))
}

fn add_values(values: &mut Values, more: Values) {
    for (key, names) in more {
        values.entry(key).or_default().extend(names);
    }
}
