//! Creates policy files for tests, without the code of kbfix that the tests check.
//!
//! Source: Microsoft, "Registry Policy File Format".

use kbfix::registry::Data;

/// Returns the bytes of a policy file with these entries.
pub(crate) fn file(entries: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    entries.into_iter().fold(b"PReg\x01\0\0\0".to_vec(), |file, entry| [file, entry].concat())
}

/// Returns the bytes of one entry of a policy file: it sets the value `name` of the key `key` to `data`.
pub(crate) fn entry(key: &str, name: &str, data: &Data) -> Vec<u8> {
    let text = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let numbers = [data.value_type.0.to_le_bytes(), (data.bytes.len() as u32).to_le_bytes()];
    let head = text(&format!("[{key}\0;{name}\0;"));
    [&head[..], &numbers[0], &text(";"), &numbers[1], &text(";"), &data.bytes, &text("]")].concat()
}
