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

/// A checked spec, with the operator's choices filled in.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The id of the spec, by which messages and documents name it.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// The file that the spec comes from.
    pub origin: Origin,
    /// The data of each parameter as a string, for the plan. The data of sensitive parameters is hidden.
    pub parameters: BTreeMap<String, String>,
    /// The parameters that the operator set; the others have their default.
    pub set: BTreeSet<String>,
    /// The unset parameters without a default, each with a text that says what the operator can give. Where such a
    /// parameter is used, allowed data takes its place, but no changes are planned for the spec.
    pub unset: BTreeMap<String, String>,
    /// The parameters whose data is sensitive.
    pub sensitive: BTreeSet<String>,
    /// The folders whose paths the target stores, by the name that the spec gives them.
    pub locations: BTreeMap<String, ValueAt>,
    /// The condition under which the spec applies.
    pub applicable: Option<Condition>,
    /// The cause that the article names, if the spec gives one.
    pub cause: Option<Prerequisite>,
    /// The conditions that must be true before anything is changed.
    pub prerequisites: Vec<Prerequisite>,
    /// The update that must be installed.
    pub hotfix: Option<Hotfix>,
    /// Whether the operator requests the triggers of the spec, so that those that are not done yet are written.
    pub run_triggers: bool,
    /// The registry rules, in the order of the file. A rule for both views becomes two rules.
    pub rules: Vec<KeyRule>,
    /// The restarts that are needed after the changes.
    pub restart: Restart,
    /// The document from which the spec was made, for `kbfix::render` and for exports.
    pub document: Document,
}

impl Spec {
    /// Returns the unset parameters that are part of keys. Without them it is not known which keys to read.
    pub fn unset_in_keys(&self) -> BTreeSet<&str> {
        let values = self.rules.iter().flat_map(KeyRule::values);
        let when = self.rules.iter().flat_map(|rule| [rule.when.as_deref(), rule.done_when.as_deref()]).flatten();
        let when = when.chain(values.filter_map(|value| value.when.as_deref()));
        let prerequisites = self.prerequisites.iter().chain(&self.cause).map(|prerequisite| &prerequisite.condition);
        let tested = when.chain(prerequisites).chain(&self.applicable).flat_map(Condition::keys);
        let rules = self.rules.iter().map(|rule| &rule.key);
        let locations = self.locations.values().map(|at| &at.key);
        rules.chain(tested).chain(locations).filter_map(|key| key.unset.as_deref()).collect()
    }
}

/// The file that a spec comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The path of the file as the user gave it, `-` for standard input, or the name of a built-in spec.
    pub name: String,
    /// The SHA-256 of the file's bytes, in hex digits.
    pub sha256: String,
}

/// The update that must be installed.
#[derive(Debug, Clone, PartialEq)]
pub struct Hotfix {
    /// The name of the update.
    pub title: String,
    /// The files whose versions show that the update is installed.
    pub files: Vec<HotfixFile>,
    /// The package that installs the update, if kbfix may install it.
    pub package: Option<Package>,
    /// Whether the operator supplies the package and requests its installation.
    pub install: bool,
}

/// A package that installs a hotfix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The name of the package file; `*` matches any characters.
    pub file: String,
    /// The SHA-256 of the file, in lower-case hex digits.
    pub sha256: String,
    /// The command-line arguments that make the package install without questions and without a restart.
    pub arguments: Vec<String>,
    /// Exit codes that mean success.
    pub success: Vec<u32>,
    /// Exit codes that mean success and that the computer must be restarted.
    pub restart: Vec<u32>,
}

/// A file of the update, with the version that shows that the update is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotfixFile {
    /// The path of the file.
    pub path: FilePattern,
    /// The accepted file versions.
    pub version: VersionTest,
    /// The processor for which the file must be built.
    pub platform: Option<Platform>,
}

/// The restarts that a spec requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Whether the computer must be restarted.
    pub computer: ComputerRestart,
    /// The services to restart, by service name.
    pub services: Vec<String>,
    /// A note for the operator.
    pub note: Option<String>,
}
