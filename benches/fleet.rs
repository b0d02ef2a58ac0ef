//! `kbfix fleet diff` as a process: `cargo bench --bench fleet`.
//!
//! 100, 1,000 and 10,000 snapshots with all specs of the library. The snapshots are of the example machine, each with a name and a
//! MachineGuid of its own, one in ten with an older file. Beside it, what there is without it: one process for each machine
//! (`kbfix diff --format json`, on both cores by xargs), and `jq` over the reports of each machine, which is then needed to count.
//! Those are measured on 100 machines, and their ratio to the fleet is that of a machine.
//!
//! Time is the least of a few runs, memory the largest that /usr/bin/time saw. Nothing here fails by being slow.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to recover for")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use kbfix::registry::Data;
use serde_json::Value;

const RUNS: usize = 3;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    // The parameters that the library needs and has no default for stay open; a snapshot does not need them.
    let ids: Vec<String> = kbfix::spec::library::ids().map(str::to_owned).collect();
    run(Command::new(KBFIX).args(["example", &at("example")]));
    let target = format!("image:{}", at("example"));
    run(Command::new(KBFIX).arg("snapshot").args(&ids).args(["--target", &target, "--out", &at("base.json")]));
    let base: Value = serde_json::from_str(&fs::read_to_string(at("base.json")).unwrap()).unwrap();
    println!("{} specs, a snapshot has {} bytes", ids.len(), fs::metadata(at("base.json")).unwrap().len());
    println!("{:54} {:>10} {:>12} {:>10}", "", "time", "a machine", "memory");
    let mut each = Duration::ZERO;
    for machines in [100, 1_000, 10_000] {
        let snapshots = at(&machines.to_string());
        make(&base, Path::new(&snapshots), machines);
        for format in ["json", "html"] {
            let fleet = || {
                let mut command = Command::new(KBFIX);
                command.args(["fleet", "diff"]).args(&ids).args(["--snapshots", &snapshots, "--format", format]);
                command
            };
            each = report(&format!("fleet diff --format {format}, {machines} machines"), fleet, machines);
        }
    }
    let reports = at("reports");
    fs::create_dir(&reports).unwrap();
    let script = format!(
        "ls {} | xargs -P 2 -I @ sh -c '{KBFIX} diff {} --target snapshot:{}/@ --format json > {reports}/@ 2>/dev/null || :'",
        at("100"),
        ids.join(" "),
        at("100"),
    );
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    };
    let alone = report("one process for each of 100 machines, 2 at a time", || shell(&script), 100);
    let count = format!("jq -r '.specs[] | [.id, .outcome] | @tsv' {reports}/*.json | sort | uniq -c");
    let jq = report("jq over the 100 reports, sort, uniq", || shell(&count), 100);
    println!(
        "one process for each machine and jq: {:.1} times the time of the fleet",
        (alone + jq).as_secs_f64() / each.as_secs_f64()
    );
}

const KBFIX: &str = env!("CARGO_BIN_EXE_kbfix");

/// Makes the snapshots of so many machines.
fn make(base: &Value, folder: &Path, machines: usize) {
    fs::create_dir(folder).unwrap();
    for machine in 0..machines {
        let mut snapshot = base.clone();
        for entry in snapshot["facts"]["keys"].as_array_mut().unwrap() {
            let key = entry["key"].as_str().unwrap_or_default().to_owned();
            let Some(values) = entry["found"].pointer_mut("/present/values") else { continue };
            for (end, name, data) in [
                (r"\Cryptography", "MachineGuid", format!("00000000-0000-4000-8000-{machine:012}")),
                (r"\ComputerName\ComputerName", "ComputerName", format!("FE{machine:05}")),
            ] {
                if key.ends_with(end) {
                    values[name] = serde_json::json!({ "present": Data::sz(&data) });
                }
            }
        }
        if machine % 10 == 9 {
            let file = &mut snapshot["facts"]["files"][0]["found"]["present"]["version"];
            *file = serde_json::json!({ "present": "6.5.7651.1" });
        }
        let text = serde_json::to_string_pretty(&snapshot).unwrap();
        fs::write(folder.join(format!("FE{machine:05}.json")), text).unwrap();
    }
}

fn run(command: &mut Command) {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
}

/// Runs it several times, and prints the least time, that for a machine, and the most memory; returns that for a machine.
fn report(what: &str, command: impl Fn() -> Command, machines: usize) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        run(&mut command());
        best = best.min(start.elapsed());
    }
    let each = best / u32::try_from(machines).unwrap();
    println!(
        "{what:54} {:>8.2} s {:>9.2} ms {:>10}",
        best.as_secs_f64(),
        each.as_secs_f64() * 1000.0,
        memory(&command())
    );
    each
}

/// The most memory that the process had resident, as GNU time tells.
fn memory(command: &Command) -> String {
    let timed = Command::new("/usr/bin/time")
        .args(["-f", "%M"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdout(Stdio::null())
        .output();
    let text = timed.map(|output| String::from_utf8_lossy(&output.stderr).trim().to_owned()).unwrap_or_default();
    match text.lines().last().and_then(|line| line.parse::<f64>().ok()) {
        Some(kilobytes) => format!("{:.1} MB", kilobytes / 1024.0),
        None => "-".to_owned(),
    }
}
