//! Creates the front-end server of the example, with its registry and `exprox.dll`, on a Samba server, and runs kbfix
//! on it.
#![allow(dead_code, reason = "the benchmark uses a part of it")]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use kbfix::{format::pe::minimal, format::reg::Document, registry::KeyPath, version::FileVersion};

use super::server::{Server, Speaks};

/// The keys of the example that KB909094 reads. Samba has no hives of users, and it generates the values below `Windows
/// NT` itself.
const KEYS: [&str; 4] = [r"Microsoft\Cryptography]", r"Exchange\Setup]", r"\ComputerName]", r"Services\MSExchangeWEB"];
const EXPORT: &str = include_str!("../../../examples/front-end.reg");

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), text: text(&output.stdout) + &text(&output.stderr) }
    }

    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.text.contains(text), "`{text}` is not in {}", self.text);
        self
    }
}

/// Returns a front-end server with this protocol; `None` if no server can run here.
pub(crate) fn front_end(speaks: Speaks) -> Option<Server> {
    let server = Server::start(speaks)?;
    let mut export = "Windows Registry Editor Version 5.00\r\n".to_owned();
    for section in EXPORT.split("\r\n\r\n").filter(|section| KEYS.iter().any(|key| section.contains(key))) {
        export += &format!("\r\n{section}\r\n");
    }
    server.import(&export);
    dll(&server, "new");
    Some(server)
}

/// Returns the path of the hotfix's file on the server.
pub(crate) fn exprox(server: &Server) -> PathBuf {
    server.path("share/Program Files/Exchsrvr/bin/Exprox.dll")
}

/// Gives the server the exprox.dll from before the hotfix (`old`) or of the hotfix (`new`).
pub(crate) fn dll(server: &Server, which: &str) {
    let path = exprox(server);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    match std::env::var_os("KBFIX_TEST_DLLS").map(PathBuf::from) {
        Some(folder) => drop(fs::copy(folder.join(which).join("exprox.dll"), path).unwrap()),
        None => {
            let version = if which == "old" { [6, 5, 7638, 1] } else { [6, 5, 7651, 19] };
            fs::write(path, minimal::dll(FileVersion(version))).unwrap();
        }
    }
}

/// Runs kbfix on the server, to its end.
pub(crate) fn run(server: &Server, line: &str) -> Run {
    Run::of(command(server, line).output().unwrap())
}

/// Returns the command for a command line, which is split at spaces. `@target` means the server, and `@/` its folder.
pub(crate) fn command(server: &Server, line: &str) -> Command {
    let folder = format!("{}/", server.path("").display().to_string().trim_end_matches('/'));
    let words: Vec<String> = line
        .split_whitespace()
        .map(|word| if word == "@target" { server.uri() } else { word.replace("@/", &folder) })
        .collect();
    server.kbfix(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Returns the keys in an export of another client, each with its values in one line.
pub(crate) fn listing(document: &Document) -> Vec<String> {
    let line = |key: &KeyPath| {
        let values = document.values(key).unwrap();
        let values: Vec<String> = values.iter().map(|(name, data)| format!("{name}={:?}", data.unwrap())).collect();
        format!("{key}: {}", values.join(", "))
    };
    document.keys().map(line).collect()
}
