//! The paths of files, as facts contain them.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::name;

/// The path of a file. Paths that differ only in upper and lower case are equal.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct FilePath(pub String);

impl PartialEq for FilePath {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for FilePath {}
impl PartialOrd for FilePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for FilePath {
    fn cmp(&self, other: &Self) -> Ordering {
        name::compare(&self.0, &other.0)
    }
}
