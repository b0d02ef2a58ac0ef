//! A checked spec: parsed, with its parameters resolved, and valid in every part.

mod compatible;
mod condition;
mod desired;
mod expression;
mod keep;
mod key_name;
mod label;
mod pattern;
pub(in crate::spec) mod protected;
mod text_edit;
pub mod text_version;
mod variable;

use std::collections::{BTreeMap, BTreeSet};

use super::document::{ComputerRestart, Document};
use crate::version::Platform;

pub use condition::{
    Branch, Condition, FileTest, Literal, OsTest, OtherValue, Prerequisite, ValueAt, ValueTest, VersionTest,
};
pub use desired::{Desired, DesiredKey, KeyRule, ValueRule, comma_set};
pub use expression::Expression;
pub use keep::{Bounds, Items, Keep};
pub use key_name::{Like, NamePattern};
pub(in crate::spec) use key_name::{Piece, pieces};
pub use label::{Controls, Label};
pub use pattern::{FilePattern, KeyPattern, PathPart, PathVariable};
pub use text_edit::{Joined, PART, Replacement};
pub(in crate::spec) use variable::{is_variable_name, next_variable};

/// A checked spec with the operator's choices filled in.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The name of the spec in messages and documents.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// The origin of the spec.
    pub origin: Origin,
    /// Each parameter's data as a string, for the plan; a sensitive one is hidden.
    pub parameters: BTreeMap<String, String>,
    /// The parameters that the operator gave; the others have their default.
    pub set: BTreeSet<String>,
    /// The parameters without a default that the operator did not give, each with what to give it. Allowed data takes their
    /// place where they are used; no change is planned for such a spec.
    pub unset: BTreeMap<String, String>,
    /// The parameters whose data is shown to nobody.
    pub sensitive: BTreeSet<String>,
    /// The folders that the target knows, by name.
    pub locations: BTreeMap<String, ValueAt>,
    /// The condition under which the spec applies.
    pub applicable: Option<Condition>,
    /// The cause that the article names.
    pub cause: Option<Prerequisite>,
    /// Conditions that must hold before anything is changed.
    pub prerequisites: Vec<Prerequisite>,
    /// The update that must be installed.
    pub hotfix: Option<Hotfix>,
    /// Whether the operator asks for the triggers, so that those that are not done are written.
    pub run_triggers: bool,
    /// The registry rules, in the order of the file; a rule for both views becomes two.
    pub rules: Vec<KeyRule>,
    /// Restarts that are needed afterwards.
    pub restart: Restart,
    /// The document that the spec was made from, for [`crate::render`] and exports.
    pub document: Document,
}

impl Spec {
    /// Returns the unset parameters on which keys depend, so that not even what to read is known.
    pub fn unset_in_keys(&self) -> BTreeSet<&str> {
        let values = self.rules.iter().flat_map(KeyRule::values);
        let when = self.rules.iter().flat_map(|rule| rule.when.iter().chain(&rule.done_when));
        let when = when.chain(values.filter_map(|value| value.when.as_ref()));
        let prerequisites = self.prerequisites.iter().chain(&self.cause).map(|prerequisite| &prerequisite.condition);
        let tested = when.chain(prerequisites).chain(&self.applicable).flat_map(Condition::keys);
        let rules = self.rules.iter().map(|rule| &rule.key);
        let locations = self.locations.values().map(|at| &at.key);
        rules.chain(tested).chain(locations).filter_map(|key| key.unset.as_deref()).collect()
    }
}

/// The origin of a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file's path as given, `-` for standard input, or the name of a built-in spec.
    pub name: String,
    /// The SHA-256 of the file's bytes, in hex digits.
    pub sha256: String,
}

/// The update that must be installed.
#[derive(Debug, Clone, PartialEq)]
pub struct Hotfix {
    /// The name of the update.
    pub title: String,
    /// The files that prove it.
    pub files: Vec<HotfixFile>,
    /// The package that installs the update, if kbfix may do that.
    pub package: Option<Package>,
    /// Whether the operator supplies the package and asks for its installation.
    pub install: bool,
}

/// A package that installs a hotfix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The file name; `*` stands for any characters.
    pub file: String,
    /// The SHA-256 of the file, in lower-case hex digits.
    pub sha256: String,
    /// The arguments that install it without questions and without a restart.
    pub arguments: Vec<String>,
    /// Exit codes that mean success.
    pub success: Vec<u32>,
    /// Exit codes that mean success after which the computer must be restarted.
    pub restart: Vec<u32>,
}

/// A file of a hotfix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotfixFile {
    /// The path of the file.
    pub path: FilePattern,
    /// The file versions that are sufficient.
    pub version: VersionTest,
    /// The processor that the file is built for.
    pub platform: Option<Platform>,
}

/// Restarts that a spec asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Whether the computer must be restarted.
    pub computer: ComputerRestart,
    /// The services to restart, by service name.
    pub services: Vec<String>,
    /// A note for the operator.
    pub note: Option<String>,
}
