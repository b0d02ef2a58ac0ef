//! Converts between specs and the formats of other tools: `import` makes specs from other formats, and `export` writes
//! specs in other formats.

pub mod dsc_resource;
pub mod export;
pub mod import;
pub(crate) mod yaml;
