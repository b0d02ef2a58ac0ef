//! The command `kbfix import`: makes specs from files of other tools.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::cli::{
    args::{source::id_of, targets::code_page},
    error::CommandError,
    out_file::{Destination, Inputs},
    output::Output,
};

use kbfix::{
    convert::import::{About, Imported, Kind, Reading, import, osconfig},
    diag::{Code, Diagnostic, Exit},
    files::read::read_stream,
    format::reg::MAX_FILE,
    registry::RootKey,
    spec::MAX_BYTES,
};

/// Make a spec from a .reg file, a Registry.pol, the text for LGPO.exe, or an OSConfig manifest.
///
/// If you apply the spec of a .reg file, kbfix normally makes the same changes as regedit makes when it imports the
/// file. If you apply the spec of a Registry.pol or of a text for LGPO.exe, kbfix normally makes the same changes as
/// Group Policy makes. In a few cases, the spec means something else than the file, and kbfix prints a warning: for
/// example, HKCU means one user in a .reg file, but every user of the machine in a spec. If a spec cannot express a
/// change that such a file makes, kbfix reports an error and writes no spec.
///
/// From an OSConfig manifest, kbfix imports only the entries about registry values. The spec accepts the same data as
/// these entries: if you apply the spec, kbfix changes only values whose data the manifest does not accept. If a spec
/// cannot express such an entry, kbfix leaves out the entry and prints a warning.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The file: a .reg file (version 4 or 5), a Registry.pol, a text for LGPO.exe, or an OSConfig manifest. kbfix
    /// recognizes the first three kinds by the first bytes of the file. For an OSConfig manifest, you must give `--from
    /// osconfig`.
    file: PathBuf,

    /// The kind of the file, if kbfix does not recognize the kind by the first bytes of the file.
    #[arg(long, value_enum, conflicts_with_all = ["root", "code_page", "lenient"])]
    from: Option<From>,

    /// The id of the spec: the number of the article, such as KB909094, or another name of letters, digits, `.`, `_`
    /// and `-` [default: made from the name of the file, such as my-fix for "my fix.reg"].
    #[arg(long, value_parser = id)]
    id: Option<String>,

    /// The title of the spec [default: "Registry settings of" and the name of the file].
    #[arg(long)]
    title: Option<String>,

    /// The file to write [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The root key of the values in a Registry.pol: HKLM for the policy of the machine, HKCU for the policy of users
    /// [default: HKLM; but for a file in a folder User and for ntuser.pol, you must name a root key]. The file itself
    /// does not name its root key.
    #[arg(long, value_name = "HKLM|HKCU", value_parser = root)]
    root: Option<RootKey>,

    /// The ANSI code page, such as 1252, of a .reg file or a text for LGPO.exe without a byte order mark. Without this
    /// option, a character outside ASCII in such a file is an error, except in a comment of a .reg file.
    #[arg(long, value_name = "NUMBER")]
    code_page: Option<u16>,

    /// Skip the invalid lines of a .reg file that regedit would also skip, and print a warning for each of these lines.
    /// Without this option, such lines are errors.
    #[arg(long)]
    lenient: bool,
}

/// The kinds of files that kbfix does not recognize by their first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum From {
    /// A manifest of Microsoft OSConfig (.osc.yaml).
    Osconfig,
}

fn id(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() || text.len() > 100 || !text.chars().all(legal) {
        return Err("an id consists of 1 to 100 letters, digits, `.`, `_` or `-`".to_owned());
    }
    Ok(text.to_owned())
}

fn root(text: &str) -> Result<RootKey, String> {
    RootKey::parse(text)
        .filter(|root| matches!(root, RootKey::Hklm | RootKey::Hkcu))
        .ok_or_else(|| "--root must be HKLM or HKCU for a Registry.pol".to_owned())
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let name = arguments.file.display().to_string();
    let mut inputs = Inputs::default();
    inputs.add(&arguments.file);
    let out = Destination::new(arguments.out.as_deref().unwrap_or(Path::new("-")), &inputs)?;
    let limit = match arguments.from {
        Some(From::Osconfig) => MAX_BYTES,
        None => MAX_FILE,
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
        Some(From::Osconfig) => {
            let osconfig::ImportedManifest { spec, rules, imported } =
                osconfig::import(&name, &bytes, about).map_err(refused)?;
            let left_out = rules - imported;
            (spec, Some(format!("{imported} of {rules} registry rules imported, {left_out} left out")))
        }
        None => (import(&name, &bytes, arguments.reading(&bytes)?, about).map_err(refused)?, None),
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
    /// Returns the options for reading a file that kbfix recognizes by its first bytes. It is an error if `--root` is
    /// given for another file than a Registry.pol, or if kbfix does not know the code page.
    fn reading(&self, bytes: &[u8]) -> Result<Reading, CommandError> {
        if self.root.is_some() && Kind::of(bytes) != Kind::Pol {
            return Err(CommandError::usage(
                "--root can only be used with a Registry.pol, and this file is not a Registry.pol",
                "remove --root: a .reg file or a text for LGPO.exe itself contains its root keys",
            ));
        }
        let code_page = self.code_page.map(code_page).transpose()?;
        Ok(Reading { code_page, lenient: self.lenient, root: self.root })
    }
}
