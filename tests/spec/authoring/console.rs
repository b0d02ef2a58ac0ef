//! Checks that terminal output in the documents is what kbfix prints: in the tutorial, and in the picture of README.
//!
//! In a block ```` ```console ````, a line `$ command` is run, in one folder for the whole page, and the lines after it
//! are its output. After "Save this as `NAME`", a block of YAML is written into that file. In output, a line `...`
//! means any number of lines, and `…` means any part of a line. In a command, `sha256:…` means the digest that was
//! printed last.

use std::{env, fs, path::Path, process::Command};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a shell command as the reader of a page would, and returns what it prints on both streams.
fn run(folder: &Path, command: &str) -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_kbfix")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{command} 2>&1")]).current_dir(folder);
    shell.env("PATH", path).env("NO_COLOR", "1").env_remove("KBFIX_TARGET").env_remove("KBFIX_STATE_DIR");
    String::from_utf8(shell.output().unwrap().stdout).unwrap()
}

/// Returns whether a printed line matches a line in the document.
fn line_fits(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|first| printed.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let found = if parts.peek().is_none() {
            rest.ends_with(part).then(|| rest.len() - part.len())
        } else {
            rest.find(part)
        };
        let Some(at) = found else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

/// Returns whether printed output matches the output in the document.
fn fits(shown: &[&str], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((&"...", after)) => (0..=printed.len()).any(|skipped| fits(after, &printed[skipped..])),
        Some((line, after)) => {
            printed.split_first().is_some_and(|(first, rest)| line_fits(line, first) && fits(after, rest))
        }
    }
}

/// Runs the commands of a page, and returns their number.
fn follow(page: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("specs"), folder.path().join("specs")).unwrap();
    let (mut commands, mut digest, mut file) = (0, String::new(), None);
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("Save ") {
            file = line.split('`').nth(1);
        }
        if line == "```yaml"
            && let Some(name) = file.take()
        {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            fs::write(folder.path().join(name), format!("{}\n", text.join("\n"))).unwrap();
        }
        if line != "```console" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        for session in block.chunk_by(|_, next| !next.starts_with("$ ")) {
            let command = session[0].strip_prefix("$ ").expect("a block begins with a command");
            let printed = run(folder.path(), &command.replace("sha256:…", &digest));
            if let Some((_, found)) = printed.rsplit_once("plan sha256:") {
                digest = format!("sha256:{}", found.trim());
            }
            assert!(fits(&session[1..], &printed.lines().collect::<Vec<_>>()), "$ {command}\n{printed}");
            commands += 1;
        }
    }
    commands
}

#[test]
fn what_the_documents_show_of_a_terminal_happens() {
    for (name, page) in super::book::pages("docs") {
        let commands = follow(&page);
        assert!(commands >= 8 || !name.contains("tutorial"), "{name}: {commands}");
    }
    assert!(follow(&fs::read_to_string(root().join("README.md")).unwrap()) > 0);
}

#[test]
fn output_that_is_not_as_shown_is_noticed() {
    assert!(fits(&["a", "...", "z …!"], &["a", "b", "z y!"]));
    assert!(fits(&["...", "a"], &["a"]));
    for (shown, printed) in
        [(vec!["a"], vec!["b"]), (vec!["a"], vec!["a", "b"]), (vec!["a…c"], vec!["ab"]), (vec![], vec!["a"])]
    {
        assert!(!fits(&shown, &printed), "{shown:?} {printed:?}");
    }
}

/// Draws README's picture: what `kbfix example` prints, in colour, without the digest.
fn picture() -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
    command.args(["example", "demo"]).current_dir(folder.path()).env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR");
    let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
    // The digest covers the path of the folder, which differs from run to run.
    let (shown, _) = printed.rsplit_once("plan sha256:").unwrap();
    // A line that is wider than the picture is cut, unless it has colours, which a cut would damage.
    let cut = |line: &str| {
        if line.chars().count() > 96 && !line.contains('\x1b') {
            line.chars().take(95).chain(['…']).collect()
        } else {
            line.to_owned()
        }
    };
    let lines: Vec<String> = shown.lines().map(cut).collect();
    anstyle_svg::Term::new().render_svg(&format!("$ kbfix example demo\n{}\n", lines.join("\n")))
}

#[test]
fn the_picture_is_what_kbfix_prints() {
    let path = root().join("docs/example.svg");
    let drawn = picture();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == drawn,
        "docs/example.svg is not what kbfix prints; run UPDATE_DOCS=1 cargo test --test spec console"
    );
}
