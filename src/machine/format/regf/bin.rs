//! Hive bins: the blocks of whole pages of which a hive consists after its base block. They contain the cells.
//!
//! Source: Suhanov's specification of the hive format, "Hive bin".

use super::{Error, bytes::u32_at};

/// The length of a hive bin's header in bytes.
pub(super) const BIN_HEADER: u32 = 32;
/// The offset, in a hive bin's header, of the field with the size of the bin.
pub(super) const BIN_SIZE: usize = 8;

/// Returns the offset and size in bytes of each hive bin, in order. The offset is from the first bin. For the first
/// invalid bin, returns an error and ends.
pub(super) fn bin_headers(bins: &[u8]) -> impl Iterator<Item = Result<(u32, u32), Error>> {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        if at >= bins.len() {
            return None;
        }
        let here = at as u32;
        match bin_size(bins, at) {
            Ok(size) => {
                at += size as usize;
                Some(Ok((here, size)))
            }
            Err(problem) => {
                at = usize::MAX;
                Some(Err(Error::cell("hive bin", here, problem)))
            }
        }
    })
}

/// Returns the size of the hive bin at the offset `at`, or a description of what is wrong with the bin.
fn bin_size(bins: &[u8], at: usize) -> Result<u32, &'static str> {
    let header = bins.get(at..).and_then(|rest| rest.get(..32)).ok_or("the file ends inside the header of the bin")?;
    if !header.starts_with(b"hbin") {
        return Err("the signature is wrong");
    }
    if u32_at(header, 4) != u32::try_from(at).ok() {
        return Err("the offset in the bin's header is wrong");
    }
    let size = u32_at(header, 8).unwrap_or_default();
    if size == 0 || !size.is_multiple_of(4096) {
        return Err("the size of the bin is 0, or not a multiple of 4096");
    }
    if at + size as usize > bins.len() {
        return Err("the structure extends beyond the end of the hive");
    }
    Ok(size)
}
