//! Codecs for the files that kbfix reads and writes. They know nothing of specs.

pub mod pe;
pub mod reg;
