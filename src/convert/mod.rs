//! Converts between specs and the formats of other tools: import reads them, export writes them.

pub mod dsc_resource;
pub mod export;
pub mod import;
pub(crate) mod yaml;
