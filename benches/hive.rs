//! Measures work on hive files, compared with hivexregedit and reged: `cargo bench --bench hive`.
//!
//! Needs ../shared/hives/regipy-SYSTEM.xz, xz, and for the comparison hivexregedit (Debian: libwin-hivex-perl) and
//! reged (chntpw); parts whose program is absent are skipped. Each figure is the shortest of several runs, from reading
//! the file to writing it. This is a measurement and not a test: it does not fail because something is slow.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to recover for")]

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use kbfix::{
    format::regf::{Filetime, Hive},
    registry::{Data, notation},
};

const RUNS: usize = 3;

fn main() {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/hives/regipy-SYSTEM.xz");
    let unpacked = Command::new("xz").arg("-dc").arg(&packed).output();
    let Some(bytes) = unpacked.ok().filter(|out| out.status.success()).map(|out| out.stdout) else {
        println!("SKIPPED: {} cannot be unpacked", packed.display());
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("SYSTEM");
    fs::write(&file, &bytes).unwrap();
    let out = folder.path().join("out");

    println!("{:28} {:>12} {:>12}", "SYSTEM, 11.8 MB", "time", "growth");
    report("export   kbfix", least(|| export(&file, &out)), None);
    report("export   reged", least(|| run(reged(&["-x"], &file).args(["ROOT", "\\"]).arg(&out))), None);
    let hivex = least(|| run(Command::new("hivexregedit").args(["--export", "--prefix", "ROOT"]).arg(&file).arg("\\")));
    report("export   hivexregedit", hivex, None);
    report("find     kbfix, one value", least(|| find(&file)), None);

    for count in [1000, 10_000] {
        let text = folder.path().join("merge.reg");
        fs::write(&text, merge_text(count)).unwrap();
        let target = folder.path().join("target");
        let peer = |name: &str, edit: &dyn Fn(&Path) -> Option<()>| {
            let mut best = None;
            for _ in 0..RUNS {
                fs::copy(&file, &target).unwrap();
                best = [best, timed(|| edit(&target))].into_iter().flatten().min();
            }
            let growth = fs::metadata(&target).unwrap().len() as i64 - bytes.len() as i64;
            report(&format!("merge {count:>5} {name}"), best, Some(growth));
        };
        peer("kbfix", &|target| merge(target, count));
        peer("kbfix, with check", &|target| checked_merge(target, count));
        peer("reged", &|target| run(reged(&["-C", "-I"], target).arg("ROOT").arg(&text)));
        peer("hivexregedit", &|target| {
            run(Command::new("hivexregedit").args(["--merge", "--prefix", "ROOT"]).arg(target).arg(&text))
        });
    }
}

fn reged(options: &[&str], hive: &Path) -> Command {
    let mut command = Command::new("reged");
    command.args(options).arg(hive);
    command
}

/// Runs another program; `None` if it is not installed. reged ends with exit code 2 if it wrote something.
fn run(command: &mut Command) -> Option<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    status.code().is_some_and(|code| code <= 2).then_some(())
}

fn timed(action: impl FnOnce() -> Option<()>) -> Option<Duration> {
    let started = Instant::now();
    action().map(|()| started.elapsed())
}

fn least(mut action: impl FnMut() -> Option<()>) -> Option<Duration> {
    (0..RUNS).filter_map(|_| timed(&mut action)).min()
}

fn report(what: &str, time: Option<Duration>, growth: Option<i64>) {
    match time {
        None => println!("{what:28} SKIPPED: it is not installed, or failed"),
        Some(time) => {
            let growth = growth.map(|bytes| format!("{:.2} MB", bytes as f64 / 1e6)).unwrap_or_default();
            println!("{what:28} {:>10.1} ms {growth:>12}", time.as_secs_f64() * 1e3);
        }
    }
}

/// Writes all keys and values as the text of a .reg file.
fn export(file: &Path, out: &Path) -> Option<()> {
    let hive = Hive::open(fs::read(file).unwrap(), &[]).unwrap();
    let mut text = String::new();
    let mut path: Vec<String> = Vec::new();
    for (depth, key) in hive.walk(hive.root()) {
        let key = key.unwrap();
        path.truncate(depth.saturating_sub(1));
        if depth > 0 {
            path.push(key.name_text().unwrap());
        }
        writeln!(text, "[ROOT\\{}]", path.join("\\")).unwrap();
        for value in hive.values(key.node()).unwrap() {
            let value = value.unwrap();
            let name = value.name_text().unwrap();
            let data = notation::data(&hive.data(&value).unwrap());
            writeln!(text, "{}={data}", notation::quoted(&name)).unwrap();
        }
    }
    fs::write(out, text).ok()
}

#[cfg(unix)]
fn open(file: &Path) -> Hive {
    Hive::open_on_demand(std::sync::Arc::new(fs::File::open(file).unwrap())).unwrap().unwrap()
}

/// Opens the hive as the targets do.
#[cfg(not(unix))]
fn open(file: &Path) -> Hive {
    Hive::open(fs::read(file).unwrap(), &[]).unwrap()
}

/// Reads what KB909094 asks of a hive: one value of one key.
fn find(file: &Path) -> Option<()> {
    let hive = open(file);
    let key = hive.find(r"ControlSet001\Services\MSExchangeWEB\DAV").unwrap();
    assert!(key.is_none());
    let key = hive.find("Select").unwrap().unwrap();
    hive.value(key, "Current").unwrap().map(drop)
}

fn place(i: usize) -> (String, String) {
    (format!("ControlSet001\\services\\kbfix\\key {}", i / 10), format!("value {i}"))
}

fn merge(file: &Path, count: usize) -> Option<()> {
    edited(file, count, false)
}

fn checked_merge(file: &Path, count: usize) -> Option<()> {
    edited(file, count, true)
}

fn edited(file: &Path, count: usize, check: bool) -> Option<()> {
    let now = Filetime::now();
    let mut hive = Hive::open(fs::read(file).unwrap(), &[]).unwrap();
    let mut editor = hive.edit(now).unwrap();
    for i in 0..count {
        let (key, name) = place(i);
        editor.create_key(&key).unwrap();
        editor.set_value(&key, &name, &Data::sz(&format!("data of value {i}"))).unwrap();
    }
    drop(editor);
    if check {
        hive.check();
    }
    fs::write(file, hive.to_bytes(now).unwrap()).ok()
}

fn merge_text(count: usize) -> String {
    // The other programs do not create missing parent keys.
    let mut text = "Windows Registry Editor Version 5.00\r\n\r\n[ROOT\\ControlSet001\\services\\kbfix]\r\n".to_owned();
    for i in 0..count {
        let (key, name) = place(i);
        if i % 10 == 0 {
            write!(text, "\r\n[ROOT\\{key}]\r\n").unwrap();
        }
        write!(text, "\"{name}\"=\"data of value {i}\"\r\n").unwrap();
    }
    text
}
