//! Tests pending restarts: in every format of the report, in old and new snapshots, and in a fleet.

use kbfix::{
    plan::{Plan, file::digest},
    registry::Data,
};
use serde_json::{Value, json};

use crate::harness::Machine;

const SESSION_MANAGER: &str = r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager]";
const CBS: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending";
const UPDATE: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired";

/// Adds a key with one value to the export.
fn add(machine: &Machine, key: &str, value: &str) {
    let text = machine.export();
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    machine.set_export(&format!("{text}{newline}{key}{newline}{value}{newline}"));
}

/// Returns the server with the old exprox.dll. The next start of Windows replaces that file by one with this version.
fn waiting(version: [u16; 4]) -> Machine {
    let machine = Machine::new();
    machine.set_dll(version);
    let bin = machine.path("C/Program Files/Exchsrvr/bin");
    std::fs::rename(bin.join("exprox.dll"), bin.join("SET42.tmp")).unwrap();
    machine.set_dll([6, 5, 7638, 1]);
    let moves = [r"\??\C:\Program Files\Exchsrvr\bin\SET42.tmp", r"!\??\C:\Program Files\Exchsrvr\bin\exprox.dll"];
    let bytes: Vec<_> = Data::multi_sz(moves).bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    add(&machine, SESSION_MANAGER, &format!("\"PendingFileRenameOperations\"=hex(7):{}", bytes.join(",")));
    machine
}

#[test]
fn a_hotfix_that_waits_for_the_next_start_is_not_too_old() {
    let machine = waiting([6, 5, 7651, 19]);
    let replaced = r"C:\Program Files\Exchsrvr\bin\exprox.dll: the next start replaces this file with C:\Program Files\Exchsrvr\bin\SET42.tmp, which is 6.5.7651.19 (x86)";
    let human = machine.run("diff KB909094 @target").code(4).says("KB909094: pending restart").says(replaced);
    human.says("this machine is already waiting for a restart: the restart replaces C:");
    for format in ["markdown", "html"] {
        machine
            .run(&format!("diff KB909094 @target --format {format}"))
            .code(4)
            .says("pending restart")
            .says("the next start replaces this file")
            .says("this machine is already waiting for a restart");
    }
    let before = machine.export();
    machine.run("apply KB909094 @target @state").code(4).says("nothing was changed");
    assert_eq!((machine.export(), machine.journals()), (before, Vec::new()));

    let report = machine.run("diff KB909094 @target --format json").code(4).json();
    let spec = &report["specs"][0];
    let found = (&report["outcome"], &spec["outcome"], &report["restart"]["computer"], &spec["sentence"]);
    assert_eq!(
        found,
        (&json!("pending_restart"), &json!("pending_restart"), &json!("required"), &json!("pending restart"))
    );
    let wanted = json!({
        "signs": [],
        "replaced": [{
            "path": r"C:\Program Files\Exchsrvr\bin\exprox.dll",
            "from": r"C:\Program Files\Exchsrvr\bin\SET42.tmp",
            "found": "6.5.7651.19 (x86)",
            "result": "met",
        }],
    });
    assert_eq!((&report["pending_restart"], &spec["pending_restart"]), (&wanted, &wanted));

    // If the new file is too old as well, the spec is blocked, and the message names both versions.
    let machine = waiting([6, 5, 7640, 0]);
    let report = machine.run("diff KB909094 @target --format json").code(4).json();
    assert_eq!((&report["outcome"], &report["restart"]["computer"]), (&json!("blocked"), &json!("never")));
    machine
        .run("diff KB909094 @target")
        .code(4)
        .says("found 6.5.7638.1")
        .says("is not sufficient either: 6.5.7640.0 (x86)");
}

#[test]
fn what_windows_waits_to_be_restarted_for_is_noted() {
    let machine = Machine::new();
    for key in [CBS, UPDATE] {
        add(&machine, &format!("[{}]", key.replace("HKLM", "HKEY_LOCAL_MACHINE")), "");
    }
    let note = format!("this machine is already waiting for a restart: {CBS} exists; {UPDATE} exists");
    machine.run("diff KB909094 @target").code(1).says(&note);
    machine
        .run("diff KB909094 @target --format markdown")
        .code(1)
        .says("this machine is already waiting for a restart");
    machine.run("apply KB909094 @target @state").code(0).says(&note).says("done, and read back");
    // A spec that asks for a restart reports the pending one, and a spec without a hotfix and a restart does not.
    let spec = |restart: &str| {
        format!(
            "kbfix: 1\nid: A\ntitle: T\nrestart: {{ computer: {restart} }}\nregistry:\n  - key: HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\n    \
             values: {{ v: {{ type: REG_DWORD, data: 1 }} }}\n"
        )
    };
    machine.write("a.yaml", &spec("required"));
    let asks = machine.run("diff @/a.yaml @target").code(1).says(&note);
    asks.says("the computer must be restarted; it is already waiting for a restart");
    machine.write("a.yaml", &spec("never"));
    let report = machine.run("diff @/a.yaml @target --format json").code(1).json();
    assert_eq!(report.get("pending_restart"), None);
}

/// Writes a snapshot as kbfix wrote it before it read pending restarts.
fn old_snapshot(machine: &Machine) {
    machine.run("snapshot KB909094 @target --out @/s.json").code(0);
    let mut snapshot: Value = serde_json::from_str(&machine.read("s.json")).unwrap();
    let before = snapshot["facts"]["keys"].as_array().unwrap().len();
    let is_new = |key: &Value| {
        ["Session Manager", "RebootPending", "RebootRequired"]
            .iter()
            .any(|name| key["key"].as_str().unwrap().ends_with(name))
    };
    snapshot["facts"]["keys"].as_array_mut().unwrap().retain(|key| !is_new(key));
    assert!(snapshot["facts"]["keys"].as_array().unwrap().len() < before);
    machine.write("s.json", &snapshot.to_string());
}

#[test]
fn an_old_snapshot_does_not_say_that_no_restart_is_pending() {
    let machine = Machine::new();
    old_snapshot(&machine);
    let report = machine.run("diff KB909094 --target snapshot:@/s.json --format json").code(1).json();
    let pending = &report["pending_restart"];
    assert_eq!((&pending["signs"], pending["unread"].as_array().unwrap().len()), (&json!([]), 2), "{pending}");
    let human = machine.run("diff KB909094 --target snapshot:@/s.json").code(1);
    assert!(!human.stdout.contains("RebootPending"), "it matters to nothing here: {}", human.stdout);

    let machine = waiting([6, 5, 7651, 19]);
    old_snapshot(&machine);
    machine
        .run("diff KB909094 --target snapshot:@/s.json")
        .code(4)
        .says("KB909094: blocked")
        .says("not read      it is not known whether the machine is waiting for a restart");
}

#[test]
fn a_fleet_counts_the_machines_that_wait_for_a_restart() {
    let machine = waiting([6, 5, 7651, 19]);
    std::fs::create_dir(machine.path("fleet")).unwrap();
    machine.run("snapshot KB909094 @target --out @/fleet/FE1.json").code(0);
    machine.set_dll([6, 5, 7651, 19]);
    machine.run("snapshot KB909094 @target --out @/fleet/FE2.json").code(0);
    let run = |format: &str| machine.run(&format!("fleet diff KB909094 --snapshots @/fleet --format {format}")).code(4);
    run("human").says("pending restart").says("the next start replaces this file");
    let report = run("json").json();
    assert_eq!(report["counts"]["outcomes"], json!({ "changes_pending": 1, "pending_restart": 1 }));
    for format in ["csv", "markdown", "html", "junit", "sarif"] {
        run(format).says("the next start replaces this file");
    }
}

#[test]
fn a_fleet_notes_the_signs_of_a_restart_beside_the_outcome() {
    let machine = Machine::new();
    std::fs::create_dir(machine.path("fleet")).unwrap();
    machine.run("snapshot KB909094 @target --out @/fleet/FE1.json").code(0);
    for (name, sign) in [("FE2", CBS), ("FE3", UPDATE)] {
        machine.set_export(crate::harness::EXPORT);
        add(&machine, &format!("[{}]", sign.replace("HKLM", "HKEY_LOCAL_MACHINE")), "");
        machine.run(&format!("snapshot KB909094 @target --out @/fleet/{name}.json")).code(0);
    }
    let run = |format: &str| machine.run(&format!("fleet diff KB909094 --snapshots @/fleet --format {format}")).code(1);
    for format in ["human", "csv", "markdown", "html", "junit", "sarif"] {
        let told = run(format).says("RebootPending exists").says("RebootRequired exists").stdout;
        assert_eq!(
            told.matches("pending-restart: this machine is already waiting for a restart: HKLM").count(),
            2,
            "{told}"
        );
    }
    let report = run("json").json();
    assert_eq!(report["counts"]["notes"], json!({ "pending-restart": 2 }));
    assert_eq!(report["counts"]["outcomes"], json!({ "changes_pending": 3 }));
    assert_eq!(report["cases"].as_array().unwrap().len(), 3);
}

#[test]
fn a_plan_that_says_else_than_its_facts_is_refused() {
    let machine = waiting([6, 5, 7651, 19]);
    machine.run("diff KB909094 @target --out @/plan.json").code(4);
    let plan: Value = serde_json::from_str(&machine.read("plan.json")).unwrap();
    let read = |alter: &dyn Fn(&mut Value)| {
        let mut plan = plan.clone();
        alter(&mut plan["specs"][0]);
        plan.as_object_mut().unwrap().remove("digest");
        plan["digest"] = digest(&plan).into();
        Plan::from_text(&plan.to_string(), None).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(read(&|_| ()), Ok(()));
    let replaced = |name: &'static str, data: &'static str| {
        move |spec: &mut Value| spec["pending_restart"]["replaced"][0][name] = data.into()
    };
    for (alter, word) in [
        (&(|spec: &mut Value| spec["pending_restart"]["signs"] = json!([CBS])) as &dyn Fn(&mut Value), "signs"),
        (&replaced("from", r"C:\other.tmp"), "the next start replaces"),
        (&replaced("found", "7.0.0.0 (x86)"), "the next start replaces"),
        (&replaced("result", "unmet"), "its checks lead to another"),
        (
            &(|spec: &mut Value| drop(spec.as_object_mut().unwrap().remove("pending_restart"))),
            "its checks lead to another",
        ),
        (&(|spec: &mut Value| spec["outcome"] = "in_desired_state".into()), "its checks lead to another"),
    ] {
        let why = read(alter).unwrap_err();
        assert!(why.contains(word), "{why}");
    }
}
