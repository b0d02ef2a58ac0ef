//! The command `kbfix show`: prints a spec as an article.

use crate::cli::{args::specs::SpecArguments, error::CommandError, output::Output};

use kbfix::{
    diag::Exit,
    render::{article, html},
    spec::{Settings, Spec},
};

/// Print a spec as an article: the subject, the reason, the prerequisites, the changes, and how to undo these changes.
///
/// You need not set the parameters of the spec. If you set a parameter, the article shows the data that you set, except
/// if the data is sensitive.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// The format of the article.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for a terminal.
    Human,
    /// Markdown, for a wiki or a pull request.
    Markdown,
    /// JSON, for programs: the article and the spec. `kbfix schema articles` prints the schema.
    Json,
    /// One self-contained HTML page.
    Html,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    // An article can be read before parameters are set.
    let specs = match arguments.specs.load_with(Settings::for_validation(), output) {
        Err(stop) if arguments.format == Format::Json => {
            output.result(&article::json(&[], stop.diagnostics));
            return Ok(stop.exit);
        }
        loaded => loaded?,
    };
    let articles = |specs: &[Spec]| specs.iter().map(article::article).collect::<Vec<_>>();
    let text = match arguments.format {
        Format::Json => article::json(&specs, output.with_warnings(Vec::new())),
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
