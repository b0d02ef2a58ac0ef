//! Many machines in one document.

mod diff;
mod file;
mod formats;
mod support;
