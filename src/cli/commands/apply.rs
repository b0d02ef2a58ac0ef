//! The command `kbfix apply`: makes the changes that specs require, or those of a saved plan.

use std::time::Duration;

use kbfix::{
    diag::Exit,
    operation::{
        self, ApplyOptions,
        report::{self, Report},
    },
};

use crate::cli::{
    args::{
        request::RequestArguments,
        specs,
        targets::{self, ChangedTargetArguments, StateArguments},
    },
    error::CommandError,
    output::{Format, Output},
};

/// Make the changes that specs require, or the changes of a reviewed plan.
#[derive(Debug, clap::Args)]
#[command(mut_args(|argument| targets::describe(argument, "The target to change", targets::DEFAULT, TARGETS)))]
#[command(mut_arg("specs", |argument| specs::unless(argument, "--plan")))]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    request: RequestArguments,

    /// The time limit for each hotfix package (--package), in minutes. If the installation of a package takes longer,
    /// kbfix ends the program of the package, and the outcome of its spec is failed (exit code 6).
    #[arg(long, value_name = "MINUTES", default_value_t = 60, requires = "packages")]
    package_limit: u64,

    /// Only show what would be done, and change nothing. kbfix also reports errors that would stop a run without
    /// --check, as far as kbfix can find these errors without writing.
    #[arg(long)]
    check: bool,

    /// After the changes are made, restart the services that the specs name. kbfix restarts only the services of specs
    /// for which this run changed something. If nothing had to be changed, kbfix restarts no service. With another
    /// target than `local`, this option is an error, and kbfix changes nothing.
    #[arg(long)]
    restart_services: bool,

    #[command(flatten)]
    target: ChangedTargetArguments,

    #[command(flatten)]
    state: StateArguments,

    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// The paragraph in the help of `--target` about what this command does with each kind of target.
const TARGETS: &str = "`apply` can change each of these targets. With `hive:` (and its log files), `reg:`, `pol:` \
    (and its `gpt.ini`) and `snapshot:`, it changes the named file, and not the registry of a running Windows. In a \
    snapshot, it changes the facts in the file. So you can try a change on a snapshot, without the machine.";

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let result = apply(arguments, output);
    Ok(output.finish(report::Command::Apply, result, arguments.format))
}

fn apply(arguments: &Arguments, output: &mut Output) -> Result<Report, CommandError> {
    let request = arguments.request.load(output)?;
    let store = arguments.state.store()?;
    let (address, mut target) = arguments.target.open_for(&request)?;
    let request = request.on(target.as_mut())?;
    let options = ApplyOptions {
        check: arguments.check,
        max_changes: arguments.request.max_changes,
        fail_on: arguments.request.fail_on.codes(),
        packages: arguments.request.packages.packages(),
        package_limit: Duration::from_secs(arguments.package_limit.saturating_mul(60)),
        restart_services: arguments.restart_services,
    };
    operation::apply(request, &options, address, target.as_mut(), &store, output)
        .map_err(|error| arguments.request.error(error))
}
