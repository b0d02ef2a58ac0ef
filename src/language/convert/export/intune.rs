//! Exports the pair of scripts of a Microsoft Intune remediation: one detects, the other remediates.
//!
//! Both scripts call the kbfix that is installed on the machine. They contain the texts of the specs and the operator's
//! choices. So nothing of a spec is lost, and the scripts do not depend on the specs that are built into the installed
//! kbfix.
//!
//! The requirements of the service (Microsoft Learn, "Use Remediations to detect and fix support issues"): The
//! detection script exits with 1 if something has to be done; then the remediation script runs. Scripts are UTF-8
//! without a byte order mark. The last line of the output is shown, at most 2,048 characters of it. Scripts contain no
//! secrets and do not restart the computer. Text on standard error counts as an error of the script.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    registry::notation::one_line,
    spec::{Setting, Settings, Source, Spec},
};

/// The two scripts of an Intune remediation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remediation {
    /// The text of the detection script, `detect.ps1`.
    pub detect: String,
    /// The text of the remediation script, `remediate.ps1`.
    pub remediate: String,
}

/// The reason why the scripts cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemediationError {
    /// A script would contain a secret, but everybody on the machine can read the script.
    #[error("{spec}: the parameter `{parameter}` is sensitive, and an Intune script must not contain secrets")]
    Secret {
        /// The spec's id.
        spec: String,
        /// The name of the sensitive parameter.
        parameter: String,
    },
    /// A script would have this size in bytes, which Intune does not accept.
    #[error("a script would have {0} bytes, more than the {MOST} that Intune accepts")]
    TooLarge(usize),
    /// The file with this name is not UTF-8 text.
    #[error("{0} is not UTF-8 text")]
    NotText(String),
}

/// The maximum size of a script, in bytes.
const MOST: usize = 200_000;

/// Exports the scripts for specs; `sources` are their files, and `settings` what the operator chose.
///
/// # Errors
/// Returns [`RemediationError`] if a script would contain a secret or be too large, or a spec is not text.
pub fn intune(sources: &[Source<'_>], settings: &Settings, specs: &[Spec]) -> Result<Remediation, RemediationError> {
    for spec in specs {
        if let Some(parameter) = spec.set.intersection(&spec.sensitive).next() {
            return Err(RemediationError::Secret { spec: spec.id.clone(), parameter: parameter.clone() });
        }
    }
    let input = ascii(&input(sources, settings)?);
    let script = |template: &str, about: &str| {
        let script = template.replace("@HEAD@", &head(specs, about)).replace("@INPUT@", &input);
        if script.len() > MOST { Err(RemediationError::TooLarge(script.len())) } else { Ok(script) }
    };
    let common = |what: &str| include_str!("intune.ps1").replace("@ARGUMENTS@", what);
    Ok(Remediation {
        detect: script(
            &common("diff --stdin-specs --format json"),
            "Detection script: exits with 0 if the machine satisfies these specs, otherwise with 1.",
        )?,
        remediate: script(
            &common("apply --stdin-specs --format json"),
            "Remediation script: makes the changes that these specs require; exits with 0 if the specs are then \
                satisfied, otherwise with 1.",
        )?,
    })
}

/// Returns the text that the script passes to `kbfix --stdin-specs`.
fn input(sources: &[Source<'_>], settings: &Settings) -> Result<Value, RemediationError> {
    let mut specs = Vec::new();
    for source in sources {
        let text = std::str::from_utf8(source.bytes).map_err(|_| RemediationError::NotText(source.name.to_owned()))?;
        let name = source.name.rsplit(['/', '\\']).next().unwrap_or_default();
        specs.push(json!({ "name": name, "text": text }));
    }
    let given = settings.names().filter_map(|name| {
        let data = match settings.get(name)? {
            Setting::Text(text) => json!(text),
            Setting::List(list) => json!(list),
        };
        Some((name.to_owned(), data))
    });
    Ok(json!({ "specs": specs, "parameters": given.collect::<serde_json::Map<_, _>>() }))
}

/// Returns JSON in which every character outside ASCII is escaped. PowerShell 5.1 reads a script without a byte order
/// mark in the machine's code page, and reads typographic quotes as quotes.
fn ascii(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// Returns the comment at the beginning of a script.
fn head(specs: &[Spec], about: &str) -> String {
    let mut lines = vec![about.to_owned()];
    for spec in specs {
        lines.push(format!("{}: {}", spec.id, spec.title));
        lines.push(format!("made by kbfix export of the spec with SHA-256 {}", spec.origin.sha256));
    }
    let line = |line: String| {
        let text: String = one_line(&line).chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        format!("# {text}\n")
    };
    lines.into_iter().map(line).collect()
}
