//! Tests `kbfix symptoms`, which reports the events in event logs that articles describe.

use std::fs;

use kbfix::format::{
    event::EventLevel,
    evt::{NewEvent, create},
};
use serde_json::{Value, json};

use crate::harness::{Machine, Run};

/// Returns the example machine, switched off, in the folder `image`.
fn image() -> Machine {
    let machine = Machine::new();
    kbfix::example::make(&machine.path("image")).unwrap();
    machine
}

const TARGET: &str = "--target image:@/image @state";

fn symptoms(machine: &Machine, specs: &str) -> Run {
    machine.run(&format!("symptoms {specs} {TARGET}"))
}

/// The document of KB909094's symptom.
fn found(machine: &Machine, code: i32) -> Value {
    let document = machine.run(&format!("symptoms KB909094 {TARGET} --format json")).code(code).json();
    let schema = Machine::new().run("schema symptoms").code(0).json();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{document:#}");
    document["specs"][0].clone()
}

/// Writes a log with an event of KB909094 at each of these times.
fn log(machine: &Machine, times: &[jiff::Timestamp]) {
    let event = |time: &jiff::Timestamp| NewEvent {
        time: *time,
        source: "EXPROX",
        id: 0x8000_03E8,
        level: EventLevel::Warning,
        computer: "FRONTEND1",
        strings: &["BACKEND1"],
    };
    let log = create(&times.iter().map(event).collect::<Vec<_>>(), 64 << 10);
    fs::write(machine.path("image").join(kbfix::example::LOG), log).unwrap();
}

#[test]
fn an_event_is_counted_before_and_since_an_apply() {
    let machine = image();
    symptoms(&machine, "KB909094").code(0).says("seen 3 times, last 2008-05-16T08:20:07Z");
    let before = found(&machine, 0);
    assert_eq!(before["last_apply"], "absent");
    let symptom = &before["symptoms"][0];
    assert_eq!(symptom["event"], json!({ "log": "Application", "source": "EXPROX", "id": 1000, "level": "warning" }));
    assert_eq!((&symptom["expect"], &symptom["apply"]), (&json!("gone"), &Value::Null));
    let seen = json!({ "count": 3, "first": "2008-05-14T08:16:12Z", "last": "2008-05-16T08:20:07Z",
        "log_begins": "2008-05-14T06:12:40Z", "log_ends": "2008-05-16T12:09:20Z", "damage": null });
    assert_eq!(symptom["found"]["present"], seen);

    machine.run(&format!("apply KB909094 {TARGET}")).code(0);
    symptoms(&machine, "KB909094")
        .code(0)
        .says("0 events since 20")
        .says(", 3 before; but nothing at all was logged since: the log ends at 2008-05-16T12:09:20Z");
    let after = &found(&machine, 0)["symptoms"][0]["apply"];
    let none = json!({ "since": 0, "or_more": false, "before": 3, "log_begins_after": false, "logged_since": false });
    assert_eq!(*after, none);

    // The event is logged again, and the log was cleared in between.
    let now = jiff::Timestamp::now();
    log(&machine, &[jiff::Timestamp::UNIX_EPOCH, now, now]);
    symptoms(&machine, "KB909094").code(0).says("2 events since 20").says("Z, 1 before\n");
    let later = now + jiff::SignedDuration::from_secs(60);
    log(&machine, &[later]);
    symptoms(&machine, "KB909094")
        .code(0)
        .says("1 event since 20")
        .says("after the apply, so the number of events before the apply is not known");

    // After a rollback, the changes are no longer in place.
    machine.run("rollback --last @state").code(0);
    assert_eq!(found(&machine, 0)["last_apply"], "absent");
    symptoms(&machine, "KB909094").code(0).says("seen once, 20");
}

/// After a retirement, the changes of the spec are no longer in place.
#[test]
fn a_retired_spec_does_not_count_as_applied() {
    let machine = image();
    machine.run(&format!("apply KB909094 {TARGET}")).code(0);
    machine.run(&format!("retire KB909094 {TARGET}")).code(0);
    symptoms(&machine, "KB909094")
        .code(0)
        .says("\n  retired       20")
        .says("seen 3 times, last 2008-05-16T08:20:07Z; the spec was retired at 20")
        .says("Z, so the events are not counted since an apply\n");
    let retired = found(&machine, 0);
    assert_eq!((&retired["last_apply"], &retired["symptoms"][0]["apply"]), (&json!("absent"), &Value::Null));
    assert!(retired["retired"]["journal"].is_string(), "{retired:#}");
    // The rollback of the retirement makes the changes of the apply again.
    machine.run("rollback --last @state").code(0);
    assert_eq!(found(&machine, 0)["retired"], Value::Null);
    symptoms(&machine, "KB909094").code(0).says("last apply").says("0 events since 20");
    machine.run(&format!("retire KB909094 {TARGET}")).code(0);
    machine.run(&format!("apply KB909094 {TARGET}")).code(0);
    symptoms(&machine, "KB909094").code(0).says("last apply").says("0 events since 20");
}

#[test]
fn what_cannot_be_read_is_not_known_and_never_no_event() {
    let machine = image();
    let file = machine.path("image").join(kbfix::example::LOG);
    let whole = fs::read(&file).unwrap();
    // A part of it.
    let mut damaged = whole.clone();
    let at = whole.windows(4).skip(48).position(|bytes| bytes == b"LfLe").unwrap() + 48;
    damaged[at..at + 4].fill(0xFF);
    fs::write(&file, &damaged).unwrap();
    symptoms(&machine, "KB909094")
        .code(4)
        .says("seen at least 3 times")
        .says("not all of the log could be read: at offset 0x30");
    // All of it.
    fs::write(&file, "no log").unwrap();
    symptoms(&machine, "KB909094")
        .code(4)
        .says("not known: malformed: the file of the log Application: the file does not begin with");
    assert_eq!(found(&machine, 4)["symptoms"][0]["found"]["unread"]["reason"], "malformed");
    fs::remove_file(&file).unwrap();
    symptoms(&machine, "KB909094")
        .code(4)
        .says("not known: the target has the log Application, but the file of the log is missing");
    // Targets without event logs.
    machine.run("symptoms KB909094 @target @state").code(4).says("machine.reg has no event logs");
    let hive = machine.path("image/Windows/System32/config/SYSTEM");
    let line = format!("symptoms KB909094 --target hive:{}=HKLM\\SYSTEM @state", hive.display());
    machine.run(&line).code(4).says("has no event logs");
    machine.run("symptoms KB909094 --target image:@/nowhere @state").code(3).says("nowhere");
    let stopped = machine.run("symptoms KB909094 --target image:@/nowhere @state --format json").code(3).json();
    assert_eq!(stopped["diagnostics"][0]["code"], "target-unreadable");
    // A log that the machine does not have.
    let spec = "kbfix: 1\nid: T\ntitle: T\nsymptoms: [{ event: { log: My/Log, source: S, id: 1 } }]\n\
                registry: [{ key: 'HKLM\\SOFTWARE\\T' }]\n";
    machine.run_with(&format!("symptoms - {TARGET}"), spec).code(0).says("the target does not have the log My/Log");
    let none = spec.replace("symptoms: [{ event: { log: My/Log, source: S, id: 1 } }]\n", "");
    machine.run_with(&format!("symptoms - {TARGET}"), &none).code(0).says("the spec describes no symptom");
}

#[test]
fn the_log_is_where_the_registry_says() {
    let machine = image();
    let spec = |value: &str| {
        format!(
            "kbfix: 1\nid: T\ntitle: T\nregistry: [{{ key: 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application', \
             values: {{ File: {{ type: REG_EXPAND_SZ, data: '{value}' }} }} }}]\n"
        )
    };
    let folder = machine.path("image/Logs");
    fs::create_dir(&folder).unwrap();
    fs::rename(machine.path("image").join(kbfix::example::LOG), folder.join("app.evt")).unwrap();
    machine.run_with(&format!("apply - {TARGET}"), &spec(r"%SystemDrive%\logs\App.Evt")).code(0);
    symptoms(&machine, "KB909094").code(0).says("seen 3 times");
    machine.run_with(&format!("apply - {TARGET}"), &spec(r"%windir%\App.Evt")).code(0);
    symptoms(&machine, "KB909094").code(4).says(r"but not its file %windir%\App.Evt");
    machine.run_with(&format!("apply - {TARGET}"), &spec(r"E:\App.Evt")).code(0);
    symptoms(&machine, "KB909094").code(4).says("give a folder that contains the files of drive E:");
    let drive = format!("symptoms KB909094 {TARGET} --drive E={}", folder.display());
    machine.run(&drive).code(0).says("seen 3 times");
}

#[test]
fn a_snapshot_keeps_them_where_it_is_asked_to() {
    let machine = image();
    let on = "--target snapshot:@/s.json @state";
    machine.run("snapshot KB909094 --target image:@/image --out @/s.json").code(0);
    machine.run(&format!("symptoms KB909094 {on}")).code(4).says("the snapshot does not cover event 1000 of EXPROX");
    assert!(!machine.read("s.json").contains("\"events\""));
    fs::remove_file(machine.path("s.json")).unwrap();
    machine.run("snapshot KB909094 --symptoms --target image:@/image --out @/s.json").code(0);
    machine.run(&format!("symptoms KB909094 {on}")).code(0).says("seen 3 times, last 2008-05-16T08:20:07Z");
    // The snapshot is of the same machine and was taken before the apply.
    machine.run(&format!("apply KB909094 {TARGET}")).code(0);
    machine.run(&format!("symptoms KB909094 {on}")).code(0).says("0 events since 20");
    // An apply to the snapshot keeps the events.
    machine.run(&format!("apply KB909094 {on}")).code(0);
    machine.run(&format!("symptoms KB909094 {on}")).code(0).says("0 events since 20").says(", 3 before");
}

#[test]
fn a_diff_shows_them_and_decides_nothing_by_them() {
    let machine = image();
    let diff = |more: &str| machine.run(&format!("diff KB909094 --target image:@/image {more}"));
    let plain = diff("--format json").code(1).json();
    let with = diff("--symptoms @state --format json").code(1).json();
    assert_eq!((&plain["digest"], &plain["specs"]), (&with["digest"], &with["specs"]));
    assert!(plain.get("symptoms").is_none());
    assert_eq!(with["symptoms"][0]["symptoms"][0]["sentence"], "seen 3 times, last 2008-05-16T08:20:07Z");
    for format in ["human", "markdown", "html"] {
        let run = diff(&format!("--symptoms @state --format {format}")).code(1);
        assert!(run.stdout.contains("seen 3 times, last 2008"), "{}", run.stdout);
    }
    fs::write(machine.path("image").join(kbfix::example::LOG), "no log").unwrap();
    diff("--symptoms @state").code(1).says("not known: malformed");
    machine.run("diff --plan @/x.json --symptoms @state").code(2);
}

#[test]
fn a_journal_that_cannot_be_read_may_be_of_the_last_apply() {
    let machine = image();
    machine.run(&format!("apply KB909094 {TARGET}")).code(0);
    machine.write_journal("20990101T000000.000Z-1", "damaged");
    let run = symptoms(&machine, "KB909094").code(4);
    let run = run.says(
        "seen 3 times, last 2008-05-16T08:20:07Z; the number since the last apply is not known: a journal cannot",
    );
    run.says("warning[journal-malformed]");
    fs::remove_file(machine.path("state/journal/20990101T000000.000Z-1.jsonl")).unwrap();
    machine.write_journal("20000101T000000.000Z-1", "damaged");
    symptoms(&machine, "KB909094").code(0).says("0 events since 20").says("warning[journal-malformed]");
}
