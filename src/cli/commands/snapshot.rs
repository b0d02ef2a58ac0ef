//! The command `kbfix snapshot`: saves the facts that specs need.

use std::path::PathBuf;

use crate::cli::{
    args::{
        specs::SpecArguments,
        targets::{self, TargetArguments},
    },
    error::CommandError,
    out_file::{Destination, Inputs},
    output::Output,
};

use kbfix::{
    diag::{Code, Diagnostic, Exit, Hint},
    journal::now,
    operation::{self, Progress as _, reading, reading_logs, symptoms},
    targets::Snapshot,
};

/// Read from a target the facts that specs need, and save these facts in a file. kbfix can later compare the specs with
/// this file, without the machine. The outcome of a spec that needs other facts is then unknown.
#[derive(Debug, clap::Args)]
#[command(mut_args(|argument| targets::describe(argument, "The target to read", targets::DEFAULT, TARGETS)))]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    #[command(flatten)]
    target: TargetArguments,

    /// Also save how often and when the events of the specs' symptoms were logged. `kbfix symptoms` can then use the
    /// snapshot, and does not need the machine.
    #[arg(long)]
    symptoms: bool,

    /// The file to write; `-` for standard output.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// The paragraph in the help of `--target` about what this command does with each kind of target.
const TARGETS: &str = "`snapshot` can read each of these targets, and changes none of them.";

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let mut inputs = Inputs::default();
    arguments.specs.inputs(&mut inputs);
    inputs.add_target(&arguments.target.address()?);
    let out = Destination::new(&arguments.out, &inputs)?;
    let mut specs = arguments.specs.load_for_plan(output)?;
    // With the triggers, the snapshot contains all facts that a plan with triggers and a plan without them need.
    specs.iter_mut().for_each(|spec| spec.run_triggers = true);
    let (address, mut target) = arguments.target.open()?;
    let plan = output.during(&reading(target.as_ref()), || operation::make_plan(target.as_mut(), &specs))?;
    let ids = specs.iter().map(|spec| spec.id.clone()).collect();
    let events = match arguments.symptoms {
        true => output.during(&reading_logs(target.as_ref()), || symptoms::events(&specs, target.as_mut()))?,
        false => Vec::new(),
    };
    let (taken_of, taken, facts) = (address.uri, now(), plan.facts);
    let snapshot = Snapshot { kbfix_snapshot: 1, taken_of, taken, specs: ids, facts, events };
    let open = specs.iter().flat_map(|spec| spec.unset_in_keys().into_iter().map(move |name| (spec, name)));
    let open = open.map(|(spec, name)| {
        let message = format!(
            "{}: the snapshot does not contain the keys whose names come from the parameter \
            `{name}`",
            spec.id
        );
        let what = spec.unset.get(name).map_or("", String::as_str);
        let hint = Hint::new(format!("set it: {what}")).option("set", format!("{name}=…"));
        Diagnostic::warning(Code::PARAMETER_NOT_SET, message).hint(hint)
    });
    output.diagnostics(&open.collect::<Vec<_>>());
    let text = snapshot.to_text().map_err(|why| CommandError::usage(why, "take the snapshot with fewer specs"))?;
    out.write_private(text.as_bytes(), output)?;
    if !matches!(out, Destination::StandardOutput) {
        output.note(&format!("snapshot {}", arguments.out.display()));
    }
    Ok(Exit::Done)
}
