//! A checked spec: parsed, its parameters resolved, nothing left that could be invalid.

mod condition;
mod desired;
mod keep;
mod pattern;
pub(in crate::spec) mod protected;

use std::collections::{BTreeMap, BTreeSet};

use super::document::{ComputerRestart, Document};
use crate::version::Platform;

pub use condition::{Branch, Condition, FileTest, Literal, OsTest, Prerequisite, ValueAt, ValueTest, VersionTest};
pub use desired::{Desired, DesiredKey, KeyRule, ValueRule, comma_set};
pub use keep::{Bounds, Keep};
pub use pattern::{FilePattern, KeyPattern, NamePattern, PathPart, PathVariable};

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
