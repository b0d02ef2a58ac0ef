//! The language of kbfix: specs, and the conversion from and to other formats.
//!
//! This crate is a part of `kbfix`, which gives out all its modules; use that crate. It is compiled on its own so that
//! the parts of kbfix compile at the same time.
//!
//! - [`spec`] reads and checks specs.
//! - [`convert`] makes specs from `.reg` files and other formats, and the reverse.

// Only for the library: tests may unwrap, and benchmarks print.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::exit)
)]

use kbfix_machine::{diag, format, parallel, registry, targets, version};

pub mod spec;
pub mod convert;
