//! The target `smb:` on a Samba server on loopback, from kbfix's start to its end: `cargo bench --bench smb`.
//!
//! KB909094 on a front-end server, and 1,000 values: in one key, and in 100. The peers are what a script would take: a
//! loop of `net rpc registry getvalue`, one process and one logon for each value, which shows no bytes of REG_BINARY
//! and knows no plan; and one `net rpc registry export`, which takes all that is below the key.
//!
//! Time is the least of several runs; a peer's loop runs once. Nothing here fails by being slow.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to recover for")]

#[cfg(unix)]
mod loopback;
// They call each other as parts of the crate, as in the tests.
#[cfg(unix)]
#[path = "../../tests/platform/smb/machine.rs"]
mod machine;
#[cfg(unix)]
#[path = "../../tests/platform/smb/server.rs"]
mod server;

fn main() {
    #[cfg(unix)]
    loopback::run();
    #[cfg(not(unix))]
    println!("SKIPPED: smb: is a target on Unix only");
}
