//! The command `kbfix import`.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::cli::{
    args::specs::id_of,
    error::CommandError,
    out_file::{Destination, Inputs},
    output::Output,
};

use kbfix::{
    convert::import::{About, Imported, Reading, import, osconfig},
    diag::{Code, Diagnostic, Exit},
    files::read::read_stream,
    format::reg::{CodePage, MAX_FILE},
    spec::MAX_BYTES,
};

/// Make a spec from a .reg file, or from the registry rules of a Microsoft OSConfig manifest.
///
/// Applying the spec has the same result as importing the .reg file; what a spec cannot express is an error. The spec of
/// a manifest accepts the same data as its rules; what a spec cannot express is left out, with a warning.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The .reg file, version 4 or 5, or the manifest.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The kind of the file.
    #[arg(long, value_enum, default_value_t = From::Reg)]
    from: From,

    /// The id of the spec: the number of the article, or another name of letters, digits, `.`, `_` and `-` [default:
    /// the name of the file].
    #[arg(long, value_parser = id)]
    id: Option<String>,

    /// The title of the spec [default: "Registry settings of" and the name of the file].
    #[arg(long)]
    title: Option<String>,

    /// The file to write [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The ANSI code page of a .reg file that is not a Unicode file, such as 1252.
    #[arg(long, value_name = "NUMBER")]
    code_page: Option<u16>,

    /// Skip lines of a .reg file that regedit does not understand and skips, with a warning for each. Without this
    /// option, they are errors.
    #[arg(long)]
    lenient: bool,
}

/// The kinds of files from which a spec can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum From {
    /// A registry file, as regedit exports it.
    Reg,
    /// A manifest of Microsoft OSConfig (.osc.yaml): its registry rules.
    Osconfig,
}

fn id(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() || text.len() > 100 || !text.chars().all(legal) {
        return Err("an id is 1 to 100 letters, digits, `.`, `_`, `-`".to_owned());
    }
    Ok(text.to_owned())
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let name = arguments.file.display().to_string();
    let mut inputs = Inputs::default();
    inputs.add(&arguments.file);
    let out = Destination::new(arguments.out.as_deref().unwrap_or(Path::new("-")), &inputs)?;
    let reading = arguments.reading()?;
    let limit = match arguments.from {
        From::Reg => MAX_FILE,
        From::Osconfig => MAX_BYTES,
    };
    let bytes = read_stream(&arguments.file, limit as u64).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => {
            let hint = "import only the keys that are needed, or split the file into several";
            CommandError::new(
                Exit::Refused,
                Diagnostic::error(Code::REG_TOO_LARGE, format!("{name}: {error}")).hint(hint),
            )
        }
        _ => CommandError::file(&name, &error),
    })?;
    let file = arguments.file.file_name().map_or_else(|| name.clone(), |f| f.to_string_lossy().into_owned());
    let id = arguments.id.clone().unwrap_or_else(|| id_of(&file));
    let title = arguments.title.clone().unwrap_or_else(|| format!("Registry settings of {file}"));
    let summary = format!("Imported from {file} by kbfix import. Explain here why the change is needed.");
    let about = About { id: &id, title: &title, summary: Some(&summary) };
    let refused = |findings| CommandError::all(Exit::Refused, findings);
    let (imported, note) = match arguments.from {
        From::Reg => (import(&name, &bytes, reading, about).map_err(refused)?, None),
        From::Osconfig => {
            let osconfig::ImportedManifest { spec, rules, imported } =
                osconfig::import(&name, &bytes, about).map_err(refused)?;
            let left_out = rules - imported;
            (spec, Some(format!("{imported} of {rules} registry rules imported, {left_out} left out")))
        }
    };
    let Imported { text, warnings } = imported;
    output.diagnostics(&warnings);
    out.write(text.as_bytes(), output)?;
    if let Some(note) = note {
        output.note(&note);
    }
    if let (Some(path), Destination::File { .. } | Destination::Stream(_)) = (&arguments.out, &out) {
        output.note(&format!("spec {}", path.display()));
    }
    Ok(Exit::Done)
}

impl Arguments {
    fn reading(&self) -> Result<Reading, CommandError> {
        let option = if self.lenient { Some("--lenient") } else { self.code_page.map(|_| "--code-page") };
        if let (From::Osconfig, Some(option)) = (self.from, option) {
            let message = format!("{option} is about .reg files");
            return Err(CommandError::usage(message, format!("remove {option}, or import a .reg file")));
        }
        let page = |number| {
            CodePage::new(number).ok_or_else(|| {
                let hint = "the code pages are 874, 932, 936, 949, 950 and 1250 to 1258";
                CommandError::usage(format!("kbfix does not know the code page {number}"), hint)
            })
        };
        Ok(Reading { code_page: self.code_page.map(page).transpose()?, lenient: self.lenient })
    }
}
