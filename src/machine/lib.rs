//! The parts of a Windows machine that kbfix reads and changes, and the file formats that contain them.
//!
//! This crate is a part of `kbfix`, which re-exports all its modules: use that crate. It is separate so that Cargo can
//! compile the parts of kbfix in parallel. It does not read specs.
//!
//! The modules are in the order in which data flows. Each imports only from modules above it.
//!
//! - [`parallel`] and [`small_map`] are general helpers.
//! - [`registry`] and [`version`] have the types of the values that kbfix reads and compares. [`diag`] has the parts of
//!   messages, and the exit codes.
//! - [`files`] reads files up to a size limit, and replaces them atomically. [`mod@format`] has the codecs, which
//!   convert bytes to data and back, and access no files.
//! - [`targets`] reads and changes the things to which specs are applied: this machine, a hive file, and others.

// Only for the library: tests may unwrap, and benchmarks print.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::exit)
)]

pub mod parallel;
pub mod small_map;
pub mod registry;
pub mod version;
pub mod diag;
pub mod files;
pub mod format;
pub mod targets;
