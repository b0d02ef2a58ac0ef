//! Tests what kbfix says about itself: the version, the manual pages and the completions.

use std::fs;

use crate::harness::Machine;

#[test]
fn the_verbose_version_says_what_kbfix_is_built_from() {
    let machine = Machine::new();
    for line in ["--version --verbose", "--verbose -V"] {
        let run = machine.run(line).code(0);
        let names: Vec<&str> = run.stdout.lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(names, ["kbfix", "commit:", "compiler:", "built", "built-in"], "{}", run.stdout);
        assert!(run.stdout.starts_with(&format!("kbfix {}\n", env!("CARGO_PKG_VERSION"))), "{}", run.stdout);
        let specs = format!("built-in specs: {}\n", kbfix::spec::library::ids().count());
        assert!(run.stdout.ends_with(&specs), "{}", run.stdout);
    }
    assert_eq!(machine.run("--version").code(0).stdout, format!("kbfix {}\n", env!("CARGO_PKG_VERSION")));
    machine.run("--verbose schema").code(2).says("--verbose can only be used with --version");
}

#[test]
fn each_command_has_a_manual_page() {
    let machine = Machine::new();
    machine.run("man @/man1").code(0);
    let page = machine.read("man1/kbfix-apply.1");
    assert!(page.contains(".TH kbfix-apply 1") && page.contains("max\\-changes"), "{page}");
    assert!(machine.read("man1/kbfix.1").contains("Exit codes"));
    let help = machine.run("--help").code(0).stdout;
    let commands = help.split("Commands:\n").nth(1).unwrap().lines().take_while(|line| !line.is_empty());
    // The continuation lines of a description are indented further.
    let commands = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<String> = commands.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names.iter().filter(|name| *name != "help") {
        assert!(machine.path(&format!("man1/kbfix-{name}.1")).exists(), "{name}");
    }
    assert!(machine.path("man1/kbfix-dsc-manifest.1").exists());
    assert!(fs::read_dir(machine.path("man1")).unwrap().all(|e| fs::metadata(e.unwrap().path()).unwrap().len() > 200));
}

#[test]
fn each_shell_has_a_completion_script() {
    let machine = Machine::new();
    for (shell, says) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef kbfix"),
        ("fish", "complete -c kbfix"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let run = machine.run(&format!("completions {shell}")).code(0);
        assert!(run.stdout.contains(says) && run.stdout.contains("max-changes"), "{shell}");
    }
}
