//! kbfix keeps Windows machines in the state that a Microsoft Knowledge Base article asks for.
//!
//! This is the library below the command line `kbfix`. A spec, one YAML file, says which product it is about, which
//! hotfix must be installed, and which registry values must hold. The library reads the state of a machine, shows the
//! difference, applies it with a journal, and can roll it back. README.md in the package shows the command line, and
//! `docs/` is a book about it.
//!
//! # Example
//!
//! This is `examples/apply.rs`; `cargo run --example apply` runs it.
//!
//! ```no_run
#![doc = include_str!("../examples/apply.rs")]
//! ```
//!
//! # The modules
//!
//! They stand in the order in which data flows, and each imports only what stands above it.
//!
//! - [`spec`] reads and checks specs. [`convert`] makes specs of `.reg` files, and other files of specs.
//! - [`targets`] are what specs are applied to: this machine, a hive file, a snapshot, and others. [`registry`],
//!   [`version`], [`format`](mod@format) and [`files`] are what they are made of.
//! - [`observe`](mod@observe) finds out what a spec asks and reads it from a target; the difference becomes a [`plan`].
//! - [`operation`] has one call for each thing that can be done to a target: [`diff`](operation::diff()),
//!   [`apply`](operation::apply()) and [`rollback`](operation::rollback()). The changes are written into a [`journal`].
//! - [`fleet`] plans many machines at once, and reports on them in one document.
//! - [`render`] shows reports, plans, journals and [`diag`]nostics. It returns text and prints nothing.
//!
//! # What is promised
//!
//! Within a version 1 of each, these stay compatible: the spec language, and the formats of plans, journals, snapshots
//! and reports. Each has a JSON schema in `schema/`. So do the exit codes ([`diag::Exit`]) and the codes of diagnostics
//! ([`diag::Code`]).
//!
//! The Rust interface of this crate is not promised. It exists for the command line and for tests, and any release may
//! change it. Depend on an exact version, or run `kbfix` and read its JSON report.

// Only for the library: tests may unwrap, and benchmarks print.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::exit)
)]

pub mod registry;
pub mod version;
pub mod diag;
pub mod files;
pub mod format;
pub mod targets;
pub mod spec;
pub mod convert;
pub mod observe;
pub mod plan;
pub mod journal;
pub mod operation;
pub mod fleet;
pub mod render;
pub mod example;
