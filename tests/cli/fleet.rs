//! `kbfix fleet` as a process: its options, streams and exit codes. What stands behind it is tested in the library.

use std::fs;

use crate::harness::Machine;

/// A folder `fleet` with two snapshots of the example server, one of them with an older exprox.dll, and one broken file.
fn fleet() -> Machine {
    let machine = Machine::new();
    fs::create_dir(machine.path("fleet")).unwrap();
    machine.run("snapshot KB909094 @target --out @/fleet/FE1.json").code(0);
    machine.set_dll([6, 5, 7651, 18]);
    machine.run("snapshot KB909094 @target --out @/fleet/FE2.snapshot.json").code(0);
    machine
}

#[test]
fn a_fleet_in_one_report() {
    let machine = fleet();
    let run = machine.run("fleet diff KB909094 --snapshots @/fleet").code(4);
    assert!(run.stdout.starts_with("2 machines: 1 blocked, 1 changes pending\n"), "{}", run.stdout);
    assert!(run.stdout.contains("found 6.5.7651.18 (x86), wanted 6.5.7651.19 or later (x86)"), "{}", run.stdout);
    assert!(run.stderr.contains("fleet-same-machine"), "{}", run.stderr);
    machine.write("fleet/broken.json", "");
    let report = machine.run("fleet diff KB909094 --snapshots @/fleet --format json").code(4).json();
    assert_eq!(report["counts"]["outcomes"]["unreadable"], 1);
    let lines = machine.run("fleet diff KB909094 --snapshots @/fleet --format json --lines").code(4);
    let names: Vec<_> =
        lines.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect();
    assert_eq!(names.iter().map(|line| line["name"].as_str().unwrap()).collect::<Vec<_>>(), ["broken", "FE1", "FE2"]);
}

#[test]
fn the_documents_have_the_form_of_their_schemas() {
    let machine = fleet();
    let schema = |name: &str| machine.run(&format!("schema {name}")).code(0).json();
    let report = machine.run("fleet diff KB909094 --snapshots @/fleet --format json").json();
    let error = machine.run("fleet diff KB909094 --snapshots @/nowhere --format json").code(2).json();
    for report in [&report, &error] {
        jsonschema::validate(&schema("fleet-report"), report).unwrap_or_else(|e| panic!("{e}"));
    }
    assert_eq!(error["diagnostics"][0]["code"], "file-access");
    let lines = machine.run("fleet diff KB909094 --snapshots @/fleet --format json --lines").stdout;
    for line in lines.lines() {
        let line = serde_json::from_str(line).unwrap();
        jsonschema::validate(&schema("fleet-machine"), &line).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn a_fleet_file_gives_parameters_and_groups() {
    let machine = fleet();
    machine.write(
        "fleet.yaml",
        "kbfix_fleet: 1\nmachines:\n  FE1: { groups: [canary], parameters: { realm_hint: 0 } }\n  FE3: {}\nwaves: [[canary]]\n",
    );
    let run = machine.run("fleet diff KB909094 --fleet @/fleet.yaml --snapshots @/fleet --format json").code(4);
    let report = run.json();
    let row = |name: &str| report["machines"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(row("FE1")["groups"], serde_json::json!(["canary"]));
    assert_eq!((&row("FE1")["wave"], &row("FE2")["wave"]), (&1.into(), &2.into()));
    assert_eq!(row("FE3")["outcome"], "unreadable");
    assert!(run.stdout.contains("dword:00000000"), "{}", run.stdout);
    machine.write("fleet.yaml", "kbfix_fleet: 1\nmachines:\n  FE1: { parameters: { realm_hnt: 0 } }\n");
    machine.run("fleet diff KB909094 --fleet @/fleet.yaml --snapshots @/fleet").code(2).says("unknown-setting");
}

#[test]
fn wrong_usage() {
    let machine = Machine::new();
    fs::create_dir(machine.path("empty")).unwrap();
    machine.run("fleet diff KB909094").code(2).says("--snapshots");
    machine.run("fleet diff KB909094 --snapshots @/empty").code(2).says("fleet-empty");
    machine.run("fleet diff --snapshots @/empty").code(2);
    machine.run("fleet diff KB909094 --snapshots @/empty --lines").code(2).says("--format json");
}
