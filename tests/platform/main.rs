//! Tests that need a system of their own: the live registry of Windows or Wine, and another machine through Samba.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, their helpers too")]

mod local;
#[path = "../support/pol.rs"]
mod policy_file;
mod smb;
#[cfg(windows)]
#[path = "../support/start.rs"]
mod start;
mod wine_kb909094;
