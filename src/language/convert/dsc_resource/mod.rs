//! kbfix as a resource of Microsoft DSC v3: its types, the manifests by which DSC finds them, and their input.
//!
//! `Kbfix/SpecList` takes a list of specs. Each spec of the library is also a separate resource, whose properties are
//! the spec's parameters; DSC calls it through the adapter `Kbfix/Adapter`. The output of the resources is made in
//! `kbfix::render::dsc`.
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

/// The type of the resource that takes a list of specs.
pub const SPEC_LIST: &str = "Kbfix/SpecList";
/// The type of the adapter, through which DSC calls the resources of the built-in specs.
pub const ADAPTER: &str = "Kbfix/Adapter";
/// The beginning (owner and group) of the type of each built-in spec's resource.
const OF_SPECS: &str = "Kbfix.Spec/";

/// A DSC resource that kbfix provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The resource `Kbfix/SpecList`, which takes a list of specs.
    SpecList,
    /// The resource of the built-in spec with this id.
    Spec(&'static str),
}

/// The error for a type that is not a resource of kbfix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a DSC resource of kbfix")]
pub struct UnknownType {
    /// The type that was asked for.
    pub name: String,
    /// The existing type that was probably meant.
    pub meant: Option<String>,
}

impl Resource {
    /// Returns all resources; the list first, then the specs by id.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::SpecList].into_iter().chain(library::ids().map(Self::Spec))
    }

    /// Returns the resource with this type. Types are compared without regard to case, as DSC does.
    ///
    /// # Errors
    /// Returns [`UnknownType`] if kbfix has no resource of this type.
    pub fn of_type(name: &str) -> Result<Self, UnknownType> {
        if let Some(resource) = Self::all().find(|resource| resource.type_name().eq_ignore_ascii_case(name)) {
            return Ok(resource);
        }
        let known: Vec<String> = Self::all().map(Self::type_name).collect();
        let meant = suggest(name, known.iter().map(String::as_str)).map(str::to_owned);
        Err(UnknownType { name: name.to_owned(), meant })
    }

    /// Returns the type by which a configuration names the resource. DSC allows only letters, digits and `_` in it, so
    /// other characters of an id become `_`.
    pub fn type_name(self) -> String {
        match self {
            Self::SpecList => SPEC_LIST.to_owned(),
            Self::Spec(id) => {
                let id: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
                format!("{OF_SPECS}{id}")
            }
        }
    }

    /// Returns the built-in spec of the resource, with its default parameters; `None` for `Kbfix/SpecList`.
    pub fn spec(self) -> Option<Spec> {
        let Self::Spec(id) = self else { return None };
        let bytes = library::find(id)?;
        spec::load(&format!("built-in {id}"), bytes, &Settings::for_validation()).spec
    }
}

#[cfg(test)]
mod tests;
