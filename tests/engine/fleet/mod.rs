//! Many machines in one document.

mod bundle;
mod diff;
mod file;
mod formats;
mod support;
