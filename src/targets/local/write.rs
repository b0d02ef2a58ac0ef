//! Changes to the live registry. Each is compared with what is there immediately before it is written.

use windows_registry::Key as Handle;
use windows_sys::Win32::System::Registry::{KEY_CREATE_SUB_KEY, KEY_QUERY_VALUE, KEY_SET_VALUE};

use crate::{
    registry::{Data, Key, notation},
    targets::{Action, Answer, KeyChange, ValueChange, WriteError},
};

use super::{error::Code, open, properties, raw, read, view_flag};

/// How many bytes of a value a message shows.
const SHOWN_BYTES: usize = 64;

/// Carries out one change. All of it is compared before any of it is written; `begun` becomes true with the first write.
pub(super) fn key_change(change: &KeyChange, buffer: &mut raw::Buffer, begun: &mut bool) -> Result<(), WriteError> {
    match change.action {
        Action::Create => create(change, begun),
        Action::Update => {
            let key = existing(&change.key, KEY_QUERY_VALUE | KEY_SET_VALUE)?;
            compare_values(change, &key, buffer)?;
            *begun = true;
            write_values(change, &key)
        }
        Action::Delete => delete(change, buffer),
    }
}

/// Opens a key that must be there, or says that it is not.
fn existing(key: &Key, access: u32) -> Result<Handle, WriteError> {
    open(key, access).map_err(|code| failed(code, key.to_string(), "present"))
}

/// What a failed call means where `expected` should have been at `place`.
fn failed(code: Code, place: String, expected: &str) -> WriteError {
    if code.is_absent() { stale(place, expected, "absent") } else { code.write_error(place) }
}

fn stale(place: String, expected: impl Into<String>, found: impl Into<String>) -> WriteError {
    WriteError::Stale { place, expected: expected.into(), found: found.into() }
}

/// The key's own name and its parent, which must be there: a missing parent is never created on the way.
fn below_parent(key: &Key, access: u32) -> Result<(Handle, &str), WriteError> {
    match (key.parent(), key.path.last()) {
        (Some(parent), Some(name)) => Ok((existing(&parent, access)?, name)),
        _ => Err(WriteError::Unsupported {
            place: key.to_string(),
            detail: "a root key can be neither created nor deleted".to_owned(),
        }),
    }
}

fn create(change: &KeyChange, begun: &mut bool) -> Result<(), WriteError> {
    let (parent, name) = below_parent(&change.key, KEY_CREATE_SUB_KEY)?;
    let place = || change.key.to_string();
    let before = change.properties.as_ref();
    let access = KEY_QUERY_VALUE | KEY_SET_VALUE | view_flag(change.key.view);
    let access = if before.is_some() { access | properties::WRITE } else { access };
    let class = before.and_then(|before| before.class.as_deref());
    let (key, created) = raw::create_subkey(&parent, name, class, access)
        .map_err(|code| failed(code, place(), "a parent that is present"))?;
    if !created {
        return Err(stale(place(), "absent", "present"));
    }
    *begun = true;
    write_values(change, &key)?;
    match before {
        Some(before) => properties::set_security(&key, &before.security)
            .map_err(|code| code.write_error(format!("{}, its security descriptor", place()))),
        None => Ok(()),
    }
}

fn delete(change: &KeyChange, buffer: &mut raw::Buffer) -> Result<(), WriteError> {
    let place = || change.key.to_string();
    let (parent, name) = below_parent(&change.key, KEY_QUERY_VALUE)?;
    let before = change.properties.as_ref();
    let key = existing(&change.key, KEY_QUERY_VALUE | if before.is_some() { properties::READ } else { 0 })?;
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
    match raw::delete_subkey(&parent, name, view_flag(change.key.view)) {
        // That is also how the system says that there are subkeys, which may have come since.
        Err(code) if code.is_denied() => {
            no_subkeys(&change.key, &key)?;
            Err(code.write_error(place()))
        }
        result => result.map_err(|code| failed(code, place(), "present")),
    }
}

fn no_subkeys(key: &Key, handle: &Handle) -> Result<(), WriteError> {
    match raw::counts(handle).map_err(|code| failed(code, key.to_string(), "present"))?.subkeys {
        0 => Ok(()),
        count => Err(stale(key.to_string(), "no subkeys", format!("{count} subkeys"))),
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
            // Type and data are replaced together, so a value of the wrong type needs no deletion first.
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

/// Data for a message: nothing of it where it is sensitive.
fn shown(change: &KeyChange, value: &ValueChange, data: Option<&Data>) -> String {
    match change.sensitive.contains(&value.name) {
        true => change.message(&value.name, data),
        false => shortened(data),
    }
}

/// Data for a message: long data by its beginning and its length.
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
