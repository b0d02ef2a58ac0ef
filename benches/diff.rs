//! Measures `kbfix diff` as a process, from its start to its end: `cargo bench --bench diff`.
//!
//! The work is KB909094 on a snapshot, and 10,000 values on a snapshot and on an export, once with other data in all
//! values and once in desired state. For comparison, Python's configparser reads the same export and compares each
//! value with a dictionary. It knows no types, prerequisites or exit codes, so its time is a lower bound for a script
//! in Python.
//!
//! The time is the shortest of several runs, and the memory is the largest that /usr/bin/time reports. The measurement
//! does not fail because something is slow.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to recover for")]

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const RUNS: usize = 7;
const VALUES: usize = 10_000;
const PEER: &str = r"
import configparser, json, sys
parser = configparser.RawConfigParser(strict=False, delimiters=('=',), comment_prefixes=(';',))
parser.optionxform = lambda name: name.strip('\x22').lower()
parser.read_string(open(sys.argv[1], encoding='utf-16').read().split('\n', 1)[1])
wanted = json.load(open(sys.argv[2]))
differs = 0
for key, values in wanted.items():
    found = parser[key] if parser.has_section(key) else {}
    differs += sum(found.get(name.lower()) != data for name, data in values.items())
print(differs)
";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    make_files(folder.path());

    let library = |args: &[&str]| kbfix(&[&["diff", "KB909094"], args].concat());
    kbfix(&["example", &at("example")]).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let (image, snapshot) = (format!("image:{}", at("example")), at("kb.json"));
    kbfix(&["snapshot", "KB909094", "--target", &image, "--out", &snapshot]).stderr(Stdio::null()).status().unwrap();

    println!("{:44} {:>10} {:>10}", "", "time", "memory");
    report("kbfix --version", || kbfix(&["--version"]), 0);
    report("KB909094, snapshot", || library(&["--target", &format!("snapshot:{snapshot}")]), 1);
    report("KB909094, example image", || library(&["--target", &image]), 1);
    for (what, export) in [("none differing", "same.reg"), ("all differing", "other.reg")] {
        let (target, code) = (format!("reg:{}", at(export)), i32::from(export == "other.reg"));
        let snapshot = at("values.json");
        let spec = at("spec.yaml");
        kbfix(&["snapshot", &spec, "--target", &target, "--out", &snapshot]).stderr(Stdio::null()).status().unwrap();
        report(&format!("{VALUES} values, {what}, export"), || kbfix(&["diff", &spec, "--target", &target]), code);
        let target = format!("snapshot:{snapshot}");
        report(&format!("{VALUES} values, {what}, snapshot"), || kbfix(&["diff", &spec, "--target", &target]), code);
        let peer = || {
            let mut python = Command::new("python3");
            python.args(["-c", PEER, &at(export), &at("wanted.json")]);
            python
        };
        report(&format!("{VALUES} values, {what}, export, Python"), peer, 0);
    }
    for times in [1, 2, 4] {
        let spec = at(&format!("spec{times}.yaml"));
        let target = format!("reg:{}", at("other.reg"));
        report(
            &format!("{} values of the same export", VALUES / 4 * times),
            || kbfix(&["diff", &spec, "--target", &target]),
            1,
        );
    }
}

fn kbfix(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
    command.args(arguments);
    command
}

/// Writes two exports of 100 keys with 100 values each, one in the desired state of a spec and one with other data, and
/// the spec, whole and in parts.
fn make_files(folder: &Path) {
    let (mut same, mut other, mut wanted) = (String::new(), String::new(), serde_json::Map::new());
    let mut parts = Vec::new();
    for k in 0..VALUES / 100 {
        let section = format!("\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Bench\\key {k}]\r\n");
        let mut rule = format!("  - key: HKLM\\SOFTWARE\\Bench\\key {k}\n    values:\n");
        same.push_str(&section);
        other.push_str(&section);
        let mut values = serde_json::Map::new();
        for v in 0..100 {
            let _ = write!(same, "\"value {v}\"=dword:{v:08x}\r\n");
            let _ = write!(other, "\"value {v}\"=dword:ffffffff\r\n");
            let _ = writeln!(rule, "      value {v}: {{ type: REG_DWORD, data: {v} }}");
            values.insert(format!("value {v}"), format!("dword:{v:08x}").into());
        }
        wanted.insert(section.trim().trim_matches(['[', ']']).to_owned(), values.into());
        parts.push(rule);
    }
    let head = "\u{FEFF}Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Bench]\r\n";
    for (file, text) in [("same.reg", same), ("other.reg", other)] {
        let bytes: Vec<u8> = format!("{head}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(folder.join(file), bytes).unwrap();
    }
    fs::write(folder.join("wanted.json"), serde_json::Value::from(wanted).to_string()).unwrap();
    let spec = |parts: &[String]| format!("kbfix: 1\nid: BENCH\ntitle: bench\nregistry:\n{}", parts.concat());
    fs::write(folder.join("spec.yaml"), spec(&parts)).unwrap();
    for times in [1, 2, 4] {
        fs::write(folder.join(format!("spec{times}.yaml")), spec(&parts[..parts.len() / 4 * times])).unwrap();
    }
}

/// Runs the command several times, and prints the shortest time and the largest memory.
fn report(what: &str, command: impl Fn() -> Command, code: i32) {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let mut command = command();
        let start = Instant::now();
        let status = match command.stdout(Stdio::null()).status() {
            Ok(status) => status,
            Err(why) => return println!("{what:44} SKIPPED: {why}"),
        };
        best = best.min(start.elapsed());
        assert_eq!(status.code(), Some(code), "{what}");
    }
    println!("{what:44} {:>8.1}ms {:>10}", best.as_secs_f64() * 1000.0, memory(&command()));
}

/// The maximum memory that the process had resident, as GNU time reports.
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
