//! The second table: how the cost of each job grows with the work.

use std::{
    fmt::Write as _,
    num::NonZero,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use kbfix::example;

use super::{Bench, Cost, FIRST, chunks, ten};

/// The sizes between which instructions are counted.
const COUNTED: [usize; 2] = [1_000, 10_000];
/// The sizes between which CPU time is measured.
const MEASURED: [usize; 2] = [10_000, 100_000];

/// A run of kbfix: its name in the table, and its arguments.
type Step = (&'static str, Vec<String>);

/// A step with its instructions at each size, in millions.
type Counted = (&'static str, [Option<f64>; 2]);

/// A kind of item: its name, and a function that writes the files for a number of items and returns the steps. The
/// second argument is the name of the files.
type Kind = (&'static str, fn(&Bench, &str, usize) -> Vec<Step>);

const KINDS: [Kind; 7] = [
    ("values of one key", |bench, name, count| bench.keys(name, count, one_key)),
    ("keys of one value", |bench, name, count| bench.keys(name, count, flat)),
    ("values, 10 a key", |bench, name, count| bench.keys(name, count, ten)),
    ("users of one rule, a tenth as many", Bench::users),
    ("strings added to a list of as many", Bench::list),
    ("specs, a tenth as many, 1 of 10 with a `*`", Bench::stars),
    ("keys of a deleted tree, 20 deep", Bench::deep),
];

impl Bench {
    /// Prints the table.
    pub(super) fn growth(&self) {
        println!(
            "\n{:60} {:>9} {:>9} {:>9} {:>9}  exponents, met, most memory",
            "as the work grows: million instructions, CPU seconds", "1,000", "10,000", "10,000", "100,000"
        );
        let counts = self.counted();
        for (number, ((what, make), counts)) in KINDS.iter().zip(counts).enumerate() {
            let mut costs: Vec<Vec<Option<Cost>>> = Vec::new();
            for size in MEASURED.into_iter().filter(|size| *size <= self.most) {
                let steps = make(self, &format!("measured {number} {size}"), size);
                let rounds: Vec<Vec<Option<Cost>>> =
                    (0..3).map(|_| steps.iter().map(|(_, arguments)| self.kbfix(arguments)).collect()).collect();
                let least =
                    |step: usize| rounds.iter().filter_map(|round| round[step]).min_by(|a, b| a.cpu.total_cmp(&b.cpu));
                costs.push((0..steps.len()).map(least).collect());
            }
            for (at, (step, counts)) in counts.into_iter().enumerate() {
                print_line(&format!("{what}: {step}"), counts, costs.iter().map(|costs| costs[at]).collect());
            }
        }
    }

    /// Counts the instructions of all steps. Returns for each kind its steps, and for each step one count for each
    /// size. The number of instructions does not depend on what else the machine does, so all cores count at the same
    /// time.
    fn counted(&self) -> Vec<Vec<Counted>> {
        let jobs: Vec<(usize, usize)> =
            (0..KINDS.len()).flat_map(|kind| (0..COUNTED.len()).map(move |size| (kind, size))).collect();
        let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some((kind, size)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                let (_, make) = KINDS[kind];
                let steps = make(self, &format!("counted {kind} {size}"), COUNTED[size]);
                for (at, (step, arguments)) in steps.into_iter().enumerate() {
                    let count = self.count(&format!("log {kind} {size}"), &arguments);
                    found.lock().unwrap().push((kind, at, step, size, count));
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
                scope.spawn(work);
            }
        });
        let mut kinds = vec![Vec::new(); KINDS.len()];
        let mut found = found.into_inner().unwrap();
        found.sort_by_key(|(kind, at, _, size, _)| (*kind, *at, *size));
        for pair in found.chunks(2) {
            let (kind, _, step, ..) = pair[0];
            kinds[kind].push((step, [pair[0].4, pair[1].4]));
        }
        kinds
    }

    /// Values or keys, on an export and an image.
    fn keys(&self, name: &str, count: usize, rules: fn(Range<usize>) -> String) -> Vec<Step> {
        let specs = self.specs(&format!("{name} specs"), chunks(count, &rules));
        let empty = self.export(&format!("{name}.reg"), "[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n");
        let root = self.folder.join(name);
        example::make(&root).unwrap();
        let (image, state) = (format!("image:{}", root.display()), root.join("state").display().to_string());
        vec![
            ("diff, export", words(&["diff", &specs, "--target", &empty])),
            ("apply, image", words(&["apply", &specs, "--target", &image, "--state-dir", &state])),
            ("journal list", words(&["journal", "list", "--state-dir", &state])),
            ("rollback, image", words(&["rollback", "--last", "--state-dir", &state])),
        ]
    }

    fn users(&self, name: &str, count: usize) -> Vec<Step> {
        let profiles = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
        let user =
            |number| format!("[{profiles}\\S-1-5-21-1-2-3-{number}]\r\n[HKEY_USERS\\S-1-5-21-1-2-3-{number}]\r\n");
        let users: String = (FIRST..FIRST + count / 10).map(user).collect();
        let export = self.export(&format!("{name}.reg"), &format!("[{profiles}]\r\n{users}"));
        let rule = "  - key: HKCU\\Software\\X\n    values: { V: { type: REG_DWORD, data: 1 } }\n";
        diff(&self.specs(name, [rule.to_owned()]), &export)
    }

    fn list(&self, name: &str, count: usize) -> Vec<Step> {
        let list: String = (0..count).map(|number| format!("o{number:06}\0")).chain(["\0".to_owned()]).collect();
        let hex: Vec<String> =
            list.encode_utf16().flat_map(u16::to_le_bytes).map(|byte| format!("{byte:02x}")).collect();
        let key = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\L]\r\n";
        let export = self.export(&format!("{name}.reg"), &format!("{key}\"V\"=hex(7):{}\r\n", hex.join(",")));
        let add: Vec<String> = (0..count).map(|number| format!("n{number:06}")).collect();
        let value = format!("{{ type: REG_MULTI_SZ, list: {{ add: [{}] }} }}", add.join(", "));
        diff(&self.specs(name, [format!("  - key: HKLM\\SOFTWARE\\L\n    values: {{ V: {value} }}\n")]), &export)
    }

    fn stars(&self, name: &str, count: usize) -> Vec<Step> {
        let rule = |number: usize| {
            let key = if number.is_multiple_of(10) {
                format!("Star\\*\\K{number:06}")
            } else {
                format!("Plain\\K{number:06}")
            };
            format!("  - key: HKLM\\SOFTWARE\\{key}\n    values: {{ V: {{ type: REG_DWORD, data: 1 }} }}\n")
        };
        let keys: String =
            (0..10).map(|number| format!("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Star\\X{number}]\r\n")).collect();
        let export = self.export(&format!("{name}.reg"), &format!("[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n{keys}"));
        diff(&self.specs(name, (0..count / 10).map(rule)), &export)
    }

    fn deep(&self, name: &str, count: usize) -> Vec<Step> {
        let mut keys = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Deep]\r\n".to_owned();
        for chain in 0..count / 20 {
            let mut key = format!("HKEY_LOCAL_MACHINE\\SOFTWARE\\Deep\\{chain:06}");
            for _ in 0..20 {
                let _ = write!(keys, "[{key}]\r\n");
                key.push_str("\\d");
            }
        }
        let rules = "  - key: HKLM\\SOFTWARE\\Deep\n    ensure: absent\n".to_owned();
        diff(&self.specs(name, [rules]), &self.export(&format!("{name}.reg"), &keys))
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn diff(specs: &str, target: &str) -> Vec<Step> {
    vec![("diff, export", words(&["diff", specs, "--target", target]))]
}

fn one_key(numbers: Range<usize>) -> String {
    let values = numbers.map(|number| format!("      V{number:06}: {{ type: REG_DWORD, data: {} }}\n", FIRST + number));
    format!("  - key: HKLM\\SOFTWARE\\Grow\n    values:\n{}", values.collect::<String>())
}

fn flat(numbers: Range<usize>) -> String {
    let rule = |number| {
        format!("  - key: HKLM\\SOFTWARE\\Grow\\K{number:06}\n    values: {{ V: {{ type: REG_DWORD, data: 1 }} }}\n")
    };
    numbers.map(rule).collect()
}

/// Prints a line: the instructions, the seconds, the exponent of each step, whether all exponents keep the limit, and
/// the maximum memory.
fn print_line(what: &str, counts: [Option<f64>; 2], costs: Vec<Option<Cost>>) {
    let mut line = format!("{what:60}");
    let text =
        |number: Option<f64>, digits: usize| number.map_or("-".to_owned(), |number| format!("{number:.digits$}"));
    for count in counts {
        let _ = write!(line, " {:>9}", text(count, 0));
    }
    let seconds: Vec<Option<f64>> = costs.iter().map(|cost| cost.map(|cost| cost.cpu)).collect();
    for at in 0..MEASURED.len() {
        let _ = write!(line, " {:>9}", text(seconds.get(at).copied().flatten(), 2));
    }
    let steps = [&counts[..], &seconds[..]];
    let mut is_met = Some(true);
    for step in steps.into_iter().filter(|step| step.len() == 2) {
        match step {
            [Some(small), Some(large)] => {
                is_met = is_met.map(|met| met && large / small <= 11.0);
                let _ = write!(line, "  {:.2}", (large / small).log10());
            }
            _ => {
                line.push_str("     -");
                is_met = None;
            }
        }
    }
    let most = costs.iter().flatten().map(|cost| cost.megabytes).fold(0.0, f64::max);
    let met = is_met.map_or("not measured".to_owned(), |met| met.to_string());
    println!("{line}  {met}, {most:.0} MB");
}
