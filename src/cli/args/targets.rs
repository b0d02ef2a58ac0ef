//! The arguments that name a target: `--target` and the options that belong to it.

use std::{collections::BTreeSet, env::VarError, ffi::OsString, path::PathBuf};

use clap::{
    Arg,
    builder::{OsStringValueParser, TypedValueParser as _},
};

use crate::cli::{error::CommandError, output::Output};

use kbfix::{
    diag::{Code, Diagnostic, Exit, Hint},
    format::reg::CodePage,
    targets::{Address, Extra, Kind, Target, open},
};

use super::{TARGET, name_and_path, plans::Asked};

/// All targets, for the help of `--target`.
const TARGETS: &str = r"- `local`: this Windows machine
- `image:DIR`: the disk of a switched-off Windows, mounted at the folder DIR
- `hive:FILE=KEY`: one registry file; KEY is the key at which Windows mounts it, such as `hive:SYSTEM=HKLM\SYSTEM`
- `reg:FILE`: a registry export
- `pol:FILE[=HKCU]`: a Registry.pol of Group Policy; add `=HKCU` if the file is for users
- `snapshot:FILE`: a file that `kbfix snapshot` has written
- `smb://[[DOMAIN;]USER@]HOST[:PORT][?smb1]`: another Windows over the network (only from Linux, through Samba)";

/// The text about `smb:` in the help of `--target`.
const SMB: &str = "Add `?smb1` for Windows Server 2003. For `smb:`, the environment variable KBFIX_SMB_AUTH_FILE \
    names the file with user name and password. You can instead use a Kerberos ticket, with \
    KBFIX_SMB_KERBEROS=1.";

/// The default of `--target` for every command except `rollback`.
pub(in crate::cli) const DEFAULT: &str = "local on Windows; on other systems, you must name a target";

/// Returns the code page with this number, which the user gave; an error if kbfix does not know this code page.
pub(in crate::cli) fn code_page(number: u16) -> Result<CodePage, CommandError> {
    CodePage::new(number).ok_or_else(|| {
        let hint = "the code pages are 874, 932, 936, 949, 950 and 1250 to 1258";
        CommandError::usage(format!("kbfix does not know the code page {number}"), hint)
    })
}

/// Sets the help of the argument `--target` of a command. `what` says what the target is for the command, `default` is
/// the default, and `kinds` says what the command does with each kind of target. Returns any other argument unchanged.
///
/// Commands call this with `mut_args`, because `mut_arg` would move the argument to the end of the list.
pub(in crate::cli) fn describe(argument: Arg, what: &str, default: &str, kinds: &str) -> Arg {
    if argument.get_id() != "target" {
        return argument;
    }
    let first = format!("{what} [default: {default}]");
    argument.long_help(format!("{first}\n\n{TARGETS}\n\n{kinds}\n\n{SMB}")).help(first)
}

/// The arguments that name a target, for every command that reads one.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct TargetArguments {
    /// The target. [`describe`] replaces this help text for each command.
    #[arg(long, value_name = "URI", env = "KBFIX_TARGET", hide_env_values = true, help_heading = TARGET)]
    pub(in crate::cli) target: Option<String>,

    /// A local folder with the files of drive C, for the targets `reg:`, `hive:` and `smb:`. kbfix reads the versions
    /// of files on this drive, for example of the hotfix, from this folder. For `smb:`, kbfix also reads policy stores
    /// and event logs of drive C only from this folder. For `hive:` and `smb:`, `--drive C=DIR` means the same. If you
    /// give neither option, kbfix reads these files over the network for `smb:`, and the versions are unknown for
    /// `reg:` and `hive:`.
    #[arg(long, value_name = "DIR", help_heading = TARGET)]
    pub(in crate::cli) files: Option<PathBuf>,

    /// The ANSI code page, such as 1252, of a registry export (`reg:`) without a byte order mark. Without this option,
    /// kbfix refuses such an export if it contains characters outside ASCII (comments do not count).
    #[arg(long, value_name = "NUMBER", help_heading = TARGET)]
    pub(in crate::cli) code_page: Option<u16>,

    /// A local folder with the files of a further drive, such as D=/mnt/data, for the targets `image:`, `hive:` and
    /// `smb:`. An image already contains the drive with Windows, usually drive C, so a folder for this drive is an
    /// error. You can give this option once for each drive. For drive C, give either this option or --files.
    #[arg(long = "drive", value_name = "LETTER=DIR", help_heading = TARGET, value_parser = OsStringValueParser::new().try_map(drive))]
    pub(in crate::cli) drives: Vec<(char, PathBuf)>,

    /// Read a hive (a registry file) as it is if its last changes are neither in the hive nor in the log files next to
    /// the hive. This can happen if Windows was not shut down. Without this option, kbfix does not read such a hive.
    /// Only the targets `image:` and `hive:` accept this option. kbfix never writes such a hive. If `apply`, `rollback`
    /// or `retire` would have to change the hive, the command changes nothing at all (exit code 5).
    #[arg(long, help_heading = TARGET)]
    pub(in crate::cli) allow_dirty: bool,
}

/// The arguments that name a target, for the commands that plan changes.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ChangedTargetArguments {
    #[command(flatten)]
    target: TargetArguments,

    /// In an image (`image:`), read the values below HKLM\Software\Policies and
    /// HKLM\Software\Microsoft\Windows\CurrentVersion\Policies from the Registry.pol of the image's local GPO, and not
    /// from the registry. `apply` and `retire` change these values in the same file. If a spec needs such keys of users
    /// (HKCU), `apply` changes nothing for any spec (exit code 4). Only the target `image:` accepts this option.
    /// Windows copies the values from this file into the registry when Windows starts, and can copy them again at each
    /// refresh of Group Policy.
    #[arg(long, help_heading = TARGET)]
    through_policy: bool,
}

/// Parses `D=DIR` or `D:=DIR` into the drive letter, in upper case, and the folder. Returns a message if `text` has
/// another form.
fn drive(text: OsString) -> Result<(char, PathBuf), &'static str> {
    const FORM: &str = "expected a drive letter, `=` and a folder, such as D=/mnt/data";
    let (letter, folder) = name_and_path(&text).ok_or(FORM)?;
    match letter.trim_end_matches(':').as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => Ok((letter.to_ascii_uppercase().into(), folder)),
        _ => Err(FORM),
    }
}

impl TargetArguments {
    /// Returns the arguments as if `--target` and `--files` had been given, for a command without these options. If
    /// `target` is `None`, the environment variable KBFIX_TARGET names the target. It is an error if this variable is
    /// not valid Unicode: if it were ignored, the default target would be read or changed.
    pub(in crate::cli) fn named(target: Option<String>, files: Option<PathBuf>) -> Result<Self, CommandError> {
        let target = match target.map_or_else(|| std::env::var("KBFIX_TARGET"), Ok) {
            Ok(uri) => Some(uri),
            Err(VarError::NotPresent) => None,
            Err(VarError::NotUnicode(_)) => {
                let message = "the environment variable KBFIX_TARGET is not valid Unicode";
                return Err(CommandError::usage(message, "set it to the URI of the target, or remove it"));
            }
        };
        Ok(Self { target, files, code_page: None, drives: Vec::new(), allow_dirty: false })
    }

    /// Returns the address of the named target. On Windows, the default is this machine; on other systems, it is an
    /// error if no target is named.
    pub(in crate::cli) fn address(&self) -> Result<Address, CommandError> {
        self.address_with(false)
    }

    fn address_with(&self, through_policy: bool) -> Result<Address, CommandError> {
        let uri = match &self.target {
            Some(uri) => uri.as_str(),
            None if cfg!(windows) => "local",
            None => {
                let message = "no target was given, and this system is not Windows";
                let hint =
                    Hint::new("name a target: image:DIR, hive:FILE=KEY, reg:FILE, pol:FILE, snapshot:FILE, smb://HOST")
                        .option("target", "URI");
                return Err(CommandError::new(
                    Exit::Refused,
                    Diagnostic::error(Code::TARGET_MISSING, message).hint(hint),
                ));
            }
        };
        let mut letters = BTreeSet::new();
        if let Some((letter, _)) = self.drives.iter().find(|(letter, _)| !letters.insert(letter)) {
            let message = format!("`--drive` names two folders for drive {letter}");
            return Err(CommandError::usage(message, "name one folder for each drive"));
        }
        let address = Address::new(uri, self.files.as_deref(), self.code_page)?;
        let address =
            address.with_drives(&self.drives).with_dirty_hives(self.allow_dirty).with_through_policy(through_policy);
        match address.misfit()? {
            None => self.code_page.map(code_page).transpose().map(|_| address),
            Some((extra, why)) => {
                let option = match extra {
                    Extra::Files => "files",
                    Extra::Drives => "drive",
                    Extra::AllowDirty => "allow-dirty",
                    Extra::ThroughPolicy => "through-policy",
                    Extra::CodePage => "code-page",
                };
                let message = format!("the option `{option}` cannot be used with the target {}: {why}", address.uri);
                let hint = Hint::new("leave the option out, or name another target").bare_option(option);
                Err(CommandError::usage(message, hint))
            }
        }
    }

    /// Opens the target, and also returns its address.
    pub(in crate::cli) fn open(&self) -> Result<(Address, Box<dyn Target>), CommandError> {
        let address = self.address()?;
        let target = open(&address)?;
        Ok((address, target))
    }
}

impl ChangedTargetArguments {
    /// Returns the address of the named target.
    pub(in crate::cli) fn address(&self) -> Result<Address, CommandError> {
        self.target.address_with(self.through_policy)
    }

    /// Opens the target, and also returns its address. If a saved plan changes the local GPO of an image, the option
    /// `--through-policy` is not needed.
    pub(in crate::cli) fn open_for(&self, asked: &Asked) -> Result<(Address, Box<dyn Target>), CommandError> {
        let mut address = self.address()?;
        if matches!(address.kind()?, Kind::Image(_)) && asked.goes_through_policy() {
            address = address.with_through_policy(true);
        }
        let target = open(&address)?;
        Ok((address, target))
    }
}

/// The argument that names the state folder, for every command that uses it.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct StateArguments {
    /// The state folder; kbfix keeps the journals in its subfolder `journal` [default: %ProgramData%\kbfix on Windows;
    /// elsewhere $XDG_STATE_HOME/kbfix or, if this variable is not set or is not an absolute path,
    /// ~/.local/state/kbfix].
    #[arg(long, value_name = "DIR", env = "KBFIX_STATE_DIR")]
    state_dir: Option<PathBuf>,
}

impl StateArguments {
    /// Returns the state folder that the user named, or the default state folder.
    pub(in crate::cli) fn store(&self) -> Result<kbfix::journal::Store, CommandError> {
        kbfix::journal::Store::new(self.state_dir.as_deref()).ok_or_else(|| {
            CommandError::usage(
                "there is no default state folder, because no environment variable names one",
                Hint::new("name a state folder").option("state-dir", "DIR"),
            )
        })
    }

    /// Prints a note if the user named a state folder that does not exist, because its name may be mistyped. This is no
    /// warning, because the folder exists only after the first apply. A command that has succeeded without journals
    /// calls this.
    pub(in crate::cli) fn note_missing(&self, store: &kbfix::journal::Store, output: &mut Output) {
        if let Some(missing) = store.missing().filter(|_| self.state_dir.is_some()) {
            output.note(&missing);
        }
    }
}
