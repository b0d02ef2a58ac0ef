//! Tests `kbfix fleet` as a process: its options, streams and exit codes. tests/engine/fleet tests what the commands
//! do.

use std::fs;

use crate::harness::Machine;

/// Returns a machine with a folder `fleet`, which contains two snapshots of the example server, one of them with an
/// older exprox.dll, and a damaged file.
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
    assert!(run.stdout.starts_with("2 machines (blocked: 1, changes pending: 1)\n"), "{}", run.stdout);
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
fn what_is_no_snapshot_is_named_with_the_reason() {
    let machine = two();
    fs::create_dir(machine.path("fleet/old.json")).unwrap();
    machine.write("fleet/.FE3.json", "");
    machine.write("fleet/README.md", "");
    let all = "not read, because it is a folder, a hidden file or not a .json file: .FE3.json, README.md, old.json";
    let line = "fleet diff KB909094 --snapshots @/fleet";
    machine.run(line).code(1).says(all);
    machine.run(&format!("{line} --format html")).code(1).says(all);
    machine.run("fleet impact KB909094 --base KB909094 --snapshots @/fleet").code(0).says(all);
    machine.run("fleet drift @/fleet @/fleet KB909094").code(0).says(all);
}

#[test]
fn a_comparison_counts_what_was_read_and_warns_of_a_machine_that_is_in_the_fleet_twice() {
    let machine = fleet();
    machine.write("fleet/broken.json", "");
    for line in ["fleet impact KB909094 --base KB909094 --snapshots @/fleet", "fleet drift @/fleet @/fleet KB909094"] {
        let run = machine.run(line).code(3).says("warning[fleet-same-machine]: 2 machines have the same MachineGuid");
        assert!(run.stdout.starts_with("2 machines compared: 0 different, 1 unreadable\n"), "{}", run.stdout);
        let report = machine.run(&format!("{line} --format json")).code(3).json();
        assert_eq!(report["diagnostics"][0]["code"], "fleet-same-machine");
    }
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

/// Returns a machine with a fleet of two servers that have different identities. `machine.reg` is the first server.
fn two() -> Machine {
    let machine = Machine::new();
    fs::create_dir(machine.path("fleet")).unwrap();
    let own = machine.export();
    machine.run("snapshot KB909094 @target --out @/fleet/FE1.json").code(0);
    machine.edit(&[
        ("FRONTEND1", "FRONTEND2"),
        ("6f2a8c54-90d1-4a7e-9b35-0909094e2003", "11111111-90d1-4a7e-9b35-0909094e2003"),
    ]);
    machine.run("snapshot KB909094 @target --out @/fleet/FE2.json").code(0);
    machine.set_export(&own);
    machine
}

#[test]
fn a_fleet_is_approved_once_and_applied_machine_by_machine() {
    let machine = two();
    machine.run("fleet plan KB909094 --snapshots @/fleet --out @/fleet/FE3.json").code(1).says("fleet plan [DIGEST]");
    fs::rename(machine.path("fleet/FE3.json"), machine.path("fleet.plan")).unwrap();
    let head = machine.read("fleet.plan");
    let head: serde_json::Value = serde_json::from_str(head.lines().next().unwrap()).unwrap();
    jsonschema::validate(&machine.run("schema fleet-plan").json(), &head).unwrap_or_else(|e| panic!("{e}"));
    let digest = head["digest"].as_str().unwrap();
    let report =
        machine.run(&format!("diff --plan @/fleet.plan --digest {digest} @target --format json")).code(1).json();
    assert_eq!(report["machine"]["computer_name"], "FRONTEND1");
    let apply = format!("apply --plan @/fleet.plan --digest {digest} @target @state");
    machine.run(&apply).code(0).says("done, and read back");
    machine.run(&apply).code(0).says("already applied");
    assert!(machine.export().contains("DisableRealmHint"));
    machine.run("apply --plan @/fleet.plan --digest sha256:00 @target @state").code(2).says("plan-digest");
    // Standard input can be read only once.
    let text = machine.read("fleet.plan");
    machine.run_with("apply --plan - @target @state", &text).code(0);
    machine.write("fleet.plan", &text.replacen("FE2", "FE3", 1));
    machine.run("apply --plan @/fleet.plan @target @state").code(2).says("plan-altered");
}

#[test]
fn a_machine_outside_of_the_fleet_plan_is_refused() {
    let machine = two();
    fs::remove_file(machine.path("fleet/FE1.json")).unwrap();
    machine.run("fleet plan KB909094 --snapshots @/fleet --out @/fleet.plan").code(1);
    machine.run("apply --plan @/fleet.plan @target @state").code(2).says("fleet-plan-missing");
    assert!(machine.journals().is_empty());
    machine.run("snapshot KB909094 @target --out @/fleet/A.json").code(0);
    machine.run("snapshot KB909094 @target --out @/fleet/B.json").code(0);
    machine.run("fleet plan KB909094 --snapshots @/fleet --out @/fleet.plan").code(1).says("fleet-same-machine");
    machine.run("apply --plan @/fleet.plan @target @state").code(2).says("fleet-plan-twice");
    machine.run("fleet plan KB909094 --snapshots @/fleet --out @/fleet/A.json").code(2).says("out-is-input");
}

#[test]
fn what_a_change_to_specs_means_and_what_moved() {
    let machine = two();
    let spec = kbfix::spec::library::find("KB909094").unwrap();
    for folder in ["base", "head", "later"] {
        fs::create_dir(machine.path(folder)).unwrap();
    }
    fs::write(machine.path("base/kb.yaml"), spec).unwrap();
    let stricter = String::from_utf8(spec.to_vec()).unwrap().replace("6.5.7651.19", "6.5.7651.20");
    machine.write("head/kb.yaml", &stricter);
    let line = "fleet impact @/head --base @/base --snapshots @/fleet";
    machine.run(line).code(4).says("2 machines compared: 2 different").says("specs that were changed: KB909094");
    machine.run("fleet impact @/base --base @/base --snapshots @/fleet").code(0);
    let run = machine.run(&format!("{line} --format json")).code(4);
    let schema = machine.run("schema fleet-comparison").json();
    jsonschema::validate(&schema, &run.json()).unwrap_or_else(|e| panic!("{e}"));
    machine.run(&format!("{line} --format markdown")).code(4).says("<!-- kbfix fleet impact -->");
    machine.set_dll([6, 5, 7651, 61]);
    machine.run("snapshot KB909094 @target --out @/later/FE1.json").code(0);
    let run = machine.run("fleet drift @/fleet @/later KB909094").code(1);
    let run = run.says("file version 6.5.7651.19").says("file version 6.5.7651.61").says("gone: FE2");
    assert!(run.stdout.starts_with("1 machine compared: 1 different, 1 gone"), "{}", run.stdout);
    machine.run("fleet drift @/fleet @/fleet KB909094").code(0);
    machine.run("fleet drift @/fleet @/nowhere KB909094 --format json").code(2).says("file-access");
    // Without SPEC, the built-in specs are used, whatever the current folder contains.
    fs::create_dir_all(machine.path("here/KB909094")).unwrap();
    let here = machine.path("here");
    let output = machine.command("fleet drift @/fleet @/fleet").current_dir(here).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn what_is_waived_is_done_until_the_waiver_expires() {
    let machine = two();
    let waivers = |expires: &str| {
        let text =
            format!("  - {{ spec: KB909094, machines: [FE1, fe2], reason: test, by: Ada, expires: {expires} }}\n");
        machine.write("waivers.yaml", &format!("kbfix_waivers: 1\nwaivers:\n{text}"));
    };
    let line = "fleet diff KB909094 --snapshots @/fleet --waivers @/waivers.yaml";
    waivers("2999-12-31");
    machine.run(line).code(0).says("2 machines (waived: 2)").says("waived until 2999-12-31 by Ada: test");
    let report = machine.run(&format!("{line} --format json")).code(0).json();
    jsonschema::validate(&machine.run("schema fleet-report").json(), &report).unwrap_or_else(|e| panic!("{e}"));
    waivers("2020-01-01");
    machine.run(line).code(2).says("waiver-expired").says("waivers.yaml:3");
}

#[cfg_attr(windows, ignore = "DuckDB is asked on Linux")]
#[test]
fn duckdb_reads_the_lines_as_the_document_shows() {
    let Some(python) = std::env::var_os("KBFIX_PYTHON").filter(|_| !cfg!(windows)) else {
        println!("SKIPPED: KBFIX_PYTHON is not set; tests/run sets it");
        return;
    };
    let machine = fleet();
    machine.write("fleet/broken.json", "");
    fs::create_dir(machine.path("lines")).unwrap();
    let lines = machine.run("fleet diff KB909094 KB216893 --snapshots @/fleet --format json --lines").code(4);
    machine.write("lines/a.jsonl", &lines.stdout);
    let document = include_str!("../../docs/how-to/beyond-one-controller.md");
    let queries: Vec<&str> = document.split("```sql\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    let ask =
        "import duckdb, sys\nfor query in sys.argv[1:]:\n    print(duckdb.sql(query.strip().rstrip(';')).fetchall())";
    let mut command = std::process::Command::new(python);
    let run = command.args(["-c", ask]).args(&queries).current_dir(machine.path("")).output().unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let (counts, unreadable) = said.split_once('\n').unwrap();
    let report = machine.run("fleet diff KB909094 KB216893 --snapshots @/fleet --format json").json();
    let mut wanted = Vec::new();
    for spec in report["specs"].as_array().unwrap() {
        for (outcome, count) in spec["outcomes"].as_object().unwrap() {
            wanted.push(format!("('{}', '{outcome}', {count})", spec["id"].as_str().unwrap()));
        }
    }
    wanted.sort();
    assert_eq!(counts, format!("[{}]", wanted.join(", ")));
    assert!(unreadable.starts_with("[('broken', '") && unreadable.matches("('").count() == 1, "{unreadable}");
}
