//! Ansible reads a spec in a playbook with PyYAML, which follows YAML 1.1, and kbfix reads spec files by YAML 1.2.
//! Tests that both give the same plan for every spec of the library, on every machine of its fixture.
#![cfg(unix)]

use std::{path::PathBuf, process::Command};

use kbfix::{
    operation::make_plan,
    plan::SpecPlan,
    spec::{self, Settings, Spec},
};

use super::Fixture;
use crate::scenario::{
    machine::{Kind, Machine},
    yaml_files,
};

/// Reads each file as Ansible does, and writes it as JSON and as YAML. A date becomes text, as in Ansible.
const SCRIPT: &str = "
import json, sys, yaml
out = []
for name in sys.argv[1:]:
    with open(name, encoding='utf-8') as file:
        spec = yaml.safe_load(file)
    out.append([json.dumps(spec, default=str), yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)])
json.dump(out, sys.stdout)
";

/// Returns a Python with PyYAML: the one that tests/run installs, or that of the system.
fn python() -> Option<String> {
    let named = std::env::var("KBFIX_PYTHON").ok();
    named.into_iter().chain(["python3".to_owned(), "/usr/bin/python3".to_owned()]).find(|python| {
        Command::new(python).args(["-c", "import yaml"]).output().is_ok_and(|output| output.status.success())
    })
}

fn load(name: &str, bytes: &[u8], settings: &Settings) -> Result<Spec, String> {
    let loaded = spec::load(name, bytes, settings);
    loaded.spec.ok_or_else(|| format!("{name}: {}", kbfix::render::diagnostics::json(&loaded.diagnostics)))
}

#[test]
fn pyyaml_and_kbfix_read_the_same_specs() {
    let Some(python) = python() else {
        println!("SKIPPED: no python3 with PyYAML");
        return;
    };
    let files = yaml_files("specs");
    let paths: Vec<&PathBuf> = files.iter().map(|(_, path)| path).collect();
    let output = Command::new(python).args(["-c", SCRIPT]).args(paths).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let again: Vec<[String; 2]> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(again.len(), files.len());

    let mut failures = Vec::new();
    for ((id, path), [json, yaml]) in files.iter().zip(&again) {
        let fixture = Fixture::of(id, path).unwrap();
        let own = std::fs::read(path).unwrap();
        for machine in &fixture.machines {
            let settings: Settings = machine.set.clone().into_iter().collect();
            let built = Machine::new(Kind::Reg, machine);
            let plan = |name: &str, bytes: &[u8]| -> Result<SpecPlan, String> {
                let specs = [load(name, bytes, &settings)?];
                let mut plan = make_plan(built.open().as_mut(), &specs).unwrap().specs.remove(0);
                // Only the digest of the file may differ.
                plan.sha256.clear();
                Ok(plan)
            };
            let wanted = plan("file", &own);
            for (how, text) in [("JSON", json), ("YAML", yaml)] {
                let found = plan(how, text.as_bytes());
                if found != wanted || found.is_err() {
                    failures
                        .push(format!("{id}, {}, through PyYAML as {how}: {found:?}, not {wanted:?}", machine.title));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
