//! The arguments for actions that are done only on request: `--package`, `--install-hotfix` and `--trigger`.

use std::{ffi::OsString, path::PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use kbfix::{diag::text::suggest, operation::Packages, spec::Spec};

use super::{ACTIONS, name_and_path};
use crate::cli::{error::CommandError, out_file::Inputs};

/// The arguments that give hotfix packages and request triggers.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PackageArguments {
    /// The file of the package that installs the hotfix of the spec with this ID, for example `KB909094=C:\fix.exe`.
    /// This option needs --install-hotfix. If a saved plan installs the hotfix, also give --package and
    /// --install-hotfix to `apply --plan`. You can give this option several times.
    #[arg(long = "package", value_name = "ID=PATH", requires = "install_hotfix", help_heading = ACTIONS, value_parser = OsStringValueParser::new().try_map(id_and_path))]
    packages: Vec<(String, PathBuf)>,

    /// Install the hotfix from the file of --package, if one of the hotfix's files on the machine is missing or too
    /// old. kbfix does not install it if something else, such as a prerequisite, prevents the changes of the spec. An
    /// installation cannot be rolled back. `apply` can install a hotfix only on the target `local`. If `apply` would
    /// have to install a hotfix on another target, `apply` reports an error and changes nothing. `diff` plans the
    /// installation for every target, and installs nothing.
    #[arg(long, requires = "packages", help_heading = ACTIONS)]
    install_hotfix: bool,

    #[command(flatten)]
    triggers: TriggerArguments,
}

/// The argument `--trigger`, for the commands that plan triggers.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct TriggerArguments {
    /// Include the triggers of the spec with this ID in the changes. A trigger is a rule for a value or key with a
    /// special effect: when the value or key changes, Windows does something. kbfix includes such a rule only if you
    /// give this option and the condition `done_when` of the rule is unmet (and not if it is unknown). If a trigger
    /// must still be written and you do not give this option, the spec is blocked. You can give this option several
    /// times.
    #[arg(long = "trigger", value_name = "ID", help_heading = ACTIONS)]
    triggers: Vec<String>,
}

fn id_and_path(text: OsString) -> Result<(String, PathBuf), &'static str> {
    let (id, path) = name_and_path(&text).ok_or("write the package as ID=PATH, such as KB909094=C:\\fix.exe")?;
    Ok((id.to_owned(), path))
}

impl PackageArguments {
    /// Returns the package files that the user gave, each with the id of its spec.
    pub(in crate::cli) fn packages(&self) -> Packages {
        Packages(self.packages.clone())
    }

    /// Records in each spec whether the user gave a package for its hotfix, and whether its triggers were requested.
    /// Returns an error if an id that the user gave is not the id of a spec with a package or trigger.
    pub(in crate::cli) fn ask(&self, specs: &mut [Spec]) -> Result<(), CommandError> {
        self.triggers.ask(specs)?;
        Ok(self.packages().ask(specs)?)
    }

    /// Adds the package files to `inputs`, so that the command does not overwrite them.
    pub(in crate::cli) fn inputs(&self, inputs: &mut Inputs) {
        self.packages.iter().for_each(|(_, path)| inputs.add(path));
    }
}

impl TriggerArguments {
    /// Records in each spec whether the user requested its triggers. Returns an error if an id that the user gave is
    /// not the id of a spec with a trigger.
    pub(in crate::cli) fn ask(&self, specs: &mut [Spec]) -> Result<(), CommandError> {
        for id in &self.triggers {
            let Some(spec) = specs.iter_mut().find(|spec| spec.id.eq_ignore_ascii_case(id)) else {
                let ids: Vec<&str> = specs.iter().map(|spec| spec.id.as_str()).collect();
                let hint = match suggest(id, ids.iter().copied()) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("the specs of this run are {}", ids.join(", ")),
                };
                return Err(CommandError::usage(format!("--trigger {id}: no spec of this run has that id"), hint));
            };
            if !spec.rules.iter().any(|rule| rule.done_when.is_some()) {
                let message = format!("--trigger {id}: the spec {id} defines no trigger");
                return Err(CommandError::usage(
                    message,
                    "leave out --trigger, because this spec does not need the option",
                ));
            }
            spec.run_triggers = true;
        }
        Ok(())
    }
}
