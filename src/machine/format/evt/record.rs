//! Parses one record of an event log. ReadEventLog of Windows returns records in the same form as the file.

use jiff::Timestamp;

use super::{FIXED, SIGNATURE, SMALLEST};
use crate::format::event::{Event, EventLevel};

/// The size in bytes of the longest source name with its NUL. A source name is also the name of a registry key, so it
/// cannot be longer than the name of a key.
const NAME: usize = 2 * (crate::registry::name::MAX_KEY_NAME + 1);
/// The size in bytes of the part of a record that is read: the fixed part, and as much as the longest source name
/// needs.
pub(super) const HEAD: usize = FIXED + NAME;

/// Returns the event in the bytes of one complete record.
///
/// # Errors
///
/// Returns a description of what is wrong with the record, as part of a sentence.
pub fn of_record(bytes: &[u8]) -> Result<Event, String> {
    let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if bytes.len() < SMALLEST || number(4) != SIGNATURE {
        return Err("there is no record".to_owned());
    }
    let length = u32::try_from(bytes.len()).unwrap_or_default();
    if number(0) != length || number(bytes.len() - 4) != length {
        return Err(UNEVEN.to_owned());
    }
    of_head(&bytes[..HEAD.min(bytes.len() - 4)])
}

/// The message for a record whose last number is not its length. The length is the first number, and is repeated at the
/// end.
pub(super) const UNEVEN: &str = "the record does not end with its length";

/// Returns the event in the first [`HEAD`] bytes of a record. For a smaller record, `head` is all its bytes except the
/// last number. Returns an error if the source name in these bytes has no NUL at its end.
pub(super) fn of_head(head: &[u8]) -> Result<Event, String> {
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let mut source: Vec<u16> = head[FIXED..].chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    let unended = "the source name of the record is too long, or has no NUL at its end";
    let length = source.iter().position(|unit| *unit == 0).ok_or(unended)?;
    source.truncate(length);
    // Every 32-bit number of seconds is a valid time.
    let time = Timestamp::from_second(number(12).into()).map_err(|error| error.to_string())?;
    Ok(Event {
        source: String::from_utf16_lossy(&source),
        old_source: None,
        // Event Viewer shows the message code of the event without severity, customer bit and facility.
        id: number(20) & 0xFFFF,
        level: level((number(24) & 0xFFFF) as u16),
        time,
    })
}

/// Returns the level for the event type in a record. The types are single bits. The two audit types are information,
/// and so is success (0).
fn level(event_type: u16) -> EventLevel {
    match event_type {
        1 => EventLevel::Error,
        2 => EventLevel::Warning,
        _ => EventLevel::Information,
    }
}
