//! The command `kbfix rollback`: undoes the changes of one run.

use kbfix::{
    diag::Exit,
    operation::{
        self, RollbackOptions,
        report::{self, Report},
    },
    targets::{Kind, open},
};

use crate::cli::{
    args::targets::{self, StateArguments, TargetArguments},
    error::CommandError,
    output::{Format, Output},
};

/// Undo the changes of one run of `kbfix apply`, `retire`, `rollback` or `dsc set`. If a key or value is neither as
/// this run left it nor as it was before, because a later run of kbfix or anyone else has changed it, kbfix does not
/// restore it, but reports it (exit code 6, or 4 with --check).
#[derive(Debug, clap::Args)]
#[command(mut_args(|argument| {
    let argument = targets::describe(argument, "The target to restore", "the target of the journal", TARGETS);
    let of_target = ["files", "code_page", "drives", "allow_dirty"].contains(&argument.get_id().as_str());
    if of_target { argument.requires("target") } else { argument }
}))]
pub(in crate::cli) struct Arguments {
    /// The journal: the path of its file, or its name in the output of `kbfix journal list`. Give either a journal
    /// or --last.
    #[arg(required_unless_present = "last", conflicts_with = "last")]
    journal: Option<String>,

    /// Use the newest journal of an apply or a retirement whose changes are not completely rolled back yet. With
    /// --target, only the journals of that target count.
    #[arg(long)]
    last: bool,

    /// Also restore values that were changed again after the run. If the run created a key and this key contains
    /// something that the run did not create, the key stays even with --force. Also with --force, kbfix restores
    /// neither a key whose parent key no longer exists, nor the values of this key.
    #[arg(long)]
    force: bool,

    /// Roll back even if the target seems to be another machine than that of the journal. Without this option, kbfix
    /// then changes nothing (exit code 2). The target seems to be another machine if its MachineGuid differs, for
    /// example after sysprep. It also does if its computer name differs, unless the MachineGuid and the address are the
    /// same. If the journal contains neither a MachineGuid nor a computer name, the address must be the same.
    #[arg(long)]
    force_machine: bool,

    /// Only show what would be undone, and change nothing.
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    target: TargetArguments,

    #[command(flatten)]
    state: StateArguments,

    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// The paragraph in the help of `--target` about what this command does with each kind of target.
const TARGETS: &str = "`rollback` can restore each of these targets. You need --target only in two cases. With --last, \
    --target selects the target whose newest journal is used. With JOURNAL, --target is necessary if the target now \
    has another address than in the journal, for example because the disk is mounted at another folder. You can give \
    --files, --code-page, --drive and --allow-dirty only together with --target. Without --target, kbfix uses the \
    settings of these options in the journal. If the environment variable `KBFIX_TARGET` is set, it counts like \
    --target in all these cases. `rollback` reads no versions of files, so --files has no effect.";

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let result = rollback(arguments, output);
    Ok(output.finish(report::Command::Rollback, result, arguments.format))
}

fn rollback(arguments: &Arguments, output: &mut Output) -> Result<Report, CommandError> {
    let store = arguments.state.store()?;
    let named = arguments.target.target.as_ref().map(|_| arguments.target.address()).transpose()?;
    let (journal, older) = match &arguments.journal {
        Some(name) => (store.find(name)?, None),
        None => operation::newest(&store, named.as_ref(), output)?,
    };
    let address = match named {
        // The journal says whether the local GPO of the image was changed.
        Some(named) if matches!(named.kind()?, Kind::Image(_)) => {
            named.with_through_policy(journal.header.target.through_policy)
        }
        Some(named) => named,
        None => journal.header.target.clone(),
    };
    let mut target = open(&address)?;
    let options =
        RollbackOptions { check: arguments.check, force: arguments.force, force_machine: arguments.force_machine };
    Ok(operation::rollback(journal, older, options, address, target.as_mut(), &store, output)?)
}
