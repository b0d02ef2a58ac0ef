//! The questions about keys that could not be read.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    registry::ValueName,
    targets::{KeyQuery, ValueSelection},
};

/// The question that was asked about a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The names of the values that kbfix asked for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    values: BTreeSet<ValueName>,
    /// Whether kbfix asked for all values of the key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all_values: bool,
    /// Whether kbfix asked for the names of the subkeys.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    subkeys: bool,
}

impl Asked {
    pub(super) fn by(query: &KeyQuery) -> Self {
        let values = match &query.values {
            ValueSelection::All => BTreeSet::new(),
            ValueSelection::Names(names) => names.clone(),
        };
        Self { values, all_values: query.values == ValueSelection::All, subkeys: query.subkeys }
    }

    pub(super) fn question(self) -> (ValueSelection, bool) {
        (if self.all_values { ValueSelection::All } else { ValueSelection::Names(self.values) }, self.subkeys)
    }
}
