//! The forms, as `tests/engine/forms/*.yaml` has them.

use std::{collections::BTreeMap, fs, path::Path};

use kbfix::spec::{self, Settings, Spec};
use serde::Deserialize;

use crate::forms::machine::Kind;

/// A form of the language, in the smallest spec that has it, and a machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Form {
    /// What the form is.
    pub(crate) form: String,
    /// The spec, without its first three fields.
    spec: String,
    /// What `--set` gives.
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// The machine's keys and values as an export has them, without its first line.
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
    /// What it comes to on kinds of target that cannot carry the form.
    #[serde(default)]
    on: BTreeMap<String, Expected>,
}

/// What a spec comes to.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Expected {
    /// The outcome. Without it: changes pending where there are changes, else in desired state.
    outcome: Option<String>,
    /// What one of the reasons says.
    pub(crate) reason: Option<String>,
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

impl Form {
    /// All of them, in the order of their files.
    pub(crate) fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/forms");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
        files.sort();
        let read = |path: &Path| -> Vec<Self> {
            let text = fs::read_to_string(path).unwrap();
            serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
        files.iter().flat_map(|path| read(path)).collect()
    }

    /// The spec as a file.
    pub(crate) fn text(&self) -> String {
        format!("kbfix: 1\nid: FORM\ntitle: T\n{}", self.spec)
    }

    /// The checked spec.
    pub(crate) fn load(&self) -> Vec<Spec> {
        let text = self.text();
        let settings: Settings = self.set.iter().map(|(name, data)| (name.clone(), data.clone())).collect();
        let source = spec::Source { name: &self.form, bytes: text.as_bytes() };
        spec::load_all(&[source], &settings).into_specs().unwrap_or_else(|e| panic!("{}: {e:#?}\n{text}", self.form))
    }

    /// What the form comes to on this kind of target.
    pub(crate) fn expected(&self, kind: Kind) -> &Expected {
        self.on.get(kind.name()).unwrap_or(&self.answer)
    }

    /// The same form with another name in place of one.
    #[cfg(windows)]
    pub(crate) fn with(mut self, name: &str, other: &str) -> Self {
        let replace = |text: &mut String| *text = text.replace(name, other);
        replace(&mut self.spec);
        replace(&mut self.registry);
        for expected in self.on.values_mut().chain([&mut self.answer]) {
            replace(&mut expected.changes);
            expected.reason.iter_mut().for_each(replace);
        }
        self
    }

    /// The machine's registry as an export.
    pub(crate) fn export(&self) -> String {
        format!("\u{feff}Windows Registry Editor Version 5.00\n\n{}\n", self.registry)
    }
}

fn software() -> String {
    r"HKLM\SOFTWARE".to_owned()
}
