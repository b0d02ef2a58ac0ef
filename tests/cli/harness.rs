//! The example server in a folder of its own, and kbfix run on it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use kbfix::{format::pe::minimal, version::FileVersion};

use crate::start::start;

/// The export of the example server: Exchange Server 2003 SP2, whose key MSExchangeWEB has no subkey DAV.
pub(crate) const EXPORT: &str = include_str!("../../examples/front-end.reg");

/// A folder with `machine.reg`, the server's drive in `C`, and the state folder `state`.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
}

/// The result of a run. Paths, times, journal names and digests are replaced, so that they are equal in all runs.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Machine {
    /// Returns the example server with the exprox.dll of the hotfix.
    pub(crate) fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        machine.set_export(EXPORT);
        machine.set_dll([6, 5, 7651, 19]);
        machine
    }

    /// Returns the server with some text in its export replaced.
    pub(crate) fn with(changes: &[(&str, &str)]) -> Self {
        let machine = Self::new();
        machine.edit(changes);
        machine
    }

    /// Returns the server with these values in the key that KB909094 is about.
    pub(crate) fn with_dav(values: &str) -> Self {
        let key = r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV]";
        let owa = r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\OWA]";
        let newline = if EXPORT.contains("\r\n") { "\r\n" } else { "\n" };
        Self::with(&[(owa, &format!("{key}{newline}{values}{newline}{newline}{owa}"))])
    }

    pub(crate) fn edit(&self, changes: &[(&str, &str)]) {
        let mut text = self.export();
        for (from, to) in changes {
            assert!(text.contains(from), "`{from}` is not in {text}");
            text = text.replace(from, to);
        }
        self.set_export(&text);
    }

    pub(crate) fn set_export(&self, text: &str) {
        fs::write(self.path("machine.reg"), text).unwrap();
    }

    pub(crate) fn set_dll(&self, version: [u16; 4]) {
        let bin = self.path("C/Program Files/Exchsrvr/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("exprox.dll"), minimal::dll(FileVersion(version))).unwrap();
    }

    pub(crate) fn export(&self) -> String {
        fs::read_to_string(self.path("machine.reg")).unwrap()
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// Writes a journal into the state folder. Only its owner may read it, as with a journal of kbfix.
    pub(crate) fn write_journal(&self, id: &str, text: &str) {
        let folder = self.path("state/journal");
        if !folder.exists() {
            self.run("apply KB909094 @target @state").code(0);
            self.journals().iter().for_each(|name| fs::remove_file(folder.join(name)).unwrap());
        }
        let path = folder.join(format!("{id}.jsonl"));
        let _ = fs::remove_file(&path);
        kbfix::files::replace::replace_private_file(&path, text.as_bytes()).unwrap();
    }

    /// Returns the names of the journals, oldest first.
    pub(crate) fn journals(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("state/journal")) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Returns the command for a command line, which is split at spaces. `@target` means the export and the drive of
    /// this server, `@state` its state folder, and `@/` this folder.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        for word in line.split_whitespace() {
            match word {
                "@target" => {
                    command.arg("--target").arg(format!("reg:{}", self.path("machine.reg").display()));
                    command.arg("--files").arg(self.path("C"));
                }
                "@state" => drop(command.arg("--state-dir").arg(self.path("state"))),
                _ => {
                    let folder = format!("{}{}", self.folder.path().display(), std::path::MAIN_SEPARATOR);
                    command.arg(word.replace("@/", &folder));
                }
            }
        }
        for variable in ["KBFIX_TARGET", "KBFIX_STATE_DIR", "NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a command line to its end.
    pub(crate) fn run(&self, line: &str) -> Run {
        self.run_with(line, "")
    }

    /// Runs a command line to its end, with `input` on standard input.
    pub(crate) fn run_with(&self, line: &str, input: &str) -> Run {
        let mut command = self.command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = start(&mut command);
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| normal(&String::from_utf8(bytes).unwrap(), self.folder.path());
        Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Run {
    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Returns standard output as a JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }

    /// Checks that one of the streams contains `text`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "`{text}` is not in {self:#?}");
        self
    }
}

/// Returns the text with everything replaced that differs between runs: the folder, digests, times and journal names.
fn normal(text: &str, folder: &Path) -> String {
    // kbfix reports the canonical path of a target, which may differ from the path of the temporary folder.
    let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).display().to_string();
    let real = real.trim_start_matches(r"\\?\");
    let folder = folder.display().to_string();
    let mut text = text.replace("\r\n", "\n");
    text = text.replace(&real.replace('\\', r"\\"), "[DIR]").replace(real, "[DIR]");
    if cfg!(windows) {
        // JSON escapes backslashes. Below the folder, all separators become `/`.
        text = text.replace(&folder.replace('\\', r"\\"), "[DIR]").replace(&folder, "[DIR]");
        text = text.replace(r"[DIR]\\", "[DIR]/").replace(r"[DIR]\", "[DIR]/").replace("kbfix.exe", "kbfix");
        text = text.replace(r"state\\journal\\", "state/journal/").replace(r"state\journal\", "state/journal/");
        text = text.replace(r"state\journal", "state/journal");
    }
    text = text.replace(&folder, "[DIR]");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let forms = ["sha256:H", "DDDDDDDDTDDDDDD.DDDZ-d", "DDDD-DD-DDTDD:DD:DD.DDDZ"];
        let names = ["[DIGEST]", "[JOURNAL]", "[TIME]"];
        match forms.iter().zip(names).find_map(|(form, name)| matched(form, rest).map(|length| (length, name))) {
            Some((length, name)) => {
                out.push_str(name);
                rest = &rest[length..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// Returns how many bytes at the start of `text` match the form: `D` is a digit, `d` one or more digits, `H` 64
/// hexadecimal digits, and any other character itself.
fn matched(form: &str, text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    for c in form.bytes() {
        let run = |test: fn(&u8) -> bool| bytes[at..].iter().take_while(|b| test(b)).count();
        at += match c {
            b'D' if bytes.get(at)?.is_ascii_digit() => 1,
            b'd' if form.ends_with('d') => run(u8::is_ascii_digit).max(1),
            b'H' if form.ends_with('H') => (run(u8::is_ascii_hexdigit) == 64).then_some(64)?,
            _ if *bytes.get(at)? == c && c != b'D' => 1,
            _ => return None,
        };
    }
    Some(at)
}
