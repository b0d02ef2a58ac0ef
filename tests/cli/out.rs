//! Tests `--out`: which files it may name, and how they are written.

use std::{collections::BTreeSet, fs};

use crate::harness::Machine;

/// Checks that the command is refused and that the file is not changed.
#[track_caller]
fn refused(machine: &Machine, line: &str, file: &str) {
    let before = fs::read(machine.path(file)).ok();
    let run = machine.run(line).code(2).says("out-is-input");
    assert_eq!(run.stdout, "", "{line}");
    assert_eq!(fs::read(machine.path(file)).ok(), before, "{line}");
}

#[test]
fn what_a_command_reads_it_does_not_write() {
    let machine = Machine::new();
    let spec = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/specs/KB909094.yaml")).unwrap();
    machine.write("a.yaml", &spec);
    machine.run("snapshot KB909094 @target --out @/s.json").code(0);
    machine.run("diff KB909094 @target --out @/p.json").code(1);
    fs::copy(machine.path("machine.reg"), machine.path("i.reg")).unwrap();
    for (line, file) in [
        ("diff KB909094 @target --out @/machine.reg", "machine.reg"),
        ("diff KB909094 @target --out @/C/../machine.reg", "machine.reg"),
        ("diff KB909094 @target --out @/C/plan.json", "C/plan.json"),
        ("diff @/a.yaml @target --out @/a.yaml", "a.yaml"),
        ("diff --plan @/p.json @target --out @/p.json", "p.json"),
        ("diff KB909094 --target snapshot:@/s.json --out @/s.json", "s.json"),
        ("snapshot KB909094 --target snapshot:@/s.json --out @/s.json", "s.json"),
        ("import @/i.reg --id X --out @/i.reg", "i.reg"),
        ("export @/a.yaml --format dsc --out @/a.yaml", "a.yaml"),
    ] {
        refused(&machine, line, file);
    }
    fs::create_dir(machine.path("specs")).unwrap();
    machine.write("specs/a.yaml", &spec);
    refused(&machine, "export @/specs --format dsc --out @/specs/a.yaml", "specs/a.yaml");
    // A new file in the same folder is written.
    machine.run("export @/specs --format dsc --out @/specs/a.json").code(0);
}

#[test]
fn no_file_of_an_image_or_hive_is_written() {
    let machine = Machine::new();
    machine.run("example @/dd").code(0);
    let system = "dd/Windows/System32/config/SYSTEM";
    fs::write(machine.path("dd/Windows/System32/config/system.log2"), b"").unwrap();
    for (target, file) in [
        ("image:@/dd", system),
        ("image:@/dd", "dd/new.json"),
        (r"hive:@/dd/Windows/System32/config/SYSTEM=HKLM\SYSTEM", system),
        (r"hive:@/dd/Windows/System32/config/SYSTEM=HKLM\SYSTEM", "dd/Windows/System32/config/SYSTEM.LOG1"),
        (r"hive:@/dd/Windows/System32/config/SYSTEM=HKLM\SYSTEM", "dd/Windows/System32/config/system.log2"),
    ] {
        refused(&machine, &format!("diff KB909094 --target {target} --out @/{file}"), file);
    }
}

#[test]
fn the_gpt_ini_of_a_policy_file_and_a_journal_are_not_written() {
    let machine = Machine::new();
    let values = "values: { A: { type: REG_DWORD, data: 1 } }";
    let spec = format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\T\n    {values}\n");
    machine.write("t.yaml", &spec);
    fs::create_dir_all(machine.path("GroupPolicy/Machine")).unwrap();
    let line = "diff @/t.yaml --target pol:@/GroupPolicy/Machine/Registry.pol";
    // A file that the apply would create.
    refused(&machine, &format!("{line} --out @/GroupPolicy/gpt.ini"), "GroupPolicy/gpt.ini");
    machine.write("GroupPolicy/GPT.INI", "[General]\r\nVersion=1\r\n");
    refused(&machine, &format!("{line} --out @/GroupPolicy/GPT.INI"), "GroupPolicy/GPT.INI");
    machine.run(&format!("{line} --out @/GroupPolicy/p.json")).code(1);

    machine.run("apply KB909094 @target @state").code(0);
    let journal = format!("state/journal/{}", machine.journals()[0]);
    refused(&machine, &format!("retire KB909094 @target @state --out @/{journal}"), &journal);
    refused(&machine, &format!("diff KB909094 --symptoms @target @state --out @/{journal}"), &journal);
    machine.run("retire KB909094 @target @state --out @/state/p.json").code(1);
}

/// The names of the commands that write a file or folder, as in the names of their pages.
fn writers() -> BTreeSet<String> {
    let pages = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/commands")).unwrap();
    let writes = |text: String| text.lines().any(|line| line.starts_with("- `--out ") || line.starts_with("- `[DIR]"));
    let is_writer =
        |page: &fs::DirEntry| page.file_name() == "man.md" || writes(fs::read_to_string(page.path()).unwrap());
    let pages = pages.map(Result::unwrap).filter(is_writer);
    pages.map(|page| page.file_name().into_string().unwrap().trim_end_matches(".md").to_owned()).collect()
}

#[test]
fn no_command_writes_into_the_folder_with_the_journals() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    fs::create_dir(machine.path("fleet")).unwrap();
    machine.run("snapshot KB909094 @target --out @/fleet/a.json").code(0);
    let journals = machine.journals();
    let mut tried = BTreeSet::new();
    for (command, line) in [
        ("diff", "diff KB909094 @target --out"),
        ("retire", "retire KB909094 @target --out"),
        ("snapshot", "snapshot KB909094 @target --out"),
        ("fleet-plan", "fleet plan KB909094 --snapshots @/fleet --out"),
        ("import", "import @/machine.reg --id X --out"),
        ("export", "export KB909094 --format dsc --out"),
        ("export", "export KB909094 --format intune --out"),
        ("dsc", "dsc manifest --out"),
        ("man", "man"),
        ("example", "example"),
    ] {
        let mut run = machine.command(&format!("{line} @/state/journal/new"));
        let run = run.env("KBFIX_STATE_DIR", machine.path("state")).output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains("out-is-input") && said.contains("the folder with the journals"), "{line}: {said}");
        assert_eq!(machine.journals(), journals, "{line}");
        tried.insert(command.to_owned());
    }
    assert_eq!(tried, writers(), "add the new command to the list");
}

#[cfg(target_os = "linux")]
#[test]
fn no_script_is_replaced_if_the_other_one_cannot_be_written() {
    let machine = Machine::new();
    fs::create_dir(machine.path("scripts")).unwrap();
    machine.write("scripts/detect.ps1", "old");
    std::os::unix::fs::symlink("/dev/full", machine.path("scripts/remediate.ps1")).unwrap();
    machine.run("export KB909094 --format intune --out @/scripts").code(2).says("file-access").says("remediate.ps1");
    assert_eq!(machine.read("scripts/detect.ps1"), "old");
    assert_eq!(fs::read_dir(machine.path("scripts")).unwrap().count(), 2);
}

#[test]
fn the_plan_of_a_diff_does_not_go_where_the_report_goes() {
    let machine = Machine::new();
    machine.run("diff KB909094 @target --out -").code(2).says("--with-plan");
    assert!(!machine.path("-").exists());
    let both = machine.run("diff KB909094 @target --with-plan --with-markdown --format json").code(1).json();
    assert!(both["markdown"].as_str().unwrap().starts_with("## kbfix on FRONTEND1\n"), "{both:#}");
    assert!(both["plan"].as_str().unwrap().contains("kbfix_plan"), "{both:#}");
    machine.run("diff KB909094 @target --out @/no/p.json").code(2).says("the folder exists");
    machine.run("diff KB909094 @target --out @/C").code(2).says("this is a folder");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_two_names_of_one_file_are_one() {
    use std::os::unix::fs::symlink;
    let machine = Machine::new();
    machine.write("real.json", "old");
    symlink("real.json", machine.path("link.json")).unwrap();
    symlink("new.json", machine.path("dangling.json")).unwrap();
    machine.run("diff KB909094 @target --out @/link.json").code(1);
    machine.run("diff KB909094 @target --out @/dangling.json").code(1);
    assert!(fs::symlink_metadata(machine.path("link.json")).unwrap().is_symlink());
    assert_eq!(machine.read("real.json"), machine.read("new.json"));
    assert!(machine.read("real.json").contains("\"kbfix_plan\": 1"));

    fs::hard_link(machine.path("machine.reg"), machine.path("other.reg")).unwrap();
    symlink("other.reg", machine.path("link.reg")).unwrap();
    refused(&machine, "diff KB909094 @target --out @/other.reg", "machine.reg");
    refused(&machine, "diff KB909094 @target --out @/link.reg", "machine.reg");
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_or_device_is_written_to_and_stays() {
    use std::{io::Read as _, os::unix::fs::FileTypeExt as _, process::Command, process::Stdio};
    let machine = Machine::new();
    let fifo = machine.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (reader, mut text) = (fifo.clone(), String::new());
    let read = std::thread::spawn(move || fs::read_to_string(reader).unwrap());
    machine.run("diff KB909094 @target --out @/fifo").code(1);
    assert!(read.join().unwrap().contains("\"kbfix_plan\": 1"));
    assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());

    // The file is another name for standard output. The command writes the document if nothing else goes to standard
    // output, and is refused otherwise.
    let mut child =
        machine.command("snapshot KB909094 @target --out /proc/self/fd/1").stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success() && text.contains("\"kbfix_snapshot\": 1"), "{text}");
    machine.run("diff KB909094 @target --out /proc/self/fd/1").code(2).says("is standard output");

    // A device such as `/dev/full`, named through a link, so that a fault in kbfix replaces only the link.
    std::os::unix::fs::symlink("/proc/self/fd/0", machine.path("device")).unwrap();
    let mut command = machine.command("diff KB909094 @target --out @/device");
    let full = fs::OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
    let output = command.stdin(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("file-access"), "{output:?}");
    assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
    assert!(fs::symlink_metadata(machine.path("device")).unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let machine = Machine::new();
    let file = fs::File::create(machine.path("big")).unwrap();
    file.set_len(5 << 30).unwrap();
    for (line, code) in [
        ("diff KB909094 --target reg:@/big", 3),
        ("diff KB909094 --target snapshot:@/big", 3),
        ("diff --plan @/big @target", 2),
        ("import @/big --id X", 2),
        ("rollback @/big @state", 2),
        ("journal show @/big @state", 2),
        ("hive check @/big", 3),
    ] {
        machine.run(line).code(code).says("more than");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_has_no_end_is_refused() {
    let machine = Machine::new();
    for (line, code) in [
        ("diff KB909094 --target reg:/dev/zero", 3),
        ("diff KB909094 --target snapshot:/dev/zero", 3),
        ("diff KB909094 --target hive:/dev/zero=HKLM\\SYSTEM", 3),
        ("hive check /dev/zero", 3),
        ("rollback /dev/zero @state", 2),
        ("journal show /dev/zero @state", 2),
    ] {
        machine.run(line).code(code).says("it is not a file");
    }
}

/// With other formats and commands, `-` is standard output.
#[test]
fn a_folder_is_not_written_to_standard_output() {
    let machine = Machine::new();
    for line in ["export KB909094 --format intune --out -", "dsc manifest --out -", "man -", "example -"] {
        let mut command = machine.command(line);
        let run = command.current_dir(machine.path("")).output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains("`-` means standard output, but this command writes a folder"), "{line}: {said}");
        assert!(!machine.path("-").exists(), "{line}");
    }
}
