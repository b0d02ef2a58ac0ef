//! Tests the way from a checked spec and a target to a plan, an apply and a rollback, and the file formats of targets.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, their helpers too")]

mod baseline;
mod corpus;
mod events;
mod example;
mod fleet;
mod forms;
mod hives;
mod image;
mod library;
mod policies;
mod policy;
#[path = "../support/pol.rs"]
mod policy_file;
mod properties;
mod scenario;
mod targets;
#[path = "../support/evtx.rs"]
mod writer;
