//! `kbfix hive`

use std::{fmt::Write as _, fs, path::PathBuf};

use serde::Serialize;

use crate::{
    diag::{Code, Diagnostic},
    format::regf::{Finding, Hive, Severity, State},
    target::hive_logs,
};

use super::{
    output::Output,
    stop::{Stop, UNREADABLE},
};

/// Look into a registry hive file.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(Check),
}

/// Check the structure of a hive file, with the logs beside it applied, and print all that is wrong with it.
///
/// Exits 1 where there is an error, 0 where there is none, 3 for a file that is no hive. An oddity is no error: every hive of
/// a running Windows has some. Changes nothing.
#[derive(Debug, clap::Args)]
struct Check {
    /// The hive file, such as Windows/System32/config/SYSTEM.
    file: PathBuf,

    /// How the findings are written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One line for each finding.
    Human,
    /// A versioned document.
    Json,
}

/// What was found, as a document.
#[derive(Serialize)]
struct Document<'a> {
    kbfix_hive_check: u32,
    file: String,
    /// The minor version of the format.
    minor_version: u32,
    bytes: usize,
    /// `clean`, `recovered` (by its logs, in memory) or `dirty`.
    state: &'static str,
    /// What was recovered, or why it was not.
    logs: Option<String>,
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    code: &'static str,
    severity: &'static str,
    offset: u64,
    message: &'a str,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<u8, Stop> {
    match &arguments.command {
        Command::Check(check) => run_check(check, output),
    }
}

fn run_check(arguments: &Check, output: &mut Output) -> Result<u8, Stop> {
    let file = arguments.file.display().to_string();
    let unreadable = |what: &str, error: &std::io::Error| {
        let hint = "see that it exists and that you may read it";
        Stop::new(UNREADABLE, Diagnostic::error(Code::TARGET_UNREADABLE, format!("{what}: {error}")).hint(hint))
    };
    let primary = fs::read(&arguments.file).map_err(|e| unreadable(&file, &e))?;
    let mut logs = Vec::new();
    for log in hive_logs(&arguments.file).map_err(|e| unreadable(&file, &e))? {
        logs.push(fs::read(&log).map_err(|e| unreadable(&log.display().to_string(), &e))?);
    }
    let hive = Hive::open_dirty(primary, &logs).map_err(|error| {
        let hint = "give a hive file, such as Windows/System32/config/SYSTEM";
        Stop::new(UNREADABLE, Diagnostic::error(Code::TARGET_MALFORMED, format!("{file}: {error}")).hint(hint))
    })?;
    let findings = hive.check();
    let document = document(file, &hive, &findings);
    match arguments.format {
        Format::Human => output.result(&human(&document)),
        Format::Json => output.result(&format!("{}\n", serde_json::to_string_pretty(&document).unwrap_or_default())),
    }
    Ok(u8::from(findings.iter().any(|finding| finding.severity == Severity::Error)))
}

fn document<'a>(file: String, hive: &Hive, findings: &'a [Finding]) -> Document<'a> {
    let (state, logs) = match hive.state() {
        State::Clean => ("clean", None),
        State::Recovered(recovery) => ("recovered", Some(recovery.to_string())),
        State::Dirty { why } => ("dirty", Some((*why).to_owned())),
    };
    let severity = |finding: &Finding| match finding.severity {
        Severity::Oddity => "oddity",
        Severity::Error => "error",
    };
    let found = |finding: &'a Finding| Found {
        code: finding.code,
        severity: severity(finding),
        offset: finding.offset,
        message: &finding.message,
    };
    let findings = findings.iter().map(found).collect();
    let (minor_version, bytes) = (hive.minor_version(), hive.file_len());
    Document { kbfix_hive_check: 1, file, minor_version, bytes, state, logs, findings }
}

fn human(document: &Document<'_>) -> String {
    let mut out = String::new();
    let state = match (document.state, &document.logs) {
        ("recovered", Some(logs)) => format!("completed in memory by {logs}"),
        ("dirty", Some(why)) => format!("not written completely, and its logs do not complete it: {why}"),
        _ => "complete".to_owned(),
    };
    let _ = writeln!(
        out,
        "{}: a hive of version 1.{}, {} bytes, {state}",
        document.file, document.minor_version, document.bytes
    );
    for found in &document.findings {
        let _ = writeln!(out, "{:#010x}  {}: {} ({})", found.offset, found.severity, found.message, found.code);
    }
    let errors = document.findings.iter().filter(|found| found.severity == "error").count();
    let _ = writeln!(out, "{} errors, {} oddities", errors, document.findings.len() - errors);
    out
}
