//! Tests registry hives: real hives (in ../shared/hives; skipped if absent) and hives that the tests create.
//!
//! `KBFIX_EDITS` is the number of random edits on each hive (10,000 in a full run), `KBFIX_FUZZ_SECONDS` the time that
//! each mutation loop takes. Both are small by default. `KBFIX_PYTHON` names a Python that has the independent readers
//! (regipy, python-registry, libregf-python; `tests/run` puts one into target/tools); without one, comparisons with
//! them are skipped. `KBFIX_READERS` chooses among them. regipy needs minutes for a hive of 12 MB, so `tests/run` omits
//! it. To run it for all hives, before and after random edits:
//!
//! ```sh
//! KBFIX_PYTHON=$PWD/target/tools/python/bin/python KBFIX_READERS=regipy KBFIX_EDITS=2000 \
//!     cargo test --test engine -- --nocapture hives::real::all hives::edits::random
//! ```

// Hives are the same bytes on every system, and the independent readers are Linux programs.
#![cfg(not(windows))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, their helpers too")]

mod create;
mod edits;
mod fuzz;
mod model;
mod on_demand;
mod readers;
mod real;
mod recovery;
mod sizes;
pub(crate) mod support;
