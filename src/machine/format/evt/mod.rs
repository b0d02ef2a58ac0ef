//! Reads and creates event logs in the format of Windows Server 2003 and before, such as `AppEvent.Evt`.
//!
//! A log is a ring buffer. It starts with a header, which is followed by the records. After the newest record there is
//! an end record, which contains the offset of the oldest record. When a full log reaches the end of the file, it
//! continues after the header. A record can therefore start at the end of the file and end at its beginning. The header
//! is updated only when the log is closed. Until then it is marked as dirty, and only the end record is correct.
//!
//! Sources: Microsoft, "Event Log File Format", "ELF_LOGFILE_HEADER", "ELF_EOF_RECORD", "EVENTLOGRECORD".

mod create;
mod record;
mod ring;

pub use create::{NewEvent, create};
pub use record::of_record;

use ring::Ring;

use super::event::{Damage, Event};

/// The size of a log's header in bytes. The first and the last number of the header contain this size.
const HEADER: usize = 0x30;
/// The signature at offset 4 of a log's header and of each record: `LfLe`.
const SIGNATURE: u32 = 0x654C_664C;
/// The size of a record in bytes, without its strings and data.
const FIXED: usize = 56;
/// The size of the smallest record in bytes: the fixed part, and the length, which is repeated at the end of a record.
const SMALLEST: usize = FIXED + 4;
/// The size of the end record in bytes.
const END: usize = 0x28;
/// The four numbers that follow the length in an end record.
const END_SIGNATURE: [u32; 4] = [0x1111_1111, 0x2222_2222, 0x3333_3333, 0x4444_4444];
/// The number that fills the rest of the file if the fixed part of a record does not fit between the last record and
/// the end of the file.
const FILLER: u32 = 0x27;

/// The flag in the header of a log that was not closed.
const DIRTY: u32 = 1;

/// The reason why a file cannot be read as an event log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvtError {
    /// The file does not begin with the header of an event log.
    #[error("the file does not begin with the header of an event log")]
    NoHeader,
    /// The log has another version than 1.1. The numbers are its major and its minor version.
    #[error("the file is an event log of version {0}.{1}, but kbfix only reads version 1.1")]
    Version(u32, u32),
}

/// Calls `each` for every readable event of a log, and returns the damaged parts. The oldest event comes first if the
/// log has a valid end record; without one, the order may be wrong.
///
/// After a damaged part, reading continues with the next record. If too many parts are damaged
/// ([`Damage::leaves_rest`]), the rest is not read.
///
/// # Errors
///
/// Returns [`EvtError`] if the bytes are not an event log of this format.
pub fn read(bytes: &[u8], mut each: impl FnMut(Event)) -> Result<Damage, EvtError> {
    let number = |at: usize| bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    if bytes.len() < HEADER || number(0) != HEADER as u32 || number(4) != SIGNATURE || number(44) != HEADER as u32 {
        return Err(EvtError::NoHeader);
    }
    if (number(8), number(12)) != (1, 1) {
        return Err(EvtError::Version(number(8), number(12)));
    }
    let mut damage = Damage::default();
    let ring = Ring::new(&bytes[HEADER..]);
    let closed = (number(36) & DIRTY == 0).then(|| ring.end_at(number(20))).flatten();
    match closed.or_else(|| ring.newest_end()) {
        Some(end) => walk(&ring, end.oldest, Some(end.at), &mut damage, &mut each),
        None => {
            damage.add(|| "the log has no valid end record: it is incomplete or damaged".to_owned());
            let start = ring.place(number(16)).unwrap_or(0);
            walk(&ring, start, None, &mut damage, &mut each);
        }
    }
    Ok(damage)
}

/// Calls `each` for the records in the ring buffer, from the oldest at the position `from` to the end record at `end`.
/// Adds what it cannot read to `damage`. If `end` is `None`, reads the whole ring buffer.
fn walk(ring: &Ring<'_>, from: usize, end: Option<usize>, damage: &mut Damage, each: &mut impl FnMut(Event)) {
    let all = match end {
        Some(end) => ring.distance(from, end),
        None => ring.len(),
    };
    let mut gone = 0;
    while gone < all {
        if damage.leaves_rest() {
            return;
        }
        let at = ring.forward(from, gone);
        if ring.is_end(at) {
            if end.is_some() {
                damage.add(|| format!("at {}: unexpected end record, because newer records follow", ring.offset(at)));
            }
            gone += END;
            continue;
        }
        let to_seam = ring.len() - at;
        if to_seam < FIXED && ring.number(at) != SIGNATURE && ring.is_filled(at, to_seam) {
            gone += to_seam;
            continue;
        }
        match record_at(ring, at, all - gone) {
            Ok((event, length)) => {
                each(event);
                gone += length;
            }
            Err(why) => {
                let skipped = ring.to_next(at, all - gone);
                // A log that was never full contains nothing after its newest record.
                if end.is_some() || skipped < all - gone || !ring.is_unused(at, all - gone) {
                    damage.add(|| format!("at {}: {why}", ring.offset(at)));
                }
                gone += skipped;
            }
        }
    }
}

/// Returns the event in the record at the position `at`, and the size of this record in bytes; or what is wrong with
/// the record. `left` is the number of bytes that are not yet read.
fn record_at(ring: &Ring<'_>, at: usize, left: usize) -> Result<(Event, usize), String> {
    let length = ring.number(at) as usize;
    if ring.number(ring.forward(at, 4)) != SIGNATURE {
        return Err("there is no record".to_owned());
    }
    if length < SMALLEST || !length.is_multiple_of(4) || length > left {
        return Err(format!("the record has the impossible length {length}"));
    }
    if ring.number(ring.forward(at, length - 4)) as usize != length {
        return Err(record::UNEVEN.to_owned());
    }
    record::of_head(&ring.bytes(at, record::HEAD.min(length - 4))).map(|event| (event, length))
}

#[cfg(test)]
mod tests;
