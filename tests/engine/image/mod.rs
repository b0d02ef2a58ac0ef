//! Tests the targets `image:DIR` and `hive:FILE=KEY`, on volumes that the tests create and on real hives
//! (../shared/hives; skipped if absent). If hivexget is installed, it also reads what was written.
//!
//! `KBFIX_KILLS` is the number of applies that are killed at a random instant (30), `KBFIX_DAMAGED` that of damaged
//! hives that are changed (120).

// Names that differ in case only, links and signals are tested, and the independent readers are Linux programs.
#![cfg(not(windows))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, their helpers too")]

mod bounds;
mod crash;
mod damaged;
mod dirty;
mod files;
mod kb;
mod keys;
mod ntfs;
mod properties;
mod real;
mod support;
