//! Tests the table of exit codes in docs/reference/exit-codes.md: a simple case for each code, and what the streams
//! contain.

use kbfix::{diag::Exit, plan::Outcome};

use crate::harness::Machine;

/// Returns the rows of a page's tables, without the heads.
fn rows(page: &str) -> Vec<Vec<&str>> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").collect())
        .collect()
}

#[test]
fn the_page_has_the_table() {
    let page = include_str!("../../docs/reference/exit-codes.md");
    let rows = rows(page);
    let begins_with = |row: &[&str], found: fn(&char) -> bool| row[0].chars().next().is_some_and(|first| found(&first));
    let codes = rows.iter().filter(|row| begins_with(row, char::is_ascii_digit));
    let outcomes = rows.iter().filter(|row| begins_with(row, |first| *first == '`'));
    let expected = Exit::ALL.map(|exit| (exit.code().to_string(), exit.meaning(), exit.changed()));
    let found: Vec<_> = codes.map(|row| (row[0].to_owned(), row[1], row[2])).collect();
    assert_eq!(found, expected);

    let mut listed = 0;
    for row in outcomes {
        let word = row[0].trim_matches('`');
        let outcome: Outcome = serde_json::from_value(word.into()).unwrap();
        assert_eq!(outcome.exit().code().to_string(), row[2], "{word}");
        listed += 1;
    }
    assert_eq!(listed, Outcome::Failed as usize + 1, "every outcome is listed");
}

#[test]
fn zero_in_desired_state_or_done() {
    let machine = Machine::new();
    machine.run("apply KB909094 @target @state").code(0);
    machine.run("diff KB909094 @target").code(0);
    for line in ["--help", "--version", "help diff", "diff --help", "schema"] {
        let run = machine.run(line).code(0);
        assert!(!run.stdout.is_empty() && run.stderr.is_empty(), "{line}: {run:?}");
    }
}

#[test]
fn one_differences() {
    let run = Machine::new().run("diff KB909094 @target").code(1);
    assert!(!run.stdout.is_empty() && run.stderr.is_empty());
}

#[test]
fn two_wrong_usage_on_standard_error() {
    let machine = Machine::new();
    for line in [
        "",
        "frobnicate",
        "diff --frobnicate",
        "diff KB909094 --format yaml @target",
        "diff KB909094 --set realm_hint @target",
        "diff KB909094 --set realm_hint=0 --set realm_hint=1 @target",
        "diff KB909094 --target ftp:x",
        "diff KB909094 --target reg:",
        "apply --plan @/missing.json @target @state",
        "apply KB909094 --plan @/plan.json @target @state",
        "apply KB909094 --digest 00 @target @state",
        "rollback @state",
        "rollback one --last @state",
        "rollback --last @state",
        "retire @target @state",
        "retire KB909094 @target @state",
        "journal show missing @state",
        "snapshot KB909094 @target",
        "schema frobnicate",
    ] {
        let run = machine.run(line).code(2);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{line}: {run:?}");
    }
    if cfg!(not(windows)) {
        let run = machine.run("diff KB909094").code(2).says("reg:FILE").says("snapshot:FILE");
        assert_eq!(run.stdout, "");
    }
}

/// A folder for a drive that the target has itself would change what kbfix finds on the drive.
#[test]
fn two_what_the_target_has_no_use_for() {
    let machine = Machine::new();
    machine.run("example @/image").code(0);
    machine.run("snapshot KB909094 @target --out @/snapshot.json").code(0);
    for (target, option) in [
        ("image:@/image", "--files @/C"),
        ("image:@/image", "--code-page 1252"),
        ("snapshot:@/snapshot.json", "--files @/C"),
        ("snapshot:@/snapshot.json", "--drive C=@/C"),
        ("reg:@/machine.reg", "--drive C=@/C"),
        ("reg:@/machine.reg", "--allow-dirty"),
        ("local", "--files @/C"),
        ("hive:@/image/WINDOWS/system32/config/software=HKLM\\SOFTWARE", "--files @/C --drive C=@/C"),
    ] {
        let name = option.split(' ').next().unwrap();
        let says = format!("the option `{}` cannot be used with the target", name.trim_start_matches('-'));
        let run = machine.run(&format!("diff KB909094 --target {target} {option}")).code(2).says(&says).says("usage");
        run.says(&format!("leave the option out, or name another target ({name})"));
    }
    for line in ["diff KB909094 @target --code-page 1259", "import @/machine.reg --id X --code-page 1259"] {
        machine.run(line).code(2).says("usage").says("kbfix does not know the code page 1259").says("1250 to 1258");
    }
}

#[test]
fn two_folders_for_one_drive() {
    let machine = Machine::new();
    machine.run("example @/image").code(0);
    let line = "diff KB909094 --target image:@/image --drive D=@/C --drive d=@/image";
    machine.run(line).code(2).says("usage").says("`--drive` names two folders for drive D");
}

#[test]
fn three_the_target_cannot_be_read() {
    let machine = Machine::new();
    machine.write("empty.reg", "");
    machine.write("broken.reg", "REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\A]\r\n\"x\"=dword:zz\r\n");
    machine.write("script.reg", "REGEDIT4\r\n\r\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n");
    machine.write("broken.json", "{");
    for target in ["reg:@/missing.reg", "reg:@/empty.reg", "reg:@/script.reg", "reg:@/C", "snapshot:@/broken.json"] {
        for command in ["diff KB909094", "apply KB909094 @state"] {
            let run = machine.run(&format!("{command} --target {target}")).code(3);
            assert!(run.stdout.is_empty() && run.stderr.contains("error[target-"), "{target}: {run:?}");
        }
    }
    if cfg!(not(windows)) {
        machine.run("diff KB909094 --target local").code(3).says("does not run on Windows");
    }
    assert_eq!(machine.journals(), Vec::<String>::new());
}

#[test]
fn four_blocked_or_unknown() {
    let machine = Machine::new();
    machine.run("diff KB909094 --target reg:@/machine.reg").code(4).says("unknown");
    machine.set_dll([6, 5, 7638, 1]);
    machine.run("diff KB909094 @target").code(4).says("blocked");
}

// Code 5 is tested in apply.rs, code 6 of a rollback in rollback.rs, and code 6 of an apply in tests/engine/properties,
// because it needs a target that fails twice.

#[test]
fn the_highest_code_of_a_run_wins_and_a_blocked_spec_does_not_stop_the_others() {
    let machine = Machine::new();
    machine.set_dll([6, 5, 7638, 1]);
    let key = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\OWA";
    let spec = format!(
        "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: {key}\n    values: {{ LogonTimeout: {{ type: REG_DWORD, data: 30 }} }}\n"
    );
    machine.write("t.yaml", &spec);
    machine.run("diff KB909094 @/t.yaml @target").code(4).says("KB909094: blocked").says("T: changes pending");
    machine.run("apply KB909094 @/t.yaml @target @state").code(4).says("T: changed").says("KB909094: blocked");
    assert!(machine.export().contains("\"LogonTimeout\"=dword:0000001e"));
    assert!(!machine.export().contains("DisableRealmHint"));
}
