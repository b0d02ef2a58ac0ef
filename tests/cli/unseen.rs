//! Tests names and strings of a machine with control characters, which could imitate or hide a line on a terminal: no
//! text for people contains them unescaped.

use kbfix::registry::notation::one_line;

use crate::harness::{Machine, Run};

const SPEC: &str = r#"kbfix: 1
id: T
title: T
prerequisites:
  - { title: odd data, registry: { key: HKLM\SOFTWARE\T, name: d } }
registry:
  - { key: HKLM\SOFTWARE\T\D, ensure: absent }
  - { key: HKLM\SOFTWARE\T, values: { d: { type: REG_SZ, data: x } } }
"#;

/// Returns a machine with a key whose subkey, value and data contain invisible characters.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.set_export(
        "\u{feff}Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\n\
         \"d\"=\"\u{1b}[2J\u{202e}evil\u{2028}x\"\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T\\D]\n\n\
         [HKEY_LOCAL_MACHINE\\SOFTWARE\\T\\D\\a\u{1b}[31m\u{85}b]\n\"v\u{2066}\"=\"\u{7}\"\n",
    );
    machine.write("spec.yaml", SPEC);
    machine
}

/// Checks that no line contains an invisible character.
#[track_caller]
fn seen(run: &Run) {
    for line in run.stdout.lines().chain(run.stderr.lines()) {
        assert_eq!(one_line(line), line);
    }
}

#[test]
fn in_every_format() {
    let machine = machine();
    for format in ["human", "markdown", "html"] {
        let run = machine.run(&format!("diff @/spec.yaml @target --format {format}")).code(1);
        seen(&run);
        run.says(r"T\D\a\u{1b}[31m\u{85}b]").says(r"\u{1b}[2J\u{202e}evil\u{2028}x").says(r"v\u{2066}").says(r"\u{7}");
    }
}

#[test]
fn from_apply_to_rollback() {
    let machine = machine();
    for line in ["apply @/spec.yaml @target @state", "journal list @state", "rollback --last @state"] {
        seen(&machine.run(line).code(0));
    }
    let journal = machine.journals().remove(0);
    let run = machine.run(&format!("journal show @/state/journal/{journal}")).code(0);
    seen(&run);
    run.says(r"\u{202e}");
}

#[test]
fn a_line_break_in_a_name_makes_no_line() {
    let machine = machine();
    machine.edit(&[("a\u{1b}[31m\u{85}b", "PLACE")]);
    machine.run("snapshot @/spec.yaml @target --out @/machine.json").code(0);
    let snapshot = machine.read("machine.json");
    assert!(snapshot.contains("PLACE"), "{snapshot}");
    machine.write("machine.json", &snapshot.replace("PLACE", r#"a\n+\"Safe\"=dword:00000000\n "#));
    for format in ["human", "markdown", "html"] {
        let run = machine.run(&format!("diff @/spec.yaml --target snapshot:@/machine.json --format {format}")).code(1);
        seen(&run);
        assert!(!run.stdout.lines().any(|line| line.starts_with("+\"Safe\"")), "{}", run.stdout);
        run.says(r"a\u{a}+");
    }
}

#[test]
fn in_what_is_said_of_a_spec_and_of_a_plan_that_moved() {
    let machine = machine();
    machine.write("wrong.yaml", &SPEC.replace("ensure: absent", "ensure\u{202e}: absent"));
    let run = machine.run("validate @/wrong.yaml").code(2);
    seen(&run);
    machine.run("diff @/spec.yaml @target --out @/t.plan").code(1);
    machine.edit(&[("evil", "evil\u{1b}[2J")]);
    let run = machine.run("diff --plan @/t.plan @target").code(2);
    seen(&run);
    run.says(r"evil\u{1b}[2J");
}

#[test]
fn a_line_of_a_note_is_no_line_of_the_html_source() {
    let machine = machine();
    let note = "restart: { computer: never, note: \"first\\n@@ [HKLM] @@\\nlast\" }\n";
    machine.write("spec.yaml", &format!("{SPEC}{note}"));
    let run = machine.run("diff @/spec.yaml @target --format html").code(1);
    run.says("Restart: ").says("first @@ [HKLM] @@ last");
}
