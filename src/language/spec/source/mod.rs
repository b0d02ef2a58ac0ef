//! The text of a spec file: decodes it, parses its YAML, and reads its data.
//!
//! - `text` decodes the bytes of the file.
//! - `parse` builds a tree of the YAML nodes with their places, from the events of the crate saphyr-parser.
//!   `characters` gives this crate the text. `tree` contains the nodes.
//! - `meaning` reads the data: from this tree (through `data`) if `alike` recognizes that a second parser, the crate
//!   yaml_serde, reads the text in the same way; otherwise with this second parser.
//! - `syntax_error` and `slip` explain why a text is not YAML.
//! - `readings` compares how YAML readers interpret an unquoted scalar.
//! - `findings` collects the findings with their places. `sensitive` finds the sensitive parts of the document, and
//!   `hidden` removes them from the findings.

mod alike;
mod characters;
pub(in crate::spec) mod data;
pub(in crate::spec) mod findings;
pub(in crate::spec) mod hidden;
pub(in crate::spec) mod meaning;
pub(in crate::spec) mod parse;
pub(in crate::spec) mod path;
pub(in crate::spec) mod reading;
pub(in crate::spec) mod readings;
mod slip;
pub(in crate::spec) mod sensitive;
pub(in crate::spec) mod syntax_error;
pub(in crate::spec) mod text;
pub(in crate::spec) mod tree;
pub(in crate::spec) mod yaml11;
