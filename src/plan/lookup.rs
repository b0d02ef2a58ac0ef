//! Reads facts about the machine that several parts of planning need.

use crate::{
    observe::Reader,
    registry::{Data, Decoded, Key, KeyPath, RootKey, ValueName},
    targets::{Reason, Unread},
};

/// Returns the key below HKLM with this path. `below` must be a valid path, because it is not checked.
pub(super) fn hklm(below: &str) -> Key {
    Key::new(KeyPath::known(RootKey::Hklm, below))
}

/// Returns the data of a value below HKLM; `None` if the value is absent. `key` must be a valid path, because it is not
/// checked.
pub(super) fn hklm_value(key: &str, name: &str, reader: &Reader<'_>) -> Result<Option<Data>, Unread> {
    let name = ValueName::new(name).map_err(|e| Unread::new(Reason::Unsupported, e.to_string()))?;
    reader.value(&hklm(key), &name).known()
}

/// Returns the string in a value below HKLM; `None` if the value is absent. Fails if it cannot be read or is not a
/// string.
pub(super) fn text(key: &str, name: &str, reader: &Reader<'_>) -> Result<Option<String>, Unread> {
    read(key, name, "a string", Data::as_read_text, reader)
}

/// Returns the data of a value below HKLM, converted by `meaning`; `None` if the value is absent.
///
/// # Errors
///
/// Fails if the value cannot be read, or if `meaning` returns `None`. In the second case, the message says that the
/// data is not `what`.
pub(super) fn read<T>(
    key: &str,
    name: &str,
    what: &str,
    meaning: impl Fn(&Data) -> Option<T>,
    reader: &Reader<'_>,
) -> Result<Option<T>, Unread> {
    let Some(data) = hklm_value(key, name, reader)? else { return Ok(None) };
    let malformed = || Unread::new(Reason::Malformed, format!("{name} is {}, not {what}", readable(&data)));
    meaning(&data).map(Some).ok_or_else(malformed)
}

/// Formats data for evidence. A number is shown in decimal and in hex.
pub(super) fn readable(data: &Data) -> String {
    match data.decode() {
        Decoded::Malformed(why) => format!("{data:?}, malformed: {why}"),
        Decoded::Number(number) => format!("{} {number} (0x{number:x})", data.value_type),
        _ => format!("{data:?}"),
    }
}
