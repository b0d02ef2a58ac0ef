//! Tests what an author does with specs: import, export and show. Each is checked with an independent reader or a
//! model.

pub(crate) mod book;
mod cli;
// These tests run a shell.
#[cfg(not(windows))]
mod console;
mod docs;
// These tests use programs that run on Linux only.
#[cfg(not(windows))]
mod editor;
#[cfg(not(windows))]
mod export;
mod import;
mod install;
#[cfg(unix)]
mod intune;
#[cfg(windows)]
mod reg_exe;
mod regedit;
