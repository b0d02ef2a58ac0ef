//! Specs in the formats of other tools: a `.reg` file, a DSC v3 configuration document, Ansible tasks with `win_regedit`.
//!
//! None of them can say all that a spec says. What a format cannot say is in [`Export::losses`], never just left out: the
//! file says it in comments, and the caller tells the user.

mod dsc;
mod reg;
mod tasks;
mod wanted;

pub use dsc::dsc;
pub use reg::reg;
pub use tasks::win_regedit;

/// An exported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What the specs say and the file does not.
    pub losses: Vec<Loss>,
}

/// Something that a format cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The spec's id.
    pub spec: String,
    /// What is lost, and what the file says instead.
    pub what: String,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.spec, self.what)
    }
}

/// The comment that a file of these specs begins with.
fn heading(specs: &[crate::spec::Spec], losses: &[Loss]) -> Vec<String> {
    let mut lines = Vec::new();
    for spec in specs {
        lines.push(format!("{}: {}", spec.id, spec.title));
        lines.push(format!("made by kbfix export of the spec with SHA-256 {}", spec.origin.sha256));
    }
    if !losses.is_empty() {
        lines.push("What the spec says and this file does not:".to_owned());
        lines.extend(losses.iter().map(|loss| format!("- {loss}")));
    }
    lines.into_iter().map(|line| crate::registry::notation::one_line(&line)).collect()
}

#[cfg(test)]
mod tests;
