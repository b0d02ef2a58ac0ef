//! Tests event logs in both formats: what kbfix reads in whole and damaged logs that the tests make, and what
//! independent readers read in them.

use std::{collections::BTreeMap, fs, io::Cursor, path::Path, process::Command};

use kbfix::{
    format::{
        event::{Event, EventLevel},
        evt, evtx,
        regf::{Filetime, Hive},
    },
    targets::{Address, Answer, EventFacts, EventQuery, Reason, open},
};
use serde_json::{Value, json};

use crate::writer::{self, CHUNK, CHUNK_HEADER, HEADER, NewEvent};

/// 2026-11-01, in seconds since 1970.
const START: i64 = 1_793_491_200;

/// Returns `count` events of four kinds, one for each minute.
fn events(count: i64) -> Vec<NewEvent<'static>> {
    let event = |n: i64| match n % 4 {
        0 => NewEvent { source: "EXPROX", old_source: None, id: 1000, level: 3, second: START + 60 * n },
        1 => {
            NewEvent { source: "Microsoft-Windows-Wininit", old_source: None, id: 13, level: 4, second: START + 60 * n }
        }
        2 => {
            let source = "Microsoft-Windows-Security-Kerberos";
            NewEvent { source, old_source: Some("Kerberos"), id: 4, level: 2, second: START + 60 * n }
        }
        _ => NewEvent { source: "Ünïcode", old_source: None, id: 65535, level: 0, second: START + 60 * n },
    };
    (0..count).map(event).collect()
}

/// Reads a log in the new format. Returns the events, and what could not be read.
fn read(log: &[u8]) -> (Vec<Event>, Option<String>) {
    let mut found = Vec::new();
    let damage = evtx::read(Cursor::new(log), log.len() as u64, |event| found.push(event)).unwrap();
    (found, damage.sentence())
}

/// Returns the folder of a switched-off machine with one event log.
fn image(file: &str, log: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    kbfix::example::make(folder.path()).unwrap();
    let path = folder.path().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, log).unwrap();
    folder
}

fn ask(image: &Path, log: &str, source: &str, id: u32, level: Option<EventLevel>) -> Answer<EventFacts> {
    let address = Address::new(&format!("image:{}", image.display()), None, None).unwrap();
    let query = EventQuery { log: log.to_owned(), source: source.to_owned(), id, level };
    open(&address).unwrap().read_events(&[query]).unwrap().remove(0)
}

#[test]
fn a_log_of_several_chunks_is_read() {
    let log = writer::create("Application", &events(40), 9);
    assert_eq!(log.len(), HEADER + 5 * CHUNK);
    let (found, damage) = read(&log);
    assert_eq!((found.len(), damage), (40, None));
    for (n, event) in (0..).zip(&found) {
        assert_eq!(event.time.as_second(), START + 60 * n);
    }
    let kind = |n: usize| (found[n].source.as_str(), found[n].old_source.as_deref(), found[n].id, found[n].level);
    assert_eq!(kind(0), ("EXPROX", None, 1000, EventLevel::Warning));
    assert_eq!(kind(1), ("Microsoft-Windows-Wininit", None, 13, EventLevel::Information));
    assert_eq!(kind(2), ("Microsoft-Windows-Security-Kerberos", Some("Kerberos"), 4, EventLevel::Error));
    assert_eq!(kind(39), ("Ünïcode", None, 65535, EventLevel::Information));
    // The chunk with the newest events stands before the one with the oldest.
    let mut turned = log.clone();
    turned[HEADER..].rotate_right(2 * CHUNK);
    let (mut found, damage) = read(&turned);
    found.sort_by_key(|event| event.time);
    assert_eq!((found, damage), read(&log));
    assert_eq!(read(&writer::create("Application", &[], 9)), (Vec::new(), None));
}

#[test]
fn what_cannot_be_read_of_a_log_is_named() {
    let whole = writer::create("Application", &events(30), 10);
    let at = |chunk: usize, offset: usize| HEADER + chunk * CHUNK + offset;
    let said = |log: &[u8]| {
        let (found, damage) = read(log);
        (found.len(), damage.unwrap_or_default())
    };
    // No chunk.
    let mut log = whole.clone();
    log[at(1, 0)] = b'X';
    let (found, why) = said(&log);
    assert!(found == 20 && why.contains("chunk number 1"), "{found}: {why}");
    // A damaged record: its event ID has a value of another type, and the checksum is right.
    let mut log = whole.clone();
    let record = log[at(1, CHUNK_HEADER)..].windows(4).skip(1).position(|b| b == b"**\0\0").unwrap() + 1;
    log[at(1, CHUNK_HEADER + record + 24)..][..4].fill(0xEE);
    writer::seal(&mut log[at(1, 0)..at(2, 0)]);
    let (found, why) = said(&log);
    assert!(found == 29 && why.contains("record number 12"), "{found}: {why}");
    // A byte of the newest chunk, which was not closed.
    let mut log = whole.clone();
    log[at(2, 53)] ^= 1;
    let (found, why) = said(&log);
    assert!(found == 30 && why.starts_with("the checksum of chunk 2 is wrong"), "{found}: {why}");
    // Its end.
    let (found, why) = said(&whole[..whole.len() - 100]);
    assert!(found == 20 && why.starts_with("the log ends inside a chunk"), "{found}: {why}");
    // Its header.
    let mut log = whole.clone();
    log[24] ^= 1;
    assert_eq!(said(&log), (30, "the checksum of the log's header is wrong".to_owned()));
    let refused = |log: &[u8]| evtx::read(Cursor::new(log), log.len() as u64, |_| {}).unwrap_err().to_string();
    assert!(refused(b"").starts_with("the file is not an event log"));
    assert!(refused(&whole[..2000]).starts_with("the file is not an event log"));
    assert!(refused(&[0; 8192]).starts_with("the file is not an event log"));
}

#[test]
fn a_text_that_a_template_repeats_makes_no_gigabytes() {
    // 64 KB that become 15 MB of XML are read. More than that counts as damage.
    let (found, damage) = read(&writer::repeating(2, 1, 20_000, 750));
    assert_eq!((found.len(), damage), (2, None));
    assert_eq!(found[0].source.len(), 20_000);
    let (found, damage) = read(&writer::repeating(2, 1, 20_000, 900));
    assert!(found.is_empty() && damage.unwrap().contains("and 1 more"));
}

#[test]
fn an_image_has_its_logs_where_windows_keeps_them() {
    let log = writer::create("Microsoft-Windows-Test/Operational", &events(8), 8);
    let folder = image("Windows/System32/winevt/Logs/Microsoft-Windows-Test%4Operational.evtx", &log);
    let asked = |source, id, level| match ask(folder.path(), "Microsoft-Windows-Test/Operational", source, id, level) {
        Answer::Present(facts) => facts.count,
        other => panic!("{other:?}"),
    };
    assert_eq!(asked("exprox", 1000, None), 2);
    assert_eq!(asked("EXPROX", 1000, Some(EventLevel::Warning)), 2);
    assert_eq!(asked("EXPROX", 1000, Some(EventLevel::Error)), 0);
    assert_eq!(asked("Wininit", 13, None), 2);
    assert_eq!(asked("Kerberos", 4, Some(EventLevel::Error)), 2);
    assert_eq!(asked("Ünïcode", 65535, Some(EventLevel::Information)), 2);
    // The log file in the old format stays on a machine that was upgraded.
    let log = writer::create("Application", &events(4), 8);
    let folder = image("Windows/System32/winevt/logs/application.EVTX", &log);
    let Answer::Present(facts) = ask(folder.path(), "Application", "EXPROX", 1000, None) else { panic!() };
    assert_eq!((facts.count, facts.log_begins.unwrap().as_second()), (1, START));
    let absent = ask(folder.path(), "Nobody/Knows", "EXPROX", 1000, None);
    assert_eq!(absent, Answer::Absent);
    for odd in ["..\\..\\x", "a:b", ""] {
        let Answer::Unread(why) = ask(folder.path(), odd, "EXPROX", 1000, None) else { panic!() };
        assert_eq!(why.reason, Reason::Unsupported);
    }
}

#[test]
fn a_log_with_a_key_but_without_a_file_is_not_absent() {
    let folder = image("other", b"");
    for (hive, key) in [
        ("SYSTEM", r"ControlSet001\Services\EventLog\Vendor"),
        ("SOFTWARE", r"Microsoft\Windows\CurrentVersion\WINEVT\Channels\Vendor-Channel"),
    ] {
        let path = folder.path().join("Windows/System32/config").join(hive);
        let now = Filetime::now();
        let mut hive = Hive::open(fs::read(&path).unwrap(), &[]).unwrap();
        hive.edit(now).unwrap().create_key(key).unwrap();
        fs::write(&path, hive.to_bytes(now).unwrap()).unwrap();
    }
    for log in ["Vendor", "Vendor-Channel"] {
        let Answer::Unread(why) = ask(folder.path(), log, "EXPROX", 1000, None) else { panic!("{log}") };
        assert_eq!(why.reason, Reason::Unknown);
        assert!(why.detail.contains(&format!("the target has the log {log}, but the file")), "{why}");
    }
    assert_eq!(ask(folder.path(), "Nobody", "EXPROX", 1000, None), Answer::Absent);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_of_an_image_is_not_followed() {
    let folder = image("other", b"");
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("log"), writer::create("Application", &events(4), 8)).unwrap();
    let file = folder.path().join(kbfix::example::LOG);
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join("log"), &file).unwrap();
    let Answer::Unread(why) = ask(folder.path(), "Application", "EXPROX", 1000, None) else { panic!() };
    assert_eq!(why.reason, Reason::Unsupported, "{why}");
}

/// Returns the events that an independent reader finds; `None` if the reader is not installed.
fn beside(file: &Path) -> Option<Vec<Value>> {
    let name = file.display();
    let Ok(python) = std::env::var("KBFIX_PYTHON") else {
        println!("SKIPPED: {name} beside an independent reader: KBFIX_PYTHON names no Python that has one");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/events/read.py");
    let output = Command::new(python).arg(script).arg(file).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("ModuleNotFoundError") {
        println!("SKIPPED: {name} beside an independent reader: {}", error.lines().last().unwrap_or_default());
        return None;
    }
    assert!(output.status.success(), "{error}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[cfg_attr(windows, ignore = "the other reader runs on Linux")]
#[test]
fn another_reader_of_the_new_format_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for (count, most) in [(1, 5), (40, 9), (300, 200)] {
        let log = writer::create("Application", &events(count), most);
        let file = folder.path().join("a.evtx");
        fs::write(&file, &log).unwrap();
        let Some(theirs) = beside(&file) else { return };
        let numbers = BTreeMap::from([(1000, 3), (13, 4), (4, 2), (65535, 0)]);
        let ours = read(&log)
            .0
            .into_iter()
            .enumerate()
            .map(|(n, event)| json!([event.source, event.id, numbers[&event.id], event.time.as_second(), n + 1]));
        assert_eq!(theirs, ours.collect::<Vec<_>>());
    }
}

#[cfg_attr(windows, ignore = "the other reader runs on Linux")]
#[test]
fn another_reader_of_the_old_format_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let events: Vec<_> = events(60)
        .into_iter()
        .map(|event| evt::NewEvent {
            time: jiff::Timestamp::from_second(event.second).unwrap(),
            source: event.source,
            id: 0x8000_0000 | u32::from(event.id),
            level: EventLevel::of_number(event.level),
            computer: "FRONTEND1",
            strings: &["BACKEND1", "x"],
        })
        .collect();
    // One log has room for all events, and in others a record continues at the start of the file. libevt does not know
    // what fills the end of a file that has no room for the fixed part of a record, and loses what stands after it.
    let mut compared = 0;
    for size in (4096..4400).step_by(20).chain([64 << 10]) {
        let log = evt::create(&events, size);
        if log.ends_with(&[0x27, 0, 0, 0]) {
            continue;
        }
        compared += 1;
        let file = folder.path().join("a.evt");
        fs::write(&file, &log).unwrap();
        let Some(theirs) = beside(&file) else { return };
        let mut ours = Vec::new();
        let damage = evt::read(&log, |event| ours.push(event)).unwrap();
        assert_eq!(damage.sentence(), None, "{size}");
        let first = events.len() - ours.len() + 1;
        let ours = ours.into_iter().enumerate().map(|(n, event)| {
            let number = [(EventLevel::Error, 1), (EventLevel::Warning, 2)].iter().find(|(l, _)| *l == event.level);
            let number = number.map_or(4, |(_, number)| *number);
            json!([event.source, event.id, number, event.time.as_second(), first + n])
        });
        assert_eq!(theirs, ours.collect::<Vec<_>>(), "{size}");
    }
    assert!(compared > 5, "{compared}");
}
