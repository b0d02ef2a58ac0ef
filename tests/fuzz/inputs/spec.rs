//! Reads and checks a spec: it is valid, or a finding shows the fault and its position.

use kbfix::{
    render::{Paint, diagnostics},
    spec::{self, Settings},
};

/// Input: the file.
pub(crate) fn spec(data: &[u8]) {
    let loaded = spec::load("fuzzed.yaml", data, &Settings::for_validation());
    assert!(loaded.spec.is_some() || !loaded.diagnostics.is_empty());
    for found in &loaded.diagnostics {
        let _ = (diagnostics::human(found, Paint { colour: false }), diagnostics::github(found));
    }
}
