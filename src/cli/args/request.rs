//! What `diff` and `apply` are to bring about: the arguments that name specs, or a saved plan.

use kbfix::operation::{self, MOST_CHANGES, Request};

use super::{fail_on::FailOnArguments, packages::PackageArguments, plans::Asked, specs::SpecArguments};
use crate::cli::{error::CommandError, out_file::Inputs, output::Output};

/// Specs, or a saved plan.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RequestArguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// Use this saved plan (`-`: from standard input) in place of specs; of a fleet plan, the plan of the target's machine. Refused if anything that it rests on has changed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["specs", "set", "stdin_specs"])]
    plan: Option<String>,

    /// Refuse a plan whose digest is not this one.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,

    /// The most keys and values that may change through a `*` of one spec. If there are more, `diff` warns, and `apply` refuses
    /// to change anything.
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_CHANGES)]
    pub(in crate::cli) max_changes: usize,

    #[command(flatten)]
    pub(in crate::cli) fail_on: FailOnArguments,

    #[command(flatten)]
    pub(in crate::cli) packages: PackageArguments,
}

impl RequestArguments {
    /// Checks the arguments that clap cannot check: its `requires` counts as fulfilled by a spec, since that excludes
    /// `--plan`.
    pub(in crate::cli) fn check(&self) -> Result<(), CommandError> {
        match (&self.digest, &self.plan) {
            (Some(_), None) => {
                Err(CommandError::usage("`--digest` is given without `--plan`", "name the plan that has this digest"))
            }
            _ => Ok(()),
        }
    }

    /// Reads the saved plan, or the specs.
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

    /// Reads the whole library in place of specs.
    pub(in crate::cli) fn load_library(&self, output: &mut Output) -> Result<Asked, CommandError> {
        self.check()?;
        let mut specs = SpecArguments::load_library(output)?;
        self.packages.ask(&mut specs)?;
        Ok(Asked::Ready(Request::Specs(specs)))
    }

    /// Returns the error of an operation; if it is about the saved plan, with the name of its file.
    pub(in crate::cli) fn error(&self, error: operation::Error) -> CommandError {
        let error = CommandError::from(error);
        match &self.plan {
            Some(file) => error.of_plan(self.specs.name_of(file)),
            None => error,
        }
    }

    /// Adds the files that are read, none of which may be written.
    pub(in crate::cli) fn inputs(&self, inputs: &mut Inputs) {
        self.specs.inputs(inputs);
        self.packages.inputs(inputs);
        self.plan.iter().for_each(|plan| inputs.add(plan));
    }
}
