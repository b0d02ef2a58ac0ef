//! Measures `kbfix fleet diff` as a process, with all specs of the library: `cargo bench --bench fleet`. The
//! measurement takes some minutes.
//!
//! The snapshots are of the example machine, each with a computer name and a MachineGuid of its own. In one fleet, one
//! machine in ten has an older file, and all others are alike. In the other fleet, each machine has a file version of
//! its own, so that each machine must be planned. 100, 1,000 and 10,000 machines show how time grows. Each report
//! format is written for 10,000 machines, and the other commands run on 1,000 machines. For comparison, the same work
//! is done without `kbfix fleet`: one process for each machine (`kbfix diff --format json`, two at a time by xargs),
//! and `jq`, which counts in the reports. Finally, headless Chromium opens the pages of 10,000 machines
//! (benches/page.py; KBFIX_PYTHON with selenium and KBFIX_CHROMIUM, as tests/run sets them; without these, this part is
//! skipped).
//!
//! The elapsed time and the CPU time (user and system, as GNU time reports) are the shortest of a few runs, and the
//! memory is the largest resident size of a run. This is a measurement and not a test: it does not fail because
//! something is slow.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to recover for")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use kbfix::registry::Data;
use serde_json::{Value, json};

const KBFIX: &str = env!("CARGO_BIN_EXE_kbfix");
/// The limits for 10,000 machines: seconds and MB.
const MOST: (f64, f64) = (10.0, 300.0);
/// The limits for the page: the seconds until it is open, and its bytes.
const MOST_PAGE: (f64, u64) = (2.0, 5_000_000);

/// The cost of one process: elapsed seconds, CPU seconds, and MB.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
    megabytes: f64,
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path());
    println!(
        "\n{:44} {:>9} {:>9} {:>9} {:>9}  exponent",
        "CPU seconds as the fleet grows", "100", "1,000", "10,000", "per 1,000"
    );
    bench.growth();
    println!(
        "\n{:44} {:>9} {:>9} {:>9} {:>11} {:>12}  met",
        "10,000 machines", "clock", "CPU", "memory", "bytes", "wanted"
    );
    bench.formats();
    println!("\n{:44} {:>9} {:>9} {:>9}", "1,000 machines", "clock", "CPU", "memory");
    bench.commands();
    println!(
        "\n{:44} {:>9} {:>9} {:>7} {:>7}  met",
        "100 machines, seconds on the clock", "kbfix", "peer", "ratio", "wanted"
    );
    bench.peers();
    bench.page();
}

struct Bench<'a> {
    folder: &'a Path,
    ids: Vec<String>,
}

impl<'a> Bench<'a> {
    /// Makes the snapshots of all fleets.
    fn new(folder: &'a Path) -> Self {
        // The parameters that the library needs and has no default for stay open; a snapshot does not need them.
        let bench = Self { folder, ids: kbfix::spec::library::ids().map(str::to_owned).collect() };
        quiet(Command::new(KBFIX).args(["example", &bench.at("example")]));
        let target = format!("image:{}", bench.at("example"));
        quiet(Command::new(KBFIX).arg("snapshot").args(&bench.ids).args([
            "--target",
            &target,
            "--out",
            &bench.at("base.json"),
        ]));
        let base: Value = serde_json::from_str(&fs::read_to_string(bench.at("base.json")).unwrap()).unwrap();
        println!(
            "{} specs, a snapshot has {} bytes",
            bench.ids.len(),
            fs::metadata(bench.at("base.json")).unwrap().len()
        );
        for machines in [100, 1_000, 10_000] {
            make(&base, &folder.join(format!("alike-{machines}")), machines, |machine| match machine % 10 {
                9 => Some("6.5.7651.1".to_owned()),
                _ => None,
            });
            make(&base, &folder.join(format!("different-{machines}")), machines, |machine| {
                Some(format!("6.5.7651.{}", 19 + machine))
            });
        }
        bench
    }

    fn at(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn diff(&self, fleet: &str, more: &[&str]) -> Command {
        let mut command = Command::new(KBFIX);
        command.args(["fleet", "diff"]).args(&self.ids).args(["--snapshots", &self.at(fleet)]).args(more);
        command
    }

    fn growth(&self) {
        for fleet in ["alike", "different"] {
            let sizes = [100, 1_000, 10_000];
            let costs = sizes.map(|machines| {
                let runs = if machines == 10_000 { 1 } else { 3 };
                self.cost(runs, || self.diff(&format!("{fleet}-{machines}"), &["--format", "json"]))
            });
            let [a, b, c] = costs.map(|cost| cost.cpu);
            // The time for 100 machines is subtracted, because most of it is spent on reading the specs.
            let exponent = ((c - a) / 9_900.0 / ((b - a) / 900.0)).log10() + 1.0;
            let (what, each) = (format!("fleet diff, machines that are {fleet}"), (c - a) / 9.9);
            println!("{what:44} {a:>9.2} {b:>9.2} {c:>9.2} {each:>9.3}  {exponent:.2}");
        }
    }

    fn formats(&self) {
        for (fleet, format) in ["alike", "different"].into_iter().flat_map(|fleet| {
            ["json", "lines", "human", "csv", "markdown", "html", "junit", "sarif"].map(|format| (fleet, format))
        }) {
            let options = match format {
                "lines" => vec!["--format", "json", "--lines"],
                format => vec!["--format", format],
            };
            let cost = self.cost(1, || self.diff(&format!("{fleet}-10000"), &options));
            let bytes = fs::metadata(self.at("out")).unwrap().len();
            if format == "html" {
                fs::copy(self.at("out"), self.at(&format!("{fleet}.html"))).unwrap();
            }
            let wanted = format!("{} s, {} MB", MOST.0, MOST.1);
            let met = met(cost.wall <= MOST.0 && cost.megabytes <= MOST.1);
            let what = format!("fleet diff --format {format}, {fleet}");
            println!(
                "{what:44} {:>9.2} {:>9.2} {:>6.0} MB {bytes:>11} {wanted:>12}  {met}",
                cost.wall, cost.cpu, cost.megabytes
            );
        }
    }

    /// Measures the commands that plan as `diff` does. The commands that compare also read another fleet or plan other
    /// specs.
    fn commands(&self) {
        let (alike, different, out) = (self.at("alike-1000"), self.at("different-1000"), self.at("fleet.plan"));
        for (what, before, after) in [
            ("fleet plan, alike", vec!["plan"], vec!["--snapshots", &alike, "--out", &out]),
            ("fleet plan, different", vec!["plan"], vec!["--snapshots", &different, "--out", &out]),
            ("fleet impact, different", vec!["impact"], vec!["--base", "KB909094", "--snapshots", &different]),
            ("fleet drift, alike to different", vec!["drift", &alike, &different], vec![]),
        ] {
            let cost = self.cost(1, || {
                let mut command = Command::new(KBFIX);
                command.arg("fleet").args(&before).args(&self.ids).args(&after);
                command
            });
            println!("{what:44} {:>9.2} {:>9.2} {:>6.0} MB", cost.wall, cost.cpu, cost.megabytes);
        }
    }

    fn peers(&self) {
        let reports = self.at("reports");
        fs::create_dir(&reports).unwrap();
        let shell = |script: String| {
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            command
        };
        let fleet = self.cost(3, || self.diff("alike-100", &["--format", "json"])).wall;
        let (folder, ids) = (self.at("alike-100"), self.ids.join(" "));
        let one =
            format!("'{KBFIX} diff {ids} --target snapshot:{folder}/@ --format json > {reports}/@ 2>/dev/null || :'");
        let alone = self.cost(2, || shell(format!("ls {folder} | xargs -P 2 -I @ sh -c {one}"))).wall;
        let count = format!("jq -r '.specs[] | [.id, .outcome] | @tsv' {reports}/*.json | sort | uniq -c");
        let jq = self.cost(3, || shell(count.clone())).wall;
        for (what, peer, wanted) in [
            ("one process for each machine, then jq", alone + jq, 0.1),
            ("jq over the reports that are there, sort, uniq", jq, 1.0),
        ] {
            let ratio = fleet / peer;
            println!("{what:44} {fleet:>9.2} {peer:>9.2} {ratio:>7.3} {wanted:>7}  {}", met(ratio <= wanted));
        }
    }

    fn page(&self) {
        for fleet in ["alike", "different"] {
            let page = self.at(&format!("{fleet}.html"));
            let bytes = fs::metadata(&page).unwrap().len();
            let met_size = met(bytes < MOST_PAGE.1);
            println!(
                "\nThe page of 10,000 machines that are {fleet}: {bytes} bytes, wanted fewer than {}: {met_size}",
                MOST_PAGE.1
            );
            let [Some(python), Some(chromium)] = ["KBFIX_PYTHON", "KBFIX_CHROMIUM"].map(std::env::var_os) else {
                println!("KBFIX_PYTHON or KBFIX_CHROMIUM is not set: nobody opens it");
                continue;
            };
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/page.py");
            let output =
                Command::new(python).arg(script).arg(chromium).arg(page).stderr(Stdio::inherit()).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            print!("{text}");
            let Some(seconds) = text.lines().last().and_then(|line| line.parse::<f64>().ok()) else {
                println!("benches/page.py has no figure");
                continue;
            };
            println!("opened in {seconds:.2} s, wanted at most {} s: {}", MOST_PAGE.0, met(seconds <= MOST_PAGE.0));
        }
    }

    /// Runs a command `runs` times. Its output goes to the file `out`. kbfix may end with any exit code, such as 4.
    fn cost(&self, runs: usize, command: impl Fn() -> Command) -> Cost {
        let mut best = Cost { wall: f64::MAX, cpu: f64::MAX, megabytes: 0.0 };
        for _ in 0..runs {
            let command = command();
            let time = ["-f", "%e %U %S %M", "-o", &self.at("time")];
            let out = fs::File::create(self.at("out")).unwrap();
            let mut timed = Command::new("/usr/bin/time");
            timed.args(time).arg(command.get_program()).args(command.get_args()).stdout(out).stderr(Stdio::null());
            timed.status().unwrap();
            let text = fs::read_to_string(self.at("time")).unwrap();
            // If the exit code is not 0, GNU time reports that in the line before.
            let figures: Vec<f64> =
                text.lines().last().unwrap().split(' ').map(|figure| figure.parse().unwrap()).collect();
            let [wall, user, system, kilobytes] = figures[..] else { panic!("{text}") };
            best.wall = best.wall.min(wall);
            best.cpu = best.cpu.min(user + system);
            best.megabytes = best.megabytes.max(kilobytes / 1024.0);
        }
        best
    }
}

fn met(is_met: bool) -> &'static str {
    if is_met { "yes" } else { "NO" }
}

fn quiet(command: &mut Command) {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
}

/// Writes the snapshots of `machines` machines. `version` returns the version of the file on a machine, or `None` for
/// the version in `base`.
fn make(base: &Value, folder: &Path, machines: usize, version: impl Fn(usize) -> Option<String>) {
    const VERSION: &str = "/facts/files/0/found/present/version/present";
    let name = |machine: usize| format!("FE{machine:05}");
    let guid = |machine: usize| format!("00000000-0000-4000-8000-{machine:012}");
    let known = base.pointer(VERSION).unwrap().as_str().unwrap();
    let mut first = base.clone();
    let mut own = 0;
    for entry in first["facts"]["keys"].as_array_mut().unwrap() {
        let key = entry["key"].as_str().unwrap_or_default().to_owned();
        let Some(values) = entry["found"].pointer_mut("/present/values") else { continue };
        for (end, value, data) in [
            (r"\Cryptography", "MachineGuid", guid(99_999)),
            (r"\ComputerName\ComputerName", "ComputerName", name(99_999)),
        ] {
            if key.ends_with(end) {
                values[value] = json!({ "present": Data::sz(&data) });
                own += 1;
            }
        }
    }
    assert_eq!(own, 2, "the base has both values");
    *first.pointer_mut(VERSION).unwrap() = "its version".into();
    let first = serde_json::to_string_pretty(&first).unwrap();
    // A snapshot holds data as bytes and as text.
    let bytes = |text: &str| json!(Data::sz(text))["bytes"].as_str().unwrap().to_owned();
    fs::create_dir(folder).unwrap();
    for machine in 0..machines {
        let mut text = first.replace("its version", version(machine).as_deref().unwrap_or(known));
        for (from, to) in [(name(99_999), name(machine)), (guid(99_999), guid(machine))] {
            text = text.replace(&from, &to).replace(&bytes(&from), &bytes(&to));
        }
        fs::write(folder.join(format!("{}.json", name(machine))), text).unwrap();
    }
}
