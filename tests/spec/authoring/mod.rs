//! What an author does with specs: import, export, show; each held against an independent reader or model.

mod book;
mod cli;
// It runs a shell.
#[cfg(not(windows))]
mod console;
mod docs;
// What judges in these two are Linux programs.
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
