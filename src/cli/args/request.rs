//! The arguments of `diff` and `apply` that name specs or a saved plan.

use kbfix::operation::{self, MOST_CHANGES, Request};

use super::{PLAN, fail_on::FailOnArguments, packages::PackageArguments, plans::Asked, specs::SpecArguments};
use crate::cli::{error::CommandError, out_file::Inputs, output::Output};

/// The arguments that name specs or a saved plan.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RequestArguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// Use this saved plan instead of specs (`-` reads it from standard input). From a fleet plan, kbfix uses the plan
    /// for the target's machine. If a fact on which the plan depends has changed, kbfix refuses the plan. If all
    /// changes of the plan are already made and nothing else has changed, kbfix changes nothing (exit code 0, or 4 if a
    /// spec of the plan has an outcome such as blocked). The plan contains the parameters and triggers with which it
    /// was made: with --plan, --set is an error, and --trigger has no effect.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["specs", "set", "stdin_specs"], help_heading = PLAN)]
    plan: Option<String>,

    /// Use the plan only if it has this digest; otherwise kbfix refuses it. For a fleet plan, give the digest of the
    /// whole file, which `kbfix fleet plan` prints.
    #[arg(long, value_name = "DIGEST", help_heading = PLAN)]
    digest: Option<String>,

    /// The maximum number of keys and values that one spec may change through rules with `*` (every subkey). If one
    /// spec changes more, `diff` warns, and `apply` changes nothing for any spec.
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_CHANGES)]
    pub(in crate::cli) max_changes: usize,

    #[command(flatten)]
    pub(in crate::cli) fail_on: FailOnArguments,

    #[command(flatten)]
    pub(in crate::cli) packages: PackageArguments,
}

impl RequestArguments {
    /// Checks what clap cannot check: that `--digest` is not given without `--plan`. clap ignores this requirement if
    /// specs are given, because specs exclude `--plan`.
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
