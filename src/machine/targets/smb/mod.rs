//! The target `smb://HOST`: another Windows machine. Its registry is accessed over MS-RRP, and its files through its
//! administrative shares.
//!
//! Samba implements both protocols: `protocol` uses Samba's Python bindings for the registry, and `files` its program
//! smbclient for files. Samba's `net rpc registry` is not used: its `import` opens keys for reading and then writes to
//! them, which every Windows denies (`net_rpc_registry.c`, at least up to Samba 4.17), its `setvalue` supports two
//! types, and its `export` reads everything below a key.
//!
//! An exchange about the registry uses one connection and one logon for any number of questions. Changes are first
//! checked and then made in another exchange. Of the users' hives, only those that the machine has loaded can be read.

mod remote_host;
#[cfg(unix)]
mod events;
#[cfg(unix)]
mod files;
#[cfg(unix)]
mod program;
#[cfg(unix)]
mod read;
#[cfg(unix)]
mod remote;
#[cfg(unix)]
mod settings;
#[cfg(unix)]
mod logon;
#[cfg(unix)]
mod status;
mod remote_error;
#[cfg(unix)]
mod protocol;
#[cfg(unix)]
mod write;

#[cfg(unix)]
use remote::Connection;
#[cfg(unix)]
pub use remote::SmbTarget;
pub use remote_error::Trouble;
pub use remote_host::{Host, HostError};
#[cfg(unix)]
pub use settings::Settings;
