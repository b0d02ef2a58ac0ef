//! The credentials and the time limit for connections to a remote machine.
//!
//! kbfix itself sends no password: Samba reads it from a credentials file, or Kerberos has a ticket. kbfix reads the
//! file only to check it, and to know when an account was already refused.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::files::state;

use super::{Host, Trouble};

/// The environment variable that contains the path of the credentials file. The file has the format of `smbclient -A`.
const FILE: &str = "KBFIX_SMB_AUTH_FILE";
/// The environment variable that makes kbfix log on with Kerberos if it is `1`.
const KERBEROS: &str = "KBFIX_SMB_KERBEROS";
/// The environment variable that contains [`Settings::limit`], in seconds.
const LIMIT: &str = "KBFIX_SMB_LIMIT";
/// The environment variable that contains the path of a Python interpreter with Samba's bindings.
const PYTHON: &str = "KBFIX_SMB_PYTHON";
/// The maximum size of a credentials file, in bytes.
const MAX_FILE: u64 = 1 << 16;

/// The settings for a connection that are not in the URI of the machine.
///
/// They may differ between the systems on which kbfix runs, so no journal contains them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The path of the credentials file, if one is given.
    pub file: Option<PathBuf>,
    /// Whether kbfix must log on with Kerberos.
    pub kerberos: bool,
    /// The time limit for one exchange with the machine. If it contains many questions or changes, more time is added.
    pub limit: Duration,
    /// The path of a Python interpreter that has Samba's bindings.
    pub python: PathBuf,
    /// The folder for lock files; `None` if the environment does not name a state folder.
    pub locks: Option<PathBuf>,
}

impl Default for Settings {
    /// Returns settings without credentials. The Python interpreter is that of this system, because Linux distributions
    /// build Samba's bindings for it.
    fn default() -> Self {
        Self {
            file: None,
            kerberos: false,
            limit: Duration::from_secs(60),
            python: PathBuf::from("/usr/bin/python3"),
            locks: state::default_folder().map(|folder| folder.join("lock")),
        }
    }
}

impl Settings {
    /// Reads the settings from environment variables. An empty variable counts as missing.
    ///
    /// # Errors
    /// Returns [`Trouble::Settings`] if a variable is not valid.
    pub fn from_environment() -> Result<Self, Trouble> {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let mut settings = Self { file: set(FILE).map(PathBuf::from), ..Self::default() };
        if let Some(value) = set(KERBEROS) {
            settings.kerberos = match value.to_str() {
                Some("0") => false,
                Some("1") => true,
                _ => return Err(Trouble::Settings(format!("{KERBEROS} is neither 0 nor 1"))),
            };
        }
        if let Some(value) = set(LIMIT) {
            let seconds = value.to_str().and_then(|text| text.parse().ok()).filter(|s| (1..=86_400).contains(s));
            let wrong = || Trouble::Settings(format!("{LIMIT} is not a number of seconds from 1 to 86400"));
            settings.limit = Duration::from_secs(seconds.ok_or_else(wrong)?);
        }
        if let Some(value) = set(PYTHON) {
            settings.python = value.into();
        }
        Ok(settings)
    }

    /// Checks that there is a credentials file or kbfix logs on with Kerberos, and that a given file can be used.
    /// Returns the settings, with the links in the path of the file resolved, and the text of the file; `None` if no
    /// file is given.
    ///
    /// # Errors
    /// Returns [`Trouble::Settings`] if one of these checks fails.
    pub(super) fn checked(mut self) -> Result<(Self, Option<String>), Trouble> {
        let (file, text) = self.file.as_deref().map(checked).transpose()?.unzip();
        self.file = file;
        if self.file.is_none() && !self.kerberos {
            return Err(Trouble::Settings("no credentials are given".to_owned()));
        }
        Ok((self, text))
    }

    /// Returns the arguments for smbclient that name the credentials to use.
    pub(super) fn arguments(&self, host: &Host) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        if let Some(file) = &self.file {
            arguments.extend(["-A".into(), file.into()]);
        }
        if let Some(user) = &host.user {
            let domain = host.domain.as_ref().map(|domain| format!("{domain}\\")).unwrap_or_default();
            arguments.extend(["-U".into(), format!("{domain}{user}").into()]);
        }
        if self.kerberos {
            arguments.push("--use-kerberos=required".into());
        }
        if self.file.is_none() {
            // Without this, smbclient would ask for a password at the terminal.
            arguments.push("--no-pass".into());
        }
        arguments
    }
}

/// Checks that nobody but its owner has rights to the credentials file, and that the file contains a line for the
/// password: Samba would ask the user for a missing password. Returns the path with links resolved, and the text of the
/// file.
fn checked(file: &Path) -> Result<(PathBuf, String), Trouble> {
    let refused =
        |why: String| Trouble::Settings(format!("the credentials file {} cannot be used: {why}", file.display()));
    let file = fs::canonicalize(file).map_err(|error| refused(error.to_string()))?;
    let metadata = fs::metadata(&file).map_err(|error| refused(error.to_string()))?;
    if !metadata.is_file() {
        return Err(refused("it is not a regular file".to_owned()));
    }
    if metadata.len() > MAX_FILE {
        return Err(refused("it is larger than 64 KiB".to_owned()));
    }
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(refused(format!(
            "users other than its owner have rights to it (mode {:03o}); run chmod 600 on it",
            mode & 0o777
        )));
    }
    let text = fs::read_to_string(&file).map_err(|error| refused(error.to_string()))?;
    match field(&text, "password") {
        Some(_) => Ok((file, text)),
        None => Err(refused("it has no line `password = …`".to_owned())),
    }
}

/// Returns the value of the last line `NAME = VALUE` with this name in the text of a credentials file; `None` if there
/// is no such line. Upper and lower case of the name do not matter.
pub(super) fn field<'t>(text: &'t str, wanted: &str) -> Option<&'t str> {
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    lines.rfind(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use crate::targets::smb::settings::*;

    fn file(text: &str, mode: u32) -> Result<(PathBuf, String), Trouble> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        checked(&path)
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_and_not_quoted() {
        const TEXT: &str = "username = a\npassword = geheim\n";
        assert!(file(TEXT, 0o600).is_ok());
        assert!(file(TEXT, 0o400).is_ok());
        for mode in [0o640, 0o604, 0o620, 0o601, 0o777] {
            let error = file(TEXT, mode).unwrap_err().to_string();
            assert!(error.contains("chmod 600") && !error.contains("geheim"), "{error}");
        }
        assert!(file("username = a\n", 0o600).unwrap_err().to_string().contains("password"));
        assert!(matches!(checked(Path::new("/nonexistent")), Err(Trouble::Settings(_))));
    }

    #[test]
    fn no_argument_holds_a_secret() {
        let host: Host = "smb://CORP;a@h".parse().unwrap();
        let file = Settings { file: Some("/f".into()), ..Settings::default() };
        assert_eq!(file.arguments(&host), ["-A", "/f", "-U", r"CORP\a"]);
        assert!(matches!(Settings::default().checked(), Err(Trouble::Settings(_))));
        let ticket = Settings { kerberos: true, ..Settings::default() };
        assert_eq!(ticket.arguments(&"smb://h".parse().unwrap()), ["--use-kerberos=required", "--no-pass"]);
    }
}
