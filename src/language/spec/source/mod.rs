//! The text of a spec file: decodes it, parses it into a tree of places, and reads its data.
//!
//! `parse` gets the place of every node from the crate saphyr-parser, to which `characters` gives the text, and limits
//! size and depth. `meaning` gets the data from this tree, as `data` reads it, if the text is `alike` to all readers,
//! and otherwise from a second parser, the crate yaml_serde.
//! `syntax_error` and `slip` explain text that is not YAML. `readings` compares how different YAML readers interpret a
//! scalar. `findings` collects the findings with their places.

mod alike;
mod characters;
pub(in crate::spec) mod data;
pub(in crate::spec) mod findings;
pub(in crate::spec) mod meaning;
pub(in crate::spec) mod parse;
pub(in crate::spec) mod path;
pub(in crate::spec) mod reading;
pub(in crate::spec) mod readings;
mod slip;
pub(in crate::spec) mod syntax_error;
pub(in crate::spec) mod text;
pub(in crate::spec) mod tree;
pub(in crate::spec) mod yaml11;
