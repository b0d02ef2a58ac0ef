//! Runs a hotfix's package, once it is certain that the file is the one that the spec names.
//!
//! The file is copied into a folder of kbfix's own, and its digest is made of the copy, through a handle that stays open
//! until the package has ended: on Windows nobody can write, rename or remove the file as long as that is so, and on any
//! system nobody but the administrator can write the folder. What is checked is thereby what is run.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use super::{Action, Result as StepResult, Step};
use crate::{plan::Install, registry::notation::hex_digits};

/// Why a package cannot be run. Nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It cannot be read, or copied.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The folder for the copy cannot be trusted.
    #[error("{}: {detail}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// It is not the package that the spec names.
    #[error("{} is not the package {package}: its SHA-256 is {found}, that of the package is {wanted}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// The name in the spec.
        package: String,
        /// The digest of the file.
        found: String,
        /// The digest in the spec.
        wanted: String,
    },
    /// It is of a kind that kbfix does not know how to run.
    #[error("{}: kbfix runs packages that end in .exe, .msi, .msp and .msu", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
    },
}

/// A package whose content is certain, ready to be run. The copy goes when this does.
#[derive(Debug)]
pub struct Prepared {
    name: String,
    folder: PathBuf,
    program: PathBuf,
    before: Vec<String>,
    held: Option<File>,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        drop(self.held.take());
        // What cannot be removed, since the package left something running, is no failure of the apply.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Checks that the file at `path` is the package and of a kind that can be run. Copies and writes nothing.
///
/// # Errors
/// [`PackageError`]: what [`prepare`] would refuse, as far as the file alone says.
pub fn check(path: &Path, install: &Install) -> Result<(), PackageError> {
    installer(path)?;
    let io = |source| PackageError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(io)?;
    same_digest(path, digest(&mut file).map_err(io)?, install)
}

/// Copies the file at `path` into a new folder below `state`, and checks that it is the package.
///
/// # Errors
/// [`PackageError`]
pub fn prepare(path: &Path, install: &Install, state: &Path) -> Result<Prepared, PackageError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| PackageError::Io { path, source }
    };
    let (name, installer) = installer(path)?;
    let mut source = File::open(path).map_err(io(path))?;
    let folder = new_folder(state)?;
    let copy = folder.join(&name);
    let mut prepared = Prepared { name, folder, program: copy.clone(), before: Vec::new(), held: None };
    let copied = File::create_new(&copy).and_then(|mut file| {
        io::copy(&mut source, &mut file)?;
        file.flush()?;
        file.sync_all()
    });
    copied.map_err(io(&copy))?;
    let mut held = open_held(&copy).map_err(io(&copy))?;
    same_digest(path, digest(&mut held).map_err(io(&copy))?, install)?;
    prepared.held = Some(held);
    if let Some((program, switch)) = installer {
        prepared.program = system_program(program);
        prepared.before.extend(switch.map(str::to_owned));
        prepared.before.push(copy.display().to_string());
    }
    Ok(prepared)
}

/// A program of Windows that installs a package, and the switch that it wants before the package's path.
type Installer = (&'static str, Option<&'static str>);

/// Returns the package's file name, and what runs it; `None` where it runs itself.
fn installer(path: &Path) -> Result<(String, Option<Installer>), PackageError> {
    let kind = || PackageError::Kind { path: path.to_owned() };
    let name = path.file_name().and_then(|n| n.to_str()).ok_or_else(kind)?.to_owned();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let installer = match extension.as_str() {
        "exe" => None,
        "msi" => Some(("msiexec.exe", Some("/i"))),
        "msp" => Some(("msiexec.exe", Some("/p"))),
        "msu" => Some(("wusa.exe", None)),
        _ => return Err(kind()),
    };
    Ok((name, installer))
}

fn same_digest(path: &Path, found: String, install: &Install) -> Result<(), PackageError> {
    if found == install.sha256 {
        return Ok(());
    }
    let (package, wanted) = (install.package.clone(), install.sha256.clone());
    Err(PackageError::Mismatch { path: path.to_owned(), package, found, wanted })
}

fn digest(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex_digits(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// A program of Windows', by its full path: none of that name elsewhere in PATH is meant.
fn system_program(name: &str) -> PathBuf {
    let root = std::env::var_os("SystemRoot").map_or_else(|| PathBuf::from(r"C:\Windows"), PathBuf::from);
    root.join("System32").join(name)
}

/// A new folder that only administrators can write.
#[cfg(windows)]
fn new_folder(state: &Path) -> Result<PathBuf, PackageError> {
    fs::create_dir_all(state).map_err(|source| PackageError::Io { path: state.to_owned(), source })?;
    let folder = state.join(format!("package-{}", crate::journal::Folder::new_id()));
    match crate::targets::local::create_admin_only_dir(&folder) {
        Ok(()) => Ok(folder),
        Err(why) => Err(PackageError::Folder { path: folder, detail: why.to_string() }),
    }
}

/// A new folder that only this user can write.
#[cfg(not(windows))]
fn new_folder(state: &Path) -> Result<PathBuf, PackageError> {
    use std::os::unix::fs::PermissionsExt;
    let io = |source| PackageError::Io { path: state.to_owned(), source };
    fs::create_dir_all(state).map_err(io)?;
    let private = fs::Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().prefix("package-").permissions(private).tempdir_in(state).map_err(io)?;
    Ok(folder.keep())
}

/// Opens the copy so that nobody else can write, rename or remove it until the handle is closed.
#[cfg(windows)]
fn open_held(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_SHARE_READ: u32 = 1;
    File::options().read(true).share_mode(FILE_SHARE_READ).open(path)
}

#[cfg(not(windows))]
fn open_held(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o500))?;
    File::open(path)
}

impl Prepared {
    /// Runs the package with the arguments that the spec gives, and waits for its end. `tick` is called every second with the
    /// time it has run. After `limit` it is ended.
    pub fn run(&self, spec: &str, install: &Install, limit: Duration, mut tick: impl FnMut(Duration)) -> Step {
        let step = |result, detail: String| Step {
            action: Action::InstallHotfix,
            name: self.name.clone(),
            spec: Some(spec.to_owned()),
            result,
            detail,
        };
        let mut command = Command::new(&self.program);
        command.args(&self.before).args(&install.arguments).current_dir(&self.folder);
        // Standard output is the report's.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(why) => return step(StepResult::Failed, format!("it could not be started: {why}")),
        };
        let started = Instant::now();
        let mut told = Duration::ZERO;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => {}
                Err(why) => return step(StepResult::Failed, format!("it cannot be waited for: {why}")),
            }
            let run = started.elapsed();
            if run >= limit {
                let ended = child.kill().and_then(|()| child.wait());
                let how = if ended.is_ok() { "was ended" } else { "could not be ended" };
                let detail = format!("it did not end within {} s, and {how}", limit.as_secs());
                return step(StepResult::Failed, detail);
            }
            if run.saturating_sub(told) >= Duration::from_secs(1) {
                told = run;
                tick(run);
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        // Windows' exit codes are 32 bits without a sign.
        match status.code().map(|code| code as u32) {
            Some(code) if install.success.contains(&code) => step(StepResult::Done, format!("exit code {code}")),
            Some(code) if install.restart.contains(&code) => {
                step(StepResult::RestartNeeded, format!("exit code {code}"))
            }
            Some(code) => step(StepResult::Failed, format!("exit code {code} (0x{code:08X}){}", meaning(code))),
            None => step(StepResult::Failed, "it was ended by a signal".to_owned()),
        }
    }
}

/// What Windows' installers mean by an exit code. Source: Microsoft, "Error Codes" of Windows Installer and Windows Update.
fn meaning(code: u32) -> &'static str {
    match code {
        1602 => ", cancelled by the user",
        1603 => ", a fatal error during installation",
        1618 => ", another installation is under way",
        1625 => ", forbidden by policy",
        1633 => ", not for this processor",
        1642 => ", the program that it updates is not installed",
        2359302 => ", installed already",
        0x8024_0017 => ", not applicable to this computer",
        _ => "",
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program that ends with the exit code that it is told, and what a plan says of it.
    fn package(folder: &Path) -> (PathBuf, Install) {
        let path = folder.join("fix.exe");
        let program = "#!/bin/sh\nif [ \"$1\" = wait ]; then exec sleep 60; fi\nexit \"$1\"\n";
        fs::write(&path, program).unwrap();
        let install = Install {
            package: "fix*.exe".to_owned(),
            sha256: hex_digits(&Sha256::digest(program)),
            arguments: Vec::new(),
            success: vec![0],
            restart: vec![194],
            files: Vec::new(),
        };
        (path, install)
    }

    fn run(prepared: &Prepared, install: &Install, argument: &str) -> Step {
        let install = Install { arguments: vec![argument.to_owned()], ..install.clone() };
        prepared.run("KB1", &install, Duration::from_millis(300), |_| {})
    }

    #[test]
    fn the_exit_code_says_what_came_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, install) = package(folder.path());
        let state = folder.path().join("state");
        let prepared = prepare(&path, &install, &state).unwrap();
        assert_eq!(run(&prepared, &install, "0").result, StepResult::Done);
        assert_eq!(run(&prepared, &install, "194").result, StepResult::RestartNeeded);
        let failed = run(&prepared, &install, "7");
        assert_eq!(failed.to_string(), "install hotfix fix.exe: failed, exit code 7 (0x00000007)");
        let late = run(&prepared, &install, "wait");
        assert!(late.detail.contains("did not end within"), "{late}");
        drop(prepared);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
    }

    #[test]
    fn what_is_run_is_the_copy_that_was_checked() {
        let folder = tempfile::tempdir().unwrap();
        let (path, install) = package(folder.path());
        let prepared = prepare(&path, &install, &folder.path().join("state")).unwrap();
        fs::write(&path, "#!/bin/sh\nexit 9\n").unwrap();
        assert_eq!(run(&prepared, &install, "0").result, StepResult::Done);
        let mode = fs::metadata(&prepared.folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }

    #[test]
    fn a_dry_run_refuses_what_the_run_refuses_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (path, install) = package(folder.path());
        check(&path, &install).unwrap();
        assert!(matches!(check(&path.with_extension("zip"), &install), Err(PackageError::Kind { .. })));
        let missing = check(&folder.path().join("none.exe"), &install).unwrap_err();
        assert!(missing.to_string().contains("none.exe"), "{missing}");
        fs::write(&path, "other").unwrap();
        assert!(matches!(check(&path, &install), Err(PackageError::Mismatch { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn another_file_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let (path, install) = package(folder.path());
        fs::write(&path, "other").unwrap();
        let state = folder.path().join("state");
        let error = prepare(&path, &install, &state).unwrap_err();
        assert!(matches!(error, PackageError::Mismatch { .. }), "{error}");
        assert!(error.to_string().contains(&install.sha256));
        assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
        let text = folder.path().join("fix.txt");
        fs::write(&text, "").unwrap();
        assert!(matches!(prepare(&text, &install, &state), Err(PackageError::Kind { .. })));
    }
}
