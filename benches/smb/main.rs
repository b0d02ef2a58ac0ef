//! Measures the target `smb:` on a Samba server on the loopback interface, from kbfix's start to its end: `cargo bench
//! --bench smb`.
//!
//! The work is KB909094 on a front-end server, and 1,000 values in one key and in 100 keys. For comparison, two ways
//! that a script could use are measured: a loop of `net rpc registry getvalue`, which needs one process and one logon
//! for each value, shows no bytes of REG_BINARY and makes no plan; and one `net rpc registry export`, which reads
//! everything below the key.
//!
//! The time is the shortest of several runs; the loop runs once. The measurement does not fail because something is
//! slow.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to recover for")]

#[cfg(unix)]
mod loopback;
// These modules refer to each other by their paths in the crate, as in the tests.
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
