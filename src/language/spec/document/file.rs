//! The files and file versions in a spec, in `file` conditions and in the hotfix, as they are written in YAML.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A test of a file. With only `path`, the test is true if the file exists.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileTest {
    /// The absolute path of the file. It may begin with `{location}` or a variable such as `%SystemRoot%`.
    pub path: String,
    /// `true`: the file must exist. `false`: it must be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// The lowest accepted file version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The lowest accepted file version of each branch. A file belongs to the branch with the highest `from` that the
    /// version of the file reaches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branches: Option<Vec<Branch>>,
    /// The processor for which the file must be built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformName>,
}

/// A branch of a file: one of the series, such as GDR and LDR, in which Microsoft released versions of the file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// The lowest file version of the branch, such as 6.1.7601.22000. A file that is older than every `from` is too
    /// old.
    pub from: String,
    /// The first file version of the branch that contains the fix.
    pub version: String,
    /// A name for the branch, such as `GDR`, `LDR`, or the name of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// The processor for which a file is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlatformName {
    /// 32-bit Intel.
    X86,
    /// 64-bit Intel and AMD.
    X64,
    /// 64-bit ARM.
    Arm64,
    /// Itanium.
    Ia64,
}

/// The update that must be installed. kbfix recognizes it by the versions of its files.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hotfix {
    /// The name of the update. By default it is the id of the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The files of the update. The hotfix counts as installed if each file exists in the given version or a later one.
    #[schemars(length(min = 1))]
    pub files: Vec<HotfixFile>,
    /// The package that installs the update, if kbfix may install it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
}

/// A file of a hotfix. Give exactly one of `version` and `branches`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotfixFile {
    /// The absolute path of the file. It may begin with `{location}` or a variable such as `%SystemRoot%`.
    pub path: String,
    /// The file version that the hotfix installs. A later version is accepted as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file version that the hotfix installs in each branch. A file belongs to the branch with the highest `from`
    /// that the version of the file reaches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branches: Option<Vec<Branch>>,
    /// The processor for which the file must be built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformName>,
    /// The size in bytes, from the table in the article. kbfix does not test the size, because later versions have
    /// other sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A package that installs the hotfix. kbfix runs it only if the operator supplies the file with `--package` and
/// requests the installation with `--install-hotfix`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The name of the package file; `*` matches any characters.
    pub file: String,
    /// The SHA-256 of the package file, as 64 hex digits. The file that the operator supplies must match.
    #[schemars(regex(pattern = r"^[0-9A-Fa-f]{64}$"))]
    pub sha256: String,
    /// The command-line arguments that make the package install without questions and without a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The exit codes that mean success. The default is 0; for a `.msu` also 2359302 (already installed).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub success: Option<Vec<u32>>,
    /// The exit codes that mean success and that the computer must be restarted. The default is 3010 and 1641; for a
    /// `.msu` also 2359301.
    ///
    /// 1641 means that the package has already begun the restart. kbfix then stops, and the operator applies the spec
    /// again after the restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub restart: Option<Vec<u32>>,
}
