//! The commands: one file for each (for `fleet`, a folder), with the name of the command.

pub(in crate::cli) mod apply;
pub(in crate::cli) mod completions;
pub(in crate::cli) mod diff;
pub(in crate::cli) mod dsc;
pub(in crate::cli) mod example;
pub(in crate::cli) mod export;
pub(in crate::cli) mod fleet;
pub(in crate::cli) mod hive;
pub(in crate::cli) mod import;
pub(in crate::cli) mod journal;
pub(in crate::cli) mod library;
pub(in crate::cli) mod man;
pub(in crate::cli) mod retire;
pub(in crate::cli) mod rollback;
pub(in crate::cli) mod schema;
pub(in crate::cli) mod show;
pub(in crate::cli) mod snapshot;
pub(in crate::cli) mod symptoms;
pub(in crate::cli) mod validate;
