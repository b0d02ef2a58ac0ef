//! The file version of a program.

/// In: the program.
pub(crate) fn pe(data: &[u8]) {
    let _ = kbfix::format::pe::read(data);
}
