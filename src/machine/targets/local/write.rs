//! Makes changes to the live registry. Before each change, kbfix checks that the present state is the `before` of the
//! change.

use std::collections::{BTreeMap, BTreeSet};

use windows_registry::Key as Handle;
use windows_sys::Win32::{
    Storage::FileSystem::DELETE,
    System::Registry::{KEY_CREATE_SUB_KEY, KEY_QUERY_VALUE, KEY_SET_VALUE},
};

use crate::{
    diag::number_of,
    registry::{Data, Key, KeyPath, SecurityDescriptor, notation},
    targets::{Answer, ChangeAction, KeyChange, ValueChange, WriteError},
};

use super::{
    error::Code,
    place::{self, Opened},
    properties, raw, read, view_flag,
};

/// The number of bytes that a message shows of long data.
const SHOWN_BYTES: usize = 64;

/// Makes the changes in their order, and writes the changed hives to disk. Adds each change that was begun to `begun`,
/// even if it failed.
pub(super) fn key_changes<'a>(
    changes: &[&'a KeyChange],
    buffer: &mut raw::Buffer,
    begun: &mut Vec<&'a KeyChange>,
) -> Result<(), WriteError> {
    let mut writer = Writer { buffer, unsecured: Unsecured::default(), parent: None, flush: Flush::default() };
    for change in changes {
        writer.unsecured.finish_before(Some(&change.key))?;
        let mut is_begun = false;
        let written = writer.key_change(change, &mut is_begun);
        if is_begun || written.is_ok() {
            begun.push(change);
        }
        written?;
    }
    writer.unsecured.finish_before(None)?;
    writer.flush.all()
}

/// What the changes that are made together share: a buffer, an open parent key, the security descriptors that are not
/// set yet, and the hives that must be written to disk at the end.
struct Writer<'b> {
    buffer: &'b mut raw::Buffer,
    unsecured: Unsecured,
    /// The key in which the last subkey was created. It stays open, because the next key is often created in the same
    /// key.
    parent: Option<(Key, Opened)>,
    flush: Flush,
}

impl Writer<'_> {
    /// Makes one change, after checking that the present state matches the `before` of the change. Sets `begun` to true
    /// if a part of the change may have been made although an error is returned.
    fn key_change(&mut self, change: &KeyChange, begun: &mut bool) -> Result<(), WriteError> {
        match change.action {
            ChangeAction::Create => self.create(change, begun),
            ChangeAction::Update => {
                let key = lasting(&change.key, KEY_QUERY_VALUE | KEY_SET_VALUE)?;
                compare_values(change, &key.handle, self.buffer)?;
                *begun = true;
                self.flush.note(&change.key, key.hive.as_ref());
                write_values(change, &key.handle)
            }
            ChangeAction::Delete => {
                let hive = delete(change, self.buffer)?;
                self.flush.note(&change.key, hive.as_ref());
                Ok(())
            }
        }
    }

    fn create(&mut self, change: &KeyChange, begun: &mut bool) -> Result<(), WriteError> {
        let above = parent_of(&change.key)?;
        let parent = match self.parent.take() {
            Some((key, opened)) if key == above => opened,
            _ => lasting(&above, KEY_CREATE_SUB_KEY)?,
        };
        let stored = change.key.stored();
        let name = stored.last().unwrap_or_default();
        let place = || change.key.to_string();
        let before = change.properties.as_ref();
        let access = KEY_QUERY_VALUE | KEY_SET_VALUE | view_flag(above.view);
        let access = if before.is_some() { access | properties::WRITE } else { access };
        let class = before.and_then(|before| before.class.as_deref());
        let (key, created) = raw::create_subkey(&parent.handle, name, class, access)
            .map_err(|code| failed(code, place(), "a parent that is present"))?;
        if !created {
            return Err(stale(place(), "absent", "present"));
        }
        *begun = true;
        // A key below a root key can be a hive itself, but no change creates such a key.
        self.flush.note(&change.key, parent.hive.as_ref());
        self.parent = Some((above, parent));
        write_values(change, &key)?;
        self.unsecured.0.extend(before.map(|before| (change.key.clone(), key, before.security.clone())));
        Ok(())
    }
}

/// Returns an error if a change is in or below a volatile key, because it would be lost at the next restart.
pub(super) fn refuse_volatile<'a>(changes: impl IntoIterator<Item = &'a KeyChange>) -> Result<(), WriteError> {
    let mut created = BTreeSet::new();
    for change in changes {
        let asked = match change.action {
            ChangeAction::Create => {
                created.insert(&change.key);
                change.key.parent().filter(|parent| !created.contains(parent))
            }
            ChangeAction::Update | ChangeAction::Delete => Some(change.key.clone()),
        };
        // Any other obstacle shows only when the change is made.
        if let Some(key) = asked
            && let Ok(opened) = place::open(&key, KEY_QUERY_VALUE)
            && raw::is_volatile(&opened.handle)
        {
            return Err(WriteError::Unsupported {
                place: change.key.to_string(),
                detail: place::volatile(&key).detail.to_string(),
            });
        }
    }
    Ok(())
}

/// Keys that were created, but whose security descriptors are not set yet.
///
/// A descriptor can forbid creating subkeys. Therefore it is set after the subkeys are created, the lowest key first.
#[derive(Default)]
struct Unsecured(Vec<(Key, Handle, SecurityDescriptor)>);

impl Unsecured {
    /// Sets the descriptors of all recorded keys except the ancestors of `next`. `next` is the key of the change that
    /// the caller makes next. `None` means that no change follows: the descriptors of all recorded keys are then set.
    fn finish_before(&mut self, next: Option<&Key>) -> Result<(), WriteError> {
        let is_above = |key: &Key| next.is_some_and(|next| next.view == key.view && next.path.is_within(&key.path));
        while let Some((key, handle, security)) = self.0.pop_if(|(key, ..)| !is_above(key)) {
            properties::set_security(&handle, &security)
                .map_err(|code| code.write_error(format!("{key}, its security descriptor")))?;
        }
        Ok(())
    }
}

/// The changed hives, which must be written to disk: the key at which each is loaded, and one of its changed keys.
///
/// Windows writes a hive to disk some seconds after a change. If the power failed before that, the changes would be
/// lost, although the journal on disk says that they were made.
///
/// Source: Microsoft, "RegFlushKey function".
#[derive(Default)]
struct Flush(BTreeMap<KeyPath, Key>);

impl Flush {
    /// Records the hive of a changed key. If `hive` is `None`, the hive is not known: kbfix then assumes that keys with
    /// the same root key and the same first three names below it are in one hive.
    fn note(&mut self, key: &Key, hive: Option<&KeyPath>) {
        let group = || {
            let names: Vec<&str> = key.path.names().take(3).collect();
            KeyPath::from_parts(key.path.root(), &names.join("\\")).ok()
        };
        if let Some(hive) = hive.cloned().or_else(group) {
            self.0.entry(hive).or_insert_with(|| key.clone());
        }
    }

    /// Asks Windows to write each hive that [`Flush::note`] recorded to disk. Returns after the writes are complete, or
    /// at the first error.
    fn all(self) -> Result<(), WriteError> {
        for key in self.0.into_values() {
            // A deleted key cannot be opened; it was in the same hive as its parent key.
            let mut above =
                std::iter::successors(Some(key.clone()), Key::parent).filter(|key| key.path.parent().is_some());
            let Some(opened) = above.find_map(|key| place::open(&key, KEY_QUERY_VALUE).ok()) else {
                let detail = "no key of this hive can be opened, so kbfix cannot ask Windows to write the changes to \
                    disk now"
                    .to_owned();
                return Err(WriteError::Unsupported { place: key.to_string(), detail });
            };
            raw::flush(&opened.handle)
                .map_err(|code| code.write_error(format!("writing the hive of {key} to disk")))?;
        }
        Ok(())
    }
}

/// Opens a key that must exist.
///
/// # Errors
/// Returns [`WriteError::Stale`] if the key does not exist, or another error if it cannot be opened.
fn existing(key: &Key, access: u32) -> Result<Opened, WriteError> {
    place::open(key, access).map_err(|closed| match closed {
        place::Closed::Code(code) => failed(code, key.to_string(), "present"),
        elsewhere => elsewhere.write_error(key.to_string()),
    })
}

/// Opens a key that must exist and must not be volatile. A volatile key exists in memory only, and is refused with
/// [`WriteError::Unsupported`].
fn lasting(key: &Key, access: u32) -> Result<Opened, WriteError> {
    let opened = existing(key, access)?;
    if raw::is_volatile(&opened.handle) {
        return Err(WriteError::Unsupported {
            place: key.to_string(),
            detail: place::volatile(key).detail.to_string(),
        });
    }
    Ok(opened)
}

/// Returns the error for a failed call of Windows; [`WriteError::Stale`] if the code means that the key or value is
/// absent. `place` is the key or value, and `expected` is the state that it should have.
fn failed(code: Code, place: String, expected: &str) -> WriteError {
    if code.is_absent() { stale(place, expected, "absent") } else { code.write_error(place) }
}

fn stale(place: String, expected: impl Into<String>, found: impl Into<String>) -> WriteError {
    WriteError::Stale { place, expected: expected.into(), found: found.into() }
}

/// Returns the parent of the key, or the error for a root key, which has no parent.
fn parent_of(key: &Key) -> Result<Key, WriteError> {
    key.parent().ok_or_else(|| WriteError::Unsupported {
        place: key.to_string(),
        detail: "a root key can be neither created nor deleted".to_owned(),
    })
}

/// Deletes a key, after checking that its present state is the `before` of the change. Returns the key at which its
/// hive is loaded; `None` in a Windows container.
fn delete(change: &KeyChange, buffer: &mut raw::Buffer) -> Result<Option<KeyPath>, WriteError> {
    let place = || change.key.to_string();
    existing(&parent_of(&change.key)?, KEY_QUERY_VALUE)?;
    let before = change.properties.as_ref();
    let Opened { handle: key, hive } =
        lasting(&change.key, KEY_QUERY_VALUE | DELETE | if before.is_some() { properties::READ } else { 0 })?;
    no_subkeys(&change.key, &key)?;
    if let Some(before) = before {
        match properties::read(&key) {
            Answer::Present(found) if found.same(before) => {}
            Answer::Present(found) => return Err(stale(place(), before.to_string(), found.to_string())),
            Answer::Absent => return Err(stale(place(), "present", "absent")),
            Answer::Unread(why) => return Err(WriteError::Unsupported { place: place(), detail: why.to_string() }),
        }
    }
    let mut found = read::all_values(&key, buffer).map_err(|code| failed(code, place(), "present"))?;
    for value in &change.values {
        let data = match found.remove(&value.name) {
            None | Some(Answer::Absent) => None,
            Some(Answer::Present(data)) => Some(data),
            Some(Answer::Unread(why)) => {
                return Err(WriteError::Unsupported { place: change.place(&value.name), detail: why.to_string() });
            }
        };
        compare(change, value, data.as_ref())?;
    }
    if let Some(name) = found.keys().next() {
        return Err(stale(change.place(name), "absent", "present"));
    }
    match raw::delete(&key) {
        // The error code also means that the key has subkeys, which may have been created since the check.
        Err(code) if code.is_denied() => {
            no_subkeys(&change.key, &key)?;
            Err(code.write_error(place()))
        }
        result => result.map(|()| hive).map_err(|code| failed(code, place(), "present")),
    }
}

fn no_subkeys(key: &Key, handle: &Handle) -> Result<(), WriteError> {
    match raw::subkey_count(handle).map_err(|code| failed(code, key.to_string(), "present"))? {
        0 => Ok(()),
        count => Err(stale(key.to_string(), "no subkeys", number_of(count as usize, "subkey"))),
    }
}

fn compare_values(change: &KeyChange, key: &Handle, buffer: &mut raw::Buffer) -> Result<(), WriteError> {
    for value in &change.values {
        let found = match raw::value(key, value.name.as_str(), buffer) {
            Ok(data) => Some(data),
            Err(code) if code.is_absent() => None,
            Err(code) => return Err(code.write_error(change.place(&value.name))),
        };
        compare(change, value, found.as_ref())?;
    }
    Ok(())
}

fn write_values(change: &KeyChange, key: &Handle) -> Result<(), WriteError> {
    for value in &change.values {
        let (name, place) = (value.name.as_str(), || change.place(&value.name));
        let written = match &value.after {
            // Type and data are set together, so a value of another type need not be deleted first.
            Some(after) => raw::set_value(key, name, after),
            None => Code::of(key.remove_value(name)),
        };
        written.map_err(|code| failed(code, place(), &shown(change, value, value.before.as_ref())))?;
    }
    Ok(())
}

fn compare(change: &KeyChange, value: &ValueChange, found: Option<&Data>) -> Result<(), WriteError> {
    if value.before.as_ref() == found {
        return Ok(());
    }
    Err(stale(change.place(&value.name), shown(change, value, value.before.as_ref()), shown(change, value, found)))
}

/// Returns the text for data in a message. For sensitive data, the text does not contain the bytes.
fn shown(change: &KeyChange, value: &ValueChange, data: Option<&Data>) -> String {
    match change.sensitive.contains(&value.name) {
        true => change.message(&value.name, data),
        false => shortened(data),
    }
}

/// Returns the text for data in a message. For long data, the text contains its beginning and its length.
fn shortened(data: Option<&Data>) -> String {
    match data {
        None => "absent".to_owned(),
        Some(data) if data.bytes.len() <= SHOWN_BYTES => format!("{data:?}"),
        Some(Data { value_type, bytes }) => {
            let start = notation::hex_list(&bytes[..SHOWN_BYTES]);
            format!("{value_type} of {} bytes, beginning {start}", bytes.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::registry::ValueType;
    use crate::targets::local::write::*;

    #[test]
    fn long_data_is_shown_by_its_beginning() {
        let data = Data::new(ValueType::BINARY, vec![0; 1 << 20]);
        assert!(shortened(Some(&data)).starts_with("REG_BINARY of 1048576 bytes, beginning 00,00"));
        assert!(shortened(Some(&data)).len() < 300);
        assert_eq!(shortened(Some(&Data::dword(1))), "REG_DWORD dword:00000001");
        assert_eq!(shortened(None), "absent");
    }
}
