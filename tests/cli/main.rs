//! Tests the program as a user sees it: the output, the streams and the exit code of each command. What the commands do
//! is tested in the library.

mod about;
mod apply;
mod crash;
mod damaged;
mod diff;
mod documents;
mod dsc;
mod exit_codes;
mod fleet;
mod harness;
mod journal;
mod library;
mod kb909094;
mod max_changes;
mod names;
#[path = "../support/numbers.rs"]
mod numbers;
mod out;
mod parameters;
mod places;
mod pending;
mod reg_as_spec;
mod plans;
mod retire;
mod rollback;
mod saved;
mod sensitive;
#[path = "../support/start.rs"]
mod start;
mod streams;
mod symptoms;
mod together;
mod unseen;
mod validate;
