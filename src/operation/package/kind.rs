//! The kinds of package, and the meaning of their exit codes.

use std::path::Path;

/// A kind of package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A program that installs the hotfix.
    Program,
    /// A package of the Windows Installer.
    Installer,
    /// A patch of the Windows Installer.
    Patch,
    /// A package of the Windows Update Standalone Installer.
    Update,
}

/// The exit code of a package that has begun to restart the computer (ERROR_SUCCESS_REBOOT_INITIATED).
pub(super) const RESTART_BEGUN: u32 = 1641;

impl Kind {
    /// Returns the kind of a package according to the extension of its file name; `None` for any other extension.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "exe" => Some(Self::Program),
            "msi" => Some(Self::Installer),
            "msp" => Some(Self::Patch),
            "msu" => Some(Self::Update),
            _ => None,
        }
    }

    /// Returns the Windows program that installs packages of this kind, and the option that precedes the file name of
    /// the package (`None` if no option is needed). Returns `None` if the package is itself a program.
    pub(super) fn program(self) -> Option<(&'static str, Option<&'static str>)> {
        match self {
            Self::Program => None,
            Self::Installer => Some(("msiexec.exe", Some("/i"))),
            Self::Patch => Some(("msiexec.exe", Some("/p"))),
            Self::Update => Some(("wusa.exe", None)),
        }
    }

    /// Returns a text for people: that a service of Windows does the installation, and may continue after the
    /// installing program was ended. Returns an empty string if no service is involved.
    pub(super) fn service(self) -> &'static str {
        match self {
            Self::Program => "",
            Self::Installer | Self::Patch => {
                "; the Windows Installer service does the work, and may still be installing it"
            }
            Self::Update => "; the services of Windows Update do the work, and may still be installing it",
        }
    }

    /// Returns the meaning of an exit code, as a text for people that begins with a comma; an empty string if the
    /// meaning is not known.
    ///
    /// Sources: Microsoft, "MsiExec.exe and InstMsi.exe error messages", "Windows Update error code list by component";
    /// KB949545 (0x240006, and 1 from a wusa that is older than this update); KB2773898 (5 over WinRM).
    pub(super) fn meaning(self, code: u32) -> &'static str {
        match (self, code) {
            (Self::Update, 1) => {
                ", already installed, or not for this computer: this old version of wusa does not \
                distinguish the two"
            }
            (Self::Update, 5 | 0x8007_0005) => {
                ", access denied: wusa cannot install through WinRM (Microsoft KB2773898); run kbfix from a \
                    scheduled task"
            }
            (Self::Update, 1058) => ", the Windows Update service is disabled",
            (Self::Update, 0x0024_0005) => ", the computer must be restarted",
            (Self::Update, 0x0024_0006) => ", already installed",
            (Self::Update, 0x8024_0017) => ", not for this computer, or replaced by a newer update",
            (Self::Installer | Self::Patch, 1638) => ", another version of the product is already installed",
            (Self::Installer | Self::Patch, 1642) => ", the program that it updates is not installed",
            (_, 1602) => ", cancelled by the user",
            (_, 1603) => ", a fatal error during installation",
            (_, 1618) => ", another installation is in progress",
            (_, 1625) => ", forbidden by policy",
            (_, 1633) => ", not for this processor",
            (_, RESTART_BEGUN) => ", it has begun to restart the computer",
            (_, 3010) => ", the computer must be restarted",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_means_what_the_kind_of_package_means_by_it() {
        let kind = |name: &str| Kind::of(Path::new(name));
        assert_eq!(kind("a.MSU"), Some(Kind::Update));
        assert_eq!((kind("a"), kind("a.txt"), kind("msu")), (None, None, None));
        assert!(Kind::Update.meaning(5).contains("KB2773898"));
        assert_eq!(Kind::Program.meaning(5), "");
        assert_eq!(Kind::Update.meaning(2_359_302), ", already installed");
        assert_eq!(Kind::Installer.meaning(2_359_302), "");
        assert_eq!(Kind::Update.meaning(2_359_301), Kind::Installer.meaning(3010));
    }
}
