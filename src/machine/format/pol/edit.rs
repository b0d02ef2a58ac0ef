//! Edits a policy file. Only the entries of the edited key or value change; new entries are usually added at the end.

use super::{
    document::{Document, Position},
    entry::{DELETE, Entry, Instruction, Raw, is_reserved, meaning},
    state::Setting,
};
use crate::registry::{Data, KeyPath, ValueName, ValueType};

/// The largest data of an entry, in bytes (\[MS-GPREG\] 2.2.1).
const MAX_DATA: usize = 65_535;
/// The longest value name of an entry, including an instruction such as `**del.`, in UTF-16 units (\[MS-GPREG\] 2.2.1).
const MAX_NAME: usize = 259;

/// The reason why a policy file cannot contain a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Group Policy does not set data of this type.
    #[error(
        "a policy file cannot contain the type {0}; Group Policy only sets REG_SZ, REG_EXPAND_SZ, REG_BINARY, REG_DWORD, REG_DWORD_BIG_ENDIAN, REG_MULTI_SZ and REG_QWORD"
    )]
    Type(ValueType),
    /// The data is longer than the data of an entry can be.
    #[error("a policy file cannot contain data of {0} bytes; the limit is {MAX_DATA} bytes")]
    DataTooLong(usize),
    /// The value name is too long for an entry. The length includes an instruction such as `**del.`.
    #[error(
        "a policy file cannot contain a value name of {0} UTF-16 units, counted with `**del.` if the value is to be deleted; the limit is {MAX_NAME} units"
    )]
    NameTooLong(usize),
    /// Windows would read the value name as an instruction.
    #[error(
        "a policy file cannot contain a value name that begins with `**`, because Windows reads such a name as an instruction"
    )]
    Reserved,
    /// The key is a root key, its path is not valid in a policy file, or the key to delete is directly below a root
    /// key.
    #[error("a policy file cannot change the key {0}: {1}")]
    Key(KeyPath, String),
    /// A policy file cannot delete the key, because its name contains `;`, or begins or ends with a space. The entry
    /// `**DeleteKeys` contains a list of names, in which Windows reads `;` as a separator and ignores outer spaces.
    #[error("a policy file cannot delete the key {0}, because its name contains `;`, or begins or ends with a space")]
    DeletedName(KeyPath),
    /// An entry deletes the key or all its values, so a single value of the key cannot become "not configured".
    #[error(
        "an entry of the policy file deletes the key {0} or all its values, so no value of this key can be \"not configured\""
    )]
    DeletesAll(KeyPath),
}

impl Document {
    /// Edits the policy file so that Windows will set this value to `data` when it processes the file.
    ///
    /// The entry that decides the value is replaced, and keeps the spelling of its key and value name. A new entry is
    /// added at the end instead if no entry decides the value, if the entry also concerns other values, or if a later
    /// entry for the value could change the effect. Nothing is changed if the file already sets the value to `data`.
    ///
    /// # Errors
    ///
    /// Returns [`EditError`]; nothing is changed then.
    pub fn set(&mut self, key: &KeyPath, name: &ValueName, data: &Data) -> Result<(), EditError> {
        const TYPES: [ValueType; 7] = [
            ValueType::SZ,
            ValueType::EXPAND_SZ,
            ValueType::BINARY,
            ValueType::DWORD,
            ValueType::DWORD_BIG_ENDIAN,
            ValueType::MULTI_SZ,
            ValueType::QWORD,
        ];
        if !TYPES.contains(&data.value_type) {
            return Err(EditError::Type(data.value_type));
        }
        if data.bytes.len() > MAX_DATA {
            return Err(EditError::DataTooLong(data.bytes.len()));
        }
        let setting = self.value(key, name);
        if setting == Setting::Data(data) {
            return Ok(());
        }
        // If an entry already sets the value, a later `**soft.` entry has no effect, before and after the edit.
        let in_place = matches!(setting, Setting::Data(_));
        self.put(key, name, "", data, in_place)
    }

    /// Makes Windows delete a value: writes an entry `**del.NAME`, or, if another entry deletes all values of the key,
    /// only removes the entries that set this value. Changes nothing if the file already deletes the value.
    ///
    /// # Errors
    ///
    /// Returns [`EditError`]; nothing is changed then.
    pub fn delete(&mut self, key: &KeyPath, name: &ValueName) -> Result<(), EditError> {
        if self.value(key, name) == Setting::Deleted {
            return Ok(());
        }
        // If an earlier entry deletes all values of the key, it is enough that no later entry sets this value.
        if self.is_cleared(key) {
            return self.remove(key, name);
        }
        // The data has no meaning. The Group Policy editor writes a space.
        self.put(key, name, DELETE, &Data::sz(" "), false)
    }

    /// Removes all settings of a value, so that Group Policy leaves the value as it is.
    ///
    /// # Errors
    ///
    /// Returns [`EditError::DeletesAll`] if an entry deletes the key or all its values; nothing is changed then.
    pub fn forget(&mut self, key: &KeyPath, name: &ValueName) -> Result<(), EditError> {
        if self.is_cleared(key) {
            return Err(EditError::DeletesAll(key.clone()));
        }
        self.remove(key, name)
    }

    /// Makes Windows delete all values of a key (`**DelVals.`) before it sets the values that other entries contain.
    /// Changes nothing if an entry already deletes all values of the key.
    ///
    /// # Errors
    ///
    /// Returns [`EditError`]; nothing is changed then.
    pub fn delete_all_values(&mut self, key: &KeyPath) -> Result<(), EditError> {
        if self.is_cleared(key) {
            return Ok(());
        }
        let first = self.entries_of(key).next();
        let spelled = first.and_then(|at| Some(self.at(at)?.key().ok()?.clone()));
        let spelled = spelled.as_ref().unwrap_or(key).below_root();
        let entry = new_entry(key, spelled, "**DelVals.", &Data::sz(" "))?;
        match first {
            Some(at) => self.insert_clear(key, at, entry),
            None => self.push(entry),
        }
        Ok(())
    }

    /// Removes the entries that delete all values of a key (`**DelVals.`), so that Windows keeps the values that no
    /// entry mentions. Also removes the entries for values before the last of these entries: they have no effect.
    ///
    /// # Errors
    ///
    /// Returns [`EditError::DeletesAll`] if an entry deletes the key, or a key above it; nothing is changed then.
    pub fn keep_other_values(&mut self, key: &KeyPath) -> Result<(), EditError> {
        if self.state(key).key_deleted {
            return Err(EditError::DeletesAll(key.clone()));
        }
        let is_one = |at: &Position| matches!(self.instruction(*at), Some(Instruction::DeleteAllValues));
        let Some(last) = self.entries_of(key).rfind(is_one) else { return Ok(()) };
        let void = |at: &Position| {
            *at <= last
                && !matches!(
                    self.instruction(*at),
                    Some(
                        Instruction::CreateKey
                            | Instruction::SecureKey
                            | Instruction::Unknown(_)
                            | Instruction::Comment(_)
                            | Instruction::DeleteKeys(_)
                    )
                )
        };
        let gone: Vec<Position> = self.entries_of(key).filter(void).collect();
        gone.into_iter().for_each(|at| self.remove_at(at));
        Ok(())
    }

    /// Makes Windows create a key, unless another entry already has this effect.
    ///
    /// # Errors
    ///
    /// Returns [`EditError`]; nothing is changed then.
    pub fn create_key(&mut self, key: &KeyPath) -> Result<(), EditError> {
        if !self.key(key).present {
            let entry = new_entry(key, key.below_root(), "", &Data::new(ValueType::NONE, []))?;
            self.push(entry);
        }
        Ok(())
    }

    /// Makes Windows delete a key with everything below it (`**DeleteKeys`), after it has processed the other entries.
    /// Changes nothing if the file already has this effect.
    ///
    /// # Errors
    ///
    /// Returns [`EditError`]; nothing is changed then.
    pub fn delete_key(&mut self, key: &KeyPath) -> Result<(), EditError> {
        let setting = self.key(key);
        if setting.key_deleted && !setting.present {
            return Ok(());
        }
        let root_key = || {
            EditError::Key(key.clone(), "a root key, or a key directly below a root key, cannot be deleted".to_owned())
        };
        let (parent, name) = key.parent().zip(key.last()).ok_or_else(root_key)?;
        if parent.below_root().is_empty() {
            return Err(root_key());
        }
        // Windows reads a list of names here, and ignores the spaces around each name.
        if name.contains(';') || name.trim_matches(' ') != name {
            return Err(EditError::DeletedName(key.clone()));
        }
        let entry = new_entry(&parent, parent.below_root(), "**DeleteKeys", &Data::sz(name))?;
        self.push(entry);
        Ok(())
    }

    /// Removes all entries that set a value in a key, or create the key. The entries of keys below it stay.
    pub fn forget_key(&mut self, key: &KeyPath) {
        let sets = |at: &Position| {
            matches!(
                self.instruction(*at),
                Some(Instruction::CreateKey | Instruction::Set { .. } | Instruction::Soft { .. })
            )
        };
        let gone: Vec<Position> = self.entries_of(key).filter(sets).collect();
        gone.into_iter().for_each(|at| self.remove_at(at));
    }

    fn instruction(&self, at: Position) -> Option<&Instruction> {
        self.at(at)?.instruction().ok()
    }

    /// Removes the entries of a value. From an entry that deletes several values, removes only the name of this value.
    /// Returns an error if the rest of such an entry cannot be written; nothing is changed then.
    fn remove(&mut self, key: &KeyPath, name: &ValueName) -> Result<(), EditError> {
        let edit = |at| {
            let left = match self.at(at).map(|entry| &entry.meaning) {
                Some(Ok((key, Instruction::DeleteValues(names)))) if names.iter().any(|other| other != name) => {
                    let left: Vec<&str> = names.iter().filter(|other| *other != name).map(ValueName::as_str).collect();
                    let data = Data::sz(&left.join(";"));
                    Some(new_entry(key, key.below_root(), "**DeleteValues", &data)?)
                }
                _ => None,
            };
            Ok((at, left))
        };
        // All new entries are made before the first edit, so that an error changes nothing.
        let edits = self.concerned(key, name).map(edit).collect::<Result<Vec<_>, EditError>>()?;
        for (at, left) in edits {
            match left {
                Some(entry) => self.replace_at(at, entry),
                None => self.remove_at(at),
            }
        }
        Ok(())
    }

    /// Writes the entry that decides a value: replaces the present one if it is for this value alone, otherwise adds
    /// one at the end. `prefix` is the instruction before the value name, such as `**del.`, or empty. If later entries
    /// contain the value name, the present one is replaced only if `in_place` is true.
    fn put(
        &mut self,
        key: &KeyPath,
        name: &ValueName,
        prefix: &str,
        data: &Data,
        in_place: bool,
    ) -> Result<(), EditError> {
        if is_reserved(name.as_str()) {
            return Err(EditError::Reserved);
        }
        let decides = self.state_of(key, name).values.get(name).map(|state| state.at);
        // A later entry could change the effect of a new entry in this place.
        let place = decides.filter(|at| in_place || self.concerned(key, name).next_back() == Some(*at));
        let found = place.and_then(|at| Some((at, self.spelling(at)?)));
        let (spelled_key, spelled_name) = match &found {
            Some((_, (key, name))) => (key.below_root(), name.as_str()),
            None => (key.below_root(), name.as_str()),
        };
        let entry = new_entry(key, spelled_key, &format!("{prefix}{spelled_name}"), data)?;
        match found {
            Some((at, _)) => self.replace_at(at, entry),
            None => self.push(entry),
        }
        Ok(())
    }

    /// Returns the positions of the entries that set this value, or delete it by its name, in file order.
    fn concerned(&self, key: &KeyPath, name: &ValueName) -> impl DoubleEndedIterator<Item = Position> {
        let is_it = move |at: &Position| match self.instruction(*at) {
            Some(
                Instruction::Set { name: other, .. }
                | Instruction::Soft { name: other, .. }
                | Instruction::Delete(other),
            ) => other == name,
            Some(Instruction::DeleteValues(names)) => names.contains(name),
            _ => false,
        };
        self.entries_of_value(key, name).iter().copied().filter(is_it)
    }

    /// Returns the key and the value name as an entry spells them; `None` for an entry that does not concern a single
    /// value.
    fn spelling(&self, at: Position) -> Option<(KeyPath, ValueName)> {
        match self.at(at)?.meaning.as_ref().ok()? {
            (key, Instruction::Set { name, .. } | Instruction::Soft { name, .. } | Instruction::Delete(name)) => {
                Some((key.clone(), name.clone()))
            }
            _ => None,
        }
    }
}

/// Returns a new entry. `spelled` is the path of `key` below its root key, in the spelling to write, and `name` is the
/// value name after its instruction, if any. Returns an error if the path or the name is not valid, or the name is too
/// long.
fn new_entry(key: &KeyPath, spelled: &str, name: &str, data: &Data) -> Result<Entry, EditError> {
    let length = name.encode_utf16().count();
    if length > MAX_NAME {
        return Err(EditError::NameTooLong(length));
    }
    let meaning = meaning(key.root(), spelled, name, data.clone()).map_err(|why| EditError::Key(key.clone(), why))?;
    let mut bytes = Vec::new();
    let mut text = |text: &str| bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    text("[");
    text(spelled);
    text("\0;");
    text(name);
    text("\0;");
    bytes.extend(data.value_type.0.to_le_bytes());
    bytes.extend([b';', 0]);
    bytes.extend((data.bytes.len() as u32).to_le_bytes());
    bytes.extend([b';', 0]);
    bytes.extend(&data.bytes);
    bytes.extend([b']', 0]);
    Ok(Entry { raw: Raw::New(bytes), meaning: Ok(meaning) })
}
