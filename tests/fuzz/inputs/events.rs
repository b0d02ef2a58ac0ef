//! Event logs in both formats.

use std::io::Cursor;

/// Input: a log in the format of Windows Server 2003. The events that are read are at most as large as the log.
pub(crate) fn evt(data: &[u8]) {
    let mut events = 0;
    let read = kbfix::format::evt::read(data, |event| {
        assert!(event.id <= 0xFFFF && event.source.len() <= data.len());
        events += 1;
    });
    assert!(events * 60 <= data.len());
    drop(read);
}

/// Input: the first bytes of the only chunk of a log in the format of Windows Vista and later. The other bytes are
/// zero.
pub(crate) fn evtx(data: &[u8]) {
    const CHUNK: usize = 64 << 10;
    let mut log = b"ElfFile\0".to_vec();
    log.resize(4096 + CHUNK, 0);
    // The size of the header, the version, the size of the header's block, and one chunk. Checksums are not set.
    for (at, number) in [(32, 128_u16), (36, 1), (38, 3), (40, 4096), (42, 1), (120, 4)] {
        log[at..at + 2].copy_from_slice(&number.to_le_bytes());
    }
    let chunk = &data[..data.len().min(CHUNK)];
    log[4096..4096 + chunk.len()].copy_from_slice(chunk);
    let size = log.len() as u64;
    let read = kbfix::format::evtx::read(Cursor::new(log), size, |event| assert!(event.source.len() <= CHUNK * 3));
    assert!(read.is_ok());
}
