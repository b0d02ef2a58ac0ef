//! The command `kbfix hive`: checks hive files.

use std::path::PathBuf;

use crate::cli::{error::CommandError, output::Output};

use kbfix::{
    diag::{Code, Diagnostic, Exit},
    files::read,
    format::regf::{Hive, Severity},
    render::hive_check::HiveCheck,
    targets::{hive_logs, read_hive, read_log},
};

/// Examine a hive (a registry file).
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(Check),
}

/// Check the structure of a hive (a registry file), and print its errors and oddities, but at most 20,000 with the same
/// code. If the last changes of the hive are only in the log files next to it, kbfix checks the hive with these
/// changes. If the log files do not contain them either, kbfix checks the hive as it is, and reports an error. This
/// command changes nothing.
///
/// Each finding is an error or an oddity. An oddity is a harmless deviation from the format. Windows itself creates
/// oddities. So a hive that Windows has used for some time usually contains oddities.
///
/// The exit code is 0 if the hive has no error, and 1 if it has an error. It is 3 if the file or a log file next to it
/// cannot be read, or if the file is not a hive. Oddities do not affect the exit code.
#[derive(Debug, clap::Args)]
struct Check {
    /// The hive file, such as Windows/System32/config/SYSTEM.
    file: PathBuf,

    /// The format of the findings.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text, with one line for each finding.
    Human,
    /// JSON, for programs; `kbfix schema hive-check` prints the schema.
    Json,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    match &arguments.command {
        Command::Check(check) => run_check(check, output),
    }
}

fn run_check(arguments: &Check, output: &mut Output) -> Result<Exit, CommandError> {
    match check(arguments, output) {
        Err(stop) if arguments.format == Format::Json => {
            let file = arguments.file.display().to_string();
            output.result(&HiveCheck::not_checked(&file, stop.diagnostics).json());
            Ok(stop.exit)
        }
        other => other,
    }
}

fn check(arguments: &Check, output: &mut Output) -> Result<Exit, CommandError> {
    let file = arguments.file.display().to_string();
    let unreadable = |what: &str, error: &std::io::Error| {
        let hint = read::hint(error).unwrap_or("check that the file exists and that you may read it");
        CommandError::new(
            Exit::Unusable,
            Diagnostic::error(Code::TARGET_UNREADABLE, format!("{what}: {error}")).hint(hint),
        )
    };
    let primary = read_hive(&arguments.file).map_err(|e| unreadable(&file, &e))?;
    let mut logs = Vec::new();
    for log in hive_logs(&arguments.file).map_err(|e| unreadable(&file, &e))? {
        logs.push(read_log(&log, primary.len()).map_err(|e| unreadable(&log.display().to_string(), &e))?);
    }
    let hive = Hive::open_dirty(primary, &logs).map_err(|error| {
        let hint = "give a hive file, such as Windows/System32/config/SYSTEM";
        CommandError::new(
            Exit::Unusable,
            Diagnostic::error(Code::TARGET_MALFORMED, format!("{file}: {error}")).hint(hint),
        )
    })?;
    let findings = hive.check();
    let document = HiveCheck::new(&file, &hive, &findings);
    output.result(&match arguments.format {
        Format::Human => document.human(),
        Format::Json => document.json(),
    });
    let has_error = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if has_error { Exit::Differences } else { Exit::Done })
}
