//! Creates event logs for the example machine and for tests, so that the repository contains no logs from real
//! machines.

use jiff::Timestamp;

use super::{END, END_SIGNATURE, FILLER, FIXED, HEADER, SIGNATURE};
use crate::format::event::EventLevel;

/// An event to write to a new log.
#[derive(Debug, Clone)]
pub struct NewEvent<'a> {
    /// The time at which the event was logged. The format stores no fractions of a second. A time that it cannot store
    /// (before 1970, or after February 7, 2106) is written as the beginning of 1970.
    pub time: Timestamp,
    /// The source: the program or component that logged the event.
    pub source: &'a str,
    /// The event ID as the format stores it: a 32-bit number with severity, facility and message number.
    pub id: u32,
    /// The level. The format has no other levels than error, warning and information, so critical is written as error,
    /// and verbose as information.
    pub level: EventLevel,
    /// The name of the computer on which the event occurred.
    pub computer: &'a str,
    /// The strings that Event Viewer inserts into the text of the message.
    pub strings: &'a [&'a str],
}

/// Returns a file of `size` bytes with a closed log that contains these events, which are given oldest first. The file
/// is larger if the largest record and the end record would not fit.
///
/// `size` must be a multiple of four. If there is not enough room for all events, the newest overwrite the oldest.
pub fn create(events: &[NewEvent<'_>], size: usize) -> Vec<u8> {
    let records: Vec<Vec<u8>> = (1..).zip(events).map(|(number, event)| record(number, event)).collect();
    // A filler is shorter than the fixed part of a record.
    let largest = records.iter().map(Vec::len).max().unwrap_or_default();
    let size = size.max(HEADER + FIXED + largest + END + FIXED);
    let mut log = Log { file: vec![0; size], at: HEADER, oldest: HEADER, kept: std::collections::VecDeque::new() };
    for (number, record) in (1..).zip(&records) {
        log.write(number, record);
    }
    log.close(events.len() as u32 + 1)
}

/// A new event log to which records are added.
struct Log {
    file: Vec<u8>,
    /// The offset in `file` at which the next bytes are written.
    at: usize,
    /// The offset in `file` of the oldest record that is not overwritten; the end of the header if there is no record.
    oldest: usize,
    /// The number, offset and size of each record that is not overwritten, oldest first. The size includes the filler
    /// bytes before the record.
    kept: std::collections::VecDeque<(u32, usize, usize)>,
}

impl Log {
    /// Returns the number of free bytes, starting at the offset of the next record.
    fn free(&self) -> usize {
        let ring = self.file.len() - HEADER;
        ring - self.kept.iter().map(|(_, _, size)| size).sum::<usize>()
    }

    fn write(&mut self, number: u32, record: &[u8]) {
        let to_seam = self.file.len() - self.at;
        let filler = if to_seam < FIXED { to_seam } else { 0 };
        // The end record must have room too, and so must the filler before the end of the file.
        while self.free() < filler + record.len() + END + FIXED {
            self.kept.pop_front();
        }
        for _ in 0..filler / 4 {
            self.put(&FILLER.to_le_bytes());
        }
        let at = self.at;
        self.put(record);
        self.kept.push_back((number, at, record.len() + filler));
        self.oldest = self.kept[0].1;
    }

    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.file[self.at] = *byte;
            self.at = if self.at + 1 == self.file.len() { HEADER } else { self.at + 1 };
        }
    }

    fn close(mut self, next: u32) -> Vec<u8> {
        let (end, oldest) = (self.at as u32, self.oldest as u32);
        let oldest_number = self.kept.front().map_or(0, |(number, ..)| *number);
        let size = END as u32;
        let [a, b, c, d] = END_SIGNATURE;
        self.put(&bytes(&[size, a, b, c, d, oldest, end, next, oldest_number, size]));
        let header = HEADER as u32;
        // The flag 2 means that the log has continued past the end of the file.
        let flags = if oldest_number > 1 { 2 } else { 0 };
        let most = self.file.len() as u32;
        let header = bytes(&[header, SIGNATURE, 1, 1, oldest, end, next, oldest_number, most, flags, 604_800, header]);
        self.file[..HEADER].copy_from_slice(&header);
        self.file
    }
}

/// Returns the bytes of a record for an event, without a user and without binary data.
fn record(number: u32, event: &NewEvent<'_>) -> Vec<u8> {
    let strings = |texts: &[&str]| {
        texts.iter().flat_map(|text| text.encode_utf16().chain([0])).flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let mut names = strings(&[event.source, event.computer]);
    names.resize(names.len().next_multiple_of(4), 0);
    let place = (FIXED + names.len()) as u32;
    let mut texts = strings(event.strings);
    let data = place + texts.len() as u32;
    texts.resize(texts.len().next_multiple_of(4), 0);
    let length = place + texts.len() as u32 + 4;
    let seconds = u32::try_from(event.time.as_second()).unwrap_or_default();
    let event_type = match event.level {
        EventLevel::Critical | EventLevel::Error => 1,
        EventLevel::Warning => 2,
        EventLevel::Information | EventLevel::Verbose => 4,
    };
    let strings = (event.strings.len() as u32) << 16;
    let mut out = bytes(&[length, SIGNATURE, number, seconds, seconds, event.id, event_type | strings]);
    out.extend(bytes(&[0, 0, place, 0, place, 0, data]));
    out.extend([names, texts, length.to_le_bytes().to_vec()].concat());
    out
}

fn bytes(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}
