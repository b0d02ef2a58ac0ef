//! Converts between specs and the formats of other tools: `import` makes specs from files of other tools, `export`
//! makes files for other tools from specs, and `dsc_resource` makes kbfix a resource of Microsoft DSC.

pub mod dsc_resource;
pub mod export;
pub mod import;
pub(crate) mod yaml;
