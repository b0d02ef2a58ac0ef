//! What kbfix costs, beside peers and as the work grows: `cargo bench --bench cost`.
//!
//! One table of whole processes: the CPU time of kbfix (user and system, as GNU time tells) or another figure, that of its
//! peer, their ratio, what is wanted, and whether that is met. Where there is no peer, the figure itself is wanted. Its last
//! part is of growth: each job with 1,000, 10,000 and 100,000 of something. Ten times the work may cost 11 times, so the
//! exponents may be 1.04. KBFIX_COST_MOST=10000 leaves the largest out.
//!
//! Needs /usr/bin/time, and for the peers hivexregedit (Debian: libwin-hivex-perl), check-jsonschema (pip), valgrind, and
//! ../shared/hives/regipy-SYSTEM.xz with xz; what is absent is skipped. This is a measurement, not a test: nothing here fails
//! by being slow.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to recover for")]

use std::{
    fmt::Write as _,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use kbfix::example;

/// What a process took: CPU time in seconds, and the most memory in MB.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    megabytes: f64,
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let most = std::env::var("KBFIX_COST_MOST").ok().and_then(|most| most.parse().ok()).unwrap_or(100_000);
    let bench = Bench { folder: folder.path().to_owned(), most };
    println!("{:52} {:>10} {:>10} {:>7} {:>7}  met", "CPU time of whole processes", "kbfix", "peer", "ratio", "wanted");
    bench.small();
    bench.validate();
    bench.merge();
    bench.large();
    println!(
        "\n{:52} {:>9} {:>9} {:>9}  exponents, met",
        "CPU seconds as the work grows", "1,000", "10,000", "100,000"
    );
    bench.growth();
}

struct Bench {
    folder: PathBuf,
    /// The largest number of anything.
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
    fn kbfix(&self, arguments: &[&str]) -> Option<Cost> {
        self.run(Command::new(env!("CARGO_BIN_EXE_kbfix")).args(arguments))
    }

    fn run(&self, command: &Command) -> Option<Cost> {
        let out = self.folder.join("time");
        let mut timed = Command::new("/usr/bin/time");
        timed.args(["-f", "%U %S %M", "-o"]).arg(&out).arg(command.get_program()).args(command.get_args());
        let status = timed.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
        status.code().filter(|code| *code <= 1)?;
        let text = fs::read_to_string(&out).ok()?;
        let mut numbers = text.lines().last()?.split(' ').filter_map(|number| number.parse::<f64>().ok());
        let (user, system, kilobytes) = (numbers.next()?, numbers.next()?, numbers.next()?);
        Some(Cost { seconds: user + system, megabytes: kilobytes / 1024.0 })
    }

    /// One diff of KB909094 on a snapshot, by its instructions; GNU time's hundredths of a second are too coarse for it.
    fn small(&self) {
        example::make(&self.folder.join("machine")).unwrap();
        let (image, snapshot) = (format!("image:{}", self.at("machine")), self.at("kb.json"));
        self.kbfix(&["snapshot", "KB909094", "--target", &image, "--out", &snapshot]);
        let target = format!("snapshot:{snapshot}");
        let log = self.at("valgrind");
        let count = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", &format!("--log-file={log}")])
            .args([env!("CARGO_BIN_EXE_kbfix"), "diff", "KB909094", "--target", &target])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let what = "diff of KB909094 on a snapshot, million instructions";
        let counted = count.ok().and_then(|_| {
            let text = fs::read_to_string(&log).ok()?;
            text.split("Collected :").nth(1)?.split_whitespace().next()?.parse::<f64>().ok()
        });
        match counted {
            Some(count) => figure(what, count / 1e6, "M", 6.0),
            None => println!("{what:52} SKIPPED: valgrind is not installed"),
        }
    }

    /// The library, until it is 1,000 specs, beside check-jsonschema.
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
        let kbfix = least((0..3).map(|_| validate()));
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/spec.v1.schema.json");
        let mut peer = Command::new("check-jsonschema");
        peer.arg("--schemafile").arg(schema).args(fs::read_dir(&specs).unwrap().flatten().map(|entry| entry.path()));
        report("validate 1,000 specs; check-jsonschema", kbfix, self.run(&peer), 0.01);
    }

    /// 10,000 values into a real SYSTEM, in a journaled apply of 100 specs, beside hivexregedit --merge.
    fn merge(&self) {
        let what = "apply of 10,000 values to SYSTEM; hivexregedit";
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/hives/regipy-SYSTEM.xz");
        let unpacked = Command::new("xz").arg("-dc").arg(packed).output().ok().filter(|out| out.status.success());
        let Some(system) = unpacked.map(|out| out.stdout) else { return println!("{what:52} SKIPPED: no SYSTEM") };
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
        let scale = count as f64 / 100_000.0;
        let jobs: [(&str, &[&str], f64); 3] = [
            ("diff", &["diff", &specs, "--target", &image], 1.5),
            ("apply", &["apply", &specs, "--target", &image, "--state-dir", &state], 2.5),
            ("rollback", &["rollback", "--last", "--state-dir", &state], 1.5),
        ];
        for (verb, arguments, wanted) in jobs {
            let what = format!("{verb} of {count} values on an image");
            match self.kbfix(arguments) {
                Some(cost) => {
                    figure(&what, cost.seconds, "s", wanted * scale);
                    figure(&format!("{what}, memory"), cost.megabytes, "MB", 150.0);
                }
                None => println!("{what:52} FAILED"),
            }
        }
    }

    fn growth(&self) {
        let counts: Vec<usize> = [1_000, 10_000, 100_000].into_iter().filter(|count| *count <= self.most).collect();
        for (what, spec) in [
            ("values of one key", one_key as fn(Range<usize>) -> String),
            ("keys of one value", flat),
            ("values, 10 a key", ten),
        ] {
            let mut costs: [Vec<Option<Cost>>; 4] = Default::default();
            for count in &counts {
                let spec = self.specs(&format!("{what} {count} specs"), chunks(*count, &spec));
                let empty = self.export("empty.reg", "[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n");
                let root = self.folder.join(format!("{what} {count}"));
                example::make(&root).unwrap();
                let image = format!("image:{}", root.display());
                let state = root.join("state").display().to_string();
                costs[0].push(self.kbfix(&["diff", &spec, "--target", &empty]));
                costs[1].push(self.kbfix(&["apply", &spec, "--target", &image, "--state-dir", &state]));
                costs[2].push(self.kbfix(&["journal", "list", "--state-dir", &state]));
                costs[3].push(self.kbfix(&["rollback", "--last", "--state-dir", &state]));
            }
            for (verb, costs) in ["diff, export", "apply, image", "journal list", "rollback, image"].iter().zip(costs) {
                report_growth(&format!("{what}: {verb}"), &costs);
            }
        }
        let grow = |what: &str, make: &dyn Fn(usize) -> (String, String)| {
            let cost = |count: &usize| {
                let (spec, target) = make(*count);
                self.kbfix(&["diff", &spec, "--target", &target])
            };
            report_growth(what, &counts.iter().map(cost).collect::<Vec<_>>());
        };
        grow("users of one rule: diff, export", &|count| {
            let profiles = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
            let user = |number| {
                format!("[{profiles}\\S-1-5-21-1-2-3-{number}]\r\n[HKEY_USERS\\S-1-5-21-1-2-3-{number}\\Software]\r\n")
            };
            let export = self.export("users.reg", &(1000..1000 + count).map(user).collect::<String>());
            let rule = "  - key: HKCU\\Software\\X\n    values: { V: { type: REG_DWORD, data: 1 } }\n";
            (self.write("users.yaml", &format!("kbfix: 1\nid: USERS\ntitle: users\nregistry:\n{rule}")), export)
        });
        grow("strings added to as many: diff, export", &|count| {
            let list: String = (0..count).map(|number| format!("old{number}\0")).chain(["\0".to_owned()]).collect();
            let hex: Vec<String> =
                list.encode_utf16().flat_map(u16::to_le_bytes).map(|byte| format!("{byte:02x}")).collect();
            let key = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\L]\r\n";
            let export = self.export("list.reg", &format!("{key}\"V\"=hex(7):{}\r\n", hex.join(",")));
            let rules = chunks(count, &|numbers: Range<usize>| {
                let add: Vec<String> = numbers.map(|number| format!("new{number}")).collect();
                let list = add.join(", ");
                format!(
                    "  - key: HKLM\\SOFTWARE\\L\n    values: {{ V: {{ type: REG_MULTI_SZ, list: {{ add: [{list}] }} }} }}\n"
                )
            });
            (self.specs(&format!("list {count}"), rules), export)
        });
        grow("specs of a run, 1 per 10 with a `*`: diff, export", &|count| {
            let rule = |number: usize| {
                let key =
                    if number.is_multiple_of(10) { format!("Star\\*\\K{number}") } else { format!("Plain\\K{number}") };
                format!("  - key: HKLM\\SOFTWARE\\{key}\n    values: {{ V: {{ type: REG_DWORD, data: 1 }} }}\n")
            };
            let specs = self.specs(&format!("specs {count}"), (0..count / 10).map(rule));
            let keys: String =
                (0..10).map(|number| format!("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Star\\X{number}]\r\n")).collect();
            (specs, self.export("star.reg", &format!("[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n{keys}")))
        });
        grow("keys of a deleted tree, 100 deep: diff, export", &|count| {
            let mut keys = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Deep]\r\n".to_owned();
            for chain in 0..count / 100 {
                let mut key = format!("HKEY_LOCAL_MACHINE\\SOFTWARE\\Deep\\{chain}");
                for _ in 0..100 {
                    let _ = write!(keys, "[{key}]\r\n");
                    key.push_str("\\d");
                }
            }
            let rules = "  - key: HKLM\\SOFTWARE\\Deep\n    ensure: absent\n".to_owned();
            (self.specs(&format!("deep {count}"), [rules]), self.export("deep.reg", &keys))
        });
    }
}

/// The rules of each spec, of at most 10,000 things: a spec file has at most 1 MiB.
fn chunks<'r>(count: usize, rules: &'r dyn Fn(Range<usize>) -> String) -> impl Iterator<Item = String> + 'r {
    (0..count).step_by(10_000).map(move |from| rules(from..count.min(from + 10_000)))
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

/// Returns the least CPU time; `None` if a run failed.
fn least(runs: impl Iterator<Item = Option<Cost>>) -> Option<Cost> {
    let runs: Option<Vec<Cost>> = runs.collect();
    runs?.into_iter().min_by(|a, b| a.seconds.total_cmp(&b.seconds))
}

fn one_key(numbers: Range<usize>) -> String {
    let values = numbers.map(|number| format!("      V{number}: {{ type: REG_DWORD, data: {number} }}\n"));
    format!("  - key: HKLM\\SOFTWARE\\Grow\n    values:\n{}", values.collect::<String>())
}

fn flat(numbers: Range<usize>) -> String {
    let rule = |number| {
        format!("  - key: HKLM\\SOFTWARE\\Grow\\K{number:06}\n    values: {{ V: {{ type: REG_DWORD, data: 1 }} }}\n")
    };
    numbers.map(rule).collect()
}

fn ten(numbers: Range<usize>) -> String {
    let values =
        |key: usize| (0..10).map(|v| format!("      V{v}: {{ type: REG_DWORD, data: {key} }}\n")).collect::<String>();
    (numbers.start / 10..numbers.end / 10)
        .map(|key| format!("  - key: HKLM\\SOFTWARE\\Grow\\K{key:06}\n    values:\n{}", values(key)))
        .collect()
}

/// Prints a line without a peer: the figure is itself what is wanted.
fn figure(what: &str, found: f64, unit: &str, wanted: f64) {
    println!("{what:52} {:>10} {:>10} {:>7} {wanted:>7}  {}", format!("{found:.2} {unit}"), "-", "-", found <= wanted);
}

/// Prints a line of the first table; the ratio is that of kbfix to its peer.
fn report(what: &str, kbfix: Option<Cost>, peer: Option<Cost>, wanted: f64) {
    let seconds = |cost: Option<Cost>| cost.map_or("-".to_owned(), |cost| format!("{:.2} s", cost.seconds));
    let ratio = kbfix.zip(peer).map(|(kbfix, peer)| kbfix.seconds / peer.seconds);
    let (text, met) = match ratio {
        Some(ratio) => (format!("{ratio:.3}"), (ratio <= wanted).to_string()),
        None => ("-".to_owned(), "SKIPPED: not installed, or failed".to_owned()),
    };
    println!("{what:52} {:>10} {:>10} {text:>7} {wanted:>7}  {met}", seconds(kbfix), seconds(peer));
}

/// Prints a line of the second table: the seconds, the exponent of each step, whether all are as wanted, and the
/// most memory.
fn report_growth(what: &str, costs: &[Option<Cost>]) {
    let mut line = format!("{what:52}");
    for at in 0..3 {
        let text = costs.get(at).copied().flatten().map_or("-".to_owned(), |cost| format!("{:.2}", cost.seconds));
        let _ = write!(line, " {text:>9}");
    }
    let mut met = costs.iter().all(Option::is_some);
    for pair in costs.windows(2) {
        if let [Some(small), Some(large)] = pair {
            // GNU time counts hundredths of a second, so what takes less shows no growth.
            let factor = large.seconds / small.seconds.max(0.05);
            met &= factor <= 11.0;
            let _ = write!(line, "  {:.2}", factor.log10());
        }
    }
    let most = costs.iter().flatten().map(|cost| cost.megabytes).fold(0.0, f64::max);
    println!("{line}  {met}, at most {most:.0} MB");
}
