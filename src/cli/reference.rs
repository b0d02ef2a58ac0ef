//! Checks that `docs/reference/commands.md` agrees with clap's definitions. `UPDATE_DOCS=1 cargo test --bin kbfix`
//! regenerates that page.

use std::{fs, path::Path};

use clap::{Arg, Command, CommandFactory};

use super::Arguments;

const HEAD: &str = "# Commands

This page is the reference for the commands of kbfix and their options.
`kbfix COMMAND --help` prints the same text.
The pages under \"How to\" show how to use the commands, and the [glossary](../glossary.md) explains the terms.

These terms are used for many commands:

- a *spec* is a YAML file that describes the required state of a machine. SPEC is such a file, or the id of a built-in spec such as KB909094;
- the *target* is what kbfix reads and changes, such as this Windows machine ([all targets](targets.md));
- a *plan* is a file with changes, and its *digest* is the checksum by which a reviewer approves it;
- a *journal* is a file with the state before a change, with which kbfix can undo it;
- a *snapshot* is a file with facts about a machine.

[Exit codes](exit-codes.md) describes how the commands end.
(This page is generated: `UPDATE_DOCS=1 cargo test --bin kbfix`.)

";

#[test]
fn the_reference_of_the_commands_is_up_to_date() {
    let options = clap_markdown::MarkdownOptions::new().show_footer(false).show_table_of_contents(false);
    // The exit codes have a separate page, and `kbfix help` needs no explanation.
    let command = with_variables(Arguments::command()).after_help("").disable_help_subcommand(true);
    let text = clap_markdown::help_markdown_command_custom(&command, &options);
    let commands = text.split_once("## `kbfix`").map(|(_, text)| text).unwrap();
    let mut generated = format!("{HEAD}## `kbfix`{commands}");
    for heading in ["Subcommands", "Arguments", "Options"] {
        generated = generated.replace(&format!("###### **{heading}:**"), &format!("**{heading}:**"));
    }
    while generated.contains("\n\n\n") {
        generated = generated.replace("\n\n\n", "\n\n");
    }
    let generated = format!("{}\n", generated.trim_end());

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/commands.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        found == generated,
        "commands.md differs from clap's definitions; run UPDATE_DOCS=1 cargo test --bin \
        kbfix"
    );
}

/// Adds, to the help of each argument, the environment variable that can set the argument. The crate clap-markdown does
/// not print these variables.
fn with_variables(command: Command) -> Command {
    let add = |argument: Arg| match (argument.get_env(), argument.get_help()) {
        (Some(variable), Some(help)) => {
            let text = format!("{help} [env: {}]", variable.display());
            argument.help(text)
        }
        _ => argument,
    };
    command.mut_args(add).mut_subcommands(with_variables)
}
