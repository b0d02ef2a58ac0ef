//! Scenarios: a spec, a machine, and the expected result, on every kind of target.
//!
//! `tests/engine/forms/*.yaml` (each form of the language) and `tests/engine/library/ID.yaml` (each spec of the
//! library) have the same YAML format. A scenario is planned. If there are changes, they are applied, planned again and
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

/// A spec, a machine, and the expected result.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What the scenario shows.
    #[serde(alias = "form")]
    pub(crate) title: String,
    /// The spec without its first three fields; `None` if the spec is in a file of its own.
    spec: Option<String>,
    /// The file of the spec.
    #[serde(skip)]
    pub(crate) file: Option<PathBuf>,
    /// The parameters, as for `--set`.
    #[serde(default)]
    pub(crate) set: BTreeMap<String, String>,
    /// Whether the triggers are requested.
    #[serde(default)]
    pub(crate) trigger: bool,
    /// `6.1.7601 SP1 server x64`: version, service pack, product (client, server, dc), processor (x86, x64).
    #[serde(default)]
    pub(crate) windows: Option<String>,
    /// The machine's keys and values in the notation of an export, without its first line.
    #[serde(default)]
    pub(crate) registry: String,
    /// The machine's files, each with its file version, or `none` for a file that is not a PE file.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// The key at which the hive for the target `hive:` is mounted.
    #[serde(default = "software")]
    pub(crate) hive: String,
    /// The kinds of target that can be such a machine; empty for all kinds.
    #[serde(default)]
    pub(crate) only: Vec<String>,
    /// The expected result.
    #[serde(flatten)]
    answer: Expected,
    /// The expected result on kinds of target that do not support the form.
    #[serde(default)]
    on: BTreeMap<String, Expected>,
}

/// The expected result of a spec.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Expected {
    /// The outcome. If absent, the outcome is changes pending if there are changes, and otherwise in desired state.
    outcome: Option<String>,
    /// A text that one of the reasons contains.
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
    /// Returns a scenario of a machine with these keys and values.
    pub(crate) fn of_registry(registry: String) -> Self {
        Self { registry, ..Self::default() }
    }

    /// Returns the text of the spec file.
    pub(crate) fn text(&self) -> String {
        match &self.file {
            Some(file) => fs::read_to_string(file).unwrap(),
            None => format!("kbfix: 1\nid: FORM\ntitle: T\n{}", self.spec.as_deref().unwrap()),
        }
    }

    /// Returns the checked spec.
    pub(crate) fn load(&self) -> Vec<Spec> {
        let text = self.text();
        let settings: Settings = self.set.iter().map(|(name, data)| (name.clone(), data.clone())).collect();
        let source = spec::Source { name: &self.title, bytes: text.as_bytes() };
        let specs = spec::load_all(&[source], &settings).into_specs();
        let mut specs = specs.unwrap_or_else(|e| panic!("{}: {e:#?}\n{text}", self.title));
        specs.iter_mut().for_each(|spec| spec.run_triggers = self.trigger);
        specs
    }

    /// Returns whether this kind of target can be such a machine.
    pub(crate) fn fits(&self, kind: Kind) -> bool {
        self.only.is_empty() || kind.names().iter().any(|kind| self.only.iter().any(|name| name == kind))
    }

    /// Returns the expected result on this kind of target.
    pub(crate) fn expected(&self, kind: Kind) -> &Expected {
        kind.names().iter().find_map(|name| self.on.get(*name)).unwrap_or(&self.answer)
    }

    /// Returns the same form with one name replaced by another.
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

    /// Returns the machine's registry as an export.
    pub(crate) fn export(&self) -> String {
        let windows = self.windows.as_deref().map(windows::keys).unwrap_or_default();
        format!("\u{feff}Windows Registry Editor Version 5.00\n\n{windows}{}\n", self.registry)
    }
}

/// Returns the `.yaml` files of a folder of the repository, sorted, each with its name without the extension.
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

/// Returns the cases that are tested on this system. On Linux these are all cases. On Windows and under Wine, where the
/// files of a machine take much longer, every eighth case is tested: the cases of one kind of target differ in their
/// plans, and not in what the system does for them.
pub(crate) fn sample<T>(cases: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
    cases.into_iter().step_by(if cfg!(windows) { 8 } else { 1 })
}

/// Reads a YAML file of the tests.
pub(crate) fn read_yaml<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn software() -> String {
    r"HKLM\SOFTWARE".to_owned()
}
