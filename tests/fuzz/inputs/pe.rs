//! Reads the file version of a program.

/// Input: the program.
pub(crate) fn pe(data: &[u8]) {
    let _ = kbfix::format::pe::read(data);
}
