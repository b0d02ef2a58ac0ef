//! `kbfix diff`

use std::path::PathBuf;

use crate::{
    apply::{self, Standing},
    diag::Diagnostic,
    plan::Plan,
    review::{self, Report, report},
};

use super::{
    apply::{MOST_CHANGES, carried_out, digest_of_a_plan, only_shown, rehearsed, too_many_changes},
    destination::{Destination, Inputs},
    install::PackageArguments,
    output::{self, Output},
    specs::SpecArguments,
    stop::Stop,
    targets::{TargetArguments, reading},
};

/// Show what would have to change on a target so that specs hold there. Changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// Hold this saved plan (`-`: from standard input) against the target, as `kbfix apply --plan` would, in place of specs.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["specs", "set", "stdin_specs"])]
    plan: Option<String>,

    /// Refuse a plan whose digest is not this one.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,

    /// Warn where more keys and values than this change through a `*` of one spec: `kbfix apply` with it refuses them.
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_CHANGES)]
    max_changes: usize,

    #[command(flatten)]
    packages: PackageArguments,

    #[command(flatten)]
    target: TargetArguments,

    /// How the difference is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// Save the plan, for review and for `kbfix apply --plan`. Not to standard output: see --with-plan.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Put the plan's text into the JSON report too, for callers that cannot fetch a file.
    #[arg(long)]
    with_plan: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A unified diff in .reg notation, with colours where the terminal shows them.
    Human,
    /// A versioned document; `kbfix schema report` prints its schema.
    Json,
    /// For a change ticket or a pull request.
    Markdown,
    /// The changes as a .reg file, in UTF-16.
    Reg,
    /// One self-contained page.
    Html,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<u8, Stop> {
    let format = match arguments.format {
        Format::Json => output::Format::Json,
        Format::Markdown => output::Format::Markdown,
        Format::Human | Format::Reg | Format::Html => output::Format::Human,
    };
    let empty = Report::new(report::Command::Diff);
    let (plan, standing, warning) = match make(arguments, output) {
        Ok(made) => made,
        Err(stop) => return Ok(output.stopped(empty, stop, format)),
    };
    let text = arguments.with_plan.then(|| plan.to_text());
    let most = arguments.max_changes;
    let wide = plan.wider_than(most).map(|spec| too_many_changes(spec, most, Diagnostic::warning));
    let mut report = match standing {
        Standing::Holds => only_shown(plan, report::Command::Diff),
        Standing::CarriedOut => carried_out(plan, report::Command::Diff),
    };
    report.plan = text;
    report.diagnostics.extend(wide);
    report.diagnostics.extend(warning);
    match arguments.format {
        Format::Reg => {
            output.diagnostics(&report.diagnostics);
            output.bytes(&review::reg(&report.specs).map_err(|e| Stop::usage(e.to_string(), "use another --format"))?);
        }
        Format::Html => {
            output.diagnostics(&report.diagnostics);
            output.result(&review::html::report(&report));
        }
        _ => output.report(&report, format),
    }
    Ok(report.exit_code)
}

/// Where the plan is saved.
fn destination(arguments: &Arguments) -> Result<Option<Destination>, Stop> {
    let Some(out) = &arguments.out else { return Ok(None) };
    let mut inputs = Inputs::default();
    arguments.specs.inputs(&mut inputs);
    arguments.packages.inputs(&mut inputs);
    arguments.plan.iter().for_each(|plan| inputs.add(plan));
    inputs.add_target(&arguments.target.address()?);
    match Destination::new(out, &inputs)? {
        Destination::StandardOutput => {
            let message = format!("`--out {}` is standard output, where the report goes", out.display());
            Err(Stop::usage(
                message,
                "name a file; or give `--with-plan --format json`, which has the plan in the report",
            ))
        }
        other => Ok(Some(other)),
    }
}

/// The plan, how it stands, and a warning of what stands against carrying it out.
fn make(arguments: &Arguments, output: &mut Output) -> Result<(Plan, Standing, Option<Diagnostic>), Stop> {
    digest_of_a_plan(arguments.digest.as_deref(), arguments.plan.as_deref())?;
    let out = destination(arguments)?;
    let (plan, standing, mut target) = match &arguments.plan {
        Some(name) => {
            let plan = super::apply::read_plan(name, arguments.digest.as_deref())?;
            let (_, mut target) = arguments.target.open()?;
            let held = output.during(&reading(target.as_ref()), || apply::check_plan(&plan, target.as_mut()));
            let standing = held.map_err(|error| Stop::from(error).of_plan(name))?;
            (plan, standing, target)
        }
        None => {
            let mut specs = arguments.specs.load(output)?;
            arguments.packages.ask(&mut specs)?;
            let (_, mut target) = arguments.target.open()?;
            let plan = output.during(&reading(target.as_ref()), || apply::make_plan(target.as_mut(), &specs))?;
            (plan, Standing::Holds, target)
        }
    };
    let warning = match standing {
        Standing::Holds => rehearsed(&plan, target.as_mut(), Diagnostic::warning),
        Standing::CarriedOut => None,
    };
    if let Some(out) = out {
        out.write(plan.to_text().as_bytes(), output)?;
    }
    Ok((plan, standing, warning))
}
