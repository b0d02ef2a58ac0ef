//! Tests the options and exit codes of `kbfix validate`, `show`, `completions` and `example`. What they find and print
//! is tested in the library.

use crate::harness::Machine;

const BAD: &str = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\T\n    values:\n      a: { type: REG_SZ, data: 4.1 }\n";

#[test]
fn a_valid_spec_is_0_and_an_invalid_one_2_with_the_place() {
    let machine = Machine::new();
    assert_eq!(machine.run("validate KB909094").code(0).stdout, "valid: 1 spec, 0 errors, 0 warnings\n");
    let run = machine.run_with("validate - --stdin-name t.yaml", BAD).code(2);
    assert!(run.stdout.starts_with("invalid: 1 spec, "), "{}", run.stdout);
    assert!(run.stderr.contains("t.yaml:7:"), "{}", run.stderr);
    let run = machine.run_with("validate - --format json", BAD).code(2);
    let findings = run.json();
    assert!(findings.to_string().contains("\"code\""), "{findings}");
    assert_eq!(run.stderr, "");
    let run = machine.run_with("validate - --format github --stdin-name t.yaml", BAD).code(2);
    assert!(run.stdout.starts_with("::error file=t.yaml,line=7"), "{}", run.stdout);
    machine.run("validate @/missing.yaml").code(2).says("help: correct the path");
    std::fs::create_dir_all(machine.path("empty/below")).unwrap();
    machine.write("empty/below/x.yml", "");
    let run = machine.run("validate @/empty").code(2).says("contains no .yaml or .yml file");
    run.says("help: name the folder that directly contains the specs");
}

#[test]
fn an_invalid_spec_stops_every_command_before_the_target_is_touched() {
    let machine = Machine::new();
    let before = machine.export();
    for line in ["diff - @target", "apply - @target @state", "snapshot - @target --out @/s.json"] {
        let run = machine.run_with(line, BAD).code(2);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains("error["), "{}", run.stderr);
    }
    assert_eq!(machine.export(), before);
    assert!(!machine.path("s.json").exists());
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = Machine::new().run(&format!("completions {shell}")).code(0);
        assert!(run.stdout.contains("rollback"), "{shell}");
        assert_eq!(run.stderr, "");
    }
    Machine::new().run("completions tcsh").code(2);
}

#[test]
fn the_example_is_made_once_and_its_commands_do_what_they_say() {
    let machine = Machine::new();
    let run = machine.run("example @/example").code(0);
    assert!(run.stdout.contains("KB909094: changes pending"), "{}", run.stdout);
    let codes = [("diff", 1), ("apply", 0), ("rollback", 0)];
    let said: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("  kbfix ")).collect();
    assert_eq!(said.len(), codes.len(), "{}", run.stderr);
    for (line, (command, code)) in said.iter().zip(codes) {
        assert!(line.contains(command), "{line}");
        machine.run(&line.trim().replacen("kbfix ", "", 1).replace("[DIR]/", "@/")).code(code);
    }
    // After the rollback there is something to do again. An existing folder is not overwritten.
    machine.run(&said[0].trim().replacen("kbfix ", "", 1).replace("[DIR]/", "@/")).code(1);
    machine.run("example @/example").code(2).says("[DIR]/example");
}
