//! Many machines in one document.

mod diff;
mod file;
mod support;
