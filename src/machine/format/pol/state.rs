//! Determines the effect of a policy file on a key and its values, which depends on the order of the entries.

use std::collections::BTreeMap;

use super::{
    document::{Document, Position},
    entry::Instruction,
};
use crate::registry::{Data, KeyPath, ValueName};

/// The effect of a policy file on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting<'a> {
    /// The value gets this data.
    Data(&'a Data),
    /// The value gets this data if it is absent; otherwise it stays as it is.
    Soft(&'a Data),
    /// The value is deleted.
    Deleted,
    /// The policy file does not change the value.
    Nothing,
}

/// The effect of a policy file on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeySetting {
    /// Whether the file makes sure that the key exists: an entry creates it, or sets a value in it or below it, and no
    /// later entry deletes it.
    pub present: bool,
    /// Whether Windows deletes all values of the key except those that a later entry sets.
    pub values_deleted: bool,
    /// Whether Windows deletes the key, or a key above it. If `present` is also true, Windows creates the key again.
    pub key_deleted: bool,
}

/// The effect of the entries that were processed so far on one value.
#[derive(Debug, Clone, Copy)]
pub(super) struct ValueState<'a> {
    pub(super) setting: Setting<'a>,
    /// The position of the entry that determines the effect.
    pub(super) at: Position,
}

/// The effect of the entries that were processed so far on one key and its values.
#[derive(Debug, Default)]
pub(super) struct KeyState<'a> {
    pub(super) values: BTreeMap<&'a ValueName, ValueState<'a>>,
    /// Whether an entry deletes all values of the key that are not in `values`.
    pub(super) deleted: bool,
    pub(super) key_deleted: bool,
    present: bool,
}

impl<'a> KeyState<'a> {
    fn apply(&mut self, at: Position, instruction: &'a Instruction) {
        match instruction {
            Instruction::Set { name, data } => self.put(at, name, Setting::Data(data)),
            Instruction::Soft { name, data } => match self.setting(name) {
                Setting::Nothing => self.put(at, name, Setting::Soft(data)),
                Setting::Deleted => self.put(at, name, Setting::Data(data)),
                Setting::Data(_) | Setting::Soft(_) => {}
            },
            Instruction::Delete(name) => self.put(at, name, Setting::Deleted),
            Instruction::DeleteValues(names) => names.iter().for_each(|name| self.put(at, name, Setting::Deleted)),
            Instruction::DeleteAllValues => {
                self.values.clear();
                self.deleted = true;
            }
            Instruction::CreateKey => self.present = true,
            Instruction::DeleteKeys(_) | Instruction::SecureKey | Instruction::Unknown(_) | Instruction::Comment(_) => {
            }
        }
        self.present |= matches!(instruction, Instruction::Set { .. } | Instruction::Soft { .. });
    }

    fn put(&mut self, at: Position, name: &'a ValueName, setting: Setting<'a>) {
        self.values.insert(name, ValueState { setting, at });
    }

    pub(super) fn setting(&self, name: &ValueName) -> Setting<'a> {
        match self.values.get(name) {
            Some(state) => state.setting,
            None if self.deleted => Setting::Deleted,
            None => Setting::Nothing,
        }
    }
}

impl Document {
    /// Returns the effect of the policy file on a value.
    pub fn value(&self, key: &KeyPath, name: &ValueName) -> Setting<'_> {
        self.state_of(key, name).setting(name)
    }

    /// Returns the effect on each value of a key for which an entry contains the name. If entries delete the key or all
    /// its values, only the entries after the last of them count; [`KeySetting::values_deleted`] is then true.
    pub fn values(&self, key: &KeyPath) -> BTreeMap<&ValueName, Setting<'_>> {
        self.state(key).values.into_iter().map(|(name, state)| (name, state.setting)).collect()
    }

    /// Returns the effect of the policy file on a key.
    pub fn key(&self, key: &KeyPath) -> KeySetting {
        let state = self.state(key);
        let present = state.present || self.keys_below(key).any(|below| self.state(below).present);
        KeySetting { present, values_deleted: state.deleted, key_deleted: state.key_deleted }
    }

    /// Returns the reason why kbfix cannot read an entry, with the entry's position; `None` if it can read all entries.
    ///
    /// An unreadable entry can concern any value, so the effect of the file on each value is unknown.
    pub fn unreadable(&self) -> Option<&str> {
        self.entries().find_map(|entry| entry.instruction().err())
    }

    pub(super) fn state(&self, key: &KeyPath) -> KeyState<'_> {
        self.state_after(key, self.entries_of(key))
    }

    /// Returns the effect on the value `name` of a key. What the result contains for other values of the key is
    /// incomplete.
    pub(super) fn state_of(&self, key: &KeyPath, name: &ValueName) -> KeyState<'_> {
        let mut positions = [self.entries_of_value(key, name), self.clears(key)].concat();
        positions.sort_unstable();
        self.state_after(key, positions.into_iter())
    }

    /// Returns whether an entry deletes all values of a key, or the key with them, or a key above it. A later entry can
    /// set some of the values again.
    pub(super) fn is_cleared(&self, key: &KeyPath) -> bool {
        self.state_after(key, self.clears(key).iter().copied()).deleted
    }

    /// Returns the effect of the entries at these positions on a key.
    fn state_after(&self, key: &KeyPath, positions: impl Iterator<Item = Position>) -> KeyState<'_> {
        let deletion = self.last_deletion(key);
        let mut state =
            KeyState { deleted: deletion.is_some(), key_deleted: deletion.is_some(), ..KeyState::default() };
        for at in positions.filter(|at| deletion.is_none_or(|deletion| *at > deletion)) {
            if let Some(Ok((_, instruction))) = self.at(at).map(|entry| entry.meaning.as_ref()) {
                state.apply(at, instruction);
            }
        }
        state
    }

    /// Returns the position of the last entry that deletes the key, or a key above it; `None` if there is no such
    /// entry.
    fn last_deletion(&self, key: &KeyPath) -> Option<Position> {
        let deletes = |at: &Position| match self.at(*at).map(|entry| &entry.meaning) {
            Some(Ok((_, Instruction::DeleteKeys(keys)))) => keys.iter().any(|deleted| key.is_within(deleted)),
            _ => false,
        };
        self.deletions.iter().rev().copied().find(deletes)
    }
}
