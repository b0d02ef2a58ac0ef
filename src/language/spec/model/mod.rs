//! A checked spec: all its parts are valid, and its parameters are replaced with data.

mod compatible;
mod condition;
mod desired;
mod expression;
mod keep;
mod key_name;
mod label;
mod pattern;
pub(in crate::spec) mod protected;
mod secret_data;
mod text_edit;
pub mod text_version;
mod variable;
mod varying;

use std::collections::{BTreeMap, BTreeSet};

use super::document::{ComputerRestart, Document};
use crate::version::Platform;

pub use condition::{
    Branch, Condition, FileTest, Literal, OsTest, OtherValue, Prerequisite, ValueAt, ValueTest, VersionTest,
};
pub use desired::{Desired, DesiredKey, KeyRule, ValueRule, Varying, comma_set};
pub use expression::Expression;
pub use keep::{Bounds, Items, Keep};
pub use key_name::{Like, NamePattern};
pub(in crate::spec) use key_name::{Piece, pieces};
pub use label::{Controls, Label};
pub use pattern::{FilePattern, KeyPattern, PathPart, PathVariable, Unset};
pub use text_edit::{Joined, PART, Replacement};
pub(in crate::spec) use variable::{is_variable_name, next_variable};

/// A checked spec. Its rules and conditions contain data in place of parameters: the operator's setting, otherwise the
/// default, otherwise example data (see [`Self::unset`]).
#[derive(Debug, Clone)]
pub struct Spec {
    /// The id of the spec.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// The file from which the spec was read.
    pub origin: Origin,
    /// The data of each parameter that is not in `unset`, as a string, by parameter name. Commas separate the items of
    /// a list. Sensitive data is replaced with a fixed text.
    pub parameters: BTreeMap<String, String>,
    /// The names of the parameters that the operator set. The other parameters have their default, or are in `unset`.
    pub set: BTreeSet<String>,
    /// The names of the parameters that have neither a setting of the operator nor a default, each with a text that
    /// says what the operator can set. The rules contain example data for such a parameter, but kbfix plans no changes
    /// for the spec.
    pub unset: BTreeMap<String, String>,
    /// The names of the parameters whose data is sensitive.
    pub sensitive: BTreeSet<String>,
    /// The registry values that contain the paths of folders, by the name that the spec gives the folder.
    pub locations: BTreeMap<String, ValueAt>,
    /// The condition that decides whether the spec is applicable to the target; `None` if the spec is always
    /// applicable.
    pub applicable: Option<Condition>,
    /// The cause that the article names; `None` if the spec gives no cause.
    pub cause: Option<Prerequisite>,
    /// The conditions that must be true before kbfix makes the changes of the spec.
    pub prerequisites: Vec<Prerequisite>,
    /// The update that must be installed; `None` if the spec requires none.
    pub hotfix: Option<Hotfix>,
    /// Whether the operator requests the triggers of this spec. Otherwise kbfix writes no trigger.
    pub run_triggers: bool,
    /// The rules for keys and values, in the order of the file. A rule for both views becomes two rules.
    pub rules: Vec<KeyRule>,
    /// The restarts that the spec requires after its changes.
    pub restart: Restart,
    /// The document from which the spec was made. Its `registry` is empty if the spec was loaded with
    /// [`load_rules`](crate::spec::load_rules).
    pub document: Document,
}

impl Spec {
    /// Returns the names of the unset parameters that are part of keys: the keys of rules, conditions and locations.
    /// Without the data of these parameters, kbfix does not know which keys to read.
    pub fn unset_in_keys(&self) -> BTreeSet<&str> {
        let values = self.rules.iter().flat_map(KeyRule::values);
        let when = self.rules.iter().flat_map(|rule| [rule.when.as_deref(), rule.done_when.as_deref()]).flatten();
        let when = when.chain(values.filter_map(|value| value.when.as_deref()));
        let prerequisites = self.prerequisites.iter().chain(&self.cause).map(|prerequisite| &prerequisite.condition);
        let tested = when.chain(prerequisites).chain(&self.applicable).flat_map(Condition::keys);
        let rules = self.rules.iter().map(|rule| &rule.key);
        let locations = self.locations.values().map(|at| &at.key);
        let unset = rules.chain(tested).chain(locations).filter_map(|key| key.unset.as_deref());
        unset.flat_map(|unset| &unset.parameters).map(String::as_str).collect()
    }
}

/// The file or other source from which a spec was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The path of the file as the user gave it, `-` for standard input, or another name for messages, such as
    /// `built-in KB909094`.
    pub name: String,
    /// The SHA-256 of the file's bytes, in lower-case hex digits.
    pub sha256: String,
}

/// The update that a spec requires.
#[derive(Debug, Clone, PartialEq)]
pub struct Hotfix {
    /// The name of the update; the id of the spec if the spec gives the update no name.
    pub title: String,
    /// The files of the update. Their versions show whether the update is installed.
    pub files: Vec<HotfixFile>,
    /// The package that installs the update; `None` if the spec names no package, so that kbfix cannot install it.
    pub package: Option<Package>,
    /// Whether the operator supplies the package and requests its installation.
    pub install: bool,
}

/// A package that installs a hotfix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The name of the package file, for people; `*` stands for any characters.
    pub file: String,
    /// The SHA-256 of the file, in lower-case hex digits.
    pub sha256: String,
    /// The command-line arguments that make the package install without questions and without a restart.
    pub arguments: Vec<String>,
    /// The exit codes that mean success.
    pub success: Vec<u32>,
    /// The exit codes that mean success, but also that the computer must be restarted.
    pub restart: Vec<u32>,
}

/// A file of the update, with the version that shows that the update is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotfixFile {
    /// The path of the file.
    pub path: FilePattern,
    /// The accepted file versions.
    pub version: VersionTest,
    /// The processor for which the file must be built; `None` if every processor is accepted.
    pub platform: Option<Platform>,
}

/// The restarts that a spec requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Whether the computer must be restarted; this can also be unknown.
    pub computer: ComputerRestart,
    /// The services to restart, by service name.
    pub services: Vec<String>,
    /// A note for the operator about the restarts; `None` if there is no note.
    pub note: Option<String>,
}
