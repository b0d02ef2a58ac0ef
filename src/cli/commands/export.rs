//! `kbfix export`

use std::path::{Path, PathBuf};

use crate::cli::{
    args::specs::SpecArguments,
    error::CommandError,
    out_file::{Destination, Inputs},
    output::Output,
};

use kbfix::{
    convert::export,
    diag::{Code, Diagnostic, Exit},
};

/// Write specs in the format of another tool. What that format cannot say is a warning each.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// The format.
    #[arg(long, value_enum)]
    format: Format,

    /// The file to write [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Write nothing where the format cannot say all that the specs say.
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A .reg file, in UTF-16.
    Reg,
    /// A configuration document of Microsoft DSC v3.
    Dsc,
    /// Ansible tasks with ansible.windows.win_regedit.
    #[value(name = "win_regedit")]
    WinRegedit,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let mut inputs = Inputs::default();
    arguments.specs.inputs(&mut inputs);
    let out = Destination::new(arguments.out.as_deref().unwrap_or(Path::new("-")), &inputs)?;
    let specs = arguments.specs.load(output)?;
    let export = match arguments.format {
        Format::Reg => export::reg(&specs).map_err(|e| CommandError::usage(e.to_string(), "use another --format"))?,
        Format::Dsc => export::dsc(&specs),
        Format::WinRegedit => export::win_regedit(&specs),
    };
    let lost = export.losses.iter().map(|loss| {
        let hint = "kbfix itself does it: `kbfix apply`";
        let message = loss.to_string();
        let diagnostic = if arguments.strict {
            Diagnostic::error(Code::EXPORT_LOSSY, message)
        } else {
            Diagnostic::warning(Code::EXPORT_LOSSY, message)
        };
        diagnostic.hint(hint)
    });
    let lost: Vec<Diagnostic> = lost.collect();
    if arguments.strict && !lost.is_empty() {
        return Err(CommandError::all(Exit::Refused, lost));
    }
    output.diagnostics(&lost);
    out.write(&export.bytes, output)?;
    Ok(Exit::Done)
}
