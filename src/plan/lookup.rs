//! Values of the machine that several steps of planning look up.

use crate::{
    observe::Reader,
    registry::{Data, Decoded, Key, KeyPath, RootKey, ValueName},
    targets::{Reason, Unread},
};

/// A key below HKLM whose path is a constant of this program.
pub(super) fn hklm(below: &str) -> Result<Key, Unread> {
    let path =
        KeyPath::from_parts(RootKey::Hklm, below).map_err(|e| Unread::new(Reason::Unsupported, e.to_string()))?;
    Ok(Key::new(path))
}

/// A value below HKLM whose key and name are constants of this program.
pub(super) fn hklm_value(key: &str, name: &str, reader: &Reader<'_>) -> Result<Option<Data>, Unread> {
    let name = ValueName::new(name).map_err(|e| Unread::new(Reason::Unsupported, e.to_string()))?;
    reader.value(&hklm(key)?, &name).known()
}

/// The text of a value below HKLM; none where it is absent.
pub(super) fn text(key: &str, name: &str, reader: &Reader<'_>) -> Result<Option<String>, Unread> {
    read(key, name, "text", Data::as_read_text, reader)
}

/// A value below HKLM as `meaning` takes it; data that it cannot take is malformed, and not `what` it should be.
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

/// Data for evidence: a number in decimal too.
pub(super) fn readable(data: &Data) -> String {
    match data.decode() {
        Decoded::Malformed(why) => format!("{data:?}, malformed: {why}"),
        Decoded::Number(number) => format!("{} {number} (0x{number:x})", data.value_type),
        _ => format!("{data:?}"),
    }
}
