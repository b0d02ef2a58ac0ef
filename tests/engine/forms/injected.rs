//! Injects a fault into each system call of an apply and of a rollback, on every kind of target that is a file.
//!
//! `strace` makes one call of the process fail (EIO, ENOSPC), makes all calls from one on fail, or kills the process at
//! a call. The test then compares the exit code with the state of the machine, and checks that a rollback and another
//! apply still work. With `KBFIX_INJECT=all` every call fails once. Without it only some calls do, so that each kind of
//! call is tested.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::scenario::{
    Scenario,
    content::content,
    machine::{Kind, Machine},
};

/// System calls that change something. If one fails, something of it can remain.
const WRITING: [&str; 18] = [
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "ftruncate",
    "fallocate",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "fchmod",
    "fchown",
    "fsetxattr",
    "flock",
    "linkat",
];
/// System calls that read. Only those after the first access to the target fail.
const READING: [&str; 6] = ["openat", "openat2", "read", "pread64", "getdents64", "statx"];

/// A spec that creates, updates and deletes keys and values.
const FORM: &str = r#"
form: everything at once
spec: |
  registry:
    - key: HKLM\SOFTWARE\kbfix-test-forms\Old
      values:
        a: { type: REG_SZ, data: after }
        b: { type: REG_DWORD, data: 2 }
        gone: { ensure: absent }
        list: { list: { add: [one, two], remove: [b] } }
    - { key: HKLM\SOFTWARE\kbfix-test-forms\Tree, ensure: absent }
    - key: HKLM\SOFTWARE\kbfix-test-forms\New\deep\er
      values:
        data: { type: REG_BINARY, data: "00112233445566778899aabbccddeeff" }
        number: { type: REG_QWORD, data: 7 }
registry: |
  [HKEY_LOCAL_MACHINE\SOFTWARE\kbfix-test-forms]
  [HKEY_LOCAL_MACHINE\SOFTWARE\kbfix-test-forms\Old]
  "a"="before, and rather longer than what comes"
  "b"=dword:00000001
  "gone"="x"
  "kept"="y"
  "list"=hex(7):61,00,00,00,62,00,00,00,00,00
  [HKEY_LOCAL_MACHINE\SOFTWARE\kbfix-test-forms\Tree]
  "t"="1"
  [HKEY_LOCAL_MACHINE\SOFTWARE\kbfix-test-forms\Tree\below]
  @="2"
"#;

/// A machine of one kind, with the files that are needed to restore it.
struct Stage {
    machine: Machine,
    spec: PathBuf,
    state: PathBuf,
    /// The files of the machine's folder with their bytes, at the beginning and after an apply.
    files: BTreeMap<PathBuf, Vec<u8>>,
    applied: BTreeMap<PathBuf, Vec<u8>>,
    before: String,
    after: String,
    faults: Vec<String>,
    runs: usize,
}

/// The fault that one run meets.
struct Injected<'a> {
    call: &'a str,
    how: String,
}

impl Stage {
    fn new(kind: Kind) -> Self {
        let mut text = FORM.to_owned();
        if kind == Kind::Through {
            // Both the policy and a hive are to be changed.
            text = ["Old", "New"].iter().fold(text, |text, name| {
                text.replace(&format!(r"SOFTWARE\kbfix-test-forms\{name}"), &format!(r"SOFTWARE\Policies\{name}"))
            });
        }
        let form: Scenario = serde_yaml::from_str(&text).unwrap();
        let machine = Machine::new(kind, &form);
        let spec = machine.folder.path().join("spec.yaml");
        fs::write(&spec, form.text()).unwrap();
        let state = machine.folder.path().join("state");
        let before = content(&machine);
        let files = files(machine.folder.path());
        let mut stage = Self {
            machine,
            spec,
            state,
            files,
            applied: BTreeMap::new(),
            before,
            after: String::new(),
            faults: Vec::new(),
            runs: 0,
        };
        assert_eq!(stage.kbfix("apply", None), 0);
        stage.after = content(&stage.machine);
        stage.applied = files_of(&stage);
        assert_ne!(stage.before, stage.after);
        stage
    }

    fn arguments(&self, command: &str) -> Vec<String> {
        let state = ["--state-dir".to_owned(), self.state.display().to_string()];
        let mut arguments: Vec<String> = match command {
            "rollback" => vec!["rollback".to_owned(), "--last".to_owned()],
            _ => {
                let mut words = vec![command.to_owned(), self.spec.display().to_string()];
                words.extend(["--target".to_owned(), self.machine.address.uri.clone()]);
                if self.machine.address.through_policy {
                    words.push("--through-policy".to_owned());
                }
                if let Some(drive) = &self.machine.address.files {
                    words.extend(["--files".to_owned(), drive.display().to_string()]);
                }
                words
            }
        };
        arguments.extend(state);
        arguments
    }

    /// Runs kbfix to its end, and returns the exit code, or 137 if the process was killed.
    fn kbfix(&mut self, command: &str, injected: Option<&Injected<'_>>) -> i32 {
        self.runs += 1;
        let binary = env!("CARGO_BIN_EXE_kbfix");
        let mut run = match injected {
            None => Command::new(binary),
            Some(Injected { call, how }) => {
                let mut strace = Command::new("strace");
                strace.args(["-f", "-qqq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
                strace.arg(format!("inject={call}:{how}")).arg(binary);
                strace
            }
        };
        run.args(self.arguments(command)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        run.status().unwrap().code().unwrap_or(137)
    }

    /// Returns, for each system call, how often the process makes it, and how often before the first access to the
    /// files of the test.
    fn calls(&mut self, command: &str) -> Vec<(String, usize, usize)> {
        let trace = self.machine.folder.path().join("trace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qqq", "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_kbfix")).args(self.arguments(command));
        let status = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success());
        let text = fs::read_to_string(&trace).unwrap();
        fs::remove_file(trace).unwrap();
        let folder = self.machine.folder.path().display().to_string();
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut own = false;
        for line in text.lines() {
            own |= line.contains(&folder) && !line.contains("execve");
            let Some(name) = line.split_once(' ').and_then(|(_, rest)| rest.trim_start().split_once('(')) else {
                continue;
            };
            let count = counts.entry(name.0.to_owned()).or_default();
            count.0 += 1;
            count.1 += usize::from(!own);
        }
        counts.into_iter().map(|(name, (all, before))| (name, all, before)).collect()
    }

    fn reset(&self, files: &BTreeMap<PathBuf, Vec<u8>>) {
        for path in self::files(self.machine.folder.path()).into_keys().filter(|path| !files.contains_key(path)) {
            fs::remove_file(path).unwrap();
        }
        for (path, bytes) in files {
            if fs::read(path).ok().as_ref() != Some(bytes) {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
        }
    }

    fn wrong(&mut self, what: &str, fault: &str) {
        let kind = self.machine.kind.name();
        self.faults.push(format!("{kind}: {what}: {fault}"));
    }

    /// Runs an apply with a fault. Checks that the exit code agrees with the state of the machine, and that a rollback
    /// and another apply work.
    fn apply(&mut self, injected: &Injected<'_>) {
        let what = format!("apply, {} {}", injected.call, injected.how);
        self.reset(&self.files);
        let code = self.kbfix("apply", Some(injected));
        let now = content(&self.machine);
        match code {
            0 | 8 if now != self.after => self.wrong(&what, &format!("exit {code}, and not all was made")),
            1..=5 if now != self.before => self.wrong(&what, &format!("exit {code}, and something was changed")),
            0..=6 | 8 | 127 | 137 => {}
            _ => self.wrong(&what, &format!("exit {code}")),
        }
        if now != self.before {
            let code = self.kbfix("rollback", None);
            if content(&self.machine) != self.before {
                self.wrong(&what, &format!("after exit {code} of the rollback it is not as before"));
            }
        }
        let code = self.kbfix("apply", None);
        if code != 0 || content(&self.machine) != self.after {
            self.wrong(&what, &format!("the next apply exits {code}, and does not make all"));
        }
    }

    /// Runs a rollback with a fault, with the same checks.
    fn rollback(&mut self, injected: &Injected<'_>) {
        let what = format!("rollback, {} {}", injected.call, injected.how);
        self.reset(&self.applied);
        let code = self.kbfix("rollback", Some(injected));
        let now = content(&self.machine);
        match code {
            0 | 8 if now != self.before => self.wrong(&what, &format!("exit {code}, and not all was put back")),
            1..=5 if now != self.after => self.wrong(&what, &format!("exit {code}, and something was changed")),
            0..=6 | 8 | 127 | 137 => {}
            _ => self.wrong(&what, &format!("exit {code}")),
        }
        if now != self.before {
            let code = self.kbfix("rollback", None);
            if content(&self.machine) != self.before {
                self.wrong(&what, &format!("after exit {code} of a second rollback it is not as before"));
            }
        }
    }
}

fn files_of(stage: &Stage) -> BTreeMap<PathBuf, Vec<u8>> {
    files(stage.machine.folder.path())
}

/// Returns all files below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { drop(found.insert(path.clone(), fs::read(path).unwrap())) }
        }
    }
    found
}

/// Returns the numbers of the calls that fail: all, or some of them at equal distances, including the first and the
/// last.
fn chosen(first: usize, last: usize, most: usize) -> Vec<usize> {
    let all = std::env::var_os("KBFIX_INJECT").is_some_and(|word| word == "all");
    let count = last + 1 - first;
    if all || count <= most {
        return (first..=last).collect();
    }
    (0..most).map(|at| first + at * (count - 1) / (most - 1).max(1)).collect()
}

fn inject(kind: Kind) {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("SKIPPED: strace is not installed");
        return;
    }
    let mut stage = Stage::new(kind);
    for command in ["apply", "rollback"] {
        stage.reset(if command == "apply" { &stage.files } else { &stage.applied });
        let mut met = 0;
        for (call, count, before) in stage.calls(command) {
            let is_writing = WRITING.contains(&&*call);
            if !is_writing && !READING.contains(&&*call) {
                continue;
            }
            let hows: &[&str] = match is_writing {
                true => &["error=EIO:when=#", "error=ENOSPC:when=#+", "signal=SIGKILL:when=#"],
                false => &["error=EIO:when=#"],
            };
            for how in hows {
                for number in chosen(before + 1, count, if is_writing { 4 } else { 3 }) {
                    let injected = Injected { call: &call, how: how.replace('#', &number.to_string()) };
                    match command {
                        "apply" => stage.apply(&injected),
                        _ => stage.rollback(&injected),
                    }
                    met += 1;
                }
            }
        }
        assert!(met >= 20, "{met} faults are too few to prove anything");
        println!("{}, {command}: {met} faults", kind.name());
    }
    let mut all = String::new();
    stage.faults.iter().for_each(|fault| writeln!(all, "{fault}").unwrap());
    assert!(all.is_empty(), "{all}");
}

#[test]
fn at_a_system_call_on_an_export() {
    inject(Kind::Reg);
}

#[test]
fn at_a_system_call_on_a_snapshot() {
    inject(Kind::Snapshot);
}

#[test]
fn at_a_system_call_on_an_image() {
    inject(Kind::Image);
}

#[test]
fn at_a_system_call_on_a_hive() {
    inject(Kind::Hive);
}

#[test]
fn at_a_system_call_on_an_image_through_its_policy() {
    inject(Kind::Through);
}

#[test]
fn at_a_system_call_on_a_policy() {
    inject(Kind::Pol);
}
