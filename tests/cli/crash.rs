//! An apply of 200 values is killed at random instants, by SIGKILL or by TerminateProcess on Windows. After every kill,
//! the test checks that `rollback` restores the state before the apply, and that another apply reaches the desired
//! state.
//!
//! Half of the kills are spread over the whole run, and half over the time after the journal was created.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const VALUES: usize = 200;
/// The number of kills. KBFIX_CRASH_INSTANTS sets another number.
const INSTANTS: usize = 60;

/// A target with 200 values to change. Its state is read and restored without kbfix.
trait Stage {
    fn uri(&self) -> String;
    /// Returns the state. Two states are equal if all keys, values and types are equal.
    fn state(&self) -> Vec<String>;
    fn reset(&self, state: &[String]);
    /// Returns how many of the 200 values are in desired state.
    fn changed(&self, state: &[String]) -> usize;
}

#[derive(Debug, Default)]
struct Tally {
    before_journal: usize,
    before_writes: usize,
    within_writes: usize,
    after_writes: usize,
    ended: usize,
}

/// Returns the spec. Half of its values exist with other data or another type, and half are absent. The keys of the
/// last values are absent too.
fn spec(key: &str) -> String {
    let value = |i: usize| format!("      v{i}: {{ type: REG_SZ, data: \"wanted {i} {}\" }}\n", "x".repeat(200));
    let rule = |key: &str, range: std::ops::Range<usize>| {
        format!("  - key: {key}\n    values:\n{}", range.map(value).collect::<String>())
    };
    let rules =
        rule(key, 0..100) + &rule(&format!(r"{key}\new\a"), 100..150) + &rule(&format!(r"{key}\new\b"), 150..VALUES);
    format!("kbfix: 1\nid: CRASH\ntitle: crash\nregistry:\n{rules}")
}

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn command(&self, command: &str, target: &str, state: &Path) -> Command {
        let mut kbfix = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        match command {
            "rollback" => drop(kbfix.args(["rollback", "--last"])),
            _ => drop(kbfix.arg(command).arg(self.path("crash.yaml")).args(["--target", target])),
        }
        if command != "diff" {
            kbfix.arg("--state-dir").arg(state);
        }
        kbfix.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        kbfix
    }

    #[track_caller]
    fn expect(&self, command: &str, target: &str, state: &Path, code: i32) {
        let output =
            self.command(command, target, state).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{command}: {output:?}");
    }
}

fn journals(state: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(state.join("journal")) else { return Vec::new() };
    entries.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "jsonl")).collect()
}

/// Waits until the journal exists or the process has ended.
fn until_journal(state: &Path, child: &mut Child) {
    while journals(state).is_empty() && child.try_wait().unwrap().is_none() {
        std::hint::spin_loop();
    }
}

fn pause(time: Duration) {
    let start = Instant::now();
    // A sleep is not exact enough for short times.
    if time > Duration::from_millis(20) {
        std::thread::sleep(time - Duration::from_millis(20));
    }
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// A random number generator (xorshift). Its seed is printed, but a run cannot be repeated exactly, because the timing
/// differs.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        limit.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

/// Returns a random part of the time `limit`. Short times are more frequent than long times.
fn random_part(random: &mut Random, limit: Duration) -> Duration {
    let part = random.below(limit);
    random.below(part)
}

fn kill_at_random_instants(stage: &dyn Stage, key: &str) -> Tally {
    let bench = Bench { folder: tempfile::tempdir().unwrap() };
    fs::write(bench.path("crash.yaml"), spec(key)).unwrap();
    let (uri, before) = (stage.uri(), stage.state());
    assert_eq!(stage.changed(&before), 0);
    // A whole run shows how long an apply takes, and how long the part after the start of the journal takes. The
    // shortest of three runs counts, so that on a busy machine few kills come after the end.
    let (mut whole, mut writing) = (Duration::MAX, Duration::MAX);
    for round in 0..3 {
        let state = bench.path(&format!("measure{round}"));
        let start = Instant::now();
        let mut child = bench.command("apply", &uri, &state).spawn().unwrap();
        until_journal(&state, &mut child);
        let from_journal = Instant::now();
        assert!(child.wait().unwrap().success());
        (whole, writing) = (whole.min(start.elapsed()), writing.min(from_journal.elapsed()));
        assert_eq!(stage.changed(&stage.state()), VALUES);
        stage.reset(&before);
        assert!(stage.state() == before);
    }
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    println!("a run takes {whole:?}, {writing:?} of it after the journal; seed {seed}");
    let mut random = Random(seed);
    let mut tally = Tally::default();
    let instants = std::env::var("KBFIX_CRASH_INSTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(INSTANTS);
    for instant in 0..instants {
        let state = bench.path(&format!("state{instant}"));
        let mut child = bench.command("apply", &uri, &state).spawn().unwrap();
        if instant % 2 == 0 {
            pause(random.below(whole));
        } else {
            until_journal(&state, &mut child);
            // After the start of the journal, the writes come first; reading back and flushing take most of the time.
            // So most kills come early.
            let part = random_part(&mut random, writing);
            pause(random.below(part));
        }
        let _ = child.kill();
        let ended = child.wait().unwrap().success();
        let left = stage.state();
        let changed = stage.changed(&left);
        let has_journal = !journals(&state).is_empty();
        match (has_journal, changed) {
            _ if ended => tally.ended += 1,
            (false, _) => tally.before_journal += 1,
            (true, 0) => tally.before_writes += 1,
            (true, VALUES) => tally.after_writes += 1,
            (true, _) => tally.within_writes += 1,
        }
        assert!(has_journal || left == before, "written without a journal");
        recover(&bench, stage, &before, &left, &state);
    }
    println!("{instants} kills: {tally:?}");
    tally
}

/// Rolls back. Then applies again to the same interrupted state, and rolls that back too.
fn recover(bench: &Bench, stage: &dyn Stage, before: &[String], left: &[String], state: &Path) {
    let uri = stage.uri();
    let second = state.with_extension("again");
    fs::create_dir_all(second.join("journal")).unwrap();
    for journal in journals(state) {
        fs::copy(&journal, second.join("journal").join(journal.file_name().unwrap())).unwrap();
    }
    if !journals(state).is_empty() {
        bench.expect("rollback", &uri, state, 0);
    }
    assert!(stage.state() == before, "the rollback did not restore every before-image");

    stage.reset(left);
    assert!(stage.state() == left);
    bench.expect("apply", &uri, &second, 0);
    assert_eq!(stage.changed(&stage.state()), VALUES);
    // The second apply is rolled back first, if it changed anything, and then the apply that was killed.
    let mut rollbacks = 0;
    while stage.state() != before {
        bench.expect("rollback", &uri, &second, 0);
        rollbacks += 1;
        assert!(rollbacks <= 2, "both applies rolled back, and not as before");
    }
}

#[cfg(not(windows))]
struct Export {
    file: PathBuf,
}

#[cfg(not(windows))]
impl Stage for Export {
    fn uri(&self) -> String {
        format!("reg:{}", self.file.display())
    }
    fn state(&self) -> Vec<String> {
        vec![fs::read_to_string(&self.file).unwrap()]
    }
    fn reset(&self, state: &[String]) {
        fs::write(&self.file, &state[0]).unwrap();
    }
    fn changed(&self, state: &[String]) -> usize {
        state[0].matches("\"=\"wanted ").count()
    }
}

/// This test does not run under Wine: the code is the same there, and each start of a process takes a second.
#[cfg(not(windows))]
#[test]
fn an_apply_to_an_export_is_killed_at_any_instant() {
    let folder = tempfile::tempdir().unwrap();
    let key = r"HKLM\SOFTWARE\kbfix-test-crash";
    let mut text =
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\kbfix-test-crash]\r\n".to_owned();
    for i in 0..50 {
        text.push_str(&format!("\"v{i}\"=dword:{i:08x}\r\n"));
    }
    let file = folder.path().join("machine.reg");
    fs::write(&file, format!("\u{FEFF}{text}\r\n")).unwrap();
    let tally = kill_at_random_instants(&Export { file }, key);
    // The file is replaced as a whole, so there is no state in between.
    assert_eq!(tally.within_writes, 0);
    assert!(tally.before_writes + tally.after_writes + tally.ended > INSTANTS / 4, "{tally:?}");
}

#[cfg(windows)]
mod local {
    use super::{Stage, VALUES, kill_at_random_instants};
    use kbfix::{
        registry::{Data, Key, KeyName},
        targets::{
            ChangeAction, KeyChange, KeyFacts, KeyQuery, Target, ValueChange, ValueSelection, local::LocalTarget,
        },
    };

    struct Live {
        key: Key,
    }

    impl Live {
        fn keys(&self) -> [Key; 4] {
            let below = |key: &Key, name: &str| key.child(&KeyName::new(name).unwrap());
            let new = below(&self.key, "new");
            [self.key.clone(), new.clone(), below(&new, "a"), below(&new, "b")]
        }

        fn facts(&self) -> Vec<Option<KeyFacts>> {
            let query = |key| KeyQuery { key, values: ValueSelection::All, subkeys: true };
            let answers = LocalTarget::new().read_keys(&self.keys().map(query)).unwrap();
            answers.into_iter().map(|answer| answer.known().unwrap()).collect()
        }
    }

    impl Stage for Live {
        fn uri(&self) -> String {
            "local".to_owned()
        }

        fn state(&self) -> Vec<String> {
            let mut lines = Vec::new();
            for (key, facts) in self.keys().iter().zip(self.facts()) {
                let Some(facts) = facts else { continue };
                lines.push(key.to_string());
                for (name, answer) in facts.values {
                    let data = answer.known().unwrap().unwrap();
                    lines.push(format!("{key}\t{name}\t{}", serde_json::to_string(&data).unwrap()));
                }
            }
            lines
        }

        fn reset(&self, state: &[String]) {
            let _ = windows_registry::LOCAL_MACHINE.remove_tree(self.key.path.below_root());
            let mut changes: Vec<KeyChange> = Vec::new();
            for line in state {
                let parts: Vec<&str> = line.split('\t').collect();
                match parts[..] {
                    [key] => {
                        let key = key.parse().unwrap();
                        changes.push(KeyChange::new(key, ChangeAction::Create, Vec::new()));
                    }
                    [_, name, data] => {
                        let data: Data = serde_json::from_str(data).unwrap();
                        let name = name.to_owned().try_into().unwrap();
                        changes.last_mut().unwrap().values.push(ValueChange { name, before: None, after: Some(data) });
                    }
                    _ => panic!("{line}"),
                }
            }
            LocalTarget::new().write(&changes).unwrap();
        }

        fn changed(&self, _: &[String]) -> usize {
            let wanted = |facts: &KeyFacts| {
                let text =
                    |answer: &kbfix::targets::Answer<Data>| answer.clone().known().ok().flatten()?.as_read_text();
                facts.values.iter().filter(|(_, a)| text(a).is_some_and(|t| t.starts_with("wanted "))).count()
            };
            self.facts().iter().flatten().map(wanted).sum()
        }
    }

    #[test]
    fn an_apply_to_the_live_registry_is_killed_at_any_instant() {
        let live = Live { key: r"HKLM\SOFTWARE\kbfix-test-crash".parse().unwrap() };
        let value = |i: u32| format!("{}\tv{i}\t{}", live.key, serde_json::to_string(&Data::dword(i)).unwrap());
        let state: Vec<String> = std::iter::once(live.key.to_string()).chain((0..50).map(value)).collect();
        live.reset(&state);
        let tally = kill_at_random_instants(&live, &live.key.to_string());
        let _ = windows_registry::LOCAL_MACHINE.remove_tree(live.key.path.below_root());
        // About 9 of 60 kills do. The exact number varies.
        assert!(tally.within_writes >= 1, "too few kills hit the writes to prove anything: {tally:?}");
        assert!(tally.within_writes < VALUES);
    }
}
