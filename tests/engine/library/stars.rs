//! A `*` that stands for very many keys: diff says so, and apply asks for `--max-changes`.

use std::process::Output;

use crate::library::fixture::{Built, Machine};

/// A server with that many instances of AD LDS.
fn server(instances: usize) -> Built {
    let services = r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services";
    let mut registry = format!("{services}]\n");
    for number in 0..instances {
        registry.push_str(&format!("{services}\\ADAM_{number}]\n"));
    }
    let machine = Machine { windows: Some("10.0.17763.1 server x64".to_owned()), registry, ..Machine::default() };
    machine.build()
}

fn run(built: &Built, command: &str, more: &[&str]) -> Output {
    let arguments = [&["KB4034879"], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
    if command == "apply" { built.run(command, &arguments) } else { built.run_without_state(command, &arguments) }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_thousand_changes_through_a_star_are_made() {
    // Each instance is a key and a value.
    let built = server(500);
    let shown = run(&built, "diff", &[]);
    assert_eq!((shown.status.code(), stderr(&shown).as_str()), (Some(1), ""));
    assert_eq!(run(&built, "apply", &[]).status.code(), Some(0));
}

#[test]
fn more_are_made_only_when_the_operator_says_so() {
    let built = server(501);
    let before = built.bytes();
    let shown = run(&built, "diff", &[]);
    assert_eq!(shown.status.code(), Some(1));
    assert!(stderr(&shown).contains("warning[too-many-changes]"), "{shown:?}");

    let refused = run(&built, "apply", &[]);
    assert_eq!(refused.status.code(), Some(2));
    for text in ["error[too-many-changes]", "KB4034879: 1002 keys and values", "--max-changes 1002"] {
        assert!(stderr(&refused).contains(text), "{refused:?}");
    }
    assert_eq!(built.bytes(), before);

    let shown = run(&built, "diff", &["--max-changes", "1002"]);
    assert_eq!((shown.status.code(), stderr(&shown).as_str()), (Some(1), ""));
    assert_eq!(run(&built, "apply", &["--max-changes", "1002"]).status.code(), Some(0));
    assert_ne!(built.bytes(), before);
}
