//! The measurements.

use std::{
    fmt::Write as _,
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use crate::machine::{command, front_end};
use crate::server::{Server, Speaks};

const RUNS: usize = 5;
const VALUES: usize = 1_000;

pub(super) fn run() {
    let Some(server) = front_end(Speaks::Smb3) else { return };
    let Some(old) = front_end(Speaks::Smb1) else { return };
    // 1,000 values in one key, and 10 in each of 100.
    for (spec, keys) in [("one", 1), ("many", 100)] {
        fs::write(server.path(&format!("{spec}.yaml")), make(&server, spec, keys)).unwrap();
    }
    println!("{:52} {:>10}", "", "time");
    report("kbfix --version", || kbfix(&server, "--version", 0));
    report("KB909094, diff, SMB 3", || kbfix(&server, "diff KB909094 --target @target", 1));
    report("KB909094, diff, SMB 1", || kbfix(&old, "diff KB909094 --target @target", 1));
    report("1,000 values of one key, none differing, diff", || kbfix(&server, "diff @/one.yaml --target @target", 0));
    report("1,000 values of 100 keys, none differing, diff", || kbfix(&server, "diff @/many.yaml --target @target", 0));
    let key = r"HKLM\SOFTWARE\Bench\one 0";
    report("the same key by net rpc registry export", || assert!(server.export(key).is_some()));
    once("1,000 values of one key by net rpc registry getvalue", || {
        for n in 0..VALUES {
            let said = server.net(&["getvalue", key, &format!("value {n}")]).output().unwrap();
            assert!(said.status.success());
        }
    });
    let changed = fs::read_to_string(server.path("one.yaml")).unwrap().replace("data: ", "data: 7");
    fs::write(server.path("changed.yaml"), changed).unwrap();
    once("1,000 values of one key, all differing, apply", || {
        kbfix(&server, "apply @/changed.yaml --target @target", 0)
    });
    once("the rollback", || kbfix(&server, "rollback --last", 0));
    once("100 values of one key by net rpc registry setvalue", || {
        for n in 0..VALUES / 10 {
            let said = server.net(&["setvalue", key, &format!("value {n}"), "dword", "7"]).output().unwrap();
            assert!(said.status.success());
        }
    });
}

/// Writes the values into the server's registry, and returns a spec that wants exactly these values.
fn make(server: &Server, name: &str, keys: usize) -> String {
    let mut export = "Windows Registry Editor Version 5.00\r\n".to_owned();
    let mut spec = "kbfix: 1\nid: BENCH\ntitle: bench\nregistry:\n".to_owned();
    for k in 0..keys {
        let _ = write!(export, "\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Bench\\{name} {k}]\r\n");
        let _ = write!(spec, "  - key: HKLM\\SOFTWARE\\Bench\\{name} {k}\n    values:\n");
        for v in 0..VALUES / keys {
            let _ = write!(export, "\"value {v}\"=dword:{v:08x}\r\n");
            let _ = writeln!(spec, "      value {v}: {{ type: REG_DWORD, data: {v} }}");
        }
    }
    server.import(&export);
    spec
}

fn kbfix(server: &Server, line: &str, code: i32) {
    let status = command(server, line).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(code), "{line}");
}

fn report(what: &str, run: impl Fn()) {
    let best = (0..RUNS).map(|_| timed(&run)).min().unwrap_or_default();
    println!("{what:52} {:>8.1}ms", best.as_secs_f64() * 1000.0);
}

fn once(what: &str, run: impl Fn()) {
    println!("{what:52} {:>8.1}ms", timed(&run).as_secs_f64() * 1000.0);
}

fn timed(run: &impl Fn()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
