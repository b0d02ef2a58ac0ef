//! Lines of the first table: the live registry of a Windows, here of Wine, beside Wine's own reg.exe.
//!
//! A process of Wine works in two: itself, and the server of its prefix, which holds the registry. So the CPU time of
//! both counts. The prefix is warm: another process keeps its services running. kbfix and its peer take turns.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::{
    Bench,
    processes::{report, report_count},
};

/// The number of times that each process runs. The least CPU time counts.
const ROUNDS: usize = 5;
/// The loader of Wine's 64-bit programs, where Debian has it. The command `wine` is a script, which takes time itself.
const LOADER: &str = "/usr/lib/wine/wine64";
/// The Windows program, as `tests/wine/cargo build --release` builds it.
const PROGRAM: &str = "target/windows/x86_64-win7-windows-gnu/release/kbfix.exe";
/// Wine's reg.exe by its full path: Wine starts a program that is given by name through another process, whose CPU time
/// alone would be counted.
const REG: &str = r"C:\windows\system32\reg.exe";
/// The key of all values.
const TOP: &str = r"HKLM\SOFTWARE\Grow";

impl Bench {
    /// 1,000 and 10,000 values, 10 a key, in the live registry: a journaled apply beside an import, and a diff that
    /// finds nothing to do beside a query.
    pub(super) fn local(&self) {
        let skipped = |why: &str| println!("{:54} SKIPPED: {why}", "local under Wine; reg.exe");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(PROGRAM);
        if !program.exists() {
            return skipped("no kbfix.exe; build it with tests/wine/cargo build --release");
        }
        let Some(wine) = Wine::start(self.folder.join("prefix")) else { return skipped("Wine is not installed") };
        for (count, most) in [(1_000, 1.5), (10_000, 2.0)].into_iter().filter(|(count, _)| *count <= self.most) {
            self.beside_reg(&wine, &program, count, most);
        }
    }

    fn beside_reg(&self, wine: &Wine, program: &Path, count: usize, most: f64) {
        let program = program.display().to_string();
        let specs = self.specs(&format!("local {count}"), [super::ten(0..count)]);
        let mut text = String::new();
        for key in 0..count / 10 {
            let _ = write!(text, "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Grow\\K{key:06}]\r\n");
            for value in 0..10 {
                let _ = write!(text, "\"V{value}\"=dword:{:08x}\r\n", super::FIRST + key);
            }
            text.push_str("\r\n");
        }
        let file = format!("local {count}.reg");
        self.export(&file, &text);
        let file = format!("Z:{}", self.at(&file));
        let state = self.at("local state");
        let local = ["--target", "local", "--state-dir", &state];
        let import = [REG, "import", &file];
        let query = [REG, "query", TOP, "/s"];
        let apply = [&[&*program, "apply", &specs], &local[..]].concat();
        let diff = [&[&*program, "diff", &specs], &local[..]].concat();
        let clear = || self.wine(wine, &[REG, "delete", TOP, "/f"]);
        let [mut imports, mut applies, mut queries, mut diffs] = [const { Vec::new() }; 4];
        for _ in 0..ROUNDS {
            clear();
            imports.push(self.wine(wine, &import));
            clear();
            applies.push(self.wine(wine, &apply));
            queries.push(self.wine(wine, &query));
            diffs.push(self.wine(wine, &diff));
        }
        let (diff_calls, query_calls) = (wine.calls(&diff), wine.calls(&query));
        clear();
        let apply_calls = wine.calls(&apply);
        clear();
        let import_calls = wine.calls(&import);
        // The time of a process that failed does not count.
        let least = |costs: Vec<Option<f64>>, calls: Option<f64>| {
            let costs: Option<Vec<f64>> = costs.into_iter().collect();
            costs?.into_iter().min_by(f64::total_cmp).filter(|_| calls.is_some())
        };
        let what = format!("local under Wine: apply of {count} values; reg import");
        report(&what, least(applies, apply_calls), least(imports, import_calls), most);
        report_count("the same, registry calls", apply_calls, import_calls, most);
        let what = format!("local under Wine: diff of {count} values; reg query /s");
        report(&what, least(diffs, diff_calls), least(queries, query_calls), 0.5);
        report_count("the same, registry calls", diff_calls, query_calls, 0.5);
    }

    /// Runs a program under Wine; returns the CPU time that it and the server took, in seconds.
    fn wine(&self, wine: &Wine, arguments: &[&str]) -> Option<f64> {
        let before = wine.server_time()?;
        let command = wine.command(arguments);
        let cost = self.run(&command)?;
        // The server still removes what the process leaves.
        thread::sleep(Duration::from_millis(100));
        Some(cost.cpu + wine.server_time()? - before)
    }
}

/// A prefix of Wine with its server.
struct Wine {
    prefix: PathBuf,
    /// The folder of the server's process in /proc.
    server: PathBuf,
    /// A process that waits for its standard input. As long as it runs, the server and the services of the prefix run.
    keeper: Child,
}

impl Wine {
    /// Makes the prefix and starts its server; `None` if there is no Wine.
    fn start(prefix: PathBuf) -> Option<Self> {
        let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wine/run");
        let mut keeper = Command::new(run);
        keeper.arg("cmd").env("WINEPREFIX", &prefix).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut wine = Self { prefix, server: PathBuf::new(), keeper: keeper.spawn().ok()? };
        // The first start of a prefix takes up to half a minute.
        for _ in 0..120 {
            thread::sleep(Duration::from_secs(1));
            if wine.keeper.try_wait().ok()?.is_some() {
                return None;
            }
            if wine.prefix.join("system.reg").exists()
                && let Some(server) = wine.find_server()
            {
                wine.server = server;
                // Until the services have started.
                thread::sleep(Duration::from_secs(5));
                return Some(wine);
            }
        }
        None
    }

    fn find_server(&self) -> Option<PathBuf> {
        let own = format!("WINEPREFIX={}\0", self.prefix.display());
        fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path()).find(|process| {
            let starts = |name: &str, with: &str| {
                fs::read_to_string(process.join(name)).is_ok_and(|text| text.starts_with(with))
            };
            starts("comm", "wineserver")
                && fs::read(process.join("environ")).is_ok_and(|all| String::from_utf8_lossy(&all).contains(&own))
        })
    }

    /// Returns the CPU time of the server so far, in seconds.
    fn server_time(&self) -> Option<f64> {
        let text = fs::read_to_string(self.server.join("schedstat")).ok()?;
        Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.debugged("-all", arguments)
    }

    fn debugged(&self, channels: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("env");
        command.arg(format!("WINEPREFIX={}", self.prefix.display())).arg(format!("WINEDEBUG={channels}"));
        command.arg(if Path::new(LOADER).exists() { LOADER } else { "wine" }).args(arguments);
        command
    }

    /// Runs a program, which must succeed, and counts its calls of the system functions for the registry. Wine does
    /// not trace questions about a key itself, such as for its name.
    fn calls(&self, arguments: &[&str]) -> Option<f64> {
        let out = self.debugged("-all,+reg", arguments).stdin(Stdio::null()).stdout(Stdio::null()).output().ok()?;
        if !out.status.success() {
            return None;
        }
        Some(
            String::from_utf8_lossy(&out.stderr)
                .lines()
                .filter(|line| line.contains(":reg:Nt") && !line.contains("<-"))
                .count() as f64,
        )
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        for option in ["-k", "-w"] {
            let _ = Command::new("wineserver").arg(option).env("WINEPREFIX", &self.prefix).status();
        }
        let _ = self.keeper.wait();
    }
}
