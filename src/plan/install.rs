//! The planned installation of a hotfix.

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

/// The planned installation of a missing hotfix. It is done before the registry changes, and cannot be rolled back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// The file name of the package, as the spec writes it; `*` matches any characters.
    pub package: String,
    /// The SHA-256 that the package file must have, in hex digits.
    pub sha256: String,
    /// The command-line arguments for the package.
    pub arguments: Vec<String>,
    /// The exit codes of the package that mean success.
    pub success: Vec<u32>,
    /// The exit codes of the package that mean that the installation succeeded, but the computer must be restarted.
    pub restart: Vec<u32>,
    /// The files whose versions show, after the package was run, whether the hotfix is installed.
    pub files: Vec<InstalledFile>,
}

/// A file that shows whether a hotfix is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstalledFile {
    /// The path of the file on the target.
    pub path: String,
    /// The sufficient file versions. An entry without `from` accepts its `version` and every later version.
    pub versions: Vec<Threshold>,
    /// The processor for which the file must be built; missing if the processor does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// The lowest file version with which the hotfix counts as installed, for the whole file or for one branch. A branch
/// is a series in which Microsoft released versions of the file, such as GDR or LDR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The lowest file version of the branch; missing if the file has no branches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<FileVersion>,
    /// The lowest file version with which the hotfix counts as installed; if `from` is given, in this branch.
    pub version: FileVersion,
}

impl Install {
    /// Returns the installation of the spec's hotfix; `None` if the operator did not request it, if the spec names no
    /// package, or if the path of one of the files cannot be determined.
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
    /// Tests a file. Returns descriptions of the found and the wanted version, and whether the file is sufficient.
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
        let wanted = condition::versions_wanted(&test, condition::known_version(facts), self.platform);
        (found, wanted, truth == super::Truth::Met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Answer;

    #[test]
    fn a_file_for_another_processor_is_not_sufficient_and_the_wanted_processor_is_named() {
        let version = FileVersion([1, 2, 3, 4]);
        let file = InstalledFile {
            path: r"C:\x.dll".to_owned(),
            versions: vec![Threshold { from: None, version }],
            platform: Some(Platform::X86),
        };
        let facts = |platform| FileFacts { size: 1, platform: Some(platform), version: Answer::Present(version) };
        let judged = file.judge(&facts(Platform::X64));
        assert_eq!(judged, ("1.2.3.4 (x64)".to_owned(), "1.2.3.4 or later (x86)".to_owned(), false));
        assert!(file.judge(&facts(Platform::X86)).2);
    }
}
