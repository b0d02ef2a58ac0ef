//! Files of the other machine: each is fetched from the administrative share of its drive and then read here.
//!
//! Source: Microsoft, "How to remove administrative shares in Windows Server" (KB842715): `C$` and the others.

use std::{fs, path::Path, process::Command};

use crate::targets::{
    Answer, FileFacts, Reason,
    drives::{bytes_below, facts_of, file_names},
};

use super::{Connection, Trouble, program};

/// The local name of a fetched file.
const HERE: &str = "file";

impl Connection {
    /// Returns the facts of the file at `path`, the absolute path on the other machine, with its drive.
    ///
    /// # Errors
    /// Returns an error where the machine as a whole cannot be asked.
    pub(super) fn file(&self, path: &str) -> Result<Answer<FileFacts>, Trouble> {
        self.fetched(path, |_, here| named(facts_of(here), path))
    }

    /// Returns the bytes of the file at `path`, of at most `most`.
    ///
    /// # Errors
    /// Returns an error where the machine as a whole cannot be asked.
    pub(super) fn bytes(&self, path: &str, most: u64) -> Result<Answer<Vec<u8>>, Trouble> {
        self.fetched(path, |folder, here| named(bytes_below(folder, here, most), path))
    }

    /// Fetches the file, and returns what `read` makes of it, which gets the private folder and the file in it.
    fn fetched<T>(&self, path: &str, read: impl FnOnce(&Path, &Path) -> Answer<T>) -> Result<Answer<T>, Trouble> {
        let (drive, names) = match file_names(path) {
            Ok(found) => found,
            Err(why) => return Ok(Answer::Unread(why)),
        };
        let names = names.join("\\");
        // In smbclient a semicolon ends a command even inside quotes; the rest would be run as another command.
        if names.contains(';') || names.chars().any(char::is_control) || names.is_empty() {
            let detail = format!("`{path}` has a character that has a special meaning in smbclient");
            return Ok(Answer::unread(Reason::Unsupported, detail));
        }
        self.reach()?;
        let failed = |error: std::io::Error| Trouble::Failed(format!("a private folder for {path}: {error}"));
        let folder = tempfile::Builder::new().prefix("kbfix-").tempdir().map_err(failed)?;
        let mut command = Command::new("smbclient");
        command.current_dir(folder.path()).args(["-s", "/dev/null"]);
        for (name, value) in self.told() {
            command.arg(format!("--option={name}={value}"));
        }
        command.args(self.settings.arguments(&self.host)).args(["-p", &self.host.port().to_string()]);
        command.arg(format!("//{}/{drive}$", self.host.name)).args(["-c", &format!("get \"{names}\" {HERE}")]);
        let said = program::run(&mut command, b"", self.settings.limit)?;
        let here = folder.path().join(HERE);
        if said.success && fs::exists(&here).map_err(failed)? {
            return Ok(read(folder.path(), &here));
        }
        self.refused(&said.text(), path, drive)
    }

    /// Returns the answer for a file that could not be fetched.
    fn refused<T>(&self, text: &str, path: &str, drive: char) -> Result<Answer<T>, Trouble> {
        let (mut on_share, mut of_file) = (None, None);
        for line in text.lines() {
            if line.starts_with("tree connect failed") {
                on_share = Some(line);
            } else if line.contains(" opening remote file ") {
                of_file = Some(line);
            }
        }
        if let Some(line) = on_share {
            let (reason, why) = match line.contains("NT_STATUS_ACCESS_DENIED") {
                true => (Reason::Denied, "denies the account its share"),
                false => (Reason::Unknown, "has no share"),
            };
            return Ok(Answer::unread(reason, format!("the machine {why} {drive}$, where {path} would be: {line}")));
        }
        let Some(line) = of_file else { return Err(Trouble::of_text(text)) };
        let is = |status: &str| line.starts_with(status);
        Ok(match line {
            _ if is("NT_STATUS_OBJECT_NAME_NOT_FOUND") || is("NT_STATUS_OBJECT_PATH_NOT_FOUND") => Answer::Absent,
            _ if is("NT_STATUS_NO_SUCH_FILE") || is("NT_STATUS_NOT_A_DIRECTORY") => Answer::Absent,
            _ if is("NT_STATUS_ACCESS_DENIED") => Answer::unread(Reason::Denied, path),
            _ if is("NT_STATUS_FILE_IS_A_DIRECTORY") => {
                Answer::unread(Reason::Malformed, format!("{path} is not a file"))
            }
            _ => Answer::unread(Reason::Unknown, format!("{path} cannot be read: {line}")),
        })
    }
}

/// Returns the answer with the path on the other machine in place of the local one.
fn named<T>(answer: Answer<T>, path: &str) -> Answer<T> {
    match answer {
        Answer::Unread(why) => Answer::unread(why.reason, format!("{path}, once fetched: {}", why.detail)),
        other => other,
    }
}
