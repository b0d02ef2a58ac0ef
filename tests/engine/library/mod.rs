//! Tests the library of specs: each spec on the machines that `tests/engine/library/ID.yaml` describes, on every kind
//! of target.

mod facts;
mod machines;
mod table;
mod users;
mod yaml11;

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

use crate::scenario::{Scenario, read_yaml, yaml_files};

/// `tests/engine/library/ID.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    /// Parameters, as `--set` takes them.
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// Outcomes that no machine can have, each with the reason.
    #[serde(default)]
    without: BTreeMap<String, String>,
    machines: Vec<Scenario>,
}

impl Fixture {
    /// Returns the machines on which a spec is tested; `None` if it has no file.
    fn of(id: &str, spec: &std::path::Path) -> Option<Self> {
        let (_, path): (String, PathBuf) =
            yaml_files("tests/engine/library").into_iter().find(|(name, _)| name == id)?;
        let mut fixture: Self = read_yaml(&path);
        for machine in &mut fixture.machines {
            machine.file = Some(spec.to_owned());
            for (name, data) in &fixture.set {
                machine.set.entry(name.clone()).or_insert_with(|| data.clone());
            }
        }
        Some(fixture)
    }
}
