//! kbfix as a resource of Microsoft DSC v3: the types of its resources, the manifests through which DSC finds them, and
//! their input.
//!
//! `Kbfix/SpecList` takes a list of specs. Each built-in spec is also a separate resource, whose properties are the
//! parameters of the spec; DSC calls it through the adapter `Kbfix/Adapter`. The module `kbfix::render::dsc` creates
//! the output of the resources.
//!
//! Source: PowerShell/DSC, `lib/dsc-lib/src/dscresources/resource_manifest.rs` and `command_resource.rs`.

mod instance;
mod manifest;
mod schema;

pub use instance::{InputError, Instance, SpecText};
pub use manifest::{FILE, manifests};
pub use schema::schema;

use crate::{
    diag::text::suggest,
    spec::{self, Settings, Spec, library},
};

/// The type name of the resource that takes a list of specs.
pub const SPEC_LIST: &str = "Kbfix/SpecList";
/// The type name of the adapter through which DSC calls the resources of the built-in specs.
pub const ADAPTER: &str = "Kbfix/Adapter";
/// The prefix (owner and group) in the type name of the resource of each built-in spec.
const OF_SPECS: &str = "Kbfix.Spec/";

/// A DSC resource that kbfix provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The resource `Kbfix/SpecList`, which takes a list of specs.
    SpecList,
    /// The resource of the built-in spec with this id.
    Spec(&'static str),
}

/// The error if kbfix has no DSC resource with the requested type name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a DSC resource of kbfix")]
pub struct UnknownType {
    /// The requested type name.
    pub name: String,
    /// The existing type name that the user probably meant; `None` if no name is similar.
    pub meant: Option<String>,
}

impl Resource {
    /// Returns all resources: first `Kbfix/SpecList`, then the resource of each built-in spec, sorted by id.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::SpecList].into_iter().chain(library::ids().map(Self::Spec))
    }

    /// Returns the resource with the type name `name`. Letter case is ignored, as DSC ignores it.
    ///
    /// # Errors
    /// Returns [`UnknownType`] if kbfix has no resource with this type name.
    pub fn of_type(name: &str) -> Result<Self, UnknownType> {
        if let Some(resource) = Self::all().find(|resource| resource.type_name().eq_ignore_ascii_case(name)) {
            return Ok(resource);
        }
        let known: Vec<String> = Self::all().map(Self::type_name).collect();
        let meant = suggest(name, known.iter().map(String::as_str)).map(str::to_owned);
        Err(UnknownType { name: name.to_owned(), meant })
    }

    /// Returns the type name of the resource. For the resource of a built-in spec, the name ends with the id of the
    /// spec. DSC allows only letters, digits and `_` there, so other characters of the id become `_`.
    pub fn type_name(self) -> String {
        match self {
            Self::SpecList => SPEC_LIST.to_owned(),
            Self::Spec(id) => {
                let id: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
                format!("{OF_SPECS}{id}")
            }
        }
    }

    /// Returns the built-in spec of the resource; `None` for `Kbfix/SpecList`, and if no built-in spec has the id. The
    /// parameters of the spec have no settings: those without a default are unset.
    pub fn spec(self) -> Option<Spec> {
        let Self::Spec(id) = self else { return None };
        let bytes = library::find(id)?;
        spec::load(&format!("built-in {id}"), bytes, &Settings::for_validation()).spec
    }
}

#[cfg(test)]
mod tests;
