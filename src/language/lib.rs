//! The language of kbfix: specs, and conversions between specs and other formats.
//!
//! Programs use the crate `kbfix`, which exports all modules of this crate. This crate exists only so that cargo can
//! compile the parts of kbfix in parallel.
//!
//! - [`spec`] reads and checks specs.
//! - [`convert`] makes specs from files of other tools, such as `.reg` files, exports specs for other tools, and
//!   describes the DSC resources of kbfix.

// Only for the library: tests may unwrap, and benchmarks print.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::exit)
)]

use kbfix_machine::{diag, format, parallel, registry, targets, version};

pub mod spec;
pub mod convert;
