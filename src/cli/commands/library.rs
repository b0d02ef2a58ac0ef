//! `kbfix library`

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

/// List the built-in specs, search them, and show how they stand on a machine.
///
/// With --for, every spec that is found is compared with that target in one pass. Nothing is changed, and a spec whose parameter is not
/// set is a row like any other. The exit code is 0 whatever the outcomes; `kbfix diff --all` shows the changes, and has an exit code.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Words that each spec listed has in its id, title, other names (KB, CVE), products, addresses, keys or value names.
    #[arg(value_name = "WORD")]
    words: Vec<String>,

    /// Only specs with this in the name of a product, or in the title.
    #[arg(long, value_name = "TEXT")]
    product: Option<String>,

    /// Only specs that may apply to this build of Windows: 10.0.17763, 6.1.7601 or 17763.
    #[arg(long, value_name = "BUILD")]
    build: Option<Build>,

    /// Only specs about a key with this in its path.
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,

    /// Only specs about a value with this in its name.
    #[arg(long, value_name = "TEXT")]
    value: Option<String>,

    /// Show how the specs stand on this target, such as image:DIR or local.
    #[arg(long = "for", value_name = "TARGET")]
    target: Option<String>,

    /// The folder that stands for drive C of that target, where it is a registry export, a hive or another machine.
    #[arg(long, value_name = "DIR", requires = "target")]
    files: Option<String>,

    /// How the list is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One line a spec.
    Human,
    /// A versioned document; `kbfix schema library` prints its schema.
    Json,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let search = Search {
        words: arguments.words.clone(),
        product: arguments.product.clone(),
        build: arguments.build,
        key: arguments.key.clone(),
        value: arguments.value.clone(),
    };
    let mut specs = SpecArguments::load_library(output)?;
    specs.retain(|spec| search.finds(spec));
    let found = match &arguments.target {
        None => Library::of(&specs),
        Some(target) => {
            let target = TargetArguments::named(Some(target.clone()), arguments.files.clone());
            let (_, mut target) = target.open()?;
            let plan = output.during(&reading(target.as_ref()), || operation::make_plan(target.as_mut(), &specs))?;
            Library::with_plan(&specs, &plan)
        }
    };
    output.result(&match arguments.format {
        Format::Json => library::library_json(&found),
        Format::Human => library::human(&found, output.paint()),
    });
    if specs.is_empty() {
        output.note("no built-in spec is about that");
    }
    Ok(Exit::Done)
}
