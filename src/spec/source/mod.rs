//! The text of a spec file: decoded, parsed into a tree of places, and read for its meaning.
//!
//! Two YAML parsers read a file. `meaning` takes the data from yaml_serde; `parse` takes the place of every node from saphyr-parser,
//! keeps the limits of size and depth, and `syntax_error` explains what is not YAML. `readings` knows how other readers
//! of YAML take a scalar, and `findings` collects what is wrong with its place in the file.

pub(in crate::spec) mod findings;
pub(in crate::spec) mod meaning;
pub(in crate::spec) mod parse;
pub(in crate::spec) mod path;
pub(in crate::spec) mod readings;
pub(in crate::spec) mod syntax_error;
pub(in crate::spec) mod text;
pub(in crate::spec) mod tree;
