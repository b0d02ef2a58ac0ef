//! Every dependency's licence is compatible with `MIT OR Apache-2.0`, on every platform that kbfix is built for.
#![cfg(not(windows))] // cargo is asked, which the tests for Windows, under Wine, do not have

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

/// MIT, Apache-2.0, and what `tests/licences.allow` adds with its reasons.
fn allowed() -> BTreeSet<&'static str> {
    let lines = include_str!("licences.allow").lines();
    let listed = lines.filter_map(|line| line.split('#').next().map(str::trim).filter(|licence| !licence.is_empty()));
    listed.chain(["MIT", "Apache-2.0"]).collect()
}

/// Whether the SPDX expression can be met with allowed licences only: `OR` offers a choice, `AND` demands both. cargo
/// also has the older `MIT/Apache-2.0`. `AND` binds tighter than `OR`; no dependency nests parentheses.
fn is_met(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let expression = expression.replace('/', " OR ");
    if let Some((group, rest)) = expression.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        let group = is_met(group, allowed);
        return match rest.trim() {
            "" => group,
            rest => match (rest.strip_prefix("AND "), rest.strip_prefix("OR ")) {
                (Some(rest), _) => group && is_met(rest, allowed),
                (_, Some(rest)) => group || is_met(rest, allowed),
                _ => false,
            },
        };
    }
    expression.split(" OR ").any(|choice| choice.split(" AND ").all(|licence| allowed.contains(licence.trim())))
}

#[test]
fn expressions_are_understood() {
    let allowed = BTreeSet::from(["MIT", "Zlib"]);
    for met in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "MIT AND Zlib", "(GPL-3.0 OR MIT) AND Zlib"] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for unmet in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR GPL-3.0) AND GPL-3.0", "(GPL-3.0) AND MIT", "MIT WITH x"] {
        assert!(!is_met(unmet, &allowed), "{unmet}");
    }
}

#[test]
fn every_dependency_is_compatible() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50);
    let allowed = allowed();
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !is_met(package["license"].as_str().unwrap_or_default(), &allowed))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(refused.is_empty(), "not in tests/licences.allow: {refused:#?}");
}
