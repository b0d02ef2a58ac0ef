//! The live registry, on Windows or under Wine (tests/wine/README.md): what kbfix writes, Windows' own `reg.exe` reads,
//! and the other way round. Only scratch keys are touched: `kbfix-test-…` below `HKLM\SOFTWARE` and the user's
//! `Software`.
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
