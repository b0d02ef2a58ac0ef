//! Tests the live registry, on Windows or under Wine (tests/wine/README.md): `reg.exe` reads what kbfix writes, and
//! kbfix reads what `reg.exe` writes. Only scratch keys are changed: `kbfix-test-…` below `HKLM\SOFTWARE` and the
//! user's `Software`.
#![cfg(windows)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "clippy takes only #[test] functions for tests")]

mod bytes;
mod changes;
mod events;
mod export;
mod files;
mod hotfix;
mod keys;
mod library;
mod links;
mod machine;
mod owners;
mod policy;
mod replace;
mod scratch;
mod secured;
mod services;
mod users;
mod volatile;
