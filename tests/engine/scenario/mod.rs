//! Scenarios: a spec, a machine, and what the one makes of the other, on every kind of target.
//!
//! The one YAML format of `tests/engine/forms/*.yaml` (each form of the language) and `tests/engine/library/ID.yaml`
//! (each spec of the library). A scenario is planned; where something has to change, it is applied, planned again and
//! rolled back.

pub(crate) mod content;
pub(crate) mod cycle;
pub(crate) mod machine;
mod windows;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use kbfix::spec::{self, Settings, Spec};
use serde::Deserialize;

use machine::Kind;

/// A spec, a machine, and what it comes to.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What the scenario shows.
    #[serde(alias = "form")]
    pub(crate) title: String,
    /// The spec, without its first three fields. None where it stands in a file of its own.
    spec: Option<String>,
    /// That file.
    #[serde(skip)]
    pub(crate) file: Option<PathBuf>,
    /// What `--set` gives.
    #[serde(default)]
    pub(crate) set: BTreeMap<String, String>,
    /// Whether the operator asks for the triggers.
    #[serde(default)]
    pub(crate) trigger: bool,
    /// `6.1.7601 SP1 server x64`: version, service pack, product (client, server, dc), processor (x86, x64).
    #[serde(default)]
    pub(crate) windows: Option<String>,
    /// The machine's keys and values as an export has them, without its first line.
    #[serde(default)]
    pub(crate) registry: String,
    /// The machine's files, each with its file version; `none` for one that is no PE.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// Where the one hive is mounted that the target `hive:` has of the machine.
    #[serde(default = "software")]
    pub(crate) hive: String,
    /// The kinds of target that can be such a machine; empty: each.
    #[serde(default)]
    pub(crate) only: Vec<String>,
    /// What it comes to.
    #[serde(flatten)]
    answer: Expected,
    /// What it comes to on kinds of target that cannot carry it.
    #[serde(default)]
    on: BTreeMap<String, Expected>,
}

/// What a spec comes to.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Expected {
    /// The outcome. Without it: changes pending where there are changes, else in desired state.
    outcome: Option<String>,
    /// What one of the reasons says.
    pub(crate) reason: Option<String>,
    /// The rules and values with an id, each with `met` or `unmet`.
    #[serde(default)]
    pub(crate) named: BTreeMap<String, String>,
    /// The changes, as hunks of the diff.
    #[serde(default)]
    pub(crate) changes: String,
}

impl Expected {
    pub(crate) fn outcome(&self) -> &str {
        match &self.outcome {
            Some(outcome) => outcome,
            None if self.changes.is_empty() => "in_desired_state",
            None => "changes_pending",
        }
    }
}

impl Scenario {
    /// A machine that has these keys and values.
    pub(crate) fn of_registry(registry: String) -> Self {
        Self { registry, ..Self::default() }
    }

    /// The spec as a file.
    pub(crate) fn text(&self) -> String {
        match &self.file {
            Some(file) => fs::read_to_string(file).unwrap(),
            None => format!("kbfix: 1\nid: FORM\ntitle: T\n{}", self.spec.as_deref().unwrap()),
        }
    }

    /// The checked spec.
    pub(crate) fn load(&self) -> Vec<Spec> {
        let text = self.text();
        let settings: Settings = self.set.iter().map(|(name, data)| (name.clone(), data.clone())).collect();
        let source = spec::Source { name: &self.title, bytes: text.as_bytes() };
        let specs = spec::load_all(&[source], &settings).into_specs();
        let mut specs = specs.unwrap_or_else(|e| panic!("{}: {e:#?}\n{text}", self.title));
        specs.iter_mut().for_each(|spec| spec.run_triggers = self.trigger);
        specs
    }

    /// Whether this kind of target can be such a machine.
    pub(crate) fn fits(&self, kind: Kind) -> bool {
        self.only.is_empty() || kind.names().iter().any(|kind| self.only.iter().any(|name| name == kind))
    }

    /// What the form comes to on this kind of target.
    pub(crate) fn expected(&self, kind: Kind) -> &Expected {
        kind.names().iter().find_map(|name| self.on.get(*name)).unwrap_or(&self.answer)
    }

    /// The same form with another name in place of one.
    #[cfg(windows)]
    pub(crate) fn with(mut self, name: &str, other: &str) -> Self {
        let replace = |text: &mut String| *text = text.replace(name, other);
        self.spec.iter_mut().for_each(replace);
        replace(&mut self.registry);
        for expected in self.on.values_mut().chain([&mut self.answer]) {
            replace(&mut expected.changes);
            expected.reason.iter_mut().for_each(replace);
        }
        self
    }

    /// The machine's registry as an export.
    pub(crate) fn export(&self) -> String {
        let windows = self.windows.as_deref().map(windows::keys).unwrap_or_default();
        format!("\u{feff}Windows Registry Editor Version 5.00\n\n{windows}{}\n", self.registry)
    }
}

/// The `.yaml` files of a folder of the repository, each with its name without the ending, sorted.
pub(crate) fn yaml_files(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    files.sort();
    files
}

/// The cases that are tested on this system: all on Linux. On Windows, and under Wine, where the files of a machine take far
/// longer, one in eight: cases of one kind of target differ in what is planned, and not in what the system does for them.
pub(crate) fn sample<T>(cases: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
    cases.into_iter().step_by(if cfg!(windows) { 8 } else { 1 })
}

/// A document of the tests.
pub(crate) fn read_yaml<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn software() -> String {
    r"HKLM\SOFTWARE".to_owned()
}
