//! Files and their versions: `file` conditions and the hotfix.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A test of a file. Without `exists`, `version`, `branches` or `platform`, it holds if the file exists.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileTest {
    /// The absolute path of the file. It may begin with `{location}` or a variable such as `%SystemRoot%`.
    pub path: String,
    /// `true`: the file exists. `false`: it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// The file version is this or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file version is sufficient for its branch: the branch with the highest floor that is not above the found
    /// version counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branches: Option<Vec<Branch>>,
    /// The processor that the file is built for.
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
    /// A name for the branch: `GDR`, `LDR`, the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// The processor that a file is built for.
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

/// The update that must be installed; its files prove that it is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hotfix {
    /// The name of the update, if it is not the spec's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The files of the update: each must exist in this version or later.
    #[schemars(length(min = 1))]
    pub files: Vec<HotfixFile>,
    /// The package that installs the update, if kbfix may do that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
}

/// A file of a hotfix. Exactly one of `version` and `branches` is given.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotfixFile {
    /// The absolute path of the file. It may begin with `{location}` or a variable such as `%SystemRoot%`.
    pub path: String,
    /// The file version that the hotfix installs; a later one is sufficient too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file versions by branch: the branch with the highest floor that is not above the found version counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branches: Option<Vec<Branch>>,
    /// The processor that the file is built for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformName>,
    /// The size in bytes from the article's table. It is for people; a later version has another size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A package that installs the hotfix. kbfix runs it only if the operator supplies the file and asks for it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The name of the package's file; `*` stands for any characters.
    pub file: String,
    /// The SHA-256 of the file, 64 hex digits. The file that the operator supplies must match.
    #[schemars(regex(pattern = r"^[0-9A-Fa-f]{64}$"))]
    pub sha256: String,
    /// The arguments that install it without questions and without a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Exit codes that mean success. By default 0; for a `.msu` also 2359302 (already installed).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub success: Option<Vec<u32>>,
    /// Exit codes that mean success after which the computer must be restarted. By default 3010 and 1641; for a `.msu`
    /// also 2359301. 1641 means that the package has begun the restart itself; kbfix does nothing after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub restart: Option<Vec<u32>>,
}
