//! What `diff` and `apply` are to bring about: the arguments that name specs, or a saved plan.

use std::path::Path;

use kbfix::{
    files::read::read_stream,
    operation::{self, MOST_CHANGES, Request},
    plan::Plan,
};

use super::{
    packages::PackageArguments,
    specs::{SpecArguments, standard_input},
};
use crate::cli::{error::CommandError, out_file::Inputs, output::Output};

/// The largest plan that is read, and therefore written, in bytes.
pub(in crate::cli) const MAX_PLAN: usize = 256 << 20;

/// Specs, or a saved plan.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RequestArguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// Use this saved plan (`-`: from standard input) in place of specs. Refused if anything that it rests on has changed.
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
    pub(in crate::cli) fn load(&self, output: &mut Output) -> Result<Request, CommandError> {
        self.check()?;
        match &self.plan {
            Some(file) => Ok(Request::Plan(Box::new(self.read_plan(file)?))),
            None => {
                let mut specs = self.specs.load_for_plan(output)?;
                self.packages.ask(&mut specs)?;
                Ok(Request::Specs(specs))
            }
        }
    }

    /// Reads a saved plan, and checks it against the approved digest.
    fn read_plan(&self, file: &str) -> Result<Plan, CommandError> {
        let bytes = match file {
            "-" => standard_input(MAX_PLAN)?,
            _ => read_stream(Path::new(file), MAX_PLAN as u64).map_err(|e| CommandError::file(file, &e))?,
        };
        let name = self.specs.name_of(file);
        let text = String::from_utf8(bytes).map_err(|_| {
            CommandError::usage(
                format!("{name} is not a plan: it is not UTF-8 text"),
                "make one with `kbfix diff --out FILE`",
            )
        })?;
        Plan::from_text(&text, self.digest.as_deref()).map_err(|error| CommandError::from(error).of_plan(name))
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
