//! Tests that the password appears nowhere: on no command line, in no environment, in no output and in no file.

use std::{
    fs,
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use super::{
    machine::{Run, command, front_end},
    proxy::Proxy,
    server::{PASSWORD, Speaks},
};

/// Returns the process that shows the password now, if there is one.
fn shown() -> Option<String> {
    for process in fs::read_dir("/proc").unwrap().flatten() {
        for file in ["cmdline", "environ"] {
            let bytes = fs::read(process.path().join(file)).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
            if text.contains(PASSWORD) {
                return Some(text);
            }
        }
    }
    None
}

/// Collects every file below the folder that contains the password.
fn holders(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            holders(&path, found);
        } else if String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).contains(PASSWORD) {
            found.push(path.display().to_string());
        }
    }
}

#[test]
fn the_password_appears_nowhere() {
    let Some(server) = front_end(Speaks::Smb3) else { return };
    let proxy = Proxy::start(server.port(), false);
    // The connection is slow, so that there is time to look at the processes.
    proxy.delays(10);
    let target = server.uri_at(proxy.port());
    let done = AtomicBool::new(false);
    let mut printed = String::new();
    thread::scope(|scope| {
        let looker = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                if let Some(text) = shown() {
                    return Some(text);
                }
            }
            None
        });
        for line in [
            "snapshot KB909094 --target @ --out @/kbfix/s.json",
            "diff KB909094 --target @ --out @/kbfix/plan.json --format json",
            "apply KB909094 --target @",
            "rollback --last",
            "journal list",
        ] {
            let line = line.replace("--target @", &format!("--target {target}"));
            let run = Run::of(command(&server, &line).stdin(Stdio::null()).output().unwrap());
            assert!(run.code < 2, "{}", run.text);
            printed += &run.text;
        }
        let wrong = format!("diff KB909094 --target {}", server.uri_at(1));
        printed += &Run::of(command(&server, &wrong).output().unwrap()).code(3).text;
        done.store(true, Ordering::SeqCst);
        assert_eq!(looker.join().unwrap(), None);
    });
    assert!(!printed.contains(PASSWORD));
    let mut found = Vec::new();
    holders(&server.path("kbfix"), &mut found);
    assert_eq!(found, Vec::<String>::new());
    assert!(fs::read_dir(server.path("kbfix/kbfix/journal")).unwrap().count() == 2);
}
