//! kbfix brings Windows machines into the state that a Microsoft Knowledge Base article requires.
//!
//! This is the library on which the command line `kbfix` is built. A spec is a YAML file. It describes the product to
//! which the article applies, the hotfix that must be installed, and the required registry values. The library reads
//! the state of a machine, shows the difference to the spec, makes the changes, and can undo them with a journal.
//! README.md in the package shows the command line, and `docs/` is a book about it.
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
//! The modules are listed in the order in which data flows. Two groups of them are crates of their own, so that Cargo
//! can compile them in parallel: `kbfix-machine` with [`targets`] and the modules that it uses, and `kbfix-language`
//! with [`spec`] and [`convert`].
//!
//! - [`spec`] reads and checks specs. [`convert`] makes specs from `.reg` files and other formats, and the reverse.
//! - [`targets`] contains the things to which specs are applied: this machine, a hive file, a snapshot, and others. It
//!   is built on [`registry`], [`version`], [`format`](mod@format) and [`files`].
//! - [`observe`](mod@observe) reads the facts that a spec needs from a target. [`plan`] makes a plan from them: the
//!   changes that the target needs.
//! - [`operation`] has one function for each thing that can be done to a target, such as [`diff`](operation::diff()),
//!   [`apply`](operation::apply()) and [`rollback`](operation::rollback()). The changes are recorded in a [`journal`].
//! - [`fleet`] plans many machines at once, and reports on them in one document.
//! - [`render`] formats reports, articles, journals and diagnostics ([`diag`]). It prints nothing: the caller decides
//!   where the output goes.
//!
//! # Compatibility
//!
//! The spec language and the formats of plans, journals, snapshots and reports have version numbers. As long as the
//! number is 1, they stay compatible. Each has a JSON schema in `schema/`. The exit codes ([`diag::Exit`]) and the
//! codes of diagnostics ([`diag::Code`]) also stay the same.
//!
//! The Rust interface of this crate is not stable: any release can change it. It exists for the command line and for
//! tests. If you use it, depend on an exact version. Or run `kbfix` and read its JSON report.

// Only for the library: tests may unwrap, and benchmarks print.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::exit)
)]

pub use kbfix_language::{convert, spec};
pub use kbfix_machine::{diag, files, format, parallel, registry, small_map, targets, version};

pub mod observe;
pub mod plan;
pub mod journal;
pub mod operation;
pub mod fleet;
pub mod render;
pub mod example;
