//! The contract of every kind of target: the same tests on `reg:` in each of its encodings, on `snapshot:`, `image:`,
//! `hive:` and `pol:`, on Windows on `local`, and elsewhere on `smb:`. What one kind does alone is tested beside it.

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
