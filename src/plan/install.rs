//! The installation of a hotfix, as a plan has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    observe::Reader,
    spec::{
        Spec,
        model::{Branch, HotfixFile, VersionTest},
    },
    targets::FileFacts,
    version::{FileVersion, Platform},
};

use super::{
    condition,
    expand::{self, Resolved},
};

/// The installation of a hotfix that is missing. It comes before the changes of the registry, and cannot be rolled back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// The name of the package's file, as the spec gives it; `*` stands for any characters.
    pub package: String,
    /// The SHA-256 that the file must have, in hex digits.
    pub sha256: String,
    /// The arguments with which it is run.
    pub arguments: Vec<String>,
    /// Exit codes that mean success.
    pub success: Vec<u32>,
    /// Exit codes that mean success, and that the computer must be restarted.
    pub restart: Vec<u32>,
    /// The files that show afterwards whether it is installed.
    pub files: Vec<InstalledFile>,
}

/// A file that shows whether a hotfix is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstalledFile {
    /// Its path on the target.
    pub path: String,
    /// The file versions that will do. One without `from`: this or later.
    pub versions: Vec<Threshold>,
    /// The processor it is built for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// A file version that will do, of a branch or of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The branch's lowest file version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<FileVersion>,
    /// The lowest file version that will do.
    pub version: FileVersion,
}

impl Install {
    /// The installation that the operator asks for; none where they do not, or where a file's folder is not known.
    pub(super) fn wanted(spec: &Spec, reader: &Reader<'_>) -> Option<Self> {
        let hotfix = spec.hotfix.as_ref().filter(|hotfix| hotfix.install)?;
        let package = hotfix.package.as_ref()?;
        let file = |file: &HotfixFile| match expand::path(&file.path, spec, reader) {
            Ok(Resolved::Path(path)) => {
                Some(InstalledFile { path, versions: thresholds(&file.version), platform: file.platform })
            }
            _ => None,
        };
        Some(Self {
            package: package.file.clone(),
            sha256: package.sha256.clone(),
            arguments: package.arguments.clone(),
            success: package.success.clone(),
            restart: package.restart.clone(),
            files: hotfix.files.iter().map(file).collect::<Option<_>>()?,
        })
    }
}

fn thresholds(test: &VersionTest) -> Vec<Threshold> {
    match test {
        VersionTest::AtLeast(version) => vec![Threshold { from: None, version: *version }],
        VersionTest::Branches(branches) => {
            branches.iter().map(|b| Threshold { from: Some(b.from), version: b.version }).collect()
        }
    }
}

impl InstalledFile {
    /// What a file shows: what was found, what is wanted, and whether that will do.
    pub fn judge(&self, facts: &FileFacts) -> (String, String, bool) {
        let branches: Vec<Branch> = self
            .versions
            .iter()
            .filter_map(|t| Some(Branch { from: t.from?, version: t.version, title: None }))
            .collect();
        let test = match self.versions.first() {
            Some(Threshold { from: None, version }) => VersionTest::AtLeast(*version),
            _ => VersionTest::Branches(branches),
        };
        let (found, truth) = condition::present(facts, Some(&test), self.platform);
        let wanted = condition::versions_wanted(&test, condition::known_version(facts), None);
        (found, wanted, truth == super::Truth::Met)
    }
}
