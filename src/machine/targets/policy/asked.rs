//! The JSON form of the values for which policy stores were queried: a list of keys, each with value names.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    registry::{Key, ValueName},
    small_map::SmallSet,
};

use super::Values;

/// The values of one key for which policy stores were queried.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AskedValues")]
pub(super) struct Entry {
    /// The key.
    #[serde(flatten)]
    key: Key,
    /// The value names.
    #[schemars(with = "BTreeSet<ValueName>")]
    names: SmallSet<ValueName>,
}

#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    key: &'a Key,
    names: &'a SmallSet<ValueName>,
}

pub(super) fn serialize<S: Serializer>(values: &Values, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().map(|(key, names)| Written { key, names }))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Values, D::Error> {
    let mut values = Values::new();
    for Entry { key, names } in Vec::<Entry>::deserialize(from)? {
        if let Some(known) = values.insert(key.clone(), names) {
            return Err(D::Error::custom(format!("{key} is given twice, first with {} values", known.len())));
        }
    }
    Ok(values)
}
