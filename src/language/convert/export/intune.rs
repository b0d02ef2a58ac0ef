//! Exports specs as a Microsoft Intune remediation: one script that detects whether changes are needed, and one script
//! that makes the changes.
//!
//! Both scripts run the kbfix that is installed on the machine, and pass it the complete texts of the specs and the
//! operator's settings. So it does not matter which specs are built into that kbfix.
//!
//! Requirements of Intune (Microsoft Learn, "Use Remediations to detect and fix support issues"):
//!
//! - If the detection script exits with 1, Intune runs the remediation script.
//! - Scripts are UTF-8 without a byte order mark.
//! - Intune shows the last line of the output, at most 2,048 characters of it.
//! - Scripts contain no secrets and do not restart the computer.
//! - Any text on standard error makes Intune report that the script failed.

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

/// The reason why kbfix cannot create the scripts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemediationError {
    /// A sensitive parameter has data. The scripts would contain it, and every user of the machine can read them.
    #[error("{spec}: the parameter `{parameter}` is sensitive, and an Intune script must not contain secrets")]
    Secret {
        /// The id of the spec with the sensitive parameter.
        spec: String,
        /// The name of the sensitive parameter.
        parameter: String,
    },
    /// The spec contains the data of a sensitive value, for example in a condition.
    #[error("{spec}: the data of {value} is sensitive, and an Intune script must not contain secrets")]
    SecretValue {
        /// The id of the spec that contains the data of the sensitive value.
        spec: String,
        /// The key and the name of the value; if the data is that of a parameter, the name of the parameter.
        value: String,
    },
    /// A script would be larger than Intune accepts; the field is its size in bytes.
    #[error("a script would have {0} bytes, more than the {MOST} that Intune accepts")]
    TooLarge(usize),
    /// A spec file is not UTF-8 text; the field is the name of the file.
    #[error("{0} is not UTF-8 text")]
    NotText(String),
}

/// The maximum size of a script that Intune accepts, in bytes.
const MOST: usize = 200_000;

/// Exports `specs` as the scripts of an Intune remediation. `sources` are the files of the specs, and `settings` is the
/// data that the operator chose for their parameters.
///
/// # Errors
/// Returns [`RemediationError`] if a script would contain a secret, a script would be too large, or a file is not UTF-8
/// text.
pub fn intune(sources: &[Source<'_>], settings: &Settings, specs: &[Spec]) -> Result<Remediation, RemediationError> {
    for spec in specs {
        if let Some(parameter) = spec.sensitive.iter().find(|name| !spec.unset.contains_key(*name)) {
            return Err(RemediationError::Secret { spec: spec.id.clone(), parameter: parameter.clone() });
        }
        if let Some(value) = spec.secret_data() {
            return Err(RemediationError::SecretValue { spec: spec.id.clone(), value });
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
            "Detection script: exits with 0 if each of these specs is satisfied or does not apply, otherwise with 1.",
        )?,
        remediate: script(
            &common("apply --stdin-specs --format json"),
            "Remediation script: makes the changes that these specs require; exits with 0 if each spec is then \
                satisfied or does not apply, otherwise with 1.",
        )?,
    })
}

/// Returns the JSON that a script writes to the standard input of `kbfix --stdin-specs`: the specs and the settings.
/// The error names a spec file that is not UTF-8 text.
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

/// Returns JSON in which every character outside ASCII is escaped. Without this, PowerShell 5.1 would decode the script
/// in the machine's code page, and would treat typographic quotes as string delimiters.
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

/// Returns the comment at the beginning of a script: the purpose `about`, and the id, title and SHA-256 of each spec.
fn head(specs: &[Spec], about: &str) -> String {
    let mut lines = vec![about.to_owned()];
    for spec in specs {
        lines.push(format!("{}: {}", spec.id, spec.title));
        lines.push(format!("made by kbfix export from the spec with the SHA-256 {}", spec.origin.sha256));
    }
    let line = |line: String| {
        let text: String = one_line(&line).chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        format!("# {text}\n")
    };
    lines.into_iter().map(line).collect()
}
