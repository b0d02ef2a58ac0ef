//! Reads files of a remote machine. Each file is copied from the administrative share of its drive to this machine and
//! then read here.
//!
//! Source: Microsoft, "How to remove administrative shares in Windows Server" (KB842715), which describes `C$` and the
//! other shares.

use std::{fs, path::PathBuf, process::Command};

use crate::targets::{
    Answer, FileFacts, Reason,
    drives::{bytes_below, facts_of, file_names},
};

use super::{Connection, Trouble, program};

/// The file name of every local copy of a remote file.
const HERE: &str = "file";

/// A local copy of a remote file. Dropping the value removes the copy.
pub(super) struct Fetched {
    folder: tempfile::TempDir,
}

impl Fetched {
    /// Returns the path of the local copy.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join(HERE)
    }
}

impl Connection {
    /// Returns the facts about a file, after copying it to this machine. `path` is the file's absolute path on the
    /// remote machine, with its drive letter.
    ///
    /// # Errors
    /// Returns an error if the remote machine as a whole cannot be read.
    pub(super) fn file(&self, path: &str) -> Result<Answer<FileFacts>, Trouble> {
        Ok(self.fetch(path)?.and_then(|fetched| named(facts_of(&fetched.path()), path)))
    }

    /// Returns the bytes of a file; malformed if it has more than `most` bytes. `path` is the file's absolute path on
    /// the remote machine.
    ///
    /// # Errors
    /// Returns an error if the remote machine as a whole cannot be read.
    pub(super) fn bytes(&self, path: &str, most: u64) -> Result<Answer<Vec<u8>>, Trouble> {
        let fetched = self.fetch(path)?;
        Ok(fetched.and_then(|fetched| named(bytes_below(fetched.folder.path(), &fetched.path(), most), path)))
    }

    /// Copies the file at `path` from the remote machine to this machine. The answer is absent if the file does not
    /// exist there.
    ///
    /// # Errors
    /// Returns an error if the remote machine as a whole cannot be read, or if this system cannot run smbclient or make
    /// the copy.
    pub(super) fn fetch(&self, path: &str) -> Result<Answer<Fetched>, Trouble> {
        let (drive, names) = match file_names(path) {
            Ok(found) => found,
            Err(why) => return Ok(Answer::Unread(why)),
        };
        let names = names.join("\\");
        // In smbclient a semicolon ends a command even inside quotes; the rest would run as another command.
        if names.contains(';') || names.chars().any(char::is_control) || names.is_empty() {
            let detail = match names.is_empty() {
                true => format!("`{path}` is a drive, not a file"),
                false => format!("`{path}` has a character that has a special meaning in smbclient"),
            };
            return Ok(Answer::unread(Reason::Unsupported, detail));
        }
        let attempt = self.log_on()?;
        let failed = |error: std::io::Error| {
            Trouble::Local(format!(
                "cannot create a private folder for a copy of \
            {path}: {error}"
            ))
        };
        let folder = tempfile::Builder::new().prefix("kbfix-").tempdir().map_err(failed)?;
        let mut command = Command::new("smbclient");
        command.current_dir(folder.path()).args(["-s", "/dev/null"]);
        for (name, value) in self.told() {
            command.arg(format!("--option={name}={value}"));
        }
        command.args(self.settings.arguments(&self.host)).args(["-p", &self.host.port().to_string()]);
        command.arg(format!("//{}/{drive}$", self.host.name)).args(["-c", &format!("get \"{names}\" {HERE}")]);
        let said = program::run(&mut command, b"", self.settings.limit)?;
        let fetched = Fetched { folder };
        let answer = match said.success && fs::exists(fetched.path()).map_err(failed)? {
            true => Ok(Answer::Present(fetched)),
            false => self.refused(&said.text(), path, drive),
        };
        attempt.ended(answer.as_ref().err());
        answer
    }

    /// Returns the answer about a file that could not be copied. `text` is the output of smbclient. If it mentions
    /// neither the share nor the file, returns an error about the machine as a whole.
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
                true => (Reason::Denied, "denies the account access to the share"),
                false => (Reason::Unknown, "has no usable share"),
            };
            return Ok(Answer::unread(
                reason,
                format!(
                    "the machine {why} {drive}$, which is needed to read {path}: \
                {line}"
                ),
            ));
        }
        let Some(line) = of_file else { return Err(Trouble::of_text(text)) };
        let is = |status: &str| line.starts_with(status);
        Ok(match line {
            _ if is("NT_STATUS_OBJECT_NAME_NOT_FOUND") || is("NT_STATUS_OBJECT_PATH_NOT_FOUND") => Answer::Absent,
            _ if is("NT_STATUS_NO_SUCH_FILE") || is("NT_STATUS_NOT_A_DIRECTORY") => Answer::Absent,
            _ if is("NT_STATUS_ACCESS_DENIED") => Answer::unread(Reason::Denied, path),
            _ if is("NT_STATUS_SHARING_VIOLATION") => {
                Answer::unread(Reason::Unknown, format!("{path} cannot be read while the machine has it open: {line}"))
            }
            _ if is("NT_STATUS_FILE_IS_A_DIRECTORY") => {
                Answer::unread(Reason::Malformed, format!("{path} is not a file"))
            }
            _ => Answer::unread(Reason::Unknown, format!("{path} cannot be read: {line}")),
        })
    }
}

/// Adds the path on the remote machine to the reason why the local copy could not be read.
fn named<T>(answer: Answer<T>, path: &str) -> Answer<T> {
    match answer {
        Answer::Unread(why) => Answer::unread(why.reason, format!("the local copy of {path}: {}", why.detail)),
        other => other,
    }
}
