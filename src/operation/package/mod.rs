//! Runs the package of a hotfix, after checking that the file is the one that the spec names.
//!
//! The file is first copied into a folder of kbfix. Only an administrator can write to this folder. The digest is
//! computed from the copy, through a handle that stays open until the package has ended. On Windows, nobody can write,
//! rename or remove the copy while the handle is open. So the file that is checked is the file that is run.

mod folder;
#[cfg(windows)]
mod job;
mod kind;
#[cfg(not(windows))]
mod process;

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

pub use folder::remove_leftovers;
#[cfg(windows)]
use job::Process;
use kind::{Kind, RESTART_BEGUN};
#[cfg(not(windows))]
use process::Process;
use sha2::{Digest, Sha256};

use super::step::{Step, StepKind, StepResult};
use crate::{plan::Install, registry::notation::hex_digits};

/// The reason why a package cannot be run. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The package cannot be read, or the program of Windows that installs it was not found.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path of the package, or the name of the program of Windows that installs it.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The copy of the package cannot be created in the state folder, or cannot be read.
    #[error("{}: {source}", path.display())]
    Copy {
        /// The path that cannot be created or read: of the copy, of the folder for the copy, or of the state folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The folder for the copy cannot be trusted, or (on Windows) cannot be created.
    #[error("{}: {detail}", path.display())]
    Folder {
        /// The path of the folder for the copy of the package.
        path: PathBuf,
        /// The reason why the folder cannot be trusted or created.
        detail: String,
    },
    /// The file is not the package that the spec names.
    #[error("{} is not the package {package}: its SHA-256 is {found}, but the package has {wanted}", path.display())]
    Mismatch {
        /// The file that was given as the package.
        path: PathBuf,
        /// The name of the package in the spec.
        package: String,
        /// The SHA-256 of the file, in hex digits.
        found: String,
        /// The SHA-256 in the spec, in hex digits.
        wanted: String,
    },
    /// kbfix cannot run files of this kind.
    #[error("{}: kbfix can only run packages whose name ends with .exe, .msi, .msp or .msu", path.display())]
    Kind {
        /// The file that was given as the package.
        path: PathBuf,
    },
}

/// A checked copy of a package that can be run. When this is dropped, the copy is removed.
#[derive(Debug)]
pub struct Prepared {
    name: String,
    kind: Kind,
    folder: PathBuf,
    program: PathBuf,
    before: Vec<String>,
    held: Option<File>,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        drop(self.held.take());
        // A program that the package started may still use the copy. The apply does not fail because of that.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Checks that the file at `path` is the package that the spec names, and of a kind that can be run. Copies and writes
/// nothing.
///
/// # Errors
///
/// Returns the [`PackageError`] that [`prepare`] would return, as far as it depends only on the file.
pub fn check(path: &Path, install: &Install) -> Result<(), PackageError> {
    name_and_kind(path)?;
    let io = |source| PackageError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(io)?;
    same_digest(path, digest(&mut file).map_err(io)?, install)
}

/// Copies the file at `path` into a new folder in the state folder `state`, and checks that the copy is the package
/// that the spec names.
///
/// # Errors
///
/// Returns [`PackageError`] if the file cannot be copied, is not the package that the spec names, or is of a kind that
/// kbfix cannot run.
pub fn prepare(path: &Path, install: &Install, state: &Path) -> Result<Prepared, PackageError> {
    let (name, kind) = name_and_kind(path)?;
    let mut source = File::open(path).map_err(|source| PackageError::Io { path: path.to_owned(), source })?;
    let folder = folder::make(state)?;
    let copy = folder.join(&name);
    let failed = |source| PackageError::Copy { path: copy.clone(), source };
    let mut prepared = Prepared { name, kind, folder, program: copy.clone(), before: Vec::new(), held: None };
    let copied = File::create_new(&copy).and_then(|mut file| {
        io::copy(&mut source, &mut file)?;
        file.flush()?;
        file.sync_all()
    });
    copied.map_err(failed)?;
    let mut held = folder::open_held(&copy).map_err(failed)?;
    same_digest(path, digest(&mut held).map_err(failed)?, install)?;
    prepared.held = Some(held);
    if let Some((program, switch)) = kind.program() {
        prepared.program = system_program(program)?;
        prepared.before.extend(switch.map(str::to_owned));
        prepared.before.push(copy.display().to_string());
    }
    Ok(prepared)
}

fn name_and_kind(path: &Path) -> Result<(String, Kind), PackageError> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).zip(Kind::of(path)).ok_or_else(|| PackageError::Kind { path: path.to_owned() })
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

/// Returns the full path of a program of Windows, so that no other program in PATH is run instead.
#[cfg(windows)]
fn system_program(name: &str) -> Result<PathBuf, PackageError> {
    let failed = |source| PackageError::Io { path: name.into(), source };
    crate::files::state::system_folder().map(|folder| folder.join(name)).map_err(failed)
}

/// Returns an error, because only Windows has the programs that install packages.
#[cfg(not(windows))]
fn system_program(name: &str) -> Result<PathBuf, PackageError> {
    Err(PackageError::Io { path: name.into(), source: io::ErrorKind::Unsupported.into() })
}

impl Prepared {
    /// Runs the package with the arguments from the spec, and waits until the package ends. Calls `tick` every second
    /// with the elapsed time. Ends the package if it takes longer than `limit`.
    pub fn run(&self, spec: &str, install: &Install, limit: Duration, mut tick: impl FnMut(Duration)) -> Step {
        let step = |result, detail: String| Step {
            action: StepKind::InstallHotfix,
            name: self.name.clone(),
            spec: Some(spec.to_owned()),
            result,
            detail,
        };
        let mut command = Command::new(&self.program);
        command.args(&self.before).args(&install.arguments).current_dir(&self.folder);
        // Standard output is reserved for the report.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = match Process::start(&mut command) {
            Ok(process) => process,
            Err(why) => return step(StepResult::Failed, format!("it could not be started: {why}")),
        };
        let started = Instant::now();
        let mut told = Duration::ZERO;
        let status = loop {
            match process.ended() {
                Ok(Some(status)) => break status,
                Ok(None) => {}
                Err(why) => return step(StepResult::Failed, format!("waiting for it failed: {why}")),
            }
            let run = started.elapsed();
            if run >= limit {
                let (ended, service) = (process.end(), self.kind.service());
                let detail = format!("it did not end within {} s, and {ended}{service}", limit.as_secs());
                return step(StepResult::Failed, detail);
            }
            if run.saturating_sub(told) >= Duration::from_secs(1) {
                told = run;
                tick(run);
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let left = process.leave();
        // Exit codes of Windows are unsigned 32-bit numbers.
        let Some(code) = status.code().map(i32::cast_unsigned) else {
            return step(StepResult::Failed, "a signal ended it".to_owned());
        };
        let meaning = self.kind.meaning(code);
        if install.success.contains(&code) {
            return step(StepResult::Done, format!("exit code {code}{meaning}{left}"));
        }
        match (install.restart.contains(&code), code) {
            (true, RESTART_BEGUN) => step(StepResult::RestartBegun, format!("exit code {code}{meaning}{left}")),
            (true, _) => step(StepResult::RestartNeeded, format!("exit code {code}{meaning}{left}")),
            (false, _) => step(StepResult::Failed, format!("exit code {code} (0x{code:08X}){meaning}{left}")),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        os::unix::fs::PermissionsExt,
        sync::{Mutex, MutexGuard, PoisonError},
    };

    use super::*;

    /// Returns a lock, so that only one test at a time starts programs. Until a child process begins its program, it
    /// has the same files open as this process, also the copy that another test is writing. Linux runs no file that is
    /// open for writing.
    fn alone() -> MutexGuard<'static, ()> {
        static STARTS: Mutex<()> = Mutex::new(());
        STARTS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a program that ends with the exit code in its argument. Returns its path, and the entry for it in a plan.
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
        // Starting a program can take seconds on a busy machine.
        let limit = Duration::from_millis(if argument == "wait" { 300 } else { 60_000 });
        prepared.run("KB1", &install, limit, |_| {})
    }

    #[test]
    fn the_exit_code_says_what_came_of_it() {
        let _alone = alone();
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
        let _alone = alone();
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

#[cfg(all(test, windows))]
mod windows_tests {
    use super::*;

    /// Returns a copy of the Windows command shell as a package, and the entry for it in a plan.
    fn prepared(folder: &Path) -> (Prepared, Install) {
        let path = folder.join("fix.exe");
        fs::copy(system_program("cmd.exe").unwrap(), &path).unwrap();
        let install = Install {
            package: "fix.exe".to_owned(),
            sha256: hex_digits(&Sha256::digest(fs::read(&path).unwrap())),
            arguments: Vec::new(),
            success: vec![0],
            restart: vec![3010, 1641],
            files: Vec::new(),
        };
        (prepare(&path, &install, &folder.join("state")).unwrap(), install)
    }

    fn run(prepared: &Prepared, install: &Install, arguments: &[&str], limit: Duration) -> Step {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let install = Install { arguments, ..install.clone() };
        prepared.run("KB1", &install, limit, |_| {})
    }

    #[test]
    fn a_package_is_ended_with_all_that_it_started_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let (prepared, install) = prepared(folder.path());
        let nested = ["/c", "cmd", "/c", "ping", "-n", "20", "127.0.0.1"];
        let late = run(&prepared, &install, &nested, Duration::from_millis(1500));
        assert_eq!(late.result, StepResult::Failed);
        assert_eq!(
            late.detail,
            "it did not end within 1 s, and was ended together with all programs that it had started"
        );
        // Starting a program can take seconds on a busy machine.
        let ample = Duration::from_secs(120);
        let left = run(&prepared, &install, &["/c", "start", "/b", "ping", "-n", "20", "127.0.0.1"], ample);
        assert_eq!(left.detail, "exit code 0; a program that it started still runs");
        let begun = run(&prepared, &install, &["/c", "exit", "1641"], ample);
        assert_eq!(
            (begun.result, begun.detail.as_str()),
            (StepResult::RestartBegun, "exit code 1641, it has begun to restart the computer")
        );
        assert_eq!(run(&prepared, &install, &["/c", "exit", "3010"], ample).result, StepResult::RestartNeeded);
    }
}
