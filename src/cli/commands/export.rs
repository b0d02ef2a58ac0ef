//! The command `kbfix export`: writes specs in the formats of other tools.

use std::path::{Path, PathBuf};

use crate::cli::{
    args::{
        source::{Source, check},
        specs::SpecArguments,
    },
    error::CommandError,
    out_file::{Destination, Inputs, create_folder, write_all},
    output::Output,
};

use kbfix::{
    convert::export,
    diag::{Code, Diagnostic, Exit},
    spec::Settings,
};

/// Write specs in the format of another tool. A warning names each requirement and condition of a spec that the format
/// cannot express, and each sensitive value whose data is in the file, because everyone who has the file can read this
/// data.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// The format to write.
    #[arg(long, value_enum)]
    format: Format,

    /// The file to write [default: standard output]. With the format `intune`, you must give this option, and it names
    /// the folder for the scripts.
    #[arg(long, value_name = "FILE", required_if_eq("format", "intune"))]
    out: Option<PathBuf>,

    /// Report an error and write nothing if the format cannot express a requirement or condition of a spec, or if the
    /// file would contain the data of a sensitive value.
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
    /// A Registry.pol of Group Policy. If the specs contain a key below HKLM that the file can express (for example,
    /// one without `*` and without `when`), the file is for HKLM, and keys below HKCU are left out. If not, the file is
    /// for HKCU. Keys below all other root keys are always left out.
    Pol,
    /// The text that Microsoft's LGPO.exe reads (`LGPO.exe /t FILE`).
    Lgpo,
    /// The scripts detect.ps1 and remediate.ps1 of a Microsoft Intune remediation, which call the installed kbfix.
    /// Sensitive data is an error in this format.
    Intune,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let mut inputs = Inputs::default();
    arguments.specs.inputs(&mut inputs);
    if let (Format::Intune, Some(folder)) = (arguments.format, &arguments.out) {
        return intune(&arguments.specs, folder, &inputs, output);
    }
    let out = Destination::new(arguments.out.as_deref().unwrap_or(Path::new("-")), &inputs)?;
    let specs = arguments.specs.load(output)?;
    let export = match arguments.format {
        Format::Reg => export::reg(&specs).map_err(|e| CommandError::usage(e.to_string(), "use another --format"))?,
        Format::Dsc => export::dsc(&specs),
        Format::WinRegedit => export::win_regedit(&specs),
        Format::Pol => export::pol(&specs),
        Format::Lgpo => export::lgpo(&specs),
        Format::Intune => return Ok(Exit::Refused), // Refused by clap: it has no folder.
    };
    let lost = export.losses.iter().map(|loss| {
        let message = loss.to_string();
        let diagnostic = if arguments.strict {
            Diagnostic::error(Code::EXPORT_LOSSY, message)
        } else {
            Diagnostic::warning(Code::EXPORT_LOSSY, message)
        };
        diagnostic.hint(loss.hint())
    });
    let lost: Vec<Diagnostic> = lost.collect();
    if arguments.strict && !lost.is_empty() {
        return Err(CommandError::all(Exit::Refused, lost));
    }
    output.diagnostics(&lost);
    out.write(&export.bytes, output)?;
    Ok(Exit::Done)
}

/// Writes the two scripts of an Intune remediation into a folder.
fn intune(specs: &SpecArguments, folder: &Path, inputs: &Inputs, output: &mut Output) -> Result<Exit, CommandError> {
    let (sources, settings) = specs.read(Settings::new())?;
    let loaded = check(&sources, &settings);
    if !loaded.has_errors() {
        output.warnings(sources.iter().flat_map(|source| &source.warnings).chain(loaded.diagnostics()));
    }
    let specs = loaded.into_specs().map_err(|diagnostics| CommandError::all(Exit::Refused, diagnostics))?;
    let texts: Vec<_> = sources.iter().map(Source::as_spec).collect();
    let hint = "leave out the parameter or spec that the message names, and apply the spec in another way";
    let scripts = export::intune(&texts, &settings, &specs).map_err(|e| CommandError::usage(e.to_string(), hint))?;
    create_folder(folder)?;
    // Both paths are checked before either file is written.
    let files = [("detect.ps1", scripts.detect), ("remediate.ps1", scripts.remediate)];
    let files = files.map(|(name, script)| Ok((Destination::new(&folder.join(name), inputs)?, script)));
    let files = files.into_iter().collect::<Result<Vec<_>, CommandError>>()?;
    write_all(&files, output)?;
    Ok(Exit::Done)
}
