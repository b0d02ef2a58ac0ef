//! Tests files on the disks of this machine, with a real x86 DLL (`tests/wine/make-dlls`).

use std::{env, fs, path::PathBuf};

use kbfix::targets::{Answer, FileFacts, Reason, Target, local::LocalTarget};

/// Returns the folder in `KBFIX_TEST_DLLS`. Under Wine, the root folder of Linux is drive Z.
fn test_dlls() -> Option<PathBuf> {
    let folder = env::var("KBFIX_TEST_DLLS").ok()?;
    Some(if folder.starts_with('/') { PathBuf::from(format!("Z:{folder}")) } else { folder.into() })
}

fn facts(path: &str) -> Answer<FileFacts> {
    LocalTarget::new().read_files(&[path.to_owned()]).unwrap().remove(0)
}

#[test]
fn the_version_of_a_dll_is_read() {
    let Some(dlls) = test_dlls() else {
        println!("\nSKIPPED: KBFIX_TEST_DLLS names no folder of test DLLs");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exprox.dll");
    for (which, version) in [("old", "6.5.7638.1"), ("new", "6.5.7651.19")] {
        fs::copy(dlls.join(which).join("exprox.dll"), &path).unwrap();
        // Windows finds a file whatever the case of its name.
        let found = facts(&path.to_str().unwrap().to_uppercase()).known().unwrap().unwrap();
        assert_eq!(found.version, Answer::Present(version.parse().unwrap()));
        assert_eq!(found.platform.unwrap().to_string(), "x86");
        assert_eq!(found.size, fs::metadata(&path).unwrap().len());
    }
}

#[test]
fn what_is_not_there_is_absent_and_what_is_elsewhere_is_not_asked() {
    assert_eq!(facts(r"C:\kbfix-test-missing\bin\exprox.dll"), Answer::Absent);
    let folder = facts(r"C:\Windows").known().unwrap_err();
    assert_ne!(folder.reason, Reason::Unknown);
    for elsewhere in [r"\\127.0.0.1\C$\a.dll", r"\\?\UNC\host\share\a.dll", r"\Windows\a.dll", "a.dll", r"C:a.dll", ""]
    {
        assert_eq!(facts(elsewhere).known().unwrap_err().reason, Reason::Unsupported, "{elsewhere}");
    }
}
