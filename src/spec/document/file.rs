//! Files and their versions: `file` conditions and the hotfix.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A test of a file. Without `exists`, `version`, `branches` or `platform` it holds where the file is there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileTest {
    /// The file: an absolute path, with `{location}` and `%SystemRoot%` and its like.
    pub path: String,
    /// `true`: it is there. `false`: it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// Its file version is this or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its file version is this or later, by branch: the branch with the highest floor that is not above the found version counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branches: Option<Vec<Branch>>,
    /// The processor it was built for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformName>,
}

/// A servicing branch of a file (such as GDR and LDR), with the version that has the fix.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// The branch's floor: its lowest file version, such as 6.1.7601.22000.
    pub from: String,
    /// The first file version of the branch that has the fix.
    pub version: String,
    /// What the branch is: `GDR`, `LDR`, the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// The processor a file was built for.
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

/// The update that must be installed, proven by its files.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hotfix {
    /// What it is called, where that is not the spec's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its files: each must be there in this version or later.
    #[schemars(length(min = 1))]
    pub files: Vec<HotfixFile>,
    /// The package that installs it, where kbfix may do that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
}

/// A file of a hotfix. Exactly one of `version` and `branches` is given.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotfixFile {
    /// The file: an absolute path, with `{location}` and `%SystemRoot%` and its like.
    pub path: String,
    /// The file version that the hotfix brings; a later one does as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file versions by branch: the branch with the highest floor that is not above the found version counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branches: Option<Vec<Branch>>,
    /// The processor it is built for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformName>,
    /// Its size in bytes as the article's table gives it. For people: a later version has another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A package that installs the hotfix. kbfix runs it only when the operator supplies the file and asks for it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The name of the file; `*` stands for any characters.
    pub file: String,
    /// The SHA-256 of the file, 64 hex digits. One that the operator supplies must match.
    #[schemars(regex(pattern = r"^[0-9A-Fa-f]{64}$"))]
    pub sha256: String,
    /// The arguments that install it without questions and without a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Exit codes that mean success. Without it: 0; of a `.msu` also 2359302, already installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub success: Option<Vec<u32>>,
    /// Exit codes that mean success, and that the computer must be restarted. Without it: 3010 and 1641; of a `.msu` also 2359301.
    /// 1641 says that the package has begun the restart: nothing is done after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub restart: Option<Vec<u32>>,
}
