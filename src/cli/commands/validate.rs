//! The command `kbfix validate`: checks spec files.

use crate::cli::{
    args::{source::Source, specs::SpecArguments},
    error::CommandError,
    output::Output,
};

use kbfix::{
    diag::{Diagnostic, Exit, Severity, number_of},
    render,
    spec::{self, Settings},
};

/// Check spec files: the YAML, the fields and their data, and whether several specs contradict each other.
///
/// This command reads no machine. The exit code is 2 if kbfix finds an error: for example, a spec is invalid or cannot
/// be read, two specs have the same id, or two specs contradict each other. Otherwise the exit code is 0. Warnings do
/// not affect the exit code. A contradiction between two specs is only a warning if a rule or value has a condition, if
/// a rule is a trigger, or if the field `applicable` of the two specs differs. Within one spec, it is an error; but if
/// each of the two rules, or each of the two values, has a condition or is a trigger, kbfix does not report it. If `*`
/// in one key matches another key, kbfix prints only a warning. You need not set parameters. But if a rule uses a
/// parameter that has no default and that you do not set, kbfix finds only the contradictions that exist whatever data
/// the parameter gets.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// The format of the findings.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for people.
    Human,
    /// JSON, for programs; `kbfix schema findings` prints the schema.
    Json,
    /// Annotations, which a GitHub workflow shows next to the lines of the files.
    Github,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let (sources, settings) = match arguments.specs.read(Settings::for_validation()) {
        Err(stop) if arguments.format != Format::Human => {
            print(&stop.diagnostics, arguments.format, output);
            return Ok(stop.exit);
        }
        read => read?,
    };
    let texts: Vec<_> = sources.iter().map(Source::as_spec).collect();
    let checked = spec::validate(&texts, &settings);
    let of_import = sources.iter().flat_map(|source| &source.warnings);
    let diagnostics: Vec<_> = of_import.chain(checked.diagnostics()).cloned().collect();
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let warnings = diagnostics.len() - errors;
    print(&diagnostics, arguments.format, output);
    if arguments.format == Format::Human {
        let verdict = if errors == 0 { "valid" } else { "invalid" };
        output.result(&format!(
            "{verdict}: {}, {}, {}\n",
            number_of(sources.len(), "spec"),
            number_of(errors, "error"),
            number_of(warnings, "warning"),
        ));
    }
    // The process ends now, and the system then frees all memory at once. To free each spec would take time.
    std::mem::forget(checked);
    Ok(if errors == 0 { Exit::Done } else { Exit::Refused })
}

fn print(diagnostics: &[Diagnostic], format: Format, output: &mut Output) {
    match format {
        Format::Human => output.diagnostics(diagnostics),
        Format::Json => output.result(&render::diagnostics::json(diagnostics)),
        Format::Github => {
            let lines = diagnostics.iter().map(|d| render::diagnostics::github(d) + "\n");
            output.result(&lines.collect::<String>());
        }
    }
}
