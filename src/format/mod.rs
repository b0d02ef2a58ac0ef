//! Codecs for the files that kbfix reads and writes. They know nothing of specs and targets.

pub mod json;
pub mod pe;
pub mod reg;
pub mod regf;
