//! `kbfix show`

use crate::cli::{args::specs::SpecArguments, error::CommandError, output::Output};

use kbfix::{
    diag::Exit,
    render::{article, html},
    spec::{Settings, Spec},
};

/// Print a spec as an article: what it is about, why, what must be there, what changes, how to undo it.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// How the article is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a terminal.
    Human,
    /// For a wiki or a pull request.
    Markdown,
    /// The article and the spec as one document.
    Json,
    /// One self-contained page.
    Html,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    // An article can be read before anything is chosen.
    let specs = arguments.specs.load_with(Settings::for_validation(), output)?;
    let articles = |specs: &[Spec]| specs.iter().map(article::article).collect::<Vec<_>>();
    let text = match arguments.format {
        Format::Json => article::json(&specs),
        Format::Html => html::articles(&articles(&specs)),
        Format::Human => {
            let each = articles(&specs).iter().map(|a| article::human(a, output.paint())).collect::<Vec<_>>();
            each.join("\n")
        }
        Format::Markdown => articles(&specs).iter().map(article::markdown).collect::<Vec<_>>().join("\n"),
    };
    output.result(&text);
    Ok(Exit::Done)
}
