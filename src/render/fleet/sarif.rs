//! Formats a fleet report as SARIF 2.1.0 for code scanning. Each spec becomes a SARIF rule, and each case that needs
//! attention or has a note becomes a result.
//!
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".

use std::{
    collections::HashMap,
    io::{self, Write},
};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::wording;
use crate::{
    fleet::{Case, FleetOutcome, FleetReport, MachineRow},
    registry::{RootKey, notation::one_line},
};

/// The maximum number of locations of one result. GitHub refuses a file in which a result has more.
///
/// Source: GitHub, "SARIF results exceed one or more limits".
pub const MOST_LOCATIONS: usize = 1_000;

/// Writes the report as SARIF. Each case that needs attention or has a note is a result. The result has a location for
/// each machine with the case, but at most [`MOST_LOCATIONS`]. If there are more machines, the message of the result
/// says so. Each machine that could not be read is also a result.
///
/// # Errors
/// Returns the error of the writer `to`.
pub fn sarif(report: &FleetReport, to: &mut dyn Write) -> io::Result<()> {
    let rule = |id: &str, title: &str| json!({ "id": one_line(id), "shortDescription": { "text": one_line(title) } });
    let mut rules: Vec<Value> = report.specs.iter().map(|spec| rule(&spec.id, &spec.title)).collect();
    rules.push(rule("unreadable", "The machine could not be read"));
    let rows = report.machines.iter().map(|row| (&*row.name, row)).collect();
    super::write_json(
        &Log {
            schema: "https://json.schemastore.org/sarif-2.1.0.json",
            version: "2.1.0",
            runs: [Run {
                tool: json!({ "driver": { "name": "kbfix", "semanticVersion": report.kbfix_version, "rules": rules } }),
                column_kind: "unicodeCodePoints",
                results: Results { report, rows },
            }],
        },
        to,
    )
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Value,
    column_kind: &'static str,
    results: Results<'a>,
}

/// The results of a report. Each result is made only when it is written, so that a large fleet needs little memory.
struct Results<'a> {
    report: &'a FleetReport,
    /// The machines by name.
    rows: HashMap<&'a str, &'a MachineRow>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { report, rows } = self;
        let index: HashMap<&str, usize> = report.specs.iter().enumerate().map(|(at, spec)| (&*spec.id, at)).collect();
        let asks = |case: &&Case| level(case.outcome).is_some() || !case.notes.is_empty();
        let of_cases = report.cases.iter().filter(asks).map(|case| {
            let machines: Vec<&MachineRow> =
                case.machines.iter().take(MOST_LOCATIONS).filter_map(|name| rows.get(&**name)).copied().collect();
            let number = index.get(&*case.spec).copied();
            result(&case.spec, number, case.outcome, message(case, report), &case.id, &machines)
        });
        let unreadable = report.unreadable().map(|(row, why)| {
            let id = format!("unreadable/{}", row.name);
            let message = format!("{}: {}", one_line(&row.name), one_line(why));
            result("unreadable", Some(report.specs.len()), row.outcome, message, &id, &[row])
        });
        serializer.collect_seq(of_cases.chain(unreadable))
    }
}

/// Returns the SARIF level of an outcome; `None` if the outcome needs no attention.
fn level(outcome: FleetOutcome) -> Option<&'static str> {
    match outcome {
        FleetOutcome::NotApplicable | FleetOutcome::InDesiredState => None,
        FleetOutcome::Waived => Some("note"),
        FleetOutcome::ChangesPending => Some("warning"),
        _ => Some("error"),
    }
}

fn message(case: &Case, report: &FleetReport) -> String {
    let what = match case.changes.is_empty() {
        true if case.outcome == FleetOutcome::Waived => one_line(&wording::waivers(case, report).join("; ")),
        true => case.reasons.iter().map(|reason| one_line(reason)).collect::<Vec<_>>().join("; "),
        false => wording::changes(case),
    };
    let count = wording::machines(case.machines.len());
    let all: Vec<String> = std::iter::once(what)
        .filter(|what| !what.is_empty())
        .chain(wording::notes(case).map(|note| one_line(&note)))
        .collect();
    let cut = match case.machines.len() > MOST_LOCATIONS {
        true => format!("; the locations are only the first {MOST_LOCATIONS} of these machines"),
        false => String::new(),
    };
    format!("{count}: {}: {}: {}{cut}", one_line(&case.spec), case.outcome.words(), all.join("; "))
}

fn result(
    rule: &str,
    index: Option<usize>,
    outcome: FleetOutcome,
    message: String,
    fingerprint: &str,
    machines: &[&MachineRow],
) -> Value {
    let mut result = json!({
        "ruleId": one_line(rule),
        // If nothing must be changed, the result is only there because of its notes.
        "level": level(outcome).unwrap_or("note"),
        "message": { "text": message },
        "locations": machines.iter().map(|row| location(row)).collect::<Vec<_>>(),
        "partialFingerprints": { "kbfixCase/v1": fingerprint },
    });
    if let Some(index) = index {
        result["ruleIndex"] = index.into();
    }
    result
}

fn location(row: &MachineRow) -> Value {
    json!({
        "physicalLocation": { "artifactLocation": { "uri": uri(&row.target) }, "region": { "startLine": 1 } },
        "logicalLocations": [{ "name": one_line(&row.name), "kind": "machine" }],
    })
}

/// Returns the URI of the file or folder that the address of a target names. An address such as `local` or `smb:…`
/// names none: then returns the address itself, percent-encoded. The URI is relative if the user gave a relative path.
fn uri(target: &str) -> String {
    let Some((kind @ ("snapshot" | "reg" | "pol" | "image" | "hive"), path)) = target.split_once(':') else {
        return percent(target, ":/@[]");
    };
    let path = match (kind, path.rsplit_once('=')) {
        ("hive", Some((file, _))) => file,
        ("pol", Some((file, root))) if RootKey::parse(root).is_some() => file,
        _ => path,
    };
    let path = path.replace('\\', "/");
    let is_drive = matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic());
    match (is_drive, path.starts_with('/')) {
        (true, _) => format!("file:///{}", percent(&path, "/:")),
        (false, true) => format!("file://{}", percent(&path, "/")),
        (false, false) => percent(&path, "/"),
    }
}

/// Percent-encodes all characters except unreserved characters (RFC 3986) and those in `kept`.
fn percent(text: &str, kept: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || kept.contains(c) && c.is_ascii() {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_target_is_a_uri() {
        for (target, wanted) in [
            ("snapshot:snapshots/FE 1.json", "snapshots/FE%201.json"),
            ("snapshot:/a/FE1.json", "file:///a/FE1.json"),
            (r"snapshot:C:\a\FE1.json", "file:///C:/a/FE1.json"),
            ("snapshot:a:b/é\n.json", "a%3Ab/%C3%A9%0A.json"),
            ("hive:x/SYSTEM=HKLM\\SYSTEM", "x/SYSTEM"),
            ("pol:/a/Machine/Registry.pol=HKLM", "file:///a/Machine/Registry.pol"),
            ("pol:a=b/Registry.pol", "a%3Db/Registry.pol"),
            ("smb://user@host", "smb://user@host"),
            ("local", "local"),
        ] {
            assert_eq!(uri(target), wanted);
        }
    }
}
