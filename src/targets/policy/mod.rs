//! Policy stores: the files in which Group Policy keeps the registry values that it sets.
//!
//! Group Policy writes these values again at each refresh, so a change of one of them does not last. The stores are
//! files of the machine, so that they can be read where Windows is not running.
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

use crate::registry::{Data, Key, RootKey, ValueName, sid};

use super::{Answer, Unread};
pub(super) use places::Place;
pub(super) use read::{Stores, read};

/// Values, by key.
pub type Values = BTreeMap<Key, BTreeSet<ValueName>>;

/// The part of the registry that a policy store is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyScope {
    /// `HKLM`.
    Machine,
    /// The hive of the user with this SID.
    User(String),
}

impl PolicyScope {
    /// Returns the scope of a key; `None` where Group Policy sets no values, as in the hives of services.
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

/// The kinds of policy store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyStore {
    /// The local GPO: `Registry.pol` in `%SystemRoot%\System32\GroupPolicy`.
    Local,
    /// The local GPO of all users who are not administrators, in `%SystemRoot%\System32\GroupPolicyUsers`.
    NonAdministrators,
    /// The local GPO of all administrators.
    Administrators,
    /// The local GPO of this user.
    User,
    /// `ntuser.pol`: what Group Policy wrote last, of all GPOs together.
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
    /// Returns whether the store is for members of a group only, so that it need not be for a user.
    pub fn is_of_a_group(self) -> bool {
        matches!(self, Self::NonAdministrators | Self::Administrators)
    }
}

/// What a policy does with a value at each refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyEffect {
    /// It writes the data.
    Set,
    /// It writes the data where the value is absent (`**soft.`).
    SetIfAbsent,
    /// It deletes the value (`**del.`, `**DelVals.` and their kin).
    Delete,
}

/// What a store says about a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySetting {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// The value name.
    pub name: ValueName,
    /// What the policy does.
    pub effect: PolicyEffect,
    /// The data that it writes; missing where it deletes the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The name of the GPO, where `ntuser.pol` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpo: Option<String>,
    /// Whether the data is shown to nobody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

impl PolicySetting {
    fn place(&self) -> (&Key, &ValueName) {
        (&self.key, &self.name)
    }

    /// Returns whether both do the same; the GPO does not matter.
    pub(super) fn does_as(&self, other: &Self) -> bool {
        (self.effect, &self.data) == (other.effect, &other.data)
    }
}

/// What one store says about the values that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreFacts {
    /// The kind of store.
    pub store: PolicyStore,
    /// The path of its file on the machine.
    pub path: String,
    /// The settings of values that were asked for, ordered by key and name; absent where there is no such file.
    pub found: Answer<Vec<PolicySetting>>,
}

/// What the stores of one scope say about the values that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFacts {
    /// Whom the stores are for.
    pub scope: PolicyScope,
    /// The values that were asked for.
    #[serde(with = "asked")]
    #[schemars(with = "Vec<asked::Entry>")]
    pub(super) asked: Values,
    /// The values that were asked for of a snapshot that does not cover them.
    #[serde(default, with = "asked", skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "Vec<asked::Entry>")]
    pub(super) uncovered: Values,
    /// The stores, each once.
    pub stores: Vec<StoreFacts>,
}

/// A question about values of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyQuery {
    /// Whose stores are read.
    pub scope: PolicyScope,
    /// The values, each in a key of the scope, with the key's one name.
    pub values: Values,
}

/// What a store says about one value, or why it could not be read. A store that says nothing has no such answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreAnswer<'a> {
    /// The store.
    pub store: &'a StoreFacts,
    /// Its setting, or why it could not be read.
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
    /// Returns the answers to a question of which nothing is covered.
    pub(super) fn not_covered(query: PolicyQuery) -> Self {
        Self { scope: query.scope, asked: Values::new(), uncovered: query.values, stores: Vec::new() }
    }

    /// Returns whether the value was asked for.
    fn has_asked(&self, key: &Key, name: &ValueName) -> bool {
        contains(&self.asked, key, name)
    }

    /// Returns what each store that says something, or could not be read, says about the value; `None` where it was not
    /// asked for, and an error where a snapshot does not cover it.
    pub(super) fn answers(&self, key: &Key, name: &ValueName) -> Option<Result<Vec<StoreAnswer<'_>>, ()>> {
        if !self.has_asked(key, name) {
            return contains(&self.uncovered, key, name).then_some(Err(()));
        }
        Some(Ok(self.stores.iter().filter_map(|store| store.answer(key, name)).collect()))
    }

    /// Adds the answers to a further question.
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

    /// Marks the data of a value as sensitive.
    pub(super) fn hide(&mut self, key: &Key, name: &ValueName) {
        for store in &mut self.stores {
            if let Answer::Present(settings) = &mut store.found
                && let Ok(at) = settings.binary_search_by(|one| one.place().cmp(&(key, name)))
            {
                settings[at].sensitive = true;
            }
        }
    }

    /// Returns the part of these facts that answers the question.
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

    /// Returns the question that these facts answer.
    pub(super) fn question(&self) -> PolicyQuery {
        let mut values = self.asked.clone();
        add_values(&mut values, self.uncovered.clone());
        PolicyQuery { scope: self.scope.clone(), values }
    }

    /// Returns a message if the facts were not written like this.
    pub(super) fn fault(&self) -> Option<String> {
        let is_sorted = |settings: &Vec<PolicySetting>| settings.is_sorted_by(|a, b| a.place() < b.place());
        let mut kinds = BTreeSet::new();
        self.stores.iter().find_map(|store| match &store.found {
            _ if !kinds.insert(store.store) => Some(format!("{} is given twice", store.path)),
            Answer::Present(settings) if !is_sorted(settings) => {
                Some(format!("the settings of {} are not in their order, or one is given twice", store.path))
            }
            _ => None,
        })
    }

    /// Returns how many bytes of data the stores set.
    pub fn size(&self) -> usize {
        let of = |setting: &PolicySetting| setting.data.as_ref().map_or(0, |data| data.bytes.len());
        let of = |store: &StoreFacts| match &store.found {
            Answer::Present(settings) => settings.iter().map(of).sum(),
            Answer::Absent | Answer::Unread(_) => 0,
        };
        self.stores.iter().map(of).sum()
    }

    /// Returns the values that were asked for.
    pub(super) fn asked(&self) -> impl Iterator<Item = (&Key, &ValueName)> {
        self.asked.iter().flat_map(|(key, names)| names.iter().map(move |name| (key, name)))
    }
}

/// Returns the setting of the value in an ordered list.
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
