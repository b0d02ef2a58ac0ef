//! The command `kbfix retire`: undoes the changes of specs on a target, but keeps what other specs require.

use std::path::PathBuf;

use kbfix::{
    diag::Exit,
    operation::{
        self, RetireOptions, Retired,
        report::{self, Report},
    },
    spec::Settings,
    targets::open,
};

use crate::cli::{
    args::{
        plans,
        specs::SpecArguments,
        targets::{self, ChangedTargetArguments, StateArguments},
    },
    error::CommandError,
    out_file::Inputs,
    output::{Format, Output},
};

/// Retire specs: undo kbfix's changes to a target for these specs, but keep what other applied specs require or someone
/// else has changed since.
///
/// Each key and value gets the state that it had before kbfix first changed it. An installed hotfix stays. If someone
/// else changed the key or value between two applies, the key or value gets the state that this person left. kbfix
/// finds these states in the journals of the target. If someone else has changed a key or value after the last apply,
/// and it does not already have the state to restore, kbfix does not restore it, but reports it (exit code 6, or 4 with
/// --check or --out). If an apply changed policy values with --through-policy, kbfix restores these values only with
/// this option. It restores policy values that were changed without this option only without it.
///
/// If you retire specs by ID, kbfix needs the file of each other applied spec: name each file with --specs. If you do
/// not name one of these files, kbfix changes nothing (exit code 2). You need not name built-in specs, because kbfix
/// finds them itself. But if you set a parameter of a built-in spec for the apply, name this spec with --specs, and set
/// the parameter again with --set. Otherwise kbfix changes nothing if there is no default (exit code 4), or if this
/// spec has written to a key or value that is to be restored, and the default gives other data (exit code 2). With
/// --absent or --absent-from, kbfix retires every applied spec that you do not give. So you must then also give the
/// built-in specs that stay, with --specs.
#[derive(Debug, clap::Args)]
#[command(mut_args(|argument| targets::describe(argument, "The target to restore", targets::DEFAULT, TARGETS)))]
pub(in crate::cli) struct Arguments {
    /// The ids of the specs to retire. The files of these specs need not exist any more. If you give no ids, you must
    /// give --absent-from or --absent.
    #[arg(value_name = "ID", required_unless_present_any = ["absent_from", "absent"], conflicts_with_all = ["absent_from", "absent"])]
    ids: Vec<String>,

    /// Retire every applied spec that is neither in this folder nor given with --specs or --stdin-specs. The specs in
    /// the folder are kept. You can give this option several times: the specs in all these folders are kept.
    #[arg(long, value_name = "DIR")]
    absent_from: Vec<String>,

    /// Retire every applied spec that is not given with --specs or --stdin-specs. If you give no spec, --absent is an
    /// error.
    #[arg(long)]
    absent: bool,

    /// Skip an id that occurs in no journal of the target. Without this option, such an id is an error. kbfix prints a
    /// warning if it does not know a skipped id at all: no given spec, no built-in spec and no journal of another
    /// target has this id. If kbfix skips all ids, it changes nothing, and needs no other specs (exit code 0).
    #[arg(long, requires = "ids")]
    if_applied: bool,

    /// The specs to keep: files, folders, or ids of built-in specs. If the journals do not show such a spec as
    /// applied, kbfix keeps its requirements only if the target already satisfies the spec. A spec that was retired or
    /// rolled back since its last apply does not count as applied. You can give this option several times.
    #[arg(long, value_name = "SPEC")]
    specs: Vec<String>,

    /// Read more specs to keep from standard input, in the same form as for `kbfix diff --stdin-specs`.
    #[arg(long)]
    stdin_specs: bool,

    /// Set a parameter of the specs to keep, such as `--set mode=1`. You can give this option several times.
    #[arg(long = "set", value_name = "NAME=DATA")]
    set: Vec<String>,

    /// Also restore values that someone else has changed after the last apply. If kbfix created a key and someone else
    /// has created something in this key, the key stays even with --force. Also with --force, kbfix restores neither a
    /// key whose parent key no longer exists, nor the values of this key.
    #[arg(long)]
    force: bool,

    /// Only show what would be restored, and change nothing.
    #[arg(long)]
    check: bool,

    /// Save the plan in this file, for review and for `kbfix apply --plan`. With this option, kbfix changes nothing on
    /// the target, as with --check. If there is no spec to retire, the plan changes nothing. If another run
    /// writes a newer journal of the target, `kbfix apply` refuses a plan that retires specs.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    target: ChangedTargetArguments,

    #[command(flatten)]
    state: StateArguments,

    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// The paragraph in the help of `--target` about what this command does with each kind of target.
const TARGETS: &str = "`retire` can restore each of these targets. Name the target as you named it for the apply, \
    because kbfix finds the journals by the address of the target. For example, mount an image at the same folder.";

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let result = retire(arguments, output);
    Ok(output.finish(report::Command::Retire, result, arguments.format))
}

fn retire(arguments: &Arguments, output: &mut Output) -> Result<Report, CommandError> {
    let named: Vec<String> = arguments.absent_from.iter().chain(&arguments.specs).cloned().collect();
    let specs = SpecArguments::of(named, arguments.set.clone(), arguments.stdin_specs);
    let address = arguments.target.address()?;
    let store = arguments.state.store()?;
    let out = match &arguments.out {
        None => None,
        Some(out) => {
            let mut inputs = Inputs::default();
            specs.inputs(&mut inputs);
            inputs.add_target(&address);
            inputs.add_journals(&store);
            Some(plans::destination(out, &inputs)?)
        }
    };
    let given = if specs.are_named() { specs.load_with(Settings::for_validation(), output)? } else { Vec::new() };
    if !specs.are_named() && arguments.absent {
        return Err(CommandError::usage(
            "`--absent` is given without specs to keep",
            "give the specs to keep with `--specs`, or name the ids of the specs to retire",
        ));
    }
    if !specs.are_named() && !arguments.set.is_empty() {
        return Err(CommandError::usage(
            "`--set` is given without `--specs`",
            "use `--specs` to name the specs with this parameter",
        ));
    }
    let retired = match arguments.ids.as_slice() {
        [] => Retired::Absent,
        ids => Retired::Ids(ids.to_vec()),
    };
    let mut target = open(&address)?;
    let options = RetireOptions {
        check: arguments.check || out.is_some(),
        force: arguments.force,
        if_applied: arguments.if_applied,
        with_plan: out.is_some(),
    };
    let mut report = operation::retire(&retired, &given, options, address, target.as_mut(), &store, output)?;
    arguments.state.note_missing(&store, output);
    if let (Some(out), Some(text)) = (out, report.plan.take()) {
        plans::save(&out, &text, output)?;
    }
    Ok(report)
}
