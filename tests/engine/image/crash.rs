//! Tests crashes: a kill between two hives, kills at random instants, and a disk on which the second hive cannot be
//! written.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
    time::Duration,
};

use kbfix::{
    format::regf::{Hive, Severity},
    registry::{Data, ValueType},
};

use crate::hives::support::{Random, setting};

use super::support::{Machine, NTUSER, Run, SOFTWARE, SYSTEM};

/// A spec that changes three hives in one apply.
const SPEC: &str = r"kbfix: 1
id: KB4
title: Three hives
registry:
  - key: HKLM\SYSTEM\CurrentControlSet\Services\New
    values:
      Number: { type: REG_DWORD, data: 7 }
  - key: HKLM\SOFTWARE\Microsoft\Exchange\Setup
    values:
      ServicePackNumber: { type: REG_DWORD, data: 9 }
      Services Version: { ensure: absent }
  - key: HKCU\Control Panel\Desktop
    values:
      Text: { type: REG_SZ, data: some text }
";

/// Returns a machine with a large SOFTWARE hive, and the path of the spec.
fn machine() -> (Machine, String) {
    let machine = Machine::new();
    let large = Data::new(ValueType::BINARY, vec![7; 900_000]);
    machine.edit(SOFTWARE, |editor| assert!(editor.set_value("", "Large", &large).unwrap()));
    let spec = machine.beside("spec.yaml", SPEC).to_str().unwrap().to_owned();
    (machine, spec)
}

/// Runs `kbfix apply` from a shell that first limits the size of files, so that SYSTEM can be written and SOFTWARE
/// cannot.
fn apply_limited(machine: &Machine, spec: &str, before: &str) -> Run {
    let apply = machine.command(&["apply", spec]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{before} ulimit -f 1000; exec \"$@\"")).arg("sh").arg(apply.get_program());
    shell.args(apply.get_args());
    for (name, value) in apply.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    Run(shell.output().unwrap())
}

fn whole(machine: &Machine) {
    for file in [SYSTEM, SOFTWARE, NTUSER] {
        let hive = Hive::open(fs::read(machine.path(file)).unwrap(), &[]).unwrap();
        let errors: Vec<_> = hive.check().into_iter().filter(|f| f.severity == Severity::Error).collect();
        assert_eq!(errors, [], "{file}");
    }
}

#[test]
fn killed_between_two_hives_the_journal_puts_both_back() {
    let (machine, spec) = machine();
    let before = machine.content();
    let run = apply_limited(&machine, &spec, "");
    const SIGXFSZ: i32 = 25;
    assert_eq!(run.0.status.signal(), Some(SIGXFSZ), "{}", run.text());
    whole(&machine);
    let half = machine.content();
    assert!(half.contains_key(&format!(r"{SYSTEM}\ControlSet001\Services\New")), "SYSTEM was not saved first");
    assert!(!half.contains_key(&format!(r"{NTUSER}\Control Panel\Desktop")));
    machine.kbfix(&["rollback", "--last"]).exits(0);
    assert_eq!(machine.content(), before);
    machine.kbfix(&["apply", &spec]).exits(0);
}

#[test]
fn a_hive_that_cannot_be_saved_undoes_those_before_it() {
    let (machine, spec) = machine();
    let before = machine.content();
    apply_limited(&machine, &spec, "trap '' XFSZ;").exits(5).says("SOFTWARE");
    assert_eq!(machine.content(), before);
    let left = fs::read_dir(machine.path("Windows/System32/config")).unwrap();
    assert!(left.map(|e| e.unwrap().file_name()).all(|name| !name.to_string_lossy().contains("kbfix")));
}

#[test]
fn killed_at_any_instant_every_hive_is_whole_and_the_journal_puts_them_back() {
    let (machine, spec) = machine();
    let before = machine.content();
    let mut random = Random(909_094);
    // The time that an apply takes, so that the kills are spread over all of it.
    let started = std::time::Instant::now();
    machine.kbfix(&["apply", &spec]).exits(0);
    let takes = started.elapsed().as_micros() as usize;
    machine.kbfix(&["rollback", "--last"]).exits(0);
    let (wanted, mut killed, mut half) = (setting("KBFIX_KILLS", 30), 0, 0);
    for _ in 0..wanted * 20 {
        let mut child = machine.command(&["apply", &spec]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(random.below(takes) as u64));
        child.kill().unwrap();
        let was_killed = child.wait().unwrap().signal().is_some();
        whole(&machine);
        let now = machine.content();
        killed += u64::from(was_killed);
        if now != before {
            half += u64::from(was_killed && !now.contains_key(&format!(r"{NTUSER}\Control Panel\Desktop")));
            machine.kbfix(&["rollback", "--last"]).exits(0);
        }
        assert_eq!(machine.content(), before);
        if killed >= wanted {
            break;
        }
    }
    println!("{killed} applies were killed before their end, {half} of them between two hives");
    assert!(killed >= wanted, "only {killed} applies were killed before their end");
}
