//! Every spec under `specs/` and `tests/fixtures/specs` gives what it is to give.

use kbfix::{
    review::diagnostics::json,
    spec::{self, Settings},
};

#[test]
fn kb909094_is_valid() {
    let bytes = std::fs::read("specs/KB909094.yaml").unwrap();
    let loaded = spec::load("specs/KB909094.yaml", &bytes, &Settings::new());
    assert!(loaded.diagnostics.is_empty(), "{}", json(&loaded.diagnostics));
    assert_eq!(loaded.spec.unwrap().id, "KB909094");
}
