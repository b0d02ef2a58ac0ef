//! Specs: a YAML file becomes a checked [`Spec`], or the findings that say why not.
//!
//! The way of a file: [`document`] is the language as serde and schemars know it; the schema layer and the meaning layer
//! check it; [`model`] is what comes out. Imports only `registry`, `version` and `diag`.

pub mod document;
pub mod model;

use std::collections::BTreeMap;

pub use model::Spec;

/// What the operator chose for parameters: name and data as text. A name that no spec of the run declares is an error.
pub type Settings = BTreeMap<String, String>;
