//! Tests the way from a file to a checked spec and from a spec to other formats: the spec language, its findings, its
//! schema and the documents.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, their helpers too")]

mod authoring;
mod diagnostics;
mod hostile;
mod house;
mod licences;
mod schema;
mod sensitive;
mod validate;
