//! The fleet file.

use std::path::Path;

use kbfix::{diag::Diagnostic, fleet::FleetFile, spec::Setting};
use serde_json::json;

use super::support::Folder;

fn wrong(text: &str) -> Vec<Diagnostic> {
    FleetFile::read("fleet.yaml", text.as_bytes(), Path::new("/fleet")).unwrap_err()
}

#[test]
fn machines_have_targets_groups_parameters_and_waves() {
    let folder = Folder::new();
    folder.machine("FE1", json!({}));
    folder.machine("fe2", json!({}));
    folder.machine("NEW", json!({}));
    let text = "kbfix_fleet: 1\nmachines:\n  FE1: { groups: [canary], parameters: { hint: 0, list: ['a,b', c] } }\n  \
                FE2: { groups: [europe, europe] }\n  GONE: {}\n  IMAGE: { target: 'image:old', drives: { d: data } }\n\
                waves: [[canary], [europe]]\n";
    let file = FleetFile::read("fleet.yaml", text.as_bytes(), folder.path()).unwrap();
    let found = kbfix::fleet::snapshots(folder.path()).unwrap().0;
    let members = file.with_snapshots(Some((folder.path(), found)));
    let names: Vec<_> = members.each.iter().map(|member| &*member.name).collect();
    assert_eq!(names, ["FE1", "FE2", "GONE", "IMAGE", "NEW"]);
    let [fe1, fe2, gone, image, new] = members.each.as_slice() else { unreachable!() };
    assert_eq!(fe1.parameters["hint"], Setting::Text("0".to_owned()));
    assert_eq!(fe1.parameters["list"], Setting::List(vec!["a,b".to_owned(), "c".to_owned()]));
    assert_eq!(fe2.groups, ["europe"]);
    assert!(fe2.address.as_ref().unwrap().uri.ends_with("fe2.json"));
    assert!(gone.address.as_ref().unwrap_err().contains("contains no snapshot of this machine"));
    let address = image.address.as_ref().unwrap();
    // Windows puts `\\?\` before a path with links resolved, which no address has.
    let plain = |path: &Path| path.display().to_string().trim_start_matches(r"\\?\").to_owned();
    let real = std::fs::canonicalize(folder.path()).unwrap();
    assert_eq!(address.uri, format!("image:{}", plain(&real.join("old"))));
    assert_eq!(plain(&address.drives[&'D']), plain(&real.join("data")));
    assert_eq!(members.each.iter().map(|m| members.wave(m)).collect::<Vec<_>>(), [1, 2, 3, 3, 3].map(Some));
    assert!(new.groups.is_empty());
}

#[test]
fn a_machine_with_a_target_and_a_snapshot_of_its_name_are_told_apart() {
    let folder = Folder::new();
    folder.machine("FE1", json!({}));
    folder.machine("FE2", json!({}));
    let text = "kbfix_fleet: 1\nmachines:\n  fe1: { target: 'image:old' }\n  FE2: {}\n";
    let file = FleetFile::read("fleet.yaml", text.as_bytes(), folder.path()).unwrap();
    let found = kbfix::fleet::snapshots(folder.path()).unwrap().0;
    let members = file.with_snapshots(Some((folder.path(), found)));
    let uri = |at: usize| members.each[at].address.as_ref().unwrap().uri.clone();
    let names: Vec<_> = members.each.iter().map(|member| &*member.name).collect();
    assert_eq!(names, ["fe1", "FE1.json", "FE2"]);
    assert!(uri(0).starts_with("image:") && uri(1).ends_with("FE1.json"), "{} {}", uri(0), uri(1));
}

#[test]
fn every_fault_has_its_place() {
    for (text, code, line) in [
        ("kbfix_fleet: 2\nmachines: { A: { target: local } }\n", "unknown-word", 1),
        ("kbfix_fleet: 1\nmachines: {}\n", "empty", 2),
        ("kbfix_fleet: 1\nmachines:\n  A: { tarjet: local }\n", "unknown-field", 3),
        ("kbfix_fleet: 1\nmachines:\n  A: { target: nowhere }\n", "fleet-machine", 3),
        ("kbfix_fleet: 1\nmachines:\n  A:\n    target: 'snapshot:a.json'\n    files: x\n", "fleet-machine", 5),
        ("kbfix_fleet: 1\nmachines:\n  A: { target: local }\n  a: { target: local }\n", "fleet-machine", 4),
        ("kbfix_fleet: 1\nmachines:\n  A: { target: local }\n  A: { target: local }\n", "duplicate-field", 4),
        (
            "kbfix_fleet: 1\nmachines:\n  A: { target: local, groups: [canary] }\nwaves:\n  - [canry]\n",
            "fleet-group",
            5,
        ),
        ("kbfix_fleet: 1\nmachines:\n  A: { target: 'hive:x=HKLM\\SYSTEM', drives: { DD: x } }\n", "fleet-machine", 3),
        (
            "kbfix_fleet: 1\nmachines:\n  A: { target: 'hive:x=HKLM\\SYSTEM', drives: { D: x, d: y } }\n",
            "fleet-machine",
            3,
        ),
        ("kbfix_fleet: 1\nmachines:\n  A:\n    files: x\n", "fleet-machine", 4),
        ("kbfix_fleet: 1\nmachines:\n  A:\n    groups: [g]\n    drives: { D: x }\n", "fleet-machine", 5),
        ("kbfix_fleet: 1\nmachines:\n  A:\n    code_page: 1252\n", "fleet-machine", 4),
        ("kbfix_fleet: 1\nmachines:\n  A:\n    target: reg:a.reg\n    code_page: 1259\n", "fleet-machine", 5),
        ("kbfix_fleet: 1\nmachines:\n  A:\n    allow_dirty: true\n", "fleet-machine", 4),
        ("kbfix_fleet: 1\nmachines: [\n", "yaml-syntax", 2),
    ] {
        let found = wrong(text);
        let codes: Vec<_> = found.iter().map(|one| (one.code.as_str(), one.place.as_ref().unwrap().line)).collect();
        assert!(codes.iter().any(|(found, _)| *found == code), "{text}\n{found:#?}");
        assert!(codes.contains(&(code, line)) || code == "yaml-syntax", "{text}\n{found:#?}");
    }
    for (text, hint) in
        [("machines: {}", "write data after `machines:`; this field is required"), ("machines:", "write a mapping")]
    {
        let found = wrong(&format!("kbfix_fleet: 1\n{text}\n"));
        assert_eq!(found[0].hint.as_ref().unwrap().to_string(), hint);
    }
    // The same bits would be a hint for registry data only.
    let found = wrong("kbfix_fleet: 1\nmachines: { A: { target: 'reg:a', code_page: -1 } }\n");
    assert_eq!(found[0].hint, None, "{found:#?}");
    let found = wrong("machines: { A: { target: local } }\n");
    assert!(found[0].message.starts_with("a fleet file lacks the field"), "{found:#?}");
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let uri = |target: &str| {
        let text = format!("kbfix_fleet: 1\nmachines: {{ A: {{ target: '{target}' }} }}\n");
        let file = FleetFile::read("fleet.yaml", text.as_bytes(), Path::new("/fleet")).unwrap();
        file.with_snapshots(None).each[0].address.as_ref().unwrap().uri.replace('\\', "/")
    };
    for kind in ["image:", "reg:", "snapshot:"] {
        assert_eq!(uri(&format!("{kind}a/b")), format!("{kind}/fleet/a/b"));
    }
    assert_eq!(uri(r"hive:a/b=HKLM\SYSTEM"), r"hive:/fleet/a/b=HKLM/SYSTEM");
    assert_eq!(uri("pol:a/b"), "pol:/fleet/a/b=HKLM");
    assert_eq!(uri("pol:a/b=HKCU"), "pol:/fleet/a/b=HKCU");
    assert_eq!(uri("smb://host"), "smb://host");
}
