//! Standard output, standard error and colours.

use std::{
    io::Read,
    process::{Command, Stdio},
};

use crate::harness::Machine;

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

#[test]
fn there_is_no_colour_in_a_pipe_nor_with_no_color() {
    let machine = Machine::new();
    for line in ["diff KB909094 @target", "diff KB909094 --set realm_hint=2 @target", "--help"] {
        assert!(!output(&mut machine.command(line)).contains('\u{1b}'), "{line}");
        let text = output(machine.command(line).env("NO_COLOR", "1").env("TERM", "xterm"));
        assert!(!text.contains('\u{1b}'), "{line}");
    }
    let forced = output(machine.command("diff KB909094 @target").env("CLICOLOR_FORCE", "1").env("TERM", "xterm"));
    assert!(forced.contains("\u{1b}["), "{forced}");
}

#[test]
fn json_on_standard_output_is_one_document_and_nothing_else() {
    let machine = Machine::new();
    for (line, code) in [("diff KB909094 @target", 1), ("diff KB909094 --set realm_hint=2 @target", 2)] {
        let run = machine.run(&format!("{line} --format json")).code(code);
        assert_eq!(run.json()["exit_code"], code);
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let machine = Machine::new();
    for (line, code) in [("diff KB909094 --format json @target", 1), ("completions bash", 0), ("schema report", 0)] {
        let mut child = machine.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(code), ""), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let machine = Machine::new();
    let run = |line: &str, code: i32| {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = machine.command(line).stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert!(said.contains("standard output: "), "{line}: {said}");
        said
    };
    // A DSC resource has no report, but says the same.
    let input = machine.path("input.json");
    let target = format!("reg:{}", machine.path("machine.reg").display());
    let files = machine.path("C").display().to_string();
    std::fs::write(&input, serde_json::json!({ "specs": ["KB909094"], "target": target, "files": files }).to_string())
        .unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut set = machine.command("dsc set --type Kbfix/SpecList @state");
    let set = set.stdin(std::fs::File::open(&input).unwrap()).stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&set.stderr);
    assert!(set.status.code() == Some(8) && said.contains("the target was changed; the journal is"), "{said}");
    machine.run("rollback --last @state").code(0);

    let nothing = "nothing was changed in the registry of the target; free some space on that disk, or send";
    assert!(run("diff KB909094 @target", 2).contains(nothing));
    let next = "= help: free some space on that disk, or send the output to another place\n";
    for line in
        ["snapshot KB909094 @target --out -", "--help", "schema report", "completions bash", "validate KB909094"]
    {
        let said = run(line, 2);
        assert!(said.contains(next), "{line}: {said}");
    }
    for format in ["human", "json", "markdown"] {
        let said = run(&format!("apply KB909094 @target @state --format {format}"), 8);
        let journal = machine.journals().pop().unwrap();
        assert!(said.contains("the target was changed; the journal is") && said.contains(&journal), "{said}");
        assert!(run("apply KB909094 @target @state", 2).contains(nothing));
        assert!(run("rollback --last --check @state", 2).contains(nothing));
        run(&format!("rollback --last @state --format {format}"), 8);
    }
    // A script that accepts the codes 3 and 4 must not take a part of the report for all of it.
    machine.set_dll([6, 5, 7638, 1]);
    assert!(run("apply KB909094 @target @state", 2).contains(nothing));
    std::fs::create_dir(machine.path("snapshots")).unwrap();
    machine.write("snapshots/DAMAGED.json", "{");
    machine.run("fleet diff KB909094 --snapshots @/snapshots --format json --lines").code(3);
    assert!(run("fleet diff KB909094 --snapshots @/snapshots --format json --lines", 2).contains(next));
    machine.run("fleet plan KB909094 --snapshots @/snapshots --out @/fleet.plan").code(3);
    assert!(run("fleet plan KB909094 --snapshots @/snapshots --out @/fleet.plan", 2).contains(next));
    let key = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\Other";
    let rule = format!("  - key: {key}\n    values: {{ V: {{ type: REG_SZ, data: a }} }}\n");
    machine.write("other.yaml", &format!("kbfix: 1\nid: OTHER\ntitle: t\nregistry:\n{rule}"));
    assert!(run("apply KB909094 @/other.yaml @target @state", 8).contains("the target was changed; the journal is"));
}
