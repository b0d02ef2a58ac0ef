//! `kbfix diff`

use std::path::PathBuf;

use crate::cli::{
    args::{
        specs::SpecArguments,
        targets::{TargetArguments, reading},
    },
    error::CommandError,
    install::PackageArguments,
    out_file::{Destination, Inputs},
    output::{self, Output},
};

use kbfix::{
    diag::Diagnostic,
    operation::{
        self, Standing,
        report::{self, Report},
    },
    plan::Plan,
    render,
};

use super::apply::{
    MAX_PLAN, MOST_CHANGES, cannot_apply, carried_out, digest_of_a_plan, only_shown, other_target, too_many_changes,
};

/// Show what would have to change on a target so that specs hold there. Changes nothing.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
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

    /// Put the Markdown report into the JSON report too, for callers that keep both and look at the target once.
    #[arg(long)]
    with_markdown: bool,
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

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<u8, CommandError> {
    let format = match arguments.format {
        Format::Json => output::Format::Json,
        Format::Markdown => output::Format::Markdown,
        Format::Human | Format::Reg | Format::Html => output::Format::Human,
    };
    let empty = Report::new(report::Command::Diff);
    let Made { plan, text, standing, warnings } = match make(arguments, output) {
        Ok(made) => made,
        Err(stop) => return Ok(output.stopped(empty, stop, format)),
    };
    let most = arguments.max_changes;
    let wide = plan.wider_than(most).map(|spec| too_many_changes(spec, most, Diagnostic::warning));
    let mut report = match standing {
        Standing::Holds => only_shown(plan, report::Command::Diff),
        Standing::CarriedOut => carried_out(plan, report::Command::Diff),
    };
    report.plan = text;
    report.diagnostics.extend(wide);
    report.diagnostics.extend(warnings);
    report.markdown = arguments.with_markdown.then(|| render::markdown(&report));
    match arguments.format {
        Format::Reg => {
            output.diagnostics(&report.diagnostics);
            output.bytes(
                &render::reg(&report.specs).map_err(|e| CommandError::usage(e.to_string(), "use another --format"))?,
            );
        }
        Format::Html => {
            output.diagnostics(&report.diagnostics);
            output.result(&render::html::report(&report));
        }
        _ => output.report(&report, format),
    }
    Ok(report.exit_code)
}

/// Where the plan is saved.
fn destination(arguments: &Arguments) -> Result<Option<Destination>, CommandError> {
    let Some(out) = &arguments.out else { return Ok(None) };
    let mut inputs = Inputs::default();
    arguments.specs.inputs(&mut inputs);
    arguments.packages.inputs(&mut inputs);
    arguments.plan.iter().for_each(|plan| inputs.add(plan));
    inputs.add_target(&arguments.target.address()?);
    match Destination::new(out, &inputs)? {
        Destination::StandardOutput => {
            let message = format!("`--out {}` is standard output, where the report goes", out.display());
            Err(CommandError::usage(
                message,
                "name a file; or give `--with-plan --format json`, which has the plan in the report",
            ))
        }
        other => Ok(Some(other)),
    }
}

/// Refuses to write a plan that `kbfix apply --plan` would not read. Sizes are in bytes.
fn fits(size: usize, most: usize) -> Result<(), CommandError> {
    if size <= most {
        return Ok(());
    }
    let message = format!("the plan would have {size} bytes, more than the {most} that kbfix reads of a plan");
    Err(CommandError::usage(message, "plan fewer specs at once; or apply the specs without a saved plan"))
}

/// What there is to show.
struct Made {
    plan: Plan,
    /// The plan file's text, where the report is to hold it.
    text: Option<String>,
    /// How the plan stands.
    standing: Standing,
    /// What stands against carrying it out.
    warnings: Vec<Diagnostic>,
}

fn make(arguments: &Arguments, output: &mut Output) -> Result<Made, CommandError> {
    digest_of_a_plan(arguments.digest.as_deref(), arguments.plan.as_deref())?;
    let out = destination(arguments)?;
    let (plan, standing, mut target) = match &arguments.plan {
        Some(file) => {
            let name = arguments.specs.name_of(file);
            let plan = crate::cli::commands::apply::read_plan(file, name, arguments.digest.as_deref())?;
            let (_, mut target) = arguments.target.open()?;
            let held = output.during(&reading(target.as_ref()), || operation::check_plan(&plan, target.as_mut()));
            let standing = held.map_err(|error| CommandError::from(error).of_plan(name))?;
            (plan, standing, target)
        }
        None => {
            let mut specs = arguments.specs.load_for_plan(output)?;
            arguments.packages.ask(&mut specs)?;
            let (_, mut target) = arguments.target.open()?;
            let plan = output.during(&reading(target.as_ref()), || operation::make_plan(target.as_mut(), &specs))?;
            (plan, Standing::Holds, target)
        }
    };
    let mut warnings = Vec::from_iter(other_target(&plan, target.as_ref()));
    if standing == Standing::Holds {
        warnings.extend(cannot_apply(&plan, target.as_mut(), Diagnostic::warning));
    }
    let mut text = None;
    if out.is_some() || arguments.with_plan {
        let written = plan.to_text();
        fits(written.len(), MAX_PLAN)?;
        if let Some(out) = out {
            out.write_private(written.as_bytes(), output)?;
        }
        text = Some(written).filter(|_| arguments.with_plan);
    }
    Ok(Made { plan, text, standing, warnings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_is_too_large_to_be_read_is_not_written() {
        fits(10, 10).unwrap();
        let stop = fits(11, 10).unwrap_err();
        assert!(stop.diagnostics[0].message.contains("11 bytes, more than the 10"), "{stop:?}");
    }
}
