//! Converts between specs and the formats of other tools: `import` makes specs from these formats, `export` makes files
//! in these formats from specs, and `dsc_resource` makes kbfix a resource of Microsoft DSC.

pub mod dsc_resource;
pub mod export;
pub mod import;
pub(crate) mod yaml;
