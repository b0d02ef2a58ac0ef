//! The command `kbfix import`.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::cli::{
    error::CommandError,
    out_file::{Destination, Inputs},
    output::Output,
};

use kbfix::{
    convert::import::{About, Reading, import},
    diag::{Code, Diagnostic, Exit},
    files::read::read_stream,
    format::reg::{CodePage, MAX_FILE},
};

/// Make a spec from a .reg file. Applying the spec has the same result as importing the file.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The .reg file, version 4 or 5.
    #[arg(value_name = "FILE.reg")]
    file: PathBuf,

    /// The id of the spec: the number of the article, or another name of letters, digits, `.`, `_` and `-`.
    #[arg(long, value_parser = id)]
    id: String,

    /// The title of the spec [default: "Registry settings of" and the name of the file].
    #[arg(long)]
    title: Option<String>,

    /// The file to write [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The ANSI code page of a .reg file that is not a Unicode file, such as 1252.
    #[arg(long, value_name = "NUMBER")]
    code_page: Option<u16>,

    /// Skip lines that regedit does not understand and skips, with a warning for each. Without this option, they are
    /// errors.
    #[arg(long)]
    lenient: bool,
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
    let bytes = read_stream(&arguments.file, MAX_FILE as u64).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => {
            let hint = "export only the keys that are needed";
            CommandError::new(
                Exit::Refused,
                Diagnostic::error(Code::REG_TOO_LARGE, format!("{name}: {error}")).hint(hint),
            )
        }
        _ => CommandError::file(&name, &error),
    })?;
    let page = |number| {
        CodePage::new(number).ok_or_else(|| {
            let hint = "the code pages are 874, 932, 936, 949, 950 and 1250 to 1258";
            CommandError::usage(format!("kbfix does not know the code page {number}"), hint)
        })
    };
    let code_page = arguments.code_page.map(page).transpose()?;
    let file = arguments.file.file_name().map_or_else(|| name.clone(), |f| f.to_string_lossy().into_owned());
    let title = arguments.title.clone().unwrap_or_else(|| format!("Registry settings of {file}"));
    let summary = format!("Imported from {file} by kbfix import. Explain here why the change is needed.");
    let about = About { id: &arguments.id, title: &title, summary: Some(&summary) };
    let imported = import(&name, &bytes, Reading { code_page, lenient: arguments.lenient }, about)
        .map_err(|findings| CommandError::all(Exit::Refused, findings))?;
    output.diagnostics(&imported.warnings);
    out.write(imported.text.as_bytes(), output)?;
    if let (Some(path), Destination::File { .. } | Destination::Stream(_)) = (&arguments.out, &out) {
        output.note(&format!("spec {}", path.display()));
    }
    Ok(Exit::Done)
}
