//! kbfix keeps Windows machines in the state that a Microsoft Knowledge Base article asks for.
//!
//! The modules stand in the order in which data flows, and import only what stands above them. A [`spec`] is read; the
//! [`targets`] answer what the spec asks ([`observe`]); the difference becomes a [`plan`]; its changes are written into a
//! [`journal`] and made ([`operation`], with steps beside the registry where asked); many machines together are a
//! [`fleet`]; [`render`] shows all of it. The command line is not here but in the binary.

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
