//! Tests the target `smb:` on a Samba server in place of Windows. `tests/engine/targets` tests what all targets have in
//! common. These tests are about what only `smb:` does.
#![cfg(unix)]

mod broken;
mod events;
mod kb909094;
mod links;
mod machine;
mod policy;
mod proxy;
mod rights;
mod secrets;
mod server;
mod troubles;
