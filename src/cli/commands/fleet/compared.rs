//! Prints the results of `kbfix fleet impact` and `kbfix fleet drift`.

use kbfix::{
    diag::Exit,
    fleet::{FleetCommand, FleetComparison},
    render::fleet,
};

use crate::cli::{error::CommandError, output::Output};

/// The format of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text for people, with colours if the terminal shows them.
    Human,
    /// JSON, for programs; `kbfix schema fleet-comparison` prints the schema.
    Json,
    /// Markdown, for a change ticket or a pull request.
    Markdown,
}

/// Prints the comparison, and returns its exit code. An error that stopped the command is printed as a comparison in
/// the format JSON, and returned in all other formats.
pub(super) fn print(
    comparison: Result<FleetComparison, CommandError>,
    command: FleetCommand,
    format: Format,
    output: &mut Output,
) -> Result<Exit, CommandError> {
    let mut comparison = match comparison {
        Ok(comparison) => comparison,
        Err(stop) if format == Format::Json => {
            let mut comparison = FleetComparison::new(command);
            comparison.exit_code = stop.exit;
            comparison.diagnostics = stop.diagnostics;
            comparison
        }
        Err(stop) => return Err(stop),
    };
    // Only JSON contains the diagnostics.
    match format {
        Format::Json => comparison.diagnostics = output.with_warnings(comparison.diagnostics),
        Format::Human | Format::Markdown => output.diagnostics(&comparison.diagnostics),
    }
    let text = match format {
        Format::Json => fleet::comparison_json(&comparison),
        Format::Human => fleet::comparison_human(&comparison, output.paint()),
        Format::Markdown => fleet::comparison_markdown(&comparison),
    };
    output.result(&text);
    Ok(comparison.exit_code)
}
