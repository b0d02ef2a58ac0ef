//! Checks that the reference of the commands, `docs/reference/commands.md` and the pages in `docs/reference/commands/`,
//! agrees with clap's definitions. `UPDATE_DOCS=1 cargo test --bin kbfix` regenerates the pages.

mod tables;

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use clap::{Arg, Command};

use super::definition;
use tables::{TASKS, TERMS};

const HEAD: &str = "Each command has a page with its arguments and options.
`kbfix COMMAND --help` prints the same text, without the terms and links.
`-h` in place of `--help` prints only the first sentence about the command and about each argument.
Each page has a link to a guide, which shows how to use the command.
[Exit codes](exit-codes.md) explains the exit codes of the commands.
[Terms](#terms), after the list, explains the words in the list.
The [glossary](../glossary.md) explains all terms of kbfix.
";

/// The end of each page. It says how the page is generated, which only developers need to know.
const FOOT: &str = "
---

This page is generated from the code of kbfix: `UPDATE_DOCS=1 cargo test --bin kbfix`.
";

#[test]
fn the_reference_of_the_commands_is_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let pages = pages();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let _ = fs::remove_dir_all(folder.join("commands"));
        fs::create_dir(folder.join("commands")).unwrap();
        pages.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
    }
    let hint = "run UPDATE_DOCS=1 cargo test --bin kbfix";
    for (name, text) in &pages {
        let found = fs::read_to_string(folder.join(name)).unwrap_or_default().replace("\r\n", "\n");
        assert!(found == *text, "{name} differs from clap's definitions; {hint}");
    }
    for entry in fs::read_dir(folder.join("commands")).unwrap() {
        let name = format!("commands/{}", entry.unwrap().file_name().to_str().unwrap());
        assert!(pages.contains_key(&name), "{name} belongs to no command; {hint}");
    }
}

#[test]
fn each_command_has_one_page() {
    let mut described: Vec<String> = Vec::new();
    for page in TASKS.iter().flat_map(|(_, pages)| *pages) {
        described.extend(leaves(find(&kbfix(), page.command)).iter().map(name));
    }
    described.sort();
    let mut all: Vec<String> = leaves(&kbfix()).iter().map(name).collect();
    all.sort();
    assert_eq!(described, all, "name each command once in src/cli/reference/tables.rs");
}

/// Returns the definition of `kbfix`, without the command `kbfix help`, which needs no explanation.
fn kbfix() -> Command {
    let mut command = definition().disable_help_subcommand(true);
    command.build();
    command
}

/// Returns the full name of a command, such as `kbfix fleet diff`.
fn name(command: &Command) -> String {
    command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// Returns the subcommand with this name, such as `fleet diff`.
fn find<'c>(kbfix: &'c Command, path: &str) -> &'c Command {
    path.split(' ').fold(kbfix, |command, name| command.find_subcommand(name).expect(path))
}

/// Returns the command itself if it has no subcommands; otherwise all commands below it that have no subcommands.
fn leaves(command: &Command) -> Vec<Command> {
    match command.get_subcommands().next() {
        None => vec![command.clone()],
        Some(_) => command.get_subcommands().flat_map(leaves).collect(),
    }
}

/// Returns all pages, by their path below `docs/reference`.
fn pages() -> BTreeMap<String, String> {
    let kbfix = kbfix();
    let mut out = BTreeMap::new();
    let usage = kbfix.clone().render_usage().to_string();
    let about = about(&kbfix);
    let (product, others) = about.split_once("\n\n").unwrap_or((&about, ""));
    let mut index = format!(
        "# Commands\n\nThis page lists the commands of kbfix, a program that {}\n\n{}\n\n",
        sentences(&lower(product)),
        sentences(others)
    );
    let _ = writeln!(index, "```text\n{}\n```\n\n{HEAD}", usage.trim_start_matches("Usage: "));
    index.truncate(index.trim_end().len() + 1);
    for (task, pages) in TASKS {
        let _ = writeln!(index, "\n## {task}\n");
        for page in *pages {
            let command = find(&kbfix, page.command);
            let path = format!("commands/{}.md", page.command.replace(' ', "-"));
            let _ = writeln!(index, "- [`{}`]({path}): {}", name(command), summary(command));
            for below in command.get_subcommands() {
                let anchor = name(below).replace(' ', "-");
                let _ = writeln!(index, "  - [`{}`]({path}#{anchor}): {}", name(below), summary(below));
            }
            out.insert(path, whole_page(&kbfix, command, page.how_to));
        }
    }
    let terms = terms(&index, "../");
    index.push_str(&terms);
    index.push_str("\n## Options of every command\n\n");
    let help = kbfix.get_arguments().filter(|argument| argument.get_id() == "help");
    arguments(&mut index, help);
    index.push_str("\n## Options of `kbfix` without a command\n\n");
    arguments(&mut index, kbfix.get_arguments().filter(|argument| argument.get_id() != "help"));
    out.insert("commands.md".to_owned(), index + FOOT);
    out
}

/// Returns the page about a command and its subcommands.
fn whole_page(kbfix: &Command, command: &Command, how_to: &str) -> String {
    let mut body = String::new();
    if command.has_subcommands() {
        for below in command.get_subcommands() {
            let _ = write!(body, "\n## `{}`\n\n{}\n", name(below), sentences(&about(below)));
            details(&mut body, below, "###");
        }
    } else {
        details(&mut body, command, "##");
    }
    let about = about(command);
    let (first, others) = about.split_once("\n\n").unwrap_or((&about, ""));
    let mut out = format!("# {}\n\n{}\n", name(command), sentences(first));
    let product = lower(&kbfix.get_about().unwrap_or_default().to_string());
    let product = product.trim_end_matches('.');
    let _ = writeln!(
        out,
        "\n`{}` is a command of kbfix, a program that {product} ([all commands](../commands.md)).\n\
         [{}](../../{how_to}) shows how to use this command, and [Exit codes](../exit-codes.md) explains the exit codes.",
        name(command),
        title(how_to),
    );
    let terms = terms(&format!("{about}\n{body}"), "../../");
    if !terms.is_empty() {
        out.push_str("[Terms](#terms), at the end, explains the terms of this page.\n");
    }
    if !others.is_empty() {
        let _ = writeln!(out, "\n{}", sentences(others));
    }
    out.push_str(&body);
    out.push_str(&terms);
    out + FOOT
}

/// Writes the usage, the arguments and the options of a command.
fn details(out: &mut String, command: &Command, level: &str) {
    let usage = command.clone().render_usage().to_string();
    let _ = writeln!(out, "\n{level} Usage\n\n```text\n{}\n```", usage.trim_start_matches("Usage: "));
    for alias in command.get_visible_aliases() {
        let _ = writeln!(out, "\n`kbfix {alias}` is the same command.");
    }
    if command.get_positionals().next().is_some() {
        let _ = writeln!(out, "\n{level} Arguments\n");
        arguments(out, command.get_positionals());
    }
    let options: Vec<&Arg> =
        command.get_arguments().filter(|option| !option.is_positional() && option.get_id() != "help").collect();
    let mut headings = vec![None];
    for option in &options {
        if !headings.contains(&option.get_help_heading()) {
            headings.push(option.get_help_heading());
        }
    }
    for heading in headings {
        let mut group = options.iter().copied().filter(|option| option.get_help_heading() == heading).peekable();
        if group.peek().is_some() {
            let _ = writeln!(out, "\n{level} {}\n", heading.unwrap_or("Options"));
            arguments(out, group);
        }
    }
}

/// Writes a list of arguments or options, each with its help.
fn arguments<'a>(out: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let each: Vec<String> = arguments.map(|argument| argument_item(argument).join("\n\n")).collect();
    // The lines after the first one belong to the item of the list.
    let each = each.iter().map(|text| format!("- {}\n", text.replace('\n', "\n  ").replace("\n  \n", "\n\n")));
    out.push_str(&each.collect::<Vec<_>>().join("\n"));
}

/// Returns the paragraphs that describe an argument or option.
fn argument_item(argument: &Arg) -> Vec<String> {
    let mut out = vec![format!("`{argument}`")];
    if let (Some(short), false) = (argument.get_short(), argument.is_positional()) {
        out[0] = format!("`-{short}`, {}", out[0]);
    }
    let help = argument.get_long_help().or(argument.get_help()).unwrap_or_default().to_string();
    let (help, default) = without_default(&help);
    out.push(match argument.get_id() == "help" {
        // The text of clap is different for each command.
        true => "Print the help; `-h` prints a shorter form.".to_owned(),
        false => sentences(&help),
    });
    let values = argument.get_possible_values();
    let hidden = !argument.get_action().takes_values();
    if !hidden && !values.is_empty() {
        let values = values.iter().map(|value| match value.get_help() {
            Some(help) => format!("- `{}`: {}", value.get_name(), sentences(&help.to_string()).replace('\n', " ")),
            None => format!("- `{}`", value.get_name()),
        });
        out.push(format!("One of these values:\n\n{}", values.collect::<Vec<_>>().join("\n")));
    }
    let mut facts = Vec::new();
    let defaults = argument.get_default_values();
    if let Some(default) = default {
        facts.push(sentences(&format!("Default: {default}")));
    } else if let (Some(default), false) = (defaults.first(), hidden) {
        facts.push(format!("Default: `{}`.", default.to_string_lossy()));
    }
    if let Some(variable) = argument.get_env() {
        facts.push(format!(
            "If the environment variable `{}` is set, it replaces this default.",
            variable.to_string_lossy()
        ));
    }
    if !facts.is_empty() {
        out.push(facts.join("\n"));
    }
    out
}

/// Separates the default from a help text such as `The file [default: standard output]`. Returns the text without the
/// default, and the default. If the text contains no default, returns the text unchanged and `None`.
fn without_default(help: &str) -> (String, Option<&str>) {
    match help.split_once(" [default: ").and_then(|(before, rest)| Some((before, rest.split_once(']')?))) {
        Some((before, (default, after))) => (format!("{before}{after}"), Some(default)),
        None => (help.to_owned(), None),
    }
}

fn about(command: &Command) -> String {
    command.get_long_about().or(command.get_about()).unwrap_or_default().to_string()
}

/// Returns the first sentence of a command's description.
fn summary(command: &Command) -> String {
    let about = command.get_about().unwrap_or_default().to_string();
    about.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// Returns the text with a small first letter.
fn lower(text: &str) -> String {
    let first: String = text.chars().take(1).collect();
    text.replacen(&first, &first.to_lowercase(), 1)
}

/// Returns a text with one sentence on each line, and a full stop at the end of each paragraph. Lists stay as they are.
fn sentences(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        if paragraph.starts_with("- ") {
            return paragraph.to_owned();
        }
        let end = if paragraph.ends_with(['.', ':']) { "" } else { "." };
        format!("{}{end}", paragraph.replace('\n', " ").replace(". ", ".\n"))
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Returns the title of a page of the book: its first line, without `# `. `page` is the path of its file below `docs`.
fn title(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    fs::read_to_string(path).unwrap().lines().next().unwrap().trim_start_matches("# ").to_owned()
}

/// Returns the section with the terms of the glossary that a text uses. `to_book` is the path to the folder `docs`.
fn terms(text: &str, to_book: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/glossary.md");
    let glossary = fs::read_to_string(path).unwrap();
    let meaning = |term: &str| {
        let row = format!("| {term} | ");
        glossary.lines().find_map(|line| line.strip_prefix(&row)?.strip_suffix(" |")).expect(term)
    };
    let used = TERMS.iter().filter(|(_, words)| words.iter().any(|word| contains(text, word)));
    let items: String = used
        .map(|(term, _)| {
            let meaning = sentences(&meaning(term).replace("](", &format!("]({to_book}"))).replace('\n', "\n  ");
            format!("- *{term}*: {meaning}\n")
        })
        .collect();
    if items.is_empty() { items } else { format!("\n## Terms\n\n{items}") }
}

/// Returns whether a text contains a word outside of code and links.
fn contains(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "-_/.".contains(c);
    text.split('`').step_by(2).any(|prose| {
        prose.match_indices(word).any(|(at, _)| {
            let after = &prose[at + word.len()..];
            !prose[..at].ends_with(is_part)
                && !after.trim_start_matches('.').starts_with(is_part)
                && !after.starts_with("](")
        })
    })
}
