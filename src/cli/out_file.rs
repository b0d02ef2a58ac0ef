//! The file or folder that a command writes: checks that the command does not read the same file and that it is not in
//! the folder of the journals, and writes it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use kbfix::{
    diag::{Code, Diagnostic, Exit},
    files::{
        canonical::canonical,
        replace::{prepare, replace_file, replace_private_file, replace_private_file_by},
    },
    journal::Store,
    targets::{Address, Kind, gpt_ini_of, hive_logs},
};

use super::{error::CommandError, output::Output};

/// The place to which a command writes its output document.
#[derive(Debug)]
pub(super) enum Destination {
    /// Standard output: `-`, or (on Unix) a path that leads to the file or pipe to which standard output goes.
    StandardOutput,
    /// A file, which is created or replaced as a whole.
    File {
        /// The path as the user gave it.
        named: PathBuf,
        /// The path with links resolved.
        real: PathBuf,
    },
    /// A pipe or a device; the document is written into it.
    Stream(PathBuf),
}

/// The files that a command reads, and therefore must not overwrite.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    files: Vec<PathBuf>,
    /// Folders in which every file counts as an input.
    folders: Vec<PathBuf>,
    /// The folder with the journals; `None` for a command without `--state-dir`.
    journals: Option<PathBuf>,
}

impl Inputs {
    /// Adds a file that the command reads. For a folder, this does not add the files in it.
    pub(super) fn add(&mut self, path: impl Into<PathBuf>) {
        self.files.push(path.into());
    }

    /// Adds the folder with the journals. Only a command with `--state-dir` needs this: no command writes into the
    /// folder with the journals that the environment determines.
    pub(super) fn add_journals(&mut self, store: &Store) {
        self.journals = Some(store.journals());
    }

    /// Adds the files that the address of the target names, the files that belong to them (the logs of a hive, and the
    /// `gpt.ini` of a policy file), and the folders of `--files` and `--drive`. For `smb:`, adds the file with the
    /// password; for this machine, adds nothing.
    pub(super) fn add_target(&mut self, address: &Address) {
        match address.kind() {
            Ok(Kind::Image(folder)) => self.folders.push(folder),
            Ok(Kind::Hive(file, _)) => {
                for ending in ["", ".LOG", ".LOG1", ".LOG2"] {
                    let mut name = file.clone().into_os_string();
                    name.push(ending);
                    self.files.push(name.into());
                }
                // The case of the names of existing logs does not matter.
                self.files.extend(hive_logs(&file).unwrap_or_default());
            }
            Ok(Kind::Pol(file, _)) => {
                // As `pol:`, so that the `gpt.ini` beside the file to which a link leads is found.
                self.files.extend(gpt_ini_of(&resolved(&file).unwrap_or_else(|_| file.clone())));
                self.files.push(file);
            }
            Ok(Kind::Reg(file) | Kind::Snapshot(file)) => self.files.push(file),
            Ok(Kind::Smb(_)) => self.files.extend(std::env::var_os("KBFIX_SMB_AUTH_FILE").map(PathBuf::from)),
            Ok(Kind::Local) | Err(_) => {}
        }
        self.folders.extend(address.files.clone());
        self.folders.extend(address.drives.values().cloned());
    }

    /// Returns whether `path` leads to one of the input files, or into one of the input folders.
    fn hold(&self, path: &Path) -> bool {
        let is_same = |input: &PathBuf| match (Identity::of(input), Identity::of(path)) {
            (Some(input), Some(out)) => input == out,
            _ => resolved(input).is_ok_and(|input| input == path),
        };
        let is_above = |folder: &PathBuf| resolved(folder).is_ok_and(|folder| path.starts_with(folder));
        self.files.iter().any(is_same) || self.folders.iter().any(is_above)
    }
}

impl Destination {
    /// Returns the destination for the path that `--out` gives.
    ///
    /// # Errors
    /// Returns an error if the path leads to a folder, to a file that the command reads, to a file of its target or
    /// into the folder with the journals, or if the folder of the file does not exist. Whether the file can be written
    /// is not checked.
    pub(super) fn new(out: &Path, inputs: &Inputs) -> Result<Self, CommandError> {
        let failed = |error: io::Error| CommandError::file(&out.display().to_string(), &error);
        if out.as_os_str() == "-" {
            return Ok(Self::StandardOutput);
        }
        match fs::metadata(out) {
            Ok(found) if found.is_dir() => return Err(failed(io::ErrorKind::IsADirectory.into())),
            Ok(found) if is_standard_output(&found) => return Ok(Self::StandardOutput),
            Ok(found) if !found.is_file() => return Ok(Self::Stream(out.to_owned())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let file = resolved(out).map_err(failed)?;
        if inputs.hold(&file) {
            let message = format!(
                "`--out {}` is a file that this command reads or writes, or is in a folder with such files",
                out.display()
            );
            let hint = "name another file, in a folder that the command does not use";
            let diagnostic = Diagnostic::error(Code::OUT_IS_INPUT, message).hint(hint);
            return Err(CommandError::new(Exit::Refused, diagnostic));
        }
        check_journals(out, &file, inputs.journals.as_deref())?;
        Ok(Self::File { named: out.to_owned(), real: file })
    }

    /// Writes the document.
    ///
    /// # Errors
    /// Returns the system's error. A file that already existed is then unchanged, unless only the sync of its folder
    /// failed. Standard output causes no error here: [`Output::exit`] reports it.
    pub(super) fn write(&self, bytes: &[u8], output: &mut Output) -> Result<(), CommandError> {
        self.write_by(replace_file, bytes, output)
    }

    /// Writes a document that contains registry data, which may be confidential. If this function creates the file on
    /// Unix, only the file's owner can read it.
    ///
    /// # Errors
    /// Returns an error as [`Destination::write`] does.
    pub(super) fn write_private(&self, bytes: &[u8], output: &mut Output) -> Result<(), CommandError> {
        self.write_by(replace_private_file, bytes, output)
    }

    /// Writes a document piece by piece, with the permissions that [`Destination::write_private`] sets.
    ///
    /// # Errors
    /// Returns an error as [`Destination::write`] does, or if the destination is standard output.
    pub(super) fn write_private_by(
        &self,
        write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        let (path, result) = match self {
            Self::StandardOutput => return Err(CommandError::usage("standard output is not a file", "name a file")),
            Self::File { named, real } => (named, replace_private_file_by(real, write)),
            Self::Stream(path) => {
                (path, fs::File::options().write(true).open(path).and_then(|mut file| write(&mut file)))
            }
        };
        result.map_err(|error| CommandError::file(&path.display().to_string(), &error))
    }

    fn write_by(
        &self,
        replace: fn(&Path, &[u8]) -> io::Result<()>,
        bytes: &[u8],
        output: &mut Output,
    ) -> Result<(), CommandError> {
        let (path, result) = match self {
            Self::StandardOutput => {
                output.bytes(bytes);
                return Ok(());
            }
            Self::File { named, real } => (named, replace(real, bytes)),
            Self::Stream(path) => {
                let stream = fs::File::options().write(true).open(path);
                (path, stream.and_then(|mut stream| io::Write::write_all(&mut stream, bytes)))
            }
        };
        result.map_err(|error| CommandError::file(&path.display().to_string(), &error))
    }
}

/// Writes documents to their destinations. Replaces a file only when all documents are complete on disk, so that an
/// error while one of them is written leaves every existing file as it was. If one of the files cannot be replaced,
/// gives those that were already replaced their old content again, as far as possible.
///
/// # Errors
/// Returns the system's error.
pub(super) fn write_all(documents: &[(Destination, String)], output: &mut Output) -> Result<(), CommandError> {
    let failed = |named: &Path, error: &io::Error| CommandError::file(&named.display().to_string(), error);
    let mut prepared = Vec::new();
    for (destination, text) in documents {
        if let Destination::File { named, real } = destination {
            let file = prepare(real, text.as_bytes()).map_err(|error| failed(named, &error))?;
            prepared.push((named, real, file));
        }
    }
    for (destination, text) in documents.iter().filter(|(to, _)| !matches!(to, Destination::File { .. })) {
        destination.write(text.as_bytes(), output)?;
    }
    let mut replaced = Vec::new();
    for (named, real, file) in prepared {
        replaced.push((real, fs::read(real)));
        if let Err(error) = file.put_in_place() {
            replaced.iter().for_each(|(real, old)| put_back(real, old));
            return Err(failed(named, &error));
        }
    }
    Ok(())
}

/// Gives the file at `path` the content that it had when it was read as `old`. Errors are ignored, because the caller
/// reports an error anyway.
fn put_back(path: &Path, old: &io::Result<Vec<u8>>) {
    let _ = match old {
        Ok(old) => replace_file(path, old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_file(path),
        Err(_) => Ok(()),
    };
}

/// Returns an error if a folder to write is in the folder with the journals, or if its path is `-`, which means
/// standard output for other commands.
pub(super) fn check_folder(folder: &Path) -> Result<(), CommandError> {
    if folder.as_os_str() == "-" {
        return Err(CommandError::usage(
            "`-` means standard output, but this command writes a folder",
            "name a folder; a folder with this name is `./-`",
        ));
    }
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let existing = absolute.ancestors().find_map(|above| canonical(above).ok());
    existing.map_or(Ok(()), |existing| check_journals(folder, &existing, None))
}

/// Returns an error if `real` is in the folder with the journals, or is this folder: `given`, or the one that the
/// environment determines. `named` is the path as the user gave it.
fn check_journals(named: &Path, real: &Path, given: Option<&Path>) -> Result<(), CommandError> {
    let state = std::env::var_os("KBFIX_STATE_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let usual = Store::new(state.as_deref()).map(|store| store.journals());
    let is_above = |folder: &&Path| canonical(folder).is_ok_and(|folder| real.starts_with(folder));
    let Some(folder) = usual.as_deref().into_iter().chain(given).find(is_above) else { return Ok(()) };
    let message = format!("{} is in {}, the folder with the journals", named.display(), folder.display());
    let hint = "name a file or folder elsewhere, because this folder must contain only journals";
    Err(CommandError::new(Exit::Refused, Diagnostic::error(Code::OUT_IS_INPUT, message).hint(hint)))
}

/// Creates a folder and those above it if they do not exist. Returns the errors of [`check_folder`], too.
pub(super) fn create_folder(folder: &Path) -> Result<(), CommandError> {
    check_folder(folder)?;
    fs::create_dir_all(folder).map_err(|error| CommandError::file(&folder.display().to_string(), &error))
}

/// Returns the path with links resolved. The folder must exist; the file itself may be missing.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    // The number of links in a row that Linux follows.
    for _ in 0..40 {
        match canonical(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => canonical(folder)?,
            _ => canonical(Path::new("."))?,
        };
        let Some(name) = path.file_name() else { return Err(io::ErrorKind::NotFound.into()) };
        let here = folder.join(name);
        match fs::read_link(&here) {
            Ok(to) => path = folder.join(to),
            Err(_) => return Ok(here),
        }
    }
    Err(io::Error::other("too many links"))
}

/// The identity of a file: its device and its inode. Two paths can lead to the same file.
#[derive(PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code, reason = "made on Unix only"))]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(path).ok().map(|found| Self(found.dev(), found.ino()))
    }

    /// Returns `None`, because Windows tells the identity only of an open file. On Windows, paths are compared instead.
    #[cfg(not(unix))]
    fn of(_path: &Path) -> Option<Self> {
        None
    }
}

/// Returns whether this is the file or pipe to which standard output goes. Returns false for a device, because a device
/// can be written to twice.
#[cfg(unix)]
fn is_standard_output(found: &fs::Metadata) -> bool {
    use std::os::{
        fd::AsFd as _,
        unix::fs::{FileTypeExt as _, MetadataExt as _},
    };
    let own = io::stdout().as_fd().try_clone_to_owned().and_then(|fd| fs::File::from(fd).metadata());
    let is_same = own.is_ok_and(|own| (own.dev(), own.ino()) == (found.dev(), found.ino()));
    is_same && !found.file_type().is_char_device()
}

#[cfg(not(unix))]
fn is_standard_output(_found: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_one_file_cannot_be_replaced_all_keep_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let to = |name: &str| {
            let real = folder.path().join(name);
            (Destination::File { named: name.into(), real }, "new".to_owned())
        };
        fs::write(folder.path().join("old"), "old").unwrap();
        // No file can replace a folder.
        fs::create_dir(folder.path().join("folder")).unwrap();
        let error = write_all(&[to("old"), to("none"), to("folder")], &mut Output::new()).unwrap_err();
        assert!(error.diagnostics[0].message.starts_with("folder: "), "{:?}", error.diagnostics);
        assert_eq!(fs::read_to_string(folder.path().join("old")).unwrap(), "old");
        assert!(!folder.path().join("none").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
