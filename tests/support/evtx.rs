//! Creates event logs in the format of Windows Vista and later, for tests. So the repository needs no logs from real
//! machines.
//!
//! Sources: Microsoft, [MS-EVEN6] 2.2.12 to 2.2.17 (BinXml); J. Metz, "Windows XML Event Log (EVTX) format".

use std::collections::BTreeMap;

/// The size of a chunk of an event log, in bytes.
pub(crate) const CHUNK: usize = 64 << 10;
/// The size of the header of the whole file, in bytes.
pub(crate) const HEADER: usize = 4096;
/// The size of the header of a chunk, with its tables, in bytes.
pub(crate) const CHUNK_HEADER: usize = 512;

/// An event that a test writes to a log.
#[derive(Clone)]
pub(crate) struct NewEvent<'a> {
    pub(crate) source: &'a str,
    /// The name that the source of the event had before Windows Vista; `None` if the event has no such name.
    pub(crate) old_source: Option<&'a str>,
    pub(crate) id: u16,
    /// The level of the event, as a number: 4 means information.
    pub(crate) level: u8,
    /// The time of the event, in seconds since 1970.
    pub(crate) second: i64,
}

/// Returns an event log that contains the same text very often: `chunks` chunks with `records` events each. In each
/// event, `times` additional elements contain the same text of `length` characters.
pub(crate) fn repeating(chunks: usize, records: usize, length: usize, times: usize) -> Vec<u8> {
    let text = "t".repeat(length);
    let events = vec![NewEvent { source: &text, old_source: None, id: 1, level: 4, second: 0 }; chunks * records];
    written("Application", &events, records, times)
}

/// Returns an event log of the log `channel` with these events, at most `most` of them in one chunk.
pub(crate) fn create(channel: &str, events: &[NewEvent<'_>], most: usize) -> Vec<u8> {
    written(channel, events, most, 0)
}

fn written(channel: &str, events: &[NewEvent<'_>], most: usize, repeated: usize) -> Vec<u8> {
    let chunks = events.chunks(most).enumerate();
    let chunks: Vec<_> = chunks.map(|(n, events)| chunk(channel, n * most, events, repeated)).collect();
    let count = chunks.len() as u64;
    let mut header = b"ElfFile\0".to_vec();
    [0, count.saturating_sub(1), events.len() as u64 + 1].iter().for_each(|n: &u64| header.extend(n.to_le_bytes()));
    header.extend(128_u32.to_le_bytes());
    [1_u16, 3, HEADER as u16, count as u16].iter().for_each(|n| header.extend(n.to_le_bytes()));
    header.resize(HEADER, 0);
    let checksum = evtx::checksum_ieee(&header[..120]);
    put(&mut header, 124, checksum);
    header.into_iter().chain(chunks.into_iter().flatten()).collect()
}

/// Computes the checksums of a chunk and writes them to it, after a test has changed the chunk.
pub(crate) fn seal(chunk: &mut [u8]) {
    let free = u32::from_le_bytes(chunk[48..52].try_into().unwrap()) as usize;
    let events = evtx::checksum_ieee(&chunk[CHUNK_HEADER..free]);
    put(chunk, 52, events);
    let header = [&chunk[..120], &chunk[128..CHUNK_HEADER]].concat();
    put(chunk, 124, evtx::checksum_ieee(&header));
}

fn put(bytes: &mut [u8], at: usize, number: u32) {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

fn chunk(channel: &str, before: usize, events: &[NewEvent<'_>], repeated: usize) -> Vec<u8> {
    let mut chunk = Chunk { bytes: vec![0; CHUNK_HEADER], names: BTreeMap::new(), template: None, repeated };
    let mut last = 0;
    for (n, event) in events.iter().enumerate() {
        last = chunk.bytes.len();
        chunk.record((before + n + 1) as u64, channel, event);
    }
    let (first_id, last_id) = (before as u64 + 1, (before + events.len()) as u64);
    let mut header = b"ElfChnk\0".to_vec();
    [first_id, last_id, first_id, last_id].iter().for_each(|n| header.extend(n.to_le_bytes()));
    [128, last as u32, chunk.bytes.len() as u32].iter().for_each(|n| header.extend(n.to_le_bytes()));
    chunk.bytes[..header.len()].copy_from_slice(&header);
    assert!(chunk.bytes.len() <= CHUNK, "the events are too large for one chunk");
    chunk.bytes.resize(CHUNK, 0);
    seal(&mut chunk.bytes);
    chunk.bytes
}

/// A chunk while it is being written. Offsets are in bytes, from the start of the chunk.
struct Chunk {
    bytes: Vec<u8>,
    /// The offset of each name that is already in the chunk.
    names: BTreeMap<String, u32>,
    /// The offset of the template that all events use; `None` before the first event.
    template: Option<u32>,
    /// The number of additional `Data` elements in the template. Each contains the source of the event.
    repeated: usize,
}

/// A value of an event. The template contains a placeholder for each value.
enum Value {
    None,
    Text(String),
    Byte(u8),
    Short(u16),
    Id(u64),
    Time(u64),
}

impl Value {
    /// Returns the number of the value's type in the file format, and the bytes of the value.
    fn parts(&self) -> (u8, Vec<u8>) {
        match self {
            Self::None => (0x00, Vec::new()),
            Self::Text(text) => (0x01, text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Byte(number) => (0x04, vec![*number]),
            Self::Short(number) => (0x06, number.to_le_bytes().into()),
            Self::Id(number) => (0x0A, number.to_le_bytes().into()),
            Self::Time(number) => (0x11, number.to_le_bytes().into()),
        }
    }
}

impl Chunk {
    fn u8s(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    fn u16(&mut self, number: u16) {
        self.u8s(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.u8s(&number.to_le_bytes());
    }

    /// Writes the length of what `write` writes, as 32 bits, and then calls `write`.
    fn sized(&mut self, write: impl FnOnce(&mut Self)) {
        let at = self.bytes.len();
        self.u32(0);
        write(self);
        let length = (self.bytes.len() - at - 4) as u32;
        put(&mut self.bytes, at, length);
    }

    fn record(&mut self, id: u64, channel: &str, event: &NewEvent<'_>) {
        // A file time: 100 nanoseconds since 1601.
        let time = ((event.second + 11_644_473_600) * 10_000_000) as u64;
        let values = [
            Value::Text(event.source.to_owned()),
            event.old_source.map_or(Value::None, |name| Value::Text(name.to_owned())),
            Value::Short(event.id),
            Value::Byte(event.level),
            Value::Time(time),
            Value::Id(id),
            Value::Text(channel.to_owned()),
        ];
        let start = self.bytes.len();
        self.u8s(b"**\0\0");
        self.u32(0);
        self.u8s(&id.to_le_bytes());
        self.u8s(&time.to_le_bytes());
        self.u8s(&[0x0F, 1, 1, 0, 0x0C, 1]);
        self.u32(TEMPLATE);
        match self.template {
            Some(at) => self.u32(at),
            None => {
                let at = self.bytes.len() as u32 + 4;
                self.u32(at);
                self.template = Some(at);
                self.definition();
            }
        }
        self.u32(values.len() as u32);
        for (number, bytes) in values.iter().map(Value::parts) {
            self.u16(bytes.len() as u16);
            self.u8s(&[number, 0]);
        }
        values.iter().for_each(|value| self.u8s(&value.parts().1));
        self.u8s(&[0]);
        let length = (self.bytes.len() - start + 4) as u32;
        self.u32(length);
        put(&mut self.bytes, start + 4, length);
    }

    /// Writes the template of an event: its elements `Event` and `System`, with placeholders for the values.
    fn definition(&mut self) {
        let at = self.bytes.len() as u32;
        put(&mut self.bytes, 384 + 4 * (TEMPLATE as usize % 32), at);
        self.u32(0);
        self.u32(TEMPLATE);
        self.u8s(&[7; 12]);
        self.sized(|chunk| {
            chunk.u8s(&[0x0F, 1, 1, 0]);
            chunk.element("Event", &[], |chunk| {
                chunk.element("System", &[], |chunk| {
                    chunk.element("Provider", &[("Name", 0, 0x01), ("EventSourceName", 1, 0x01)], |_| {});
                    chunk.element("EventID", &[], |chunk| chunk.substitution(2, 0x06));
                    chunk.element("Level", &[], |chunk| chunk.substitution(3, 0x04));
                    chunk.element("TimeCreated", &[("SystemTime", 4, 0x11)], |_| {});
                    chunk.element("EventRecordID", &[], |chunk| chunk.substitution(5, 0x0A));
                    chunk.element("Channel", &[], |chunk| chunk.substitution(6, 0x01));
                });
                for _ in 0..chunk.repeated {
                    chunk.element("Data", &[], |chunk| chunk.substitution(0, 0x01));
                }
            });
            chunk.u8s(&[0]);
        });
    }

    /// Writes an XML element with placeholders as the values of its attributes. Each attribute is a name, the number of
    /// the value that replaces the placeholder, and the type of that value. `content` writes the content of the
    /// element.
    fn element(&mut self, name: &str, attributes: &[(&str, u16, u8)], content: impl FnOnce(&mut Self)) {
        self.u8s(&[if attributes.is_empty() { 0x01 } else { 0x41 }]);
        self.u16(0xFFFF);
        self.sized(|chunk| {
            chunk.name(name);
            if !attributes.is_empty() {
                chunk.sized(|chunk| {
                    for (at, (name, number, kind)) in attributes.iter().enumerate() {
                        chunk.u8s(&[if at + 1 < attributes.len() { 0x46 } else { 0x06 }]);
                        chunk.name(name);
                        chunk.substitution(*number, *kind);
                    }
                });
            }
            chunk.u8s(&[0x02]);
            content(chunk);
            chunk.u8s(&[0x04]);
        });
    }

    /// Writes a placeholder. `number` is the number of the event's value that replaces it, and `kind` is the type of
    /// the value.
    fn substitution(&mut self, number: u16, kind: u8) {
        self.u8s(&[0x0E]);
        self.u16(number);
        self.u8s(&[kind]);
    }

    /// Writes the offset of a name. If the chunk does not contain the name yet, writes the name as well.
    fn name(&mut self, name: &str) {
        if let Some(at) = self.names.get(name) {
            return self.u32(*at);
        }
        let at = self.bytes.len() as u32 + 4;
        self.u32(at);
        self.names.insert(name.to_owned(), at);
        let hash = name.encode_utf16().fold(0_u32, |hash, c| hash.wrapping_mul(65599).wrapping_add(c.into())) as u16;
        // The table has the offset of the newest name of each hash, and that name has the offset of the one before.
        let bucket = 128 + 4 * (usize::from(hash) % 64);
        let before = u32::from_le_bytes(self.bytes[bucket..bucket + 4].try_into().unwrap());
        self.u32(before);
        put(&mut self.bytes, bucket, at);
        self.u16(hash);
        self.u16(name.encode_utf16().count() as u16);
        name.encode_utf16().for_each(|unit| self.u16(unit));
        self.u16(0);
    }
}

/// The identifier of the template that all events use.
const TEMPLATE: u32 = 0x4B42_4649;
