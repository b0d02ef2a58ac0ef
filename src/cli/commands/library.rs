//! The command `kbfix library`: lists and searches the built-in specs.

use std::path::PathBuf;

use kbfix::{
    diag::Exit,
    operation::{self, Progress as _, library::Library, reading},
    render::library,
    spec::search::{Build, Search},
};

use crate::cli::{
    args::{specs::SpecArguments, targets::TargetArguments},
    error::CommandError,
    output::Output,
};

/// List or search the built-in specs; with --for, also show the outcomes of these specs on a target.
///
/// A listed spec matches all words and all search options that you give. Letter case does not matter.
///
/// With --for, kbfix compares every spec in the list with a target. kbfix changes nothing. If a spec has a parameter
/// without a default, its outcome is `needs parameter`, or `not applicable` if the spec does not apply to the machine.
/// The exit code is 0 for every outcome. To see the changes, and to get an exit code that depends on the outcomes, use
/// `kbfix diff --all`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Words to search for. kbfix lists the specs that contain each of these words in their id, title, other names (KB,
    /// CVE), products, web addresses, keys or value names. A part of a word is enough.
    #[arg(value_name = "WORD")]
    words: Vec<String>,

    /// List only specs with this text in the name of a product or in the title.
    #[arg(long, value_name = "TEXT")]
    product: Option<String>,

    /// List only specs that may apply to this build of Windows, such as 10.0.17763 or 6.1.7601. From Windows 10 on, the
    /// number of the build alone is enough, such as 17763. kbfix also lists specs that have no condition on the build.
    #[arg(long, value_name = "BUILD")]
    build: Option<Build>,

    /// List only specs about a key with this text in its path, such as `HKLM\SOFTWARE\Microsoft\Ole`. The text can also
    /// begin with the long name of the root key, such as `HKEY_LOCAL_MACHINE`, or with another name of the key, such as
    /// `HKLM\SOFTWARE\Classes` for `HKCR`.
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,

    /// List only specs about a value with this text in its name.
    #[arg(long, value_name = "TEXT")]
    value: Option<String>,

    /// Show the outcome of each spec on this target, such as image:DIR or local. Each target of `kbfix diff --target`
    /// is possible. Without this option, kbfix reads no target.
    #[arg(long = "for", value_name = "TARGET")]
    target: Option<String>,

    /// A local folder with the files of drive C, for the target that --for names. kbfix reads the versions of files,
    /// for example of the hotfix, from this folder. Only the targets `reg:`, `hive:` and `smb:` accept this option.
    #[arg(long, value_name = "DIR", requires = "target")]
    files: Option<PathBuf>,

    /// The format of the list.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text, with one line for each spec.
    Human,
    /// JSON, for programs; `kbfix schema library` prints the schema.
    Json,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let (mut found, exit) = match find(arguments, output) {
        Ok(found) => (found, Exit::Done),
        Err(stop) if arguments.format == Format::Json => {
            (Library { diagnostics: stop.diagnostics, ..Library::of(&[]) }, stop.exit)
        }
        Err(stop) => return Err(stop),
    };
    match arguments.format {
        Format::Json => {
            found.diagnostics = output.with_warnings(found.diagnostics);
            output.result(&library::library_json(&found));
        }
        Format::Human => output.result(&library::human(&found, output.paint())),
    }
    if found.specs.is_empty() && exit == Exit::Done {
        output.note("no built-in spec matches the search");
    }
    Ok(exit)
}

fn find(arguments: &Arguments, output: &mut Output) -> Result<Library, CommandError> {
    let search = Search {
        words: arguments.words.clone(),
        product: arguments.product.clone(),
        build: arguments.build,
        key: arguments.key.clone(),
        value: arguments.value.clone(),
    };
    let mut specs = SpecArguments::load_library(output)?;
    specs.retain(|spec| search.finds(spec));
    match &arguments.target {
        None => Ok(Library::of(&specs)),
        Some(target) => {
            let target = TargetArguments::named(Some(target.clone()), arguments.files.clone())?;
            let (_, mut target) = target.open()?;
            let plan = output.during(&reading(target.as_ref()), || operation::make_plan(target.as_mut(), &specs))?;
            Ok(Library::with_plan(&specs, &plan))
        }
    }
}
