//! Exports the pair of scripts of a Microsoft Intune remediation: one detects, the other remediates.
//!
//! Both call the kbfix that is installed on the machine, and carry the specs' texts and the operator's choices with them. So they
//! lose nothing of the specs, and do not depend on which specs that kbfix has built in.
//!
//! What the service asks for (Microsoft Learn, "Use Remediations to detect and fix support issues"): a detection script that exits
//! with 1 where something is to be done, and then the other runs; UTF-8 without byte order mark; the last line of the output is
//! shown, of at most 2,048 characters; no secrets; no restart. Text on standard error counts as an error of the script.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    registry::notation::one_line,
    spec::{Setting, Settings, Source, Spec},
};

/// The two scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remediation {
    /// `detect.ps1`.
    pub detect: String,
    /// `remediate.ps1`.
    pub remediate: String,
}

/// Why there are no scripts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemediationError {
    /// A script would hold a secret, and everybody on the machine can read it.
    #[error("{spec}: the parameter `{parameter}` is sensitive, and a script of Intune must hold no secret")]
    Secret {
        /// The spec's id.
        spec: String,
        /// The parameter.
        parameter: String,
    },
    /// The service takes no script of this size, in bytes.
    #[error("a script would have {0} bytes, more than the {MOST} that Intune takes")]
    TooLarge(usize),
    /// A spec is not text.
    #[error("{0} is not UTF-8")]
    NotText(String),
}

/// The most bytes of a script.
const MOST: usize = 200_000;

/// Exports the scripts for specs; `sources` are their files, and `settings` what the operator chose.
///
/// # Errors
/// [`RemediationError`]
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
            "Detection script: exits with 0 where the machine is as these specs ask for, else with 1.",
        )?,
        remediate: script(
            &common("apply --stdin-specs --format json"),
            "Remediation script: makes the changes that these specs ask for; exits with 0 where they hold then, else with 1.",
        )?,
    })
}

/// Returns what `--stdin-specs` reads.
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

/// Returns JSON in which every character outside ASCII is an escape: PowerShell 5.1 takes a script without byte order mark for text
/// of the machine's code page, and typographic quotes for quotes.
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

/// Returns the comment at the beginning.
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
