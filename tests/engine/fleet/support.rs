//! Small specs, and folders of snapshots on which the specs have every outcome.

use std::path::{Path, PathBuf};

use kbfix::{
    fleet::{FleetCommand, FleetReport, Members, Waivers, snapshots, survey},
    registry::Data,
    spec::{Settings, Source, Spec, load_all},
};
use serde_json::{Value, json};

/// Two values in one key, which apply if a product exists in version 2.
pub(crate) const SPEC: &str = r"
kbfix: 1
id: TWO-VALUES
title: Two values
applicable: { registry: { key: HKLM\SOFTWARE\Vendor, name: Product, exists: true } }
prerequisites:
  - { title: Version 2, registry: { key: HKLM\SOFTWARE\Vendor, name: Version, at_least: 2 } }
registry:
  - key: HKLM\SOFTWARE\Vendor
    values:
      First: { type: REG_DWORD, data: 1 }
      Second: { type: REG_SZ, data: on purpose }
";

/// A third value, which applies everywhere.
pub(crate) const OTHER: &str = r"
kbfix: 1
id: THIRD
title: A third value
registry:
  - key: HKLM\SOFTWARE\Vendor
    values: { Third: { type: REG_DWORD, data: 3 } }
";

pub(crate) fn specs(texts: &[&str]) -> Vec<Spec> {
    let names: Vec<String> = (0..texts.len()).map(|at| format!("{at}.yaml")).collect();
    let sources: Vec<_> = names.iter().zip(texts).map(|(name, text)| Source { name, bytes: text.as_bytes() }).collect();
    load_all(&sources, &Settings::for_validation()).into_specs().unwrap()
}

/// A folder of snapshots.
pub(crate) struct Folder(pub(crate) tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.path().join(file);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Adds a machine whose key `HKLM\SOFTWARE\Vendor` has these values.
    pub(crate) fn machine(&self, name: &str, values: Value) {
        self.write(&format!("{name}.json"), &snapshot(name, values).to_string());
    }

    /// Returns a folder with a machine for each outcome, and with two kinds of pending changes.
    pub(crate) fn mixed() -> Self {
        let folder = Self::new();
        let product = |more: Value| {
            let mut values = json!({ "Product": sz("x"), "Version": dword(2) });
            values.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            values
        };
        for at in 0..5 {
            folder.machine(&format!("PENDING{at}"), product(json!({})));
        }
        folder.machine("HALF", product(json!({ "First": dword(1) })));
        folder.machine("DESIRED", product(json!({ "First": dword(1), "Second": sz("on purpose") })));
        folder.machine("OLD", product(json!({ "Version": dword(1) })));
        folder.machine("OTHER", json!({}));
        let denied = json!({ "unread": { "reason": "denied", "detail": "no right to read Version" } });
        folder.machine("DENIED", product(json!({ "Version": denied })));
        folder.write("BROKEN.json", "{ \"kbfix_snapshot\": 1,");
        folder
    }

    pub(crate) fn members(&self) -> Members {
        Members::new(snapshots(self.path()).unwrap().0, Vec::new())
    }

    pub(crate) fn report(&self, specs: &[Spec]) -> FleetReport {
        report(&self.members(), specs)
    }
}

pub(crate) fn report(members: &Members, specs: &[Spec]) -> FleetReport {
    let lists = [specs.to_vec()];
    let survey = survey(members, &lists, &vec![0; members.each.len()], &Waivers::default(), &mut ());
    FleetReport::of(survey, specs, FleetCommand::Diff)
}

pub(crate) fn dword(number: u32) -> Value {
    json!({ "present": Data::dword(number) })
}

pub(crate) fn sz(text: &str) -> Value {
    json!({ "present": Data::sz(text) })
}

/// Returns the snapshot of a machine with this name and its own MachineGuid.
pub(crate) fn snapshot(name: &str, values: Value) -> Value {
    let mut all =
        json!({ "Product": "absent", "Version": "absent", "First": "absent", "Second": "absent", "Third": "absent" });
    all.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
    let key = |key: &str, values: Value| json!({ "key": key, "found": { "present": { "values": values } } });
    json!({
        "kbfix_snapshot": 1,
        "taken_of": "local",
        "taken": "2026-11-27T12:00:00.000Z",
        "specs": ["TWO-VALUES", "THIRD"],
        "facts": {
            "keys": [
                key(r"HKLM\SOFTWARE\Microsoft\Cryptography", json!({ "MachineGuid": sz(&format!("guid of {name}")) })),
                key(
                    r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName",
                    json!({ "ComputerName": sz(name) }),
                ),
                key(r"HKLM\SOFTWARE\Vendor", all),
            ],
            "files": [],
            // No policy store contains these values.
            "policies": [{
                "scope": "machine",
                "asked": [{ "key": r"HKLM\SOFTWARE\Vendor", "names": ["First", "Second", "Third"] }],
                "stores": [],
            }],
        },
    })
}

/// Returns the report in a format, as text.
pub(crate) fn text(
    write: fn(&FleetReport, &mut dyn std::io::Write) -> std::io::Result<()>,
    report: &FleetReport,
) -> String {
    let mut bytes = Vec::new();
    write(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}
