//! Tests what all kinds of target have in common: the same tests run on `reg:` in each encoding, on `snapshot:`,
//! `image:`, `hive:` and `pol:`, on Windows also on `local`, and on other systems also on `smb:`. Other tests cover
//! what only one kind does.

mod apply;
mod control_sets;
mod bytes;
mod changes;
mod kinds;
mod locks;
mod pol;
mod states;

#[cfg(unix)]
#[path = "../../platform/smb/server.rs"]
mod server;
