//! The first table: whole processes, beside peers.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use kbfix::example;

use super::{Bench, Cost, chunks, ten};

impl Bench {
    /// Prints the table.
    pub(super) fn processes(&self) {
        println!("{:54} {:>10} {:>10} {:>7} {:>7}  met", "whole processes", "kbfix", "peer", "ratio", "wanted");
        self.small();
        self.validate();
        self.merge();
        self.large();
        self.local();
    }

    /// One diff of KB909094 on a snapshot: its instructions, and its CPU time beside that of a program that does
    /// nothing.
    fn small(&self) {
        example::make(&self.folder.join("machine")).unwrap();
        let (image, snapshot) = (format!("image:{}", self.at("machine")), self.at("kb.json"));
        self.kbfix(&["snapshot", "KB909094", "--target", &image, "--out", &snapshot]);
        let target = format!("snapshot:{snapshot}");
        let diff = ["diff", "KB909094", "--target", &target];
        match self.count("valgrind", &diff) {
            Some(count) => figure("diff of KB909094 on a snapshot, instructions", count, "M", 6.0),
            None => {
                println!("{:54} SKIPPED: valgrind is not installed", "diff of KB909094 on a snapshot, instructions")
            }
        }
        // One process is too short to be measured.
        let hundred = |program: &[&str]| {
            let script = "for ((i = 0; i < 100; i++)); do \"$@\" >/dev/null; done; true";
            self.run(Command::new("bash").args(["-c", script, "bash"]).args(program))
        };
        let kbfix = hundred(&[&[env!("CARGO_BIN_EXE_kbfix")], &diff[..]].concat());
        if let (Some(kbfix), Some(nothing)) = (kbfix, hundred(&["/bin/true"])) {
            figure("the same, CPU time more than /bin/true", (kbfix.cpu - nothing.cpu) * 10.0, "ms", 4.0);
        }
    }

    /// The library, until it is 1,000 specs, beside check-jsonschema. By the clock, because kbfix uses all cores.
    fn validate(&self) {
        let specs = self.folder.join("specs");
        fs::create_dir(&specs).unwrap();
        let library: Vec<_> =
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("specs")).unwrap().flatten().collect();
        for number in 0..1000 {
            let text = fs::read_to_string(library[number % library.len()].path()).unwrap();
            fs::write(specs.join(format!("{number}.yaml")), with_own_ids(&text, number)).unwrap();
        }
        let validate = || self.kbfix(&["validate", &specs.display().to_string()]);
        let kbfix = (0..3).filter_map(|_| validate()).min_by(|a, b| a.clock.total_cmp(&b.clock));
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/spec.v1.schema.json");
        let mut peer = Command::new("check-jsonschema");
        peer.arg("--schemafile").arg(schema).args(fs::read_dir(&specs).unwrap().flatten().map(|entry| entry.path()));
        let (clock, cpu) = (|cost: Cost| cost.clock, |cost: Cost| cost.cpu);
        let peer = self.run(&peer);
        report("validate 1,000 specs, by the clock; check-jsonschema", kbfix.map(clock), peer.map(clock), 0.01);
        report("the same, CPU time", kbfix.map(cpu), peer.map(cpu), 0.02);
    }

    /// 10,000 values into a real SYSTEM, in a journaled apply of 100 specs, beside hivexregedit --merge.
    fn merge(&self) {
        let what = "apply of 10,000 values to SYSTEM; hivexregedit";
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/hives/regipy-SYSTEM.xz");
        let unpacked = Command::new("xz").arg("-dc").arg(packed).output().ok().filter(|out| out.status.success());
        let Some(system) = unpacked.map(|out| out.stdout) else { return println!("{what:54} SKIPPED: no SYSTEM") };
        let key = |number: usize| {
            let values = (number * 10..number * 10 + 10)
                .map(|value| format!("      value {value}: {{ type: REG_SZ, data: data of value {value} }}\n"));
            let key = format!(r"HKLM\SYSTEM\CurrentControlSet\services\kbfix\key {number}");
            format!("  - key: {key}\n    values:\n{}", values.collect::<String>())
        };
        let specs = self.specs("merge", (0..100).map(|spec| (spec * 10..spec * 10 + 10).map(key).collect()));
        let top = r"ControlSet001\services\kbfix";
        let mut text = format!("Windows Registry Editor Version 5.00\r\n\r\n[ROOT\\{top}]\r\n");
        for number in 0..10_000 {
            if number % 10 == 0 {
                let _ = write!(text, "\r\n[ROOT\\{top}\\key {}]\r\n", number / 10);
            }
            let _ = write!(text, "\"value {number}\"=\"data of value {number}\"\r\n");
        }
        let merge = self.write("merge.reg", &text);
        let file = self.at("SYSTEM");
        let fresh = || fs::write(&file, &system).unwrap();
        let target = format!("hive:{file}=HKLM\\SYSTEM");
        let kbfix = least((0..3).map(|_| {
            fresh();
            self.kbfix(&["apply", &specs, "--target", &target, "--state-dir", &self.at("merge-state")])
        }));
        let peer = least((0..3).map(|_| {
            fresh();
            self.run(Command::new("hivexregedit").args(["--merge", "--prefix", "ROOT", &file, &merge]))
        }));
        // The peer's figure counts only if all values are in its file.
        let export =
            Command::new("hivexregedit").args(["--export", "--prefix", "ROOT", &file, &format!("\\{top}")]).output();
        let written = export.map_or(0, |out| String::from_utf8_lossy(&out.stdout).matches("\n\"value ").count());
        report(what, kbfix, peer.filter(|_| written == 10_000), 0.6);
    }

    /// Many values on an image: time and memory.
    fn large(&self) {
        let count = self.most;
        let specs = self.specs("large", chunks(count, &ten));
        let root = self.folder.join("large image");
        example::make(&root).unwrap();
        let (image, state) = (format!("image:{}", root.display()), self.at("large state"));
        let scale = 100_000 / count;
        let jobs: [(&str, &[&str], f64); 3] = [
            ("diff", &["diff", &specs, "--target", &image], 1.5),
            ("apply", &["apply", &specs, "--target", &image, "--state-dir", &state], 2.5),
            ("rollback", &["rollback", "--last", "--state-dir", &state], 1.5),
        ];
        for (verb, arguments, wanted) in jobs {
            let what = format!("{verb} of {count} values on an image");
            match self.kbfix(arguments) {
                Some(cost) => {
                    figure(&what, cost.cpu, "s", wanted / scale as f64);
                    figure(&format!("{what}, memory"), cost.megabytes, "MB", 150.0);
                }
                None => println!("{what:54} FAILED"),
            }
        }
    }
}

/// Returns the spec with ids that no other copy of it has.
fn with_own_ids(spec: &str, number: usize) -> String {
    spec.lines().fold(String::new(), |mut out, line| {
        let id = line.trim_start().trim_start_matches("- ").strip_prefix("id: ");
        // The id of an event is a number.
        let is_own = id.is_some_and(|id| id.parse::<u32>().is_err());
        let _ = if is_own { writeln!(out, "{line}-{number}") } else { writeln!(out, "{line}") };
        out
    })
}

/// Returns the least CPU time in seconds; `None` if a run failed.
fn least(runs: impl Iterator<Item = Option<Cost>>) -> Option<f64> {
    let runs: Option<Vec<Cost>> = runs.collect();
    runs?.into_iter().map(|cost| cost.cpu).min_by(f64::total_cmp)
}

/// Prints a line without a peer: the figure is itself what is wanted.
fn figure(what: &str, found: f64, unit: &str, wanted: f64) {
    println!(
        "{what:54} {:>10} {:>10} {:>7} {wanted:>7.2}  {}",
        format!("{found:.2} {unit}"),
        "-",
        "-",
        found <= wanted
    );
}

/// Prints a line with a peer: seconds, and the ratio of those of kbfix to those of its peer.
pub(super) fn report(what: &str, kbfix: Option<f64>, peer: Option<f64>, wanted: f64) {
    beside(what, kbfix, peer, |seconds| format!("{seconds:.3} s"), wanted);
}

/// Prints a line with a peer: counts, and the ratio of that of kbfix to that of its peer.
pub(super) fn report_count(what: &str, kbfix: Option<f64>, peer: Option<f64>, wanted: f64) {
    beside(what, kbfix, peer, |count| format!("{count}"), wanted);
}

fn beside(what: &str, kbfix: Option<f64>, peer: Option<f64>, text: fn(f64) -> String, wanted: f64) {
    let cost = |cost: Option<f64>| cost.map_or("-".to_owned(), text);
    let (ratio, met) = match kbfix.zip(peer).map(|(kbfix, peer)| kbfix / peer) {
        Some(ratio) => (format!("{ratio:.4}"), (ratio <= wanted).to_string()),
        None => ("-".to_owned(), "SKIPPED: not installed, or failed".to_owned()),
    };
    println!("{what:54} {:>10} {:>10} {ratio:>7} {wanted:>7.2}  {met}", cost(kbfix), cost(peer));
}
