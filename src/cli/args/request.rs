//! The arguments of `diff` and `apply` that name specs or a saved plan.

use kbfix::operation::{self, MOST_CHANGES, Request};

use super::{PLAN, fail_on::FailOnArguments, packages::PackageArguments, plans::Asked, specs::SpecArguments};
use crate::cli::{error::CommandError, out_file::Inputs, output::Output};

/// The arguments that name specs or a saved plan.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RequestArguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// Use this saved plan instead of specs (`-`: from standard input). From a fleet plan, kbfix uses only the plan
    /// with the target's MachineGuid. If the plan or the target has no MachineGuid, the computer name counts; if they
    /// have neither, the address counts. If there is not exactly one such plan, kbfix refuses the file (exit code 2).
    /// If all changes of the plan are already made, no other fact of the plan has changed, and the plan installs no
    /// hotfix, kbfix changes nothing. The exit code is then 0, or 4 if a spec of the plan is blocked or unknown, needs
    /// a parameter or waits for a restart. In all other cases in which a fact of the plan has changed, kbfix refuses
    /// the plan (exit code 2). The plan already contains parameters and triggers. With --plan, --set is therefore an
    /// error, and --trigger has no effect.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["specs", "set", "stdin_specs"], help_heading = PLAN)]
    plan: Option<String>,

    /// The digest that the plan of --plan must have. If the plan has another digest, kbfix refuses the plan (exit code
    /// 2). For a fleet plan, give the digest that `kbfix fleet plan` prints, not the digest of one machine's plan.
    #[arg(long, value_name = "DIGEST", help_heading = PLAN)]
    digest: Option<String>,

    /// The maximum number of keys and values that one spec may change through rules with `*` in the key. If one spec
    /// would change more, `diff` prints a warning, and `apply` changes nothing for any spec (exit code 2).
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_CHANGES)]
    pub(in crate::cli) max_changes: usize,

    #[command(flatten)]
    pub(in crate::cli) fail_on: FailOnArguments,

    #[command(flatten)]
    pub(in crate::cli) packages: PackageArguments,
}

impl RequestArguments {
    /// Returns an error if `--digest` is given without `--plan`. clap does not report this error if specs are given,
    /// because specs exclude `--plan`.
    pub(in crate::cli) fn check(&self) -> Result<(), CommandError> {
        match (&self.digest, &self.plan) {
            (Some(_), None) => Err(CommandError::usage(
                "`--digest` is given without `--plan`",
                "use `--plan` to name the plan with this digest",
            )),
            _ => Ok(()),
        }
    }

    /// Reads the saved plan, or loads the specs.
    pub(in crate::cli) fn load(&self, output: &mut Output) -> Result<Asked, CommandError> {
        self.check()?;
        match &self.plan {
            Some(file) => Asked::of_plan(file, self.specs.name_of(file), self.digest.as_deref()),
            None => {
                let mut specs = self.specs.load_for_plan(output)?;
                self.packages.ask(&mut specs)?;
                Ok(Asked::Ready(Request::Specs(specs)))
            }
        }
    }

    /// Reads the whole library of built-in specs.
    pub(in crate::cli) fn load_library(&self, output: &mut Output) -> Result<Asked, CommandError> {
        self.check()?;
        let mut specs = SpecArguments::load_library(output)?;
        self.packages.ask(&mut specs)?;
        Ok(Asked::Ready(Request::Specs(specs)))
    }

    /// Converts the error of an operation. If the error is about the saved plan, adds the name of its file.
    pub(in crate::cli) fn error(&self, error: operation::Error) -> CommandError {
        let error = CommandError::from(error);
        match &self.plan {
            Some(file) => error.of_plan(self.specs.name_of(file)),
            None => error,
        }
    }

    /// Adds the files that the command reads to `inputs`, so that the command does not overwrite them.
    pub(in crate::cli) fn inputs(&self, inputs: &mut Inputs) {
        self.specs.inputs(inputs);
        self.packages.inputs(inputs);
        self.plan.iter().for_each(|plan| inputs.add(plan));
    }
}
