//! Checks with the real yaml-language-server (tests/editor/hover.mjs) that an editor shows and completes what the
//! schema says.

use std::{path::PathBuf, process::Command};

use serde_json::Value;

#[test]
fn the_language_server_shows_and_completes_the_fields() {
    let Some(server) = std::env::var_os("KBFIX_YAML_LANGUAGE_SERVER").map(PathBuf::from) else {
        println!("SKIPPED: KBFIX_YAML_LANGUAGE_SERVER is not set; tests/run installs the server with npm");
        return;
    };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/editor");
    let output =
        Command::new("node").arg(folder.join("hover.mjs")).arg(server).arg(folder.join("spec.yaml")).output().unwrap();
    let answers: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let text = |place: &[&str]| {
        let found = place.iter().fold(&answers, |value, name| &value[*name]);
        found.as_str().unwrap_or_else(|| panic!("{place:?}: {answers:#}")).to_owned()
    };
    for (place, words) in [
        (&["hover", "prerequisites"][..], "Conditions that must be true before anything is changed."),
        (&["hover", "restart"], "The restarts that are needed before the changes take effect."),
        (&["hover", "type"], "The registry type of the value."),
        (&["completion", "top", "hotfix"], "The update that must be installed."),
        (&["completion", "top", "symptoms"], "Events that are a sign of the problem"),
        (&["completion", "value", "data"], "For REG_DWORD, REG_DWORD_BIG_ENDIAN and REG_QWORD, write a number"),
        (&["completion", "value", "if_absent"], "The data that Windows uses if the value is absent"),
        (&["completion", "type", "REG_MULTI_SZ"], "The registry type of the value."),
    ] {
        assert!(text(place).contains(words), "{place:?}: {answers:#}");
    }
    // A field that exists already is not offered again.
    assert_eq!(answers["completion"]["top"]["title"], Value::Null, "{answers:#}");
    let findings: Vec<&str> = answers["diagnostics"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(findings.iter().any(|f| f.starts_with("18: ") && f.contains("required")), "{answers:#}");
}
