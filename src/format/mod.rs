//! Codecs for files. They know nothing of specs and targets, and import only what stands above them.

pub mod regf;
