//! The hash function Marvin32, with which the entries of a log are checked.
//!
//! Source: Suhanov's specification of the hive format, "Log entries", notes 1 to 3; Microsoft's patent US 8,555,083 B1
//! and the .NET runtime describe the function.

/// The seed that Windows uses for log entries: the bytes 82 EF 4D 88 7A 4E 55 C5, as the lower and the upper half of a
/// 64-bit number.
const SEED: (u32, u32) = (0x7A4E_55C5, 0x82EF_4D88);

/// Returns the hash of `bytes` in the form that a log entry stores.
pub(in super::super) fn marvin32(bytes: &[u8]) -> u64 {
    let (mut low, mut high) = SEED;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        low = low.wrapping_add(word.iter().rev().fold(0, |n, byte| n << 8 | u32::from(*byte)));
        (low, high) = mixed(low, high);
    }
    // The remaining bytes, and a bit that marks their end.
    low = low.wrapping_add(words.remainder().iter().rev().fold(0x80, |n, byte| n << 8 | u32::from(*byte)));
    (low, high) = mixed(low, high);
    (low, high) = mixed(low, high);
    u64::from(high) << 32 | u64::from(low)
}

fn mixed(mut low: u32, mut high: u32) -> (u32, u32) {
    high ^= low;
    low = low.rotate_left(20).wrapping_add(high);
    high = high.rotate_left(9) ^ low;
    low = low.rotate_left(27).wrapping_add(high);
    high = high.rotate_left(19);
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_log_entry_has_this_hash_of_its_header() {
        // The first entry of a Windows 10 SYSTEM.LOG1.
        let mut header = Vec::from(*b"HvLE");
        for number in [15_872_u32, 1, 2107, 12_398_592, 3] {
            header.extend(number.to_le_bytes());
        }
        header.extend(0x4B70_B6A1_BE2C_81C4_u64.to_le_bytes());
        assert_eq!(marvin32(&header), 0xDD88_C5D7_DF48_F30A);
    }
}
