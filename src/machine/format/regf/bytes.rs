//! Reads and writes little-endian numbers in a byte buffer. A read returns `None` if the buffer is too short.

/// The length of the base block in bytes, which is also the offset of the first hive bin in the file.
pub(super) const BASE_BLOCK_SIZE: usize = 4096;

/// Returns the `N` bytes from the offset `at` on; `None` if the buffer is too short.
#[inline]
pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

#[inline]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_le_bytes)
}

/// Writes the bytes `what` at the offset `at`; returns false if the buffer is too short.
#[must_use]
pub(super) fn put(bytes: &mut [u8], at: usize, what: &[u8]) -> bool {
    match at.checked_add(what.len()).and_then(|end| bytes.get_mut(at..end)) {
        Some(place) => {
            place.copy_from_slice(what);
            true
        }
        None => false,
    }
}
