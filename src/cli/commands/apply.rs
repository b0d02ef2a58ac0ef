//! `kbfix apply`

use std::time::Duration;

use kbfix::{
    diag::Exit,
    operation::{
        self, ApplyOptions, MOST_CHANGES, Request,
        report::{self, Report},
    },
};

use crate::cli::{
    args::{
        packages::PackageArguments,
        plans::Asked,
        specs::SpecArguments,
        targets::{StateArguments, TargetArguments},
    },
    error::CommandError,
    output::{Format, Output},
};

/// Make the changes that specs ask for, or those of a reviewed plan.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// Apply this saved plan (`-`: from standard input) and nothing else; of a fleet plan, the plan of this machine. Refused when what it rests on has moved.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["specs", "set", "stdin_specs"])]
    plan: Option<String>,

    /// Refuse a plan whose digest is not this one.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,

    /// The most keys and values that may change through a `*` of one spec; more are refused, and nothing is changed.
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_CHANGES)]
    max_changes: usize,

    #[command(flatten)]
    packages: PackageArguments,

    /// How long a package may take before it is ended.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, requires = "packages")]
    package_limit: u64,

    /// Only show what would be done. Refuses what the run would refuse, as far as can be known without changing anything.
    #[arg(long)]
    check: bool,

    /// Restart the services that the specs name, once their changes are made. Target local only.
    #[arg(long)]
    restart_services: bool,

    #[command(flatten)]
    target: TargetArguments,

    #[command(flatten)]
    state: StateArguments,

    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    match apply(arguments, output) {
        Ok(report) => {
            output.report(&report, arguments.format);
            Ok(report.exit_code)
        }
        Err(stop) => Ok(output.stopped(Report::new(report::Command::Apply), stop, arguments.format)),
    }
}

fn apply(arguments: &Arguments, output: &mut Output) -> Result<Report, CommandError> {
    let (plan, digest) = (arguments.plan.as_deref(), arguments.digest.as_deref());
    digest_of_a_plan(digest, plan)?;
    let request = request(plan, digest, &arguments.specs, &arguments.packages, output)?;
    let store = arguments.state.store()?;
    let (address, mut target) = arguments.target.open()?;
    let request = request.on(target.as_mut(), digest)?;
    let options = ApplyOptions {
        check: arguments.check,
        max_changes: arguments.max_changes,
        packages: arguments.packages.packages(),
        package_limit: Duration::from_secs(arguments.package_limit.saturating_mul(60)),
        restart_services: arguments.restart_services,
    };
    operation::apply(request, &options, address, target.as_mut(), &store, output)
        .map_err(|error| of_plan(error, plan, &arguments.specs))
}

/// Reads what is to be planned or applied: a saved plan, or the specs that were named.
pub(super) fn request(
    plan: Option<&str>,
    digest: Option<&str>,
    specs: &SpecArguments,
    packages: &PackageArguments,
    output: &mut Output,
) -> Result<Asked, CommandError> {
    match plan {
        Some(file) => Asked::of_plan(file, specs.name_of(file), digest),
        None => {
            let mut specs = specs.load_for_plan(output)?;
            packages.ask(&mut specs)?;
            Ok(Asked::Ready(Request::Specs(specs)))
        }
    }
}

/// The error of an operation, with the name of the saved plan's file where it is about the plan.
pub(super) fn of_plan(error: operation::Error, plan: Option<&str>, specs: &SpecArguments) -> CommandError {
    let error = CommandError::from(error);
    match plan {
        Some(file) => error.of_plan(specs.name_of(file)),
        None => error,
    }
}

/// Refuses a digest that nothing is held against: clap's `requires` counts as fulfilled by a spec, since that excludes `--plan`.
pub(in crate::cli) fn digest_of_a_plan(digest: Option<&str>, plan: Option<&str>) -> Result<(), CommandError> {
    match (digest, plan) {
        (Some(_), None) => {
            Err(CommandError::usage("`--digest` is given without `--plan`", "name the plan that has this digest"))
        }
        _ => Ok(()),
    }
}
