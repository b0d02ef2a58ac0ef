//! Determines the settings of a policy store for values. They depend on the order of the entries in the store's file.

use std::collections::BTreeMap;

use crate::{
    format::pol::{Document, Instruction},
    registry::{Data, Key, KeyPath, RootKey, ValueName},
    small_map::SmallSet,
    targets::{Answer, Reason},
};

use super::{PolicyEffect, PolicyQuery, PolicyScope, PolicySetting};

/// The beginning of the comment that precedes the entries of each GPO in `ntuser.pol`, as Microsoft's regview shows it.
const GPO_NAME: &str = "GPO Name: ";

/// The entries of a policy store.
pub(super) struct Entries(Document);

impl Entries {
    /// Parses the bytes of the policy store at `path`. If the file or one of its entries is not valid, the answer about
    /// the store is malformed, because the entry may concern any value.
    pub(super) fn parse(path: &str, scope: &PolicyScope, bytes: Vec<u8>) -> Answer<Self> {
        let root = match scope {
            PolicyScope::Machine => RootKey::Hklm,
            PolicyScope::User(_) => RootKey::Hkcu,
        };
        let malformed = |why: &dyn std::fmt::Display| Answer::unread(Reason::Malformed, format!("{path}: {why}"));
        match Document::parse(bytes, root) {
            Err(error) => malformed(&error),
            Ok(document) => match document.unreadable() {
                Some(why) => malformed(&why),
                None => Answer::Present(Self(document)),
            },
        }
    }
}

/// Returns the settings of a policy store for the queried values, sorted by key and name.
pub(super) fn settings(entries: &Entries, query: &PolicyQuery) -> Vec<PolicySetting> {
    let mut found = Found { query, settings: BTreeMap::new(), gpo: None };
    for entry in entries.0.entries() {
        let (Ok(path), Ok(instruction)) = (entry.key(), entry.instruction()) else { continue };
        if let Instruction::Comment(text) = instruction {
            if let Some(name) = text.strip_prefix(GPO_NAME) {
                found.gpo = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
            }
            continue;
        }
        if let Some(key) = one_name(&query.scope, path) {
            found.carry_out(&key, instruction);
        }
    }
    found.settings.into_values().collect()
}

/// Returns the canonical name that the key `path` of a policy store has in the registry; `None` if this name is not a
/// valid path. In the policy store of a user, the key becomes a key of the user's hive below HKU.
fn one_name(scope: &PolicyScope, path: &KeyPath) -> Option<Key> {
    let path = match scope {
        PolicyScope::Machine => path.clone(),
        PolicyScope::User(sid) => KeyPath::from_parts(RootKey::Hku, &format!("{sid}\\{}", path.below_root())).ok()?,
    };
    Some(Key::new(path).one_name(false))
}

/// The settings that the entries processed so far contain.
struct Found<'a> {
    query: &'a PolicyQuery,
    settings: BTreeMap<(&'a Key, &'a ValueName), PolicySetting>,
    /// The name of the GPO to which the next entries belong.
    gpo: Option<String>,
}

impl<'a> Found<'a> {
    fn carry_out(&mut self, key: &Key, instruction: &Instruction) {
        if let Instruction::DeleteKeys(keys) = instruction {
            return keys.iter().for_each(|path| self.delete_key(path));
        }
        let Some((key, names)) = self.query.values.get_key_value(key) else { return };
        match instruction {
            Instruction::Set { name, data } => self.put(key, names, name, PolicyEffect::Set, Some(data)),
            Instruction::Soft { name, data } => {
                let known = names.get(name).and_then(|name| self.settings.get(&(key, name))).map(|known| known.effect);
                match known {
                    None => self.put(key, names, name, PolicyEffect::SetIfAbsent, Some(data)),
                    // An earlier entry made the value absent.
                    Some(PolicyEffect::Delete) => self.put(key, names, name, PolicyEffect::Set, Some(data)),
                    Some(PolicyEffect::Set | PolicyEffect::SetIfAbsent) => {}
                }
            }
            Instruction::Delete(name) => self.put(key, names, name, PolicyEffect::Delete, None),
            Instruction::DeleteValues(deleted) => {
                deleted.iter().for_each(|name| self.put(key, names, name, PolicyEffect::Delete, None));
            }
            Instruction::DeleteAllValues => {
                names.iter().for_each(|name| self.put(key, names, name, PolicyEffect::Delete, None));
            }
            Instruction::DeleteKeys(_)
            | Instruction::CreateKey
            | Instruction::SecureKey
            | Instruction::Unknown(_)
            | Instruction::Comment(_) => {}
        }
    }

    fn delete_key(&mut self, path: &KeyPath) {
        let query = self.query;
        let Some(deleted) = one_name(&query.scope, path) else { return };
        let is_in = |key: &Key| key.view == deleted.view && key.path.is_within(&deleted.path);
        for (key, names) in query.values.iter().filter(|(key, _)| is_in(key)) {
            names.iter().for_each(|name| self.put(key, names, name, PolicyEffect::Delete, None));
        }
    }

    fn put(
        &mut self,
        key: &'a Key,
        names: &'a SmallSet<ValueName>,
        name: &ValueName,
        effect: PolicyEffect,
        data: Option<&Data>,
    ) {
        let Some(asked) = names.get(name) else { return };
        let gpo = self.gpo.clone();
        let setting =
            PolicySetting { key: key.clone(), name: name.clone(), effect, data: data.cloned(), gpo, sensitive: false };
        self.settings.insert((key, asked), setting);
    }
}
