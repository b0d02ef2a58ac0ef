//! Measures the diff of KB909094 on an image with a real SYSTEM hive, compared with hivexsh: `cargo bench --bench
//! image`.
//!
//! Needs ../shared/hives/regipy-SYSTEM.xz (Windows 7, 11.8 MB) and xz; for the comparison hivexsh (Debian:
//! libhivex-bin). Each figure is for whole processes from their start, with the files in the page cache: the shortest
//! time and the median of many runs. hivexsh only does the look-ups of the diff in the same two hives: it reads no file
//! version and makes no plan. This is a measurement and not a test: it does not fail because something is slow.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to recover for")]

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use kbfix::example;

const RUNS: usize = 40;

fn main() {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/hives/regipy-SYSTEM.xz");
    let unpacked = Command::new("xz").arg("-dc").arg(&packed).output();
    let Some(system) = unpacked.ok().filter(|out| out.status.success()).map(|out| out.stdout) else {
        println!("SKIPPED: {} cannot be unpacked", packed.display());
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("volume");
    example::make(&root).unwrap();
    let config = root.join("Windows/System32/config");
    let kbfix = |arguments: &[&str], target: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        command.args(arguments);
        if !target.is_empty() {
            command.args(["--target", target, "--state-dir"]).arg(folder.path().join("state"));
        }
        command
    };
    let diff = |target: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        command.args(["diff", "KB909094", "--target", target]);
        command
    };
    let image = format!("image:{}", root.display());

    println!("{:44} {:>10} {:>10}", "whole processes, ms", "least", "median");
    report("kbfix --version", || run(&mut kbfix(&["--version"], ""), 0));
    report("kbfix validate KB909094", || run(&mut kbfix(&["validate", "KB909094"], ""), 0));
    report("kbfix diff, image with small hives", || run(&mut diff(&image), 1));
    fs::write(config.join("SYSTEM"), &system).unwrap();
    report("kbfix diff, image with SYSTEM of 11.8 MB", || run(&mut diff(&image), 1));
    let one = format!(r"hive:{}=HKLM\SYSTEM", config.join("SYSTEM").display());
    report("kbfix diff, hive: of 11.8 MB", || run(&mut diff(&one), 4));
    report("hivexsh, the same look-ups", || hivexsh(&config));
    report("apply and rollback on that image", || {
        run(&mut kbfix(&["apply", "KB909094"], &image), 0)?;
        run(&mut kbfix(&["rollback", "--last"], &image), 0)
    });
}

/// Looks up with hivexsh the keys and values that are needed for KB909094 and for the name of the machine.
fn hivexsh(config: &Path) -> Option<()> {
    let software = r"cd \Microsoft\Exchange\Setup
lsval Services
lsval Services Version
lsval ServicePackNumber
cd \Microsoft\Windows NT\CurrentVersion
lsval SystemRoot
";
    let system = r"cd \Select
lsval Current
cd \ControlSet001\Control\ComputerName\ComputerName
lsval ComputerName
cd \ControlSet001\Control\Session Manager\Environment
lsval PROCESSOR_ARCHITECTURE
cd \ControlSet001\services
ls
";
    for (hive, script) in [("SOFTWARE", software), ("SYSTEM", system)] {
        let mut child = Command::new("hivexsh")
            .arg(config.join(hive))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        child.stdin.take()?.write_all(script.as_bytes()).ok()?;
        child.wait().ok()?;
    }
    Some(())
}

fn run(command: &mut Command, code: i32) -> Option<()> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    if output.status.code() != Some(code) {
        println!("{}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(())
}

fn report(what: &str, mut action: impl FnMut() -> Option<()>) {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        if action().is_none() {
            println!("{what:44} SKIPPED: it is not installed, or failed");
            return;
        }
        times.push(started.elapsed());
    }
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{what:44} {:>10.1} {:>10.1}", ms(times[0]), ms(times[times.len() / 2]));
}
