//! The files and file versions in a spec, in `file` conditions and in the hotfix, as they are written in YAML.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A test of a file. With only `path`, the test is true if the file exists. If the file is absent, every test except
/// `exists: false` is false. Give at most one of `version` and `branches`. With `exists: false`, give no other field
/// except `path`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileTest {
    /// The absolute path of the file, such as `%SystemRoot%\System32\gpsvc.dll`.
    ///
    /// The path may begin with the name of a location in braces, such as `{exchange}`, or with one of these variables:
    /// `%SystemRoot%`, `%windir%`, `%SystemDrive%`, `%ProgramFiles%`, `%ProgramFiles(x86)%`, `%CommonProgramFiles%`,
    /// `%CommonProgramFiles(x86)%`, `%ProgramData%`, `%ALLUSERSPROFILE%`. kbfix reads the folder of the location or
    /// variable from the registry of the target.
    ///
    /// If the registry value that names this folder is absent, the file counts as absent. If this value is not a
    /// string, is an empty string, or contains a variable that kbfix cannot expand, the test is unknown.
    pub path: String,
    /// `true`: the file must exist. `false`: the file must be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// The lowest accepted file version, as four numbers: 6.1.7601.18288. For a file without a version, the test is
    /// false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The lowest accepted file version of each branch. Write the branch with the lowest versions first.
    ///
    /// kbfix compares the version of the file with the `from` of each branch. Of the branches whose `from` is this
    /// version or a lower one, the file belongs to the branch with the highest `from`. The file must have the `version`
    /// of its branch or a later version. If the file has no version, or is older than the `from` of every branch, the
    /// test is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branches: Option<Vec<Branch>>,
    /// The processor for which the file must be built. For a file that is not built for this processor, the test is
    /// false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformName>,
}

/// A branch of a file: one of the series, such as GDR and LDR, in which Microsoft released versions of the file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// The lowest file version of the branch, as four numbers, such as 6.1.7601.22000. A file that is older than the
    /// `from` of every branch counts as too old.
    pub from: String,
    /// The first file version of the branch that contains the fix, as four numbers.
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
    /// The files of the update. The hotfix counts as installed if each of these files exists in a sufficient version.
    /// If a file has a `platform`, the file on the target must also be built for this processor.
    #[schemars(length(min = 1))]
    pub files: Vec<HotfixFile>,
    /// The package that installs the update. Without this field, kbfix cannot install the update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
}

/// A file of a hotfix. Give exactly one of `version` and `branches`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotfixFile {
    /// The absolute path of the file, such as `%SystemRoot%\System32\gpsvc.dll`.
    ///
    /// The path may begin with the name of a location in braces, such as `{exchange}`, or with one of these variables:
    /// `%SystemRoot%`, `%windir%`, `%SystemDrive%`, `%ProgramFiles%`, `%ProgramFiles(x86)%`, `%CommonProgramFiles%`,
    /// `%CommonProgramFiles(x86)%`, `%ProgramData%`, `%ALLUSERSPROFILE%`. kbfix reads the folder of the location or
    /// variable from the registry of the target.
    ///
    /// If the registry value that names this folder is absent, the file counts as missing. If this value is not a
    /// string, is an empty string, or contains a variable that kbfix cannot expand, the file counts as one that cannot
    /// be read.
    pub path: String,
    /// The file version that the hotfix installs, as four numbers: 6.1.7601.18288. A later version is sufficient as
    /// well. A file without a version counts as too old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file version that the hotfix installs in each branch. Write the branch with the lowest versions first.
    ///
    /// kbfix compares the version of the file with the `from` of each branch. Of the branches whose `from` is this
    /// version or a lower one, the file belongs to the branch with the highest `from`. The file must have the `version`
    /// of its branch or a later version.
    ///
    /// For example, with `- { from: 6.1.7601.18000, version: 6.1.7601.18711 }` and `- { from: 6.1.7601.22000, version:
    /// 6.1.7601.22917 }`, the version 6.1.7601.19000 is sufficient, and 6.1.7601.22800 is too old.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branches: Option<Vec<Branch>>,
    /// The processor for which the file must be built. A file for another processor counts as missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformName>,
    /// The size in bytes, from the table in the article. This field is only for people: kbfix does not test the size,
    /// because later versions have other sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A package that installs the hotfix. kbfix runs the package only on the target `local`, and only if the operator
/// supplies the file with `--package` and requests the installation with `--install-hotfix`. kbfix does not run the
/// package if the hotfix is already installed, or if something else prevents the changes of the spec.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The name of the package file, for people; `*` stands for any characters. kbfix recognizes the package only by
    /// its `sha256`.
    ///
    /// The name of the file that the operator supplies must end with `.exe`, `.msi`, `.msp` or `.msu`.
    pub file: String,
    /// The SHA-256 of the package file, as 64 hex digits. The file that the operator supplies must have this SHA-256.
    #[schemars(regex(pattern = r"^[0-9A-Fa-f]{64}$"))]
    pub sha256: String,
    /// The command-line arguments that make the package install without questions and without a restart, such as
    /// `[/quiet, /norestart]`.
    ///
    /// kbfix runs a `.exe` with exactly these arguments. For a `.msi`, kbfix runs `msiexec.exe /i FILE`, for a `.msp`
    /// `msiexec.exe /p FILE`, and for a `.msu` `wusa.exe FILE`. kbfix adds these arguments at the end of such a
    /// command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The exit codes that mean success. The default is 0; if `file` ends with `.msu`, it is 0 and 2359302 (already
    /// installed). A code that is neither in this list nor in `restart` means that the installation failed.
    ///
    /// A code may not be in both `success` and `restart`. If only one of the two lists is given, its codes are left out
    /// of the default of the other.
    ///
    /// If an installation fails, kbfix changes nothing in the registry for any spec of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub success: Option<Vec<u32>>,
    /// The exit codes that mean success and that the computer must be restarted. The default is 3010 and 1641; if
    /// `file` ends with `.msu`, it is 3010, 1641 and 2359301.
    ///
    /// If this list contains 1641, and a package ends with this code, the package has already begun the restart. kbfix
    /// then changes nothing in the registry for any spec of the run. Apply the specs again after the restart.
    ///
    /// After any other code of this list, and after each code of `success`, kbfix tests the files of the hotfix again.
    /// If the files already have sufficient versions, kbfix changes the registry at once. If a file does not have a
    /// sufficient version, kbfix does not change the registry for this spec. The outcome is then pending restart if
    /// Windows replaces the files at its next start, and blocked if not.
    ///
    /// In an apply of a saved plan, the outcome is blocked in both cases. And if a package changed other facts on which
    /// the saved plan depends, kbfix changes the registry for no spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub restart: Option<Vec<u32>>,
}
