//! What kbfix costs, beside peers and as the work grows: `cargo bench --bench cost`.
//!
//! The first table is of whole processes, least CPU time of several runs (user and system, as GNU time tells), each beside
//! its peer, and whether the ratio is as wanted. The second is of growth: each job with 1,000, 10,000 and (with
//! KBFIX_COST_MOST=100000) 100,000 of something, and the exponent: 1 is linear, and 10 times the work may cost 11 times.
//! Needs /usr/bin/time, and for the peers hivexregedit (Debian: libwin-hivex-perl), check-jsonschema (pip), valgrind, and
//! ../shared/hives/regipy-SYSTEM.xz with xz; what is absent is skipped. This is a measurement, not a test: nothing here fails
//! by being slow.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and has nobody to recover for")]

use std::{
    fmt::Write as _,
    fs,
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
    let bench = Bench { folder: folder.path().to_owned() };
    println!("{:48} {:>9} {:>9} {:>7} {:>7}  met", "CPU time of whole processes", "kbfix", "peer", "ratio", "wanted");
    bench.small();
    bench.validate();
    bench.merge();
    println!("\n{:48} {:>9} {:>9} {:>9}  exponents", "CPU seconds as the work grows", "1,000", "10,000", "100,000");
    bench.growth();
}

struct Bench {
    folder: PathBuf,
}

impl Bench {
    fn at(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.folder.join(name), text).unwrap();
        self.at(name)
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
            Some(count) => println!("{what:48} {:>9.2} {:>9} {:>7} {:>7}  {}", count / 1e6, "", "", 6, count < 6e6),
            None => println!("{what:48} SKIPPED: valgrind is not installed"),
        }
    }

    /// The library, until it is 1,000 specs, beside check-jsonschema.
    fn validate(&self) {
        let specs = self.folder.join("specs");
        fs::create_dir(&specs).unwrap();
        let library: Vec<_> =
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("specs")).unwrap().flatten().collect();
        for number in 0..1000 {
            let file = library[number % library.len()].path();
            fs::copy(file, specs.join(format!("{number}.yaml"))).unwrap();
        }
        let kbfix = self.kbfix(&["validate", &specs.display().to_string()]);
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/spec.v1.schema.json");
        let mut peer = Command::new("check-jsonschema");
        peer.arg("--schemafile").arg(schema).args(fs::read_dir(&specs).unwrap().flatten().map(|entry| entry.path()));
        report("validate 1,000 specs; check-jsonschema", kbfix, self.run(&peer), 0.01);
    }

    /// 10,000 values into a real SYSTEM, in a journaled apply, beside hivexregedit --merge.
    fn merge(&self) {
        let what = "apply of 10,000 values to SYSTEM; hivexregedit";
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/hives/regipy-SYSTEM.xz");
        let unpacked = Command::new("xz").arg("-dc").arg(packed).output().ok().filter(|out| out.status.success());
        let Some(system) = unpacked.map(|out| out.stdout) else { return println!("{what:48} SKIPPED: no SYSTEM") };
        let keys = |line: &dyn Fn(&mut String, usize)| {
            let mut text = String::new();
            (0..10_000).for_each(|number| line(&mut text, number));
            text
        };
        let rules = keys(&|text, number| {
            if number % 10 == 0 {
                let _ = writeln!(
                    text,
                    "  - key: HKLM\\SYSTEM\\CurrentControlSet\\services\\kbfix\\key {}\n    values:",
                    number / 10
                );
            }
            let _ = writeln!(text, "      value {number}: {{ type: REG_SZ, data: data of value {number} }}");
        });
        let spec = self.write("merge.yaml", &format!("kbfix: 1\nid: MERGE\ntitle: merge\nregistry:\n{rules}"));
        let head = "Windows Registry Editor Version 5.00\r\n\r\n[ROOT\\ControlSet001\\services\\kbfix]\r\n";
        let text = keys(&|text, number| {
            if number % 10 == 0 {
                let _ = write!(text, "\r\n[ROOT\\ControlSet001\\services\\kbfix\\key {}]\r\n", number / 10);
            }
            let _ = write!(text, "\"value {number}\"=\"data of value {number}\"\r\n");
        });
        let merge = self.write("merge.reg", &format!("{head}{text}"));
        let fresh = || fs::write(self.folder.join("SYSTEM"), &system).unwrap();
        let target = format!("hive:{}=HKLM\\SYSTEM", self.at("SYSTEM"));
        let state = self.at("state");
        fresh();
        let kbfix = self.kbfix(&["apply", &spec, "--target", &target, "--state-dir", &state]);
        fresh();
        let mut peer = Command::new("hivexregedit");
        peer.args(["--merge", "--prefix", "ROOT", &self.at("SYSTEM"), &merge]);
        report(what, kbfix, self.run(&peer), 0.6);
    }

    fn growth(&self) {
        let most = std::env::var("KBFIX_COST_MOST").ok().and_then(|most| most.parse().ok()).unwrap_or(10_000);
        let counts: Vec<usize> = [1_000, 10_000, 100_000].into_iter().filter(|count| *count <= most).collect();
        for (what, spec) in [
            ("values of one key", one_key as fn(usize) -> String),
            ("keys of one value", flat),
            ("values, 10 a key", ten),
        ] {
            let mut costs: [Vec<Option<Cost>>; 4] = Default::default();
            for count in &counts {
                let spec =
                    self.write("grow.yaml", &format!("kbfix: 1\nid: GROW\ntitle: grow\nregistry:\n{}", spec(*count)));
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
            let add: Vec<String> = (0..count).map(|number| format!("new{number}")).collect();
            let rule = format!(
                "  - key: HKLM\\SOFTWARE\\L\n    values: {{ V: {{ type: REG_MULTI_SZ, list: {{ add: [{}] }} }} }}\n",
                add.join(", ")
            );
            (self.write("list.yaml", &format!("kbfix: 1\nid: LIST\ntitle: list\nregistry:\n{rule}")), export)
        });
        grow("specs of a run, 1 per 10 with a `*`: diff, export", &|count| {
            let folder = self.folder.join(format!("specs {count}"));
            fs::create_dir(&folder).unwrap();
            for number in 0..count / 10 {
                let key = if number % 10 == 0 { format!("Star\\*\\K{number}") } else { format!("Plain\\K{number}") };
                let rule =
                    format!("  - key: HKLM\\SOFTWARE\\{key}\n    values: {{ V: {{ type: REG_DWORD, data: 1 }} }}\n");
                let text = format!("kbfix: 1\nid: S{number}\ntitle: one\nregistry:\n{rule}");
                fs::write(folder.join(format!("{number}.yaml")), text).unwrap();
            }
            let keys: String =
                (0..10).map(|number| format!("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Star\\X{number}]\r\n")).collect();
            (
                folder.display().to_string(),
                self.export("star.reg", &format!("[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n{keys}")),
            )
        });
    }
}

fn one_key(count: usize) -> String {
    let values = (0..count).map(|number| format!("      V{number}: {{ type: REG_DWORD, data: {number} }}\n"));
    format!("  - key: HKLM\\SOFTWARE\\Grow\n    values:\n{}", values.collect::<String>())
}

fn flat(count: usize) -> String {
    let rule = |number| {
        format!("  - key: HKLM\\SOFTWARE\\Grow\\K{number:06}\n    values: {{ V: {{ type: REG_DWORD, data: 1 }} }}\n")
    };
    (0..count).map(rule).collect()
}

fn ten(count: usize) -> String {
    let values =
        |key: usize| (0..10).map(|v| format!("      V{v}: {{ type: REG_DWORD, data: {key} }}\n")).collect::<String>();
    (0..count / 10)
        .map(|key| format!("  - key: HKLM\\SOFTWARE\\Grow\\K{key:06}\n    values:\n{}", values(key)))
        .collect()
}

/// Prints a line of the first table; the ratio is that of kbfix to its peer.
fn report(what: &str, kbfix: Option<Cost>, peer: Option<Cost>, wanted: f64) {
    let seconds = |cost: Option<Cost>| cost.map_or("-".to_owned(), |cost| format!("{:.2} s", cost.seconds));
    let ratio = kbfix.zip(peer).map(|(kbfix, peer)| kbfix.seconds / peer.seconds);
    let (text, met) = match ratio {
        Some(ratio) => (format!("{ratio:.3}"), (ratio <= wanted).to_string()),
        None => ("-".to_owned(), "SKIPPED: not installed, or failed".to_owned()),
    };
    println!("{what:48} {:>9} {:>9} {text:>7} {wanted:>7}  {met}", seconds(kbfix), seconds(peer));
}

/// Prints a line of the second table: the seconds, the exponent of each step, and the most memory.
fn report_growth(what: &str, costs: &[Option<Cost>]) {
    let mut line = format!("{what:48}");
    for at in 0..3 {
        let text = costs.get(at).copied().flatten().map_or("-".to_owned(), |cost| format!("{:.2}", cost.seconds));
        let _ = write!(line, " {text:>9}");
    }
    for pair in costs.windows(2) {
        if let [Some(small), Some(large)] = pair {
            let _ = write!(line, "  {:.2}", (large.seconds / small.seconds.max(0.01)).log10());
        }
    }
    let most = costs.iter().flatten().map(|cost| cost.megabytes).fold(0.0, f64::max);
    println!("{line}  {most:.0} MB");
}
