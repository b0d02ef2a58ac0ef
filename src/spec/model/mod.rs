//! A checked spec: parsed, its parameters resolved, nothing left that could be invalid.

mod condition;
mod desired;
mod keep;
mod key_name;
mod pattern;
pub(in crate::spec) mod protected;
mod variable;

use std::collections::{BTreeMap, BTreeSet};

use super::document::{ComputerRestart, Document};
use crate::version::Platform;

pub use condition::{Branch, Condition, FileTest, Literal, OsTest, Prerequisite, ValueAt, ValueTest, VersionTest};
pub use desired::{Desired, DesiredKey, KeyRule, ValueRule, comma_set};
pub use keep::{Bounds, Keep};
pub use key_name::{Like, NamePattern};
pub(in crate::spec) use key_name::{Piece, pieces};
pub use pattern::{FilePattern, KeyPattern, PathPart, PathVariable};
pub(in crate::spec) use variable::{is_variable_name, next_variable};

/// A spec whose meaning was checked, with the operator's choices put in.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The name by which messages and documents call it.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// Where it was read from.
    pub origin: Origin,
    /// Each parameter's data, as text, for the plan.
    pub parameters: BTreeMap<String, String>,
    /// The parameters that the operator gave; the others have their default.
    pub set: BTreeSet<String>,
    /// The parameters without default that the operator did not give, each with what to do. Where they are used, data stands
    /// for one that they allow; no change is planned for such a spec.
    pub unset: BTreeMap<String, String>,
    /// The parameters that are shown to nobody.
    pub sensitive: BTreeSet<String>,
    /// The folders that the target knows, by name.
    pub locations: BTreeMap<String, ValueAt>,
    /// Where this does not hold, the spec is not applicable.
    pub applicable: Option<Condition>,
    /// What must hold before anything is changed.
    pub prerequisites: Vec<Prerequisite>,
    /// The update that must be installed.
    pub hotfix: Option<Hotfix>,
    /// What must hold in the registry, in the order of the file; two views are two rules.
    pub rules: Vec<KeyRule>,
    /// What has to be restarted.
    pub restart: Restart,
    /// The document it came from, for [`crate::render`] and exports.
    pub document: Document,
}

impl Spec {
    /// Returns the parameters that are not set and that keys depend on, so that not even what to read is known.
    pub fn unset_in_keys(&self) -> BTreeSet<&str> {
        let values = self.rules.iter().flat_map(|rule| match &rule.desired {
            DesiredKey::Values(values) => values.as_slice(),
            DesiredKey::Absent(_) | DesiredKey::Present => &[],
        });
        let when = self.rules.iter().filter_map(|rule| rule.when.as_ref());
        let when = when.chain(values.filter_map(|value| value.when.as_ref()));
        let prerequisites = self.prerequisites.iter().map(|prerequisite| &prerequisite.condition);
        let tested = when.chain(prerequisites).chain(&self.applicable).flat_map(Condition::keys);
        let rules = self.rules.iter().map(|rule| &rule.key);
        let locations = self.locations.values().map(|at| &at.key);
        rules.chain(tested).chain(locations).filter_map(|key| key.unset.as_deref()).collect()
    }
}

/// Where a spec was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file's path as given, `-` for standard input, or the name of a built-in spec.
    pub name: String,
    /// The SHA-256 of its bytes, in hex digits.
    pub sha256: String,
}

/// The update that must be installed.
#[derive(Debug, Clone, PartialEq)]
pub struct Hotfix {
    /// What it is called.
    pub title: String,
    /// Its files.
    pub files: Vec<HotfixFile>,
    /// The package that installs it, where kbfix may do that.
    pub package: Option<Package>,
    /// Whether the operator supplies the package and asks that it be installed.
    pub install: bool,
}

/// A package that installs a hotfix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The name of its file; `*` stands for any characters.
    pub file: String,
    /// The SHA-256 of its file, in small hex digits.
    pub sha256: String,
    /// The arguments that install it without questions and without a restart.
    pub arguments: Vec<String>,
    /// Exit codes that mean success.
    pub success: Vec<u32>,
    /// Exit codes that mean success, and that the computer must be restarted.
    pub restart: Vec<u32>,
}

/// A file of a hotfix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotfixFile {
    /// The file.
    pub path: FilePattern,
    /// The file versions that will do.
    pub version: VersionTest,
    /// The processor it is built for.
    pub platform: Option<Platform>,
}

/// What has to be restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Whether the computer must be.
    pub computer: ComputerRestart,
    /// The services, by service name.
    pub services: Vec<String>,
    /// What the operator should know.
    pub note: Option<String>,
}
