//! Imports a manifest of OSConfig: the result is a valid spec or a finding.

use kbfix::{
    convert::import::{
        About,
        osconfig::{ImportedManifest, import},
    },
    diag::Severity,
    spec::{self, Settings},
};

/// Input: the manifest.
pub(crate) fn osconfig(data: &[u8]) {
    let about = About { id: "fuzzed", title: "Fuzzed", summary: None };
    let is_error = |found: &kbfix::diag::Diagnostic| found.severity == Severity::Error;
    match import("fuzzed.osc.yaml", data, about) {
        Ok(ImportedManifest { spec, rules, imported }) => {
            assert!(0 < imported && imported <= rules);
            assert!(!spec.warnings.iter().any(is_error));
            assert!(spec.warnings.len() >= rules - imported, "a rule is left out without a reason");
            let loaded = spec::load("fuzzed.yaml", spec.text.as_bytes(), &Settings::new());
            let made = loaded.spec.expect("what is imported is a spec").document;
            assert_eq!(made.registry.iter().map(|rule| rule.values.len()).sum::<usize>(), imported);
        }
        Err(found) => assert!(found.iter().any(is_error)),
    }
}
