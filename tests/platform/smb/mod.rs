//! The target `smb:`, on a Samba server that stands in for Windows. Its contract is tested with that of all targets
//! (`tests/targets/`); here is what it does alone.
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
