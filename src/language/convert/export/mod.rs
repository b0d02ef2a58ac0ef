//! Exports specs to the formats of other tools: a `.reg` file, a DSC v3 configuration document, Ansible tasks with
//! `win_regedit`, a policy file or LGPO's text for Group Policy, and the scripts of a Microsoft Intune remediation.
//!
//! The Intune scripts run kbfix and lose nothing. No other format can express everything in a spec. [`Export::losses`]
//! lists what is lost. Comments in the exported file list this too, except in a policy file, which has no comments.

mod dsc;
mod intune;
mod policy;
mod reg;
mod tasks;
mod keys;

pub use dsc::dsc;
pub use intune::{Remediation, RemediationError, intune};
pub use policy::{lgpo, pol};
pub use reg::reg;
pub use tasks::win_regedit;

/// A file in the format of another tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The parts of the specs that the file does not express, and the sensitive values that it shows.
    pub losses: Vec<Loss>,
}

/// A part of a spec that a format cannot express, or a sensitive value that a file shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The spec's id.
    pub spec: String,
    /// A message: which part of the spec is lost, and what the exported file does instead, if it does something; or
    /// which sensitive value the file shows.
    pub what: String,
    /// Whether the loss is that the file shows sensitive data.
    pub is_secret: bool,
}

impl Loss {
    fn new(spec: String, what: String) -> Self {
        Self { spec, what, is_secret: false }
    }

    /// Returns a hint that says how to avoid the loss.
    pub fn hint(&self) -> &'static str {
        if self.is_secret {
            return "give the file only to people who may know the data, or let kbfix itself apply the spec: `kbfix apply`";
        }
        "apply the spec with `kbfix apply`, which takes this part of the spec into account"
    }
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.spec, self.what)
    }
}

/// Returns the lines of the comment at the beginning of an exported file: the specs, and each of `losses`.
fn heading(specs: &[crate::spec::Spec], losses: &[Loss]) -> Vec<String> {
    let mut lines = Vec::new();
    for spec in specs {
        lines.push(format!("{}: {}", spec.id, spec.title));
        lines.push(format!("made by kbfix export from the spec with the SHA-256 {}", spec.origin.sha256));
    }
    if !losses.is_empty() {
        lines.push("This file differs from the specs:".to_owned());
        lines.extend(losses.iter().map(|loss| format!("- {loss}")));
    }
    lines.into_iter().map(|line| crate::registry::notation::one_line(&line)).collect()
}

#[cfg(test)]
mod tests;
