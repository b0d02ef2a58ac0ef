//! Measures what kbfix costs, compared with other programs and as the amount of work grows: `cargo bench --bench cost`.
//!
//! The first table is about whole processes. It shows the cost of kbfix, the cost of another program for the same work,
//! the ratio of the two, the limit, and whether kbfix keeps the limit. Where no other program does the work, the limit
//! is for kbfix alone. The second table shows how cost grows: each job runs with 1,000, 10,000 and 100,000 items. The
//! step from 1,000 to 10,000 is counted in instructions, because the times are too short for a comparison. The step
//! from 10,000 to 100,000 is measured in CPU time. Ten times the work may cost 11 times as much, so an exponent may be
//! at most 1.04. KBFIX_COST_MOST=10000 omits the largest size.
//!
//! Needs bash and /usr/bin/time, and for parts hivexregedit (Debian: libwin-hivex-perl), check-jsonschema (pip),
//! valgrind, and ../shared/hives/regipy-SYSTEM.xz with xz; parts whose program is absent are skipped. This is a
//! measurement and not a test: it does not fail because something is slow.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to recover for")]

mod growth;
mod local;
mod processes;

use std::{
    fs,
    ops::Range,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

/// The cost of one process.
#[derive(Clone, Copy)]
struct Cost {
    /// The CPU time of the program and of the system for it, in seconds.
    cpu: f64,
    /// The elapsed (wall-clock) time, in seconds.
    clock: f64,
    /// The maximum memory, in MB.
    megabytes: f64,
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let most = std::env::var("KBFIX_COST_MOST").ok().and_then(|most| most.parse().ok()).unwrap_or(100_000);
    let bench = Bench { folder: folder.path().to_owned(), most };
    bench.processes();
    bench.growth();
}

struct Bench {
    folder: PathBuf,
    /// The largest number of items.
    most: usize,
}

impl Bench {
    fn at(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.folder.join(name), text).unwrap();
        self.at(name)
    }

    /// Writes a folder of specs, one for each of these lists of rules, and returns its path.
    fn specs(&self, name: &str, rules: impl IntoIterator<Item = String>) -> String {
        let folder = self.folder.join(name);
        fs::create_dir(&folder).unwrap();
        for (number, rules) in rules.into_iter().enumerate() {
            let text = format!("kbfix: 1\nid: S{number}\ntitle: one of several\nregistry:\n{rules}");
            fs::write(folder.join(format!("{number}.yaml")), text).unwrap();
        }
        folder.display().to_string()
    }

    /// Writes an export in UTF-16.
    fn export(&self, name: &str, text: &str) -> String {
        let text = format!("\u{FEFF}Windows Registry Editor Version 5.00\r\n\r\n{text}");
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(self.folder.join(name), bytes).unwrap();
        format!("reg:{}", self.at(name))
    }

    /// Runs kbfix, which may exit with 0 or 1.
    fn kbfix(&self, arguments: &[impl AsRef<str>]) -> Option<Cost> {
        self.run(Command::new(env!("CARGO_BIN_EXE_kbfix")).args(arguments.iter().map(AsRef::as_ref)))
    }

    /// Runs a program, which may exit with 0 or 1. bash measures the CPU time to the millisecond.
    fn run(&self, command: &Command) -> Option<Cost> {
        let (memory, times) = (self.folder.join("memory"), self.folder.join("times"));
        let script = "TIMEFORMAT='%3U %3S'; out=$1; shift; time /usr/bin/time -f %M -o \"$out\" \"$@\" >/dev/null 2>&1";
        let mut timed = Command::new("bash");
        timed.args(["-c", script, "bash"]).arg(&memory).arg(command.get_program()).args(command.get_args());
        touch_memory();
        let start = Instant::now();
        let status = timed.stdin(Stdio::null()).stderr(fs::File::create(&times).ok()?).status().ok()?;
        let clock = start.elapsed().as_secs_f64();
        status.code().filter(|code| *code <= 1)?;
        let times = fs::read_to_string(&times).ok()?;
        let times: Vec<f64> = times.split_whitespace().filter_map(|time| time.parse().ok()).collect();
        let kilobytes: f64 = fs::read_to_string(&memory).ok()?.lines().last()?.parse().ok()?;
        Some(Cost { cpu: times.iter().sum(), clock, megabytes: kilobytes / 1024.0 })
    }

    /// Counts the instructions of kbfix, which may exit with 0 or 1, in millions. `name` is the name of the file that
    /// receives the count.
    fn count(&self, name: &str, arguments: &[impl AsRef<str>]) -> Option<f64> {
        let log = self.folder.join(name);
        let status = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(format!("--log-file={}", log.display()))
            .arg(env!("CARGO_BIN_EXE_kbfix"))
            .args(arguments.iter().map(AsRef::as_ref))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.ok()?.code().filter(|code| *code <= 1)?;
        let text = fs::read_to_string(&log).ok()?;
        let count: f64 = text.split("Collected :").nth(1)?.split_whitespace().next()?.parse().ok()?;
        Some(count / 1e6)
    }
}

/// Uses more memory than any of the measured runs needs, and frees it again.
///
/// The host of a virtual machine takes back free memory. When a program uses such memory for the first time, it waits
/// for the host, and this counts as CPU time of the program: half a second for 250 MB was seen. A small run usually
/// finds memory that the run before it has just freed, so only large runs would pay.
fn touch_memory() {
    drop(std::hint::black_box(vec![1_u8; 512 << 20]));
}

/// Added to numbers, so that all of them have the same number of digits. So ten times the items are ten times the text.
const FIRST: usize = 100_000;

/// Returns the rules of each spec. A spec is about at most 10,000 items, because a spec file has at most 1 MiB.
fn chunks<'r>(count: usize, rules: &'r dyn Fn(Range<usize>) -> String) -> impl Iterator<Item = String> + 'r {
    (0..count).step_by(10_000).map(move |from| rules(from..count.min(from + 10_000)))
}

fn ten(numbers: Range<usize>) -> String {
    let values = |key: usize| {
        (0..10).map(|v| format!("      V{v}: {{ type: REG_DWORD, data: {} }}\n", FIRST + key)).collect::<String>()
    };
    (numbers.start / 10..numbers.end / 10)
        .map(|key| format!("  - key: HKLM\\SOFTWARE\\Grow\\K{key:06}\n    values:\n{}", values(key)))
        .collect()
}
