//! What kbfix reads and changes: the parts of a Windows machine, and the file formats that contain them.
//!
//! This crate is a part of `kbfix`, which gives out all its modules; use that crate. It is compiled on its own so that
//! the parts of kbfix compile at the same time. It knows nothing of specs.
//!
//! The modules are in the order in which data flows. Each imports only from modules above it.
//!
//! - [`registry`] and [`version`] have the values that are read and compared. [`diag`] has the parts of messages, and
//!   the exit codes.
//! - [`files`] reads files within limits, and replaces them as a whole. [`mod@format`] has the codecs, which convert
//!   bytes to data and back, and access no files.
//! - [`targets`] contains the things to which specs are applied: this machine, a hive file, a snapshot, and others.

// Only for the library: tests may unwrap, and benchmarks print.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::exit)
)]

pub mod parallel;
pub mod registry;
pub mod version;
pub mod diag;
pub mod files;
pub mod format;
pub mod targets;
