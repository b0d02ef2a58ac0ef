//! Codecs for the files that kbfix reads and writes. They know nothing of specs.

pub mod reg;
