//! Tests the event logs of another machine, whose files are copied from its share.

use std::fs;

use super::{
    machine::{front_end, run},
    server::Speaks,
};

#[test]
fn the_file_of_a_log_is_fetched_and_read() {
    let Some(server) = front_end(Speaks::Smb3) else { return };
    let line = "symptoms KB909094 --target @target";
    run(&server, line)
        .code(4)
        .says("not known: the target has the log Application, but the file of the log is missing");
    let example = tempfile::tempdir().unwrap();
    kbfix::example::make(example.path()).unwrap();
    let folder = server.path("share/WINDOWS/System32/config");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("AppEvent.Evt");
    fs::copy(example.path().join(kbfix::example::LOG), &file).unwrap();
    run(&server, line).code(0).says("seen 3 times, last 2008-05-16T08:20:07Z");
    run(&server, "apply KB909094 --target @target").code(0);
    run(&server, line).code(0).says("0 events since 20").says(", 3 before");
    // A folder is used for the drive.
    fs::remove_file(&file).unwrap();
    let elsewhere = example.path().join("C");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(example.path().join("Windows"), elsewhere.join("Windows")).unwrap();
    run(&server, &format!("{line} --files {}", elsewhere.display())).code(0).says("3 before");
}
